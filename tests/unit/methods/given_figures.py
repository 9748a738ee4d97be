"""Rows of `metrics` for tests: one series of figures, as the rules take them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST = date(2025, 1, 1)


def day(number: int) -> date:
    """Day 0 is the first of January 2025."""
    return FIRST + timedelta(days=number)


def figures(
    metric: str,
    values: Sequence[float] | float,
    n: Sequence[int] | int = 1000,
    days: int = 100,
    first: int = 0,
    version: str = "all",
    feature: str = "",
    segment: str = "all",
    age: int | None = None,
    spread: float = np.nan,
) -> pd.DataFrame:
    """One row a day; NaN values are not evaluated. `spread`: half the width of the interval."""
    value = np.broadcast_to(np.asarray(values, dtype=float), days if np.isscalar(values) else (len(values),))  # type: ignore[arg-type]
    when = pd.to_datetime(FIRST) + pd.to_timedelta(np.arange(len(value)) + first, unit="D")
    known = np.isfinite(value)
    return pd.DataFrame(
        {
            "day": when,
            "age": age or 0,
            "night": when + pd.to_timedelta(age or 0, unit="D"),
            "version": version,
            "metric": metric,
            "feature": feature,
            "segment": segment,
            "label_age": pd.array([age] * len(value), dtype="Int64"),
            "value": value,
            "n": n,
            "lower": value - spread,
            "upper": value + spread,
            "state": np.where(known, "final", "not_evaluated"),
            "reason": np.where(known, None, "no labels"),
        }
    )


def together(*parts: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)
