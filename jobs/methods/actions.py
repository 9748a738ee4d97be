"""What is done about an incident: decisions with their reasons, guard rails and every figure that led to them.

Nothing here has a side effect. Every decision has one key, by which it is handed over once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from jobs.language import say
from jobs.methods import evidence, mutes, sentences
from jobs.methods.answering import RULE_ENGINE
from jobs.methods.evidence import RANK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jobs.methods.answering import Serving
    from jobs.methods.grouping import Breach, Incident, Told
    from jobs.spec.acting import ActionPolicy
    from jobs.spec.telling import Mute

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
    severity: str = "critical"
    """Of the worst breach that asked for it."""
    version: str | None = None
    """The version it is about; None where nobody knew who answered."""

    @classmethod
    def of(cls, row: Mapping[str, Any], night: date) -> Requested:
        """From a row of `decisions`, its payload a mapping."""
        payload = row["payload"]
        severities = [one["severity"] for one in payload["audit"]["asked_by"]]
        about = (payload.get("versions") or {}).get("current")
        worst = max(severities, key=RANK.__getitem__)
        return cls(night, row["key"], row["action"], row["incident"], worst, about)


@dataclass(frozen=True)
class Situation:
    """What a decision of one night looks at besides its incident."""

    model: str
    night: date
    history: Sequence[Requested]
    """Requested before tonight, and earlier tonight."""
    fresh_labels: int
    policies: Mapping[str, ActionPolicy]
    serving: Serving
    """Who answers as of tonight."""
    unresolved: frozenset[str] = frozenset()
    """Incidents that are open tonight."""
    mutes: Sequence[Mute] = ()
    """Those that hold tonight."""


def in_turn(told: Iterable[Told], action: str, history: Iterable[Requested]) -> list[Told]:
    """Tonight's incidents in the order in which they may ask for an action: first those that never have.

    Then those that asked longest ago, so that one which lasts and asks again and again leaves room for the others.
    """
    last: dict[str, date] = {}
    for one in history:
        if one.action == action:
            last[one.incident] = max(one.night, last.get(one.incident, one.night))
    return sorted(told, key=lambda one: last.get(one.incident.incident, date.min))


def decide(told: Told, situation: Situation, wanted: Iterable[str] = ORDER) -> list[dict[str, Any]]:
    """Rows of table `decisions` (payload a mapping) for what tonight's breaches of one incident ask for.

    An incident asks for an action once, once more where something graver than the first time asks for it, and again
    where its request is about a version that another one has followed, or is neither open nor cooling down any more.
    """
    rows = []
    for action in wanted:
        asking = [one for one in told.asking if one.action == action and one.severity != "info"]
        key = _key(action, asking, told.incident, situation) if asking else None
        if key is None:
            continue
        held = _muted(told.incident, situation) or _unfit(action, asking, situation)
        blocking = [] if held else _blocking(action, told.incident, situation)
        if blocking:
            held = _waits(action, told.incident, blocking[-1], situation)
        policy = situation.policies[action]
        outcome = "held" if held else "dry_run" if policy.dry_run else "requested"
        reason = held or (_untaken(action, policy) if outcome == "requested" else "") or told.incident.title
        payload = _payload(told.incident, key, action, situation) | {"versions": _versions(action, asking, situation)}
        rows.append(
            {
                "night": situation.night,
                "key": key,
                "incident": told.incident.incident,
                "action": action,
                "outcome": outcome,
                "reason": reason,
                "payload": payload | {"audit": _audit(told, asking, held, blocking, situation)},
            }
        )
    return rows


def consumer(action: str, policy: ActionPolicy) -> str | None:
    """Who carries an action out: dag, webhook or command; None where the spec names nobody.

    >>> from jobs.spec.acting import Actions
    >>> consumer("retrain", Actions().retrain), consumer("rollback", Actions().rollback)
    ('dag', None)
    """
    return policy.consumer or ("dag" if action == "retrain" else None)


def _untaken(action: str, policy: ActionPolicy) -> str:
    """That nobody carries the action out, and how that is changed; empty where somebody does."""
    if consumer(action, policy):
        return ""
    return say("nobody takes it: name a webhook, a command or a DAG in actions.{action} of the spec", action=action)


def _key(action: str, asking: Sequence[Breach], incident: Incident, situation: Situation) -> str | None:
    """The name of the request; None where what the incident has asked for before answers this need too.

    Later requests are counted, and not named by their night: while one is held back, its name stays.
    """
    mine = [one for one in situation.history if one.action == action and one.incident == incident.incident]
    key = f"{incident.incident}-{action}"
    if not mine:
        return key
    standing = [one for one in mine if _stands(one, action, asking, situation)]
    severity, number = _worst(asking), len(mine) + 1
    if not standing:
        return f"{key}-{number}" if _is_fresh(asking, mine) else None
    if any(RANK[severity] <= RANK[one.severity] for one in standing):
        return None
    graver = f"{key}-{severity}"
    return graver if all(one.key != graver for one in mine) else f"{graver}-{number}"


def _stands(one: Requested, action: str, asking: Sequence[Breach], situation: Situation) -> bool:
    """Whether an incident's own request still answers its need: lately asked for, and about the same version.

    The rule engine is no version that follows one: it answers in its place.
    """
    policy = situation.policies[action]
    days = max(policy.cooldown_days, policy.open_days)
    current = _versions(action, asking, situation)["current"]
    same = current in (one.version, RULE_ENGINE) or one.version is None
    return same and one.night > situation.night - timedelta(days=days)


def _is_fresh(asking: Sequence[Breach], mine: Sequence[Requested]) -> bool:
    """Whether something that asks is of a day after the incident's last request, and of a version that answers now."""
    last = max(one.night for one in mine)
    return any(one.day > last and not one.replaced for one in asking)


def _worst(asking: Sequence[Breach]) -> str:
    return max((one.severity for one in asking), key=RANK.__getitem__)


def _muted(incident: Incident, situation: Situation) -> str:
    """That an incident is muted by its name; empty where it is not. A muted figure asks for nothing to begin with."""
    mute = mutes.mute_of_incident(incident.incident, situation.mutes)
    return say("muted until {last}", last=mute.until) if mute else ""


def _unfit(action: str, asking: Sequence[Breach], situation: Situation) -> str:
    """What the action lacks by itself; empty where nothing."""
    policy = situation.policies[action]
    if all(one.replaced for one in asking):
        told = "what asks for a {action} says nothing of the version that answers now: {reason}"
        return say(told, action=sentences.action_noun(action), reason=asking[0].replaced)
    if situation.fresh_labels < policy.min_labels:
        return say(
            "{labels} labels arrived in the last {days} days, {action} needs {least}",
            labels=f"{situation.fresh_labels:,}", days=FRESH_DAYS, action=say(action), least=f"{policy.min_labels:,}",
        )  # fmt: skip
    about = _versions(action, asking, situation)
    if action != "retrain" and about["current"] == RULE_ENGINE:
        return say("the rule engine answers already")
    if action == "rollback" and about["previous"] is None:
        return say("no earlier version is known to go back to")
    return ""


def _blocking(action: str, incident: Incident, situation: Situation) -> list[Requested]:
    """Earlier requests for the action that it must wait for, oldest first: cooling down, or another's and open."""
    policy, night = situation.policies[action], situation.night
    found = [
        one
        for one in situation.history
        if one.action == action
        and (night < one.night + timedelta(days=policy.cooldown_days) or _is_open(one, incident, policy, situation))
    ]
    return sorted(found, key=lambda one: (_is_open(one, incident, policy, situation), one.night, one.key))


def _is_open(one: Requested, incident: Incident, policy: ActionPolicy, situation: Situation) -> bool:
    """Whether a request is of another incident that has not ended."""
    others = one.incident != incident.incident and one.incident in situation.unresolved
    return others and one.night > situation.night - timedelta(days=policy.open_days)


def _waits(action: str, incident: Incident, last: Requested, situation: Situation) -> str:
    """How long an action waits for an earlier request, and what would free it before."""
    policy = situation.policies[action]
    freed = say(", unless a person rejects it") if policy.approval else ""
    if _is_open(last, incident, policy, situation):
        told = say(
            "a {action} was requested on {night} for {incident}, which is still open; "
            "one at a time, until {last} at most",
            action=sentences.action_noun(action), night=last.night, incident=last.incident,
            last=last.night + timedelta(days=policy.open_days),
        )  # fmt: skip
    else:
        told = say(
            "{action} was last requested on {last}; it cools down until {free}",
            action=say(action), last=last.night, free=last.night + timedelta(days=policy.cooldown_days),
        )  # fmt: skip
    return told + freed


def _audit(
    told: Told, asking: Sequence[Breach], held: str, blocking: Sequence[Requested], situation: Situation
) -> dict[str, Any]:
    """Every figure that led to a decision: the breaches that ask for it, and what each guard rail saw."""
    action = str(asking[0].action)
    policy = situation.policies[action]
    last = max((one.night for one in situation.history if one.action == action), default=None)
    return {
        "held_because": held or None,
        "asked_by": [
            {name: one.items[-1].get(name) for name in AUDITED} | ({"replaced": one.replaced} if one.replaced else {})
            for one in asking
        ],
        "guards": {
            "fresh_labels": situation.fresh_labels,
            "fresh_days": FRESH_DAYS,
            "min_labels": policy.min_labels,
            "last_requested": str(last) if last else None,
            "cooldown_days": policy.cooldown_days,
            "blocked_by": [one.key for one in blocking],
            "open_days": policy.open_days,
            "approval": policy.approval,
            "dry_run": policy.dry_run,
            "consumer": consumer(action, policy),
        },
        "incident": {
            "state": told.incident.state,
            "severity": told.incident.severity,
            "opened": str(told.incident.opened),
            "evidence": [dict(item) for item in told.incident.evidence[:SHOWN]],
        },
    }


def _versions(action: str, asking: Sequence[Breach], situation: Situation) -> dict[str, str | None]:
    """The version that what asks is about, of figures that still speak of one that answers, and the one before it."""
    of = [str(one.items[-1].get("version") or "all") for one in asking if not one.replaced]
    return situation.serving.about(action, of or ["all"])


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
    }


def shown(incident: Incident) -> list[dict[str, Any]]:
    wanted = ("metric", "feature", "segment", "version", "label_age", "day", "value", "expected", "n", "severity")
    telling = [item for item in incident.evidence if item["role"] != "context"]
    return [{name: item[name] for name in wanted} for item in telling[:SHOWN]]
