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
    from collections.abc import Iterable, Mapping, Sequence

    Item = dict[str, Any]

RANK = {"info": 0, "warning": 1, "critical": 2}

PSEUDO_FEATURES = frozenset({"score", "decision"})
"""Their drift is what the model made of its inputs: an effect."""

MOST = 50
"""Items an incident keeps, the gravest and then the heaviest; see `_kept`."""

EARLIER, LATER = timedelta(days=7), timedelta(days=1)
"""How far around its days an incident still answers for them: rules over several nights speak late."""

ADDED = ("before", "after", "bins", "carried", "coverage", "usual_coverage", "muted", "in_a_row")
"""What a piece of evidence may have besides; see `jobs.methods.particulars`."""

NOTED = timedelta(days=7)
"""How long before a figure's day something done is told beside it."""

SOURCES = {"volume": "predictions", "coverage": "labels"}
"""Which delivery's trouble a figure tells of."""

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
    standing = _standing(one, one["severity"]) + (0.5 if one["segment"] == "all" else 0.0)
    if value is None or expected is None:
        return standing
    return standing + 0.5 * _saturating(abs(value - expected) / max(abs(expected), 1e-9))


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


def merge(before: Sequence[Item], tonight: Iterable[Item]) -> list[Item]:
    """Evidence after a night: each figure once, as it was at its worst, heaviest first; see `_kept`."""
    nightly: dict[tuple[Any, ...], Item] = {}
    for one in tonight:
        key = _key(one)
        nightly[key] = _worse(nightly[key], one, night=False) if key in nightly else one
    known = {_key(one): one for one in before}
    for key, one in nightly.items():
        known[key] = _worse(known[key], one, night=True) if key in known else one
    return sorted(_kept(list(known.values())), key=_place)


def _kept(items: Sequence[Item]) -> list[Item]:
    """The MOST gravest, and of all else that `grown` and `graver` tell apart the gravest item each.

    What is kept is all that an incident knows of its past: a figure that fell out would be news on every night. There
    are no more of these than the spec has metrics and features; segments and label ages may be any number.
    """
    ranked = sorted(items, key=lambda one: (-RANK[one["severity"]], *_place(one)))
    kept: list[Item] = []
    seen: set[tuple[str, ...] | None] = {None}
    for one in ranked:
        told = {_figure(one), _trouble(one)} - seen if _tells(one) else set()
        if told or len(kept) < MOST:
            seen |= told
            kept.append(one)
    return kept


def _place(one: Item) -> tuple[Any, ...]:
    return (-one["weight"], *map(str, _key(one)))


def _key(one: Item) -> tuple[Any, ...]:
    return tuple(one[name] for name in ("metric", "feature", "segment", "version", "label_age"))


def _worse(old: Item, new: Item, *, night: bool) -> Item:
    """The figure farther beyond what it is held against, with the worst severity that either had."""
    if night:
        worst = new if _farther(new, old) else old
    else:  # several rules about one figure: the most severe one speaks
        worst = max(old, new, key=lambda one: (RANK[one["severity"]], one["weight"]))
    severity = max(old["severity"], new["severity"], key=RANK.__getitem__)
    if "muted" in worst and not ("muted" in old and "muted" in new):
        worst = {name: value for name, value in worst.items() if name != "muted"}  # it has been told
    return worst | {
        "severity": severity,
        "weight": rounded(worst["weight"] + _standing(worst, severity) - _standing(worst, worst["severity"])),
        "first_day": min(old["first_day"], new["first_day"]),
        "last_day": max(old["last_day"], new["last_day"]),
        "nights": old["nights"] + (1 if night else 0),
    }


def _farther(new: Item, old: Item) -> bool:
    """Whether `new` is worse than `old`, whatever their severities, which decide only between equals."""
    first, second = new["value"], old["value"]
    if first is not None and second is not None:
        ranges = [
            None if one["expected"] is None else abs(one["value"] - one["expected"]) / max(abs(one["expected"]), 1e-9)
            for one in (new, old)
        ]
        if ranges[0] is not None and ranges[1] is not None:
            first, second = ranges[0], ranges[1]
        elif new["lower"] is not None and new["upper"] is None:
            first, second = -first, -second
        if first != second:
            return bool(first > second)
    return bool((RANK[new["severity"]], new["weight"]) > (RANK[old["severity"]], old["weight"]))


def _standing(one: Mapping[str, Any], severity: str) -> float:
    """What a severity adds to an item's weight."""
    return 2.0 * RANK[severity] if one["role"] == "effect" and one["feature"] not in PSEUDO_FEATURES else 0.0


def grown(before: Sequence[Item], tonight: Iterable[Item]) -> bool:
    """Whether tonight's figures bring trouble of another kind: a cause not in `before`, or the first effect of a layer.

    Features and versions are causes of their own. Effects of one layer (the model's scores, business) tell the same
    story, so accuracy after recall is no other trouble, and conversion after recall is. Information and muted figures
    bring nothing.
    """
    known = {_trouble(one) for one in before if _tells(one)}
    found = {_trouble(one) for one in tonight if _tells(one)}
    return bool(found - known - {None})


def graver(before: Sequence[Item], tonight: Iterable[Item]) -> bool:
    """Whether a figure of the whole day is more severe tonight than it ever was in `before`, at any label age.

    A figure that was not there counts as a warning: whether its first warning is news, `grown` tells. What the model
    made of inputs that began to drift, or of a new version, within a week of its day, they have told.
    """
    tonight = list(tonight)
    first: dict[tuple[str, str] | None, str] = {}
    for one in (*before, *tonight):
        if one["role"] == "cause" and _tells(one):
            first[_trouble(one)] = min(one["first_day"], first.get(_trouble(one), one["first_day"]))
    began = [date.fromisoformat(day) for day in first.values()]
    known: dict[tuple[str, str] | None, int] = {}
    for one in before:
        if _tells(one):
            known[_figure(one)] = max(RANK[one["severity"]], known.get(_figure(one), 0))
    news = [
        one for one in tonight if _tells(one) and not (one["feature"] in PSEUDO_FEATURES and _explained(one, began))
    ]
    found = [(_figure(one), RANK[one["severity"]]) for one in news]
    return any(figure is not None and rank > known.get(figure, RANK["warning"]) for figure, rank in found)


def _explained(one: Item, began: Iterable[date]) -> bool:
    """Whether a cause began near the day of a figure."""
    return any(abs(date.fromisoformat(one["day"]) - day) <= EARLIER for day in began)


def _tells(one: Item) -> bool:
    return one["severity"] != "info" and one["role"] != "context" and "muted" not in one


def _figure(one: Item) -> tuple[str, str] | None:
    """Which figure of the whole day an item tells of, at whatever label age and of whichever version; None for parts.

    Of figures of one class each, the metric is the figure.
    """
    if one["segment"] != "all":
        return None
    if one["metric"] == "version":
        return ("version", str(one["version"]))
    return (one["metric"], "" if wording.of_part(one["metric"]) else str(one["feature"]))


def _trouble(one: Item) -> tuple[str, str] | None:
    """What kind of trouble an item speaks of; None where another item speaks of it better.

    That labels do not come is told by their coverage first, and by the rule `no labels` some nights later.
    """
    if one["metric"] in ("delivery", *SOURCES):
        source = SOURCES.get(one["metric"]) or str(one["feature"])
        return ("delivery", source) if one["segment"] == "all" else None
    if one["role"] == "cause":
        own = one["version"] if one["metric"] == "version" else one["feature"]
        return ("cause", own) if own else None
    known = BY_NAME.get(one["metric"])
    named = one["feature"] and not wording.of_part(one["metric"])
    if one["role"] != "effect" or one["segment"] != "all" or named or known is None:
        return None
    return ("effect", known.layer)


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
