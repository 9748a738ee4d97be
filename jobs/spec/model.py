"""What a user may say about a model. Every default of Nightjar lives here and in the modules beside, nowhere else.

`deliveries`, `inputs`, `judging`, `acting` and `telling` hold the parts, `notation` the short texts in them. These
frozen classes are the spec; `jobs.spec.reading` makes them from YAML, `jobs.spec.schema` writes the JSON Schema that
editors complete and check with.
"""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import Literal, Self

from pydantic import Field, model_validator

from jobs.spec.acting import Actions, Retraining
from jobs.spec.deliveries import LabelSource, OutcomeSource, PredictionSource
from jobs.spec.inputs import DriftName, NamedFeature, Prometheus, Reference, SegmentColumns
from jobs.spec.judging import DEFAULT_RULES, Detection, Incidents, Rule
from jobs.spec.named import Task
from jobs.spec.notation import Strict, Zone
from jobs.spec.telling import Channels, Mail, Marker, Mute, Schedule


class ModelSpec(Strict):
    """Everything Nightjar knows about a model before it sees its data."""

    model: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    """Its name, which is also the name of this file without `.yaml`."""
    description: str = ""
    """One sentence for the report's head."""
    owner: str = ""
    """Who is asked when something is wrong."""
    language: Literal["en", "zh"] = "en"
    """What incidents, messages, reports, pages and mails are written in: English or Chinese."""
    task: Task = "binary"
    """What is predicted: yes or no, one of several classes (then `predictions.columns.decision` is needed, and the
    score is optional), or a number (then the score is that number, and there is no decision)."""
    timezone: Zone = "UTC"
    """Where the business day begins and ends, for example Europe/Lisbon."""
    start: date | None = None
    """The first business day watched; absent: the first one delivered."""
    threshold: float = 0.5
    """Score from which the decision is positive, where files carry no decision."""
    predictions: PredictionSource
    """The live answers."""
    others: tuple[PredictionSource, ...] = ()
    """Shadow and challenger answers."""
    labels: LabelSource | None = None
    """Absent: nothing that needs the truth is computed."""
    outcomes: OutcomeSource | None = None
    """Absent: no business metrics."""
    features: dict[str, NamedFeature] = Field({})
    """Feature name: `numeric`, `categorical`, or a mapping with more."""
    segments: SegmentColumns = Field({})
    """Segment name: column in the prediction files. A list of names is short for names that are columns."""
    crossed: tuple[tuple[str, str], ...] | None = None
    """Pairs of segments that are also watched as one, as in [[country, device]]. Absent: none, but where there are at
    most five segments all pairs are searched for those that changed most; an empty list ends that too."""
    protected: tuple[str, ...] = ()
    """Segments whose groups the model must treat alike; fairness is measured over them."""
    fairness_days: int = Field(28, ge=1, le=366)
    """Days, the judged one the last, that fairness is measured over: one day seldom has enough of every group."""
    comparison_days: int = Field(28, ge=1, le=366)
    """Days, the judged one the last, over which versions are held against each other."""
    reference: Reference = Reference()
    drift: tuple[DriftName, ...] = ("psi", "js", "ks", "wasserstein")
    """The distances from the reference that are written; PSI always is, because rules and the report rest on it."""
    prometheus: Prometheus | None = None
    """Absent: CPU and memory are not watched."""
    min_rows: int = Field(30, ge=1)
    """Below this n a metric's state is not_evaluated."""
    rules: tuple[Rule, ...] = ()
    """A metric named here loses its default rules."""
    detection: Detection = Detection()
    incidents: Incidents = Incidents()
    actions: Actions = Actions()
    """Guard rails of what rules may ask for."""
    retraining: Retraining = Retraining()
    """What the shipped retraining does with a candidate."""
    mail: Mail = Mail()
    channels: Channels = Channels()
    """Who is told of incidents."""
    mutes: tuple[Mute, ...] = ()
    """Known troubles that are not told for a while."""
    markers: tuple[Marker, ...] = ()
    """Deploys and other things done, told beside incidents of the days after."""
    schedule: Schedule = Schedule()

    @model_validator(mode="after")
    def _decided_as_the_task_says(self) -> Self:
        for source in (self.predictions, *self.others):
            if self.task == "multiclass" and source.columns.decision is None:
                raise ValueError("task multiclass needs predictions.columns.decision, the column of the decided class")
            if self.task == "regression" and source.columns.decision is not None:
                raise ValueError("with task regression there is no decision; leave predictions.columns.decision out")
        return self

    @model_validator(mode="after")
    def _waits_for_something(self) -> Self:
        if self.schedule.wait_for_data is not None and "{day}" not in self.predictions.path:
            raise ValueError(
                "schedule.wait_for_data needs {day} in predictions.path: of files that hold every day nobody can tell "
                "whether the newest has come; leave it out"
            )
        return self

    @model_validator(mode="after")
    def _known_segments(self) -> Self:
        named = [("protected", name) for name in self.protected]
        named += [("crossed", name) for pair in self.crossed or () for name in pair]
        named += [("retraining.guarded", name) for name in self.retraining.guarded or ()]
        for key, name in named:
            if name not in self.segments:
                known = ", ".join(self.segments) or "none"
                raise ValueError(f"{key} names '{name}', which is no segment; segments: {known}")
        if any(one == other for one, other in self.crossed or ()):
            raise ValueError("crossed needs two different segments in each pair")
        return self

    @property
    def searched_pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of segments that are searched for what changed most."""
        if self.crossed is not None:
            return self.crossed
        return tuple(combinations(self.segments, 2)) if len(self.segments) <= 5 else ()

    @property
    def label_ages(self) -> tuple[int, ...]:
        """Ascending, without repeats; empty without labels."""
        return tuple(sorted(set(self.labels.ages))) if self.labels else ()

    @property
    def outcome_ages(self) -> tuple[int, ...]:
        """Ascending, without repeats; empty without outcomes."""
        if self.outcomes is None:
            return ()
        return tuple(sorted(set(self.outcomes.ages))) if self.outcomes.ages else (self.label_ages or (0,))

    @property
    def version_ages(self) -> tuple[int, ...]:
        """The ages at which versions are compared; those of outcomes too, where labels are told earlier or never.

        What became known by an age is told at each later one, until the next of its own: conversion by day 7 at the
        labels' day 30.
        """
        later = (age for age in self.outcome_ages if age > max(self.label_ages, default=-1))
        return tuple(sorted({*self.label_ages, *later}))

    @property
    def least_accuracy(self) -> float | None:
        """What a candidate's accuracy must reach: said in `retraining`, else the highest rule `accuracy below`."""
        if self.retraining.min_accuracy is not None:
            return self.retraining.min_accuracy
        rules = [rule for rule in self.all_rules if rule.metric == "accuracy" and rule.below is not None]
        return max((rule.below or 0.0 for rule in rules if rule.segments == "all"), default=None)

    @property
    def guarded_segments(self) -> tuple[tuple[str, ...], ...]:
        """Segments, and pairs of them, in which a candidate is held against the champion."""
        if self.retraining.guarded is not None:
            return tuple((name,) for name in self.retraining.guarded)
        return tuple((name,) for name in self.segments) + (self.crossed or ())

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The spec's rules, and the field's defaults for the metrics it does not name."""
        named = {rule.metric for rule in self.rules}
        return self.rules + tuple(rule for rule in DEFAULT_RULES if rule.metric not in named)
