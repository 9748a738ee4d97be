"""Calibration, ranking and stability of scores: from frames of additive counts to rows of `metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods import calibration, drift, ranking
from jobs.methods.intervals import CONFIDENCE, estimate, mean, proportion, ratio
from jobs.methods.measures import rows, undefined, without_scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

GROUP = ["day", "version", "segment", "label_age"]
SHIFT_BINS = 20
"""Of the distance between one day's scores and the next day's."""
SPREAD_DAYS = 7
"""Days, the judged one the last, whose mean scores are compared, ..."""
SPREAD_LEAST = 4
"""... if at least so many of them have scores."""


def of_scores(known: pd.DataFrame, scores: pd.DataFrame, min_rows: int) -> list[pd.DataFrame]:
    """Calibration and ranking per day, label age, version and segment; `scores.series` is the position in `known`."""
    keys, cells = known[GROUP], calibration.cells(scores, len(known))
    measured = {
        "brier": calibration.brier(cells),
        "log_loss": calibration.log_loss(cells),
        "calibration_in_the_large": calibration.in_the_large(cells),
        "ece": calibration.ece(cells),
        "ece_unweighted": calibration.ece(cells, weighted=False),
        "pr_auc": ranking.average_precision(cells),
        "score_ks": ranking.score_ks(cells),
        "precision_at_10": ranking.precision_at_top(cells),
        "recall_at_10": ranking.recall_at_top(cells),
    }
    labelled = known["n_labelled"]
    return [rows(metric, keys, without_scores(one, labelled), min_rows) for metric, one in measured.items()]


def curves_of(known: pd.DataFrame, scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of tables reliability and threshold_curve: whole days of every version."""
    whole = (known["segment"] == "all").to_numpy()
    cells = calibration.cells(scores[whole[scores["series"].to_numpy()]], len(known))
    made = {"reliability": calibration.reliability(cells), "threshold_curve": ranking.threshold_curve(cells)}
    keys = known[["day", "version", "label_age"]]
    return {
        name: keys.iloc[curve["group"]].reset_index(drop=True).join(curve.drop(columns="group"))
        for name, curve in made.items()
    }


def shift_of_probabilities(bins: pd.DataFrame, first: pd.Timestamp, min_rows: int) -> pd.DataFrame:
    """How far scores between 0 and 1 moved since the day before, whole days of every version from `first` on.

    `bins`: day, version, score_bin, n of those days and of one before.
    """
    place = bins["score_bin"] * SHIFT_BINS // calibration.SCORE_BINS
    return _shift(bins.assign(place=place), range(SHIFT_BINS), "no scores the day before", first, min_rows)


def shift_in_reference(
    bins: pd.DataFrame, profile: pd.DataFrame, served: pd.DataFrame, first: pd.Timestamp, min_rows: int
) -> Iterator[pd.DataFrame]:
    """The same of scores of any kind, in the bins that the reference made of them; of live versions.

    `bins`: day, version, feature, bin, n of those days and of one before; `profile`: table reference_bins; `served`:
    the versions and days of which a row is due. A day that was not counted, for want of a reference, says so.
    """
    score = bins[(bins["feature"] == "score") & (bins["bin"] != drift.MISSING)]
    known = profile.loc[(profile["feature"] == "score") & (profile["bin"] != drift.MISSING), "bin"]
    places = sorted({drift.UNSEEN, drift.INFINITE, *known.astype(int)})
    nothing = "no scores counted the day before"
    made = _shift(score.rename(columns={"bin": "place"}), places, nothing, first, min_rows)
    yield made
    due = served.loc[served["day"] >= first, ["day", "version"]]
    told = pd.MultiIndex.from_frame(made[["day", "version"]])
    yield undefined("score_shift", due[~pd.MultiIndex.from_frame(due).isin(told)], "no reference yet")


def _shift(bins: pd.DataFrame, places: Iterable[int], nothing: str, first: pd.Timestamp, min_rows: int) -> pd.DataFrame:
    """`bins`: day, version, place, n; `nothing` is the reason where the day before has none."""
    table = bins.pivot_table(index=["version", "day"], columns="place", values="n", aggfunc="sum", fill_value=0)
    # always the same width, so that sums come out the same to the last digit
    table = table.sort_index().reindex(columns=list(places), fill_value=0)
    keys = table.index.to_frame(index=False)
    counts = table.to_numpy(dtype=np.float64)
    yesterday = pd.MultiIndex.from_arrays([keys["version"], keys["day"] - pd.Timedelta(1, "D")])
    found = table.index.get_indexer(yesterday)
    before = np.where((found >= 0)[:, None], counts[found], 0.0)
    n = np.minimum(counts.sum(axis=1), before.sum(axis=1))
    shift = estimate(jensen_shannon(counts, before), n, undefined={nothing: found < 0})
    made = rows("score_shift", keys, shift, min_rows)
    return made[(made["day"] >= first).to_numpy()]


def jensen_shannon(left: Floats, right: Floats) -> Floats:
    """Jensen-Shannon distance, base 2, of each row of two tables of counts; NaN where one is empty.

    Source: Lin (1991), IEEE Trans. Inf. Theory 37, 145-151; `scipy.spatial.distance.jensenshannon(base=2)`.

    >>> jensen_shannon(np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]]))
    array([1.])
    """
    p, q = ratio(left, left.sum(axis=1, keepdims=True)), ratio(right, right.sum(axis=1, keepdims=True))
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(p > 0, p * np.log2(p / middle), 0) + np.where(q > 0, q * np.log2(q / middle), 0)
    defined = ~np.isnan(middle).any(axis=1)
    distance = np.sqrt(np.clip(parts.sum(axis=1) / 2, 0, 1))
    return np.where(defined, distance, np.nan)


def spread_of_means(served: pd.DataFrame, first: pd.Timestamp, min_rows: int) -> pd.DataFrame:
    """Standard deviation of the daily mean score over a week, whole days of every version from `first` on.

    `served`: n_scored and the scores' sums about whole numbers (`score_near_sum`, `score_about`) of those days and of
    at least six before. Interval: chi-square, of a standard deviation. Means are taken from a day's own whole number,
    as a small spread of means near 1e9 would be lost in rounding.
    """
    from scipy.special import gammaincinv  # scipy.stats has the same and costs half a second to import

    scored = served[(served["n_scored"] > 0) & (served["segment"] == "all")]
    keys, n_scored, about = scored[["day", "version"]], scored["n_scored"].to_numpy(), scored["score_about"].to_numpy()
    near = scored["score_near_sum"].to_numpy() / n_scored
    known = pd.DataFrame({"about": about, "near": near, "n": n_scored}, index=pd.MultiIndex.from_frame(keys))
    week = [
        known.reindex(pd.MultiIndex.from_arrays([keys["day"] - pd.Timedelta(back, "D"), keys["version"]]))
        for back in range(SPREAD_DAYS)
    ]
    abouts, nears, n = (
        np.column_stack([one[name].to_numpy(dtype=np.float64) for one in week]) for name in ("about", "near", "n")
    )
    values = (abouts - abouts[:, :1]) + nears
    days = (~np.isnan(values)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.nansum(values, axis=1, keepdims=True) / days[:, None]
        deviation = np.sqrt(np.nansum((values - centre) ** 2, axis=1) / (days - 1))
        ends = [
            2 * gammaincinv(np.maximum(days - 1, 1) / 2, tail) for tail in ((1 + CONFIDENCE) / 2, (1 - CONFIDENCE) / 2)
        ]
        low, high = (deviation * np.sqrt((days - 1) / end) for end in ends)
    text = {f"scores on fewer than {SPREAD_LEAST} of {SPREAD_DAYS} days": days < SPREAD_LEAST}
    spread = estimate(deviation, np.nansum(n, axis=1), (low, high), text)
    made = rows("score_mean_spread", keys, spread, min_rows)
    return made[(made["day"] >= first).to_numpy()]


def of_repeats(repeated: pd.DataFrame, min_rows: int) -> Iterator[pd.DataFrame]:
    """How steady predictions for the same id are, on the days on which an id came again."""
    keys, nothing = repeated[["day", "version"]], "no id was predicted again"
    yield rows("repeat_flip_rate", keys, proportion(repeated["n_flipped"], repeated["n"], nothing), min_rows)
    gap = mean(repeated["n_scored"], repeated["gap_sum"], repeated["gap_square_sum"], nothing)
    yield rows("repeat_score_gap", keys, gap, min_rows)
