"""Requests for actions that nobody has taken, as a night sees them: which are due, and which can go out no more.

Decisions are made from data and spec alone, so they know no answer of a person and no hand-over; what those change is
worked out here, when a night speaks: what an outage left over, what a person rejected, what came too late.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from jobs import ledger
from jobs.methods import mutes
from jobs.methods.answering import Answering
from jobs.methods.evidence import RANK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from jobs.engine.warehouse import Warehouse
    from jobs.spec.model import ModelSpec
    from jobs.spec.telling import Mute

FIGURE = ("metric", "feature", "segment", "version")
"""What names a figure in a verdict and in evidence."""

OVER = "its incident is over"
SUPERSEDED = "superseded by"

NEWEST = (
    "LEFT JOIN (SELECT * FROM incidents WHERE night <= ? "
    "QUALIFY ROW_NUMBER() OVER (PARTITION BY incident ORDER BY night DESC) = 1) AS n ON n.incident = {}.incident "
)
"""Each request's incident as the newest known night left it."""


@dataclass(frozen=True)
class Request:
    """A request for an action that nobody has taken, as a night sees it."""

    row: dict[str, Any]
    """Of `outbox`, by `ledger.MESSAGE`."""
    own: bool
    """Whether this night decided it."""
    tried: bool
    """Whether it was decided on one of the AGAIN_DAYS before, by a night that spoke, and so was offered then."""
    gone: str
    """Why it can go out no more: its incident is over, or another version answers now; empty where it can."""
    asked: bool
    """Whether its incident is open and asks for it on this night too."""
    offered: date | None
    """The later night that offered it to a person for approval, if one did."""
    spoke: bool = False
    """Whether the night that decided it spoke, so that it was told to whoever takes or approves it."""
    rested: bool = False
    """Whether the action was still cooling down on the night that decided it, so that nobody was asked for it then."""
    waits: str = ""
    """What it must wait for: the action cools down from another hand-over, or another request goes first."""

    @property
    def due(self) -> bool:
        """On its own night; later, until it is gone, where its incident asks again or a hand-over failed lately."""
        return not self.gone and not self.waits and (self.own or self.asked or self.tried)

    @property
    def late(self) -> bool:
        """Whether the ledger is to say why it goes out no more: it was to go out, or another one went in its place."""
        return bool(self.gone) and (self.own or self.tried or (self.asked and self.gone.startswith(SUPERSEDED)))

    @property
    def weight(self) -> tuple[int, date, str]:
        """The gravest counts most, then the newest."""
        return RANK[self.row["severity"]], self.row["night"], self.row["key"]


@dataclass(frozen=True)
class Handed:
    """A request that was handed over."""

    key: str
    action: str
    night: date
    """On which it was."""
    decided: date


def requests(
    spec: ModelSpec, warehouse: Warehouse, night: date, *, taken: bool = False, known: date | None = None
) -> list[Request]:
    """Every request decided by a night or before that nobody has taken (with `taken`: those too), oldest first.

    A night that never spoke, because the machine stood or it was caught up on, has offered its requests to nobody, yet
    decisions count them as requested; so a later night that speaks must offer them. Whether it does is `Request.due`:
    of each action one at most, unless it is put to a person.
    `known`: the newest night, where it is a later one: an approval may come days after the night that asked for it.
    """
    newest_known = known or night
    rows = warehouse.execute(
        "SELECT n.state, i.state, i.evidence, s.key IS NOT NULL, e.night, "
        f"{', '.join(f'o.{name}' for name in ledger.MESSAGE)}, d.payload->'$.audit.asked_by' "
        "FROM outbox AS o LEFT JOIN decisions AS d ON d.key = o.key AND d.night = o.night "
        f"{NEWEST.format('o')}"
        "LEFT JOIN incidents AS i ON i.incident = o.incident AND i.night = ? "
        "LEFT JOIN dispatches AS s ON s.channel = 'night' AND s.night = o.night "
        "LEFT JOIN dispatches AS e ON e.key = o.key || '-offered' "
        "WHERE o.channel IN ('rollback', 'fallback', 'retrain') AND o.night <= ? "
        "AND (? OR o.key NOT IN (SELECT key FROM dispatches)) ORDER BY o.night, o.key",
        [newest_known, night, night, taken],
    ).fetchall()
    rejected = ledger.rejected(warehouse)
    if not rows and not rejected:
        return []
    asking, quiet = _asking(warehouse, night), mutes.active(spec.mutes, night)
    answering = Answering.of(warehouse.query("incidents/version_volumes", last=newest_known))
    handed = _handed(warehouse)
    found = []
    for newest, state, evidence, spoke, offered, *message in rows:
        row = _message(message)
        is_open = state is not None and state != "resolved"
        one = Request(
            row=row,
            own=row["night"] == night,
            tried=spoke and row["night"] >= night - timedelta(days=ledger.AGAIN_DAYS),
            gone=_gone(newest, row, answering, newest_known) or _followed(row, handed),
            asked=is_open and _carries(row["incident"], json.loads(evidence), asking.get(row["channel"], set()), quiet),
            offered=offered,
            spoke=spoke,
            rested=bool(_cooling(spec, row, handed, row["night"])),
            waits=_cooling(spec, row, handed, newest_known),
        )
        found.append(one)
    freed = [
        replace(one, gone=_gone(newest, one.row, answering, newest_known))
        for newest, one in _freed(spec, warehouse, night, newest_known, rejected, handed, taken=taken)
    ]
    return _one_a_night(spec, warehouse, night, found, _one_each(spec, warehouse, night, freed))


def _one_a_night(
    spec: ModelSpec, warehouse: Warehouse, night: date, found: list[Request], freed: list[Request]
) -> list[Request]:
    """All of them, with one due for each action at most: what a person approved, else the gravest, else the newest.

    An outage or a backfill leaves several, and whoever carries one out does what the others want: they are gone. But
    what a person was asked for stays until something goes out, and what outranks an approved one waits until after it.
    """
    said = {key: answer for key, (answer, _) in ledger.answers(warehouse, "approved", "rejected").items()}
    best: dict[str, Request] = {}

    def contends(one: Request) -> bool:
        key = one.row["key"]
        return one.due and said.get(key) != "rejected" and not ledger.sent(warehouse, key)

    def rank(one: Request) -> tuple[bool, tuple[int, date, str]]:
        return said.get(one.row["key"]) == "approved", one.weight

    contenders = [one for one in (*found, *freed) if contends(one)]
    for one in sorted(contenders, key=rank):
        best[one.row["channel"]] = one

    def behind(one: Request) -> Request:
        action = one.row["channel"]
        first = best.get(action)
        if first is None or one is first or one not in contenders:
            return one
        approved = said.get(first.row["key"]) == "approved"
        if getattr(spec.actions, action).approval and not approved and (one.own or one.spoke or one.offered):
            return one
        if one.weight > first.weight or (one.row["night"] == night and not one.own):
            return replace(one, waits=f"{first.row['key']} goes first")
        return replace(one, gone=f"{SUPERSEDED} {first.row['key']}")

    return [behind(one) for one in (*found, *freed)]


def _one_each(spec: ModelSpec, warehouse: Warehouse, night: date, freed: list[Request]) -> list[Request]:
    """Of what a rejection freed, one request for each action and those that are gone: it freed no more than it held.

    Before others: what was handed over, what a person approved, what waits for a person since less than the cool-down.
    """
    answers = ledger.answers(warehouse, "approved", "rejected")

    def rank(one: Request) -> tuple[bool, bool, bool, str]:
        key, said = one.row["key"], answers.get(one.row["key"], ("", ""))[0]
        since = night - timedelta(days=getattr(spec.actions, one.row["channel"]).cooldown_days)
        asked = one.offered is not None and one.offered > since
        return ledger.sent(warehouse, key), said == "approved", asked, key

    best: dict[str, Request] = {}
    for one in freed:
        action, said = one.row["channel"], answers.get(one.row["key"], ("", ""))[0]
        if not one.gone and said != "rejected" and (action not in best or rank(one) > rank(best[action])):
            best[action] = one
    return [one for one in freed if one.gone or one is best.get(one.row["channel"])]


def _message(values: Sequence[Any]) -> dict[str, Any]:
    """By `ledger.MESSAGE`, and of the figures that asked: `asked_by`, versions of those about live ones; `severity`."""
    *message, decided = values
    row = dict(zip(ledger.MESSAGE, message, strict=True))
    askers = json.loads(decided or "[]")
    versions = {str(one.get("version") or "all") for one in askers if not one.get("replaced")}
    severity = max((one["severity"] for one in askers), key=RANK.__getitem__, default="critical")
    return row | {"payload": json.loads(row["payload"]), "asked_by": versions, "severity": severity}


def _gone(newest: str | None, row: dict[str, Any], answering: Answering, known: date) -> str:
    """Why a request can go out no more, as the newest known night sees it; `newest`: its incident's state by then."""
    return OVER if newest == "resolved" else _replaced(row, answering, known)


def _replaced(row: dict[str, Any], answering: Answering, night: date) -> str:
    """That what a request is about answers no more; empty where it does."""
    action, version = row["channel"], (row["payload"].get("versions") or {}).get("current")
    if version is None:
        return ""
    asked = {version if action == "rollback" and one == "all" else one for one in row["asked_by"]} or {version}
    if not answering.passed(action, asked, row["night"], night):
        return ""
    rest = "which answers no more" if answering.gone(action, version, night) else "and others answer most by now"
    return f"it is about {version}, {rest}"


def _handed(warehouse: Warehouse) -> list[Handed]:
    rows = warehouse.execute(
        "SELECT s.key, s.channel, s.night, COALESCE(MAX(o.night), s.night) FROM dispatches AS s "
        "LEFT JOIN outbox AS o ON o.key = s.key WHERE s.channel IN ('rollback', 'fallback', 'retrain') "
        "AND s.answer NOT LIKE 'not handed over%' GROUP BY s.key, s.channel, s.night ORDER BY s.night, s.key"
    ).fetchall()
    return [Handed(*row) for row in rows]


def _followed(row: dict[str, Any], handed: Sequence[Handed]) -> str:
    """That a later request for the action was handed over; empty where none was."""
    later = [one for one in handed if one.action == row["channel"] and one.decided > row["night"]]
    return f"{SUPERSEDED} {later[-1].key}" if later else ""


def _freed(
    spec: ModelSpec,
    warehouse: Warehouse,
    night: date,
    known: date,
    rejected: set[str],
    handed: Sequence[Handed],
    *,
    taken: bool,
) -> list[tuple[str | None, Request]]:
    """What a night holds back only because of earlier requests that a person has rejected: it is asked for after all.

    Nothing came of those, so there is nothing to wait for. What was handed over this way cools down like any other.
    With each, the state of its incident as the night `known` left it.
    """
    rows = warehouse.execute(
        "SELECT n.state, e.night, d.night, d.key, d.incident, d.action, d.reason, d.payload, "
        "d.payload->'$.audit.asked_by' FROM decisions AS d "
        f"{NEWEST.format('d')}"
        "LEFT JOIN dispatches AS e ON e.key = d.key || '-offered' "
        "WHERE d.night = ? AND d.outcome = 'held' AND d.action IN ('rollback', 'fallback', 'retrain') "
        "AND (? OR d.key NOT IN (SELECT key FROM dispatches)) ORDER BY d.key",
        [known, night, taken],
    ).fetchall()
    found = []
    for newest, offered, *message in rows:
        row = _message(message)
        audit = row["payload"].pop("audit")
        waits_for, policy = audit["guards"].get("blocked_by") or [], getattr(spec.actions, row["channel"])
        if not waits_for or not set(waits_for) <= rejected or policy.dry_run:
            continue
        if _cooling(spec, row, handed, known):
            continue
        row["subject"] = f"{spec.model}: {row['channel']} requested, {row['payload']['reason']}"
        found.append((newest, Request(row, own=False, tried=False, gone="", asked=True, offered=offered)))
    return found


def _cooling(spec: ModelSpec, row: dict[str, Any], handed: Sequence[Handed], night: date) -> str:
    """Until when the action cools down from another request that was handed over by a night; empty where it does not.

    Decisions count from the night of a request; what went out later than that, or was freed, only the ledger knows.
    """
    days = timedelta(days=getattr(spec.actions, row["channel"]).cooldown_days)
    others = [one for one in handed if one.action == row["channel"] and one.key != row["key"] and one.night <= night]
    last = max(others, key=lambda one: one.night, default=None)
    if last is None or last.night + days <= night:
        return ""
    return f"{row['channel']} cools down until {last.night + days}, because {last.key} was handed over on {last.night}"


def _asking(warehouse: Warehouse, night: date) -> dict[str, set[tuple[str, ...]]]:
    """Action -> the figures (FIGURE) whose breaches ask for it on a night."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for action, *figure in warehouse.execute(
        f"SELECT DISTINCT action, {', '.join(FIGURE)} FROM verdicts "
        "WHERE night = ? AND verdict = 'breach' AND severity <> 'info' "
        "AND action IN ('rollback', 'fallback', 'retrain')",
        [night],
    ).fetchall():
        found.setdefault(action, set()).add(tuple(figure))
    return found


def _carries(
    incident: str, evidence: list[dict[str, Any]], figures: set[tuple[str, ...]], quiet: Sequence[Mute]
) -> bool:
    """Whether an incident's evidence has one of these figures, unless that, or the incident by its name, is muted."""
    if mutes.mute_of_incident(incident, quiet):
        return False
    return any(
        tuple(item.get(name) for name in FIGURE) in figures and not mutes.mute_of(item, quiet) for item in evidence
    )
