"""Series that leave their range again and again: how much farther than the limit such a one must go to be news.

Noise of real figures has heavier tails than a limit of so many deviations supposes: page views have their wild days,
shared bicycles their storms. A series that was outside several times within the history that is looked at says by that
what is to be expected of it. So it must go farther than it did before: than the third farthest of those times, where
three are asked for, and by a tenth. Once or twice are faults, of which the next may be as large. Extreme value theory
makes such limits where data are dense (Siffer et al. 2017, Anomaly detection in streams with extreme value theory,
KDD); a few times in two years are too few to fit a tail to.

Beyond FARTHEST times the limit it is always news: a fault that comes back every month must not fall silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from jobs.methods.scale import Floats
    from jobs.spec.judging import Detection

    Days = npt.NDArray[np.datetime64]

BEYOND = 1.1
"""How much farther than the least of its farthest times a series must then go, ..."""

FARTHEST = 2.5
"""... though never farther than so many times the limit."""

APART = np.timedelta64(14, "D")
"""Days inside the range after which being outside is another time."""


def farther(days: Days, nights: Days, harmful: Floats, detection: Detection) -> Floats:
    """Of each point, how many times the limit it must reach; at least 1. Arrays of shape (points,), by day.

    `harmful`: how far each reaches on the side that hurts, NaN where it is not judged. Looked at are the `max_history`
    days before the Monday of a night's week, so a night, its re-run and a range say the same.

    >>> from jobs.spec.judging import Detection
    >>> days = np.datetime64("2025-01-06") + np.arange(100)
    >>> reach = np.zeros(100)
    >>> reach[[5, 25, 45]] = 9.0, 6.0, 7.0
    >>> farther(days, days, reach, Detection())[[58, 70]].round(2).tolist()
    [1.0, 1.65]
    """
    answer = np.ones(days.shape)
    limit, times = detection.limit, detection.recurring
    outside = np.flatnonzero(np.nan_to_num(harmful) > limit)
    if not times or len(outside) < times:
        return answer
    mondays = nights - (nights.astype("int64") + 3) % 7
    begins = np.flatnonzero(np.r_[True, mondays[1:] != mondays[:-1]])
    for begin, end in zip(begins, np.r_[begins[1:], len(days)], strict=True):
        monday = mondays[begin] - (nights[begin] - days[begin])
        seen = outside[(outside < begin) & (days[outside] >= monday - np.timedelta64(detection.max_history, "D"))]
        peaks = _peaks(days[seen], harmful[seen], monday)
        if len(peaks) >= times:
            answer[begin:end] = np.clip(BEYOND * np.sort(peaks)[-times] / limit, 1.0, FARTHEST)
    return answer


def as_news(harmful: Floats, farther: Floats, limit: float) -> Floats:
    """How far each reaches as others do: within the limit as long as it is not farther than it must be to be news.

    >>> as_news(np.array([3.0, 6.0, 7.0]), np.array([1.0, 1.65, 1.65]), 4.0).round(2).tolist()
    [3.0, 3.64, 7.0]
    """
    return np.where(harmful > farther * limit, harmful, harmful / farther)


def needed(limit: Floats, farther: Floats, usual: float) -> Floats:
    """How far each must reach where others must reach `limit`; `usual` is that of the spec. See `as_news`.

    >>> needed(np.array([3.25, 4.0, 8.0]), np.array([1.65, 1.65, 1.65]), 4.0).round(2).tolist()
    [5.36, 6.6, 8.0]
    """
    return np.where(limit < usual, limit * farther, np.maximum(limit, usual * farther))


def _peaks(days: Days, harmful: Floats, until: np.datetime64) -> Floats:
    """How far each time went that is over; `days` and `harmful` of points outside the range, before `until`."""
    if days.size == 0:
        return harmful
    begins = np.flatnonzero(np.r_[True, np.diff(days) > APART])
    peaks = np.maximum.reduceat(harmful, begins)
    # What is not yet over is the time itself, and must not fall silent by its own doing.
    return peaks if until - days[-1] > APART else peaks[:-1]
