"""Daily series with known shapes, as the forecast takes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from jobs.methods.forecast import Judged, Series, nothing
from jobs.periods import Period

if TYPE_CHECKING:
    from jobs.methods.scale import Floats, Kind

FIRST = date(2025, 1, 6)  # a Monday


def day(number: int) -> date:
    """Day 0 is a Monday."""
    return FIRST + timedelta(days=number)


def nights(first: int, last: int) -> Period:
    return Period(day(first), day(last))


def series(value: Floats, n: float = np.nan, kind: Kind = "count", age: int = 0, first: date = FIRST) -> Series:
    points = len(value)
    days = np.datetime64(first) + np.arange(points)
    return Series(kind, age, days, value, np.full(points, n), nothing(points), nothing(points), nothing(points))


def volumes(points: int, seed: int = 1, level: float = 1000.0) -> Floats:
    """Counts with a weekly shape (a third fewer at weekends) and 4 % noise."""
    rng = np.random.default_rng(seed)
    weekend = np.arange(points) % 7 >= 5
    return np.asarray(np.round(level * np.where(weekend, 0.67, 1.0) * np.exp(rng.normal(0, 0.04, points))))


def accuracies(points: int, n: int, seed: int = 1, rate: float = 0.95) -> Floats:
    return np.asarray(np.random.default_rng(seed).binomial(n, rate, points) / n)


def remembering(one: Series, judged: Judged, before: int) -> Series:
    """The series with what its nights before day `before` have said."""
    early = np.arange(len(one.days)) < before
    return replace(
        one,
        expected=np.where(early, judged.expected, np.nan),
        distance=np.where(early, judged.distance, np.nan),
    )
