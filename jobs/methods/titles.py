"""An incident in one line: what happened, an arrow, and what it did."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from jobs.language import say
from jobs.methods import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Evidence = Mapping[str, Any]

TITLE_MOST = 150
"""Letters of a title; what does not fit is counted, never cut in the middle of a figure."""

SHAPES = ((2, 2, 1), (2, 1, 1), (1, 2, 1), (1, 1, 1), (1, 1, 0))
"""Causes, effects and figures of other days that a title tells, the longest first."""

BEFORE, AFTER = timedelta(days=3), timedelta(days=1)
"""How far around a cause's days an effect may lie; before them as many as its rule waited for in a row, if more."""


def title(evidence: Sequence[Evidence]) -> str:
    """What happened and what it did, from evidence sorted by weight: causes, an arrow, effects.

    At most two causes and two effects, fewer where they would be longer than TITLE_MOST, each metric once; the rest is
    in the evidence. An effect of other days than the causes is told apart from them. Information only tells where
    nothing else does.

    >>> title([
    ...     {"role": "cause", "metric": "psi", "feature": "browsing_minutes", "value": 1.2391},
    ...     {"role": "effect", "metric": "accuracy", "value": 0.831, "expected": 0.95},
    ... ])
    'browsing_minutes drifted (PSI 1.24) → accuracy 83.1 % (expected 95.0 %)'
    """
    evidence = [item for item in evidence if item["role"] != "context"]
    causes: dict[tuple[str, str], str] = {}
    for item in evidence:
        if item["role"] == "cause":  # a feature once, though every version has a figure of it
            told = _cause(item)
            causes.setdefault((item["metric"], item.get("feature") or told), told)
    found = [item for item in evidence if item["role"] == "effect" and item.get("severity") != "info"]
    first = [item for item in evidence if item["role"] == "cause"]
    then = _by_metric(item for item in found if linked(item, first))
    besides = _by_metric(item for item in found if item["metric"] not in then)
    sides = list(causes.values()), list(then.values()), list(besides.values())
    if not any(sides):
        return wording.figure(evidence[0]) if evidence else say("nothing is known")
    for most in SHAPES:
        told = " → ".join(_list(side, shown) for side, shown in zip(sides[:2], most, strict=False) if side)
        if sides[2] and most[2]:
            told = say("{told}; on other days {besides}", told=told, besides=_list(sides[2], most[2]))
        if len(told) <= TITLE_MOST:
            break
    return told


def _by_metric(items: Iterable[Evidence]) -> dict[str, str]:
    """Each metric once, by its heaviest figure."""
    told: dict[str, str] = {}
    for item in items:
        if item["metric"] not in told:
            told[item["metric"]] = wording.figure(item)
    return told


def linked(effect: Evidence, causes: Sequence[Evidence]) -> bool:
    """Whether causes may explain an effect: it lies within the days of one of them, or close around them.

    >>> drift = {"day": "2025-03-08", "first_day": "2025-03-08", "last_day": "2025-03-10"}
    >>> [linked({"day": f"2025-03-{day}"}, [drift]) for day in ("04", "05", "11", "12")]
    [False, True, True, False]
    """
    if not causes or any("day" not in one for one in (effect, *causes)):
        return True
    first, last = _days(effect)
    return any(_begun(one) <= last and first <= _days(one)[1] + AFTER for one in causes)


def _begun(cause: Evidence) -> date:
    return _days(cause)[0] - max(BEFORE, timedelta(days=cause.get("in_a_row") or 0))


def _days(item: Evidence) -> tuple[date, date]:
    first, last = item.get("first_day") or item["day"], item.get("last_day") or item["day"]
    return date.fromisoformat(first), date.fromisoformat(last)


def _cause(item: Evidence) -> str:
    if item["metric"] == "version":
        return say("new version {version}", version=item["version"])
    return wording.figure(item)


def _list(texts: Sequence[str], most: int = 2) -> str:
    """Names, the overflow counted.

    >>> _list(["a", "b", "c", "d"])
    'a, b and 2 more'
    """
    shown, rest = texts[:most], len(texts) - most
    if rest > 0:
        return say("{names} and {count} more", names=say(", ").join(shown), count=rest)
    return say(" and ").join(shown)
