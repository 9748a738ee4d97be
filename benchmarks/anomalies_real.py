"""Real labelled daily series: how many labelled windows are found, at how many false alarms a hundred points.

Judged from the 15th point on, which is where ours begins to speak, or from a later one; windows that end before are
left out for all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.anomalies_sim import bench
from jobs.methods.forecast import Series, nothing
from jobs.methods.shifts import BRIDGED

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN = 14
"""Points that nothing is said of."""


class Labelled(NamedTuple):
    """A series, the days inside any labelled window, and those windows as (first, last) positions."""

    name: str
    series: Series
    inside: np.ndarray
    windows: list[tuple[int, int]]


@lru_cache
def daily() -> list[Labelled]:
    """The daily series of the collection, in its order."""
    folder = bench() / "anomaly_series"
    points, listed = pd.read_parquet(folder / "series.parquet"), pd.read_csv(folder / "series.csv")
    windows = pd.read_csv(folder / "windows.csv", parse_dates=["start", "end"])
    chosen = listed.loc[listed["freq"] == "daily", "series_id"]
    return [
        _labelled(name, points[points["series_id"] == name], windows[windows["series_id"] == name]) for name in chosen
    ]


def _labelled(name: str, rows: pd.DataFrame, windows: pd.DataFrame) -> Labelled:
    days = rows["ds"].dt.normalize().to_numpy().astype("datetime64[D]")
    value = rows["y"].to_numpy(dtype=float)
    points = len(value)
    # Taken as it is, as `nightjar detect` takes a series that does not name its kind.
    series = Series("level", 0, days, value, *(nothing(points) for _ in range(4)))
    spans = []
    for window in windows.itertuples():
        within = (days >= np.datetime64(window.start, "D")) & (days <= np.datetime64(window.end, "D"))
        where = np.flatnonzero(within)
        if where.size:
            spans.append((int(where[0]), int(where[-1])))
    return Labelled(name, series, rows["in_window"].to_numpy(dtype=bool) | _covered(points, spans), spans)


def _covered(points: int, spans: list[tuple[int, int]]) -> np.ndarray:
    inside = np.zeros(points, dtype=bool)
    for first, last in spans:
        inside[first : last + 1] = True
    return inside


class Figures(NamedTuple):
    """Over all daily series: share of windows found, and false alarms a hundred points outside of windows."""

    found: float
    points: float
    """Every flagged point counts."""
    alarms: float
    """The first of each run of flagged points counts, which is what people are told of."""


def score(told: list[np.ndarray], threshold: float, begin: int = BEGIN) -> Figures:
    """`told`: per series the score of each point, judged from position `begin` on.

    Two points within the range do not end a run.
    """
    found = windows = points = alarms = quiet = 0
    for one, scores in zip(daily(), told, strict=True):
        flagged = np.nan_to_num(np.abs(scores)) > threshold
        flagged[:begin] = False
        spans = [(first, last) for first, last in one.windows if last >= begin]
        windows += len(spans)
        found += sum(bool(flagged[first : last + 1].any()) for first, last in spans)
        outside = ~one.inside
        outside[:begin] = False
        where = np.flatnonzero(flagged)
        begins = where[np.diff(where, prepend=-BRIDGED - 2) > BRIDGED + 1]
        points += int((flagged & outside).sum())
        alarms += int(outside[begins].sum())
        quiet += int(outside.sum())
    return Figures(found / windows, 100 * points / quiet, 100 * alarms / quiet)


def at_rates(
    told: list[np.ndarray], rates: Sequence[float], counted: Literal["points", "alarms"], begin: int = BEGIN
) -> list[float]:
    """For each rate the highest share found with at most so many false alarms a hundred points, at any threshold."""
    every = np.abs(np.concatenate(told))
    every = every[np.isfinite(every)]
    tried = [score(told, float(threshold), begin) for threshold in np.unique(every[every >= np.median(every)])]
    return [max((one.found for one in tried if getattr(one, counted) <= rate), default=0.0) for rate in rates]
