"""Would it have fired? What a replay's incidents ask for, beside what the nights themselves decided."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from datetime import date

    from jobs.backtest_replay import Replayed

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


def asked_by(replayed: Replayed) -> pd.DataFrame:
    """The breaches that asked for an action, one row each: `key`, `action`, `outcome`, and the columns ASKED."""
    rows = replayed.within(replayed.decisions).sort_values("night", kind="stable")
    found = [
        {**item, "key": row["key"], "action": row["action"], "outcome": row["outcome"]}
        for row in rows.to_dict("records")
        for item in json.loads(row["payload"])["audit"]["asked_by"]
    ]
    return pd.DataFrame(found, columns=["key", "action", "outcome", *ASKED])


def fired(replayed: Replayed) -> list[Fired]:
    """Every request and every action held back, in the order of their nights; then what is no more asked for."""
    from jobs.engine.replay import decided_then

    stored = decided_then(replayed.warehouse, "decisions", replayed.period).sort_values("night", kind="stable")
    then = stored.groupby("key")["outcome"].last().to_dict()
    rows = replayed.within(replayed.decisions).sort_values(["night", "key"], kind="stable")
    found = [_of_key(group.to_dict("records"), then) for _, group in rows.groupby("key", sort=False)]
    gone = stored[~stored["key"].isin(rows["key"])].groupby("key", sort=False).tail(1)
    return found + [_gone(row) for row in gone.to_dict("records")]


def _of_key(rows: list[dict[Any, Any]], then: dict[Any, Any]) -> Fired:
    """One action of one incident; held on some nights, requested at last or not."""
    last = rows[-1]
    payload: dict[str, Any] = json.loads(last["payload"])
    return Fired(
        night=(rows[0] if last["outcome"] == "held" else last)["night"].date(),
        action=last["action"],
        incident=last["incident"],
        title=payload["reason"],
        outcome=last["outcome"],
        reason=last["reason"],
        rules=tuple(sorted({one["rule"] for one in payload["audit"]["asked_by"]})),
        then=then.get(last["key"], ""),
    )


def _gone(row: dict[Any, Any]) -> Fired:
    """What the nights decided and the replay does not."""
    return Fired(
        night=row["night"].date(),
        action=row["action"],
        incident=row["incident"],
        title=json.loads(row["payload"])["reason"],
        outcome="",
        reason="no rule asks for it any more",
        rules=(),
        then=row["outcome"],
    )
