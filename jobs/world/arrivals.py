"""On which day each label and outcome is delivered: late as in life, and as the stories want it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from jobs.world import stories

if TYPE_CHECKING:
    from datetime import date

    from jobs.periods import Period
    from jobs.world.truth import Truth
    from jobs.world.visits import Floats, Integers, Stream, Visits

# share of labels known after 0, 1, ... 7 days: a payment is seen sooner than that none will come
BOUGHT_AGES = np.array([0.35, 0.30, 0.13, 0.08, 0.05, 0.04, 0.03, 0.02])
NOT_BOUGHT_AGES = np.array([0.25, 0.30, 0.15, 0.10, 0.07, 0.06, 0.04, 0.03])
SAME_DAY_OUTCOMES = 0.7  # the others are known the day after
WRONG_SHARE = 0.35


@dataclass(frozen=True)
class Arrivals:
    """Delivered rows in the order of their files. Every array: shape (delivered rows,)."""

    day: Integers
    """Number of the day of the delivery."""
    row: Integers
    """Which visit it is about."""


@dataclass(frozen=True)
class LabelArrivals(Arrivals):
    """The same with the labels as delivered, right or wrong."""

    label: Integers


def of_labels(visits: Visits, truth: Truth, stream: Stream) -> LabelArrivals:
    """Each label once, and the wrong ones of `WRONG_LABELS` a second time, corrected."""
    n, chance = len(visits), stream("label age").random(len(visits))
    age = np.where(truth.label == 1, _age(chance, BOUGHT_AGES), _age(chance, NOT_BOUGHT_AGES))
    early = (visits.day == _number(stories.WRONG_LABELS.first)) & (age <= 1)
    wrong = early & (stream("wrong").random(n) < WRONG_SHARE)
    corrected = np.flatnonzero(wrong)
    day = np.concatenate([_open(visits.day + age), np.full(len(corrected), _number(stories.WRONG_CORRECTED))])
    row = np.concatenate([np.arange(n), corrected])
    label = np.concatenate([np.where(wrong, 1 - truth.label, truth.label), truth.label[corrected]])
    day = _held(day, stories.LATE, stories.LATE_ARRIVAL)
    order = _delivered(day, row)
    return LabelArrivals(day[order], row[order], label[order])


def of_outcomes(visits: Visits, stream: Stream) -> Arrivals:
    """Each outcome once, on the day of the visit or the day after."""
    age = (stream("outcome age").random(len(visits)) >= SAME_DAY_OUTCOMES).astype(np.int64)
    day, row = _open(visits.day + age), np.arange(len(visits))
    order = _delivered(day, row)
    return Arrivals(day[order], row[order])


def _age(chance: Floats, shares: Floats) -> Integers:
    """Ages drawn with these shares by uniform numbers."""
    bounds = np.round(np.cumsum(shares)[:-1], 12)
    return np.searchsorted(bounds, chance, side="right").astype(np.int64)


def _open(day: Integers) -> Integers:
    """Deliveries, moved from the day of silence to the next."""
    return _held(day, stories.SILENCE, stories.SILENCE.last + timedelta(days=1))


def _held(day: Integers, closed: Period, until: date) -> Integers:
    """Deliveries, moved from the closed days to `until`."""
    inside = (day >= _number(closed.first)) & (day <= _number(closed.last))
    return np.where(inside, _number(until), day)


def _delivered(day: Integers, row: Integers) -> Integers:
    """The order of delivery: by day, then by visit; without what comes after the world's end."""
    order = np.lexsort((row, day))
    return order[day[order] < len(stories.PERIOD)]


def _number(day: date) -> int:
    return (day - stories.PERIOD.first).days
