"""Families of metrics that look at more than one series at once: groups, actions, versions, and why a figure changed.

A family reads counts of the nights watched and of the days before that they are held against, and hands them to
methods. The metrics stage writes what it answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from jobs.families.figures import MAIN
from jobs.methods import versions
from jobs.methods.measures_outcomes import valued

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jobs.engine.warehouse import Warehouse
    from jobs.families.figures import Figure
    from jobs.periods import Period
    from jobs.spec import ModelSpec

NEW_DAYS = 57
"""Days before a judged one that a change of version is about: 28 of the new one, 28 of the former, and the day
itself."""


LABELLED = {"binary": "labels", "multiclass": "right", "regression": "distances"}
"""Which statement reads what labels said of each task."""


OF_OUTCOMES = ("n_counted", "n_converted", "n_worth", "value_sum", "value_square_sum")
"""What deliveries of outcomes add up to; pairs of segments have no values."""


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
    def lacking(self, known: pd.DataFrame) -> pd.Series[int]: ...


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
    """As `metrics/labels.sql`, `right.sql` or `distances.sql`, with `n_judged` and the sums of the task's figure, which
    is 1 for a right decision, or how far a number was off; empty without ages."""
    outcomes: pd.DataFrame
    """As `metrics/outcomes.sql`, with what `counted` adds; empty without ages."""
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
    version_ages: Sequence[Reached]
    """Those at which versions are compared: the label ages, and the outcome ages after the last of them."""
    main: Figure
    """What the task is judged by."""


def past_of(watch: Watch, warehouse: Warehouse) -> Past:
    """Read the counts once for all families."""
    spec = watch.spec
    back = back_of(spec)
    label_ages, outcome_ages = watch.ages(spec.label_ages), watch.ages(spec.outcome_ages)
    version_ages = watch.ages(version_ages_of(spec))
    judged = min([watch.begin, *(one.first for one in (*label_ages, *outcome_ages))])
    since, last = judged - timedelta(back), watch.period.last
    served = warehouse.query("metrics/selections", first=since, last=last)
    labels, outcomes = (
        warehouse.query(f"metrics/{name}", ages=told_until(ages, version_ages, back) or [Age(0, date.max, date.min)])
        for name, ages in ((LABELLED[spec.task], label_ages), ("outcomes", outcome_ages))
    )
    outcomes = counted(outcomes, watch)
    first_days = warehouse.query("metrics/first_days", last=last)
    whole = served[(served["segment"] == "all") & (served["version"] != "all")].rename(columns={"n": "value"})
    new = versions.changes(whole[["day", "version", "value"]], first_days)
    new = new[new["until"] >= pd.Timestamp(judged)]
    main = MAIN[spec.task]
    return Past(
        live(rightly(labels)), live(outcomes), served, new, first_days, since, label_ages, outcome_ages, version_ages,
        main,
    )  # fmt: skip


def version_ages_of(spec: ModelSpec) -> list[int]:
    """The ages at which versions are compared."""
    return list(spec.version_ages)


def rightly(labels: pd.DataFrame) -> pd.DataFrame:
    """Counts of labels with those of right decisions, as other tasks have them."""
    if "n_judged" in labels:
        return labels
    right = labels["n_true_positive"] + labels["n_true_negative"]
    judged = right + labels["n_false_positive"] + labels["n_false_negative"]
    return labels.assign(n_judged=judged, figure_sum=right, figure_square_sum=right)


def counted(outcomes: pd.DataFrame, watch: Watch) -> pd.DataFrame:
    """Counts of outcomes with `n_counted`, what conversion is a share of, and `n_worth`, what value is a mean over.

    Where silence means no conversion (`per: prediction`), a day with lacking deliveries has nothing counted: who bought
    cannot be told from who did not, and a late delivery is no fall of sales. Where too few outcomes say their value, a
    day has none, for an empty cell is no loss of money.
    """
    source = watch.spec.outcomes
    per = "known" if source is None else source.per
    told = outcomes.assign(n_counted=outcomes["n_known" if per == "known" else "n"])
    if "n_unvalued" in told:
        values = valued(told, per)
        worth = {name: told[name].where(~values.few, 0) for name in ("value_sum", "value_square_sum")}
        told = told.assign(n_worth=np.where(values.few, 0, values.n), **worth)
    if per == "known":
        return told
    came = (watch.lacking(told) == 0).to_numpy()
    sums = [name for name in OF_OUTCOMES if name in told]
    return told.assign(**{name: told[name].where(came, 0) for name in sums})


def back_of(spec: ModelSpec) -> int:
    """Days before a judged one that anything is held against."""
    recent = spec.detection.recent_days + spec.detection.recent_gap
    return max(recent, spec.fairness_days, spec.comparison_days, NEW_DAYS)


def earlier(ages: Iterable[Reached], days: int) -> list[Age]:
    """The ages with so many days before the judged ones."""
    return [Age(one.age, one.first - timedelta(days), one.last) for one in ages]


def told_until(ages: Iterable[Reached], later: Iterable[Reached], days: int) -> list[Age]:
    """The ages with so many days before the judged ones, and before those of the later ages at which they are told."""
    known, asked = sorted(ages, key=lambda one: one.age), [one.age for one in later]
    ends = [one.age for one in known[1:]] + [max([*asked, 0]) + 1]
    told = [
        max([one.age, *(age for age in asked if one.age <= age < end)]) for one, end in zip(known, ends, strict=False)
    ]
    return [
        Age(one.age, one.first - timedelta(days + until - one.age), one.last)
        for one, until in zip(known, told, strict=True)
    ]


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
