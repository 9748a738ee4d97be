"""All series of a night judged together: how far one must reach so that a model's false alarms stay within a budget.

One series at a limit of four is quiet for years; a hundred of them are not. The limit therefore grows with the series
judged that night, and it is the lower the more of them are odd at once: of five that go wrong together, hardly one is
there by chance. This is the procedure of Benjamini and Hochberg (1995), with a measured tail in place of a normal one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from jobs.methods.scale import Floats

WEEKS_A_YEAR = 365.25 / 7

AT_FOUR = 0.17
"""False alarms that one clean series raises a year at a limit of 4 (benchmarks/anomalies.py, tuning seeds)."""

DECAY = 2.54
"""By how much the logarithm of that falls for each unit of the limit; a normal tail would fall by about four."""


TOGETHER = 0.25
"""By how much a night on which several series are odd may go below the limit that a range has."""


def needed(series: Floats, false_alarms: float) -> Floats:
    """The reach that keeps `series` clean series together within `false_alarms` a week.

    >>> needed(np.array([10.0, 100.0, 300.0]), 0.02).round(2).tolist()
    [4.19, 5.1, 5.53]
    """
    with np.errstate(divide="ignore"):
        return np.asarray(4 + np.log(AT_FOUR * series / (WEEKS_A_YEAR * false_alarms)) / DECAY)


def limits(night: npt.NDArray[np.datetime64], harmful: Floats, false_alarms: float, least: float) -> Floats:
    """Of each figure, the reach beyond which it is an alarm; the same for all figures of a night.

    `harmful`: how far each reaches on the side that hurts, NaN where it is not judged; `least`: no limit is lower.

    >>> night = np.repeat(np.array(["2025-03-01", "2025-03-02"], dtype="datetime64[D]"), 10)
    >>> reach = np.r_[np.full(9, 1.0), 4.1, np.full(6, 1.0), np.full(4, 4.1)]
    >>> limits(night, reach, 0.02, least=3.5)[[0, 10]].round(2).tolist()
    [4.19, 3.65]
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
