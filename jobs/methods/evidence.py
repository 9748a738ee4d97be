"""What speaks for an incident, ranked: causes before effects, drift by importance x PSI, the rest by how far it moved.

An item is a plain mapping that goes to JSON and comes back the same: numbers rounded to six digits, days as ISO text.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from jobs.methods import wording
from jobs.methods.definitions import BY_NAME
from jobs.methods.distances import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Item = dict[str, Any]

RANK = {"info": 0, "warning": 1, "critical": 2}

PSEUDO_FEATURES = frozenset({"score", "decision"})
"""Their drift is what the model made of its inputs: an effect."""

EARLIER, LATER = timedelta(days=7), timedelta(days=1)
"""How far around its days an incident still answers for them: rules over several nights speak late."""

ADDED = ("before", "after", "bins", "carried", "coverage", "usual_coverage", "muted", "in_a_row")
"""What a piece of evidence may have besides; see `jobs.methods.particulars`."""

NOTED = timedelta(days=7)
"""How long before a figure's day something done is told beside it."""

CAUSE = 10.0
"""Added to the weight of causes, so that they come before every effect."""


class Days(NamedTuple):
    """The prediction days that an incident is about."""

    first: date
    last: date

    def cover(self, day: date) -> bool:
        """Whether a figure of `day` tells of the same trouble."""
        return self.first - EARLIER <= day <= self.last + LATER


def item(breach: Mapping[str, Any], importance: Mapping[str, float], former: Mapping[str, str]) -> Item:
    """One breach (a row of `verdicts`) as evidence.

    `importance`: feature -> its share; `former`: version -> the version it replaced.
    """
    day = _iso(breach["day"])
    made: Item = {
        "role": role(breach),
        "weight": 0.0,
        "metric": breach["metric"],
        "feature": breach["feature"] or "",
        "segment": breach["segment"],
        "version": breach["version"],
        "label_age": None if _empty(breach["label_age"]) else int(breach["label_age"]),
        "day": day,
        "value": rounded(breach["value"]),
        "n": None if _empty(breach["n"]) else int(breach["n"]),
        "expected": rounded(breach["expected"]),
        "lower": rounded(breach["lower"]),
        "upper": rounded(breach["upper"]),
        "rule": breach["rule"],
        "severity": breach["severity"],
        "detector": breach["detector"],
        "reason": breach["reason"],
        "first_day": day,
        "last_day": day,
        "nights": 1,
    }
    if breach["detector"] == "previous_version" and breach["version"] in former:
        made["former_version"] = former[breach["version"]]
    made["weight"] = rounded(weight(made, importance))
    return made


def role(breach: Mapping[str, Any]) -> str:
    """`cause` for what comes in (deliveries, features), `effect` for what it does."""
    if breach["detector"] == "delivery" or breach["metric"] == "delivery":
        return "cause"
    if wording.of_part(breach["metric"]):  # column feature names a class, or a segment
        return "effect"
    return "cause" if breach["feature"] and breach["feature"] not in PSEUDO_FEATURES else "effect"


def weight(one: Mapping[str, Any], importance: Mapping[str, float]) -> float:
    """Where an item stands: causes above 10, effects by severity and then by relative change.

    >>> weight({"role": "cause", "metric": "psi", "feature": "age", "value": 1.0}, {"age": 0.5})
    10.333333333333334
    """
    value, expected = one.get("value"), one.get("expected")
    if one["role"] == "cause":
        if one["metric"] not in (*SHAPES, "missing_rate"):
            return CAUSE + 1 + (1 if one.get("rule") == "no data" else 0)
        return CAUSE + _saturating((value or 0.0) * importance.get(one["feature"], 1.0))
    if one["feature"] in PSEUDO_FEATURES:
        return _saturating(value or 0.0)
    # Severity first, then the whole before its parts, then how far it moved.
    place = standing(one, one["severity"]) + (0.5 if one["segment"] == "all" else 0.0)
    if value is None or expected is None:
        return place
    return place + 0.5 * _saturating(abs(value - expected) / max(abs(expected), 1e-9))


def standing(one: Mapping[str, Any], severity: str) -> float:
    """What a severity adds to an item's weight."""
    return 2.0 * RANK[severity] if one["role"] == "effect" and one["feature"] not in PSEUDO_FEATURES else 0.0


def importances(given: Mapping[str, float | None]) -> dict[str, float]:
    """Every feature's importance; those without count like the least important one that has it.

    >>> importances({"a": 0.7, "b": None, "c": 0.2}), importances({"a": None})
    ({'a': 0.7, 'b': 0.2, 'c': 0.2}, {'a': 1.0})
    """
    least = min((share for share in given.values() if share is not None), default=1.0)
    return {name: least if share is None else share for name, share in given.items()}


def new_version(one: Item) -> Item:
    """The change of version itself, as the cause of what a new version's figures show."""
    return {name: value for name, value in one.items() if name not in ADDED} | {
        "role": "cause", "weight": CAUSE + 2, "metric": "version", "feature": "", "segment": "all", "label_age": None,
        "value": None, "n": None, "expected": None, "lower": None, "upper": None,
        "reason": f"{one['version']} replaced {one.get('former_version', 'another version')}",
    }  # fmt: skip


def notes(one: Item, changes: Iterable[Mapping[str, Any]], markers: Iterable[tuple[date, str]]) -> list[Item]:
    """What was done in the NOTED days up to a figure's day: versions that began, and the spec's markers.

    `changes`: `version`, `first_day` (days). They may explain the figure and prove nothing, so their role is `context`.
    """
    day = date.fromisoformat(one["day"])
    blank = one | {
        "role": "context", "weight": 0.01, "metric": "version", "feature": "", "segment": "all", "label_age": None,
        "value": None, "n": None, "expected": None, "lower": None, "upper": None, "severity": "info",
        "detector": "marker", "rule": "",
    }  # fmt: skip
    for name in (*ADDED, "former_version"):
        blank.pop(name, None)
    begun = [
        blank | _on(change["first_day"]) | {"version": change["version"], "reason": f"{change['version']} began"}
        for change in changes
        if timedelta(0) <= day - change["first_day"] <= NOTED
    ]
    return begun + [
        blank | _on(when) | {"metric": "marker", "version": "all", "feature": what, "reason": what}
        for when, what in markers
        if timedelta(0) <= day - when <= NOTED
    ]


def _on(day: date) -> dict[str, str]:
    return {"day": str(day), "first_day": str(day), "last_day": str(day)}


def days(evidence: Iterable[Item]) -> Days | None:
    """The days that evidence is about; information alone is about none."""
    telling = [one for one in evidence if one["severity"] != "info"]
    if not telling:
        return None
    return Days(
        min(date.fromisoformat(one["first_day"]) for one in telling),
        max(date.fromisoformat(one["last_day"]) for one in telling),
    )


def rounded(value: Any) -> float | None:
    """Six significant digits, None where there is no number.

    >>> rounded(0.123456789), rounded(float("nan"))
    (0.123457, None)
    """
    return None if _empty(value) else float(f"{float(value):.6g}")


def scope_of(breach: Mapping[str, Any]) -> str:
    """Which kind of trouble a breach is: delivery, service or behaviour.

    >>> scope_of({"detector": "prophet", "metric": "latency_p95"})
    'service'
    """
    metric = breach["metric"]
    if breach["detector"] == "delivery" or metric in ("delivery", "volume", "coverage"):
        return "delivery"
    known = BY_NAME.get(metric)
    return "service" if known is not None and known.layer in ("service", "system") else "behaviour"


def _saturating(size: float) -> float:
    return size / (1 + size)


def _empty(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, float) and math.isinf(value))  # noqa: PLR0124


def _iso(day: Any) -> str:
    return str(day)[:10]
