"""The week's shape of a short series: medians of weekdays, drawn together as far as they are alike.

The median of two or three days strays nearly as far as a day does. Where weekdays differ by no more than that, the
median of all days says what each of them usually is, and says it better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.methods.scale import spread_about

if TYPE_CHECKING:
    import numpy.typing as npt

    from jobs.methods.scale import Floats

    Weekdays = npt.NDArray[np.int64]

OF_MEDIAN = np.pi / 2
"""How many times the variance of a mean that of a median is, of many values of a normal law."""


def usual(y: Floats, weekday: Weekdays) -> Floats:
    """What each weekday usually is, shape (7,); `y` and `weekday` of shape (points,), Monday is 0.

    Medians of weekdays, drawn towards the median of all days by the share of their differences that chance explains
    (positive-part James-Stein; Efron and Morris 1973, JASA 68, 117-130). A weekday without points is as all days are.

    >>> week = np.tile(np.arange(7), 3)
    >>> usual(np.where(week > 4, 1.0, 5.0) + np.repeat([-0.1, 0.0, 0.1], 7), week).round(1).tolist()
    [5.0, 5.0, 5.0, 5.0, 5.0, 1.0, 1.0]
    >>> usual(np.arange(21) % 5 * 1.0, week).tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    """
    centre = float(np.median(y))
    count = np.bincount(weekday, minlength=7)
    medians = np.array([np.median(y[weekday == k]) if count[k] else centre for k in range(7)])
    there = count > 0
    freedom = max(len(y) - int(there.sum()), 1)
    within = spread_about(y - medians[weekday]) ** 2 * len(y) / freedom
    between = float(np.mean((medians[there] - centre) ** 2))
    by_chance = float(np.mean(OF_MEDIAN * within / count[there]))
    kept = max(0.0, 1 - by_chance / between) if between > 0 else 0.0
    return centre + kept * (medians - centre)


def left_out(y: Floats, weekday: Weekdays) -> Floats:
    """How far each point lies from what the others say is usual on its weekday; shape of `y`.

    Of three points one is their median, so residuals about it would be a third zeros and tell half the spread.
    """
    residuals = np.empty(len(y))
    for position in range(len(y)):
        others = np.arange(len(y)) != position
        residuals[position] = y[position] - usual(y[others], weekday[others])[weekday[position]]
    return residuals
