"""Faults too small for one day: distances that add up over nights, and nights that scatter more than they should.

A night's distance is compared with its own range only; a shift of two deviations, or a slide of one percent a day,
stays inside it for weeks. Here the distances of several nights are looked at together. Everything is computed from
the `distance` that verdicts keep, over MEMORY days that end with the judged one: there is no state, and a night, its
re-run and a range say the same.

All sums are told in *reach*: the distance of a single night that would be as rare. So one limit, `detection.limit`,
holds for them all. The equivalences were found on simulated series (benchmarks/anomalies.py, docs/detection.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from jobs.methods.scale import Floats

Days = npt.NDArray[np.datetime64]
Names = npt.NDArray[np.str_]

MEMORY = 21
"""Days that any sum looks back on; a new level that was accepted is forgotten as a fault within them."""

EWMA = {0.5: 1.15, 0.25: 1.35}
"""By the weight of the newest night (memories of about three and seven nights): how many standard deviations of the
mean are as rare as one of a single night. More than one, because neighbouring nights are alike."""

SCATTER = {10: 0.54}
"""By nights: how large their root mean square is that is as rare as a single night's distance of one."""

CLIP = 4.0
"""One night counts for no more than this, so that a single wild night is not several."""

SIDE = 0.5
"""How far the judged night itself must lie on the side of the sum: what is over is not told again."""

SCATTERED = 2.0
"""How far the judged night itself must stray before the scatter around it is told."""


class Heard(NamedTuple):
    """What the nights together say; arrays of shape (points,)."""

    reach: Floats
    """The farthest of the night's own distance and of the sums, as a distance; NaN where there is no distance."""
    by: Names
    """`ewma` or `scatter` where a sum reaches farther than the night itself, else empty."""


def hear(days: Days, distance: Floats) -> Heard:
    """How far each night reaches, alone or together with those before it.

    `days`: datetime64[D], ascending, not necessarily without gaps; `distance`: standardised, NaN where not judged.

    >>> days = np.datetime64("2025-01-06") + np.arange(8)
    >>> heard = hear(days, np.array([0.0, 0.0, 2.5, 2.5, 2.5, 2.5, 2.5, 0.0]))
    >>> heard.reach.round(1).tolist(), heard.by.tolist()[3:]
    ([0.0, 0.0, 2.5, 2.8, 3.6, 3.8, 3.9, 0.0], ['ewma', 'scatter', 'scatter', 'scatter', ''])
    """
    if distance.size == 0:
        return Heard(distance.copy(), np.zeros(0, dtype="<U7"))
    at = (days - days[0]).astype(np.int64)
    each = np.full(int(at[-1]) + 1, np.nan)
    each[at] = distance
    known = np.isfinite(each)
    clipped = np.where(known, np.clip(np.nan_to_num(each), -CLIP, CLIP), 0.0)
    reach, by = np.where(known, each, np.nan), np.zeros(each.shape, dtype="<U7")
    told = np.nan_to_num(each)
    for weight, worth in EWMA.items():
        mean = ewma(clipped, known, weight)
        same = np.sign(mean) * told > SIDE
        _farther(reach, by, mean / worth, known & same, "ewma")
    for nights, worth in SCATTER.items():
        spread = scatter(clipped, known, nights) * np.sign(told)
        _farther(reach, by, spread / worth, known & (np.abs(told) > SCATTERED), "scatter")
    return Heard(reach[at], by[at])


def _farther(reach: Floats, by: Names, rival: Floats, where: npt.NDArray[np.bool_], name: str) -> None:
    """Write a rival's reach wherever it is farther than the one so far."""
    better = where & (np.abs(rival) > np.abs(np.nan_to_num(reach)))
    reach[better], by[better] = rival[better], name


def ewma(clipped: Floats, known: npt.NDArray[np.bool_], weight: float) -> Floats:
    """Exponentially weighted mean of the last MEMORY days, in its own standard deviations if days were independent.

    Roberts (1959), Control chart tests based on geometric moving averages. Days that are not `known` carry no weight.

    >>> ewma(np.array([0.0, 2.0, 0.0, 2.0]), np.array([True, True, False, True]), 0.5).round(2).tolist()
    [0.0, 1.79, 1.79, 2.41]
    """
    powers = (1 - weight) ** np.arange(MEMORY)
    total = np.convolve(np.where(known, clipped, 0.0), powers)[: len(clipped)]
    variance = np.convolve(known.astype(float), powers**2)[: len(clipped)]
    return np.asarray(total / np.sqrt(np.maximum(variance, 1e-12)))


def scatter(clipped: Floats, known: npt.NDArray[np.bool_], nights: int) -> Floats:
    """Root mean square of the last days, of those that are known; 0 where fewer than half are.

    A moving standard deviation about what was expected (Shewhart 1931, the S chart, with the target as its centre).

    >>> scatter(np.array([3.0, -4.0, 0.0]), np.array([True, True, True]), 2).round(2).tolist()
    [3.0, 3.54, 2.83]
    """
    ones = np.ones(nights)
    squares = np.convolve(np.where(known, clipped, 0.0) ** 2, ones)[: len(clipped)]
    counted = np.convolve(known.astype(float), ones)[: len(clipped)]
    return np.asarray(np.where(2 * counted >= nights, np.sqrt(squares / np.maximum(counted, 1.0)), 0.0))
