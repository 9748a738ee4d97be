"""What a distance between two samples of two bins reaches by chance: exactly, however few rows the rarer bin has.

A feature of two values steps from one count of the rarer value to the next, and no smooth law knows where the steps
lie. Given how often both sides together have it, the day's share of those is hypergeometric while nothing changes
(Fisher (1935), The Logic of Inductive Inference: the exact test of a 2 x 2 table). So every step's chance is known, and
the limit is the step above which no more than alpha is left. It holds for each total, and therefore for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Distance = Callable[[Floats, Floats], Floats]
    """Counts of both sides, (..., bins) -> (...)."""

RARE = 400.0
"""Rows of the rarer bin to be expected of the day above which steps are too fine to matter."""
FAR = 10.0
"""Standard deviations, and three times as many steps, beyond which nothing is left of the law."""
HAIR = 1e-9
"""A step reached is not passed, whatever the last digits of its sums."""


def exact_limit(distance: Distance, reference: ArrayLike, current: ArrayLike, alpha: ArrayLike) -> Floats:
    """Per group, the limit of a distance of two bins; NaN for groups of more or fewer bins, of no or of many rows.

    Counts of shape (groups, bins), alpha one per group or one for all; answers shape (groups,).

    >>> from jobs.methods.distances import l_infinity
    >>> exact_limit(l_infinity, [[990, 10]], [[49, 1]], 0.01).round(2)  # 3 of 50 beside 8 of 1,000
    array([0.05])
    """
    before, after = (np.atleast_2d(np.asarray(counts, dtype=np.float64)) for counts in (reference, current))
    both = before + after
    n, m = after.sum(axis=-1), before.sum(axis=-1)
    rarer = np.where(both > 0, both, both.max(axis=-1, keepdims=True, initial=0)).min(axis=-1, initial=np.inf)
    rarer = np.where(np.isfinite(rarer), rarer, 0.0)
    expected = rarer * n / np.maximum(n + m, 1)
    counted = ((both > 0).sum(axis=-1) == 2) & (n > 0) & (m > 0) & (expected < RARE)
    limit = np.full(len(both), np.nan)
    if counted.any():
        share = np.broadcast_to(np.asarray(alpha, dtype=np.float64), limit.shape)
        limit[counted] = _steps(distance, rarer[counted], n[counted], m[counted], share[counted])
    return limit


def held(
    distance: Distance, reference: ArrayLike, current: ArrayLike, alpha: ArrayLike, otherwise: ArrayLike
) -> Floats:
    """The exact limit where there is one, else `otherwise`; of the shape of `otherwise`."""
    smooth = np.asarray(otherwise, dtype=np.float64)
    exact = exact_limit(distance, reference, current, alpha).reshape(smooth.shape)
    return np.where(np.isnan(exact), smooth, exact)


def _steps(distance: Distance, rarer: Floats, n: Floats, m: Floats, alpha: Floats) -> Floats:
    """The step of the distance beyond which alpha is left; `rarer` rows of n + m are in the rarer bin."""
    from scipy.special import gammaln

    def ways(of: Floats, taken: Floats) -> Floats:
        return np.asarray(gammaln(of + 1) - gammaln(taken + 1) - gammaln(of - taken + 1))

    expected = rarer * n / (n + m)
    wide = FAR * np.sqrt(expected) + 3 * FAR
    first = np.maximum(np.floor(expected - wide), np.maximum(rarer - m, 0))
    last = np.minimum(np.ceil(expected + wide), np.minimum(rarer, n))
    width = int((last - first).max()) + 1
    drawn = first[:, None] + np.arange(float(width))
    there = drawn <= last[:, None]
    drawn = np.where(there, drawn, last[:, None])
    rare, rows, others = rarer[:, None], n[:, None], m[:, None]
    odds = ways(rare, drawn) + ways(rows + others - rare, rows - drawn) - ways(rows + others, rows)
    chance = np.where(there, np.exp(odds), 0.0)
    left = rare - drawn
    value = distance(np.stack([others - left, left], axis=-1), np.stack([rows - drawn, drawn], axis=-1))
    order = np.argsort(-value, axis=-1, kind="stable")
    beyond = np.cumsum(np.take_along_axis(chance, order, axis=-1), axis=-1)
    place = (beyond > alpha[:, None]).argmax(axis=-1)
    at = np.take_along_axis(np.take_along_axis(value, order, axis=-1), place[:, None], axis=-1)[:, 0]
    return np.asarray(at * (1 + HAIR))
