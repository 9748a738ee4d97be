"""What a segment's volume should be: its usual share of the day's rows, whatever the day's total is.

A segment of one in ninety can vanish without the total being missed. Its share of the day is steady where the total is
not: weekends, holidays and half a delivery move all segments alike. So a segment is held against the rest of the same
day, by the odds that it usually has against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from jobs.methods.scale import MAD_TO_SD
from jobs.methods.verdicts import SERIES

if TYPE_CHECKING:
    from jobs.methods.scale import Floats

NEEDED = 14
"""Nights of a share, and of how far it strayed, below which nothing is usual."""

WEEKS_NEEDED = 4
"""Same weekdays from which a share is that of the weekday."""

CALMEST = 1.1
"""Least spread, in binomial ones: the median of eight counts is itself off by 0.44 of one, sqrt(1 + pi / 2 / 8)."""

MOST = 0.98
"""A segment with more than this share has no rest to be held against."""


class Usual(NamedTuple):
    """Per row: what its share makes of the day, how far chance and habit move that, and nights of history."""

    expected: Floats
    spread: Floats
    """Standard deviation of the count about `expected`; NaN until enough nights have been seen."""
    nights: Floats


def lookback(days: int, gap: int) -> int:
    """Days before the judged one that are looked at: those of a share, and as many again to see how far it strays."""
    return 2 * (max(days, NEEDED) + gap) + 7


def usual(chosen: pd.DataFrame, whole: pd.DataFrame, days: int, gap: int) -> Usual:
    """What each row's volume should be by its segment's usual share.

    `chosen`: rows of segments, with day, value and the series' columns; a day on which a segment has no row had none
    of it. `whole`: volumes of whole days, columns day, version, value. The share is the median of the same weekday
    over `days` days, fourteen at least, that end `gap` days before, or of all days where there are fewer than four of
    that weekday. The spread is that of a binomial count, wider where the nights of the last `days` days strayed
    farther than that.
    """
    days = max(days, NEEDED)
    if chosen.empty:
        return Usual(*(np.zeros(0) for _ in range(3)))
    series = chosen.groupby(list(SERIES), sort=True, dropna=False).ngroup().to_numpy()
    start = min(chosen["day"].min(), whole["day"].min()) if len(whole) else chosen["day"].min()
    place = (chosen["day"] - start).dt.days.to_numpy()
    shape = (int(place.max()) + 1, int(series.max()) + 1)
    total = _totals(chosen, whole, series, start, shape)
    counts = np.where(np.isfinite(total), 0.0, np.nan)
    counts[place, series] = np.where(np.isfinite(total[place, series]), chosen["value"].to_numpy(dtype=float), np.nan)
    share = np.divide(counts, total, out=np.full(shape, np.nan), where=total > 0)
    typical = _typical(share, days, gap)
    typical[typical > MOST] = np.nan
    odds = typical / (1 - typical)
    expected = odds * (total - counts)
    binomial = np.sqrt(np.maximum(expected * (1 + odds), 1.0))
    strayed = np.abs((counts - expected) / binomial)
    habit = pd.DataFrame(strayed).rolling(days, min_periods=NEEDED).median().shift(1).to_numpy() * MAD_TO_SD
    spread = binomial * np.maximum(habit, CALMEST)
    spread[~np.isfinite(habit)] = np.nan
    seen = pd.DataFrame(np.isfinite(strayed) * 1.0).rolling(days, min_periods=1).sum().shift(1).fillna(0).to_numpy()
    return Usual(*(table[place, series] for table in (expected, spread, seen)))


def _totals(
    chosen: pd.DataFrame, whole: pd.DataFrame, series: np.ndarray, start: pd.Timestamp, shape: tuple[int, int]
) -> Floats:
    """The whole day's volume of each series' version, by day and series; NaN where there was no day."""
    version = chosen.groupby(series)["version"].first()
    answer = np.full(shape, np.nan)
    for name, rows in whole.groupby("version"):
        at = (rows["day"] - start).dt.days.to_numpy()
        inside = at < shape[0]
        columns = version.index[version == name].to_numpy()
        answer[np.ix_(at[inside], columns)] = rows["value"].to_numpy(dtype=float)[inside, None]
    return answer


def _typical(share: Floats, days: int, gap: int) -> Floats:
    """The usual share of each day and series, seen from that day."""
    frame = pd.DataFrame(share)
    answer = frame.rolling(days, min_periods=NEEDED).median().shift(gap).to_numpy(copy=True)
    weeks, back = days // 7, -(-gap // 7)
    if weeks < WEEKS_NEEDED:
        return answer
    for first in range(min(7, len(share))):
        same = frame.iloc[first::7].rolling(weeks, min_periods=WEEKS_NEEDED).median().shift(back).to_numpy()
        answer[first::7] = np.where(np.isfinite(same), same, answer[first::7])
    return answer
