"""Fairness: the rates of each group of the protected segments over the last days, and the gaps between the groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.families import dimension_of
from jobs.methods import fairness
from jobs.methods.intervals import proportion
from jobs.methods.measures import rows
from jobs.methods.windows import window_sums

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import pandas as pd

    from jobs.families import Past, Watch
    from jobs.methods.fairness import Gaps

KEYS = ["day", "version", "label_age"]
CELLS = ["n_true_positive", "n_false_positive", "n_false_negative", "n_true_negative"]


def metrics_of(watch: Watch, past: Past) -> Iterator[pd.DataFrame]:
    """Rows of each group (segment `customer=new`) and of the gaps between the groups (segment `customer=*`)."""
    spec = watch.spec
    if not spec.protected or spec.task != "binary":
        return
    decided = _windows(watch, past, past.served, ["n_decided", "n_positive"], watch.begin, watch.period.last)
    yield from _of_decisions(decided.assign(label_age=None), spec.min_rows)
    for age in past.label_ages:
        known = past.labels[past.labels["label_age"] == age.age]
        summed = _windows(watch, past, known, CELLS, age.first, age.last)
        yield from _of_labels(summed.assign(label_age=age.age), spec.min_rows)


def _windows(watch: Watch, past: Past, counts: pd.DataFrame, sums: list[str], first: date, last: date) -> pd.DataFrame:
    """Sums over the window per day, version and group; days on which the version did not answer are left out."""
    spec = watch.spec
    told = counts.assign(dimension=dimension_of(counts["segment"], spec))
    told = told[told["dimension"].isin(spec.protected)]
    if told.empty:
        return told.assign(days=0)
    summed = window_sums(told, ["version", "dimension", "segment"], sums, first, last, spec.fairness_days)
    answered = past.served.loc[past.served["segment"] == "all", ["day", "version"]]
    return summed.merge(answered, on=["day", "version"])


def _of_decisions(counts: pd.DataFrame, min_rows: int) -> Iterator[pd.DataFrame]:
    if counts.empty:
        return
    yield rows(
        "selection_rate",
        counts,
        proportion(counts["n_positive"], counts["n_decided"], "no decisions"),
        min_rows,
    )
    keys, number = _series(counts)
    made = fairness.gaps(number, counts["n_positive"], counts["n_decided"], len(keys), min_rows, "decisions")
    yield from _both("demographic_parity", keys, made, min_rows)


def _of_labels(counts: pd.DataFrame, min_rows: int) -> Iterator[pd.DataFrame]:
    if counts.empty:
        return
    tp, fp, fn, tn = (counts[name].to_numpy() for name in CELLS)
    rates = {
        "true_positive_rate": (tp, tp + fn, "positive labels"),
        "false_positive_rate": (fp, fp + tn, "negative labels"),
        "positive_predictive_value": (tp, tp + fp, "predicted positives"),
    }
    for metric, (hits, n, what) in rates.items():
        yield rows(metric, counts, proportion(hits, n, f"no {what}"), min_rows)
    keys, number = _series(counts)
    judged = {
        metric: fairness.gaps(number, hits, n, len(keys), min_rows, what) for metric, (hits, n, what) in rates.items()
    }
    yield from _both("equal_opportunity", keys, judged["true_positive_rate"], min_rows)
    yield from _both("predictive_equality", keys, judged["false_positive_rate"], min_rows)
    yield from _both("predictive_parity", keys, judged["positive_predictive_value"], min_rows)
    odds = [
        fairness.gaps(number, *rates[metric][:2], len(keys), min_rows, rates[metric][2], measures=2)
        for metric in ("true_positive_rate", "false_positive_rate")
    ]
    yield from _both("equalized_odds", keys, fairness.worst(*odds), min_rows)


def _both(name: str, keys: pd.DataFrame, made: Gaps, min_rows: int) -> Iterator[pd.DataFrame]:
    yield rows(f"{name}_difference", keys, fairness.difference(made), min_rows)
    yield rows(f"{name}_ratio", keys, fairness.quotient(made), min_rows)


def _series(counts: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[int]]:
    """The day, version, age and segment `name=*` of each protected segment, and which one each row is of."""
    by = counts.groupby(["day", "version", "dimension"], sort=True)
    keys = by["label_age"].first().reset_index()
    keys["label_age"] = counts["label_age"].iloc[0]
    return keys.assign(segment=keys["dimension"] + "=*"), by.ngroup()
