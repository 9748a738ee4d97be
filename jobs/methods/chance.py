"""What a distance between two binned samples reaches by chance alone: its limit while nothing changes.

A limit is passed with probability alpha at most (simulated in the tests, n = 50 to 5000). The shares of the bins are
taken from both sides together; alpha is one number or one per group; a side without rows gives NaN.

Jensen-Shannon, Hellinger and chi-square are sums over bins. What a bin adds depends on the rows expected in it, and
where these are few, not as the usual chi-square limit has it (31 uneven bins: 34 % of undrifted samples of 50 rows
pass Hellinger's). So mean and variance of what each bin adds are computed under Poisson's law, and a gamma
distribution with their sums answers. With many rows in every bin it is the scaled chi-square of k - 1 degrees again.
Where several bins are rare, counts of one and two rows in them are steps that no smooth law sees; there the law is held
at a smaller part of alpha. Of two bins, the limit is exact: `jobs.methods.two_bins`.
"""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from jobs.methods import two_bins
from jobs.methods.distances import chi_square, hellinger, js_distance, known, moments, shares, steps, total

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Divergence = Literal["js", "hellinger", "chi2"]
UNIT = {"js": 1 / (8 * np.log(2)), "hellinger": 1 / 8, "chi2": 1.0}
"""What one degree of freedom adds to each divergence, times the rows."""
RESERVE = 0.8
"""The part of alpha that the gamma law is held at; counts of a few rows step over the rest."""
RARE_RESERVE = 0.08
"""The same where a bin expects less than RARE rows."""
RARE = 1.0


def js_null_limit(reference: ArrayLike, current: ArrayLike, alpha: ArrayLike = 0.01) -> Any:
    """Limit of the Jensen-Shannon distance; at most 1.

    >>> float(js_null_limit([2500] * 4, [250] * 4).round(3))
    0.049
    """
    smooth = np.sqrt(np.minimum(divergence_limit("js", reference, current, alpha), 1.0))
    return two_bins.held(js_distance, reference, current, alpha, smooth)[()]


def hellinger_null_limit(reference: ArrayLike, current: ArrayLike, alpha: ArrayLike = 0.01) -> Any:
    """Limit of the Hellinger distance; at most 1."""
    smooth = np.sqrt(np.minimum(divergence_limit("hellinger", reference, current, alpha), 1.0))
    return two_bins.held(hellinger, reference, current, alpha, smooth)[()]


def chi2_null_limit(reference: ArrayLike, current: ArrayLike, alpha: ArrayLike = 0.01) -> Any:
    """Limit of Pearson's statistic, which holds for few rows in a bin too; else near chi2(k - 1).

    >>> float(chi2_null_limit([2500] * 4, [250] * 4).round(2))  # at 0.008, chi2(3) has 11.83
    11.84
    """
    m, n = (known(np.asarray(counts).sum(axis=-1)) for counts in (reference, current))
    smooth = divergence_limit("chi2", reference, current, alpha) / (1 / m + 1 / n)
    return two_bins.held(chi_square, reference, current, alpha, smooth)[()]


def l_infinity_null_limit(reference: ArrayLike, current: ArrayLike, alpha: ArrayLike = 0.01) -> Any:
    """The widest of the k bins' normal limits, each held at alpha / k, and half a row for continuity.

    Source: Bonferroni's inequality on the two-sample test of a proportion.
    """
    before, after = _counts(reference, current)
    together = shares(before + after)
    bins = np.maximum((before + after > 0).sum(axis=-1), 1)
    n, m = known(after.sum(axis=-1)), known(before.sum(axis=-1))
    widest = np.sqrt((together * (1 - together)).max(axis=-1, initial=0.0) * (1 / n + 1 / m))
    return (_normal_tail(np.asarray(alpha) / (2 * bins)) * widest + np.where(bins > 1, 0.5 / n, 0 / n))[()]


def wasserstein_null_limit(
    reference: ArrayLike, current: ArrayLike, positions: ArrayLike, alpha: ArrayLike = 0.01
) -> Any:
    """sqrt(1/n + 1/N) (sqrt(2/pi) sum(gap sqrt(F (1 - F))) + z sd), in the unit of the positions.

    The first part is the mean under no change; beyond it the distance, a Lipschitz function of a Gaussian process,
    has tails no heavier than a normal with the feature's own sd. Source: Ledoux and Talagrand (1991), Probability in
    Banach Spaces, section 3.1.
    """
    before, after = _counts(reference, current)
    below = np.cumsum(shares(before + after), axis=-1)[..., :-1]
    usual = np.sqrt(2 / np.pi) * total(np.sqrt(np.clip(below * (1 - below), 0, None)) * steps(positions))
    _, spread = moments(before + after, positions)
    width = 1 / known(after.sum(axis=-1)) + 1 / known(before.sum(axis=-1))
    return (np.sqrt(width) * (usual + _normal_tail(alpha) * spread))[()]


def divergence_limit(kind: Divergence, reference: ArrayLike, current: ArrayLike, alpha: ArrayLike = 0.01) -> Floats:
    """The 1 - alpha quantile of a divergence per row (squared distance; chi-square times 1/n + 1/N); shape (groups,).

    Gamma with the mean and variance that all bins have together, one degree of freedom taken off. At least what one
    bin adds by being empty where it would be so with more than its part of alpha: such a step no smooth law sees.
    """
    from scipy.special import gammainccinv

    before, after = _counts(reference, current)
    m, n = (known(counts.sum(axis=-1, keepdims=True)) for counts in (before, after))
    share = shares(before + after)
    fewest = np.where(share > 0, share, 1.0).min(axis=-1, initial=1.0) * np.minimum(n, m)[..., 0]
    strict = np.where(fewest < RARE, RARE_RESERVE, RESERVE) * np.asarray(alpha, dtype=np.float64)
    seldom = RESERVE * np.asarray(alpha, dtype=np.float64) / np.maximum((share > 0).sum(axis=-1), 1)
    (added, spread, floor), (added_m, spread_m, floor_m) = (
        [
            moment / rows**power
            for moment, power in zip(_poisson_moments(kind, share * rows, seldom), (1, 2, 1), strict=True)
        ]
        for rows in (n, m)
    )
    mean, variance = added + added_m, spread + spread_m + 4 * added * added_m
    width = (1 / n + 1 / m)[..., 0]
    centre = np.maximum(total(mean) - UNIT[kind] * width, 0)
    spread_of_all = np.maximum(total(variance) - 2 * (UNIT[kind] * width) ** 2, 0)
    one_bin = ~((share > 0).sum(axis=-1) > 1) | (centre <= 0) | (spread_of_all <= 0)
    shape = np.where(one_bin, 1.0, centre**2 / np.where(one_bin, 1.0, spread_of_all))
    quantile = gammainccinv(shape, strict) * np.where(one_bin, 0.0, centre / shape)
    least = np.where(one_bin, 0.0, total(mean) + np.maximum(floor, floor_m).max(axis=-1, initial=0.0))
    return np.asarray(np.maximum(quantile, least) + 0 * width)


def _poisson_moments(kind: Divergence, expected: Floats, alpha: Floats) -> tuple[Floats, Floats, Floats]:
    """Of what a bin adds, times the rows: mean, variance, and how far above its mean it is when empty.

    The last is 0 where the bin is empty with less than probability alpha; all are 0 for a bin of no rows.
    """
    grid, mean, variance, empty = _table(kind)
    rows = np.nan_to_num(expected)
    place = np.log(np.clip(rows, grid[0], grid[-1]))
    added, spread = (np.where(rows > 0, np.interp(place, np.log(grid), column), 0.0) for column in (mean, variance))
    often = (rows > 0) & (np.exp(-rows) >= np.expand_dims(alpha, -1))
    return added, spread, np.where(often, rows * empty - added, 0.0)


@lru_cache(maxsize=3)
def _table(kind: Divergence) -> tuple[Floats, Floats, Floats, float]:
    """Of rows x ~ Poisson(expected): the grid of expected rows, mean and variance of what is added, and, per expected
    row, what an empty bin adds.
    """
    from scipy.special import gammaln

    grid = np.geomspace(1e-4, 3e3, 300)
    rows = np.arange(4000.0)
    mean, variance = np.zeros_like(grid), np.zeros_like(grid)
    for number, expected in enumerate(grid):
        x = rows[: int(expected + 12 * np.sqrt(expected) + 40)]
        chance = np.exp(x * np.log(expected) - expected - gammaln(x + 1))
        added = _added(kind, x, float(expected))
        mean[number] = (chance * added).sum()
        variance[number] = (chance * (added - mean[number]) ** 2).sum()
    return grid, mean, variance, float(_added(kind, np.zeros(1), 1.0)[0])


def _added(kind: Divergence, x: Floats, expected: float) -> Floats:
    """What a bin with x rows adds to the divergence, times the rows, where `expected` are expected."""
    match kind:
        case "hellinger":
            return np.asarray((np.sqrt(x) - np.sqrt(expected)) ** 2 / 2)
        case "chi2":
            return (x - expected) ** 2 / expected
        case "js":
            middle = (x + expected) / 2
            current = x * np.log2(np.where(x > 0, x, 1.0) / middle)
            return np.asarray((expected * np.log2(expected / middle) + current) / 2)


def _counts(reference: ArrayLike, current: ArrayLike) -> tuple[Floats, Floats]:
    before, after = np.broadcast_arrays(np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64))
    return before, after


def _normal_tail(alpha: ArrayLike) -> Floats:
    """The normal quantile with alpha above it; few alphas differ, so each is looked up once."""
    distinct, place = np.unique(np.asarray(alpha, dtype=np.float64), return_inverse=True)
    quantiles = np.array([NormalDist().inv_cdf(1 - one) for one in distinct])
    return np.asarray(quantiles[place].reshape(np.shape(alpha)))
