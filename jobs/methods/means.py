"""Means held against each other, from how many values there are, their sum and the sum of their squares; never from
rows.

Where a proportion knows its variance from itself, a mean needs the squares. Arguments broadcast; where a group has
fewer than two values the answer is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.methods.intervals import CONFIDENCE, ratio

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from jobs.methods.intervals import Floats, Interval


@dataclass(frozen=True)
class Sums:
    """Values of many groups: arrays of shape (groups,)."""

    n: Floats
    total: Floats
    squares: Floats

    @property
    def mean(self) -> Floats:
        return ratio(self.total, self.n)

    @property
    def variance(self) -> Floats:
        """The sample variance, divisor n - 1.

        >>> Sums(np.array([3.0]), np.array([6.0]), np.array([14.0])).variance
        array([1.])
        """
        rest = self.squares - np.nan_to_num(ratio(self.total**2, self.n))
        return np.where(self.n >= 2, np.maximum(ratio(rest, self.n - 1), 0.0), np.nan)

    def without(self, part: Sums) -> Sums:
        """The values that are not in `part`."""
        return Sums(self.n - part.n, self.total - part.total, self.squares - part.squares)


@dataclass(frozen=True)
class Contrast:
    """One group's mean less another's: `z` standard errors, with the two-sided p-value and the interval."""

    difference: Floats
    z: Floats
    p_value: Floats
    interval: Interval


def sums_of(n: ArrayLike, total: ArrayLike, squares: ArrayLike) -> Sums:
    """`Sums` of anything that makes arrays of numbers."""
    return Sums(*(np.asarray(given, dtype=np.float64) for given in (n, total, squares)))


def welch(one: Sums, other: Sums, times: ArrayLike = 1.0, confidence: float = CONFIDENCE) -> Contrast:
    """The mean of `one` less that of `other`; both may vary differently.

    `times`: how many times more than rows of their own the groups vary (`overdispersion_of_means`).

    Source: Welch (1947), Biometrika 34, 28-35; `scipy.stats.ttest_ind(equal_var=False)`.

    >>> told = welch(sums_of([3], [6], [14]), sums_of([3], [15], [77]))  # 1, 2, 3 against 4, 5, 6
    >>> told.difference, told.p_value.round(4)
    (array([-3.]), array([0.0213]))
    """
    parts = [ratio(group.variance, group.n) for group in (one, other)]
    return _told(one.mean - other.mean, parts, [one.n, other.n], times, confidence)


def paired_mean(gaps: Sums, confidence: float = CONFIDENCE) -> Contrast:
    """The mean of differences between two values of the same rows.

    Source: Student (1908), Biometrika 6, 1-25; `scipy.stats.ttest_rel`.

    >>> told = paired_mean(sums_of([4], [4], [6]))  # differences of 0, 1, 1, 2
    >>> told.difference, told.p_value.round(4)
    (array([1.]), array([0.0917]))
    """
    return _told(gaps.mean, [ratio(gaps.variance, gaps.n)], [gaps.n], 1.0, confidence)


def overdispersion_of_means(sums: Sums, squares_of_days: ArrayLike, days: ArrayLike) -> Floats:
    """How many times more a daily mean varies than independent rows would make it; at least 1.

    `squares_of_days` is the sum of total^2 / n over the `days` that have rows. Source: the ratio of mean squares of a
    one-way analysis of variance, against the variance of all rows as `search.overdispersion` has it for shares.

    >>> overdispersion_of_means(sums_of([4], [12], [52]), [10**2 / 2 + 2**2 / 2], [2])  # 5, 5 and 1, 1
    array([3.])
    """
    spread = np.asarray(squares_of_days, dtype=np.float64) - np.nan_to_num(ratio(sums.total**2, sums.n))
    freedom = np.asarray(days, dtype=np.float64) - 1
    return np.where(freedom > 0, np.fmax(ratio(spread, sums.variance * freedom), 1.0), 1.0)


def excess_of_means(
    now: Sums, former: Sums, whole_now: Sums, whole_former: Sums, times: tuple[ArrayLike, ArrayLike] = (1.0, 1.0)
) -> Contrast:
    """Segments' change of mean less that of everybody else; NaN where a segment is everybody.

    `times`: the overdispersion of the segments and of the whole, by which the variances grow.

    Source: Wald's test of a difference of differences, with Welch's degrees of freedom for its four means.
    """
    groups = [now, former, whole_now.without(now), whole_former.without(former)]
    means = [group.mean for group in groups]
    wider = (times[0], times[0], times[1], times[1])
    parts = [ratio(group.variance, group.n) * np.asarray(more) for group, more in zip(groups, wider, strict=True)]
    return _told((means[0] - means[1]) - (means[2] - means[3]), parts, [group.n for group in groups], 1.0, CONFIDENCE)


def _told(
    difference: Floats, variances: list[Floats], sizes: list[Floats], times: ArrayLike, confidence: float
) -> Contrast:
    """With Satterthwaite's degrees of freedom for a sum of variances of means."""
    from scipy.special import stdtr, stdtrit

    variance = np.sum(variances, axis=0)
    below = np.sum([ratio(one**2, n - 1) for one, n in zip(variances, sizes, strict=True)], axis=0)
    freedom = ratio(variance**2, below)
    error = np.sqrt(variance * np.asarray(times))
    z = ratio(difference, error)
    alike = (error == 0) & np.isfinite(difference)
    z = np.where(alike, np.where(difference == 0, 0.0, np.copysign(np.inf, difference)), z)
    p = np.where(alike, np.where(difference == 0, 1.0, 0.0), 2 * stdtr(freedom, -np.abs(z)))
    half = np.where(alike, 0.0, stdtrit(freedom, (1 + confidence) / 2) * error)
    return Contrast(difference, z, p, (difference - half, difference + half))
