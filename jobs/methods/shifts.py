"""What a forecast may learn from a past that holds faults: outliers stay out, a lasting shift is accepted.

Every function looks only at the points it is given, all of them past, so any night can be judged again alike.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.methods import weekdays
from jobs.methods.scale import Floats, biweight, small_sample

Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]

ADAPT_AFTER = 28
"""Days that a shift must last before it is the new normal, from the following Monday on."""

SETTLED_DAYS = 14
"""The last days of such a shift: the new level is theirs, and they are learnt from."""

ADAPT_AFTER_WEEKS = 6
"""Weeks in a row in which the same weekday is outside on one side, after which the week has a new shape.

Longer than ADAPT_AFTER: the shape of a week that goes back to what it was is told again, seven times as often."""

SETTLED_WEEKS = 2
"""The last of them, from which the weekday's new level is learnt."""

FIRST_DAYS = 28
"""Points from the first on, however far apart, that say which of them, though never judged, is not learnt from: ..."""

FIRST_LIMIT = 0.8
"""... one farther than this share of the limit from what the others say. Nobody is told of it, so less will do."""

BRIDGED = 2
"""Points inside the range that do not end a run of points outside it."""

LASTING_RUN = 7
"""Days after which a run is a fault with a size of its own, not noise that the spread should know about."""


class Run(NamedTuple):
    """Positions first..last (both included) of points outside the expected range on one side."""

    first: int
    last: int


def runs_outside(reach: Floats, limit: float, bridged: int = BRIDGED) -> list[Run]:
    """Stretches outside the range on one side; up to `bridged` points inside do not end one.

    >>> runs_outside(np.array([0.0, 6.0, 1.0, 7.0, 0.0, 0.0, 0.0, -9.0]), limit=5.0)
    [Run(first=1, last=3), Run(first=7, last=7)]
    """
    outside = np.flatnonzero(np.abs(np.nan_to_num(reach)) > limit)
    if outside.size == 0:
        return []
    side = np.sign(reach[outside])
    begins = np.r_[True, (np.diff(outside) > bridged + 1) | (side[1:] != side[:-1])]
    firsts = outside[begins]
    lasts = outside[np.r_[begins[1:], True]]
    return [Run(int(first), int(last)) for first, last in zip(firsts, lasts, strict=True)]


def _days_of(run: Run, days: Days) -> int:
    return int((days[run.last] - days[run.first]).astype(int)) + 1


def lasting(days: Days, reach: Floats, limit: float) -> Flags:
    """Which points belong to a run outside the range of a week or longer."""
    flags = np.zeros(days.shape, dtype=bool)
    for run in runs_outside(reach, limit):
        if _days_of(run, days) >= LASTING_RUN:
            flags[run.first : run.last + 1] = True
    return flags


def learnable(days: Days, y: Floats, reach: Floats, limit: float) -> tuple[Floats, Flags]:
    """The past as a forecast should see it: values (moved to the accepted level) and which of them to learn from.

    Points outside the range are not learnt from. Where they form a run of ADAPT_AFTER days, the shift is accepted:
    its last SETTLED_DAYS are learnt from, and everything before the run is moved to their level, so that the week's
    shape is kept and the level is new. So is a weekday by itself after ADAPT_AFTER_WEEKS of the like; without that, a
    week of a new shape would be masked, never learnt, and told every weekend for ever. All arrays: shape (points,), by
    day; `reach` as `accumulating.hear` says, NaN where none was judged.
    """
    y = y.copy()
    keep = np.isfinite(y) & ~(np.abs(np.nan_to_num(reach)) > limit)
    keep &= ~_unjudged_outliers(days, y, reach, keep, limit)
    for run in runs_outside(reach, limit):
        if _days_of(run, days) < ADAPT_AFTER:
            continue
        settled = (days > days[run.last] - SETTLED_DAYS) & (days <= days[run.last]) & np.isfinite(y)
        before = keep & (days < days[run.first]) & (days >= days[run.first] - ADAPT_AFTER)
        if before.any():
            y[: run.first] += np.median(y[settled]) - np.median(y[before])
        keep[run.first : run.last + 1] = settled[run.first : run.last + 1]
    _accept_weekdays(days, y, reach, keep, limit)
    return y, keep


def _accept_weekdays(days: Days, y: Floats, reach: Floats, keep: Flags, limit: float) -> None:
    """Move each weekday that is outside week after week to its new level, in `y` and `keep` themselves."""
    known, of_week = np.isfinite(y), weekday(days)
    for number in range(7):
        alike = np.flatnonzero(known & (of_week == number))
        for run in runs_outside(reach[alike], limit, bridged=0):
            outside, before = alike[run.first : run.last + 1], alike[: run.first]
            if len(outside) < ADAPT_AFTER_WEEKS or keep[outside].any():
                continue
            settled, former = outside[-SETTLED_WEEKS:], before[keep[before]][-ADAPT_AFTER_WEEKS:]
            if former.size:
                y[before] += np.median(y[settled]) - np.median(y[former])
            keep[settled] = True


def weekday(days: Days) -> npt.NDArray[np.int64]:
    """Monday is 0; day 0 of NumPy, 1970-01-01, was a Thursday.

    >>> weekday(np.array(["2025-03-03", "2025-03-09"], dtype="datetime64[D]")).tolist()
    [0, 6]
    """
    return np.asarray((days.astype("int64") + 3) % 7)


def _unjudged_outliers(days: Days, y: Floats, reach: Floats, keep: Flags, limit: float) -> Flags:
    """The first days of a series were never judged; far from what the others say they are not learnt from.

    Of two days of a weekday that disagree, the one nearer to all days is believed: a service's first Friday may be
    wild, a shop is closed on both Sundays.
    """
    flags = np.zeros(y.shape, dtype=bool)
    early = np.flatnonzero(keep)[:FIRST_DAYS]
    if len(early) < 3 or np.isfinite(reach[early]).all():
        return flags
    far = np.frombuffer(_far(y[early].tobytes(), weekday(days[early]).tobytes(), limit), dtype=bool)
    flags[early] = far & ~np.isfinite(reach[early])
    return flags


@lru_cache(maxsize=1024)
def _far(values: bytes, weekdays_of: bytes, limit: float) -> bytes:
    """Which of some days lie far from what the others say; every week of a series asks it of the same ones."""
    y, of_week = np.frombuffer(values, dtype=np.float64), np.frombuffer(weekdays_of, dtype=np.int64)
    away = weekdays.left_out(y, of_week)
    count = np.bincount(of_week, minlength=7)[of_week]
    central = np.abs(y - np.median(y))
    believed = np.array([central[at] <= central[of_week == of_week[at]].min() for at in range(len(y))])
    told = (count >= 3) | ((count == 2) & ~believed)
    far: Flags = told & (np.abs(away) > FIRST_LIMIT * limit * biweight(away) * small_sample(len(y)))
    return far.tobytes()
