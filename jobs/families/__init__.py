"""Families of metrics that look at more than one series at once: groups, actions, versions, and why a figure changed.

A family reads counts of the nights watched and of the days before that they are held against, and hands them to
methods. The metrics stage writes what it answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from jobs.methods import versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jobs.engine.warehouse import Warehouse
    from jobs.periods import Period
    from jobs.spec import ModelSpec

NEW_DAYS = 57
"""Days before a judged one that a change of version is about: 28 of the new one, 28 of the former, and the day
itself."""


class Reached(Protocol):
    """An age, and the prediction days that reach it on a night of the period."""

    @property
    def age(self) -> int: ...
    @property
    def first(self) -> date: ...
    @property
    def last(self) -> date: ...


class Watch(Protocol):
    """What the period's nights look at."""

    @property
    def spec(self) -> ModelSpec: ...
    @property
    def period(self) -> Period: ...
    @property
    def begin(self) -> date: ...
    def ages(self, ages: Iterable[int]) -> Sequence[Reached]: ...


@dataclass(frozen=True)
class Age:
    """An age with days before the judged ones."""

    age: int
    first: date
    last: date


@dataclass(frozen=True)
class Past:
    """Counts of live versions for the judged days of each age and for the days before that they are held against."""

    labels: pd.DataFrame
    """As `metrics/labels.sql`; empty without ages."""
    outcomes: pd.DataFrame
    """As `metrics/outcomes.sql`, `n_counted` being what conversion is a share of; empty without ages."""
    served: pd.DataFrame
    """As `metrics/selections.sql`."""
    new: pd.DataFrame
    """Live versions that are new on a judged day, as `versions.changes` answers."""
    first_days: pd.DataFrame
    """`version`, `first_day`: the first day on which each live version ever answered."""
    since: date
    """The first day of the past that was read."""
    label_ages: Sequence[Reached]
    """The judged days of each label age."""
    outcome_ages: Sequence[Reached]


def past_of(watch: Watch, warehouse: Warehouse) -> Past:
    """Read the counts once for all families."""
    spec = watch.spec
    back = back_of(spec)
    binary = spec.task == "binary"
    label_ages = watch.ages(spec.label_ages) if binary else []
    outcome_ages = watch.ages(spec.outcome_ages)
    judged = min([watch.begin, *(one.first for one in (*label_ages, *outcome_ages))])
    since, last = judged - timedelta(back), watch.period.last
    served = warehouse.query("metrics/selections", first=since, last=last)
    labels, outcomes = (
        warehouse.query(f"metrics/{name}", ages=earlier(ages, back) or [Age(0, date.max, date.min)])
        for name, ages in (("labels", label_ages), ("outcomes", outcome_ages))
    )
    counted = "n_known" if spec.outcomes is None or spec.outcomes.per == "known" else "n"
    outcomes = outcomes.assign(n_counted=outcomes[counted])
    first_days = warehouse.query("metrics/first_days", last=last)
    whole = served[(served["segment"] == "all") & (served["version"] != "all")].rename(columns={"n": "value"})
    new = versions.changes(whole[["day", "version", "value"]], first_days)
    new = new[new["until"] >= pd.Timestamp(judged)]
    return Past(live(labels), live(outcomes), served, new, first_days, since, label_ages, outcome_ages)


def back_of(spec: ModelSpec) -> int:
    """Days before a judged one that anything is held against."""
    recent = spec.detection.recent_days + spec.detection.recent_gap
    return max(recent, spec.fairness_days, spec.comparison_days, NEW_DAYS)


def earlier(ages: Iterable[Reached], days: int) -> list[Age]:
    """The ages with so many days before the judged ones."""
    return [Age(one.age, one.first - timedelta(days), one.last) for one in ages]


def live(counts: pd.DataFrame) -> pd.DataFrame:
    """Rows of live versions, together or each."""
    return counts[~counts["version"].str.contains(":", regex=False)].reset_index(drop=True)


def dimension_of(segments: pd.Series[str], spec: ModelSpec) -> pd.Series[str]:
    """The segment that a value like `country=FR` belongs to; `a,b` for a pair, empty for the whole.

    A value may hold any character, so the spec's own names decide: the longest that fits, pairs first.
    """
    known = pd.Series(segments.unique())
    answer = pd.Series("", index=known.index)
    for name in sorted(spec.segments, key=len):
        answer = answer.mask(known.str.startswith(f"{name}="), name)
    for one, other in spec.crossed or ():
        crossed = known.str.startswith(f"{one}=") & known.str.contains(f",{other}=", regex=False)
        answer = answer.mask(crossed, f"{one},{other}")
    return segments.map(dict(zip(known, answer, strict=True)))
