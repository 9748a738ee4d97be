"""Faults too small for one day: distances that add up over nights, and nights that scatter more than they should.

A night's distance is compared with its own range only; a shift of two deviations, or a slide of one percent a day,
stays inside it for weeks. Here the distances of several nights are looked at together. Everything is computed from
the `distance` that verdicts keep, over MEMORY days that end with the judged one: there is no state, and a night, its
re-run and a range say the same.

Neighbouring nights are alike, more so in a series that wanders, and a sum of nights that are alike strays farther than
one of independent ones. How alike a series' own nights are is judged by the LOOKBACK days before the week.

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

EWMA = {0.5: 0.95, 0.25: 0.85, 0.12: 0.8}
"""By the weight of the newest night (memories of about three, seven and fifteen nights): how many standard deviations
of the mean are as rare as one of a single night. Less than one, because a mean has lighter tails than a night, and
the lighter the longer it is."""

LOOKBACK = 180
"""Past days that tell how alike neighbouring nights are."""

ALIKE, FADING = 0.19, 0.95
"""How alike nights that follow each other usually are, and how that fades with each night between them: what is
believed of a series that is not known, from the clean days of the simulated ones."""

BELIEVED = 120
"""Pairs of nights that this belief is worth, beside those of the series itself."""

ODD = 3.5
"""Nights farther out than this do not say how alike nights are."""

SCATTER = {10: 0.54}
"""By nights: how large their root mean square is that is as rare as a single night's distance of one."""

LEAST = 0.5
"""The least variance of a sum, where nights seem to undo each other, as a share of that of independent ones."""

CLIP = 4.0
"""One night counts for no more than this in the scatter, so that a single wild night is not several, ..."""

EWMA_CLIP = 2.5
"""... and for no more than this in a mean: what is heard there is many nights a little off, not two far off."""

NEEDED = LOOKBACK + 7 + MEMORY
"""Days before a night whose distances say what the night together with others says."""

SIDE, LATELY, LATELY_NIGHTS = 0.5, 1.0, 3
"""How far the judged night itself, and the mean of the last nights, must lie on the side of the sum: what is over is
not told again, though a sum remembers it for weeks."""

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
    ([0.0, 0.0, 2.5, 2.9, 3.6, 3.8, 4.2, 0.0], ['ewma', 'scatter', 'ewma', 'ewma', ''])
    """
    if distance.size == 0:
        return Heard(distance.copy(), np.zeros(0, dtype="<U7"))
    at = (days - days[0]).astype(np.int64)
    each = np.full(int(at[-1]) + 1, np.nan)
    each[at] = distance
    known = np.isfinite(each)
    reach, by = np.where(known, each, np.nan), np.zeros(each.shape, dtype="<U7")
    told = np.nan_to_num(each)
    clipped, little = (np.where(known, np.clip(told, -most, most), 0.0) for most in (CLIP, EWMA_CLIP))
    likeness, week = alike(days[0], each)
    lately = _mean_of_last(little, known, LATELY_NIGHTS)
    for weight, worth in EWMA.items():
        mean = ewma(little, known, weight) / straying(likeness, weight)[week]
        same = (np.sign(mean) * told > SIDE) & (np.sign(mean) * lately > LATELY)
        _farther(reach, by, mean / worth, known & same, "ewma")
    for nights, worth in SCATTER.items():
        spread = scatter(clipped, known, nights) * np.sign(told)
        _farther(reach, by, spread / worth, known & (np.abs(told) > SCATTERED), "scatter")
    return Heard(reach[at], by[at])


def _mean_of_last(values: Floats, known: npt.NDArray[np.bool_], nights: int) -> Floats:
    """Mean of the last days, of those that are known; 0 where none is."""
    ones = np.ones(nights)
    total = np.convolve(np.where(known, values, 0.0), ones)[: len(values)]
    return np.asarray(total / np.maximum(np.convolve(known.astype(float), ones)[: len(values)], 1.0))


def _farther(reach: Floats, by: Names, rival: Floats, where: npt.NDArray[np.bool_], name: str) -> None:
    """Write a rival's reach wherever it is farther than the one so far."""
    better = where & (np.abs(rival) > np.abs(np.nan_to_num(reach)))
    reach[better], by[better] = rival[better], name


def alike(first: np.datetime64, each: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """How alike nights are that lie 0, 1, 2 ... nights apart, told of every week by the LOOKBACK days before it.

    `each`: distances of consecutive days from `first` on, NaN where not judged. Answers the autocorrelations, shape
    (weeks, MEMORY), and of each day its week. They are drawn towards what is usual, as if BELIEVED pairs had said so.

    >>> likeness, week = alike(np.datetime64("2025-01-06"), np.tile([1.0, -1.0], 90))
    >>> likeness[[0, -1], :3].round(2).tolist(), int(week[-1])
    ([[1.0, 0.19, 0.18], [1.0, -0.51, 0.66]], 25)
    """
    begin = (int(first.astype("datetime64[D]").astype(np.int64)) + 3) % 7
    week = (np.arange(len(each)) + begin) // 7
    padded = np.r_[np.full(LOOKBACK + begin, np.nan), each]
    before = padded[np.arange(int(week[-1]) + 1)[:, None] * 7 + np.arange(LOOKBACK)]  # (weeks, LOOKBACK)
    known = np.abs(np.nan_to_num(before, nan=np.inf)) < ODD
    calm, pair = np.where(known, before, 0.0), known.astype(float)
    squares = (calm**2).sum(axis=1) / np.maximum(pair.sum(axis=1), 1.0)
    answer = np.ones((len(before), MEMORY))
    for apart in range(1, MEMORY):
        products = (calm[:, apart:] * calm[:, :-apart]).sum(axis=1) / np.maximum(squares, 1e-9)
        count = (pair[:, apart:] * pair[:, :-apart]).sum(axis=1)
        answer[:, apart] = (products + BELIEVED * ALIKE * FADING ** (apart - 1)) / (count + BELIEVED)
    return answer, week


def straying(likeness: Floats, weight: float) -> Floats:
    """How many times farther an EWMA strays than one of independent nights; `likeness` as `alike` says.

    The variance of a weighted sum, sum over i, j of w_i w_j r_|i-j| (Box and Jenkins 1970, Time Series Analysis).

    >>> straying(np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]), 0.5).round(3).tolist()
    [1.0, 1.528]
    """
    powers = (1 - weight) ** np.arange(likeness.shape[1])
    overlap = np.correlate(powers, powers, "full")[len(powers) - 1 :]
    overlap[1:] *= 2
    # Not a matrix product: its last digits would depend on how many weeks there are.
    return np.asarray(np.sqrt(np.maximum((likeness * overlap).sum(axis=1) / overlap[0], LEAST)))


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
    counted = np.convolve(known.astype(float), ones)[: len(clipped)]
    return np.asarray(np.where(2 * counted >= nights, np.sqrt(_mean_of_last(clipped**2, known, nights)), 0.0))
