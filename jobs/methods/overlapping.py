"""One fault that shows in two segments at once: they overlap, so it is one incident and not two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs.spec.notation import parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobs.methods.evidence import Item
    from jobs.methods.grouping import Breach


def merged(answers: Mapping[str, list[Breach]], new: str) -> dict[str, list[Breach]]:
    """Tonight's breaches by incident, those of one fault put together; `new`: what leads the names of new incidents.

    Segments that overlap and fall on one night in one figure are one incident, the largest segment's: one fault shows
    in both. Segments that share no row stay apart.
    """
    narrow = [owner for owner in answers if owner.startswith(new) and answers[owner][0].segment != "all"]
    narrow = [owner for owner in narrow if any(one.severity != "info" for one in answers[owner])]
    narrow.sort(key=lambda owner: (-_rows(answers[owner]), owner))
    together = dict(answers)
    kept: list[tuple[str, str, set[tuple[Any, ...]]]] = []
    for owner in narrow:
        segment, figures = answers[owner][0].segment, _figures(answers[owner])
        mine = next((one for one, theirs, shared in kept if overlap(segment, theirs) and figures & shared), None)
        if mine is None:
            kept.append((owner, segment, figures))
        else:
            together[mine] = [*together[mine], *together.pop(owner)]
    return together


def _rows(breaches: Sequence[Breach]) -> int:
    return max(one.items[-1]["n"] or 0 for one in breaches)


def overlap(one: str, other: str) -> bool:
    """Whether two segments may share rows: no column that both name has another value in each.

    >>> overlap("country=FR", "country=FR,plan=new"), overlap("country=FR", "plan=new")
    (True, True)
    >>> overlap("country=FR", "country=DE"), overlap("country=FR", "country=DE,plan=new")
    (False, False)
    """
    values = dict(parts_of(one))
    return all(values.get(column, value) == value for column, value in parts_of(other))


def _figures(breaches: Sequence[Breach]) -> set[tuple[Any, ...]]:
    """What breached: base, metric, feature, age and day, and whether it fell or rose."""
    told = [(one.base, one.items[-1]) for one in breaches if one.severity != "info"]
    return {(base, item["metric"], item["feature"], item["label_age"], item["day"], _fell(item)) for base, item in told}


def _fell(item: Item) -> bool:
    return item["value"] is not None and item["lower"] is not None and item["value"] < item["lower"]
