"""Rare events: so few expected that, on a scale with two alike sides, chance seems to explain everything.

A hundred failures of a thousand, where there never were any, lie within the range of a logit whose standard error at
nought is larger than the step. There the law itself tells how far a night lies: the tail of the binomial, or of
Poisson's law for counts, as the distance of a normal that is as rare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.methods.scale import forward

if TYPE_CHECKING:
    import numpy.typing as npt

    from jobs.methods.scale import Floats, Scale

RARE = 20.0
"""Expected events, or expected exceptions of nearly certain ones, below which the law itself is asked."""

FARTHEST = 37.0
"""A tail that is smaller than any number."""


def rare(scale: Scale, expected: Floats, n: Floats, error: Floats) -> npt.NDArray[np.bool_]:
    """Which points are rare events: counts, and rates that are k of n (their `error` is not given)."""
    match scale.kind:
        case "count":
            return np.asarray(expected < RARE)
        case "rate":
            few = n * np.minimum(expected, 1 - expected) < RARE
            return np.asarray(np.isfinite(n) & (n > 0) & ~(error > 0) & few)
        case _:
            return np.zeros(expected.shape, dtype=bool)


def by_chance(scale: Scale, value: Floats, expected: Floats, n: Floats) -> Floats:
    """How far chance alone puts each value from the expected one: the normal distance that is as rare, with its sign.

    The tail counts half of the value itself (mid-p; Lancaster 1961, JASA 56, 223-234), so that no value is as far on
    both sides. Arrays of shape (points,); `value` and `expected` on the metric's own scale.

    >>> from jobs.methods.scale import Scale
    >>> by_chance(Scale("rate"), np.array([0.1, 0.0]), np.array([0.0005, 0.0005]), np.array([1000.0, 1000.0])).round(1)
    array([29.7, -0.5])
    """
    from scipy.special import bdtr, bdtrc, ndtri, pdtr, pdtrc

    with np.errstate(invalid="ignore", divide="ignore"):
        if scale.kind == "count":
            k, mean = np.round(value), expected
            above, at_most = pdtrc(k, mean), pdtr(k, mean)
            below = np.where(k > 0, pdtr(np.maximum(k - 1, 0), mean), 0.0)
        else:
            k, mean, rows = np.round(value * n), n * expected, np.round(n).astype(np.int64)
            above, at_most = bdtrc(k, rows, expected), bdtr(k, rows, expected)
            below = np.where(k > 0, bdtr(np.maximum(k - 1, 0), rows, expected), 0.0)
        here = np.maximum(at_most - below, 0.0)
        upper, lower = above + here / 2, below + here / 2
        z = np.where(k >= mean, -ndtri(np.minimum(upper, 0.5)), ndtri(np.minimum(lower, 0.5)))
    return np.asarray(np.where(np.isfinite(k), np.clip(z, -FARTHEST, FARTHEST), np.nan))


def distance(scale: Scale, value: Floats, expected: Floats, centre: Floats, n: Floats, own: Floats) -> Floats:
    """The distance of each value, by chance and by the series' own straying (`own`, a standard deviation) together.

    As variances add up, so do the inverse squares of the two distances; `centre` is `expected` on the judged scale.
    """
    chance = by_chance(scale, value, expected, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        strayed = np.abs((forward(scale, value, n) - centre) / own)
        both = 1 / np.sqrt(1 / chance**2 + 1 / strayed**2)
    return np.asarray(np.sign(chance) * np.where(chance == 0, 0.0, both))


def bounds(
    scale: Scale, expected: Floats, centre: Floats, n: Floats, own: Floats, limit: float
) -> tuple[Floats, Floats]:
    """The values between which a point is within `limit`: the last event fewer and the first one more that are not."""
    events = expected if scale.kind == "count" else expected * n
    most = np.full(expected.shape, 1e9) if scale.kind == "count" else np.asarray(n)
    unit = np.ones(expected.shape) if scale.kind == "count" else 1 / np.asarray(n)

    def far(k: Floats) -> npt.NDArray[np.bool_]:
        return np.abs(distance(scale, k * unit, expected, centre, n, own)) > limit

    low, high = np.ceil(events), most.copy()  # the fewest events above that are far lie in (low, high]
    out, within = np.full(expected.shape, -1.0), np.floor(events)  # the most below that are far lie in [out, within)
    for _ in range(32):
        middle = np.floor((low + high) / 2)
        beyond = far(middle)
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
        middle = np.ceil((out + within) / 2)
        beyond = far(middle)
        out, within = np.where(beyond, middle, out), np.where(beyond, within, middle)
    return np.maximum(within, 0.0) * unit, low * unit
