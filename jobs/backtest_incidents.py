"""What a replay's incidents told people of, and which rules they are evidence of."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jobs.backtest_replay import Replayed
    from jobs.engine.warehouse import Warehouse
    from jobs.periods import Period

    Day = tuple[date, date]
    Figures = Mapping[tuple[Any, ...], Day]
    """What tells a figure from others -> its first and last day."""

NEWS = ("opened", "escalated", "grew")
"""States of an incident that people hear of; the end of one is no alarm."""

FIGURE = ("metric", "feature", "segment", "version", "label_age")


def told_of(replayed: Replayed) -> pd.DataFrame:
    """What incidents that opened in the period told: `incident`, `night`, `first_day`, `last_day`, one row a figure.

    Only nights with a message count (mutes and empty channels aside), and of those only the figures that the incident
    did not have the night before, or not for these days.
    """
    rows = replayed.within(replayed.incidents).sort_values("night", kind="stable")
    rows = rows[rows["opened"] >= pd.Timestamp(replayed.period.first)]
    spoken = _spoken(replayed)
    found = []
    for name, one in rows.groupby("incident", sort=False):
        before: Figures = {}
        for night, state, text in zip(one["night"], one["state"], one["evidence"], strict=True):
            now = _figures(text)
            if state in NEWS or (name, night) in spoken:
                days = list(_fresh(before, now)) or [(night.date(), night.date())]
                found += [(name, night, *about) for about in days]
            before = now
    told = pd.DataFrame(found, columns=["incident", "night", "first_day", "last_day"])
    return told.astype(dict.fromkeys(("night", "first_day", "last_day"), "datetime64[s]"))


def _spoken(replayed: Replayed) -> set[tuple[str, pd.Timestamp]]:
    """Incidents and the nights on which a message told news of them."""
    sent = replayed.within(replayed.outbox)
    return {
        (name, night)
        for name, night, payload in zip(sent["incident"], sent["night"], sent["payload"], strict=True)
        if json.loads(payload).get("state") in NEWS
    }


def _figures(text: str) -> Figures:
    """The figures of an incident's evidence; information alone is about no day."""
    return {
        tuple(one[name] for name in FIGURE): (date.fromisoformat(one["first_day"]), date.fromisoformat(one["last_day"]))
        for one in json.loads(text)
        if one["severity"] != "info"
    }


def _fresh(before: Figures, now: Figures) -> Iterator[Day]:
    """Of each figure the days that are new tonight.

    >>> day = date(2025, 1, 1)
    >>> [str(first) for first, _ in _fresh({("psi",): (day, day)}, {("psi",): (day, date(2025, 1, 2))})]
    ['2025-01-02']
    """
    for key, (first, last) in now.items():
        if key not in before:
            yield first, last
        elif last > before[key][1]:
            yield before[key][1] + timedelta(days=1), last


def opened_then(warehouse: Warehouse, period: Period) -> int:
    """Incidents that the nights themselves opened in the period."""
    from jobs.engine.replay import decided_then

    rows = decided_then(warehouse, "incidents", period)
    return int((rows["state"] == "opened").sum())


def incidents_of(replayed: Replayed, mine: Callable[[pd.DataFrame], pd.Series[bool]]) -> int:
    """Incidents open in the period that hold evidence of a rule."""
    items = _items(replayed)
    return int(items.loc[mine(items), "incident"].nunique()) if len(items) else 0


def _items(replayed: Replayed) -> pd.DataFrame:
    rows = replayed.within(replayed.incidents)
    last = rows.sort_values("night", kind="stable").groupby("incident").tail(1)
    pairs = zip(last["incident"], last["evidence"], strict=True)
    return pd.DataFrame([item | {"incident": name} for name, text in pairs for item in json.loads(text)])
