"""Simple detectors that ours is held against. Each: a series -> a score a day, NaN where it says nothing.

A score above the usual threshold of the detector (`USUAL`) is a flag. Every one is online: the score of a day is made
from days before it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from jobs.methods import weekly_fit
from jobs.methods.forecast import Series
from jobs.methods.scale import MAD_TO_SD

Detector = Callable[[Series, np.datetime64], np.ndarray]
EVERY = 28
"""Days between refits of plain Prophet; refitting every week changes little and costs four times as much."""


def reference_mean(series: Series, start: np.datetime64) -> np.ndarray:
    """Distance from the mean of all days before `start`, in their standard deviations."""
    past = series.value[(series.days < start) & np.isfinite(series.value)]
    if len(past) < 14:
        return np.full(series.value.shape, np.nan)
    return (series.value - past.mean()) / max(past.std(), 1e-12)


def rolling_z(series: Series, _start: np.datetime64) -> np.ndarray:
    """Distance from the mean of the 28 days before, in their standard deviations."""
    past = pd.Series(series.value).rolling(28, min_periods=14)
    return ((series.value - past.mean().shift(1)) / past.std().shift(1).clip(lower=1e-12)).to_numpy()


def robust_z(series: Series, _start: np.datetime64) -> np.ndarray:
    """Distance from the median of the 28 days before, in their median absolute deviations (times 1.48)."""
    return _robust(pd.Series(series.value), 28, 14)


def weekday_median(series: Series, _start: np.datetime64) -> np.ndarray:
    """Distance from the median of the same weekday in the eight weeks before, in median absolute deviations."""
    values = pd.Series(series.value)
    weekday = (series.days.astype("int64") + 3) % 7
    centre = values.groupby(weekday).transform(lambda same: same.rolling(8, min_periods=3).median().shift(1))
    residual = values - centre
    spread = MAD_TO_SD * residual.abs().rolling(56, min_periods=14).median().shift(1)
    return (residual / spread.clip(lower=1e-12)).to_numpy()


def _robust(values: pd.Series, days: int, least: int) -> np.ndarray:
    centre = values.rolling(days, min_periods=least).median().shift(1)
    spread = values.rolling(days, min_periods=least).apply(
        lambda w: np.nanmedian(np.abs(w - np.nanmedian(w))), raw=True
    )
    return ((values - centre) / (MAD_TO_SD * spread.shift(1)).clip(lower=1e-12)).to_numpy()


def plain_prophet(series: Series, start: np.datetime64) -> tuple[np.ndarray, np.ndarray]:
    """Prophet as its tutorials use it, on raw values: distance in in-sample sigmas, and in halves of its interval.

    The second answer is beyond 1 where a day lies outside Prophet's own 99 % interval.
    """
    sigmas, halves = (np.full(series.value.shape, np.nan) for _ in range(2))
    known = np.isfinite(series.value)
    for begin in np.arange(start, series.days[-1] + 1, EVERY):
        past = known & (series.days < begin)
        ahead = (series.days >= begin) & (series.days < begin + EVERY)
        if past.sum() < 14 or not ahead.any():
            continue
        fitted = _plain(series.days[past], series.value[past], series.days[ahead])
        centre, lower, upper, inside = fitted
        residual = series.value[ahead] - centre
        sigmas[ahead] = residual / max(float(np.std(series.value[past] - inside)), 1e-12)
        halves[ahead] = np.where(residual > 0, residual / (upper - centre), residual / (centre - lower))
    return sigmas, halves


def _plain(days: np.ndarray, values: np.ndarray, ahead: np.ndarray) -> tuple[np.ndarray, ...]:
    prophet = weekly_fit._quiet_prophet()
    model = prophet(interval_width=0.99, uncertainty_samples=300)
    np.random.seed(0)
    model.fit(pd.DataFrame({"ds": days.astype("datetime64[ns]"), "y": values}))
    asked = np.concatenate([days, ahead]).astype("datetime64[ns]")
    told = model.predict(pd.DataFrame({"ds": asked}))
    centre, lower, upper = (told[name].to_numpy()[len(days) :] for name in ("yhat", "yhat_lower", "yhat_upper"))
    return centre, lower, upper, told["yhat"].to_numpy()[: len(days)]


SIMPLE: dict[str, tuple[Detector, float]] = {
    "reference mean ± 3 sd": (reference_mean, 3.0),
    "28-day z-score, 3": (rolling_z, 3.0),
    "weekday median and MAD, 3.5": (weekday_median, 3.5),
    "28-day median and MAD, 6": (robust_z, 6.0),
}
