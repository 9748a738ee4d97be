"""How well a rule's alarms would have served: how often, how right, how much missed, how early.

An alarm is an episode: nights on which a rule breached, at most `apart` from each other. A day that is told again at a
later label age, with more of its labels, is no second alarm. An alarm is right where one of its figures is about a day
of a labelled incident, or was judged on one.

Precision and recall as in Tatbul et al., Precision and Recall for Time Series (NeurIPS 2018), in their simplest form:
by whether ranges meet, not by how long.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from jobs.methods.labelled import Labelled, Truth

TOLD = ("version", "feature", "segment", "day")
"""What a rule tells of; once, whatever the label age."""


@dataclass(frozen=True)
class Episode:
    """One alarm: its nights, and of each figure in it the night and the day it is about, both shape (figures,)."""

    first: date
    last: date
    nights: tuple[date, ...]
    days: tuple[date, ...]

    def touched(self, incident: Labelled) -> date | None:
        """The first night on which the alarm tells of the incident; None where it does not."""
        hits = [
            night
            for night, day in zip(self.nights, self.days, strict=True)
            if incident.start <= day <= incident.end or incident.start <= night <= incident.end
        ]
        return min(hits, default=None)


@dataclass(frozen=True)
class Score:
    """What alarms were worth over a period."""

    alarms: int
    per_week: float
    right: int = 0
    wrong: int = 0
    open: int = 0
    """Alarms about days of which nobody knows yet."""
    found: int = 0
    labelled: int = 0
    delay: float | None = None
    """Median nights from an incident's start to the first alarm in it; 0 on the same night."""
    lead: float | None = None
    """Median days by which the first alarm came before the incident was known."""

    @property
    def precision(self) -> float | None:
        """Share of alarms that were right; None where there were none to judge."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Share of labelled incidents with an alarm; None where there are none."""
        return self.found / self.labelled if self.labelled else None


def episodes(breaches: pd.DataFrame, apart: int) -> list[Episode]:
    """A rule's breaches as alarms, in order.

    `breaches`: `night`, `day` (datetime64), `version`, `feature`, `segment`; `apart`: nights between two that still
    belong together.
    """
    if breaches.empty:
        return []
    told = breaches.sort_values("night", kind="stable").drop_duplicates(list(TOLD))
    step = told["night"].diff().dt.days.fillna(0)
    number = (step > apart).cumsum()
    return [
        Episode(
            first=one["night"].iloc[0].date(),
            last=one["night"].iloc[-1].date(),
            nights=tuple(one["night"].dt.date),
            days=tuple(one["day"].dt.date),
        )
        for _, one in told.groupby(number.to_numpy(), sort=True)
    ]


def score(alarms: Sequence[Episode], truth: Truth | None, nights: int) -> Score:
    """Alarms of a period of so many nights against what is known; without truth only how many."""
    per_week = 7 * len(alarms) / nights
    if truth is None:
        return Score(len(alarms), per_week)
    touched = [[alarm.touched(one) for one in truth.incidents] for alarm in alarms]
    hits = [any(touches) for touches in touched]
    unknown = [not hit and max(alarm.days) > truth.through for hit, alarm in zip(hits, alarms, strict=True)]
    first = [min(filter(None, nights_of), default=None) for nights_of in zip(*touched, strict=True)] or [
        None for _ in truth.incidents
    ]
    found = [(one, night) for one, night in zip(truth.incidents, first, strict=True) if night is not None]
    return Score(
        alarms=len(alarms),
        per_week=per_week,
        right=sum(hits),
        wrong=len(alarms) - sum(hits) - sum(unknown),
        open=sum(unknown),
        found=len(found),
        labelled=len(truth.incidents),
        delay=median((night - one.start).days for one, night in found) if found else None,
        lead=median((one.known - night).days for one, night in found) if found else None,
    )


def joined(told: pd.DataFrame) -> list[Episode]:
    """Incidents as alarms: people hear of one on the nights with a message, and of the figures that are new that night.

    `told`: `incident`, `night`, `first_day`, `last_day` (datetime64), one row a figure, in the order of nights. What an
    open incident goes on gathering without a message is told to nobody.
    """
    found = []
    for _, one in told.groupby("incident", sort=False):
        about = [
            (night.date(), day)
            for night, first, last in zip(one["night"], one["first_day"], one["last_day"], strict=True)
            for day in pd.date_range(first, last).date
        ]
        nights = tuple(night for night, _ in about)
        found.append(Episode(min(nights), max(nights), nights, tuple(day for _, day in about)))
    return found


def nightly_worst(nights: pd.Series[pd.Timestamp], figures: np.ndarray) -> np.ndarray:
    """The largest figure of each night, ascending; nights without one are left out.

    >>> nightly_worst(pd.Series(pd.to_datetime(["2025-01-01", "2025-01-01", "2025-01-02"])), np.array([1.0, 3.0, 2.0]))
    array([2., 3.])
    """
    worst = pd.Series(figures).groupby(nights.to_numpy()).max().dropna()
    return np.sort(worst.to_numpy())
