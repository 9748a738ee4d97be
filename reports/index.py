"""Rows of a table found by series, or by night: sorted once, then sliced."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = npt.NDArray[Any]
NUMBERS = frozenset(
    (
        "value", "judged", "n", "lower", "upper", "expected", "observed", "contribution", "distance", "files", "rows",
        "score", "rate", "threshold", "precision", "recall", "flagged_share", "label_age", "mix", "base", "coverage",
        "former", "share", "change", "p_value", "q_value",
        "searched", "other_value", "difference", "evaluated", "bias", "mean_absolute", "inside_share",
        "duplicates", "misdated", "n_corrected", "n_unknown", "quiet_nights",
    )
)  # fmt: skip
DAYS = frozenset({"day", "night", "known_day", "opened", "last_breach"})


class Key(NamedTuple):
    """Which series. `age` is -1 where no label age applies."""

    metric: str
    version: str = "all"
    feature: str = ""
    segment: str = "all"
    age: int = -1


@dataclass(frozen=True, eq=False, slots=True)
class Series:
    """One series in order of days: the rows `start` to `stop` of an index, whose columns are cut when they are read."""

    whole: Index
    start: int
    stop: int

    @property
    def day(self) -> Array:
        """The days that have a row, as numbers."""
        return self.whole.day[self.start : self.stop]

    def __getitem__(self, name: str) -> Array:
        return self.whole.columns[name][self.start : self.stop]

    def __len__(self) -> int:
        return self.stop - self.start

    def dense(self, first: int, last: int, name: str = "value") -> Array:
        """The column over every day first..last; NaN where a day has no row."""
        out = np.full(max(last - first + 1, 0), np.nan)
        start, stop = self.whole.between(self.start, self.stop, first, last)
        out[self.whole.day[start:stop] - first] = self.whole.columns[name][start:stop]
        return out


def _numbers(days: pd.Series[Any]) -> Array:
    """Day numbers of a column of days; a missing day is -1e6, before every window."""
    stamps = pd.to_datetime(days).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(stamps), -1_000_000, stamps.astype("int64"))


def _column(frame: pd.DataFrame, name: str) -> Array:
    """A column as floats, or as objects with None for missing."""
    if name not in frame:
        return np.full(len(frame), None, dtype=object)
    column = frame[name]
    if name in NUMBERS:
        return pd.to_numeric(column).to_numpy(dtype="float64", na_value=np.nan)
    return column.astype(object).where(column.notna(), None).to_numpy(dtype=object)


@dataclass(frozen=True, eq=False)
class Index:
    """Rows of a table sorted by series and day."""

    day: Array
    columns: dict[str, Array]
    spans: dict[Key, tuple[int, int]]

    @classmethod
    def of(cls, frame: pd.DataFrame, columns: Sequence[str]) -> Index:
        """Index `frame` by (metric, version, feature, segment, label_age); of two rows of one day the last stays."""
        keys = pd.DataFrame(
            {
                "metric": frame["metric"].fillna("").astype(object),
                "version": frame["version"].fillna("all").astype(object),
                "feature": frame["feature"].fillna("").astype(object),
                "segment": frame["segment"].fillna("all").astype(object),
                "age": pd.to_numeric(frame["label_age"]).fillna(-1).astype("int64"),
            },
            index=frame.index,
        )
        code = keys.groupby(list(keys), sort=True).ngroup().to_numpy()
        day = _numbers(frame["day"])
        order = np.lexsort((day, code))
        code, day = code[order], day[order]
        keep = np.ones(len(code), dtype=bool)
        keep[:-1] = (code[1:] != code[:-1]) | (day[1:] != day[:-1])
        order, code, day = order[keep], code[keep], day[keep]
        starts = np.flatnonzero(np.diff(code, prepend=-1)) if len(code) else np.array([], dtype="int64")
        stops = np.append(starts[1:], len(code))[: len(starts)]
        names = keys.iloc[order[starts]].itertuples(index=False, name=None)
        return cls(
            day=day,
            columns={name: _column(frame, name)[order] for name in columns},
            spans={Key(*name): (int(a), int(b)) for name, a, b in zip(names, starts, stops, strict=True)},
        )

    @cached_property
    def families(self) -> dict[tuple[str, str, int], list[Key]]:
        """The series that differ in feature and segment only, by (metric, version, age)."""
        out: dict[tuple[str, str, int], list[Key]] = {}
        for key in self.spans:
            out.setdefault((key.metric, key.version, key.age), []).append(key)
        return out

    @cached_property
    def versions(self) -> list[str]:
        """The versions that have whole-day figures, in order; `all` is not one."""
        return sorted({key.version for key in self.spans if key.metric == "volume" and key.version != "all"})

    @cached_property
    def _days(self) -> list[int]:
        """The days as plain numbers: bisecting a list is faster than calling into NumPy for two of its entries."""
        return list(self.day.tolist())

    def between(self, start: int, stop: int, first: int, last: int) -> tuple[int, int]:
        """Of the rows `start` to `stop`, which are in order of days, those from day `first` to day `last`."""
        lower = bisect_left(self._days, first, start, stop)
        return lower, bisect_right(self._days, last, lower, stop)

    def slice(self, key: Key, first: int, last: int) -> Series:
        """The rows of a series from day `first` to day `last`."""
        start, stop = self.spans.get(key, (0, 0))
        return Series(self, *self.between(start, stop, first, last))


@dataclass(frozen=True, eq=False)
class Nightly:
    """Rows of a table sorted by night, otherwise in a fixed order."""

    night: Array
    frame: pd.DataFrame

    @classmethod
    def of(cls, frame: pd.DataFrame, night: str, order: Sequence[str] = ()) -> Nightly:
        """Sort once; ties in `order` keep the table's own order out of the page."""
        numbers = _numbers(frame[night])
        ranked = frame.assign(_night=numbers).sort_values(["_night", *order], kind="stable")
        return cls(ranked["_night"].to_numpy(), ranked.drop(columns="_night").reset_index(drop=True))

    @cached_property
    def columns(self) -> dict[str, Array]:
        """Every column as an array; days as numbers."""
        return {
            str(name): _numbers(self.frame[name]) if name in DAYS else _column(self.frame, str(name))
            for name in self.frame.columns
        }

    def within(self, first: int, last: int) -> dict[str, Array]:
        """The rows of the nights first..last."""
        rows = slice(*np.searchsorted(self.night, (first, last + 1)))
        return {name: column[rows] for name, column in self.columns.items()}
