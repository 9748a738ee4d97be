"""Latency from logarithmic bins: counts that add up over days and versions, with a known relative error.

Bin b holds (GAMMA**(b-1), GAMMA**b]; the value told for it is at most 1 % away from any value inside.
Source: Masson, Rim, Lee (2019), DDSketch, PVLDB 12, 2195-2205, without its collapsing of bins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.methods.intervals import Estimate, estimate, z_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

GAMMA = 1.02
"""Ratio of neighbouring bin edges; the relative error is (GAMMA - 1) / (GAMMA + 1) = 0.99 %."""
NOT_POSITIVE = -1_000_000
"""The bin of values <= 0."""


def latency_bin(value: ArrayLike) -> NDArray[np.int64]:
    """The bin of each finite value.

    >>> latency_bin([1.0, 1.01, 250.0, 0.0]).tolist()
    [0, 1, 279, -1000000]
    """
    given = np.asarray(value, dtype=np.float64)
    positive = given > 0
    bins = np.ceil(np.log(np.where(positive, given, 1.0)) / np.log(GAMMA))
    return np.where(positive, bins, NOT_POSITIVE).astype(np.int64)


def value_of_bin(bins: ArrayLike) -> Floats:
    """The value that stands for a bin: equally far, relatively, from both its edges; 0 for values <= 0.

    >>> value_of_bin([279, NOT_POSITIVE]).round(2)
    array([248.39,   0.  ])
    """
    number = np.asarray(bins, dtype=np.float64)
    positive = number > NOT_POSITIVE
    return np.where(positive, 2 * GAMMA ** np.where(positive, number, 0.0) / (GAMMA + 1), 0.0)


def quantile(bins: ArrayLike, counts: ArrayLike, q: float) -> Estimate:
    """The q-quantile of each row of `counts`; bins ascending, (bins,); counts (bins,) or (groups, bins).

    >>> quantile([0, 100, 200], [50, 45, 5], 0.95).value.round(2)
    array([7.17])
    """
    table = np.atleast_2d(np.asarray(counts))
    row = np.repeat(np.arange(table.shape[0]), table.shape[1])
    every = np.broadcast_to(np.asarray(bins), table.shape)
    return quantile_of_rows(row, every.ravel(), table.ravel(), table.shape[0], q)


def quantile_of_rows(
    group: ArrayLike,
    bins: ArrayLike,
    counts: ArrayLike,
    groups: int,
    q: float,
    value_of: Callable[[ArrayLike], Floats] = value_of_bin,
    nothing: str = "no latencies",
) -> Estimate:
    """`quantile` of counts in long form: sorted by group (0..groups-1) and, within it, by bin.

    The smallest value with at least q of all values at or below it (`numpy.quantile`, method `inverted_cdf`).
    Interval: the order statistics at ranks n q -+ z sqrt(n q (1 - q)), free of any distribution; an end whose
    rank is not among the n values is NaN. Source: Conover (1999), Practical Nonparametric Statistics, section
    3.2. `value_of` tells the value that stands for a bin, `nothing` the reason where there are none.
    """
    row, number = np.asarray(group, dtype=np.int64), np.asarray(bins)
    running = np.concatenate(([0], np.cumsum(np.asarray(counts).astype(np.int64))))
    before = running[np.searchsorted(row, np.arange(groups), "left")]
    n = running[np.searchsorted(row, np.arange(groups), "right")] - before

    def at_rank(rank: Floats) -> Floats:
        found = (rank >= 1) & (rank <= n)
        entry = np.searchsorted(running[1:], before + np.where(found, rank, 0).astype(np.int64), "left")
        values = np.append(value_of(number), np.nan)
        return np.where(found, values[np.where(found, entry, len(number))], np.nan)

    middle = np.maximum(np.ceil(n * q - 1e-9), 1.0)  # 0.07 * 100 is a hair above 7
    spread = z_value() * np.sqrt(n * q * (1 - q))
    interval = at_rank(np.floor(middle - spread)), at_rank(np.ceil(middle + spread))
    return estimate(at_rank(middle), n, interval, {nothing: n == 0})
