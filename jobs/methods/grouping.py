"""The life of incidents, night by night: breaches that belong together are one, opened, escalated, resolved.

A pure function of the night before and of tonight's verdicts. What an incident is about are prediction days; figures
at a later label age tell of days long past, so they join the incident of those days and open no second one.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from jobs.language import join
from jobs.methods import evidence, gathered, overlapping, story, titles
from jobs.methods.evidence import RANK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from jobs.methods.evidence import Item

State = Literal["opened", "ongoing", "escalated", "resolved"]
"""What an incident is on one night."""


@dataclass(frozen=True)
class Incident:
    """An incident as of one night."""

    incident: str
    scope: str
    opened: date
    state: State
    severity: str
    last_breach: date
    quiet_nights: int
    evidence: tuple[Item, ...]
    reopened: date | None = None
    """The night on which late figures opened it again, the last one where there are several."""

    @property
    def nights(self) -> int:
        """How long it has lasted, or lasted since it was opened again."""
        return (self.last_breach - (self.reopened or self.opened)).days + 1

    @property
    def title(self) -> str:
        """What happened and what it did."""
        return titles.title(self.evidence)

    @property
    def text(self) -> str:
        """The same in sentences, with the values before and after."""
        life = {
            "state": self.state, "opened": str(self.opened), "last_breach": str(self.last_breach),
            "severity": self.severity, "quiet_nights": self.quiet_nights,
            "reopened": str(self.reopened or ""),
        }  # fmt: skip
        return join([story.tell(self.evidence), story.state(life)])

    @property
    def is_open(self) -> bool:
        return self.state != "resolved"

    @property
    def segments(self) -> frozenset[str]:
        """The segments that an incident of a segment is about: its own, and those that fell with it."""
        if ":" not in self.scope:
            return frozenset()
        return frozenset(one["segment"] for one in self.evidence if one["severity"] != "info")

    def covers(self, day: date) -> bool:
        """Whether a figure of that prediction day tells of this incident."""
        about = evidence.days(self.evidence)
        return about is not None and about.cover(day)


@dataclass(frozen=True)
class Night:
    """Tonight's verdicts, as far as incidents need them."""

    night: date
    breaches: tuple[Breach, ...]
    judged: frozenset[tuple[str, str]]
    """(metric, segment) of which some figure was judged."""
    present: frozenset[tuple[str, str]]
    """(metric, segment) of which there is any verdict, not_evaluated too."""


@dataclass(frozen=True)
class Breach:
    """One breach: where it belongs, and what it says."""

    base: str
    """delivery, service or behaviour."""
    segment: str
    severity: str
    action: str | None
    day: date
    retold: bool
    """Whether its metric has already spoken of that day at a smaller label age."""
    late: bool
    """Whether it is about a day before tonight."""
    items: tuple[Item, ...]
    replaced: str = ""
    """Why it says nothing of the version that answers now, and so can ask for no action; empty where it does."""


@dataclass(frozen=True)
class Told:
    """An incident as of tonight, with tonight's breaches in it that may ask for an action."""

    incident: Incident
    asking: tuple[Breach, ...]
    news: bool
    """Whether it has a row tonight: every incident but one that was resolved before and is not reopened."""
    changed: bool
    """Whether people should hear of it: opened, escalated or resolved tonight."""
    grown: bool = False
    """Whether it is open as before and something joined it that was not in it, or not as severe: see `grown` and
    `graver` of `jobs.methods.evidence`."""


def incident_id(model: str, opened: date, scope: str) -> str:
    """The same incident has the same name in every run; safe in run ids and message ids.

    >>> from datetime import date
    >>> incident_id("shop", date(2025, 3, 4), "behaviour")
    'shop-2025-03-04-behaviour'
    >>> incident_id("shop", date(2025, 3, 4), "behaviour:customer=new")
    'shop-2025-03-04-behaviour:customer_new-a907d8'
    """
    plain = re.sub(r"[^A-Za-z0-9_.~:+-]", "_", scope)
    if plain != scope:  # two values may look alike once made plain
        plain = f"{plain}-{hashlib.sha256(scope.encode()).hexdigest()[:6]}"
    return f"{model}-{opened}-{plain}"


def advance(model: str, tonight: Night, known: Sequence[Incident], resolve_after: int) -> list[Told]:
    """Every incident after tonight: those of `known` (as of the night before), and those that open."""
    standing = [one for one in known if one.is_open]
    past = [one for one in known if not one.is_open]
    assigned = _assign(tonight, standing, past)
    told = [_live(one, assigned.get(one.incident, []), tonight, resolve_after) for one in standing]
    told += [_echo(one, assigned.get(one.incident, []), tonight) for one in past]
    for scope, breaches in assigned.items():
        if scope.startswith(NEW) and any(breach.severity != "info" for breach in breaches):
            told.append(_open(model, scope.removeprefix(NEW), breaches, tonight))
    return sorted(told, key=lambda one: (one.incident.opened, one.incident.incident))


NEW = "new "


def _assign(tonight: Night, standing: Sequence[Incident], past: Sequence[Incident]) -> dict[str, list[Breach]]:
    """Tonight's breaches by incident id, or by `new <scope>` for those that no known incident answers for."""
    scopes = {one.scope: one for one in standing}
    answers: dict[str, list[Breach]] = {}
    whole = sorted(tonight.breaches, key=lambda breach: breach.segment != "all")
    for breach in whole:
        narrow = breach.base if breach.segment == "all" else f"{breach.base}:{breach.segment}"
        if narrow in scopes:
            owner = scopes[narrow].incident
        elif breach.base in scopes:
            owner = scopes[breach.base].incident
        elif beside := _beside(breach, standing):
            owner = beside.incident
        elif echoed := _answering(breach, past):
            owner = echoed.incident
        elif any(one.severity != "info" for one in answers.get(NEW + breach.base, [])):
            owner = NEW + breach.base
        else:
            owner = NEW + narrow
        answers.setdefault(owner, []).append(breach)
    return overlapping.merged(answers, NEW)


def _beside(breach: Breach, standing: Sequence[Incident]) -> Incident | None:
    """The open incident of another segment that this one fell with; the newest where there are several."""
    same = [one for one in standing if one.scope.startswith(f"{breach.base}:") and breach.segment in one.segments]
    return max(same, key=lambda one: (one.opened, one.incident), default=None)


def _answering(breach: Breach, past: Sequence[Incident]) -> Incident | None:
    """The resolved incident whose days a late figure tells of; the newest where there are several.

    A segment's incident answers for that segment, the whole day's for the day and all its segments.
    """
    if not breach.late:
        return None
    scopes = {breach.base, breach.base if breach.segment == "all" else f"{breach.base}:{breach.segment}"}
    fell = [one for one in past if one.scope in scopes or _beside(breach, [one])]
    same = [one for one in fell if one.covers(breach.day)]
    return max(same, key=lambda one: (one.opened, one.incident), default=None)


def _open(model: str, scope: str, breaches: Sequence[Breach], tonight: Night) -> Told:
    incident = Incident(
        incident=incident_id(model, tonight.night, scope),
        scope=scope,
        opened=tonight.night,
        state="opened",
        severity=_worst(breach.severity for breach in breaches),
        last_breach=tonight.night,
        quiet_nights=0,
        evidence=_merged((), breaches),
    )
    return Told(incident, tuple(breaches), news=True, changed=True)


def _live(one: Incident, breaches: Sequence[Breach], tonight: Night, resolve_after: int) -> Told:
    """One more night of an open incident."""
    severity = _worst([one.severity, *(breach.severity for breach in breaches)])
    fresh = [
        breach for breach in breaches if breach.severity != "info" and not (breach.retold and one.covers(breach.day))
    ]
    risen = RANK[severity] > RANK[one.severity]
    if fresh or risen:
        quiet, last = 0, tonight.night
    else:
        quiet, last = one.quiet_nights + (1 if _was_judged(one, tonight) else 0), one.last_breach
    graver = gathered.graver(one.evidence, [item for breach in breaches for item in breach.items])
    over = quiet >= resolve_after and not graver
    state: State = "escalated" if risen else "resolved" if over else "ongoing"
    after = replace(
        one,
        state=state,
        severity=severity,
        last_breach=last,
        quiet_nights=quiet,
        evidence=_merged(one.evidence, breaches),
    )
    other = gathered.grown(one.evidence, [item for breach in fresh for item in breach.items])
    grown = state == "ongoing" and (graver or other)
    asking = [breach for breach in breaches if risen or breach in fresh or breach.action]
    return Told(after, tuple(asking), news=True, changed=state != "ongoing", grown=grown)


def _echo(one: Incident, breaches: Sequence[Breach], tonight: Night) -> Told:
    """A resolved incident that late figures tell of: worse than known they reopen it, else it rests as it was."""
    severity = _worst([one.severity, *(breach.severity for breach in breaches)])
    if RANK[severity] == RANK[one.severity]:
        return Told(one, (), news=False, changed=False)
    after = replace(
        one,
        state="escalated",
        severity=severity,
        last_breach=tonight.night,
        quiet_nights=0,
        evidence=_merged(one.evidence, breaches),
        reopened=tonight.night,
    )
    return Told(after, tuple(breaches), news=True, changed=True)


def _was_judged(one: Incident, tonight: Night) -> bool:
    """Whether tonight could have seen the trouble: some figure of the incident's own kind was judged.

    Figures that are no longer there at all (a version that is new no more) do not keep it open.
    """
    own = {(item["metric"], item["segment"]) for item in one.evidence if item["severity"] != "info"}
    if own & tonight.present:
        return bool(own & tonight.judged)
    return bool(tonight.judged - {("delivery", "all"), ("volume", "all")})


def _merged(before: Iterable[Item], breaches: Iterable[Breach]) -> tuple[Item, ...]:
    return tuple(gathered.merge(list(before), [item for breach in breaches for item in breach.items]))


def _worst(severities: Iterable[str]) -> str:
    return max(severities, key=RANK.__getitem__)


def as_row(told: Told, night: date, encode: Any) -> Mapping[str, Any]:
    """A row of table `incidents`."""
    one = told.incident
    return {
        "night": night,
        "incident": one.incident,
        "state": one.state,
        "severity": one.severity,
        "scope": one.scope,
        "title": one.title,
        "text": one.text,
        "opened": one.opened,
        "last_breach": one.last_breach,
        "quiet_nights": one.quiet_nights,
        "evidence": encode(list(one.evidence)),
    }
