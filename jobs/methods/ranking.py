"""How well scores put positives first, from counts per score bin (`calibration.Cells`); never from rows.

Rows of one bin are tied. What the ties hide is bounded exactly by the functions that end in `_bound`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.calibration import SCORE_BINS
from jobs.methods.intervals import Estimate, estimate, ratio, wilson, z_value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from jobs.methods.calibration import Cells

    Floats = NDArray[np.float64]

TOP = 0.1
"""The share of the highest scores that precision and recall at k look at."""
THRESHOLDS = np.arange(1, 20) * (SCORE_BINS // 20)
"""Of the threshold curve, in score bins: 0.05 to 0.95."""


def running(group: NDArray[np.int64], groups: int, counts: ArrayLike) -> Floats:
    """Per entry of a frame sorted by group: the sum of its group's entries up to and with it."""
    given = np.asarray(counts, dtype=np.float64)
    totals = np.bincount(group, weights=given, minlength=groups)
    return np.asarray(np.cumsum(given) - np.concatenate(([0], np.cumsum(totals)))[:-1][group])


def at_or_above(of: Cells, counts: ArrayLike) -> Floats:
    """Per entry: the sum of its group's entries of the same or a higher bin."""
    given = np.asarray(counts, dtype=np.float64)
    return np.asarray(of.total(given)[of.group] - running(of.group, of.groups, given) + given)


def one_class(of: Cells) -> dict[str, NDArray[np.bool_]]:
    """Groups without labels, or with labels of one kind only."""
    p, q = of.total(of.positives), of.total(of.negatives)
    return {"no labels": p + q == 0, "no positive labels": p == 0, "no negative labels": q == 0}


def average_precision(of: Cells) -> Estimate:
    """Area under the precision-recall curve, sum of recall gained times precision, n = positive labels.

    Equals `sklearn.metrics.average_precision_score` on scores replaced by their bin. Interval: logit, its variance
    that of a share of n positives. Source: Boyd, Eng, Page (2013), ECML PKDD, 451-466.

    >>> from jobs.methods.calibration import cells_of
    >>> average_precision(cells_of([0.9, 0.8, 0.7], [1, 0, 1])).value.round(4)
    array([0.8333])
    """
    hits, called = at_or_above(of, of.positives), at_or_above(of, of.n)
    p = of.total(of.positives)
    value = ratio(of.total(np.nan_to_num(of.positives * ratio(hits, called))), p)
    inside = np.clip(np.where(p > 0, value, 0.5), 1e-9, 1 - 1e-9)
    half = z_value() / np.sqrt(np.maximum(p, 1) * inside * (1 - inside))
    centre = np.log(inside / (1 - inside))
    with np.errstate(over="ignore"):
        lower, upper = 1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre))
    few = wilson(np.where(value > 1 - 1e-9, p, 0), p)
    certain = (value <= 1e-9) | (value >= 1 - 1e-9)
    lower, upper = np.where(certain, few[0], lower), np.where(certain, few[1], upper)
    ends = np.minimum(lower, value), np.maximum(upper, value)
    undefined = {text: holds for text, holds in one_class(of).items() if text != "no negative labels"}
    return estimate(value, p, ends, undefined)


def score_ks(of: Cells) -> Estimate:
    """Largest distance between the score distributions of positives and negatives, n = scored labels.

    Equals the statistic of `scipy.stats.ks_2samp` on scores replaced by their bin; on raw scores it may be larger by
    `score_ks_bound` at most. No interval.

    >>> from jobs.methods.calibration import cells_of
    >>> score_ks(cells_of([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1])).value
    array([1.])
    """
    p, q = of.total(of.positives), of.total(of.negatives)
    above = running(of.group, of.groups, of.positives), running(of.group, of.groups, of.negatives)
    gap = np.nan_to_num(np.abs(ratio(above[0], p[of.group]) - ratio(above[1], q[of.group])))
    return estimate(_largest(of, gap), p + q, undefined=one_class(of))


def score_ks_bound(of: Cells) -> Floats:
    """How much larger the distance may be on raw scores: at most one bin's share of either class."""
    p, q = of.total(of.positives)[of.group], of.total(of.negatives)[of.group]
    return _largest(of, np.nan_to_num(np.maximum(ratio(of.positives, p), ratio(of.negatives, q))))


def _largest(of: Cells, entries: Floats) -> Floats:
    most = np.zeros(of.groups)
    np.maximum.at(most, of.group, entries)
    return most


def hits_at_top(of: Cells, share: float = TOP) -> tuple[Floats, Floats, Floats, Floats]:
    """Of the k = ceil(share n) highest scores of each group: k, expected hits, least hits, most hits.

    Of the bin that k cuts, the rows that belong to the top are not known: expected is the bin's mean, least and most
    are what the bin allows.

    >>> from jobs.methods.calibration import cells_of
    >>> [float(found[0]) for found in hits_at_top(cells_of([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0]), 0.5)]
    [2.0, 1.5, 1.0, 2.0]
    """
    k = np.ceil(of.total(of.n) * share - 1e-9)
    taken = np.clip(k[of.group] - (at_or_above(of, of.n) - of.n), 0, of.n)
    expected = of.total(np.nan_to_num(taken * ratio(of.positives, of.n)))
    least = of.total(np.clip(taken - of.negatives, 0, None))
    return k, expected, least, of.total(np.minimum(taken, of.positives))


def precision_at_top(of: Cells, share: float = TOP) -> Estimate:
    """Share of positives among the highest scores; n = k, Wilson interval. Source: Manning et al. (2008), chapter 8.

    >>> from jobs.methods.calibration import cells_of
    >>> precision_at_top(cells_of([0.9, 0.8, 0.5, 0.1], [1, 0, 1, 0]), 0.5).value
    array([0.5])
    """
    k, hits, _, _ = hits_at_top(of, share)
    return estimate(ratio(hits, k), k, wilson(hits, k), of.nothing)


def recall_at_top(of: Cells, share: float = TOP) -> Estimate:
    """Share of the positive labels that are among the highest scores; n = positive labels, Wilson interval.

    >>> from jobs.methods.calibration import cells_of
    >>> recall_at_top(cells_of([0.9, 0.8, 0.5, 0.1], [1, 0, 1, 0]), 0.5).value
    array([0.5])
    """
    _, hits, _, _ = hits_at_top(of, share)
    p = of.total(of.positives)
    undefined = {text: holds for text, holds in one_class(of).items() if text != "no negative labels"}
    return estimate(ratio(hits, p), p, wilson(hits, p), undefined)


def threshold_curve(of: Cells, thresholds: NDArray[np.int64] = THRESHOLDS) -> pd.DataFrame:
    """What other thresholds would have given: per group and threshold n, precision, recall and flagged share.

    A score of at least the threshold is flagged; exact, because thresholds are edges of bins.

    >>> from jobs.methods.calibration import cells_of
    >>> curve = threshold_curve(cells_of([0.9, 0.8, 0.5, 0.1], [1, 0, 1, 0]))
    >>> curve[curve["threshold"] == 0.5][["precision", "recall", "flagged_share"]].round(2).to_numpy().tolist()
    [[0.67, 1.0, 0.75]]
    """
    place = np.searchsorted(thresholds, of.bin, side="right")
    width = len(thresholds) + 1
    at = of.group * width + place

    def passed(counts: ArrayLike) -> Floats:
        table = np.bincount(at, weights=counts, minlength=of.groups * width).reshape(of.groups, width)
        return np.asarray(table[:, ::-1].cumsum(axis=1)[:, ::-1])

    hits, flagged = passed(of.positives), passed(of.n)
    known = flagged[:, 0] > 0
    n, p = np.repeat(flagged[:, :1], width - 1, axis=1), np.repeat(hits[:, :1], width - 1, axis=1)
    hits, flagged = hits[:, 1:], flagged[:, 1:]
    curve = pd.DataFrame(
        {
            "group": np.repeat(np.arange(of.groups), width - 1),
            "threshold": np.tile(thresholds / SCORE_BINS, of.groups),
            "n": n.ravel().astype(np.int64),
            "precision": ratio(hits, flagged).ravel(),
            "recall": ratio(hits, p).ravel(),
            "flagged_share": ratio(flagged, n).ravel(),
        }
    )
    return curve[np.repeat(known, width - 1)].reset_index(drop=True)
