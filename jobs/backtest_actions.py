"""Would it have fired? What a replay's incidents ask for, beside what the nights themselves decided."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from jobs.backtest_replay import replay
from jobs.methods import backtest_bounds, specificity

if TYPE_CHECKING:
    from datetime import date

    from jobs.backtest_replay import Replayed
    from jobs.spec.judging import Rule

ASKED = ("rule", "severity", "metric", "feature", "segment", "version", "label_age")
"""Of a breach that asked for an action."""


@dataclass(frozen=True)
class Fired:
    """What an incident would have asked for, and what the nights decided."""

    night: date
    """Of the request, or the first night on which it was held."""
    action: str
    incident: str
    title: str
    outcome: str
    reason: str
    rules: tuple[str, ...]
    then: str
    """The outcome that the nights themselves came to; empty where they decided nothing."""
    then_night: date | None = None
    """The night of that."""


def asked_by(replayed: Replayed) -> pd.DataFrame:
    """The breaches that asked for an action, one row each: `key`, `action`, `outcome`, and the columns ASKED."""
    rows = replayed.within(replayed.decisions).sort_values("night", kind="stable")
    found = [
        {**item, "key": row["key"], "action": row["action"], "outcome": row["outcome"]}
        for row in rows.to_dict("records")
        for item in json.loads(row["payload"])["audit"]["asked_by"]
    ]
    return pd.DataFrame(found, columns=["key", "action", "outcome", *ASKED])


def outcomes_of(rule: Rule, replayed: Replayed) -> tuple[int, int]:
    """How often the rule's action would have been requested, and how often held; each incident counts once."""
    askers = asked_by(replayed)
    last = askers[specificity.of_rule(rule, askers, ())].groupby("key")["outcome"].last()
    return int(last.isin(["requested", "dry_run"]).sum()), int((last == "held").sum())


def requests_at(rule: Rule, bound: float, replayed: Replayed) -> int:
    """How often the rule's action would have been requested at another bound: all nights replayed with it.

    More alarms are not simply more requests: cool-downs and open incidents hold some of them.
    """
    from jobs.engine.replay import replaying

    spec = replayed.spec
    changes: dict[str, Any]
    if rule.outside:
        other, changes = rule, {"detection": spec.detection.model_copy(update={"limit": bound})}
    else:
        other = backtest_bounds.with_size(rule, bound)
        changes = {"rules": tuple(other if one == rule else one for one in spec.all_rules)}
    changed = spec.model_copy(update=changes)
    with replaying(replayed.warehouse.home, spec.model) as warehouse:
        return outcomes_of(other, replay(changed, replayed.history, replayed.period, warehouse))[0]


def fired(replayed: Replayed) -> list[Fired]:
    """Every request, every action held back and every one no more asked for, in the order of their nights."""
    from jobs.engine.replay import decided_then

    stored = _by_key(decided_then(replayed.warehouse, "decisions", replayed.period))
    now = _by_key(replayed.within(replayed.decisions))
    found = [_told(rows, stored.get(key, [])) for key, rows in now.items()]
    found += [_gone(rows) for key, rows in stored.items() if key not in now]
    return sorted(found, key=lambda one: (one.night, one.incident, one.action))


def _by_key(decisions: pd.DataFrame) -> dict[str, list[dict[Any, Any]]]:
    """An incident's decisions about one action, in the order of their nights."""
    found: dict[str, list[dict[Any, Any]]] = {}
    for row in decisions.sort_values("night", kind="stable").to_dict("records"):
        found.setdefault(row["key"], []).append(row)
    return found


def _night(rows: list[dict[Any, Any]]) -> date:
    """Of the request, else the first on which it was held."""
    night: pd.Timestamp = (rows[0] if rows[-1]["outcome"] == "held" else rows[-1])["night"]
    return night.date()


def _told(rows: list[dict[Any, Any]], then: list[dict[Any, Any]]) -> Fired:
    last = rows[-1]
    payload: dict[str, Any] = json.loads(last["payload"])
    return Fired(
        night=_night(rows),
        action=last["action"],
        incident=last["incident"],
        title=payload["reason"],
        outcome=last["outcome"],
        reason=last["reason"],
        rules=tuple(sorted({one["rule"] for one in payload["audit"]["asked_by"]})),
        then=then[-1]["outcome"] if then else "",
        then_night=_night(then) if then else None,
    )


def _gone(then: list[dict[Any, Any]]) -> Fired:
    """What the nights decided and the replay does not."""
    return Fired(
        night=_night(then),
        action=then[-1]["action"],
        incident=then[-1]["incident"],
        title=json.loads(then[-1]["payload"])["reason"],
        outcome="",
        reason="no breach of that incident asks for it in the replay",
        rules=(),
        then=then[-1]["outcome"],
        then_night=_night(then),
    )
