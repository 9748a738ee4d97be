"""Any series of a day's or an hour's steps, judged by the detector of nights: each point by the points before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from jobs.methods import forecast, hourly, recurring, scale
from jobs.periods import Period

if TYPE_CHECKING:
    from jobs.methods.forecast import Judged
    from jobs.methods.scale import Floats
    from jobs.spec.judging import Detection

Grain = Literal["daily", "hourly"]
Direction = Literal["up", "down", "both"]

TOGETHER = {
    "ewma": ", and so were the points before it, together more than chance explains",
    "scatter": ", and the points before it scatter more than they should",
}
"""What is added where one point alone would not have been told."""

SIDES: dict[Direction, float] = {"up": 1.0, "down": -1.0, "both": 0.0}


@dataclass(frozen=True, eq=False)
class History:
    """One series; arrays of shape (points,), ordered by `moments` (datetime64[s]), NaN where there is no value."""

    name: str
    grain: Grain
    kind: scale.Kind
    direction: Direction
    """Which side hurts."""
    moments: npt.NDArray[np.datetime64]
    y: Floats
    n: Floats
    """Rows behind each value; NaN where nobody said."""


@dataclass(frozen=True, eq=False)
class Found:
    """What was expected of each point of a history, and what is said of it; arrays of shape (points,)."""

    expected: Floats
    lower: Floats
    upper: Floats
    distance: Floats
    """Standardised distance; NaN where nothing was expected or there is no value."""
    anomaly: npt.NDArray[np.bool_]
    detector: npt.NDArray[np.object_]
    """Who spoke; empty where nobody did."""
    reason: npt.NDArray[np.object_]


def fits(history: History) -> int:
    """About how many fits judging it takes: one a week; one on hours costs that of ten on days."""
    days = int((history.moments[-1] - history.moments[0]) / np.timedelta64(1, "D"))
    return (days // 7 + 1) * (10 if history.grain == "hourly" else 1)


def find(history: History, detection: Detection) -> Found:
    """Judge every point of a history by the points before it."""
    told = _judged(history, detection)
    reach, side = np.nan_to_num(told.reach), SIDES[history.direction]
    harmful = np.abs(reach) if side == 0 else side * reach
    needed = detection.limit * _farther(history, harmful, detection)
    anomaly = harmful > needed
    detector = np.array(told.detector, dtype=object)
    detector[~np.isfinite(told.distance)] = ""
    usual = np.where((harmful > detection.limit) & ~anomaly, needed, np.nan)
    reason = _reasons(history, told, np.abs(reach) > detection.limit, usual)
    return Found(told.expected, told.lower, told.upper, told.distance, anomaly, detector, reason)


def _farther(history: History, harmful: Floats, detection: Detection) -> Floats:
    """How many times the limit each point must reach. Hours are judged by half a year, in which no habit shows."""
    if history.grain == "hourly":
        return np.ones(len(harmful))
    days = history.moments.astype("datetime64[D]")
    return recurring.farther(days, days, harmful, detection)


def _judged(history: History, detection: Detection) -> Judged:
    if history.grain == "hourly":
        return hourly.judge(history.kind, history.moments, history.y, history.n, detection)
    days = history.moments.astype("datetime64[D]")
    unknown = forecast.nothing(len(days))
    series = forecast.Series(
        kind=history.kind, age=0, days=days, value=history.y, n=history.n,
        error=unknown, expected=unknown, distance=unknown,
    )  # fmt: skip
    return forecast.judge(series, Period(days[0].item(), days[-1].item()), detection)


def _reasons(history: History, told: Judged, outside: npt.NDArray[np.bool_], usual: Floats) -> npt.NDArray[np.object_]:
    """One sentence a point; `usual`: how far those must reach that are outside as several times before, else NaN."""
    side = SIDES[history.direction]
    note = np.array(told.note, dtype=object)
    answer = np.full(len(note), "within the expected range", dtype=object)
    silent = ~np.isfinite(told.distance)
    answer[silent] = np.where(np.isfinite(history.y[silent]), note[silent], "no value")
    answer[silent & (answer == "")] = "nothing was expected"
    for place in np.flatnonzero(outside):
        lead = "on the harmless side: " if side * told.reach[place] < 0 else ""
        figures = (history.y[place], *(one[place] for one in (told.expected, told.lower, told.upper, told.distance)))
        more = TOGETHER.get(told.detector[place], "")
        if np.isfinite(usual[place]):
            more += ", as several times before" + ("" if more else f"; {usual[place]:.1f} would be an anomaly")
        answer[place] = lead + sentence(*map(float, figures)) + more
    noted = ~silent & (note != "")
    answer[noted] = answer[noted] + "; " + note[noted]
    return answer


def sentence(y: float, expected: float, lower: float, upper: float, distance: float) -> str:
    """How far a value is from what was expected, in words.

    >>> sentence(12, 1890, 1702.4, 2099, -31.24)
    '12 is below the expected 1,890 (1,702 to 2,099), 31.2 deviations away'
    """
    side = "below" if distance < 0 else "above"
    return (
        f"{number(y)} is {side} the expected {number(expected)} ({number(lower)} to {number(upper)}), "
        f"{abs(distance):.1f} deviations away"
    )


def number(value: float) -> str:
    """Four digits that matter, thousands set apart.

    >>> number(1234567.8), number(0.012345), number(12.0)
    ('1,234,568', '0.01235', '12')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
