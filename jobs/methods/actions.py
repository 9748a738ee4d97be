"""What is done about an incident: decisions with their reasons and guard rails, and the messages that tell people.

Nothing here has a side effect. Every decision and message has one key, by which it is handed over once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from jobs.methods import evidence

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


@dataclass(frozen=True)
class Requested:
    """A decision that was asked for."""

    night: date
    key: str
    action: str


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
        held = _held(action, situation)
        reason = held or told.incident.title
        rows.append(
            {
                "night": situation.night,
                "key": key,
                "incident": told.incident.incident,
                "action": action,
                "outcome": "held" if held else "requested",
                "reason": reason,
                "payload": _payload(told.incident, key, action, situation),
            }
        )
    return rows


def _held(action: str, situation: Situation) -> str:
    """Why the action must wait; empty where it need not."""
    policy = situation.policies[action]
    last = max((one.night for one in situation.history if one.action == action), default=None)
    if last is not None and situation.night < last + timedelta(days=policy.cooldown_days):
        free = last + timedelta(days=policy.cooldown_days)
        return f"{action} was last requested on {last}; it cools down until {free}"
    if situation.fresh_labels < policy.min_labels:
        return (
            f"{situation.fresh_labels:,} labels arrived in the last {FRESH_DAYS} days, "
            f"{action} needs {policy.min_labels:,}"
        )
    if action == "rollback" and situation.versions.get("previous") is None:
        return "no earlier version is known to go back to"
    return ""


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
        "metrics": _shown(incident),
        "days": {"first": str(about.first), "last": str(about.last)} if about else None,
        "versions": dict(situation.versions),
    }


def _shown(incident: Incident) -> list[dict[str, Any]]:
    wanted = ("metric", "feature", "segment", "version", "label_age", "day", "value", "expected", "n", "severity")
    return [{name: item[name] for name in wanted} for item in incident.evidence[:SHOWN]]


def messages(
    told: Sequence[Told], decisions: Sequence[Mapping[str, Any]], model: str, night: date
) -> list[dict[str, Any]]:
    """Rows of table `outbox` (payload a mapping): one mail per change of an incident, one trigger per request."""
    rows = [_mail(one.incident, model, night) for one in told if one.changed]
    return rows + [
        {
            "night": night,
            "key": row["key"],
            "incident": row["incident"],
            "channel": row["action"],
            "subject": f"{model}: {row['action']} requested, {row['reason']}",
            "payload": row["payload"],
        }
        for row in decisions
        if row["outcome"] == "requested"
    ]


def _mail(incident: Incident, model: str, night: date) -> dict[str, Any]:
    key = f"{incident.incident}-{incident.state}-{night}"
    nights = (incident.last_breach - incident.opened).days + 1
    lead = {
        "opened": f"[{incident.severity}] {model}:",
        "escalated": f"[{incident.severity}] {model}, worse:",
        "resolved": f"[resolved] {model}, after {nights} night{'s' if nights != 1 else ''}:",
    }[incident.state]
    return {
        "night": night,
        "key": key,
        "incident": incident.incident,
        "channel": "mail",
        "subject": f"{lead} {incident.title}",
        "payload": {
            "version": PAYLOAD_VERSION,
            "model": model,
            "key": key,
            "incident": incident.incident,
            "state": incident.state,
            "severity": incident.severity,
            "night": str(night),
            "opened": str(incident.opened),
            "title": incident.title,
            "metrics": _shown(incident),
        },
    }
