"""Classification performance from additive counts; never from rows.

Definitions follow scikit-learn, except that undefined is NaN with a reason where scikit-learn puts 0 and
warns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.methods.intervals import CONFIDENCE, Estimate, estimate, mapped_wilson, ratio, wilson, z_value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Confusion:
    """Labelled and decided predictions of many groups: four counts, each of shape (groups,)."""

    true_positives: Counts
    false_positives: Counts
    false_negatives: Counts
    true_negatives: Counts

    @property
    def total(self) -> Counts:
        """Labelled and decided."""
        return self.true_positives + self.false_positives + self.false_negatives + self.true_negatives


def confusion(tp: ArrayLike, fp: ArrayLike, fn: ArrayLike, tn: ArrayLike) -> Confusion:
    """A `Confusion` of whole numbers, whatever was given."""
    return Confusion(*(np.atleast_1d(np.asarray(count)).astype(np.int64) for count in (tp, fp, fn, tn)))


def _share(of: Confusion, hits: Counts, n: Counts, nothing: str) -> Estimate:
    return estimate(ratio(hits, n), n, wilson(hits, n), {"no labels": of.total == 0, nothing: n == 0})


def accuracy(of: Confusion) -> Estimate:
    """(TP + TN) / all, n = labelled and decided. Source: `sklearn.metrics.accuracy_score`; Wilson interval.

    >>> accuracy(confusion([6], [2], [1], [1])).value
    array([0.7])
    """
    return _share(of, of.true_positives + of.true_negatives, of.total, "no labels")


def precision(of: Confusion) -> Estimate:
    """TP / (TP + FP), n = predicted positives. Source: `sklearn.metrics.precision_score`; Wilson interval.

    >>> precision(confusion([6, 0], [2, 0], [1, 1], [1, 1])).reason.tolist()
    [None, 'no predicted positives']
    """
    called = of.true_positives + of.false_positives
    return _share(of, of.true_positives, called, "no predicted positives")


def recall(of: Confusion) -> Estimate:
    """TP / (TP + FN), n = positive labels. Source: `sklearn.metrics.recall_score`; Wilson interval.

    >>> recall(confusion([6, 0], [2, 1], [2, 0], [1, 1])).value
    array([0.75,  nan])
    """
    positive = of.true_positives + of.false_negatives
    return _share(of, of.true_positives, positive, "no positive labels")


def f1_of_jaccard(jaccard: ArrayLike) -> Floats:
    """F1 = 2J / (1 + J), increasing in J = TP / (TP + FP + FN).

    >>> float(f1_of_jaccard(0.5)) == 2 / 3
    True
    """
    share = np.asarray(jaccard, dtype=np.float64)
    return 2 * share / (1 + share)


def f1(of: Confusion) -> Estimate:
    """2 TP / (2 TP + FP + FN), n = TP + FP + FN. Source: `sklearn.metrics.f1_score`.

    Interval: F1 is no proportion, but F1 = 2J / (1 + J) increases with Jaccard's J = TP / (TP + FP + FN),
    which is one. So F1's interval is the Wilson interval of J, mapped.

    >>> f1(confusion([6], [2], [2], [90])).value
    array([0.75])
    """
    hits, n = of.true_positives, of.true_positives + of.false_positives + of.false_negatives
    nothing = {"no labels": of.total == 0, "no positive labels or decisions": n == 0}
    return estimate(ratio(2 * hits, hits + n), n, mapped_wilson(hits, n, f1_of_jaccard), nothing)


def roc_auc(positives: ArrayLike, negatives: ArrayLike, confidence: float = CONFIDENCE) -> Estimate:
    """Area under the ROC curve from counts per score bin, bins ascending: shape (bins,) or (groups, bins).

    The chance that a positive scores above a negative; in one bin they tie and count half, so it equals
    `sklearn.metrics.roc_auc_score` on scores replaced by their bin. `auc_bin_bound` says how far raw scores
    may differ.

    >>> roc_auc([0, 1, 1], [2, 1, 0]).value
    array([0.91666667])
    """
    p = np.atleast_2d(np.asarray(positives))
    q = np.atleast_2d(np.asarray(negatives))
    row = np.repeat(np.arange(p.shape[0]), p.shape[1])
    return roc_auc_of_rows(row, p.ravel(), q.ravel(), p.shape[0], confidence)


def roc_auc_of_rows(
    group: ArrayLike, positives: ArrayLike, negatives: ArrayLike, groups: int, confidence: float = CONFIDENCE
) -> Estimate:
    """`roc_auc` of counts in long form: one entry per occupied bin, sorted by group and, within it, by bin.

    `group` holds 0..groups-1. Interval: DeLong's variance, on the logit scale so that it stays within 0..1.
    Where that variance is 0 or unknown (perfect separation; a class of one) the smaller class stands for as
    many independent comparisons and Wilson's interval answers: a cautious choice of ours.

    Source: DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44, 837-845; logit: Pepe (2003), section 5.2.
    """
    row = np.asarray(group, dtype=np.int64)
    p, q = np.asarray(positives).astype(np.int64), np.asarray(negatives).astype(np.int64)
    n_p, n_q = _sums(row, p, groups), _sums(row, q, groups)
    below = 2 * _before(row, q, n_q) + q  # twice the negatives a positive of this bin beats, halves being ties
    above = 2 * (n_p[row] - _before(row, p, n_p)) - p  # twice the positives that beat a negative of this bin
    value = ratio(_sums(row, p * below, groups), 2.0 * n_p * n_q)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = _variance_of_mean(row, p, below / (2.0 * n_q[row]), n_p, value)
        variance = variance + _variance_of_mean(row, q, above / (2.0 * n_p[row]), n_q, value)
    interval = _logit_interval(value, variance, np.minimum(n_p, n_q), confidence)
    nothing = {"no labels": n_p + n_q == 0, "no positive labels": n_p == 0, "no negative labels": n_q == 0}
    return estimate(value, n_p + n_q, interval, nothing)


def auc_bin_bound(positives: ArrayLike, negatives: ArrayLike) -> Floats:
    """How far the AUC of raw scores can be from the binned one, either way: sum over bins of p q / (2 P Q).

    Exact: only pairs within one bin are unknown, and each counts between 0 and 1 where the binned AUC put a
    half. Shapes (bins,) or (groups, bins) -> (groups,).

    >>> auc_bin_bound([0, 1, 1], [2, 1, 0])
    array([0.08333333])
    """
    p = np.atleast_2d(np.asarray(positives, dtype=np.float64))
    q = np.atleast_2d(np.asarray(negatives, dtype=np.float64))
    return ratio((p * q).sum(axis=1), 2 * p.sum(axis=1) * q.sum(axis=1))


def _sums(row: Counts, counts: Counts, groups: int) -> Counts:
    """Whole sums per group, exact."""
    running = np.concatenate(([0], np.cumsum(counts)))
    start, end = (
        np.searchsorted(row, np.arange(groups), "left"),
        np.searchsorted(row, np.arange(groups), "right"),
    )
    return np.asarray(running[end] - running[start], dtype=np.int64)


def _before(row: Counts, counts: Counts, totals: Counts) -> Counts:
    """Per entry, what its group has in the entries before it."""
    offset = np.concatenate(([0], np.cumsum(totals)))[:-1]
    return np.asarray(np.cumsum(counts) - counts - offset[row], dtype=np.int64)


def _variance_of_mean(row: Counts, weight: Counts, placement: Floats, n: Counts, centre: Floats) -> Floats:
    """Sample variance of the placements of one class, divided by its size; NaN for a class of one."""
    squares = np.bincount(row, weights=weight * (placement - centre[row]) ** 2, minlength=len(n))
    return ratio(squares, n * (n - 1.0))


def _logit_interval(value: Floats, variance: Floats, smaller: Counts, confidence: float) -> tuple[Floats, Floats]:
    spread = value * (1 - value)
    usable = (spread > 0) & (variance > 0)
    inside = np.where(usable, value, 0.5)
    half = z_value(confidence) * np.sqrt(np.where(usable, variance, 0.0)) / np.where(usable, spread, 1.0)
    # exp(-logit +- half) rather than exp(logit -+ half): the odds against stay finite where the interval is
    # wide
    odds_against = (1 - inside) / inside
    with np.errstate(over="ignore"):
        lower = np.minimum(1 / (1 + odds_against * np.exp(half)), inside)
        upper = np.maximum(1 / (1 + odds_against * np.exp(-half)), inside)
    few_lower, few_upper = wilson(value * smaller, smaller, confidence)
    return np.where(usable, lower, few_lower), np.where(usable, upper, few_upper)
