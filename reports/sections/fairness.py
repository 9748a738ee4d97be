"""Fairness: each group's rates over the last weeks, and the gaps between the groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.index import Key
from reports.sections.figures import figure
from reports.text import plain
from reports.view import Panel, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reports.history import Known
    from reports.series import Figure

OF_DECISIONS = ("selection_rate",)
OF_LABELS = ("true_positive_rate", "false_positive_rate", "positive_predictive_value")
GAPS = (
    ("demographic_parity_ratio", False), ("demographic_parity_difference", False),
    ("equal_opportunity_difference", True), ("equal_opportunity_ratio", True),
    ("predictive_equality_difference", True), ("predictive_equality_ratio", True),
    ("equalized_odds_difference", True), ("equalized_odds_ratio", True),
    ("predictive_parity_difference", True), ("predictive_parity_ratio", True),
)  # fmt: skip
"""The gaps between groups, and whether they wait for labels."""
SHOWN = frozenset((*OF_DECISIONS, *OF_LABELS, *(metric for metric, _ in GAPS)))
"""The figures of which a page shows groups, which are segments."""
GROUPS_MOST = 20


@dataclass(frozen=True)
class Fairness:
    """One protected segment: its groups, and the gaps between them."""

    name: str
    groups: Panel
    gaps: tuple[Figure, ...]


def fairness_of(known: Known, protected: Iterable[str], ages: Sequence[int]) -> tuple[Fairness, ...]:
    """The protected segments that have figures tonight, at the oldest label age (early labels differ)."""
    age = max(ages, default=-1)
    return tuple(found for name in protected if (found := _of_segment(known, name, age)))


def _of_segment(known: Known, name: str, age: int) -> Fairness | None:
    columns = [*(Key(metric) for metric in OF_DECISIONS), *(Key(metric, age=age) for metric in OF_LABELS if age >= 0)]
    groups = sorted(
        {key.segment for column in columns for key in known.family(column.metric, age=column.age)
         if key.segment.partition("=")[0] == name and not key.segment.endswith("=*")}
    )  # fmt: skip
    rows = [
        Row(plain(group.partition("=")[2], 60), tuple(figure(known, key._replace(segment=group)) for key in columns))
        for group in groups
    ]
    told = [row for row in rows if any(one and one.state != "absent" for one in row.figures)]
    between = [
        figure(known, Key(metric, segment=f"{name}=*", age=age if late else -1))
        for metric, late in GAPS
        if age >= 0 or not late
    ]
    gaps = tuple(one for one in between if one.state != "absent")
    if not told and not gaps:
        return None
    panel = Panel(tuple(columns), tuple(told[:GROUPS_MOST]), max(len(told) - GROUPS_MOST, 0))
    return Fairness(plain(name, 40), panel, gaps)
