"""Evidently: one HTML report a day, one JSON a day and segment value, from its own metrics.

Computes, per day: PSI of every feature, KS of the numeric ones, missing values, accuracy, precision, recall, F1, ROC
AUC, log loss, mean conversion and value, latency quantiles, row count; the label metrics also for each segment value.

Does not compute: figures by label age (labels are taken as known on the last day), missing values by segment, Brier
score, intervals, expected ranges, incidents, estimates before labels.
"""

from __future__ import annotations

from delivered import accepted, arguments, columns_of, delivered, slices
from evidently import BinaryClassification, DataDefinition, Dataset, Report
from evidently.metrics import (
    Accuracy,
    F1Score,
    LogLoss,
    MeanValue,
    MissingValueCount,
    Precision,
    QuantileValue,
    Recall,
    RocAuc,
    RowCount,
    ValueDrift,
)  # fmt: skip


def main() -> None:
    folder, out = arguments()
    rows, reference = delivered(folder), accepted(folder)
    numeric, categorical = columns_of(reference)
    definition = DataDefinition(
        numerical_columns=[*numeric, "score", "latency_ms", "value", "converted"],
        categorical_columns=[*categorical, "label", "decision"],
        classification=[
            BinaryClassification(target="label", prediction_labels="decision", prediction_probas="score", pos_label=1)
        ],
    )
    performance = [Accuracy(), Precision(), Recall(), F1Score(), RocAuc(), LogLoss(), MeanValue(column="converted")]
    performance += [MeanValue(column="value"), RowCount()]
    data = [ValueDrift(column=name, method="psi") for name in numeric + categorical]
    data += [ValueDrift(column=name, method="ks") for name in numeric]
    data += [MissingValueCount(column=name) for name in numeric + categorical]
    data += [QuantileValue(column="latency_ms", quantile=share) for share in (0.5, 0.95, 0.99)]
    known = Dataset.from_pandas(reference, definition)
    for day, of_day in rows.groupby("day"):
        whole = Report(data).run(Dataset.from_pandas(of_day, definition), known)
        whole.save_html(str(out / f"{day:%Y-%m-%d}.html"))
        whole.save_json(str(out / f"{day:%Y-%m-%d}.json"))
        labelled = of_day[of_day["label"].notna()].astype({"label": "int64"})
        for segment, part in slices(labelled).items():
            if part["label"].nunique() == 2:
                told = Report(performance).run(Dataset.from_pandas(part, definition), None)
                told.save_json(str(out / f"{day:%Y-%m-%d} {segment}.json"))


if __name__ == "__main__":
    main()
