"""Whole sentences about incidents and decisions, with named gaps, so that another language can put the gaps where it
needs them. Which of them are said of an incident is decided in `jobs.methods.story`; figures are put in words by
`jobs.methods.wording`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs.language import join, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


SENTENCES = {
    "took over": "Version {version} took over from {former} on {first_day}.",
    "no data": "No predictions were delivered for {day}.",
    "missing": "{feature} is missing in {value} of the rows of {day} ({against}).",
    "drifted": "{feature} has drifted since {first_day}: its {metric} on {day} was {value}, the bound is {bound}.",
    "numbers drifted": (
        "{feature} has drifted since {first_day}: on {day} its mean was {mean_after}, before {mean_before}; "
        "its median {median_after}, before {median_before} ({metric} {value}, the bound is {bound})."
    ),
    "bin": "{values} made up {observed} of the rows, in the reference {expected}.",
    "figure": "{metric} of {day} was {value}, {against} (n {n}).",
    "figure at age": "{metric} of {day}, as known after {days}, was {value}, {against} (n {n}).",
    "figure of segment": "{metric} of {day} for {segment} was {value}, {against} (n {n}).",
    "figure at age of segment": (
        "{metric} of {day} for {segment}, as known after {days}, was {value}, {against} (n {n})."
    ),
    "figure and bound": "{metric} of {day} was {value}, the bound is {bound} (n {n}).",
    "figure and bound at age": ("{metric} of {day}, as known after {days}, was {value}, the bound is {bound} (n {n})."),
    "figure and bound of segment": "{metric} of {day} for {segment} was {value}, the bound is {bound} (n {n}).",
    "figure and bound at age of segment": (
        "{metric} of {day} for {segment}, as known after {days}, was {value}, the bound is {bound} (n {n})."
    ),
    "carried by rate": "{part} of that comes from {segment}: {value} there, before {before}.",
    "carried by mix": "{part} of that comes from the share of {segment}: {share} of the rows, before {share_before}.",
    "coverage": "{coverage} of that day's labels were known, as usual.",
    "coverage differs": "Only part of the truth is in: {coverage} of that day's labels were known, usually {usual}.",
    "coverage higher": "More of that day's labels were known than usual: {coverage}, usually {usual}.",
    "apart": "What follows is of other days, which that does not explain.",
    "began": "Version {version} began to answer on {day}.",
    "marker": "On {day}: {what}.",
    "more": "{count} more figures belong to it; the report has them.",
    "one more": "One more figure belongs to it; the report has it.",
    "state opened": "This is new tonight.",
    "state ongoing": "It has been open since {opened}.",
    "state escalated": "It has been open since {opened} and is now {severity}.",
    "state resolved": "It is over: it lasted {nights}, from {opened} to {last}, and {quiet} since were quiet.",
    "again ongoing": "It was opened on {opened} and has been open again since {reopened}.",
    "again escalated": "It was over; late figures show that it was worse than known: open again, now {severity}.",
    "again resolved": (
        "It is over again: reopened on {reopened}, it lasted {nights} more, to {last}, and {quiet} since were quiet."
    ),
    "decision waiting": (
        "A {action} has been requested and waits for approval: nightjar approve {model} {key} --by NAME."
    ),
    "decision requested": "A {action} has been requested.",
    "decision untaken": "A {action} has been requested, but {reason}.",
    "decision held": "A {action} is held back: {reason}.",
    "decision dry_run": "A {action} would have been requested; the spec says dry_run.",
    "owner": "Owner: {owner}.",
    "subject opened": "[{severity}] {model}: {title}",
    "subject ongoing": "[{severity}] {model}, still open: {title}",
    "subject escalated": "[{severity}] {model}, worse: {title}",
    "subject reopened": "[{severity}] {model}, open again: {title}",
    "subject grown": "[{severity}] {model}, more of it: {title}",
    "subject decided": "[{severity}] {model}, decided: {title}",
    "subject resolved": "[resolved] {model}, after {nights}: {title}",
    "subject withdrawn": "[withdrawn] {model}: {title}",
    "withdrawn": (
        "That is withdrawn: the night of {night} was run again, and there is no such incident any more. "
        "Nothing else will be told of it."
    ),
    "back": "It had been withdrawn; the night of {night} was run again since, and it is back.",
    "graver": "It had been told as {severity}; the night of {night} was run again since, and it is graver.",
    "note": "[info] {model}: {title}",
    "notes": "[info] {model}: {title} and {count} more",
}


def sentence(words: str) -> str:
    """Words as a sentence of their own.

    >>> sentence("no labels arrive")
    'No labels arrive.'
    """
    return f"{words[:1].upper()}{words[1:]}" + ("" if words.endswith((".", "。")) else say("."))


def subject(state: str, severity: str, model: str, title: str, nights: str) -> str:
    """The first line of a message about an incident."""
    return say(SENTENCES[f"subject {state}"], severity=say(severity), model=model, title=title, nights=nights)


def note(model: str, lines: Sequence[str], count: int) -> str:
    """The first line of a note about figures that wake nobody."""
    return say(SENTENCES["notes" if count > 1 else "note"], model=model, title=lines[0], count=count - 1)


NOUNS = {"retrain": "retraining"}
"""What an action is called after an article."""


def action_noun(action: str) -> str:
    """An action as a thing.

    >>> action_noun("retrain"), action_noun("rollback")
    ('retraining', 'rollback')
    """
    return say(NOUNS.get(action, action))


def decision(row: Mapping[str, Any]) -> str:
    """What was decided: a row of `decisions`."""
    payload = row.get("payload") or {}
    outcome, guards = row["outcome"], payload.get("audit", {}).get("guards", {})
    if outcome == "requested" and "consumer" in guards and guards["consumer"] is None:
        outcome = "untaken"
    elif outcome == "requested" and guards.get("approval"):
        outcome = "waiting"
    told = SENTENCES[f"decision {outcome}"]
    return say(
        told, action=action_noun(row["action"]), reason=row["reason"], model=payload.get("model", ""), key=row["key"]
    )


def owner(name: str) -> str:
    """Who is asked; empty where the spec names nobody."""
    return say(SENTENCES["owner"], owner=name) if name else ""


def paragraph(sentences: list[str]) -> str:
    """Sentences, without the empty ones."""
    return join(sentences)
