"""Commands about candidates and champions: retrain, promote, rollback, fallback, registry, newcomers."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from jobs.errors import NightjarError, UsageError
from jobs.periods import parse_day

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jobs.engine.registry import Registry
    from jobs.retraining.folder import Outcome
    from jobs.retraining.request import Request
    from jobs.spec.model import ModelSpec

PERSON = click.option("--by", "person", default=lambda: os.environ.get("USER", "somebody"), help="Who decides.")
REASON = click.option("--reason", default="", help="Why, in a sentence.")
PAYLOAD = click.option(
    "--request", "payload", type=click.File(), help="A decision's payload as JSON; - reads standard input."
)


@click.command()
@click.argument("model", required=False)
@click.option("--day", metavar="DAY", help="No label known later is used; absent: the newest known.")
@click.option("--key", help="Names the candidate; absent: MODEL, the day and by-hand. One key is one version.")
@REASON
@PAYLOAD
def retrain(model: str | None, day: str | None, key: str | None, reason: str, payload: Any) -> None:
    """Train a candidate for MODEL, hold it against the champion, and promote it if every gate is passed."""
    from jobs.retraining import pipeline
    from jobs.retraining.folder import PAGE, folder_of
    from jobs.retraining.rows import newest_night

    def by_hand(spec: ModelSpec) -> dict[str, Any]:
        night = parse_day(day) if day else newest_night(spec, _home())
        return {"night": str(night), "key": key or f"{spec.model}-{night}-by-hand"}

    spec, request = _asked(model, "retrain", reason, payload, by_hand)
    try:
        outcome = pipeline.run(spec, request, _home(), _registry(), datetime.now(UTC))
    except NightjarError:
        raise
    except Exception as error:
        raise UsageError(f"{spec.model}: {type(error).__name__}: {error}; the champion stays as it is") from error
    click.echo(folder_of(_home(), request) / PAGE)
    _heard(spec)
    click.echo(outcome)  # last, because the ledger keeps the last line of a command


@click.command()
@click.argument("model")
@click.argument("version")
@click.option("--reject", is_flag=True, help="Say no instead.")
@PERSON
@click.option("--note", default="", help="Anything worth keeping.")
def promote(model: str, version: str, reject: bool, person: str, note: str) -> None:
    """Approve VERSION of MODEL, which waits for a person: it becomes champion."""
    from jobs.engine.registry import named
    from jobs.retraining import pipeline

    spec, registry = _spec(model), _registry()
    versions = registry.versions(spec.model)
    found = named(versions, version)
    if found is None:
        known = ", ".join(f"{one.number} ({one.name})" for one in versions) or "none"
        raise UsageError(f"{spec.model}: there is no version '{version}' in the registry; known: {known}")
    request = pipeline.request_of(_home(), found)
    pipeline.answer(_home(), request, person, approved=not reject, why=note)
    click.echo(pipeline.promote(spec, request, _home(), registry, datetime.now(UTC), None if reject else person))
    _heard(spec)


@click.command()
@click.argument("model", required=False)
@REASON
@PERSON
@PAYLOAD
def rollback(model: str | None, reason: str, person: str, payload: Any) -> None:
    """Let the champion of MODEL be the version before it."""
    from jobs.retraining.switching import roll_back

    _switch("rollback", roll_back, model, reason, person, payload)


@click.command()
@click.argument("model", required=False)
@REASON
@PERSON
@PAYLOAD
def fallback(model: str | None, reason: str, person: str, payload: Any) -> None:
    """Let the rule engine answer instead of the champion of MODEL; a rollback ends it."""
    from jobs.retraining.switching import fall_back

    _switch("fallback", fall_back, model, reason, person, payload)


@click.command()
@click.argument("model")
def registry(model: str) -> None:
    """The versions of MODEL, which one is the champion, and how it became that."""
    spec, known = _spec(model), _registry()
    champion = known.champion(spec.model)
    for one in known.versions(spec.model):
        accuracy = one.facts.get("accuracy")
        said = f"accuracy {accuracy:.3f} on later days, " if accuracy is not None else ""
        file = f"sha256 {one.digest[:12]}" if one.digest else "no file"
        click.echo(f"{'*' if one == champion else ' '} {one.number} {one.name}: {said}{file}, {one.key}")
    for move in known.moves(spec.model):
        click.echo(f"  {move.moved_at} {move.kind}: {move.former} -> {move.version} by {move.person}: {move.why}")
    if champion is None:
        click.echo(f"{spec.model}: no champion yet; the first retraining takes in the version that answers now")


@click.command()
@click.argument("models", nargs=-1)
@click.option("--day", metavar="DAY", help="As known by this night; absent: the newest known.")
def newcomers(models: tuple[str, ...], day: str | None) -> None:
    """Watch the new champions of MODELS (all); one that is worse than the version before it is rolled back.

    What became of champions and candidates is told over the spec's channels, once.
    """
    from jobs.cli import _models
    from jobs.retraining import heard
    from jobs.retraining.rows import newest_night
    from jobs.retraining.watching import look_and_act
    from jobs.spec.reading import find_spec, load_each, spec_files

    specs, faults = load_each([find_spec(one, _models()) for one in models] or spec_files(_models()))
    known = _registry()
    for spec in specs:
        try:
            found = None
            if known.champion(spec.model) is None:
                click.echo(f"{spec.model}: no champion yet")
            else:
                night = parse_day(day) if day else newest_night(spec, _home())
                found = look_and_act(spec, _home(), night, known, datetime.now(UTC))
                click.echo(f"{spec.model}: {found}")
            heard.tell(spec, _home(), known, datetime.now(UTC), found=found)
        except Exception as error:  # one broken model does not keep the others from being watched
            sentence = str(error) if isinstance(error, NightjarError) else f"{type(error).__name__}: {error}"
            faults.append(f"{spec.model}: {sentence}")
    if faults:
        raise UsageError("\n".join(faults))


COMMANDS = (retrain, promote, rollback, fallback, registry, newcomers)


def _switch(
    action: str, carry_out: Callable[..., Outcome], model: str | None, reason: str, person: str, payload: Any
) -> None:
    now = datetime.now(UTC)
    spec, request = _asked(
        model,
        action,
        reason,
        payload,
        lambda one: (
            {"key": f"{one.model}-{now:%Y-%m-%dT%H%M%S}-{action}"} | (_live(one) if action == "fallback" else {})
        ),
    )
    outcome = carry_out(request, _registry(), now, person)
    if champion := _registry().champion(spec.model):
        click.echo(f"{spec.model}: champion is {champion}")
    click.echo(outcome)  # last, because the ledger keeps the last line of a command


def _heard(spec: ModelSpec) -> None:
    """Tell what became of champions and candidates; what was not taken is no failure of what was done."""
    from jobs.retraining import heard

    try:
        heard.tell(spec, _home(), _registry(), datetime.now(UTC))
    except NightjarError as error:
        click.echo(error, err=True)


def _live(spec: ModelSpec) -> dict[str, Any]:
    """The version that answers now, so that a fallback by hand can be undone; nothing before the first night."""
    from jobs.errors import WarehouseError
    from jobs.retraining.rows import newest_version

    try:
        return {"versions": {"current": newest_version(spec, _home())}}
    except WarehouseError:
        return {}


def _asked(
    model: str | None, action: str, reason: str, payload: Any, by_hand: Callable[[ModelSpec], dict[str, Any]]
) -> tuple[ModelSpec, Request]:
    """The request of a payload, or of a person who names the model."""
    from jobs.retraining.request import PAYLOAD_VERSION, parse_request

    if (model is None) == (payload is None):
        raise UsageError(f"give MODEL, or --request with the payload of a decision: nightjar {action} shop")
    if payload is not None:
        try:
            asked = json.loads(payload.read())
        except ValueError as error:
            raise UsageError(f"the payload is no JSON: {error}") from error
        request = parse_request(asked, action)
        return _spec(request.model), request
    spec = _spec(str(model))
    given = {"version": PAYLOAD_VERSION, "model": spec.model, "reason": reason or "asked for by hand"}
    return spec, parse_request(given | by_hand(spec), action)


def _registry() -> Registry:
    from jobs.engine.registry import open_registry

    return open_registry(_home())


def _home() -> Path:
    from jobs import cli

    return cli._home()


def _spec(model: str) -> ModelSpec:
    from jobs import cli

    return cli._spec(model)
