"""A new champion's first nights: its figures beside those of the version before it, and back where they are worse."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from jobs.engine import registry as registries
from jobs.engine import sql
from jobs.engine.warehouse import read_published
from jobs.methods import probation
from jobs.retraining.folder import Outcome
from jobs.retraining.request import PAYLOAD_VERSION, parse_request
from jobs.retraining.switching import roll_back

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

    import pandas as pd

    from jobs.engine.registry import Registry, Version
    from jobs.methods.probation import Fallen
    from jobs.spec import ModelSpec


@dataclass(frozen=True)
class Watched:
    """How a new champion does as of one night."""

    state: str
    """nothing (none is new), unheard (it has no figures yet), watching, kept or worse."""
    reason: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    """Where it is worse: what a rollback is asked for with."""


def look(spec: ModelSpec, home: Path, night: date, registry: Registry) -> Watched:
    """Hold the champion's figures against its predecessor's, as far as they are known by the night."""
    champion, former = registry.champion(spec.model), _former(spec, registry)
    if champion is None or champion.digest is None or former is None:
        return Watched("nothing", "no champion that was trained here replaced another version")
    wanted, looks = [champion.name, former.name], spec.retraining.watch_nights
    figures = probation.first_days(_figures(spec, home, night, wanted), champion.name, looks)
    nights = probation.nights_watched(figures, champion.name)
    if nights == 0:
        return Watched("unheard", f"{champion} has no figures by {night}; predictions must carry its name as version")
    ages = (*spec.label_ages, *spec.outcome_ages) or (0,)
    if worse := probation.fallen(figures, champion.name, [former.name], looks * len(set(ages))):
        said = "; ".join(one.sentence for one in worse)
        return Watched("worse", f"{champion}: {said}", _payload(spec, champion, former, worse, night, said))
    last = probation.first_day(figures, champion.name) + timedelta(days=looks - 1 + max(ages))
    if night > last:
        return Watched("kept", f"{champion} was watched for {looks} days, until their last labels, and kept its place")
    return Watched("watching", f"{champion} is as good as {former.name}: night {nights}, the last one is {last}")


def incident_of(model: str, champion: Version) -> str:
    """How the watch calls what it finds of a champion."""
    return f"{model}-{champion.name}-watch"


def key_of(model: str, champion: Version) -> str:
    """The key of the watch's rollback of a champion: one, however often it looks."""
    return f"{incident_of(model, champion)}-rollback"


def look_and_act(spec: ModelSpec, home: Path, night: date, registry: Registry, now: datetime) -> Outcome:
    """Look, and roll back where the new champion is worse, as far as `actions.rollback` lets it: not in a dry run, and
    not without the approval that it asks for.

    Its other guard rails hold back requests that nights repeat on the same evidence. The watch rolls a champion back
    once, on evidence of its own days that chance is ruled out of, and looks only at one that was promoted since the
    last rollback: a cool-down would only keep a version that is proven worse.
    """
    found, policy = look(spec, home, night, registry), spec.actions.rollback
    if found.state != "worse":
        return Outcome("watch", found.state, found.reason)
    if policy.dry_run:
        return Outcome("watch", "worse", f"{found.reason}; actions.rollback is a dry run, so nothing was moved")
    if policy.approval:
        how = f"nightjar rollback {spec.model} --by NAME"
        return Outcome("watch", "waits", f"{found.reason}; a person must say so: {how}")
    done = roll_back(parse_request(found.payload, "rollback"), registry, now)
    return Outcome("watch", "rolled back" if done.state == "done" else done.state, f"{found.reason}; {done.reason}")


def _former(spec: ModelSpec, registry: Registry) -> Version | None:
    """The version that the champion replaced; None where it did not come by a promotion."""
    moves = registry.moves(spec.model)
    stack = registries.standing(moves)
    if len(stack) < 2 or moves[-1].kind != "promote":
        return None
    return next(one for one in registry.versions(spec.model) if one.number == stack[-2])


def _figures(spec: ModelSpec, home: Path, night: date, versions: Sequence[str]) -> pd.DataFrame:
    with read_published(home, spec.model) as connection:
        statement = sql.render("retraining/watched", night=night, versions=list(versions))
        return connection.execute(statement).df()


def _payload(
    spec: ModelSpec, champion: Version, former: Version, worse: Sequence[Fallen], night: date, reason: str
) -> dict[str, Any]:
    """A rollback's request as an incident's would be, with one key for this champion."""
    return {
        "version": PAYLOAD_VERSION,
        "model": spec.model,
        "key": key_of(spec.model, champion),
        "action": "rollback",
        "incident": incident_of(spec.model, champion),
        "night": str(night),
        "reason": reason,
        "metrics": [
            {
                "metric": one.metric, "feature": "", "segment": "all", "version": champion.name,
                "label_age": one.label_age, "day": one.day, "value": one.value, "expected": one.former, "n": one.n,
                "severity": "critical",
            }
            for one in worse
        ],
        "days": {"first": min(one.day for one in worse), "last": max(one.day for one in worse)},
        "versions": {"current": champion.name, "previous": former.name},
    }  # fmt: skip
