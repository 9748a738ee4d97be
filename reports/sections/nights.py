"""The nights before: which state each one's report was in, and the series that tonight's first incident rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.history import Known
from reports.index import Key
from reports.sections.figures import trend
from reports.series import severity_rank

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.series import Deploy, Trend
    from reports.view import Incident

NIGHTS = 28
LEADS_MOST = 2
WORST = ("", "info", "warning", "critical")


def states_of(known: Known) -> tuple[str, ...]:
    """The states of the last NIGHTS nights, this one last, each as its own report told it; '' where nothing is known.

    Worst open severity; without incidents `ok`, or `unknown` when nothing could be judged or no prediction came.
    """
    first = known.night - NIGHTS + 1
    worst = np.zeros(NIGHTS, dtype="int64")
    incidents = known.past("incidents", NIGHTS)
    for night, state, severity in zip(*(incidents[name] for name in ("night", "state", "severity")), strict=True):
        if state != "resolved":
            worst[night - first] = max(worst[night - first], severity_rank(severity) or 1)
    verdicts = known.past("verdicts", NIGHTS)
    judged, seen = np.zeros(NIGHTS, dtype=bool), np.zeros(NIGHTS, dtype=bool)
    places = np.asarray(verdicts["night"], dtype="int64") - first
    seen[places] = True
    judged[places[np.asarray(verdicts["verdict"]) != "not_evaluated"]] = True
    served = known.figures(Key("volume")).dense(first, known.night) > 0
    told = zip(worst.tolist(), (judged & served).tolist(), (seen | served).tolist(), strict=True)
    return tuple(WORST[level] if level else "ok" if well else "unknown" if there else "" for level, well, there in told)


def leads_of(known: Known, incidents: Iterable[Incident], deploys: tuple[Deploy, ...], unit: str) -> tuple[Trend, ...]:
    """The series that the first incident rests on: its first cause, and its first effect."""
    shown = tuple(incidents)
    evidence = shown[0].evidence if shown else ()
    causes = [one.key for one in evidence if one.role == "cause"]
    effects = [one.key for one in evidence if one.role == "effect"]
    others = [one.key for one in evidence if one.role not in {"cause", "effect"}]
    keys = dict.fromkeys([*causes[:1], *effects[:1], *others, *effects[1:], *causes[1:]])
    there = [key for key in keys if len(known.figures(key).day)]
    return tuple(trend(known, key, shown, deploys, unit) for key in there[:LEADS_MOST])
