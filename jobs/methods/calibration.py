"""Do scores mean what they say? Calibration from sums per score bin; never from rows.

A `Cells` holds many groups in long form: one entry per occupied score bin, sorted by group and, within it, by bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.intervals import Estimate, estimate, mean_interval, ratio

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

SCORE_BINS = 1000
"""Of the label triangle: floor(1000 score). Segments are kept in steps of ten of them."""
BINS = 10
"""Of equal width, of the reliability curve and both calibration errors."""


@dataclass(frozen=True)
class Cells:
    """Labelled and scored predictions per group and score bin; every array has shape (entries,)."""

    group: Counts
    groups: int
    bin: Counts
    positives: Counts
    negatives: Counts
    positive_score: Floats
    """Sum of the scores of the positives."""
    negative_score: Floats
    square_score: Floats
    """Sum of squared scores, of both."""
    log_loss: Floats
    """Sum of -ln(score of the label's class)."""

    @property
    def n(self) -> Counts:
        """Labelled and scored, per entry."""
        return self.positives + self.negatives

    def total(self, entries: ArrayLike) -> Floats:
        """Sums per group, shape (groups,)."""
        sums = np.bincount(self.group, weights=np.asarray(entries, dtype=np.float64), minlength=self.groups)
        return np.asarray(sums, dtype=np.float64)

    @property
    def nothing(self) -> dict[str, NDArray[np.bool_]]:
        """Groups of which nothing can be said, by reason."""
        return {"no labels": self.total(self.n) == 0}


def cells(scores: pd.DataFrame, groups: int) -> Cells:
    """The rows of `sql/metrics/scores.sql`; `series` numbers the groups."""
    return Cells(
        scores["series"].to_numpy(dtype=np.int64),
        groups,
        scores["score_bin"].to_numpy(dtype=np.int64),
        scores["n_positive"].to_numpy(dtype=np.int64),
        scores["n_negative"].to_numpy(dtype=np.int64),
        scores["positive_score_sum"].to_numpy(dtype=np.float64),
        scores["negative_score_sum"].to_numpy(dtype=np.float64),
        scores["score_square_sum"].to_numpy(dtype=np.float64),
        scores["log_loss_sum"].to_numpy(dtype=np.float64),
    )


def cells_of(score: ArrayLike, label: ArrayLike, bins: int = SCORE_BINS) -> Cells:
    """One group made of rows, for those who have rows; score and label of shape (rows,).

    >>> cells_of([0.2, 0.2004, 0.9], [0, 1, 1]).positives.tolist()
    [1, 1]
    """
    given = np.asarray(score, dtype=np.float64)
    truth = np.asarray(label, dtype=np.int64)
    place = np.clip(np.floor(given * bins), 0, bins - 1).astype(np.int64) * (SCORE_BINS // bins)
    likely = np.maximum(np.where(truth == 1, given, 1 - given), np.finfo(np.float64).eps)
    rows = pd.DataFrame(
        {
            "series": 0,
            "score_bin": place,
            "n_positive": truth,
            "n_negative": 1 - truth,
            "positive_score_sum": given * truth,
            "negative_score_sum": given * (1 - truth),
            "score_square_sum": given**2,
            "log_loss_sum": -np.log(likely),
        }
    )
    return cells(rows.groupby(["series", "score_bin"], as_index=False).sum(), 1)


def brier(of: Cells) -> Estimate:
    """Mean squared distance of score and label, n = scored labels; exact. Source: `sklearn.metrics.brier_score_loss`.

    Interval: normal, its variance from the means of the cells (a cell is at most 0.01 of score wide).

    >>> brier(cells_of([0.5, 0.5, 1.0], [0, 1, 1])).value.round(4)
    array([0.1667])
    """
    n = of.total(of.n)
    total = of.total(of.square_score - 2 * of.positive_score + of.positives)
    far = 1 - ratio(of.positive_score, of.positives), ratio(of.negative_score, of.negatives)
    fourth = of.total(np.nan_to_num(of.positives * far[0] ** 4) + np.nan_to_num(of.negatives * far[1] ** 4))
    lower, upper = mean_interval(n, total, np.maximum(fourth, ratio(total**2, n)))
    return estimate(np.maximum(ratio(total, n), 0), n, (np.maximum(lower, 0), np.minimum(upper, 1)), of.nothing)


def log_loss(of: Cells) -> Estimate:
    """Mean of -ln(score of what happened), n = scored labels; exact.

    Source: `sklearn.metrics.log_loss`, and its clipping.

    Interval: normal, its variance from the means of the cells, so a little narrow where scores near 0 or 1 are wrong.

    >>> log_loss(cells_of([0.5, 0.25], [1, 0])).value.round(4)
    array([0.4904])
    """
    n, total = of.total(of.n), of.total(of.log_loss)
    squares = of.total(np.nan_to_num(_loss_squares(of)))
    lower, upper = mean_interval(n, total, np.maximum(squares, ratio(total**2, n)))
    return estimate(ratio(total, n), n, (np.maximum(lower, 0), upper), of.nothing)


def _loss_squares(of: Cells) -> Floats:
    """Sum of squared losses per entry, from the mean score of its positives and of its negatives."""
    tiny = np.finfo(np.float64).eps
    with np.errstate(invalid="ignore"):
        hit = -np.log(np.clip(ratio(of.positive_score, of.positives), tiny, 1))
        miss = -np.log(np.clip(1 - ratio(of.negative_score, of.negatives), tiny, 1))
    return np.asarray(np.nan_to_num(of.positives * hit**2) + np.nan_to_num(of.negatives * miss**2))


def in_the_large(of: Cells) -> Estimate:
    """Mean score minus positive share, n = scored labels; exact, with a normal interval. 0: right on the whole.

    Source: calibration-in-the-large, Steyerberg (2010), Epidemiology 21, 128-138, as a difference.

    >>> in_the_large(cells_of([0.5, 0.7, 0.9], [0, 1, 1])).value.round(4)
    array([0.0333])
    """
    n = of.total(of.n)
    total = of.total(of.positive_score + of.negative_score - of.positives)
    squares = of.total(of.square_score - 2 * of.positive_score + of.positives)
    return estimate(ratio(total, n), n, mean_interval(n, total, squares), of.nothing)


def reliability(of: Cells, bins: int = BINS) -> pd.DataFrame:
    """The reliability curve: per group and occupied bin of equal width n, mean score and positive share.

    Source: `sklearn.calibration.calibration_curve`, strategy uniform; a bin holds its lower edge.

    >>> reliability(cells_of([0.05, 0.12, 0.18], [0, 0, 1])).round(2).to_dict("list")["positive_share"]
    [0.0, 0.5]
    """
    frame = pd.DataFrame(
        {
            "group": of.group,
            "bin": of.bin * bins // SCORE_BINS,
            "n": of.n,
            "score": of.positive_score + of.negative_score,
            "positives": of.positives,
        }
    )
    summed = frame.groupby(["group", "bin"], as_index=False).sum()
    summed = summed[summed["n"] > 0].reset_index(drop=True)
    return summed[["group", "bin", "n"]].assign(
        mean_score=summed["score"] / summed["n"], positive_share=summed["positives"] / summed["n"]
    )


def ece(of: Cells, weighted: bool = True) -> Estimate:
    """Expected calibration error: mean gap of mean score and positive share over ten bins of equal width.

    Weighted: bins count by their rows. Source: Naeini, Cooper, Hauskrecht (2015), AAAI 29. Unweighted: every occupied
    bin counts alike. Few rows make it large without any fault: a perfect model of n rows has about
    `chance_ece`; so no interval is given.

    >>> ece(cells_of([0.05, 0.05, 0.95, 0.95], [0, 0, 1, 0])).value.round(4)
    array([0.25])
    """
    curve = reliability(of)
    gap = (curve["mean_score"] - curve["positive_share"]).abs()
    weight = curve["n"] if weighted else pd.Series(1, index=curve.index)
    sums = np.bincount(curve["group"], weights=gap * weight, minlength=of.groups)
    total = np.bincount(curve["group"], weights=weight, minlength=of.groups)
    return estimate(ratio(sums, total), of.total(of.n), undefined=of.nothing)


def chance_ece(of: Cells) -> Floats:
    """About what the weighted error of a perfectly calibrated model would be for these scores and rows.

    sqrt(2/pi) times the standard error of each bin's positive share (a normal's mean distance from its centre).

    >>> chance_ece(cells_of([0.5] * 100, [0, 1] * 50)).round(3)
    array([0.04])
    """
    curve = reliability(of)
    spread = np.sqrt(np.clip(curve["mean_score"] * (1 - curve["mean_score"]), 0, None) * curve["n"])
    sums = np.bincount(curve["group"], weights=spread, minlength=of.groups)
    return float(np.sqrt(2 / np.pi)) * ratio(sums, of.total(of.n))
