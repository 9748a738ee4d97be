"""Intervals: how far a figure may lie from the truth for the number of rows it was made of.

Every function takes arrays of shape (groups,) or scalars, and answers NaN where nothing can be said.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Interval = tuple[Floats, Floats]

CONFIDENCE = 0.95
"""Of every interval that Nightjar stores."""


@dataclass(frozen=True)
class Estimate:
    """A metric of many groups: five arrays of shape (groups,).

    `reason` is None where `value` is defined, and says why not where it is NaN.
    """

    value: Floats
    n: NDArray[np.int64]
    lower: Floats
    upper: Floats
    reason: NDArray[np.object_]


def estimate(
    value: ArrayLike,
    n: ArrayLike,
    interval: Interval | None = None,
    undefined: Mapping[str, ArrayLike] | None = None,
) -> Estimate:
    """An `Estimate`; `undefined` maps each reason to the groups it holds for, the first that holds is told.

    >>> estimate([0.5, 0.0], [4, 0], undefined={"no labels": [False, True]}).reason.tolist()
    [None, 'no labels']
    """
    count = np.atleast_1d(np.asarray(n)).astype(np.int64)
    reason = np.full(count.shape, None, dtype=object)
    for text, holds in reversed(list((undefined or {}).items())):
        reason[np.broadcast_to(np.asarray(holds, dtype=bool), count.shape)] = text
    told = reason != None  # noqa: E711 - element by element

    def where_defined(numbers: ArrayLike) -> Floats:
        return np.where(told, np.nan, np.broadcast_to(np.asarray(numbers, dtype=np.float64), count.shape))

    lower, upper = interval if interval is not None else (np.float64("nan"), np.float64("nan"))
    return Estimate(where_defined(value), count, where_defined(lower), where_defined(upper), reason)


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Numerator / denominator, NaN where the denominator is 0; shapes broadcast.

    >>> ratio([1, 0], [4, 0])
    array([0.25,  nan])
    """
    above, below = np.broadcast_arrays(
        np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    )
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0))


def z_value(confidence: float = CONFIDENCE) -> float:
    """The two-sided normal quantile.

    >>> round(z_value(0.95), 4)
    1.96
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1; write 0.95 for 95 %")
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(successes: ArrayLike, n: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a proportion: (lower, upper); NaN where n is 0 or successes exceed 0..n.

    Source: Wilson (1927), JASA 22, 209-212. It holds its confidence for few rows and at 0 and 1, where the
    normal interval has no width.

    >>> lower, upper = wilson(8, 10)
    >>> round(float(lower), 3), round(float(upper), 3)
    (0.49, 0.943)
    """
    z = z_value(confidence)
    hits, rows = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64))
    rows = np.where((rows > 0) & (hits >= 0) & (hits <= rows), rows, np.nan)
    share = hits / rows
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    # In exact arithmetic the interval holds the share and stays within 0..1; rounding must not undo that.
    return np.minimum(np.maximum(centre - half, 0.0), share), np.maximum(np.minimum(centre + half, 1.0), share)


def mapped_wilson(
    successes: ArrayLike, n: ArrayLike, increasing: Callable[[Any], Any], confidence: float = CONFIDENCE
) -> Interval:
    """Interval of an increasing function of a proportion: the function of both ends of its Wilson interval.

    Exact, because an increasing function keeps order. Odds, for example, are p / (1 - p):

    >>> lower, upper = mapped_wilson(8, 10, lambda p: p / (1 - p))
    >>> round(float(lower), 2), round(float(upper), 2)
    (0.96, 16.64)
    """
    lower, upper = wilson(successes, n, confidence)
    return increasing(lower), increasing(upper)


def proportion(successes: ArrayLike, n: ArrayLike, nothing: str = "no rows") -> Estimate:
    """Successes / n with its Wilson interval; `nothing` is the reason where n is 0.

    >>> proportion([8, 0], [10, 0]).value
    array([0.8, nan])
    """
    return estimate(ratio(successes, n), n, wilson(successes, n), {nothing: np.asarray(n) == 0})


def mean_interval(n: ArrayLike, total: ArrayLike, square_total: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """Normal interval of a mean from n, the sum of values and the sum of their squares; NaN where n < 2.

    Source: the central limit theorem with the sample variance (divisor n - 1). Values 1, 2, 3: 2 +- 1.96 * 1
    / sqrt(3).

    >>> lower, upper = mean_interval(3, 6, 14)
    >>> round(float(lower), 3), round(float(upper), 3)
    (0.868, 3.132)
    """
    rows = np.asarray(n, dtype=np.float64)
    rows = np.where(rows >= 2, rows, np.nan)
    mean = np.asarray(total, dtype=np.float64) / rows
    # Sums of squares of nearly equal values may round to a variance just below 0.
    variance = np.maximum((np.asarray(square_total, dtype=np.float64) - rows * mean**2) / (rows - 1), 0.0)
    half = z_value(confidence) * np.sqrt(variance / rows)
    return mean - half, mean + half


def mean(
    n: ArrayLike, total: ArrayLike, square_total: ArrayLike, nothing: str = "no rows", about: ArrayLike = 0.0
) -> Estimate:
    """The mean with its normal interval, from sums of the values' distances from `about`; `nothing` is the reason
    where n is 0.

    A number near the mean for `about` keeps a small spread of large values, which sums about 0 lose in rounding.

    >>> mean([3], [6], [14]).value, mean([3], [6], [14], about=[1e9]).lower.round(4).tolist()
    (array([2.]), [1000000000.8684])
    """
    lower, upper = mean_interval(n, total, square_total)
    middle = np.asarray(about, dtype=np.float64)
    undefined = {nothing: np.asarray(n) == 0}
    return estimate(middle + ratio(total, n), n, (middle + lower, middle + upper), undefined)
