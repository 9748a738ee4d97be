"""What an hourly figure should be: Prophet on hourly steps, fitted on the past only, week by week.

One fit a week with the day's and the week's shape, and a spread for each hour of the day, half its own and half that
of all hours: a calm night has a narrower range than a busy noon, and few nights do not make one that is too narrow.
Measured on 63 real hourly series against 24 daily series, one for each hour: see docs/detection.md.
"""

from __future__ import annotations

import tempfile
import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.methods import forecast, shifts, weekly_fit
from jobs.methods import scale as scales

if TYPE_CHECKING:
    from jobs.methods.scale import Floats, Kind, Scale
    from jobs.spec.judging import Detection

Moments = npt.NDArray[np.datetime64]
"""datetime64[s], whole hours."""

NEEDED_DAYS = 14
"""Days of hours, half of them at least known, before a week is expected."""

HISTORY_DAYS = 180
"""Past days that a week's fit and spread are made of, at most `detection.max_history`."""

LEVEL_DAYS = 14
"""The level is that of the last days: a lasting shift is accepted on the Monday after it fills half of them."""

DAY_WAVES = 8
"""Pairs of sine and cosine that the day's shape is made of."""

OWN_SHARE = 0.5
"""How much of an hour's spread is its own; the rest is that of all hours."""

OWN_NEEDED = 7
"""Residuals below which an hour has no spread of its own."""


class _Past(NamedTuple):
    """What a week is judged by, on the judged scale."""

    moments: Moments
    y: Floats
    distance: Floats


def judge(kind: Kind, moments: Moments, value: Floats, n: Floats, detection: Detection) -> forecast.Judged:
    """Judge each hour by the weeks before its own; arrays of shape (points,), ordered by moment, NaN: no value."""
    points = len(moments)
    nan = forecast.nothing(points)
    result = forecast.Judged(nan, nan.copy(), nan.copy(), nan.copy(), nan.copy(), [""] * points, [""] * points)
    residual = nan.copy()  # out of sample, on the judged scale of its own week
    days = moments.astype("datetime64[D]")
    mondays = days - shifts.weekday(days)
    for monday in np.unique(mondays):
        week = np.flatnonzero(mondays == monday)
        since = monday - min(HISTORY_DAYS, detection.max_history)
        past = np.flatnonzero((days >= since) & (days < monday) & np.isfinite(value))
        # Of a shop that opens ten hours a day, ten hours are a day.
        known_days = len(past) // max(len(np.unique(hour_of(moments[past]))), 1)
        if known_days < NEEDED_DAYS:
            for place in week:
                result.note[place] = f"only {known_days} days of history before its week, {NEEDED_DAYS} needed"
            continue
        _judge_week(kind, (moments, value, n), (past, week), detection, result, residual)
    result.reach[:] = result.distance
    return result


def _judge_week(
    kind: Kind,
    given: tuple[Moments, Floats, Floats],
    places: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    detection: Detection,
    result: forecast.Judged,
    residual: Floats,
) -> None:
    """Fill in the hours of one week of `result`, and their residuals."""
    (moments, value, n), (past, week) = given, places
    scale = scales.scale_of(kind, value[past])
    y = scales.forward(scale, value, n)
    before = _Past(moments[past], y[past], result.distance[past])
    centre, in_sample, detector, note = _expect(before, moments[week], detection)
    expected = scales.backward(scale, centre)
    known = np.isfinite(residual[past])
    trusted = known.sum() >= OWN_NEEDED * 24
    base = residual[past][known] if trusted else in_sample * forecast.IN_SAMPLE_FACTOR
    at = hour_of(moments[past])[known] if trusted else hour_of(moments[past])
    sampled = scales.sampling_variance(scale, value[past], n[past], forecast.nothing(len(past)))
    own = _own_variance(scale, base, at, sampled[known] if trusted else sampled, value[past])
    sampling = scales.sampling_variance(scale, expected, n[week], forecast.nothing(len(week)))
    spread = np.sqrt(own[hour_of(moments[week])] + sampling)
    residual[week] = y[week] - centre
    result.expected[week] = expected
    result.lower[week] = scales.backward(scale, centre - detection.limit * spread)
    result.upper[week] = scales.backward(scale, centre + detection.limit * spread)
    result.distance[week] = residual[week] / spread
    for place in week:
        result.detector[place], result.note[place] = detector, note


def hour_of(moments: Moments) -> npt.NDArray[np.int64]:
    """The hour of the day, 0 to 23.

    >>> hour_of(np.array(["2025-03-01T14:00:00"], dtype="datetime64[s]"))
    array([14])
    """
    return np.asarray(moments.astype("datetime64[h]").astype(np.int64) % 24)


def _expect(past: _Past, asked: Moments, detection: Detection) -> tuple[Floats, Floats, str, str]:
    """Centres of the asked hours, in-sample residuals of the past ones, who spoke, and why it was not Prophet."""
    calendar = weekly_fit.calendar_of(detection)
    learnt = np.abs(np.nan_to_num(past.distance)) <= detection.limit
    learnt |= weekly_fit.holidays(past.moments.astype("datetime64[D]"), calendar)
    if learnt.sum() < NEEDED_DAYS * 24 / 2:
        learnt[:] = True
    every = np.concatenate([past.moments, asked])
    note = ""
    try:
        shape, detector = _by_prophet(past.moments[learnt], past.y[learnt], every, calendar), "prophet"
    except weekly_fit.FitError as problem:
        shape, detector = _by_median(past.moments[learnt], past.y[learnt], every), "seasonal_median"
        note = f"Prophet failed ({problem}); the seasonal median spoke instead"
    left = past.y - shape[: len(past.y)]
    level = float(np.median(left[past.moments >= past.moments[-1] - np.timedelta64(LEVEL_DAYS, "D")]))
    return shape[len(past.y) :] + level, left, detector, note


def _by_median(moments: Moments, y: Floats, asked: Moments) -> Floats:
    """The median of the same hour of the day in all that was learnt."""
    hours = hour_of(moments)
    medians = np.array([np.median(y[hours == k]) if (hours == k).any() else np.median(y) for k in range(24)])
    return np.asarray(medians[hour_of(asked)])


def _own_variance(
    scale: Scale, residuals: Floats, hours: npt.NDArray[np.int64], sampled: Floats, values: Floats
) -> Floats:
    """By hour of the day, how much good hours stray beyond what counting their rows explains; shape (24,)."""
    least = scales.smallest_spread(scale, values) ** 2
    whole = scales.spread_about(residuals)
    answer = np.empty(24)
    for hour in range(24):
        here = hours == hour
        enough = here.sum() >= OWN_NEEDED
        spread = OWN_SHARE * scales.spread_about(residuals[here]) + (1 - OWN_SHARE) * whole if enough else whole
        chance = float(np.median(sampled[here])) if enough else float(np.median(sampled))
        answer[hour] = max(spread**2 - chance, forecast.LEAST_SHARE * spread**2, least)
    return answer


def _by_prophet(moments: Moments, y: Floats, asked: Moments, calendar: weekly_fit.Calendar) -> Floats:
    """What Prophet, fitted on (`moments`, `y`), expects of the asked hours. Raises FitError."""
    import pandas as pd

    centre = float(np.median(y))
    unit = scales.spread_about(y, centre) or float(np.std(y))
    if unit < 1e-9 * max(1.0, abs(centre)):
        return np.full(len(asked), centre)
    try:
        prophet = weekly_fit._quiet_prophet()  # the one place that silences it
        model = prophet(
            growth="flat", n_changepoints=0, weekly_seasonality=True, daily_seasonality=DAY_WAVES,
            yearly_seasonality=False, uncertainty_samples=0, holidays=_marked(asked, calendar),
        )  # fmt: skip
        with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="nightjar-fit-") as folder:
            warnings.simplefilter("ignore")
            known = pd.DataFrame({"ds": moments.astype("datetime64[ns]"), "y": (y - centre) / unit})
            model.fit(known, timeout=weekly_fit.TIMEOUT_SECONDS, output_dir=folder)
            told = model.predict(pd.DataFrame({"ds": asked.astype("datetime64[ns]")}))["yhat"]
    except Exception as problem:  # whatever goes wrong in there, the named fallback speaks
        raise weekly_fit.FitError(f"{type(problem).__name__}: {problem}".splitlines()[0][:160]) from problem
    shape = told.to_numpy(dtype=np.float64)
    if not np.isfinite(shape).all():
        raise weekly_fit.FitError("the fit is not finite")
    return np.asarray(centre + unit * shape)


def _marked(moments: Moments, calendar: weekly_fit.Calendar) -> object:
    """Holidays and events among the days, as Prophet wants them; None where there are none."""
    import pandas as pd

    days = np.unique(moments.astype("datetime64[D]"))
    names = weekly_fit.names(days, calendar)
    marked = names != ""
    if not marked.any():
        return None
    return pd.DataFrame({"ds": days[marked].astype("datetime64[ns]"), "holiday": names[marked]})
