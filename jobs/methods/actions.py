"""What is done about an incident: decisions with their reasons, guard rails and every figure that led to them.

Nothing here has a side effect. Every decision has one key, by which it is handed over once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from jobs.language import say
from jobs.methods import evidence, wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from jobs.methods.grouping import Incident, Told
    from jobs.spec.model import ActionPolicy

PAYLOAD_VERSION = 1

FRESH_DAYS = 28
"""Days back in which labels count as fresh."""

ORDER = ("rollback", "fallback", "retrain")
"""The quickest relief first."""

SHOWN = 10
"""Pieces of evidence in a payload."""

AUDITED = (
    "rule", "metric", "feature", "segment", "version", "label_age", "day", "value", "n", "expected", "lower", "upper",
    "severity", "detector", "reason",
)  # fmt: skip
"""What a decision keeps of each breach that asked for it."""


@dataclass(frozen=True)
class Requested:
    """A decision that was asked for."""

    night: date
    key: str
    action: str
    incident: str = ""


@dataclass(frozen=True)
class Situation:
    """What a decision of one night looks at besides its incident."""

    model: str
    night: date
    history: Sequence[Requested]
    """Requested before tonight, and earlier tonight."""
    fresh_labels: int
    policies: Mapping[str, ActionPolicy]
    versions: Mapping[str, str | None]
    """`current` and `previous`, None where there is none."""
    unresolved: frozenset[str] = frozenset()
    """Incidents that are open tonight."""


def decide(told: Told, situation: Situation) -> list[dict[str, Any]]:
    """Rows of table `decisions` (payload a mapping) for what tonight's breaches of one incident ask for.

    An incident asks for an action once: after it was requested, no more is said.
    """
    asked = {breach.action for breach in told.asking if breach.action and breach.severity != "info"}
    known = {one.key for one in situation.history}
    rows = []
    for action in (name for name in ORDER if name in asked):
        key = f"{told.incident.incident}-{action}"
        if key in known:
            continue
        held = _held(action, told.incident, situation)
        reason = held or told.incident.title
        payload = _payload(told.incident, key, action, situation)
        rows.append(
            {
                "night": situation.night,
                "key": key,
                "incident": told.incident.incident,
                "action": action,
                "outcome": "held" if held else "dry_run" if situation.policies[action].dry_run else "requested",
                "reason": reason,
                "payload": payload | {"audit": _audit(told, action, situation, held)},
            }
        )
    return rows


def _held(action: str, incident: Incident, situation: Situation) -> str:
    """Why the action must wait; empty where it need not."""
    policy = situation.policies[action]
    last = _last(action, situation)
    if other := _open_request(action, incident, situation):
        return say(
            "a {action} was requested on {night} for {incident}, which is still open; "
            "one at a time, until {last} at most",
            action=wording.action_noun(action), night=other.night, incident=other.incident,
            last=other.night + timedelta(days=policy.open_days),
        )  # fmt: skip
    if last is not None and situation.night < last + timedelta(days=policy.cooldown_days):
        free = last + timedelta(days=policy.cooldown_days)
        told = "{action} was last requested on {last}; it cools down until {free}"
        return say(told, action=say(action), last=last, free=free)
    if situation.fresh_labels < policy.min_labels:
        return say(
            "{labels} labels arrived in the last {days} days, {action} needs {least}",
            labels=f"{situation.fresh_labels:,}", days=FRESH_DAYS, action=say(action), least=f"{policy.min_labels:,}",
        )  # fmt: skip
    if action == "rollback" and situation.versions.get("previous") is None:
        return say("no earlier version is known to go back to")
    return ""


def _last(action: str, situation: Situation) -> date | None:
    return max((one.night for one in situation.history if one.action == action), default=None)


def _open_request(action: str, incident: Incident, situation: Situation) -> Requested | None:
    """The latest request for the same action by another incident that has not ended."""
    since = situation.night - timedelta(days=situation.policies[action].open_days)
    found = [
        one
        for one in situation.history
        if one.action == action
        and one.incident != incident.incident
        and one.incident in situation.unresolved
        and one.night > since
    ]
    return max(found, key=lambda one: (one.night, one.key), default=None)


def _audit(told: Told, action: str, situation: Situation, held: str) -> dict[str, Any]:
    """Every figure that led to a decision: the breaches that ask for it, and what each guard rail saw."""
    policy, last = situation.policies[action], _last(action, situation)
    other = _open_request(action, told.incident, situation)
    return {
        "held_because": held or None,
        "asked_by": [
            {name: breach.items[-1].get(name) for name in AUDITED} for breach in told.asking if breach.action == action
        ],
        "guards": {
            "fresh_labels": situation.fresh_labels,
            "fresh_days": FRESH_DAYS,
            "min_labels": policy.min_labels,
            "last_requested": str(last) if last else None,
            "cooldown_days": policy.cooldown_days,
            "open_request": other.key if other else None,
            "open_days": policy.open_days,
            "approval": policy.approval,
            "dry_run": policy.dry_run,
        },
        "incident": {
            "state": told.incident.state,
            "severity": told.incident.severity,
            "opened": str(told.incident.opened),
            "evidence": [dict(item) for item in told.incident.evidence[:SHOWN]],
        },
    }


def _payload(incident: Incident, key: str, action: str, situation: Situation) -> dict[str, Any]:
    about = evidence.days(incident.evidence)
    return {
        "version": PAYLOAD_VERSION,
        "model": situation.model,
        "key": key,
        "action": action,
        "incident": incident.incident,
        "night": str(situation.night),
        "reason": incident.title,
        "metrics": shown(incident),
        "days": {"first": str(about.first), "last": str(about.last)} if about else None,
        "versions": dict(situation.versions),
    }


def shown(incident: Incident) -> list[dict[str, Any]]:
    wanted = ("metric", "feature", "segment", "version", "label_age", "day", "value", "expected", "n", "severity")
    telling = [item for item in incident.evidence if item["role"] != "context"]
    return [{name: item[name] for name in wanted} for item in telling[:SHOWN]]
