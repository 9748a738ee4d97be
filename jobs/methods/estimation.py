"""What a day's figures will be once its labels are in, from its scores and the labels of older days.

Confidence-based performance estimation (CBPE, NannyML's documentation; Guillory et al. (2021), ICCV, for the idea of
reading accuracy off confidence): scores are calibrated on mature days by isotonic regression over score bins, so that
each prediction is a positive with known probability; the expected confusion matrix follows, and from it the figures.

Arrays are (parts, bins): a part is one version's predictions of one group, counted by score bin and decision. A
group is one part, or one of each live version where all of them are told together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.methods.intervals import ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]
    Summed = Callable[[Floats], Floats]

BINS = 100
"""Of the score, each 0.01 wide."""
PRIOR = 0.02
"""Rows that each bin is given at its own middle: a bin never seen is taken at its word, others hardly move."""
DAYS_LEAST = 10
"""Mature days below which nothing is said of how much days vary."""
FIGURES = ("accuracy", "precision", "recall", "f1", "roc_auc")


@dataclass(frozen=True)
class Calibration:
    """From score bin to chance of a positive, of many nights: arrays of shape (nights, bins).

    Bins that were pooled share their chance and its error; `start` is the first bin of a bin's pool.
    """

    chance: Floats
    variance: Floats
    start: NDArray[np.int64]
    n: Floats
    """Labels that each map was made of, shape (nights,)."""
    dispersion: dict[str, Floats]
    """Per figure, by how much days vary more than chance allows, shape (nights,)."""

    def take(self, places: ArrayLike) -> Calibration:
        """The maps of these nights, in this order."""
        at = np.asarray(places, dtype=np.int64)
        return Calibration(
            self.chance[at], self.variance[at], self.start[at], self.n[at],
            {name: wide[at] for name, wide in self.dispersion.items()},
        )  # fmt: skip


def calibrate(positives: ArrayLike, n: ArrayLike) -> Calibration:
    """Isotonic regression of labels on score bins; counts of shape (nights, bins), bins ascending.

    The least-squares increasing fit, by its max-min formula: max over i <= b of min over j >= b of the mean of
    bins i..j.
    Source: Barlow et al. (1972), Statistical Inference under Order Restrictions, theorem 1.4;
    `sklearn.isotonic.IsotonicRegression`. A pool's variance is that of its share, half a row of each label added.

    >>> two = calibrate([[0, 6] + [0] * 98], [[20, 20] + [0] * 98])
    >>> two.chance[0, :2].round(2)
    array([0. , 0.3])
    """
    middle = (np.arange(BINS) + 0.5) / BINS
    rows = np.atleast_2d(np.asarray(n, dtype=np.float64))
    hits = np.atleast_2d(np.asarray(positives, dtype=np.float64)) + PRIOR * middle
    parts = [_isotonic(hits[at : at + 64], rows[at : at + 64] + PRIOR) for at in range(0, len(rows), 64)]
    chance = np.concatenate(parts) if parts else np.zeros((0, BINS))
    begins = np.diff(chance, axis=1, prepend=-1.0) != 0
    start = np.maximum.accumulate(np.where(begins, np.arange(BINS), 0), axis=1)
    known = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows + PRIOR, axis=1)], axis=1)
    pool_end = np.minimum.accumulate(np.where(_ends(start), np.arange(BINS), BINS)[:, ::-1], axis=1)[:, ::-1]
    pooled = np.take_along_axis(known, pool_end + 1, axis=1) - np.take_along_axis(known, start, axis=1)
    cautious = (chance * pooled + 0.5) / (pooled + 1)
    return Calibration(chance, cautious * (1 - cautious) / pooled, start, rows.sum(axis=1), {})


def _isotonic(hits: Floats, rows: Floats) -> Floats:
    sums, weights = (np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0))) for counts in (hits, rows))
    total, weight = (run[:, None, 1:] - run[:, :-1, None] for run in (sums, weights))
    forward = np.triu(np.ones((BINS, BINS), dtype=bool))
    means = np.where(forward, np.divide(total, weight, out=np.full(total.shape, np.inf), where=weight > 0), np.inf)
    least = np.minimum.accumulate(means[:, :, ::-1], axis=2)[:, :, ::-1]
    # Only pools that begin at or before a bin count for it.
    return np.asarray(np.where(forward, least, -np.inf).max(axis=1))


def _ends(start: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a bin is the last of its pool."""
    after = np.concatenate([start[:, 1:], np.full((len(start), 1), BINS)], axis=1)
    return np.asarray(after != start)


@dataclass(frozen=True)
class Expected:
    """A figure of many groups, before labels: arrays of shape (groups,)."""

    value: Floats
    n: Counts
    deviation: Floats
    """Standard deviation of what labels may say around it: chance of the day and error of the calibration."""


def expected_figures(flagged: Floats, passed: Floats, maps: Calibration, group: Counts) -> dict[str, Expected]:
    """Expected figures of each group; `flagged` and `passed` count decisions 1 and 0, shape (parts, bins).

    `maps` has one map per part; `group` is the number of each part's group, ascending from 0 without gaps.

    A figure's deviation is the delta method's: how far the figure moves when one label turns out positive instead of
    negative, g, gives the day's own chance sum(n c (1 - c) g^2), and through pools of the calibration its error;
    both times the calibration's dispersion.

    >>> maps = calibrate([[0] * 50 + [90] * 50], [[100] * 100])
    >>> day = np.zeros((1, 100)); day[0, 80] = 50
    >>> made = expected_figures(day, np.zeros((1, 100)), maps, np.array([0]))
    >>> made["precision"].value.round(2), made["precision"].deviation.round(3)
    (array([0.9]), array([0.052]))
    """
    begins = np.flatnonzero(np.diff(group, prepend=-1))

    def summed(per_part: Floats) -> Floats:
        return np.asarray(np.add.reduceat(per_part, begins, axis=0))

    chance, rows = maps.chance, flagged + passed
    called, total = summed(flagged.sum(axis=1)), summed(rows.sum(axis=1))
    hits, positives = summed((flagged * chance).sum(axis=1)), summed((rows * chance).sum(axis=1))
    rejected = summed((passed * (1 - chance)).sum(axis=1))
    found = ratio(hits, positives)
    balance = ratio(2 * hits, called + positives)
    nothing = np.zeros(len(begins))
    made = {
        "accuracy": (ratio(hits + rejected, total), total, ratio(1, total), -ratio(1, total)),
        "precision": (ratio(hits, called), called, ratio(1, called), nothing),
        "recall": (found, positives, ratio(1 - found, positives), -ratio(found, positives)),
        "f1": (
            balance,
            called + positives - hits,
            ratio(2 - balance, called + positives),
            -ratio(balance, called + positives),
        ),
    }
    figures = {}
    for name, (value, n, if_flagged, if_passed) in made.items():
        moved = if_flagged[group, None], if_passed[group, None]
        own = (chance * (1 - chance) * (flagged * moved[0] ** 2 + passed * moved[1] ** 2)).sum(axis=1)
        learnt = _learnt(flagged * moved[0] + passed * moved[1], maps)
        wide = maps.dispersion.get(name, 1.0) ** 2
        figures[name] = Expected(
            value, np.rint(np.nan_to_num(n)).astype(np.int64), np.sqrt(summed(wide * (own + learnt)))
        )
    return figures | {"roc_auc": _area(rows, maps, group, summed)}


def _area(rows: Floats, maps: Calibration, group: Counts, summed: Summed) -> Expected:
    """Expected area under the ROC curve: of expected positives and negatives per bin, ties counting half."""
    chance = maps.chance
    p, q = summed(rows * chance), summed(rows * (1 - chance))
    all_p, all_q = p.sum(axis=1), q.sum(axis=1)
    beaten = np.cumsum(q, axis=1) - q / 2
    beating = all_p[:, None] - np.cumsum(p, axis=1) + p / 2
    value = ratio((p * beaten).sum(axis=1), all_p * all_q)
    pairs = (all_p * all_q)[:, None]
    moved = ratio(beaten - beating - value[:, None] * (all_q - all_p)[:, None], pairs)[group]
    own = (rows * chance * (1 - chance) * moved**2).sum(axis=1)
    wide = maps.dispersion.get("roc_auc", 1.0) ** 2
    deviation = np.sqrt(summed(wide * (own + _learnt(rows * moved, maps))))
    return Expected(value, summed(rows.sum(axis=1)).astype(np.int64), deviation)


def dispersion(days: Floats, chance: Floats) -> dict[str, Floats]:
    """By how much the figures of mature days vary more than chance allows: per figure, shape (nights,), at least 1.

    `days`: counts of shape (4, nights, days, bins): decided positive, decided negative, and the positive labels among
    either; `chance`: the night's map, shape (nights, bins). Bookings of one travel group, or one stormy day, share
    their fate; so a day's rows say less than as many independent ones. The root mean square of standardised
    residuals is that of Pearson's statistic: McCullagh, Nelder (1989), Generalized Linear Models, section 4.5.
    """
    flagged, passed, flagged_hits, passed_hits = days
    whole = expected_figures(
        flagged.sum(axis=1), passed.sum(axis=1), _certain(chance), np.arange(len(chance), dtype=np.int64)
    )
    found, balance = np.nan_to_num(whole["recall"].value)[:, None], np.nan_to_num(whole["f1"].value)[:, None]
    rank = _ranks((flagged + passed).sum(axis=1), chance)
    one = np.ones_like(chance)
    pulls = {
        "accuracy": (one, -one),
        "precision": (one, 0 * one),
        "recall": ((1 - found) * one, -found * one),
        "f1": ((2 - balance) * one, -balance * one),
        "roc_auc": (rank, rank),
    }
    expected = chance[:, None, :]
    off = flagged_hits - flagged * expected, passed_hits - passed * expected
    spread = flagged * expected * (1 - expected), passed * expected * (1 - expected)
    made = {}
    for name, (first, second) in pulls.items():
        pull = first[:, None, :], second[:, None, :]
        residual = (off[0] * pull[0] + off[1] * pull[1]).sum(axis=2)
        variance = (spread[0] * pull[0] ** 2 + spread[1] * pull[1] ** 2).sum(axis=2)
        counted = variance > 1e-12
        square = np.divide(residual**2, variance, out=np.zeros_like(variance), where=counted).sum(axis=1)
        n = counted.sum(axis=1)
        made[name] = np.where(n >= DAYS_LEAST, np.sqrt(np.maximum(ratio(square, n), 1)), 1.0)
    return made


def _certain(chance: Floats) -> Calibration:
    return Calibration(chance, 0 * chance, np.tile(np.arange(BINS), (len(chance), 1)), np.zeros(len(chance)), {})


def _ranks(rows: Floats, chance: Floats) -> Floats:
    """How far a positive instead of a negative in each bin moves the area under the ROC curve, up to a factor."""
    p, q = rows * chance, rows * (1 - chance)
    all_p, all_q = p.sum(axis=1, keepdims=True), q.sum(axis=1, keepdims=True)
    beaten = np.cumsum(q, axis=1) - q / 2
    beating = all_p - np.cumsum(p, axis=1) + p / 2
    area = ratio((p * beaten).sum(axis=1, keepdims=True), all_p * all_q)
    return np.nan_to_num(ratio(beaten - beating - area * (all_q - all_p), rows.sum(axis=1, keepdims=True)))


def _learnt(pull: Floats, maps: Calibration) -> Floats:
    """Variance per part that comes from the calibration: each pool's pull squared times its variance."""
    run = np.pad(np.cumsum(pull, axis=1), ((0, 0), (1, 0)))
    pool = run[:, 1:] - np.take_along_axis(run, maps.start, axis=1)
    return np.asarray(np.where(_ends(maps.start), pool**2 * maps.variance, 0).sum(axis=1))


def reweighted_figures(rows: Floats, known: Floats, whole: Floats, group: Counts) -> dict[str, Expected]:
    """Figures of each group if every segment did as well as it did in the past, and only the mix had changed.

    One entry per segment value: `rows` of the day, shape (entries,); `known` past confusion counts of that value and
    `whole` those of all values, shape (entries, 4): TP, FP, FN, TN. A value is drawn towards the whole by ten rows,
    so that a rare or new one is told by the others.

    Source: direct standardisation, Kitagawa (1955), JASA 50, 1168-1194.

    >>> past = np.array([[45.0, 5, 5, 45], [25, 25, 25, 25]])
    >>> made = reweighted_figures(np.array([90.0, 10]), past, np.tile(past.sum(axis=0), (2, 1)), np.array([0, 0]))
    >>> made["accuracy"].value.round(3)
    array([0.845])
    """
    begins = np.flatnonzero(np.diff(group, prepend=-1))
    pull = 10 * ratio(whole, whole.sum(axis=1, keepdims=True))
    weight = known.sum(axis=1) + 10
    share = (known + pull) / weight[:, None]
    tp, fp, fn, tn = np.add.reduceat(rows[:, None] * share, begins, axis=0).T
    n, called, positives, touched = tp + fp + fn + tn, tp + fp, tp + fn, 2 * tp + fp + fn
    accuracy, precision, recall, f1 = ratio(tp + tn, n), ratio(tp, called), ratio(tp, positives), ratio(2 * tp, touched)
    zero = np.zeros(len(begins))
    moves = {
        "accuracy": (accuracy, n, (ratio(1, n), zero, zero, ratio(1, n))),
        "precision": (precision, called, (ratio(1 - precision, called), -ratio(precision, called), zero, zero)),
        "recall": (recall, positives, (ratio(1 - recall, positives), zero, -ratio(recall, positives), zero)),
        "f1": (f1, tp + fp + fn, (ratio(2 - 2 * f1, touched), -ratio(f1, touched), -ratio(f1, touched), zero)),
    }
    figures = {}
    for name, (value, count, move) in moves.items():
        moved = np.column_stack(move)[group]
        centre = (share * moved).sum(axis=1, keepdims=True)
        spread = (share * (moved - centre) ** 2).sum(axis=1)
        variance = np.add.reduceat(spread * (rows + rows**2 / weight), begins)
        figures[name] = Expected(value, np.rint(np.nan_to_num(count)).astype(np.int64), np.sqrt(variance))
    return figures
