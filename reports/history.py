"""Many nights of tables, indexed once; any night of them is then a slice of arrays.

A night may only see what was known by then: a figure of day D at label age A belongs to the night D + A. Within one
series the age is fixed, so "known by night N" is a prefix of its days, and a slice costs a binary search.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports.days import number_of
from reports.index import Array, Index, Key, Nightly, Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

TREND_DAYS = 90
"""Days a trend shows."""

TABLES = (
    "metrics", "contributions", "verdicts", "incidents", "decisions", "deliveries", "arrival_statistics",
    "reference_bins",
)  # fmt: skip
MORE = ("estimates", "changes")
"""Tables that a report shows where the model's file has them."""
COLUMNS = {
    "score_curve": ("night", "bin", "n", "score", "rate", "lower", "upper"),
    "estimates": ("day", "version", "segment", "metric", "basis", "value", "lower", "upper"),
    "changes": ("night", "day", "metric", "label_age", "segment", "mix", "rate", "coverage"),
}
"""What is read of the frames that may be missing."""
FIGURES = ("value", "judged", "n", "lower", "upper", "state", "reason")
BOUNDS = ("bound", "recent", "reference", "previous_version", "share")
"""Detectors that give a bound to cross, not a range to stay in."""
RANGES = ("expected", "lower", "upper")
JUDGED = ("severity",)


def history_days(ages: Iterable[int]) -> int:
    """How many nights back a report looks: the trend's days, and as many again as the oldest label age needs.

    >>> history_days([7, 30]), history_days([])
    (120, 90)
    """
    return TREND_DAYS + max(ages, default=0)


def _judged(metrics: pd.DataFrame) -> pd.DataFrame:
    """The metrics with a column more: the value where it rests on rows enough to be evaluated, else missing."""
    return metrics.assign(judged=metrics["value"].where(metrics["state"] != "not_evaluated"))


def _given(frames: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """A frame that may be missing, or one without rows."""
    empty = pd.DataFrame(columns=list(COLUMNS[name]))
    frame = frames.get(name, empty)
    return frame if set(COLUMNS[name]) <= set(frame) else empty


def _estimated(estimates: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """Estimates as series: those of their own table (of several bases the first by name), and metrics that say so."""
    names = ["day", "metric", "version", "segment", "value"]
    own = estimates.sort_values("basis", ascending=False, kind="stable")[names]
    said = metrics[(metrics["state"] == "estimated") & metrics["label_age"].isna()][names]
    together = [frame for frame in (said, own) if len(frame)] or [own]
    return pd.concat(together, ignore_index=True).assign(feature="", label_age=np.nan)


def _worst_last(breaches: pd.DataFrame) -> pd.DataFrame:
    """Of several breaches of one figure the index keeps the last: let it be the worst."""
    ranks = breaches["severity"].map({"info": 1, "warning": 2, "critical": 3}).fillna(0)
    return breaches.loc[ranks.sort_values(kind="stable").index]


@dataclass(frozen=True, eq=False)
class History:
    """Everything read for a range of nights."""

    figures: Index
    ranges: Index
    breaches: Index
    verdicts: Nightly
    incidents: Nightly
    decisions: Nightly
    deliveries: Nightly
    arrivals: Nightly
    contributions: Nightly
    references: pd.DataFrame
    score_curve: Nightly
    """Labelled answers by score, counted by the report stage for each night's window."""
    estimates: Index
    """What was estimated of a metric before its labels came."""
    changes: Nightly
    """Mix, rate and coverage behind the change of a rate, by segment."""
    days: int

    @classmethod
    def of(cls, frames: Mapping[str, pd.DataFrame], days: int) -> History:
        """Index the frames (one for each of TABLES, and those of MORE there are); a night looks `days` nights back."""
        verdicts = frames["verdicts"]
        ranged = verdicts["lower"].notna() & verdicts["upper"].notna() & ~verdicts["detector"].isin(BOUNDS)
        return cls(
            figures=Index.of(_judged(frames["metrics"]), FIGURES),
            ranges=Index.of(verdicts[ranged], RANGES),
            breaches=Index.of(_worst_last(verdicts[verdicts["verdict"] == "breach"]), JUDGED),
            verdicts=Nightly.of(verdicts, "night", ("rule", "metric", "version", "feature", "segment", "label_age")),
            incidents=Nightly.of(frames["incidents"], "night", ("incident",)),
            decisions=Nightly.of(frames["decisions"], "night", ("key",)),
            deliveries=Nightly.of(frames["deliveries"], "day", ("source",)),
            arrivals=Nightly.of(frames["arrival_statistics"], "known_day", ("source",)),
            contributions=Nightly.of(frames["contributions"], "day", ("version", "feature", "bin")),
            references=frames["reference_bins"],
            score_curve=Nightly.of(_given(frames, "score_curve"), "night", ("bin",)),
            estimates=Index.of(_estimated(_given(frames, "estimates"), frames["metrics"]), FIGURES[:1]),
            changes=Nightly.of(_given(frames, "changes"), "night", ("metric", "label_age", "segment")),
            days=days,
        )

    @cached_property
    def reference_rows(self) -> int | None:
        """The rows of the one reference; None when there is none, or one for each version."""
        frame = self.references
        if len(frame["reference"].unique()) != 1 or frame["n"].isna().all():
            return None
        return int(frame.groupby("feature")["n"].sum().max())

    def at(self, night: date) -> Known:
        """What was known when that night's report was written."""
        return Known(self, number_of(night))


@dataclass(frozen=True, eq=False)
class Known:
    """What was known on one night, looking back a fixed number of nights."""

    history: History
    night: int

    @property
    def first(self) -> int:
        """The earliest night looked at."""
        return self.night - self.history.days

    def day_at(self, age: int) -> int:
        """The day whose figures at label age `age` belong to this night."""
        return self.night - max(age, 0)

    def figures(self, key: Key) -> Series:
        """A metric's series."""
        return self._slice(self.history.figures, key)

    def ranges(self, key: Key) -> Series:
        """The expected ranges that were found for it, night after night."""
        return self._slice(self.history.ranges, key)

    def breaches(self, key: Key) -> Series:
        """The days on which a rule was breached."""
        return self._slice(self.history.breaches, key)

    def estimates(self, key: Key) -> Series:
        """What was estimated of a metric, night after night; an estimate of a day belongs to that day's night."""
        return self.history.estimates.slice(key._replace(age=-1), self.first, self.night)

    def family(self, metric: str, version: str = "all", age: int = -1) -> list[Key]:
        """The series of a metric, version and age over features and segments; some may have no row in view."""
        return self.history.figures.families.get((metric, version, age), [])

    def versions(self, *, live: bool = True) -> list[str]:
        """Live versions, or those that only stand beside (`shadow:v2`), with a row in view."""
        return [
            version
            for version in self.history.figures.versions
            if (":" not in version) is live and len(self.figures(Key("volume", version)).day)
        ]

    def metrics(self) -> list[str]:
        """The metrics that have a row in view."""
        found: set[str] = set()
        for (metric, _, _), keys in self.history.figures.families.items():
            if metric not in found and any(len(self.figures(key).day) for key in keys):
                found.add(metric)
        return sorted(found)

    def tonight(self, table: str) -> dict[str, Array]:
        """The rows a table got this night."""
        return self._nightly(table).within(self.night, self.night)

    def past(self, table: str, days: int | None = None) -> dict[str, Array]:
        """The rows of the nights in view (or of the last `days` nights), this one included."""
        first = self.first if days is None else self.night - days + 1
        return self._nightly(table).within(max(first, self.first), self.night)

    def _nightly(self, table: str) -> Nightly:
        rows: Nightly = getattr(self.history, table)
        return rows

    def _slice(self, index: Index, key: Key) -> Series:
        shift = max(key.age, 0)
        return index.slice(key, self.first - shift, self.night - shift)
