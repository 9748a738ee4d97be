"""An incident told as a colleague would write it: what changed, what it did, since when, and what is done about it.

Which sentences there are, and their words, is in `jobs.methods.sentences`; here it is decided which of them are said.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from jobs.language import join, say
from jobs.methods import sentences, titles, wording
from jobs.methods.distances import SHAPES
from jobs.methods.sentences import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    Item = Mapping[str, Any]

CAUSES, EFFECTS, NOTES = 2, 2, 3
"""Pieces of evidence that are told; the report has the rest."""


def tell(evidence: Sequence[Item]) -> str:
    """The incident in sentences, causes first; `evidence` heaviest first, as incidents keep it."""
    causes = [one for one in evidence if one["role"] == "cause"]
    causes = _first_of_each(causes, lambda one: (one["metric"], one["feature"]))
    effects = [one for one in evidence if one["role"] == "effect" and one["severity"] != "info"]
    effects.sort(key=lambda one: not titles.linked(one, causes))
    effects = _first_of_each(effects, lambda one: (wording.subject_of(one), one["segment"]))
    notes = [one for one in evidence if one["role"] == "context"]
    notes = sorted(notes, key=lambda one: str(one["first_day"]))[-NOTES:]
    if not causes and not effects:
        effects = list(evidence[:1])
    told = effects[:EFFECTS]
    sentences = [
        *(sentence for one in causes[:CAUSES] for sentence in _cause(one)),
        *(sentence for one in told if titles.linked(one, causes) for sentence in _effect(one)),
        *([] if all(titles.linked(one, causes) for one in told) else [say(SENTENCES["apart"])]),
        *(sentence for one in told if not titles.linked(one, causes) for sentence in _effect(one)),
        *(sentence for one in notes for sentence in _note(one)),
    ]
    sentences = list(dict.fromkeys(sentences))  # two figures of one day share its coverage
    left = len(causes[CAUSES:]) + len(effects[EFFECTS:])
    if left:
        sentences.append(say(SENTENCES["more" if left > 1 else "one more"], count=left))
    return join(sentences)


def _first_of_each(items: Sequence[Item], kind: Callable[[Item], Hashable]) -> list[Item]:
    found: dict[Hashable, Item] = {}
    for one in items:
        found.setdefault(kind(one), one)
    return list(found.values())


def _cause(one: Item) -> Iterator[str]:
    metric, rule = one["metric"], one.get("rule", "")
    if metric == "version":
        yield say(SENTENCES["took over"], **_names(one))
    elif rule == "no data":
        yield say(SENTENCES["no data"], day=one["day"])
    elif metric == "missing_rate":
        yield say(SENTENCES["missing"], **_names(one))
    elif metric in SHAPES:
        yield from _drift(one)
    else:
        yield sentences.sentence(str(one["reason"]))


def _drift(one: Item) -> Iterator[str]:
    before, after = one.get("before") or {}, one.get("after") or {}
    if before.get("mean") is not None and after.get("mean") is not None:
        middle = {"mean_before": before["mean"], "mean_after": after["mean"]}
        middle |= {"median_before": before["median"], "median_after": after["median"]}
        amounts = {name: wording.amount(value) for name, value in middle.items()}
        yield say(SENTENCES["numbers drifted"], **_names(one), **amounts)
    else:
        yield say(SENTENCES["drifted"], **_names(one))
    for told in (one.get("bins") or [])[:1]:
        shares = {name: wording.number("accuracy", told[name]) for name in ("expected", "observed")}
        yield say(SENTENCES["bin"], values=wording.bin_name(told), **shares)


def _effect(one: Item) -> Iterator[str]:
    kind = "figure" if one.get("expected") is not None else "figure and bound"
    kind += "" if one.get("label_age") is None else " at age"
    kind += "" if one.get("segment", "all") == "all" else " of segment"
    yield sentences.sentence(say(SENTENCES[kind], **_names(one)))
    for told in one.get("carried") or []:
        yield say(
            SENTENCES["carried by rate" if told["kind"] == "rate" else "carried by mix"],
            part=f"{min(told['part'], 1.0) * 100:.0f}{say(' %')}",
            segment=told["segment"],
            **{name: wording.number(one["metric"], told[name]) for name in ("value", "before")},
            **{name: wording.number("coverage", told[name]) for name in ("share", "share_before")},
        )
    known, usual = one.get("coverage"), one.get("usual_coverage")
    if one["metric"] != "coverage" and known is not None and usual:
        away = abs(known - usual) > max(0.1 * usual, 0.02)
        kind = ("coverage differs" if known < usual else "coverage higher") if away else "coverage"
        shares = {"coverage": wording.number("coverage", known), "usual": wording.number("coverage", usual)}
        yield say(SENTENCES[kind], **shares)


def _note(one: Item) -> Iterator[str]:
    if one["metric"] == "version":
        yield say(SENTENCES["began"], version=one["version"], day=one["first_day"])
    else:
        yield say(SENTENCES["marker"], day=one["first_day"], what=one["feature"])


def _names(one: Item) -> dict[str, Any]:
    """What sentences may name, as words."""
    age, n = one.get("label_age"), one.get("n")
    bounds = [bound for bound in (one.get("lower"), one.get("upper")) if bound is not None]
    return {
        "metric": wording.subject_of(one),
        "feature": one.get("feature") or wording.name(one["metric"]),
        "segment": one.get("segment", "all"),
        "version": one.get("version", ""),
        "former": one.get("former_version") or say("the version before"),
        "day": one["day"],
        "first_day": one.get("first_day") or one["day"],
        "days": wording.days_text(age) if age is not None else "",
        "value": wording.number(one["metric"], one.get("value")),
        "against": wording.compared(one),
        "bound": wording.number(one["metric"], bounds[0]) if bounds else say("unknown"),
        "n": f"{n:,}" if n is not None else say("unknown"),
    }


def state(incident: Mapping[str, Any]) -> str:
    """The sentence that says where in its life an incident is.

    `incident`: `state`, `opened`, `last_breach`, `severity`, `quiet_nights`, and `reopened`, empty where it was not.
    """
    opened, last = date.fromisoformat(incident["opened"]), date.fromisoformat(incident["last_breach"])
    reopened = date.fromisoformat(incident["reopened"]) if incident.get("reopened") else None
    again = reopened is not None and f"again {incident['state']}" in SENTENCES
    if incident["state"] == "escalated" and reopened != last:  # it became worse on a later night
        again = False
    return say(
        SENTENCES[f"{'again' if again else 'state'} {incident['state']}"],
        opened=opened,
        reopened=reopened,
        last=last,
        severity=say(incident["severity"]),
        nights=wording.nights_text((last - (reopened or opened)).days + 1),
        quiet=wording.nights_text(int(incident["quiet_nights"])),
    )
