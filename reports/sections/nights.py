"""The nights before: which state each one's report was in, and the series that tonight's first incident rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.index import Key
from reports.sections.figures import trend
from reports.series import severity_rank

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.history import Known
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


def leads_of(
    known: Known, incidents: Iterable[Incident], deploys: tuple[Deploy, ...], unit: str
) -> tuple[tuple[int, Trend], ...]:
    """Series to show beside the first incidents, each with the incident's number: cause and effect, the first first."""
    shown = tuple(incidents)
    wanted = [(one.number, key) for one in shown for key in _telling(one) if len(known.figures(key).day)]
    keys = {key: number for number, key in reversed(wanted)}
    first = list(dict.fromkeys(key for _, key in wanted))[:LEADS_MOST]
    return tuple((keys[key], trend(known, key, shown, deploys, unit)) for key in first)


def _telling(incident: Incident) -> list[Key]:
    """The series of an incident's first cause and first effect; without roles, of its first evidence."""
    firsts = [[one.key for one in incident.evidence if one.role == role][:1] for role in ("cause", "effect")]
    return firsts[0] + firsts[1] or [one.key for one in incident.evidence[:1]]
