"""One figure, and one trend, from what was known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from jobs.language import say
from reports.history import TREND_DAYS, Known
from reports.index import Array, Key
from reports.series import Deploy, Figure, Span, Trend
from reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.view import Evidence, Incident

USUAL_DAYS = 28
AWAY_DAYS = 3
USUAL_LEAST = 7
"""Fewer days than this make nothing usual."""


def number(value: object) -> float | None:
    """A finite float, or None.

    >>> number(2), number(float("nan")), number(None), number("x")
    (2.0, None, None, None)
    """
    try:
        out = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return out if math.isfinite(out) else None


def usual(values: Array) -> float | None:
    """The median of the USUAL_DAYS before the last entry.

    >>> usual(np.array([1.0] * 6 + [9.0])), usual(np.array([1.0] * 7 + [9.0]))
    (None, 1.0)
    """
    before = values[-USUAL_DAYS - 1 : -1]
    before = before[np.isfinite(before)]
    return float(np.median(before)) if len(before) >= USUAL_LEAST else None


def figure(known: Known, key: Key, unit: str = "") -> Figure:
    """The figure of the day that reaches its label age tonight."""
    day = known.day_at(key.age)
    rows = known.figures(key)
    if not len(rows.day) or rows.day[-1] != day:
        return Figure(key, day, reason=say("no row for that day"), unit=unit)
    ranges, breaches = known.ranges(key), known.breaches(key)
    at_day = len(ranges.day) and ranges.day[-1] == day
    return Figure(
        key=key,
        day=day,
        value=number(rows["value"][-1]),
        n=number(rows["n"][-1]),
        lower=number(rows["lower"][-1]),
        upper=number(rows["upper"][-1]),
        state=rows["state"][-1] or "final",
        reason=plain(rows["reason"][-1], 160),
        usual=usual(rows.dense(day - USUAL_DAYS, day, "judged")),
        expected=(float(ranges["lower"][-1]), float(ranges["upper"][-1])) if at_day else None,
        severity=(breaches["severity"][-1] or "info") if len(breaches.day) and breaches.day[-1] == day else "",
        unit=unit,
    )


def trend(
    known: Known,
    key: Key,
    incidents: Iterable[Incident] = (),
    deploys: tuple[Deploy, ...] = (),
    unit: str = "",
) -> Trend:
    """The last TREND_DAYS days of a series; the same days for every metric, unless most of them still await labels."""
    last = known.night if key.age <= TREND_DAYS // 2 else known.day_at(key.age)
    first = last - TREND_DAYS + 1
    rows, ranges, breaches = known.figures(key), known.ranges(key), known.breaches(key)
    values = rows.dense(first, last, "judged")
    breached = np.zeros(TREND_DAYS, dtype=bool)
    breached[breaches.day[breaches.day >= first] - first] = True
    estimated = np.zeros(TREND_DAYS, dtype=bool)
    inside = rows.day >= first
    estimated[rows.day[inside] - first] = rows["state"][inside] == "estimated"
    return Trend(
        figure=figure(known, key, unit),
        first=first,
        last=last,
        values=values,
        thin=np.where(np.isfinite(values), np.nan, rows.dense(first, last)),
        n=rows.dense(first, last, "n"),
        interval=(rows.dense(first, last, "lower"), rows.dense(first, last, "upper")),
        expected=ranges.dense(first, last, "expected"),
        lower=ranges.dense(first, last, "lower"),
        upper=ranges.dense(first, last, "upper"),
        breached=breached,
        estimated=estimated,
        spans=spans_of(incidents, key, first, last),
        deploys=tuple(deploy for deploy in deploys if first <= deploy.day <= last),
        estimate=estimate_of(known, key, first, last),
    )


def estimate_of(known: Known, key: Key, first: int, last: int) -> Array | None:
    """What was estimated of a metric before its labels came; None where nothing was. It reaches to the night itself."""
    rows = known.estimates(key) if key.age >= 0 else None
    out = rows.dense(first, last) if rows and len(rows.day) else None
    return out if out is not None and np.isfinite(out).any() else None


def spans_of(incidents: Iterable[Incident], key: Key, first: int, last: int) -> tuple[Span, ...]:
    """Where incidents that rest on this series lie on its days: a night at label age A is about the day A before."""
    spans = []
    for incident in incidents:
        found = [evidence for evidence in incident.evidence if same_series(evidence.key, key)]
        if found:
            begin, end = _days(incident, found, max(key.age, 0))
            spans.append(Span(max(begin, first), min(end, last), incident.severity, incident.title, incident.number))
    return tuple(span for span in spans if span.first <= span.last)


def _days(incident: Incident, found: list[Evidence], shift: int) -> tuple[int, int]:
    """The days the evidence was seen on; where it does not say, the incident's nights, set back by the label age."""
    days = [evidence.days for evidence in found if evidence.days]
    if days:
        return min(first for first, _ in days), max(last for _, last in days)
    return incident.opened - shift, incident.last_breach - shift


def same_series(one: Key, other: Key) -> bool:
    """Whether they are the same series; an empty feature on the right stands for any of them (the largest PSI)."""
    feature = one.feature == other.feature or (other.metric == "psi" and not other.feature)
    same = (one.metric, one.version, one.segment, one.age) == (other.metric, other.version, other.segment, other.age)
    return feature and same


def deploys_of(known: Known) -> tuple[Deploy, ...]:
    """When live versions began to answer, or came back after at least AWAY_DAYS days on which only others did.

    The first day in view on which any version answered begins nothing: what was before is not known.
    """
    first, last = known.night - TREND_DAYS + 1, known.night
    versions = known.versions()
    answered = [known.figures(Key("volume", version)).dense(first, last) > 0 for version in versions]
    served = np.flatnonzero(np.any(answered, axis=0)) if answered else np.array([], dtype="int64")
    out = []
    for version, days in zip(versions, answered, strict=True):
        places = np.flatnonzero(days[served])
        away = np.diff(places, prepend=-AWAY_DAYS - 1) > AWAY_DAYS
        starts = served[places[away & (places > 0)]]
        out += [Deploy(first + int(start), plain(version, 40)) for start in starts]
    return tuple(sorted(out, key=lambda deploy: (deploy.day, deploy.version)))
