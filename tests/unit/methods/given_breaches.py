"""Breaches and nights for tests of incidents."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from jobs.methods import evidence, grouping
from jobs.methods.grouping import Breach, Incident, Night, Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FIRST = date(2025, 3, 1)
IMPORTANCE = {"age": 0.1, "browsing_minutes": 0.6}


def day(number: int) -> date:
    """Night 0 is the first of March 2025."""
    return FIRST + timedelta(days=number)


def verdict(metric: str, number: int, **changes: Any) -> dict[str, Any]:
    """A row of `verdicts` on the night `number`, for the day `label_age` before it."""
    age = changes.get("label_age")
    row: dict[str, Any] = {
        "rule": f"{metric} rule", "metric": metric, "version": "all", "feature": "", "segment": "all",
        "label_age": age, "day": day(number - (age or 0)), "severity": "warning", "action": None,
        "detector": "recent", "value": 0.8, "n": 1000, "expected": 0.95, "lower": 0.85, "upper": None,
        "reason": f"{metric} is odd",
    }  # fmt: skip
    return row | changes


def breach(metric: str, number: int, **changes: Any) -> Breach:
    row = verdict(metric, number, **changes)
    item = evidence.item(row, IMPORTANCE, {"v2": "v1"})
    return Breach(
        base=evidence.scope_of(row),
        segment=row["segment"],
        severity=row["severity"],
        action=row["action"],
        day=row["day"],
        retold=bool(row["label_age"] and row["label_age"] > 1),
        late=row["day"] < day(number),
        items=(item,),
    )


def drift(number: int, feature: str = "browsing_minutes", value: float = 1.24, **changes: Any) -> Breach:
    return breach("psi", number, feature=feature, value=value, expected=None, detector="bound", **changes)


def accuracy(number: int, age: int = 1, **changes: Any) -> Breach:
    return breach("accuracy", number, label_age=age, **changes)


def walk(
    nights: Mapping[int, Iterable[Breach]], last: int, unjudged: Iterable[int] = (), resolve_after: int = 3
) -> list[tuple[int, Told]]:
    """Nights 0..last with these breaches; on `unjudged` ones nothing could be said. Answers what is written."""
    known: list[Incident] = []
    told: list[tuple[int, Told]] = []
    pairs = frozenset(
        (metric, segment)
        for metric in ("psi", "accuracy", "latency_p95", "volume", "delivery")
        for segment in ("all", "plan=new")
    )
    for number in range(last + 1):
        seen = frozenset() if number in set(unjudged) else pairs
        tonight = Night(day(number), tuple(nights.get(number, ())), seen, pairs)
        answers = grouping.advance("shop", tonight, known, resolve_after)
        told += [(number, one) for one in answers if one.news]
        known = [one.incident for one in answers]
    return told


def story(told: list[tuple[int, Told]]) -> dict[str, list[tuple[int, str]]]:
    """Scope -> (night, state), in order."""
    answer: dict[str, list[tuple[int, str]]] = {}
    for number, one in told:
        answer.setdefault(one.incident.incident, []).append((number, one.incident.state))
    return answer
