"""Segments: where the whole hides a part that does worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.index import Array, Key
from reports.sections.figures import figure
from reports.text import plain
from reports.view import Heat, Panel, Row
from reports.words import better, word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.history import Known
    from reports.series import Figure

SEGMENTS_MOST = 20
HEAT_DAYS = 90
MAIN = ("accuracy", "mae", "conversion", "value_per_prediction")
BESIDE = ("recall", "precision", "bias", "conversion")
SHOWN = frozenset((*MAIN, *BESIDE))
"""The figures of which a page shows segments, each at the youngest age it has; others it shows of groups."""


def segments_of(known: Known, ages: Sequence[int], outcome_ages: Sequence[int]) -> Panel:
    """The segments that do worst beside the whole, by the main metric there is; nothing without segments."""
    main = next((key for key in _candidates(MAIN, ages, outcome_ages) if _parts(known, key)), None)
    if main is None:
        return Panel(())
    beside = [
        key for key in _candidates(BESIDE, ages, outcome_ages) if key.metric != main.metric and _parts(known, key)
    ]
    whole = figure(known, main)
    last = known.day_at(main.age)
    first = last - HEAT_DAYS + 1
    whole_values = known.figures(main).dense(first, last, "judged")
    worse, searched = _worse(known, main)
    parts = _parts(known, main)
    rows = [_row(known, key, whole, whole_values, beside, (first, last), key.segment in worse) for key in parts]
    rows.sort(key=_worry)
    judged = [row for row in rows if row.difference is not None]
    return Panel(
        columns=(main, *beside),
        rows=tuple(judged[:SEGMENTS_MOST]),
        left_out=max(len(judged) - SEGMENTS_MOST, 0),
        first=first,
        last=last,
        whole=whole,
        unjudged=tuple(row.name for row in rows if row.difference is None),
        searched=searched,
    )


def _worse(known: Known, key: Key) -> tuple[set[str], int]:
    """The segments that do worse than the rest of the day, and how many were looked at."""
    rows = known.history.segments_beside.within(known.night, known.night)
    mine = (rows["metric"] == key.metric) & (rows["label_age"] == key.age)
    return set(rows["segment"][mine & rows["found"].astype(bool)]), int(mine.sum())


def _candidates(metrics: Sequence[str], ages: Sequence[int], outcome_ages: Sequence[int]) -> list[Key]:
    """Each metric at the youngest age it may have."""
    label = {"accuracy", "precision", "recall", "mae", "bias"}
    youngest = ((metric, ages if metric in label else outcome_ages) for metric in metrics)
    return [Key(metric, age=known_ages[0]) for metric, known_ages in youngest if known_ages]


def _parts(known: Known, key: Key) -> list[Key]:
    """The segments of a metric that have a row in view."""
    family = known.family(key.metric, key.version, key.age)
    return [part for part in family if part.segment != "all" and not part.feature and len(known.figures(part).day)]


def _row(
    known: Known,
    key: Key,
    whole: Figure,
    whole_values: Array,
    beside: Sequence[Key],
    days: tuple[int, int],
    worse: bool,
) -> Row:
    """A segment's figures, its distance from the whole, and where it stood on each day."""
    own = figure(known, key)
    others = (figure(known, other._replace(segment=key.segment)) for other in beside)
    return Row(
        name=plain(key.segment, 60),
        figures=(own, *others),
        heat=heat(known, key, whole_values, days),
        difference=_apart(own, whole),
        severity=own.severity,
        worse=worse,
    )


def _apart(own: Figure, whole: Figure) -> float | None:
    """How far a segment lies from the whole; None where either rests on too few rows."""
    if own.value is None or whole.value is None or own.thin or whole.thin:
        return None
    return own.value - whole.value


def heat(known: Known, key: Key, whole: Array, days: tuple[int, int]) -> Heat:
    """Each day's distance from the whole (of an amount, relative to it), and whether chance explains it."""
    rows = known.figures(key)
    value, lower, upper = (rows.dense(*days, name) for name in ("judged", "lower", "upper"))
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = value - whole
        if word(key.metric).kind == "amount":
            apart = np.where(whole != 0, apart / np.abs(whole), np.nan)
        return Heat(apart, (upper < whole) | (lower > whole), better(key.metric))


def _worry(row: Row) -> tuple[int, float, str]:
    """Sort key: breached first, then by how far the interval's better end is still worse than the whole."""
    own = row.figures[0]
    if own is None or own.value is None or own.thin or row.difference is None:
        return (2, 0.0, row.name)
    sign = better(own.key.metric)
    end = own.upper if sign > 0 else own.lower
    best = end if end is not None else own.value
    return (0 if own.severity else 1, sign * (row.difference + (best - own.value)), row.name)
