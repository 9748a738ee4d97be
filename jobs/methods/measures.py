"""From frames of additive counts to rows of table `metrics`: one function per family of metrics.

Each takes the frame of one query (one row per series, or per series and bin, sorted) and returns finished
rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs.methods import drift, latency, performance
from jobs.methods.definitions import BY_NAME
from jobs.methods.intervals import Estimate, estimate, mean, proportion, ratio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

NOT_APPLICABLE = {"version": "all", "feature": "", "segment": "all", "label_age": None}
"""A row's keys where they do not apply."""
COLUMNS = ("day", *NOT_APPLICABLE, "metric", "layer", "value", "n", "lower", "upper", "state", "reason")
PERCENTS = (50, 95, 99)
KNOWN_DAYS = 28
"""Days for which a segment value is missed after its last row."""
SPECIAL_BINS = {drift.MISSING: "missing", drift.UNSEEN: "unseen", drift.INFINITE: "infinite"}


def rows(metric: str, keys: pd.DataFrame, measured: Estimate, min_rows: int) -> pd.DataFrame:
    """One row per key; fewer than `min_rows` is not_evaluated, told with both figures, and the value is kept.

    `keys` has the column day and those of `NOT_APPLICABLE` that apply.

    >>> day = pd.DataFrame({"day": pd.to_datetime(["2025-03-01"])})
    >>> rows("accuracy", day, proportion([9], [12]), min_rows=30)["reason"].item()
    '12 labelled decisions, 30 needed'
    """
    definition = BY_NAME[metric]
    few = (measured.n < min_rows) & pd.isna(measured.reason) & definition.guarded
    counts, place = np.unique(measured.n[few], return_inverse=True)
    reason = measured.reason.copy()
    reason[few] = np.array([f"{count} {definition.n}, {min_rows} needed" for count in counts], dtype=object)[place]
    columns: dict[str, Any] = {
        "day": keys["day"].to_numpy(),
        **{name: keys[name].to_numpy() if name in keys else absent for name, absent in NOT_APPLICABLE.items()},
        "metric": metric,
        "layer": definition.layer,
        "value": measured.value,
        "n": measured.n,
        "lower": measured.lower,
        "upper": measured.upper,
        "state": np.where(pd.isna(reason), "final", "not_evaluated"),
        "reason": reason,
    }
    return pd.DataFrame(columns)


NO_PROBABILITY = "no labelled prediction has a score between 0 and 1"


def undefined(metric: str, keys: pd.DataFrame, reason: Any) -> pd.DataFrame:
    """Rows without value and without n, which say why; `reason` is one text or one per key."""
    zeros = np.zeros(len(keys))
    told = estimate(zeros, zeros, undefined={"": zeros == 0})
    told.reason[:] = reason
    return rows(metric, keys, told, 0)


def together(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All rows, with whole label ages; of no parts, no rows."""
    full = [part for part in parts if len(part)]
    if not full:
        return pd.DataFrame(columns=COLUMNS)
    ages = [part["label_age"].astype("Int32") for part in full]
    return pd.concat([part.assign(label_age=age) for part, age in zip(full, ages, strict=True)], ignore_index=True)


def of_predictions(served: pd.DataFrame, min_rows: int) -> list[pd.DataFrame]:
    """Volume and mean score, from counts and sums per day, version and segment."""
    keys, n = served[["day", "version", "segment"]], served["n"].to_numpy()
    scored, about = served["n_scored"], served["score_about"]
    score = mean(scored, served["score_near_sum"], served["score_near_square_sum"], "no scores", about)
    return [rows("volume", keys, estimate(n, n), min_rows), rows("score_mean", keys, score, min_rows)]


def of_improper(served: pd.DataFrame, min_rows: int) -> pd.DataFrame:
    """Share of the scores that are no probabilities, on days and of versions that have scores."""
    told = served[served["n_improper"].notna() & (served["segment"] == "all")]
    improper, scores = told["n_improper"].astype("int64"), told["n_scored"] + told["n_improper"].astype("int64")
    some = (scores > 0).to_numpy()
    share = proportion(improper[some], scores[some], "no scores")
    return rows("improper_score_rate", told.loc[some, ["day", "version"]], share, min_rows)


def without_scores(measured: Estimate, labelled: ArrayLike) -> Estimate:
    """Tells labels that have no score, or none that is a probability, from no labels; `labelled` has one per value."""
    measured.reason[(np.asarray(labelled) > 0) & (measured.reason == "no labels")] = NO_PROBABILITY
    return measured


def of_silence(served: pd.DataFrame, first: Any, min_rows: int) -> pd.DataFrame:
    """A volume of 0 for each segment value known in the last KNOWN_DAYS days that a delivered day from `first` lacks.

    `served`: rows of `of_predictions`, from KNOWN_DAYS days before `first` on.

    >>> served = pd.DataFrame({
    ...     "day": pd.to_datetime(["2025-03-01", "2025-03-01", "2025-03-02"]),
    ...     "version": "all", "segment": ["all", "country=FR", "all"], "n": [9, 4, 5],
    ... })
    >>> of_silence(served, "2025-03-02", 30)[["segment", "value"]].to_numpy().tolist()
    [['country=FR', 0.0]]
    """
    summed = served[served["version"] == "all"]
    if summed.empty:
        return undefined("volume", summed[["day", "version", "segment"]], "")
    counts = summed.pivot_table(index="day", columns="segment", values="n", aggfunc="sum")
    counts = counts.reindex(pd.date_range(counts.index.min(), counts.index.max(), unit="us", name="day"))
    present, came = counts.notna(), counts["all"].notna()
    known = present.astype(float).rolling(KNOWN_DAYS, min_periods=1).max().shift(1).eq(1.0)
    silent = known & ~present & came.to_numpy()[:, None]
    night, segment = np.nonzero((silent & (silent.index >= pd.Timestamp(first))[:, None]).to_numpy())
    keys = pd.DataFrame({"day": silent.index[night], "version": "all", "segment": silent.columns[segment]})
    nothing = np.zeros(len(keys), dtype=np.int64)
    return rows("volume", keys, estimate(nothing, nothing), min_rows)


def of_features(binned: pd.DataFrame, min_rows: int, error_rate: float) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Missing rate, PSI, its null limit, and what each bin adds; from both sides' counts per bin.

    The null limits of one day share `error_rate`: each of m judged series gets error_rate / m (Bonferroni).
    """
    row, place, keys = _series(binned, ["day", "version", "feature"])
    width = int(place.max(initial=-1)) + 1
    reference, current = np.zeros((2, len(keys), width))
    reference[row, place], current[row, place] = binned["reference_n"], binned["n"]
    n, expected_n = current.sum(axis=1), reference.sum(axis=1)
    missing = np.bincount(row, weights=binned["n"] * (binned["bin"] == drift.MISSING), minlength=len(keys))
    nothing = {"no rows": n == 0, "no reference yet": expected_n == 0}
    judged = pd.Series((n >= min_rows) & (expected_n > 0)).groupby(keys["day"].to_numpy()).transform("sum")
    share = error_rate / np.maximum(judged.to_numpy(), 1)
    limit = drift.psi_limit(reference, current, share)
    return [
        rows("missing_rate", keys, proportion(missing, n), min_rows),
        rows("psi", keys, estimate(drift.psi(reference, current), n, undefined=nothing), min_rows),
        rows("psi_null_limit", keys, estimate(limit, n, undefined=nothing), min_rows),
    ], pd.DataFrame(
        {
            "day": binned["day"],
            "version": binned["version"],
            "feature": binned["feature"],
            "bin": binned["bin"],
            "label": binned["label"],
            "expected": ratio(binned["reference_n"], expected_n[row]),
            "observed": ratio(binned["n"], n[row]),
            "contribution": drift.psi_contributions(reference, current)[row, place],
        }
    )[((binned["reference_n"] + binned["n"] > 0) & (n * expected_n > 0)[row]).to_numpy()]


def of_latency(bins: pd.DataFrame, min_rows: int) -> list[pd.DataFrame]:
    """Latency quantiles, from counts per day, version and logarithmic bin."""
    row, _, keys = _series(bins, ["day", "version"])
    return [
        rows(
            f"latency_p{percent}",
            keys,
            latency.quantile_of_rows(row, bins["bin"], bins["n"], len(keys), percent / 100),
            min_rows,
        )
        for percent in PERCENTS
    ]


def of_labels(known: pd.DataFrame, scores: pd.DataFrame, min_rows: int) -> list[pd.DataFrame]:
    """Coverage and performance per day, label age, version and segment.

    `scores` counts labels per score bin; its column `series` is the position in `known`.
    """
    keys = known[["day", "version", "segment", "label_age"]]
    counted = performance.confusion(
        known["n_true_positive"],
        known["n_false_positive"],
        known["n_false_negative"],
        known["n_true_negative"],
    )
    auc = performance.roc_auc_of_rows(scores["series"], scores["n_positive"], scores["n_negative"], len(known))
    measured = {
        "coverage": proportion(known["n_labelled"], known["n"]),
        "accuracy": performance.accuracy(counted),
        "precision": performance.precision(counted),
        "recall": performance.recall(counted),
        "f1": performance.f1(counted),
        "roc_auc": without_scores(auc, known["n_labelled"]),
    }
    return [rows(metric, keys, one, min_rows) for metric, one in measured.items()]


def _series(frame: pd.DataFrame, keys: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], pd.DataFrame]:
    """Per row of a frame sorted by `keys`: its series' number and its place therein; and the series' keys."""
    row = frame.groupby(keys, sort=False).ngroup().to_numpy().astype(np.int64)
    first = np.flatnonzero(np.diff(row, prepend=-1))
    place = np.asarray(np.arange(len(row)) - first[row], dtype=np.int64)
    return row, place, frame[keys].iloc[first].reset_index(drop=True)
