"""Why a figure changed: what each part adds by who came, which labels are in, how well it did; and who got worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.language import say
from reports.index import Key
from reports.sections.figures import number
from reports.text import plain
from reports.words import better, word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.history import Known
    from reports.index import Array

EFFECTS_MOST = 12
CHANGES_MOST = 4
FALLEN_MOST = 3
VERSION = "version"
"""The dimension of which version answered: told besides, whenever the versions of tonight are not those of the window.

After a full switch it puts the whole change into which version answered, and explains nothing about who came; so it
stands for the others only where there are none.
"""
ANOTHER = 0.05
"""How much of the answers another version must give for that."""
LEAST = 0.01
"""A change of fewer points than this, or of a smaller part of an error, is told only where a rule objects to the
figure."""
RATES = ("accuracy", "mae", "recall", "precision", "coverage", "conversion")


@dataclass(frozen=True)
class Effect:
    """What one part adds to the change of the whole; the four add up to `total`."""

    name: str
    former: float | None
    """The part's own rate before, and now."""
    value: float | None
    mix: float
    base: float
    coverage: float
    rate: float
    total: float


@dataclass(frozen=True)
class Change:
    """Why a rate of the whole differs from its recent window; the effects of all parts sum to `total`."""

    key: Key
    dimension: str
    by_version: bool
    """Whether the parts are versions, whose mix is which version answered, not who came."""
    former: float
    value: float
    total: float
    effects: tuple[Effect, ...]
    left_out: int = 0
    better: int = 1
    """-1 where less of the figure is better."""

    @property
    def size(self) -> float:
        """How large the change is: of a share in points, of an amount beside what it was."""
        return abs(_beside(self.key, self.total, self.former))


@dataclass(frozen=True)
class Fall:
    """A segment, or a pair of them, that got worse against its own past by more than the rest."""

    segment: str
    value: float
    n: float
    former: float
    q: float
    found: bool


@dataclass(frozen=True)
class Fallen:
    """Of one rate: how many segments were searched, and those that got worse most."""

    key: Key
    searched: int
    rows: tuple[Fall, ...]


def changes_of(known: Known, ages: Sequence[int], outcome_ages: Sequence[int]) -> tuple[Change, ...]:
    """The largest changes of tonight, each told along the dimension that explains it best.

    Where a version came, went or took over in the window, the change is told by version as well: which one answered,
    and how well each did, may be all there is to it.
    """
    rows = known.tonight("decompositions")
    keys = [Key(metric, age=age) for metric in RATES for age in (outcome_ages if metric == "conversion" else ages)[:1]]
    found = [changes for key in keys if (changes := _changes(known, key, rows))]
    found.sort(key=lambda some: (-some[0].size, some[0].key))
    return tuple(change for changes in found[:CHANGES_MOST] for change in changes)


def fallen_of(known: Known, ages: Sequence[int], outcome_ages: Sequence[int]) -> tuple[Fallen, ...]:
    """The segments that got worse most, for each figure at its youngest age."""
    rows = known.tonight("worst_segments")
    out = []
    for metric in RATES:
        age = (outcome_ages if metric == "conversion" else ages)[:1]
        mine = np.flatnonzero((rows["metric"] == metric) & np.isin(rows["label_age"], age))[:FALLEN_MOST]
        falls = tuple(
            Fall(
                plain(rows["segment"][place], 60), rows["value"][place], rows["n"][place], rows["former"][place],
                rows["q_value"][place], bool(rows["found"][place]),
            )
            for place in mine
            if (rows["value"][place] - rows["former"][place]) * better(metric) < 0
        )  # fmt: skip
        if falls:
            out.append(Fallen(Key(metric, age=age[0]), int(rows["searched"][mine[0]]), falls))
    return tuple(out)


def _changes(known: Known, key: Key, rows: dict[str, Array]) -> list[Change]:
    """A rate's change by its best dimension of segments, and by changed versions; none where nothing moved."""
    mine = (rows["metric"] == key.metric) & (rows["label_age"] == key.age)
    whole = np.flatnonzero(mine & (rows["segment"] == "all"))
    if not whole.size or not np.isfinite(rows["change"][whole[0]]):
        return []
    total = float(rows["change"][whole[0]])
    last = known.breaches(key).day[-1:]
    moved = abs(_beside(key, total, float(rows["former"][whole[0]])))
    if moved < LEAST and not (last.size and last[0] == known.day_at(key.age)):
        return []
    parts = mine & (rows["segment"] != "all")
    of_segments = sorted(set(rows["dimension"][parts]) - {VERSION})
    told = [max(of_segments, key=lambda name: _told(rows, parts, name, total), default=VERSION)]
    if told != [VERSION] and _other_versions(rows, parts):
        told.append(VERSION)
    return [_by(rows, key, one, np.flatnonzero(parts & (rows["dimension"] == one)), whole[0]) for one in told]


def _other_versions(rows: dict[str, Array], parts: Array) -> bool:
    """Whether other versions answer tonight than in the window, or in another mix."""
    mine = parts & (rows["dimension"] == VERSION)
    now, former = (np.nan_to_num(rows[name][mine].astype(float)) for name in ("share", "former_share"))
    return bool(mine.sum() > 1 and np.abs(now - former).max(initial=0.0) >= ANOTHER)


def _by(rows: dict[str, Array], key: Key, dimension: str, places: Array, whole: int) -> Change:
    """A change along one dimension; the row of the whole says from where to where."""
    effects = sorted((_effect(rows, place) for place in places.tolist()), key=lambda one: (-abs(one.total), one.name))
    former, value, total = (float(rows[name][whole]) for name in ("former", "value", "change"))
    named = say("version") if dimension == VERSION else plain(dimension, 40)
    return Change(
        key, named, dimension == VERSION, former, value, total, tuple(effects[:EFFECTS_MOST]),
        max(len(effects) - EFFECTS_MOST, 0), better(key.metric),
    )  # fmt: skip


def _beside(key: Key, total: float, former: float) -> float:
    return total / former if word(key.metric).kind == "amount" and former else total


def _told(rows: dict[str, Array], parts: Array, dimension: str, total: float) -> float:
    """How much a dimension explains: the most that one part adds beyond its share of the rows."""
    mine = parts & (rows["dimension"] == dimension)
    beyond = rows["change"][mine] - total * np.nan_to_num(rows["share"][mine])
    return float(np.nanmax(np.abs(beyond), initial=0.0))


def _effect(rows: dict[str, Array], place: int) -> Effect:
    mix, base, coverage, rate, total = (
        number(rows[name][place]) or 0.0 for name in ("mix", "base", "coverage", "rate", "change")
    )
    former, value = number(rows["former"][place]), number(rows["value"][place])
    return Effect(plain(rows["segment"][place], 60), former, value, mix, base, coverage, rate, total)
