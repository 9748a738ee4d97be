"""What has spoken for an incident over its nights: each figure once, at its worst, and whether tonight brings news."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from jobs.methods import wording
from jobs.methods.definitions import BY_NAME
from jobs.methods.evidence import EARLIER, PSEUDO_FEATURES, RANK, rounded, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jobs.methods.evidence import Item

MOST = 50
"""Items an incident keeps, the gravest and then the heaviest; see `_kept`."""

SOURCES = {"volume": "predictions", "coverage": "labels"}
"""Which delivery's trouble a figure tells of."""


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
        "weight": rounded(worst["weight"] + standing(worst, severity) - standing(worst, worst["severity"])),
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
