"""What a figure should be: Prophet fitted on the past only, and how far from that a night may stray.

Time is cut at ISO Mondays. The week that begins on a Monday is judged by what was known before it: one fit,
one spread. So a night, its re-run, and a range of a year that passes over it use the same fit and say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.methods import accumulating, rare, shifts, weekdays, weekly_fit
from jobs.methods import scale as scales
from jobs.methods.scale import Floats, Scale

if TYPE_CHECKING:
    from jobs.periods import Period
    from jobs.spec.judging import Detection

Days = npt.NDArray[np.datetime64]
Fit = Callable[[Days, Floats, Days, weekly_fit.Calendar], Floats]

NEEDED = 14
"""Points below which nothing is expected: two of each weekday."""

FAILED = "Prophet failed"
"""How the note begins that names the fallback."""

FIRST_TIME = "a holiday or event that the history does not hold"

SPREAD_DAYS = 180
"""Past days whose residuals tell how far a good day strays."""

SPREAD_NEEDED = 20
"""Out-of-sample residuals below which the fit's own residuals stand in."""

SPREAD_SURE = 60
"""Residuals from which their spread is taken as it is."""

IN_SAMPLE_FACTOR = 1.2
"""How much farther the next point lies from a fit than the points it was made of."""

LEAST_SHARE = 0.1
"""Of the past residuals' variance, what is never put down to sampling."""

EVENT_DOUBT = 3.0
"""How much wider, in variances, the range of a holiday or event is that was seen once; a third of it after three."""

STRAYED, YEAR_DAYS = 3.0, 365
"""How far a night must have strayed to be looked for a year later, as a holiday that no calendar names."""

LEVEL_DAYS = 42
"""Days whose residuals tell where the level is now, ..."""

LEVEL_GAP = 10
"""... which end that many days before the week, so that a new fault is found before it teaches itself."""

MEDIAN_DAYS = 56
"""Past days that a seasonal median looks at."""


@dataclass(frozen=True)
class Series:
    """One figure day by day: arrays of shape (points,), ordered by day, NaN where there is none.

    `expected` and `distance` are what earlier nights said; later ones are ignored.
    """

    kind: scales.Kind
    age: int
    days: Days
    value: Floats
    n: Floats
    error: Floats
    """Standard error of `value` on the metric's own scale."""
    expected: Floats
    distance: Floats


@dataclass(frozen=True)
class Judged:
    """What was expected of each point, on the metric's own scale; arrays of shape (points,), NaN: not judged."""

    expected: Floats
    lower: Floats
    upper: Floats
    distance: Floats
    """Standardised distance of the value from the expected one; negative is below."""
    reach: Floats
    """`distance`, or what the nights together say where that is farther (`accumulating.hear`); also of the past."""
    detector: list[str] = field(repr=False)
    note: list[str] = field(repr=False)
    """Why nothing was expected, or why the fallback spoke; else empty."""


class _Expectation(NamedTuple):
    centre: Floats
    """Expected values of the asked days, on the judged scale."""
    residuals: Floats
    """In-sample residuals, widened to what out-of-sample ones would be."""
    detector: str
    note: str = ""
    doubt: Floats | float = 1.0
    """By how much the own variance of the asked days is larger than that of others; NaN: they cannot be judged."""


class _Case(NamedTuple):
    """One series being judged; `result` fills up week by week, and later weeks look back at it."""

    series: Series
    result: Judged
    detection: Detection
    fit: Fit
    heard: list[int]
    """One number: the points before it have their reach in `result`."""


def nothing(points: int) -> Floats:
    """An array of NaN.

    >>> nothing(2)
    array([nan, nan])
    """
    return np.full(points, np.nan)


def monday_of(day: date) -> date:
    """The ISO Monday of a day's week.

    >>> monday_of(date(2025, 3, 2))
    datetime.date(2025, 2, 24)
    """
    return day - timedelta(days=day.weekday())


def judge(series: Series, period: Period, detection: Detection, fit: Fit = weekly_fit.fit) -> Judged:
    """Judge the points whose night (day + age) falls in the period, week by week, each by its past."""
    points = len(series.days)
    nights = series.days + np.timedelta64(series.age, "D")
    first, last = np.datetime64(period.first), np.datetime64(period.last)
    before = nights < first
    result = Judged(
        np.where(before, series.expected, np.nan), nothing(points), nothing(points),
        np.where(before, series.distance, np.nan), nothing(points), [""] * points, [""] * points,
    )  # fmt: skip
    case = _Case(series, result, detection, fit, [0])
    monday = np.datetime64(monday_of(period.first))
    while monday <= last:
        week = np.flatnonzero((nights >= max(monday, first)) & (nights < monday + 7) & (nights <= last))
        if week.size:
            _judge_week(case, int(np.searchsorted(nights, monday)), monday - series.age, week)
        monday += 7
    _listen(result, series.days, detection.limit)
    return result


def _listen(result: Judged, days: Days, limit: float) -> None:
    """Fill in how far each night reaches, and name the sum where it, and not the night alone, is outside."""
    heard = accumulating.hear(days, result.distance)
    result.reach[:] = heard.reach
    alone = np.abs(np.nan_to_num(result.distance)) > limit
    for position in np.flatnonzero((heard.by != "") & (np.abs(np.nan_to_num(heard.reach)) > limit) & ~alone):
        if result.detector[position]:
            result.detector[position] = str(heard.by[position])


def _judge_week(case: _Case, known: int, starts: np.datetime64, week: npt.NDArray[np.intp]) -> None:
    """Fill in the points of one week; `known` points came before it, `starts` is its first day."""
    series, detection = case.series, case.detection
    oldest = int(np.searchsorted(series.days, starts - detection.max_history))
    past = slice(oldest, known)
    if np.isfinite(series.value[past]).sum() >= detection.min_history:
        scale = scales.scale_of(series.kind, _finite(series.value[past]))
        expectation = _by_prophet(case, past, scale, starts)
        asked = expectation.centre[(series.days[week] - starts).astype(int)]
        doubt = _doubt(case, past, series.days[week])
        _write(case, past, week, scale, expectation._replace(centre=asked, doubt=doubt))
        return
    for position in week:  # at most the first weeks of a series
        past = slice(oldest, int(position))
        history = int(np.isfinite(series.value[past]).sum())
        if history < NEEDED:
            case.result.note[position] = f"only {history} nights of history, {NEEDED} needed"
            continue
        scale = scales.scale_of(series.kind, _finite(series.value[past]))
        here = np.array([position])
        _write(case, past, here, scale, _by_median(case, past, scale, series.days[here]))


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _learnable(case: _Case, past: slice, scale: Scale) -> tuple[Days, Floats]:
    """The past's days and values, on the judged scale, that a forecast may learn from."""
    days = case.series.days[past]
    y = scales.forward(scale, case.series.value[past], case.series.n[past])
    y, keep = shifts.learnable(days, y, _reach(case, past), case.detection.limit)
    # Last year's holiday was far outside its range; this year's is learnt from it.
    keep |= weekly_fit.holidays(days, weekly_fit.calendar_of(case.detection)) & np.isfinite(y)
    return days[keep], y[keep]


def _doubt(case: _Case, past: slice, asked: Days) -> Floats:
    """How much less is known of holidays and events than of other days: nothing of one that never was, NaN.

    A day on which the series strayed a year ago may be a holiday that no calendar names: it is one that was seen once.
    """
    calendar = weekly_fit.calendar_of(case.detection)
    names = weekly_fit.names(asked, calendar)
    doubt = np.where(_strayed_a_year_ago(case, past, asked), 1 + EVENT_DOUBT, 1.0)
    if (names != "").any():
        before = weekly_fit.names(case.series.days[past], calendar)[np.isfinite(case.series.value[past])]
        for position in np.flatnonzero(names != ""):
            seen = int((before == names[position]).sum())
            doubt[position] = 1 + EVENT_DOUBT / seen if seen else np.nan
    return doubt


def _strayed_a_year_ago(case: _Case, past: slice, asked: Days) -> npt.NDArray[np.bool_]:
    """Whether the past strayed on the same date a year before, or on its weekday, which is a day earlier or later.

    A fault that lasted is no holiday.
    """
    days = case.series.days[past]
    strayed = np.abs(np.nan_to_num(case.result.distance[past])) > STRAYED
    strayed &= ~shifts.lasting(days, _reach(case, past), case.detection.limit)
    year = asked - np.timedelta64(YEAR_DAYS, "D")
    return np.asarray(np.isin(year[:, None] + np.array([-1, 0, 1], dtype="timedelta64[D]"), days[strayed]).any(axis=1))


def _reach(case: _Case, past: slice) -> Floats:
    """How far the past nights reached, each as it did with the nights before it; heard once, as weeks go by."""
    days, reach = case.series.days, case.result.reach
    new = max(past.start, case.heard[0])
    if new < past.stop:
        begin = int(np.searchsorted(days, days[new] - accumulating.NEEDED))
        reach[new : past.stop] = accumulating.hear(
            days[begin : past.stop], case.result.distance[begin : past.stop]
        ).reach[new - begin :]
        case.heard[0] = past.stop
    return reach[past]


def _by_prophet(case: _Case, past: slice, scale: Scale, starts: np.datetime64) -> _Expectation:
    """What the seven days from `starts` should be; the seasonal median where Prophet fails."""
    days, y = _learnable(case, past, scale)
    week = starts + np.arange(7)
    try:
        expected = case.fit(days, y, np.concatenate([days, week]), weekly_fit.calendar_of(case.detection))
    except weekly_fit.FitError as problem:
        note = f"{FAILED} ({problem}); the seasonal median spoke instead"
        return _by_median(case, past, scale, week)._replace(note=note)
    residuals = y - expected[:-7]
    # A flat level lags behind a slow trend: the last weeks tell where it is now. They end before a new fault.
    until = starts - LEVEL_GAP
    recent = (days < until) & (days >= until - LEVEL_DAYS)
    level = float(np.median(residuals[recent])) if recent.sum() >= NEEDED else 0.0
    return _Expectation(expected[-7:] + level, residuals * IN_SAMPLE_FACTOR, "prophet")


def _by_median(case: _Case, past: slice, scale: Scale, asked: Days) -> _Expectation:
    """The usual value of the same weekday in the last eight weeks (`weekdays.usual`)."""
    days, y = _learnable(case, past, scale)
    lately = days >= days[-1] - MEDIAN_DAYS
    if lately.sum() < NEEDED:  # after a pause
        lately[:] = True
    y, weekday = y[lately], shifts.weekday(days[lately])
    centre = weekdays.usual(y, weekday)[shifts.weekday(asked)]
    return _Expectation(centre, weekdays.left_out(y, weekday), "seasonal_median")


def _write(case: _Case, past: slice, where: npt.NDArray[np.intp], scale: Scale, expectation: _Expectation) -> None:
    series, result, limit = case.series, case.result, case.detection.limit
    centre = expectation.centre
    expected = scales.backward(scale, centre)
    own = _own_variance(case, past, scale, expectation.residuals)
    error = scales.relative_error(scale, series.value[where], series.error[where], expected)
    sampling = scales.sampling_variance(scale, expected, series.n[where], error)
    spread = np.sqrt(own * expectation.doubt + sampling)
    y = scales.forward(scale, series.value[where], series.n[where])
    result.expected[where] = expected
    result.lower[where] = scales.backward(scale, centre - limit * spread)
    result.upper[where] = scales.backward(scale, centre + limit * spread)
    result.distance[where] = (y - centre) / spread
    doubts = np.broadcast_to(expectation.doubt, where.shape)
    seldom = rare.rare(scale, expected, series.n[where], error)
    if seldom.any():
        _write_rare(case, where[seldom], scale, centre[seldom], np.sqrt(own * doubts[seldom]))
    for position, doubt in zip(where, doubts, strict=True):
        result.detector[position] = expectation.detector
        result.note[position] = expectation.note if np.isfinite(doubt) else FIRST_TIME


def _write_rare(case: _Case, where: npt.NDArray[np.intp], scale: Scale, centre: Floats, own: Floats) -> None:
    """The same for points of which so few events are expected that the scale would hide them."""
    series, result = case.series, case.result
    expected, n = result.expected[where], series.n[where]
    result.distance[where] = rare.distance(scale, series.value[where], expected, centre, n, own)
    result.lower[where], result.upper[where] = rare.bounds(scale, expected, centre, n, own, case.detection.limit)


def _own_variance(case: _Case, past: slice, scale: Scale, in_sample: Floats) -> float:
    """How much good days stray beyond what counting their rows explains (robust, out of sample)."""
    series, result = case.series, case.result
    first = int(np.searchsorted(series.days, series.days[past][-1] - SPREAD_DAYS))
    window = slice(max(first, past.start), past.stop)
    expected, value, n = result.expected[window], series.value[window], series.n[window]
    told = np.isfinite(expected) & np.isfinite(value)
    told &= ~shifts.lasting(series.days[window], _reach(case, window), case.detection.limit)
    least = scales.smallest_spread(scale, _finite(value)) ** 2
    if told.sum() < SPREAD_NEEDED:
        return max((scales.biweight(in_sample) * scales.small_sample(len(in_sample))) ** 2, least)
    centre = scales.forward(scale, expected[told], np.full(int(told.sum()), np.inf))
    residuals = scales.forward(scale, value[told], n[told]) - centre
    error = scales.relative_error(scale, value[told], series.error[window][told], expected[told])
    sampled = scales.sampling_variance(scale, expected[told], n[told], error)
    widened = scales.small_sample(len(residuals)) if len(residuals) < SPREAD_SURE else 1.0
    total = (scales.biweight(residuals) * widened) ** 2
    return max(total - float(np.median(sampled)), LEAST_SHARE * total, least)
