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

from jobs import tables
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
MORE = ("decompositions", "worst_segments", "comparisons", "estimator_card", "threshold_curve")
"""Tables of which a report shows the night's own rows, where there are any."""
SCORE_CURVE = ("night", "bin", "n", "score", "rate", "lower", "upper")
SEGMENTS_BESIDE = ("night", "metric", "label_age", "segment", "q_value", "found", "searched")
ESTIMATED = "_estimated"
"""How the name of an estimate ends, after that of the figure it is about."""
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


def _nightly(frames: Mapping[str, pd.DataFrame], name: str, order: tuple[str, ...]) -> Nightly:
    """The rows of a table of MORE by the night that wrote them: day and label age, where it has one."""
    frame = frames.get(name)
    if frame is None:
        frame = pd.DataFrame(columns=list(tables.BY_NAME[name].columns))
    age = pd.to_numeric(frame["label_age"]).fillna(0) if "label_age" in frame else 0
    night = pd.to_datetime(frame["day"]) + pd.to_timedelta(age, unit="D")
    return Nightly.of(frame.assign(night=night), "night", order)


def _estimated(metrics: pd.DataFrame) -> pd.DataFrame:
    """What was estimated of each figure by an estimator that was to be trusted that night, under the figure's name."""
    said = metrics[(metrics["state"] == "estimated") & metrics["metric"].str.endswith(ESTIMATED)]
    return said.assign(metric=said["metric"].str.removesuffix(ESTIMATED), feature="", label_age=np.nan)


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
    segments_beside: Nightly
    """Segments beside the rest of their day, tested by the report stage."""
    estimates: Index
    """What was estimated of a metric before its labels came."""
    decompositions: Nightly
    worst_segments: Nightly
    comparisons: Nightly
    estimator_card: Nightly
    threshold_curve: Nightly
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
            score_curve=Nightly.of(frames.get("score_curve", pd.DataFrame(columns=SCORE_CURVE)), "night", ("bin",)),
            segments_beside=Nightly.of(
                frames.get("segments_beside", pd.DataFrame(columns=SEGMENTS_BESIDE)), "night", ("metric", "segment")
            ),
            estimates=Index.of(_estimated(frames["metrics"]), FIGURES[:1]),
            decompositions=_nightly(frames, "decompositions", ("metric", "label_age", "dimension", "segment")),
            worst_segments=_nightly(frames, "worst_segments", ("metric", "label_age", "rank")),
            comparisons=_nightly(frames, "comparisons", ("version", "other", "basis", "label_age", "metric")),
            threshold_curve=_nightly(frames, "threshold_curve", ("version", "label_age", "threshold")),
            estimator_card=_nightly(frames, "estimator_card", ("metric", "basis", "version")),
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
