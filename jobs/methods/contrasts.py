"""Two groups held against each other: how far apart two proportions are, and how sure that is.

Counts come as arrays that broadcast; where a group has no rows the answer is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.methods.intervals import CONFIDENCE, ratio, wilson, z_value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from jobs.methods.intervals import Floats, Interval


def newcombe(
    hits: ArrayLike,
    n: ArrayLike,
    other_hits: ArrayLike,
    other_n: ArrayLike,
    confidence: ArrayLike = CONFIDENCE,
) -> Interval:
    """Interval of the difference hits/n - other_hits/other_n of two independent proportions.

    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10: squared distances of each share to the ends
    of its Wilson interval. His example (a), 56 of 70 against 48 of 80, gives 0.0524 to 0.3339.

    >>> lower, upper = newcombe(56, 70, 48, 80)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.0524, 0.3339)
    """
    one, other = ratio(hits, n), ratio(other_hits, other_n)
    (one_lower, one_upper), (other_lower, other_upper) = (
        _wilson(hits, n, confidence),
        _wilson(other_hits, other_n, confidence),
    )
    difference = one - other
    return (
        difference - np.sqrt((one - one_lower) ** 2 + (other_upper - other) ** 2),
        difference + np.sqrt((one_upper - one) ** 2 + (other - other_lower) ** 2),
    )


def katz(
    hits: ArrayLike,
    n: ArrayLike,
    other_hits: ArrayLike,
    other_n: ArrayLike,
    confidence: ArrayLike = CONFIDENCE,
) -> Interval:
    """Interval of the ratio (hits/n) / (other_hits/other_n) of two independent proportions, on the log scale.

    Source: Katz, Baptista, Azen, Pike (1978), Biometrics 34, 469-474. Where a group has no hits, or both have nothing
    else, its variance is undefined or 0; then half a row is added to every count (Walter 1975).

    >>> lower, upper = katz(20, 100, 40, 100)
    >>> round(float(lower), 3), round(float(upper), 3)
    (0.316, 0.792)
    """
    a, n_a, b, n_b = (
        np.asarray(counts, dtype=np.float64) for counts in np.broadcast_arrays(hits, n, other_hits, other_n)
    )
    some = np.where((n_a > 0) & (n_b > 0), 1.0, np.nan)
    half = np.where((a == 0) | (b == 0) | ((a == n_a) & (b == n_b)), 0.5, 0.0)
    a, n_a, b, n_b = a + half, n_a + half, b + half, n_b + half
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.log(a / n_a) - np.log(b / n_b)
        width = _z(confidence) * np.sqrt(1 / a - 1 / n_a + 1 / b - 1 / n_b) * some
    return np.exp(centre - width), np.exp(centre + width)


def pooled_z(hits: ArrayLike, n: ArrayLike, other_hits: ArrayLike, other_n: ArrayLike) -> Floats:
    """Standardised difference hits/n - other_hits/other_n under the hypothesis that both groups have one share.

    Source: the two-sample test of proportions (its square is Pearson's chi-square); 0 where all rows are alike.

    >>> round(float(pooled_z(56, 70, 48, 80)), 4)
    2.6502
    """
    a, n_a, b, n_b = (
        np.asarray(counts, dtype=np.float64) for counts in np.broadcast_arrays(hits, n, other_hits, other_n)
    )
    share = ratio(a + b, n_a + n_b)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(share * (1 - share) * (1 / n_a + 1 / n_b))
        z = (a / n_a - b / n_b) / error
    return np.where((error == 0) & (n_a > 0) & (n_b > 0), 0.0, np.where(np.isfinite(z), z, np.nan))


def shared_confidence(comparisons: ArrayLike, confidence: float = CONFIDENCE) -> Floats:
    """The confidence of each of several intervals that together hold `confidence`: Bonferroni's share.

    >>> shared_confidence([1, 5]).round(3)
    array([0.95, 0.99])
    """
    return np.asarray(1 - (1 - confidence) / np.maximum(np.asarray(comparisons, dtype=np.float64), 1))


def _z(confidence: ArrayLike) -> Floats:
    """Two-sided normal quantiles; one call of the quantile function per distinct confidence."""
    levels, place = np.unique(np.asarray(confidence, dtype=np.float64), return_inverse=True)
    answers = np.array([z_value(float(level)) for level in levels])
    return np.asarray(answers[place].reshape(np.shape(confidence)))


def _wilson(hits: ArrayLike, n: ArrayLike, confidence: ArrayLike) -> Interval:
    """`wilson`, with a confidence per group."""
    levels = np.unique(np.asarray(confidence, dtype=np.float64))
    if len(levels) == 1:
        return wilson(hits, n, float(levels[0]))
    a, rows, level = np.broadcast_arrays(hits, n, confidence)
    lower, upper = np.full(a.shape, np.nan), np.full(a.shape, np.nan)
    for one in levels:
        lower[level == one], upper[level == one] = wilson(a[level == one], rows[level == one], float(one))
    return lower, upper
