"""One Prophet fit: the week's shape, holidays, and a straight trend and the year's shape where history is long enough.

Pure: the same points give the same expectation, so fits are remembered by the content of their points. A night, a
re-run and a range ask for the same week's fit again and again, and pay for it once a process.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from functools import lru_cache, partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.methods.scale import Floats, spread_about

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import pandas as pd

    from jobs.spec.judging import Detection

Days = npt.NDArray[np.datetime64]

TIMEOUT_SECONDS = 60.0
"""A fit takes about 0.02 s; one that takes this long is given up, and the seasonal median speaks instead."""

GIVEN_UP_SECONDS = 120.0
"""The same around all of it, the import of Prophet too, which stands still where a disk does."""

ENOUGH = 2
"""Fits given up one after the other, after which a process asks no more: 100 series would wait for hours."""

YEARLY_FROM = 300
"""Days of history from which a year's wave is fitted, and a straight trend beside it, which would pass for one."""

SHAPED_FROM = 730
"""Days of history, two years, from which a year's shape can be told from what happened once."""

WAVES, SHAPES = 1, 6
"""Pairs of Fourier terms of a year that was seen once, and of one that was seen twice."""


class FitError(Exception):
    """Prophet could not fit; the text says why. Callers fall back to the seasonal median."""


class Calendar(NamedTuple):
    """Days on which a figure may be what it otherwise never is, known beforehand."""

    country: str | None = None
    """ISO code; its public holidays."""
    events: tuple[tuple[str, tuple[date, ...]], ...] = ()
    """By name, the days of each known event; one name shares one effect."""


def calendar_of(detection: Detection) -> Calendar:
    """The calendar that a spec gives."""
    return Calendar(detection.country, tuple(sorted(detection.events.items())))


NO_CALENDAR = Calendar()


def fit(days: Days, values: Floats, targets: Days, calendar: Calendar = NO_CALENDAR) -> Floats:
    """What Prophet, fitted on (`days`, `values`), expects on `targets`; shape of `targets`.

    `days` are datetime64[D], ascending; `values` finite, on the judged scale. Raises FitError.
    """
    expected = _fit(days.astype("int64").tobytes(), values.tobytes(), targets.astype("int64").tobytes(), calendar)
    return np.frombuffer(expected, dtype=np.float64)


@lru_cache(maxsize=8192)
def _fit(days: bytes, values: bytes, targets: bytes, calendar: Calendar) -> bytes:
    y = np.frombuffer(values, dtype=np.float64)
    ds, asked = (np.frombuffer(raw, dtype=np.int64).astype("datetime64[D]") for raw in (days, targets))
    # Centred and scaled, Prophet's priors mean the same for a volume of a million and for a rate.
    centre = float(np.median(y))
    unit = spread_about(y, centre) or float(np.std(y))
    if unit < 1e-9 * max(1.0, abs(centre)):
        return np.full(asked.shape, centre).tobytes()
    try:
        shape = _patience.ask(partial(_prophet, ds, (y - centre) / unit, asked, calendar))
    except Exception as problem:  # whatever goes wrong in there, the night goes on with the named fallback
        raise FitError(f"{type(problem).__name__}: {problem}".splitlines()[0][:160]) from problem
    if not np.isfinite(shape).all():
        raise FitError("the fit is not finite")
    return np.ascontiguousarray(centre + unit * shape).tobytes()


class _Patience:
    """Asks for fits, each in bounded time, and stops asking after ENOUGH that were given up one after the other."""

    def __init__(self) -> None:
        self.given_up = 0

    def ask(self, work: Callable[[], Floats]) -> Floats:
        """What `work` returns or raises; TimeoutError where it takes too long, or others did.

        It runs in a thread, which is left behind when it hangs: the alarm signal is Airflow's, and works in the main
        thread only.
        """
        if self.given_up >= ENOUGH:
            raise TimeoutError(f"not asked again after {ENOUGH} fits without an answer")
        answers: SimpleQueue[Floats | BaseException] = SimpleQueue()
        Thread(target=_answer, args=(work, answers), name="fit", daemon=True).start()
        try:
            answer = answers.get(timeout=GIVEN_UP_SECONDS)
        except Empty:
            answer = TimeoutError(f"no answer within {GIVEN_UP_SECONDS:g} s")
        self.given_up = self.given_up + 1 if isinstance(answer, TimeoutError) else 0
        if isinstance(answer, BaseException):
            raise answer
        return answer


_patience = _Patience()


def _answer(work: Callable[[], Floats], answers: SimpleQueue[Floats | BaseException]) -> None:
    try:
        answers.put(work())
    except BaseException as problem:  # noqa: BLE001, RUF100 - it is raised where it is waited for
        answers.put(problem)


def _prophet(days: Days, y: Floats, targets: Days, calendar: Calendar) -> Floats:
    import pandas as pd

    model = _model(days, targets, calendar)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="nightjar-fit-") as folder:
        warnings.simplefilter("ignore")
        model.fit(
            pd.DataFrame({"ds": days.astype("datetime64[ns]"), "y": y}),
            timeout=TIMEOUT_SECONDS,
            output_dir=folder,
        )
        asked = pd.DataFrame({"ds": targets.astype("datetime64[ns]")})
        return np.asarray(model.predict(asked)["yhat"].to_numpy(), dtype=np.float64)


def _model(days: Days, targets: Days, calendar: Calendar) -> Any:
    prophet = _quiet_prophet()
    waves = yearly_waves(days)
    return prophet(
        growth="linear" if waves else "flat",
        n_changepoints=0,  # a trend that bends would learn a fault; the fit is faster without
        weekly_seasonality=True,
        yearly_seasonality=waves or False,
        daily_seasonality=False,
        uncertainty_samples=0,
        holidays=_marked(calendar, int(str(days[0])[:4]), int(str(targets[-1])[:4])),
    )


def yearly_waves(days: Days) -> int:
    """Pairs of Fourier terms for the year that so much history can tell; 0: neither the year nor a trend.

    >>> [yearly_waves(np.array(["2025-01-01", last], dtype="datetime64[D]")) for last in ("2025-06-01", "2026-01-01")]
    [0, 1]
    """
    span = int((days[-1] - days[0]).astype(int)) + 1
    return SHAPES if span >= SHAPED_FROM else WAVES if span >= YEARLY_FROM else 0


@lru_cache(maxsize=1)
def _quiet_prophet() -> Any:
    """Prophet's class. It and cmdstanpy report every fit, and the absence of plotly, through logging."""
    # Disabled, not raised in level: both packages set their loggers' levels and handlers again at every use.
    for name in ("prophet", "prophet.plot", "prophet.models", "cmdstanpy"):
        logging.getLogger(name).disabled = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from prophet import Prophet
    return Prophet


def holidays(days: Days, calendar: Calendar) -> npt.NDArray[np.bool_]:
    """Which days are marked in the calendar; none of a country that is not known."""
    return np.asarray(names(days, calendar) != "", dtype=bool)


def names(days: Days, calendar: Calendar) -> npt.NDArray[np.str_]:
    """The name of each day's holiday or event, empty where there is none; shape of `days`."""
    found = np.full(days.shape, "", dtype="<U120")
    if calendar == NO_CALENDAR or days.size == 0:
        return found
    try:
        known = _marked(calendar, int(str(days[0])[:4]), int(str(days[-1])[:4]))
    except Exception:  # an unknown country is told by the fit, which names the fallback that spoke
        return found
    if known is None:
        return found
    marked = dict(zip(known["ds"].to_numpy().astype("datetime64[D]").tolist(), known["holiday"], strict=True))
    return np.array([marked.get(day, "") for day in days.tolist()], dtype="<U120")


@lru_cache(maxsize=64)
def _marked(calendar: Calendar, first_year: int, last_year: int) -> pd.DataFrame | None:
    """Columns `ds` and `holiday`: the country's public holidays, from the `holidays` package, offline, and events."""
    _quiet_prophet()
    import pandas as pd
    from prophet.make_holidays import make_holidays_df

    parts = [
        pd.DataFrame({"ds": pd.to_datetime(list(days)), "holiday": name}) for name, days in calendar.events if days
    ]
    if calendar.country:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            years = list(range(first_year, last_year + 1))
            parts.append(make_holidays_df(year_list=years, country=calendar.country))
    return pd.concat(parts, ignore_index=True) if parts else None
