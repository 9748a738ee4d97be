"""Who hears of champions and candidates: each once, whoever looks, and again at the next look where it was not taken.

It is told from what is left behind, the registry's history and the candidates' folders, and not by what did it. So a
process that died between a move and its message, or a channel that was dead, costs a later try and no silence.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from jobs import notices
from jobs.engine import registry as registries
from jobs.errors import DeliveryError
from jobs.ledger import AGAIN_DAYS
from jobs.notices import Notice
from jobs.retraining import pipeline, watching
from jobs.retraining.folder import read_notes
from jobs.telling import fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.engine.registry import Move, Registry, Version
    from jobs.retraining.folder import Outcome
    from jobs.spec.model import ModelSpec
    from jobs.telling import Post

FOUND = {"worse": "would be rolled back", "waits": "waits for approval", "refused": "could not be rolled back"}
"""What the watch found and did not settle itself: what becomes of the champion."""


def tell(
    spec: ModelSpec, home: Path, registry: Registry, now: datetime, post: Post | None = None,
    found: Outcome | None = None,
) -> list[str]:  # fmt: skip
    """Tell what became of champions and candidates in the last AGAIN_DAYS days and was not told; says what was.

    A rollback by the watch, and what it `found` and may not do, go to the channels of critical; a promotion, a refused
    candidate and one that waits for a person to those of warning. Raises DeliveryError, when all was tried, where
    something was not taken.
    """
    due = [*_found(spec, registry, now, found), *_moves(spec, registry, now), *_candidates(spec, home, registry, now)]
    told, faults = [], []
    for notice in due:
        try:
            told += notices.tell(spec, home, notice, now, post)
        except Exception as error:  # one notice must not keep the others from being told
            faults.append(fault_of(error))
    if faults:
        said = "; ".join(dict.fromkeys(faults))
        raise DeliveryError(f"{spec.model}: not everything was told of its champion, the next look tries again: {said}")
    return told


def _found(spec: ModelSpec, registry: Registry, now: datetime, found: Outcome | None) -> Iterator[Notice]:
    champion = registry.champion(spec.model)
    if found is None or champion is None or found.state not in FOUND:
        return
    incident = watching.incident_of(spec.model, champion)
    sentence = f"{spec.model}: the new champion is worse and {FOUND[found.state]}: {found.reason}"
    yield Notice(f"{incident}-{found.state}", found.state, "critical", now.date(), sentence, incident)


def _moves(spec: ModelSpec, registry: Registry, now: datetime) -> Iterator[Notice]:
    """Promotions of what was trained here, and rollbacks by the watch."""
    known = {one.number: one for one in registry.versions(spec.model)}
    for move in registry.moves(spec.model):
        if not move.moved_at or not _lately(datetime.fromisoformat(move.moved_at).date(), now):
            continue
        version, former = known[move.version], known.get(move.former or 0)
        night = datetime.fromisoformat(move.moved_at).date()
        if move.kind == "promote" and version.digest is not None:
            sentence = f"{spec.model}: {version} is champion now, instead of {former or 'none'}{_by(move)}: {move.why}"
            yield Notice(f"{move.key}-promoted", "promoted", "warning", night, sentence)
        elif move.kind == "rollback" and former and move.key == watching.key_of(spec.model, former):
            sentence = f"{spec.model}: {former} was rolled back, {version} is champion again: {move.why}"
            incident = watching.incident_of(spec.model, former)
            yield Notice(f"{move.key}-done", "rolled back", "critical", night, sentence, incident)


def _candidates(spec: ModelSpec, home: Path, registry: Registry, now: datetime) -> Iterator[Notice]:
    """Candidates that a gate refused, or that wait for a person."""
    versions = registry.versions(spec.model)
    for folder in sorted((home / "candidates" / spec.model).glob("*")):
        kept = read_notes(folder)
        if "outcome" not in kept or not _lately(night := date.fromisoformat(kept["night"]), now):
            continue
        state, reason = _state(spec, kept, registries.of_key(versions, kept["key"]))
        if state:
            sentence = f"{spec.model}: the candidate of {kept['key']} {reason}"
            yield Notice(f"{kept['key']}-{state}", state, "warning", night, sentence, kept.get("incident"))


def _state(spec: ModelSpec, kept: dict[str, Any], version: Version | None) -> tuple[str, str]:
    """How a candidate stands, and as words; empty where nobody needs to hear of it: a person's own no is known."""
    outcome = kept["outcome"]
    stage, state = outcome["stage"], outcome["state"]
    answer = kept.get("answer")
    if state == "refused" and (answer is None or answer["approved"]):
        return "refused", f"was refused at {stage}, the champion stays: {outcome['reason']}"
    parked = (stage, state) == ("register", "passed") and version is not None and pipeline.waits(spec, version)
    if version is not None and answer is None and (state == "waits" or parked):  # in Airflow it parks before `promote`
        return "waits", f"has passed: {pipeline.how_to_approve(spec, version)}"
    return "", ""


def _lately(day: date, now: datetime) -> bool:
    return now.date() - timedelta(days=AGAIN_DAYS) <= day


def _by(move: Move) -> str:
    return "" if move.person == pipeline.NIGHTJAR else f", by {move.person}"
