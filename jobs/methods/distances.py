"""Distances between the binned shape of a feature and that of its reference.

Counts have shape (bins,) or (groups, bins) and are >= 0; padding with bins that are empty on both sides changes
nothing. A group without rows on either side has no distance: NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


SHAPES = ("psi", "js", "ks", "wasserstein", "chi2", "l_infinity", "hellinger")
"""The distances that rules may hold a feature to; a breach of one is a drift."""


def shares(counts: ArrayLike) -> Floats:
    """Counts as shares of their sum over the bins, NaN without rows.

    >>> shares([[1, 3], [0, 0]])
    array([[0.25, 0.75],
           [ nan,  nan]])
    """
    table = np.asarray(counts, dtype=np.float64)
    rows = table.sum(axis=-1, keepdims=True)
    return np.asarray(table / np.where(rows > 0, rows, np.nan))


def js_distance(reference: ArrayLike, current: ArrayLike) -> Any:
    """Jensen-Shannon distance, base 2: 0 for equal shapes, 1 where no bin is shared; symmetric, a metric.

    Source: Endres and Schindelin (2003), IEEE Trans. Inf. Theory 49; `scipy.spatial.distance.jensenshannon`.

    >>> float(js_distance([1, 1, 0, 0], [0, 0, 5, 5])), float(js_distance([1, 1, 1, 1, 0], [1, 1, 1, 0, 1]))
    (1.0, 0.5)
    """
    before, after = np.broadcast_arrays(shares(reference), shares(current))
    middle = (before + after) / 2
    divergence = (_surprise(before, middle) + _surprise(after, middle)) / 2
    return np.sqrt(np.clip(divergence, 0, 1))[()]


def hellinger(reference: ArrayLike, current: ArrayLike) -> Any:
    """Hellinger distance: 0 for equal shapes, 1 where no bin is shared; symmetric.

    Source: Hellinger (1909); sqrt(1 - sum(sqrt(p q))), here in its numerically calm form.

    >>> float(hellinger([50, 50], [50, 50])), float(hellinger([7, 0], [0, 3]))
    (0.0, 1.0)
    """
    roots = np.sqrt(shares(reference)) - np.sqrt(shares(current))
    return np.minimum(np.sqrt(total(roots**2) / 2), 1.0)[()]


def l_infinity(reference: ArrayLike, current: ArrayLike) -> Any:
    """The largest change of any one bin's share; symmetric.

    >>> round(float(l_infinity([2, 2, 2, 0], [2, 2, 2, 1])), 2)
    0.14
    """
    return np.abs(shares(reference) - shares(current)).max(axis=-1, initial=0.0)[()]


def chi_square(reference: ArrayLike, current: ArrayLike) -> Any:
    """Pearson's statistic of the 2 x k table of both counts (homogeneity, without Yates' correction).

    Source: Pearson (1911), Biometrika 8; `scipy.stats.chi2_contingency(..., correction=False)`.

    >>> round(float(chi_square([10, 20], [20, 10])), 4)
    6.6667
    """
    before, after = np.broadcast_arrays(np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64))
    m, n = (known(counts.sum(axis=-1, keepdims=True)) for counts in (before, after))
    both = before + after
    squares = (np.sqrt(n / m) * before - np.sqrt(m / n) * after) ** 2
    return total(np.where(both > 0, squares / np.where(both > 0, both, 1.0), 0.0 * squares))[()]


def chi_square_p(statistic: ArrayLike, bins: ArrayLike) -> Any:
    """The chance of at least this statistic while nothing changes; `bins` of them are not empty.

    >>> round(float(chi_square_p(3.841, 2)), 3), float(chi_square_p(0.0, 1))
    (0.05, 1.0)
    """
    from scipy.special import chdtrc

    freedom = np.asarray(bins, dtype=np.float64) - 1
    value = np.asarray(statistic, dtype=np.float64)
    return np.where(
        freedom > 0, chdtrc(np.maximum(freedom, 1), np.maximum(value, 0)), np.where(np.isnan(value), np.nan, 1.0)
    )[()]


def ks(reference: ArrayLike, current: ArrayLike) -> tuple[Any, Any]:
    """Kolmogorov-Smirnov D at the edges of ordered bins, and the most that D of the rows themselves can be.

    The rows' own D is never under the first. Within a bin one distribution may have all its rows at the lower
    edge and the other none before the upper, which gives the second. Source: `scipy.stats.ks_2samp`.

    >>> at_edges, at_most = ks([10, 10, 10, 10], [0, 10, 20, 10])
    >>> float(at_edges), float(at_most)
    (0.25, 0.5)
    """
    before, after = (np.cumsum(shares(counts), axis=-1) for counts in np.broadcast_arrays(reference, current))
    former = [np.concatenate((np.zeros((*one.shape[:-1], 1)), one[..., :-1]), axis=-1) for one in (before, after)]
    within = np.maximum(np.abs(before - former[1]), np.abs(after - former[0]))
    edges = np.abs(before - after).max(axis=-1, initial=0.0)
    return edges[()], np.maximum(edges, within.max(axis=-1, initial=0.0))[()]


def ks_p(distance: ArrayLike, n: ArrayLike, reference_n: ArrayLike) -> Any:
    """The chance of at least this D while nothing changes (asymptotic); cautious for D at edges and for ties.

    Source: Smirnov (1939); `scipy.stats.ks_2samp(..., method="asymp")`.

    >>> round(float(ks_p(0.1, 1000, 1000)), 5)
    9e-05
    """
    from scipy.special import kolmogorov

    return kolmogorov(np.asarray(distance) / np.sqrt(1 / known(n) + 1 / known(reference_n)))[()]


def wasserstein(reference: ArrayLike, current: ArrayLike, positions: ArrayLike) -> Any:
    """First Wasserstein distance of counts at ascending positions: the mean way that a row has to go.

    Positions are NaN where there is no bin. Source: `scipy.stats.wasserstein_distance`.

    >>> float(wasserstein([10, 0, 0], [0, 0, 10], [1.0, 2.0, 4.0]))
    3.0
    """
    before, after = (np.cumsum(shares(counts), axis=-1) for counts in np.broadcast_arrays(reference, current))
    return total(np.abs(before - after)[..., :-1] * steps(positions))[()]


def moments(counts: ArrayLike, positions: ArrayLike) -> tuple[Any, Any]:
    """Mean and standard deviation of counts at positions; NaN positions hold no rows.

    >>> [float(moment) for moment in moments([1, 1], [2.0, 4.0])]
    [3.0, 1.0]
    """
    place, share = np.nan_to_num(np.asarray(positions, dtype=np.float64)), shares(counts)
    mean = total(share * place)
    spread = np.sqrt(total(share * (place - mean[..., None]) ** 2))
    return mean[()], spread[()]


def _surprise(share: Floats, middle: Floats) -> Floats:
    """sum(p log2(p / m)); bins with p = 0 add nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        added = share * np.log2(share / middle)
    return total(np.where(share == 0, 0.0, added))


def total(terms: ArrayLike) -> Floats:
    """The sum over the last axis, term by term in order, so that padding with zeros changes no digit of it.

    `numpy.sum` adds in blocks whose bounds depend on the length: a night alone and the same night in a wider table of a
    range would differ in the last digits.

    >>> table = np.full(11, 0.1)
    >>> bool(total(table) == total(np.append(table, np.zeros(9))))
    True
    """
    table = np.asarray(terms, dtype=np.float64)
    return np.asarray(np.cumsum(table, axis=-1)[..., -1] if table.shape[-1] else table.sum(axis=-1))


def steps(positions: ArrayLike) -> Floats:
    """The way from each position to the next; 0 where one of them is none.

    >>> steps([1.0, 3.0, np.nan])
    array([2., 0.])
    """
    return np.nan_to_num(np.diff(np.asarray(positions, dtype=np.float64), axis=-1))


def known(n: ArrayLike) -> Floats:
    """Numbers of rows, NaN for none: what is divided by them is not known then.

    >>> known([2, 0])
    array([ 2., nan])
    """
    rows = np.asarray(n, dtype=np.float64)
    return np.asarray(np.where(rows > 0, rows, np.nan))
