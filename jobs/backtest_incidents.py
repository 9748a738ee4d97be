"""What a replay's incidents told people of, and which rules they are evidence of."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from jobs.methods.messages import NEWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jobs.backtest_replay import Replayed
    from jobs.engine.warehouse import Warehouse
    from jobs.periods import Period

    Day = tuple[date, date]
    Figures = Mapping[tuple[Any, ...], Day]
    """What tells a figure from others -> its first and last day."""

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


def incidents_of(replayed: Replayed, breaches: pd.DataFrame) -> int:
    """Incidents that hold a figure of some breaches on the night of the breach.

    Evidence keeps a figure under one rule, the gravest, so the figure tells which breaches are in it and not the rule.
    """
    kept = replayed.evidence
    if kept.empty or breaches.empty:
        return 0
    mine = breaches.assign(feature=breaches["feature"].fillna(""), label_age=_aged(breaches["label_age"]))
    met = mine[["night", "day", *FIGURE]].merge(kept, on=["night", *FIGURE])
    return int(met.loc[met["day"].between(met["first_day"], met["last_day"]), "incident"].nunique())


def evidence_of(incidents: pd.DataFrame) -> pd.DataFrame:
    """The figures that incidents hold: `night`, `incident`, FIGURE, `first_day`, `last_day`, one row each a night."""
    pairs = zip(incidents["night"], incidents["incident"], incidents["evidence"], strict=True)
    found = [
        {"night": night, "incident": name, **{column: one[column] for column in (*FIGURE, "first_day", "last_day")}}
        for night, name, text in pairs
        for one in json.loads(text)
    ]
    rows = pd.DataFrame(found, columns=["night", "incident", *FIGURE, "first_day", "last_day"])
    days = {column: pd.to_datetime(rows[column]) for column in ("first_day", "last_day")}
    return rows.assign(label_age=_aged(rows["label_age"]), **days)


def _aged(ages: pd.Series[Any]) -> pd.Series[Any]:
    """Label ages that can be joined on; -1 for figures that need no labels."""
    return pd.to_numeric(ages).fillna(-1).astype("int64")
