"""Any series of a day's or an hour's steps, judged by the detector of nights.

A daily series is judged as it is. An hourly one is judged as 24 daily series, one for each hour of the day: two in
the afternoon is held against other afternoons at two. So the day's shape needs no model, a calm night has a narrower
range than a busy noon, and holidays and the week's shape are those of the daily detector, with its weekly refits,
masks and shifts. The price: 24 fits a week, and 28 days before an hour is expected by more than a median.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from jobs.methods import forecast, scale
from jobs.periods import Period

if TYPE_CHECKING:
    from jobs.methods.scale import Floats
    from jobs.spec.model import Detection

Grain = Literal["daily", "hourly"]
Direction = Literal["up", "down", "both"]

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
    """About how many fits judging it takes: one a week, of hourly series one for each hour of the day too."""
    days = int((history.moments[-1] - history.moments[0]) / np.timedelta64(1, "D"))
    return (days // 7 + 1) * (24 if history.grain == "hourly" else 1)


def find(history: History, detection: Detection) -> Found:
    """Judge every point of a history by the points before it."""
    points = len(history.y)
    nan, text = forecast.nothing(points), np.full(points, "", dtype=object)
    whole = _Whole(nan, nan.copy(), nan.copy(), nan.copy(), text, text.copy())
    hours = (history.moments - history.moments.astype("datetime64[D]")).astype(int) // 3600
    for hour in np.unique(hours) if history.grain == "hourly" else [None]:
        where = np.arange(points) if hour is None else np.flatnonzero(hours == hour)
        _judge(history, where, detection, whole)
    side = SIDES[history.direction]
    outside = np.abs(np.nan_to_num(whole.distance)) > detection.limit
    anomaly = outside & (side * np.nan_to_num(whole.distance) >= 0)
    return Found(
        whole.expected, whole.lower, whole.upper, whole.distance, anomaly,
        np.where(np.isfinite(whole.distance), whole.detector, ""),
        _reasons(history, whole, outside, anomaly),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Whole:
    """What is filled in, part by part."""

    expected: Floats
    lower: Floats
    upper: Floats
    distance: Floats
    detector: npt.NDArray[np.object_]
    note: npt.NDArray[np.object_]


def _judge(history: History, where: npt.NDArray[np.intp], detection: Detection, whole: _Whole) -> None:
    """Judge the points at `where`, one of each day at most, and write what was found into `whole`."""
    days = history.moments[where].astype("datetime64[D]")
    unknown = forecast.nothing(len(where))
    series = forecast.Series(
        kind=history.kind, age=0, days=days, value=history.y[where], n=history.n[where],
        error=unknown, expected=unknown, distance=unknown,
    )  # fmt: skip
    told = forecast.judge(series, Period(days[0].item(), days[-1].item()), detection)
    for name in ("expected", "lower", "upper", "distance"):
        getattr(whole, name)[where] = getattr(told, name)
    whole.detector[where] = told.detector
    whole.note[where] = told.note


def _reasons(
    history: History, whole: _Whole, outside: npt.NDArray[np.bool_], anomaly: npt.NDArray[np.bool_]
) -> npt.NDArray[np.object_]:
    answer = np.full(len(history.y), "within the expected range", dtype=object)
    silent = ~np.isfinite(whole.distance)
    answer[silent] = np.where(np.isfinite(history.y[silent]), whole.note[silent], "no value")
    answer[silent & (answer == "")] = "nothing was expected"
    for place in np.flatnonzero(outside):
        lead = "" if anomaly[place] else "on the harmless side: "
        expected, lower, upper = (float(one[place]) for one in (whole.expected, whole.lower, whole.upper))
        answer[place] = lead + sentence(float(history.y[place]), expected, lower, upper, float(whole.distance[place]))
    noted = ~silent & (whole.note != "")
    answer[noted] = answer[noted] + "; " + whole.note[noted]
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
