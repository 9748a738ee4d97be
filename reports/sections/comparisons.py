"""Versions side by side: on the same rows, or before and since; what differs, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reports.sections.figures import number
from reports.text import plain

if TYPE_CHECKING:
    from reports.history import Known
    from reports.index import Array

COMPARISONS_MOST = 6
VERDICT = "verdict"
BUSINESS = "before and since"
"""The basis of what the business got, also beside a shadow, of whose version's live days it is told."""


@dataclass(frozen=True)
class Difference:
    """One figure of both versions, the other's less the live one's, with its interval."""

    metric: str
    basis: str
    age: int
    value: float | None
    other_value: float | None
    n: float | None
    difference: float | None
    lower: float | None
    upper: float | None
    p: float | None


@dataclass(frozen=True)
class Comparison:
    """A live version and another one at one label age."""

    version: str
    other: str
    role: str
    """shadow or challenger; empty for a version that was live itself."""
    basis: str
    age: int
    verdict: str
    reason: str
    differences: tuple[Difference, ...]


def comparisons_of(known: Known) -> tuple[Comparison, ...]:
    """Tonight's comparisons, each pair at the oldest label age that says something, else at the youngest."""
    rows = known.tonight("comparisons")
    pairs: dict[tuple[str, str, str], list[int]] = {}
    for place in np.flatnonzero(rows["metric"] == VERDICT).tolist():
        pair = (str(rows["version"][place]), str(rows["other"][place]), str(rows["basis"][place]))
        pairs.setdefault(pair, []).append(place)
    chosen = [_telling(rows, places) for places in pairs.values()]
    return tuple(_comparison(rows, place) for place in chosen[:COMPARISONS_MOST])


def _telling(rows: dict[str, Array], places: list[int]) -> int:
    """Of one pair's verdicts the one to show."""
    known = [place for place in places if rows["verdict"][place] != "not yet known"]
    return max(known, key=lambda place: rows["label_age"][place]) if known else places[0]


def _comparison(rows: dict[str, Array], place: int) -> Comparison:
    same = np.ones(len(rows["metric"]), dtype=bool)
    for name in ("version", "other", "basis", "label_age"):
        same &= rows[name] == rows[name][place]
    others = np.flatnonzero(same & (rows["metric"] != VERDICT)).tolist() + _of_business(rows, place)
    role, _, name = str(rows["other"][place]).rpartition(":")
    return Comparison(
        version=plain(rows["version"][place], 40), other=plain(name, 40), role=plain(role, 20),
        basis=str(rows["basis"][place]), age=int(rows["label_age"][place]), verdict=str(rows["verdict"][place]),
        reason=plain(rows["reason"][place], 240), differences=tuple(_difference(rows, one) for one in others),
    )  # fmt: skip


def _of_business(rows: dict[str, Array], place: int) -> list[int]:
    """What the business got of a pair that is compared on the same rows, at the oldest age that has it."""
    if rows["basis"][place] == BUSINESS:
        return []
    told = (rows["basis"] == BUSINESS) & (rows["metric"] != VERDICT)
    for name in ("version", "other"):
        told &= rows[name] == rows[name][place]
    places = np.flatnonzero(told).tolist()
    oldest = max((int(rows["label_age"][one]) for one in places), default=-1)
    return [one for one in places if rows["label_age"][one] == oldest]


def _difference(rows: dict[str, Array], place: int) -> Difference:
    names = ("value", "other_value", "n", "difference", "lower", "upper", "p_value")
    keys = str(rows["metric"][place]), str(rows["basis"][place]), int(rows["label_age"][place])
    return Difference(*keys, *(number(rows[name][place]) for name in names))
