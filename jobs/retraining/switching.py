"""What `rollback` and `fallback` do: the alias `champion` goes back to the version before, or to the rule engine.

Both keep a request's key in the registry's history, so the same request moves the champion once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.engine import registry as registries
from jobs.retraining.folder import Outcome
from jobs.retraining.pipeline import NIGHTJAR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from jobs.engine.registry import Kind, Registry, Version
    from jobs.retraining.request import Request


def roll_back(request: Request, registry: Registry, now: datetime, person: str = NIGHTJAR) -> Outcome:
    """Let the champion be the version before it; refuses where there is none, or another serves than the incident's."""
    if done := _done("rollback", request, registry):
        return done
    versions = _taken_in(request, registry, now)
    champion = registry.champion(request.model)
    if champion is None:
        return _refused("rollback", f"{request.model} has no champion in the registry, so nothing to go back from")
    if (said := _versions(request).get("current")) and registries.named(versions, said) != champion:
        return _refused("rollback", f"the request is about version '{said}', and the champion is {champion}")
    stack = registries.standing(registry.moves(request.model))
    if len(stack) < 2 or stack[-1] != champion.number:
        return _refused("rollback", f"no version was champion before {champion}")
    target = next(one for one in versions if one.number == stack[-2])
    return _move("rollback", request, registry, champion, target, now, person)


def fall_back(request: Request, registry: Registry, now: datetime, person: str = NIGHTJAR) -> Outcome:
    """Let the champion be the rule engine: a version named `rules`, without a file. A rollback ends it."""
    if done := _done("fallback", request, registry):
        return done
    _taken_in(request, registry, now)
    champion = registry.champion(request.model)
    rules = registry.adopt(request.model, registries.RULES, {"adopted": "stands for the rule engine"})
    if champion == rules:
        return _refused("fallback", "the rule engine answers already")
    return _move("fallback", request, registry, champion, rules, now, person)


def _move(
    kind: Kind, request: Request, registry: Registry, champion: Version | None, target: Version, now: datetime,
    person: str,
) -> Outcome:  # fmt: skip
    registry.move(
        request.model, target.number, kind, request.key, expected=champion.number if champion else None, person=person,
        why=request.reason, now=now,
    )  # fmt: skip
    return Outcome(kind, "done", f"{target} is champion now, instead of {champion or 'none'}")


def _done(kind: Kind, request: Request, registry: Registry) -> Outcome | None:
    found = [one for one in registry.moves(request.model) if one.key == request.key]
    if not found:
        return None
    return Outcome(kind, "done", f"{request.key} was carried out at {found[0].moved_at}; nothing was moved again")


def _refused(kind: Kind, reason: str) -> Outcome:
    return Outcome(kind, "refused", reason)


def _versions(request: Request) -> Mapping[str, str | None]:
    return request.evidence.get("versions") or {}


def _taken_in(request: Request, registry: Registry, now: datetime) -> list[Version]:
    """All versions; where the registry has no champion yet, the request's own two are taken in first."""
    if registry.champion(request.model) is None:
        before: Version | None = None
        for name in (_versions(request).get("previous"), _versions(request).get("current")):
            if name:
                made = registry.adopt(request.model, name, {"adopted": "named by a request"})
                registry.move(
                    request.model, made.number, "promote", made.key, expected=before.number if before else None,
                    person=NIGHTJAR, why="answered live before the registry was used", now=now,
                )  # fmt: skip
                before = made
    return registry.versions(request.model)
