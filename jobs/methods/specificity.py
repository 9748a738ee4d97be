"""Which rule judges a figure where several could, and what importance and a minimum effect do to its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jobs.methods.scale import Floats
    from jobs.spec.judging import Rule
    from jobs.spec.notation import Change

NARROWEST, WIDEST = 0.8, 1.25
"""How far importance may tighten or loosen a feature's limit."""


def specificity(rule: Rule) -> int:
    """How many things a rule names: features, classes, segments, ages, versions.

    >>> from jobs.spec.judging import Rule
    >>> specificity(Rule(metric="psi", above=0.2)), specificity(Rule(metric="psi", above=0.2, features=("age",)))
    (0, 1)
    """
    segments = None if isinstance(rule.segments, str) else rule.segments
    given = (rule.features, rule.classes, segments, rule.ages, rule.versions)
    return sum(names is not None for names in given)


def bound_of(rule: Rule) -> tuple[str, str]:
    """What kind of question a rule asks; only rules that ask the same one compete."""
    kinds = ("above", "below", "drop", "rise", "outside")
    return next(kind for kind in kinds if getattr(rule, kind) is not None), rule.against


def named(rule: Rule, figures: pd.DataFrame) -> pd.Series[bool]:
    """Whether a figure is of the features, classes, segments, ages and versions that the rule names."""
    chosen = pd.Series(True, index=figures.index)
    for column, names in (
        ("feature", rule.features),
        ("feature", rule.classes),  # the column that says which class a figure is of
        ("label_age", rule.ages),
        ("version", rule.versions),
        ("segment", None if isinstance(rule.segments, str) else rule.segments),
    ):
        if names is not None:
            chosen &= figures[column].isin(names)
    return chosen


def taken(rule: Rule, rivals: Iterable[Rule], figures: pd.DataFrame) -> pd.Series[bool]:
    """Whether a figure belongs to a more specific rule of the same metric and kind of bound.

    Rules that name equally much stand side by side, so the tiers of one metric all speak.
    """
    gone = pd.Series(False, index=figures.index)
    for rival in rivals:
        same = rival.metric == rule.metric and bound_of(rival) == bound_of(rule)
        if not same or specificity(rival) <= specificity(rule):
            continue
        mine = named(rival, figures)
        if isinstance(rival.segments, str):
            mine &= (figures["segment"] == "all") == (rival.segments == "all")
        gone |= mine
    return gone


def of_rule(rule: Rule, rows: pd.DataFrame, rivals: Iterable[Rule]) -> pd.Series[bool]:
    """Which rows of verdicts are the rule's; rules with one name are told apart by severity and what they are about."""
    mine = (rows["rule"] == rule.name) & (rows["severity"] == rule.severity)
    if "action" in rows:
        mine &= rows["action"].fillna("") == (rule.action or "")
    return mine & named(rule, rows) & ~taken(rule, rivals, rows)


def nights(rules: Sequence[Rule], rows: pd.DataFrame) -> pd.Series[int]:
    """How many nights in a row the rule waits for that judged each row of verdicts; 1 where none of these did."""
    found = pd.Series(1, index=rows.index)
    for rule in rules:
        if rule.nights > 1:
            found = found.mask(of_rule(rule, rows, rules) & (found < rule.nights), rule.nights)
    return found


def tightness(importance: Mapping[str, float | None]) -> dict[str, float]:
    """By feature, what a general rule's limit is multiplied by: below 1 for important ones, above 1 for others.

    The root of the mean importance over the feature's own, within 0.8 and 1.25; 1 where the spec gives none. A limit
    written for named features is taken as it is written.

    >>> {name: round(factor, 2) for name, factor in tightness({"a": 0.4, "b": 0.1, "c": 0.1, "d": None}).items()}
    {'a': 0.8, 'b': 1.25, 'c': 1.25, 'd': 1.0}
    """
    known = [share for share in importance.values() if share is not None]
    mean = sum(known) / len(known) if known else 1.0
    return {
        name: 1.0 if share is None else min(max((mean / share) ** 0.5, NARROWEST), WIDEST)
        for name, share in importance.items()
    }


def factors(rule: Rule, features: pd.Series[str], tight: Mapping[str, float]) -> Floats:
    """Of each row, what the rule's limit is multiplied by; 1 where the rule names the features itself."""
    if rule.features is not None or not tight:
        return np.ones(len(features))
    return np.asarray(features.map(dict(tight)).fillna(1.0), dtype=np.float64)


def large_enough(least: Change | None, value: Floats, held_against: Floats) -> np.ndarray:
    """Whether a figure lies at least the minimum effect from what it is held against.

    >>> from jobs.spec.notation import Change
    >>> large_enough(Change.parse("1pp"), np.array([0.020, 0.035]), np.array([0.022, 0.022])).tolist()
    [False, True]
    """
    if least is None:
        return np.ones(len(value), dtype=bool)
    step = least.amount if least.unit == "pp" else least.amount * np.abs(held_against)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(value - held_against) >= step)
