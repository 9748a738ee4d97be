"""What a good engineer would write with pandas and scikit-learn; runs in Nightjar's own environment.

Writes, as CSV, per day: accuracy, precision, recall, F1, ROC AUC, average precision, log loss, Brier score, coverage
for all rows and each segment value; PSI of every feature against quantile bins of the reference, KS for numeric ones;
missing rates for all rows and each segment value; conversion, value per prediction; latency percentiles, volume, score.

Does not compute: figures by label age (labels are taken as known on the last day), intervals, judgement of breaches,
expected ranges, incidents, estimates before labels, calibration curves, decompositions, pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from delivered import SEGMENTS, accepted, arguments, columns_of, delivered, slices
from scipy.stats import ks_2samp
from sklearn import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from pandas.core.groupby import DataFrameGroupBy


def scores(rows: pd.DataFrame) -> dict[str, float]:
    """What scikit-learn says of labelled rows."""
    known = rows[rows["label"].notna()]
    if known["label"].nunique() < 2:
        return {"n": len(rows), "n_labelled": len(known)}
    truth, decision, score = known["label"].to_numpy(int), known["decision"].to_numpy(), known["score"].to_numpy()
    return {
        "n": len(rows),
        "n_labelled": len(known),
        "accuracy": metrics.accuracy_score(truth, decision),
        "precision": metrics.precision_score(truth, decision, zero_division=0),
        "recall": metrics.recall_score(truth, decision, zero_division=0),
        "f1": metrics.f1_score(truth, decision, zero_division=0),
        "roc_auc": metrics.roc_auc_score(truth, score),
        "average_precision": metrics.average_precision_score(truth, score),
        "log_loss": metrics.log_loss(truth, score),
        "brier": metrics.brier_score_loss(truth, score),
    }


def shares(values: pd.Series, edges: np.ndarray | None, categories: pd.Index | None) -> np.ndarray:
    """Smoothed shares of bins or categories, and of missing values."""
    if edges is not None:
        counted = np.histogram(values.dropna(), edges)[0]
    else:
        counted = values.value_counts().reindex(categories, fill_value=0).to_numpy()
    counted = np.append(counted, values.isna().sum()) + 0.5
    return counted / counted.sum()


def drift(rows: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """PSI of each feature and day, and KS of the numeric ones."""
    numeric, categorical = columns_of(reference)
    found = []
    days = list(rows.groupby("day"))
    for name in numeric + categorical:
        edges = categories = None
        if name in numeric:
            edges = np.unique(np.nanquantile(reference[name], np.linspace(0, 1, 11)))
            edges[0], edges[-1] = -np.inf, np.inf
            accepted_values = reference[name].dropna().to_numpy()
        else:
            categories = reference[name].value_counts().index
        expected = shares(reference[name], edges, categories)
        for day, part in days:
            actual = shares(part[name], edges, categories)
            psi = float(((actual - expected) * np.log(actual / expected)).sum())
            ks = float(ks_2samp(accepted_values, part[name].dropna()).statistic) if name in numeric else np.nan
            found.append((day, name, psi, ks))
    return pd.DataFrame(found, columns=["day", "feature", "psi", "ks"])


def by_slice(
    values: pd.DataFrame, rows: pd.DataFrame, reduce: Callable[[DataFrameGroupBy], pd.DataFrame]
) -> pd.DataFrame:
    """`reduce` of each day, and of each day and segment value."""
    parts = {"all": reduce(values.groupby(rows["day"]))}
    for name in SEGMENTS:
        reduced = reduce(values.groupby([rows["day"], rows[name]]))
        parts |= {f"{name}={value}": part.droplevel(1) for value, part in reduced.groupby(level=1)}
    return pd.concat(parts, names=["segment"])


def main() -> None:
    folder, out = arguments()
    rows, reference = delivered(folder), accepted(folder)
    numeric, categorical = columns_of(reference)
    measured = [
        {"day": day, "segment": segment} | scores(part)
        for day, of_day in rows.groupby("day")
        for segment, part in slices(of_day).items()
    ]
    pd.DataFrame(measured).to_csv(out / "performance.csv", index=False)
    drift(rows, reference).to_csv(out / "drift.csv", index=False)
    absent = rows[numeric + categorical].isna()
    by_slice(absent, rows, lambda groups: groups.mean()).to_csv(out / "missing.csv")
    business = rows[["converted", "value", "score"]].assign(answered=rows["score"].notna())
    by_slice(business, rows, lambda groups: groups.agg(["mean", "sum"])).to_csv(out / "business.csv")
    rows.groupby("day")["latency_ms"].quantile([0.5, 0.95, 0.99]).to_csv(out / "latency.csv")


if __name__ == "__main__":
    main()
