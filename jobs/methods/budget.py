"""All series of a night judged together: how far one must reach so that a model's false alarms stay within a budget.

One series at a limit of four is quiet for years; a hundred of them are not. The limit therefore grows with the series
judged that night, and it is the lower the more of them are odd at once: of five that go wrong together, hardly one is
there by chance. This is the procedure of Benjamini and Hochberg (1995), with a measured tail in place of a normal one.

A fault seldom hits one figure alone. On the day on which a figure first goes beyond its limit somebody is woken anyway,
and figures beside it that stray on the same day are more likely hit than not: they are told with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from jobs.methods.scale import Floats

    Days = npt.NDArray[np.datetime64]
    Numbers = npt.NDArray[np.integer[Any]]
    Flags = npt.NDArray[np.bool_]

WEEKS_A_YEAR = 365.25 / 7

AT_FOUR = 0.11
"""False alarms that one clean series raises a year at a limit of 4 (benchmarks/anomalies.py, tuning seeds)."""

DECAY = 2.0
"""By how much the logarithm of that falls for each unit of the limit; a normal tail would fall by about four."""

TOGETHER = 1 / 16
"""By what share a night on which several series are odd may go below the limit that a range has."""

BESIDE = 3 / 16
"""By what share a figure may lie below that limit on the day on which another is told anew."""

QUIET = np.timedelta64(14, "D")
"""A figure that was not beyond its limit for so long goes beyond it anew."""


def needed(series: Floats, false_alarms: float) -> Floats:
    """The reach that keeps `series` clean series together within `false_alarms` a week.

    >>> needed(np.array([10.0, 100.0, 300.0]), 0.02).round(2).tolist()
    [4.03, 5.18, 5.73]
    """
    with np.errstate(divide="ignore"):
        return np.asarray(4 + np.log(AT_FOUR * series / (WEEKS_A_YEAR * false_alarms)) / DECAY)


def limits(night: Days, harmful: Floats, false_alarms: float, least: float) -> Floats:
    """Of each figure, the reach beyond which it is an alarm; the same for all figures of a night.

    `harmful`: how far each reaches on the side that hurts, NaN where it is not judged; `least`: no limit is lower.

    >>> night = np.repeat(np.array(["2025-03-01", "2025-03-02"], dtype="datetime64[D]"), 10)
    >>> reach = np.r_[np.full(9, 1.0), 4.1, np.full(6, 1.0), np.full(4, 4.1)]
    >>> limits(night, reach, 0.02, least=3.5)[[0, 10]].round(2).tolist()
    [4.03, 3.5]
    """
    _, which = np.unique(night, return_inverse=True)
    judged = np.isfinite(harmful)
    total = np.bincount(which[judged], minlength=which.max(initial=-1) + 1)[which]
    rank = np.ones(len(harmful))
    order = np.lexsort((-np.nan_to_num(harmful, nan=-np.inf), which))
    first = np.r_[True, which[order][1:] != which[order][:-1]]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    rank[order] = np.arange(len(order)) - starts + 1
    own = np.maximum(needed(np.maximum(total, 1) / rank, false_alarms), least)
    told = judged & (harmful > own)
    # Step-up: the farthest rank that is beyond its own limit sets the limit of its night.
    answer = np.maximum(needed(np.maximum(total, 1).astype(float), false_alarms), least)
    lowest = np.full(which.max(initial=-1) + 1, np.inf)
    np.minimum.at(lowest, which[told], own[told])
    return np.asarray(np.minimum(answer, lowest[which]))


def beside(series: Numbers, figure: Numbers, day: Days, night: Days, out: Flags) -> Flags:
    """Which rows are of a day of which another figure is told anew, and that is known by their night.

    Arrays of shape (rows,): `series` numbers a figure at one label age, `figure` the same at all of its ages, `out`
    says which are told by themselves.

    >>> day = np.repeat(np.array(["2025-03-01", "2025-03-02"], dtype="datetime64[D]"), 3)
    >>> name = np.tile(np.arange(3), 2)
    >>> beside(name, name, day, day, np.array([True, False, False, True, False, False])).tolist()
    [False, True, True, False, False, False]
    """
    where = np.flatnonzero(out)
    where = where[np.lexsort((day[where], series[where]))]
    same = np.r_[False, series[where][1:] == series[where][:-1]] if where.size else np.zeros(0, dtype=bool)
    anew = where[~(same & (np.diff(day[where], prepend=day[where][:1]) <= QUIET))]
    answer = np.zeros(len(day), dtype=bool)
    order = np.argsort(day, kind="stable")
    sorted_days = day[order]
    for first in anew:
        since, until = np.searchsorted(sorted_days, [day[first], day[first] + np.timedelta64(1, "D")])
        rows = order[since:until]
        answer[rows] |= (figure[rows] != figure[first]) & (night[rows] >= night[first])
    return answer
