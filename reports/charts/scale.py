"""From values to positions, and where ticks stand: few, at round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.language import SOURCE, spoken
from reports import formats
from reports.days import day_of

if TYPE_CHECKING:
    from reports.index import Array
    from reports.words import Kind

FROM_ZERO: frozenset[Kind] = frozenset({"count", "index"})


@dataclass(frozen=True)
class Scale:
    """Linear: `low`..`high` becomes `start`..`stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: Array) -> Array:
        """Positions, NaN staying NaN; values beyond the domain are set on its edge."""
        part = (np.clip(value, self.low, self.high) - self.low) / ((self.high - self.low) or 1)
        return np.asarray(self.start + part * (self.stop - self.start))

    def at(self, value: float) -> float:
        """One position."""
        return float(self(np.asarray(float(value))))


def step(span: float, most: int) -> float:
    """The least round step (1, 2, 2.5, 5 times a power of ten) that needs no more than `most` of it.

    >>> step(10, 4), step(0.07, 3)
    (2.5, 0.025)
    """
    if span <= 0 or not math.isfinite(span):
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(times * power for times in (1, 2, 2.5, 5, 10) if times * power * most >= span * (1 - 1e-9))


def domain(kind: Kind, *series: Array, most: int = 3) -> tuple[float, float, list[float]]:
    """Lowest and highest value of an axis that holds the series, and its ticks.

    Counts and indices begin at zero; shares stay within 0..1.

    >>> domain("count", np.array([120.0, 480.0]))
    (0.0, 600.0, [0.0, 200.0, 400.0, 600.0])
    """
    every = np.concatenate(series) if series else np.array([])
    every = every[np.isfinite(every)]
    if not len(every):
        return 0.0, 1.0, []
    low, high = float(every.min()), float(every.max())
    if kind in FROM_ZERO and low >= 0:
        low = 0.0
    if high - low < 1e-9 * max(abs(high), 1e-9) or high == low:
        apart = abs(high) * 0.05 or 1.0
        low, high = (low, high + apart) if kind in FROM_ZERO else (low - apart, high + apart)
    by = step(high - low, most)
    first, last = math.floor(low / by + 1e-9), math.ceil(high / by - 1e-9)
    if kind == "share":
        first, last = max(first, 0), min(last, math.ceil(1 / by - 1e-9))
    ticks = [round(place * by, 12) for place in range(first, last + 1)]
    if kind == "share":
        ticks = [tick for tick in ticks if tick <= 1 + 1e-9]
        return ticks[0], min(max(ticks[-1], high), 1.0) if high <= 1 else high, ticks
    return ticks[0], ticks[-1], ticks


def tick_text(value: float, kind: Kind, by: float) -> str:
    """A tick's label, as short as its step allows.

    >>> tick_text(0.85, "share", 0.05), tick_text(12500, "count", 2500), tick_text(0.25, "index", 0.05)
    ('85\\u202f%', '12.5k', '0.25')
    """
    if kind in ("share", "points"):
        digits = _digits(by * 100)
        return (
            f"{value * 100:.{digits}f}{formats.percent()}" if kind == "share" else formats.signed(value * 100, digits)
        )
    if abs(value) >= 10_000 or (by >= 1000 and value):
        return _short(value)
    if kind == "count" and by >= 1:
        return formats.count(value)
    return f"{value:,.{_digits(by)}f}"


def _short(value: float) -> str:
    """A large round number: `2bn`, `1.5M`, `12.5k`."""
    if spoken() != SOURCE:
        return formats.compact(value)
    for size, letter in ((1e9, "bn"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value / 1e3:g}k"


def _digits(by: float) -> int:
    """Decimals that a step needs.

    >>> _digits(0.25), _digits(5.0), _digits(0.1)
    (2, 0, 1)
    """
    return next((digits for digits in range(8) if abs(by * 10**digits - round(by * 10**digits)) < 1e-6), 8)


def day_ticks(first: int, last: int) -> list[tuple[int, str]]:
    """Beginnings of months between two days, thinned to five; within a month, weeks.

    >>> day_ticks(20089, 20158)
    [(20089, 'Jan'), (20120, 'Feb'), (20148, 'Mar')]
    """
    months = [day for day in range(first, last + 1) if day_of(day).day == 1]
    if len(months) < 2:
        return [(day, formats.short_day(day)) for day in range(first, last + 1, max((last - first) // 3, 1))]
    every = math.ceil(len(months) / 5)
    told = [day for day in months if (day_of(day).month - 1) % every == 0] if every > 1 else months
    return [(day, _month(day)) for day in told]


def _month(day: int) -> str:
    """`Feb`; January carries its year where a reader may wonder."""
    return formats.month(day_of(day))
