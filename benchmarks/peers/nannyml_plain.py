"""NannyML without estimates: drift, missing values, realised performance and means, by daily chunks, as CSV.

Computes: Jensen-Shannon distance of every feature, KS of the numeric ones, chi-squared of the others (it has no PSI);
missing rates; accuracy, precision, recall, specificity, F1, ROC AUC and average precision for all rows and each segment
value; means of conversion, value and latency; its own thresholds and alerts for each.

Does not compute: PSI, figures by label age (labels are taken as known on the last day), log loss, latency percentiles,
missing values by segment, incidents, pages. It has a drift detector of many columns (PCA reconstruction), not run here.
"""

from __future__ import annotations

import nannyml
import pandas as pd
from delivered import accepted, arguments, columns_of, delivered, slices

METRICS = ["accuracy", "precision", "recall", "specificity", "f1", "roc_auc", "average_precision"]
BY_DAY = {"timestamp_column_name": "ts", "chunk_period": "D"}
ROLES = {"y_true": "label", "y_pred": "decision", "y_pred_proba": "score", "problem_type": "classification_binary"}


def main(estimated: bool = False) -> None:
    folder, out = arguments()
    rows, reference = delivered(folder), accepted(folder)
    numeric, categorical = columns_of(reference)
    features = numeric + categorical
    drift = nannyml.UnivariateDriftCalculator(
        column_names=features,
        treat_as_categorical=categorical,
        continuous_methods=["kolmogorov_smirnov", "jensen_shannon"],
        categorical_methods=["chi2", "jensen_shannon"],
        **BY_DAY,
    )
    missing = nannyml.MissingValuesCalculator(column_names=features, **BY_DAY)
    means = nannyml.SummaryStatsAvgCalculator(column_names=["converted", "value", "latency_ms", "score"], **BY_DAY)
    written = {"drift": drift, "missing": missing, "means": means}
    for name, calculator in written.items():
        told(calculator.fit(reference).calculate(rows)).to_csv(out / f"{name}.csv", index=False)
    accepted_parts, labelled = slices(reference), slices(rows[rows["label"].notna()])
    performance, estimates = [], []
    for segment, part in slices(rows).items():
        measured = nannyml.PerformanceCalculator(metrics=METRICS, **ROLES, **BY_DAY).fit(accepted_parts[segment])
        performance.append(told(measured.calculate(labelled[segment])).assign(segment=segment))
        if estimated:
            estimator = nannyml.CBPE(metrics=METRICS, **ROLES, **BY_DAY).fit(accepted_parts[segment])
            estimates.append(told(estimator.estimate(part)).assign(segment=segment))
    pd.concat(performance).to_csv(out / "performance.csv", index=False)
    if estimated:
        pd.concat(estimates).to_csv(out / "estimates.csv", index=False)


def told(result: nannyml.base.AbstractResult) -> pd.DataFrame:
    """Its rows with flat column names."""
    frame = result.to_df()
    frame.columns = ["_".join(str(part) for part in name if part) for name in frame.columns]
    return frame


if __name__ == "__main__":
    main()
