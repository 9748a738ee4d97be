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

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from jobs.engine.warehouse import Warehouse
    from jobs.spec.model import ModelSpec
    from jobs.spec.telling import Mute

FIGURE = ("metric", "feature", "segment", "version")
"""What names a figure in a verdict and in evidence."""

OVER = "its incident is over"

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
    cools: bool = False
    """Whether the action is still cooling down from a request that a rejection had freed."""

    @property
    def due(self) -> bool:
        """On its own night; later, until it is gone, where its incident asks again or a hand-over failed lately."""
        return not self.gone and not self.cools and (self.own or self.asked or self.tried)


def requests(
    spec: ModelSpec, warehouse: Warehouse, night: date, *, taken: bool = False, known: date | None = None
) -> list[Request]:
    """Every request decided by a night or before that nobody has taken (with `taken`: those too), oldest first.

    A night that never spoke, because the machine stood or it was caught up on, has offered its requests to nobody, yet
    decisions count them as requested; so a later night that speaks must offer them. Whether it does is `Request.due`.
    `known`: the newest night, where it is a later one: an approval may come days after the night that asked for it.
    """
    rows = warehouse.execute(
        f"SELECT n.state, i.state, i.evidence, s.key IS NOT NULL AND o.night >= ?, e.night, "
        f"{', '.join(f'o.{name}' for name in ledger.MESSAGE)}, d.payload->'$.audit.asked_by' "
        "FROM outbox AS o LEFT JOIN decisions AS d ON d.key = o.key AND d.night = o.night "
        f"{NEWEST.format('o')}"
        "LEFT JOIN incidents AS i ON i.incident = o.incident AND i.night = ? "
        "LEFT JOIN dispatches AS s ON s.channel = 'night' AND s.night = o.night "
        "LEFT JOIN dispatches AS e ON e.key = o.key || '-offered' "
        "WHERE o.channel IN ('rollback', 'fallback', 'retrain') AND o.night <= ? "
        "AND (? OR o.key NOT IN (SELECT key FROM dispatches)) ORDER BY o.night, o.key",
        [night - timedelta(days=ledger.AGAIN_DAYS), known or night, night, night, taken],
    ).fetchall()
    rejected = ledger.rejected(warehouse)
    if not rows and not rejected:
        return []
    asking, quiet = _asking(warehouse, night), mutes.active(spec.mutes, night)
    answering = Answering.of(warehouse.query("incidents/version_volumes", last=known or night))
    found = []
    for newest, state, evidence, tried, offered, *message in rows:
        row = _message(message)
        is_open = state is not None and state != "resolved"
        asked = is_open and _carries(json.loads(evidence), asking.get(row["channel"], set()), quiet)
        gone = _gone(newest, row, answering, known or night)
        cools = bool(rejected) and _cooling(spec, warehouse, row, night, freed=True)
        found.append(Request(row, row["night"] == night, bool(tried), gone, asked, offered, cools))
    freed = [
        replace(one, gone=_gone(newest, one.row, answering, known or night))
        for newest, one in _freed(spec, warehouse, night, known or night, rejected, taken=taken)
    ]
    return found + _one_each(spec, warehouse, night, freed)


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
    """By `ledger.MESSAGE`, and `asked_by`: the versions of the figures that asked, where they spoke of live ones."""
    *message, decided = values
    row = dict(zip(ledger.MESSAGE, message, strict=True))
    askers = json.loads(decided or "[]")
    versions = {str(one.get("version") or "all") for one in askers if not one.get("replaced")}
    return row | {"payload": json.loads(row["payload"]), "asked_by": versions}


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


def _freed(
    spec: ModelSpec, warehouse: Warehouse, night: date, known: date, rejected: set[str], *, taken: bool
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
        if _cooling(spec, warehouse, row, night):
            continue
        row["subject"] = f"{spec.model}: {row['channel']} requested, {row['payload']['reason']}"
        found.append((newest, Request(row, own=False, tried=False, gone="", asked=True, offered=offered)))
    return found


def _cooling(spec: ModelSpec, warehouse: Warehouse, row: dict[str, Any], night: date, *, freed: bool = False) -> bool:
    """Whether another request for the same action was handed over in the cool-down before a night.

    `freed`: count only those that a rejection had freed, of which decisions know nothing.
    """
    since = night - timedelta(days=getattr(spec.actions, row["channel"]).cooldown_days)
    found = warehouse.execute(
        "SELECT 1 FROM dispatches AS s WHERE s.channel = ? AND s.night > ? AND s.night <= ? AND s.key <> ? "
        "AND s.answer NOT LIKE 'not handed over%' AND (NOT ? OR EXISTS ("
        "SELECT 1 FROM decisions AS d WHERE d.key = s.key AND d.night = s.night AND d.outcome = 'held'))",
        [row["channel"], since, night, row["key"], freed],
    )
    return found.fetchone() is not None


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


def _carries(evidence: list[dict[str, Any]], figures: set[tuple[str, ...]], quiet: Sequence[Mute]) -> bool:
    """Whether an incident's evidence has one of these figures, unless it is muted."""
    return any(
        tuple(item.get(name) for name in FIGURE) in figures and not mutes.mute_of(item, quiet) for item in evidence
    )
