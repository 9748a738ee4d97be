"""Why a rate changed: what each segment adds through who came, how well it did, and which labels are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.sections.figures import number
from reports.text import plain
from reports.view import Change, Effect

if TYPE_CHECKING:
    from reports.history import Known

EFFECTS_MOST = 12


def changes_of(known: Known) -> tuple[Change, ...]:
    """The changes that tonight's rows explain, one for each metric and label age; the largest effects first."""
    rows = known.tonight("changes")
    names = ("metric", "label_age", "segment", "mix", "rate", "coverage")
    found: dict[tuple[str, int], list[Effect]] = {}
    for metric, age, segment, mix, rate, coverage in zip(*(rows[name].tolist() for name in names), strict=True):
        key = (str(metric), -1 if number(age) is None else int(age))
        effect = Effect(plain(segment, 60), number(mix) or 0.0, number(rate) or 0.0, number(coverage))
        found.setdefault(key, []).append(effect)
    return tuple(_change(metric, age, effects) for (metric, age), effects in sorted(found.items()))


def _change(metric: str, age: int, effects: list[Effect]) -> Change:
    ranked = sorted(effects, key=lambda one: (-abs(one.total), one.name))
    total = sum(one.total for one in effects)
    return Change(metric, age, total, tuple(ranked[:EFFECTS_MOST]), max(len(ranked) - EFFECTS_MOST, 0))
