"""Fits of Prophet that are remembered on disk by the content of their points, so that variants cost seconds.

The detector itself remembers fits for a process only; a benchmark asks for the same ones again and again.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jobs.methods import weekly_fit
from jobs.methods.scale import spread_about

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.methods.weekly_fit import Calendar, Days


def remembering(make: Callable[..., np.ndarray] = weekly_fit.fit, name: str = "fits") -> Callable[..., np.ndarray]:
    """`make(days, values, targets, calendar)`, asked once for each content."""
    folder = Path(tempfile.gettempdir()) / "nightjar-bench"
    folder.mkdir(parents=True, exist_ok=True)
    store = sqlite3.connect(folder / f"{name}.sqlite", timeout=60, isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=OFF")
    store.execute("CREATE TABLE IF NOT EXISTS fits (content BLOB PRIMARY KEY, answer BLOB)")

    def fit(days: Days, values: np.ndarray, targets: Days, calendar: Calendar = weekly_fit.NO_CALENDAR) -> np.ndarray:
        content = hashlib.sha256()
        for part in (days.astype("int64"), values.round(9), targets.astype("int64")):
            content.update(part.tobytes() + b"|")
        content.update(repr(calendar).encode())
        found = store.execute("SELECT answer FROM fits WHERE content = ?", [content.digest()]).fetchone()
        if found is None:
            found = (make(days, values, targets, calendar).tobytes(),)
            store.execute("INSERT OR REPLACE INTO fits VALUES (?, ?)", [content.digest(), found[0]])
        return np.frombuffer(found[0], dtype=np.float64)

    return fit


def mode(days: Days, values: np.ndarray, targets: Days, calendar: Calendar = weekly_fit.NO_CALENDAR) -> np.ndarray:
    """The same expectation as `weekly_fit.fit` without running Prophet: the mode of its posterior, in closed form.

    For a straight trend, seasonality and holidays that posterior is a ridge regression with an unknown noise (Taylor
    and Letham 2018, and Prophet's Stan program: k, m ~ N(0, 5), beta ~ N(0, 10), sigma ~ N(0, 0.5), y over its largest
    absolute value, time from 0 to 1). Only for tuning: figures that are published are made with Prophet itself.
    """
    centre = float(np.median(values))
    unit = spread_about(values, centre) or float(np.std(values))
    if unit < 1e-9 * max(1.0, abs(centre)):
        return np.full(targets.shape, centre)
    y = (values - centre) / unit
    largest = np.abs(y).max()
    marks = weekly_fit.names(days, calendar)
    known = np.unique(marks[marks != ""])
    waves = weekly_fit.yearly_waves(days)
    x, asked = (_columns(at, days, weekly_fit.names(at, calendar), known, waves) for at in (days, targets))
    level = 2 if waves else 1
    precision = np.r_[np.full(level, 1 / 25.0), np.full(x.shape[1] - level, 1 / 100.0)]
    gram, moment = x.T @ x, x.T @ (y / largest)
    noise = 0.1
    for _ in range(30):
        beta = np.linalg.solve(gram + noise**2 * np.diag(precision), moment)
        squares = float(((y / largest - x @ beta) ** 2).sum())
        # d/d sigma of -n log sigma - squares / (2 sigma^2) - 2 sigma^2 is zero where 4 s^4 + n s^2 - squares is.
        noise = float(np.sqrt((-len(y) + np.sqrt(len(y) ** 2 + 16 * squares)) / 8))
    return centre + unit * largest * (asked @ beta)


def _columns(at: Days, learnt: Days, marks: np.ndarray, known: np.ndarray, yearly: int) -> np.ndarray:
    """The regressors of the days `at`: level, trend, week, year, and a column for each `known` mark."""
    t = at.astype("int64").astype(float)
    since = (at - learnt[0]) / (learnt[-1] - learnt[0])
    turns = [2 * np.pi * k * t / 7 for k in (1, 2, 3)] + [2 * np.pi * k * t / 365.25 for k in range(1, yearly + 1)]
    parts = [np.ones((len(t), 1)), *([since[:, None]] if yearly else [])]
    parts += [np.c_[np.sin(turn), np.cos(turn)] for turn in turns]
    return np.column_stack([*parts, marks[:, None] == known[None, :]]).astype(float)
