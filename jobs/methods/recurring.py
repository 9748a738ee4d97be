"""Series that leave their range again and again: how much farther than the limit such a one must go to be told.

Noise of real figures has heavier tails than a limit of so many deviations supposes: page views have their wild days,
shared bicycles their storms. A series that was outside several times within the history that is looked at says by that
what is to be expected of it. So it must go farther than it did before: than the third farthest of those times, where
three are asked for, and by a tenth. Once or twice are faults, of which the next may be as large. Extreme value theory
makes such limits where data are dense (Siffer et al. 2017, Anomaly detection in streams with extreme value theory,
KDD); a few times in two years are too few to fit a tail to.

That holds for wild days, not for what lasts: a run of two weeks, and longer than those before, is told as of any other
series, and so is what follows a day that was told. Beyond FARTHEST times the limit, ten deviations where it is four,
everything is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.methods.shifts import BRIDGED

if TYPE_CHECKING:
    from jobs.methods.scale import Floats
    from jobs.spec.judging import Detection

    Days = npt.NDArray[np.datetime64]
    Positions = npt.NDArray[np.intp]

BEYOND = 1.1
"""How much farther than the least of its farthest times a series must then go, ..."""

FARTHEST = 2.5
"""... though never farther than so many times the limit."""

APART, INSIDE = np.timedelta64(14, "D"), 7
"""Days without a point outside after which being outside is another time, if so many points were inside since: ..."""

REMEMBERED = np.timedelta64(35, "D")
"""... where nothing was judged nothing was over, but no time goes on through a longer pause, or begins farther back."""

LASTING, LONGEST = 14, 28
"""Days outside in a row that are told however far, unless earlier times lasted as long; and the most that it takes."""

NEEDED = 42
"""Days before `max_history` that are looked at besides: a time is judged as in the week in which it began."""


class _Series(NamedTuple):
    """Arrays of shape (points,), by day."""

    days: Days
    nights: Days
    harmful: Floats
    judged: npt.NDArray[np.int64]
    """How many points were judged up to each."""
    outside: Positions
    began: Positions
    """Of each point outside, where its run began; up to BRIDGED points inside do not end one."""
    detection: Detection
    in_a_row: int


class _Times(NamedTuple):
    """The times that were over before a week, and what was then still going on."""

    peaks: Floats
    lengths: npt.NDArray[np.int64]
    """Days of the longest run of each."""
    open: Positions
    """Positions of the points outside of the time that was not over; empty where all were."""


def farther(
    days: Days,
    nights: Days,
    harmful: Floats,
    detection: Detection,
    in_a_row: int = 1,
    since: np.datetime64 | None = None,
) -> Floats:
    """Of each point, how many times the limit it must reach; at least 1. Arrays of shape (points,), by day.

    `harmful`: how far each reaches on the side that hurts, NaN where nobody would be told. Only times of at least
    `in_a_row` points count, as many as a rule waits for. Looked at are `max_history` and NEEDED days before the Monday
    of a night's week and the week's own nights before it: a night, its re-run and a range say the same. Of nights
    before `since` nothing is said, they are left at 1.

    >>> from jobs.spec.judging import Detection
    >>> days = np.datetime64("2025-01-06") + np.arange(100)
    >>> reach = np.zeros(100)
    >>> reach[[5, 25, 45]] = 9.0, 6.0, 7.0
    >>> farther(days, days, reach, Detection())[[58, 70]].round(2).tolist()
    [1.0, 1.65]
    """
    answer = np.ones(days.shape)
    outside = np.flatnonzero(np.nan_to_num(harmful) > detection.limit)
    if not detection.recurring or len(outside) < detection.recurring:
        return answer
    begins_run = np.r_[True, np.diff(outside) > BRIDGED + 1]
    began = np.zeros(len(days), dtype=np.intp)
    began[outside] = outside[begins_run][np.cumsum(begins_run) - 1]
    judged = np.cumsum(np.isfinite(harmful))
    series = _Series(days, nights, harmful, judged, outside, began, detection, in_a_row)
    mondays = _monday(nights)
    begins = np.flatnonzero(np.r_[True, mondays[1:] != mondays[:-1]])
    for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(days)], strict=True):
        if since is not None and nights[end - 1] < since:
            continue
        times = _times_before(series, begin)
        if times.open.size:  # it is judged by what was known when it began, and does not change its measure midway
            first_week = int(np.searchsorted(mondays, mondays[times.open[0]]))
            times = _times_before(series, first_week)._replace(open=times.open)
        bar = _bar(times.peaks, detection)
        if bar > 1:
            answer[begin:end] = bar
            here = outside[(outside >= begin) & (outside < end)]
            answer[here[_let_go(series, times, bar, here)]] = 1.0
    return answer


def _bar(peaks: Floats, detection: Detection) -> float:
    """How many times the limit is needed after times that went so far."""
    if len(peaks) < detection.recurring:
        return 1.0
    return float(np.clip(BEYOND * np.sort(peaks)[-detection.recurring] / detection.limit, 1.0, FARTHEST))


def _monday(nights: Days) -> Days:
    return np.asarray(nights - (nights.astype("int64") + 3) % 7)


def _times_before(series: _Series, begin: int) -> _Times:
    """What a week knows of its past, that begins with the point `begin`."""
    age = series.nights[begin] - series.days[begin]
    until = _monday(series.nights[begin]) - age
    oldest = until - np.timedelta64(series.detection.max_history, "D")
    seen = series.outside[(series.outside < begin) & (series.days[series.outside] >= oldest)]
    if seen.size == 0:
        return _Times(np.zeros(0), np.zeros(0, dtype=np.int64), seen)
    ends = np.r_[seen[1:], begin]  # of each point outside, the next one, or the week
    inside = series.judged[ends - 1] - series.judged[seen]
    away = np.r_[series.days[seen[1:]], until] - series.days[seen]
    apart = ((away > APART) & (inside >= INSIDE)) | (away > REMEMBERED)
    groups = np.split(seen, np.flatnonzero(apart[:-1]) + 1)
    going = seen[:0] if apart[-1] else groups.pop()
    done = [one for one in groups if len(one) >= series.in_a_row]
    peaks = np.array([series.harmful[one].max() for one in done])
    lengths = np.array([_lasted(series, one, one[0]).max() for one in done], dtype=np.int64)
    return _Times(peaks, lengths, going[series.days[going] >= until - REMEMBERED])


def _lasted(series: _Series, outside: Positions, first: int) -> npt.NDArray[np.int64]:
    """How many days the run of each point had then lasted, of which what was before `first` is not counted."""
    begins = np.maximum(series.began[outside], first)
    return np.asarray((series.days[outside] - series.days[begins]).astype(np.int64) + 1)


def _let_go(series: _Series, times: _Times, bar: float, here: Positions) -> npt.NDArray[np.bool_]:
    """Which of a week's points outside, at `here`, are of a run that was told already or lasts longer than others."""
    if here.size == 0:
        return np.zeros(0, dtype=bool)
    going = np.r_[times.open, here]
    least = np.clip(np.sort(times.lengths)[-series.detection.recurring] + 1, LASTING, LONGEST)
    lasts = _lasted(series, here, int(going[0])) >= least
    far = going[series.harmful[going] > bar * series.detection.limit]
    told = [bool(((far >= series.began[one]) & (far < one)).any()) for one in here]
    return np.asarray(lasts | told)


def comparable(harmful: Floats, farther: Floats, limit: float) -> Floats:
    """How far each reaches, as others do: within the limit as long as it is not as far as it must be to be told.

    >>> comparable(np.array([3.0, 6.0, 7.0]), np.array([1.0, 1.65, 1.65]), 4.0).round(2).tolist()
    [3.0, 3.64, 7.0]
    """
    return np.where(harmful > farther * limit, harmful, harmful / farther)


def needed(limit: Floats, farther: Floats, usual: float) -> Floats:
    """How far each must reach where others must reach `limit`; `usual` is that of the spec. See `comparable`.

    >>> needed(np.array([3.25, 4.0, 8.0]), np.array([1.65, 1.65, 1.65]), 4.0).round(2).tolist()
    [5.36, 6.6, 8.0]
    """
    return np.where(limit < usual, limit * farther, np.maximum(limit, usual * farther))
