"""Collect, train, evaluate, register, promote: one function a stage, the same for Airflow and the command line.

A stage that refuses says so in the evaluation and returns it; a stage that breaks writes that down too and raises. In
either case the champion stays. Each stage may be run again: what is registered for a request is never made twice.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jobs.engine import registry as registries
from jobs.errors import RegistryError, UsageError
from jobs.retraining import comparison
from jobs.retraining.folder import (
    IMPORTANCES,
    MODEL,
    ROWS,
    Outcome,
    begin,
    conclude,
    folder_of,
    note,
    read_notes,
    write,
)  # fmt: skip
from jobs.retraining.rows import features_of, fresh, newest_night

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

    from jobs.engine.registry import Registry, Version
    from jobs.retraining.request import Request
    from jobs.spec import ModelSpec

NIGHTJAR = "nightjar"
"""Who moves the champion where no person was asked."""


def run(spec: ModelSpec, request: Request, home: Path, registry: Registry, now: datetime) -> Outcome:
    """Every stage until one does not pass; returns where it ended, and why."""
    for stage in STAGES:
        outcome = stage(spec, request, home, registry)
        if not outcome.goes_on:
            return outcome
    return promote(spec, request, home, registry, now)


def collect(spec: ModelSpec, request: Request, home: Path, registry: Registry) -> Outcome:
    """Take the labelled rows and check them; refuses what nobody should learn from."""
    from jobs.methods import inspection
    from jobs.methods.candidate import split_by_day

    numeric, categorical = features_of(spec)
    folder = folder_of(home, request)
    if known := registries.of_key(registry.versions(spec.model), request.key):
        return _frozen("collect", known)
    night = request.night or newest_night(spec, home)
    begin(
        folder, model=spec.model, key=request.key, reason=request.reason, night=str(night), **request.evidence,
        features={"numeric": numeric, "categorical": categorical},
    )  # fmt: skip
    with _said(folder, "collect"):
        found = fresh(spec, home, night)
        rows = found.rows
        later = split_by_day(rows["day"], spec.retraining.later_share)
        gates = [inspection.enough(rows, later, spec.actions.retrain.min_labels)]
        if gates[0].passed:
            single = inspection.giveaways(rows, later, numeric, categorical)
            gates += [
                inspection.known_by(rows, night),
                inspection.filled(rows, later, list(spec.features), found.missing, spec.retraining.max_missing_rise),
                inspection.no_giveaway(single),
            ]
            note(folder, trained=_extent(rows[~later]), compared=_extent(rows[later]))
        write(folder / ROWS, lambda path: rows.to_parquet(path, index=False))
        note(folder, gates=[gate.row() for gate in gates], mature=str(found.mature))
        refused = [gate.reason for gate in gates if not gate.passed]
        if refused:
            return conclude(folder, Outcome("collect", "refused", "; ".join(refused)))
        return conclude(folder, Outcome("collect", "passed", gates[0].reason))


def train(spec: ModelSpec, request: Request, home: Path, registry: Registry) -> Outcome:
    """Fit the candidate on the older rows."""
    import joblib  # type: ignore[import-untyped]

    from jobs.methods.candidate import fit_candidate

    folder = folder_of(home, request)
    if known := registries.of_key(registry.versions(spec.model), request.key):
        return _frozen("train", known)
    with _said(folder, "train"):
        learned, _ = _split(folder)
        numeric, categorical = features_of(spec)
        candidate = fit_candidate(learned, learned["label"].to_numpy(dtype=int), numeric, categorical)
        write(folder / MODEL, lambda path: joblib.dump(candidate, path))
        return conclude(folder, Outcome("train", "passed", f"fitted on {len(learned):,} rows"))


def evaluate(spec: ModelSpec, request: Request, home: Path, registry: Registry) -> Outcome:
    """Hold the candidate against the champion on the later rows; refuses it where a gate does."""
    import joblib

    from jobs.methods.importance import as_spec, importances

    folder = folder_of(home, request)
    if known := registries.of_key(registry.versions(spec.model), request.key):
        return _frozen("evaluate", known)
    with _said(folder, "evaluate"):
        _, judged = _split(folder)
        candidate = joblib.load(folder / MODEL)
        found = comparison.compare_all(spec, candidate, judged, registry, folder)
        worth = importances(candidate, judged, *features_of(spec))
        kinds = {name: (feature.kind, feature.column) for name, feature in spec.features.items()}
        text = as_spec(dict(zip(worth["feature"], worth["share"], strict=True)), kinds) + "\n"
        write(folder / IMPORTANCES, lambda path: path.write_text(text, encoding="utf-8"))
        before = [gate for gate in read_notes(folder)["gates"] if gate["name"] in comparison.DATA_GATES]
        note(
            folder, **found.figures, gates=before + [gate.row() for gate in found.gates],
            importances=worth.to_dict("records"),
        )  # fmt: skip
        refused = [f"{gate.name}: {gate.reason}" for gate in found.gates if not gate.passed]
        if refused:
            return conclude(folder, Outcome("evaluate", "refused", "; ".join(refused)))
        return conclude(folder, Outcome("evaluate", "passed", "every gate is passed"))


def register(spec: ModelSpec, request: Request, home: Path, registry: Registry) -> Outcome:
    """Give the candidate a version of its own; a second time it is the same version."""
    from datetime import UTC, datetime

    folder = folder_of(home, request)
    if known := registries.of_key(registry.versions(spec.model), request.key):
        return _frozen("register", known)
    with _said(folder, "register"):
        notes = read_notes(folder)
        if (notes["outcome"]["stage"], notes["outcome"]["state"]) not in (
            ("evaluate", "passed"),
            ("register", "failed"),
        ):
            raise UsageError(f"{spec.model}: {request.key} has passed no evaluation; run the stages before again")
        compared = notes["compared_with"]
        champion = registry.champion(spec.model)
        if compared is None and champion is None and notes["live_version"]:
            champion = _adopt(spec, registry, notes["live_version"], datetime.now(UTC))
            compared = champion.number
        facts = {
            "night": notes["night"], "compared_with": compared, "trained": notes["trained"],
            "compared": notes["compared"], "accuracy": notes["candidate"]["accuracy"], "features": notes["features"],
            "threshold": notes["threshold"], "needs_approval": notes["needs_approval"],
        }  # fmt: skip
        made = registry.register(spec.model, request.key, folder / MODEL, facts)
        note(folder, registered={"version": made.number, "name": made.name, "digest": made.digest})
        return conclude(folder, Outcome("register", "passed", f"registered as {made}"))


def promote(
    spec: ModelSpec, request: Request, home: Path, registry: Registry, now: datetime, person: str | None = None
) -> Outcome:
    """Make the registered candidate champion; waits where a person must approve and `person` is not given."""
    folder = folder_of(home, request)
    with _said(folder, "promote"):
        version = registries.of_key(registry.versions(spec.model), request.key)
        if version is None:
            raise UsageError(
                f"{spec.model}: no version was registered for {request.key}; only what passed can be promoted"
            )
        if done := [one for one in registry.moves(spec.model) if one.key == request.key]:
            return conclude(folder, Outcome("promote", "promoted", f"{version} became champion at {done[0].moved_at}"))
        answer = read_notes(folder).get("answer")
        if answer and not answer["approved"]:
            return conclude(folder, Outcome("promote", "refused", f"rejected by {answer['person']}"))
        if person is None and answer is None and waits(spec, version):
            return conclude(folder, Outcome("promote", "waits", how_to_approve(spec, version)))
        return _move(folder, request, registry, version, now, person or (answer or {}).get("person") or NIGHTJAR)


STAGES = (collect, train, evaluate, register)
"""What happens to a candidate before it may be promoted, in this order."""


def waits(spec: ModelSpec, version: Version) -> bool:
    """Whether a person must approve this version."""
    return spec.retraining.approval or bool(version.facts.get("needs_approval"))


def answer(home: Path, request: Request, person: str, *, approved: bool, why: str = "") -> None:
    """Write down what a person said of a candidate."""
    note(folder_of(home, request), answer={"person": person, "approved": approved, "note": why})


def request_of(home: Path, version: Version) -> Request:
    """The request that a registered version was trained for. UsageError where it was not trained here."""
    from jobs.retraining.request import Request

    made = Request(version.model, "", version.key)
    notes = read_notes(folder_of(home, made)) if version.digest else {}
    if not notes:
        raise UsageError(f"{version.model}: {version} was not trained here, so there is no evaluation of it")
    return replace(made, reason=notes["reason"])


def _move(folder: Path, request: Request, registry: Registry, version: Version, now: datetime, person: str) -> Outcome:
    expected = version.facts["compared_with"]
    champion = registry.champion(version.model)
    try:
        registries.refuse_unless_expected(version.model, champion.number if champion else None, expected)
    except RegistryError as error:
        reason = f"{error}; a new retraining, under another key, is compared with the champion there is now"
        return conclude(folder, Outcome("promote", "refused", reason))
    registry.move(
        version.model, version.number, "promote", request.key, expected=expected, person=person, why=request.reason,
        now=now,
    )  # fmt: skip
    before = f"{champion}, to which `nightjar rollback {version.model}` goes back" if champion else "no other"
    return conclude(folder, Outcome("promote", "promoted", f"{version} is champion now; before it was {before}"))


def _adopt(spec: ModelSpec, registry: Registry, name: str, now: datetime) -> Version:
    """The version that answered so far becomes the first champion, so that there is one to go back to."""
    known = registry.adopt(spec.model, name, {"adopted": "answered live before the first retraining"})
    registry.move(
        spec.model, known.number, "promote", known.key, expected=None, person=NIGHTJAR,
        why="answered live before the first retraining", now=now,
    )  # fmt: skip
    return known


def how_to_approve(spec: ModelSpec, version: Version) -> str:
    """What a person does about a candidate that waits."""
    return f"{version} waits for approval: nightjar promote {spec.model} {version.number} --by NAME (or --reject)"


def _frozen(stage: str, known: Version) -> Outcome:
    """What is registered is not made again: a second run of a request finds its version."""
    return Outcome(stage, "passed", f"{known} was registered for this request before")


@contextmanager
def _said(folder: Path, stage: str) -> Iterator[None]:
    """Whatever breaks is written down, with the champion left as it is, and raised."""
    try:
        yield
    except Exception as error:
        if read_notes(folder):
            reason = f"{type(error).__name__}: {error}; the champion stays as it is"
            conclude(folder, Outcome(stage, "failed", reason))
        raise


def _split(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The older rows and the later ones, as `collect` kept them."""
    import pandas as pd

    notes = read_notes(folder)
    if "compared" not in notes or not (folder / ROWS).is_file():
        raise UsageError(f"{folder.name}: there are no checked rows; run `collect` again")
    rows = pd.read_parquet(folder / ROWS)
    later = rows["day"] >= pd.Timestamp(notes["compared"]["first"])
    return rows[~later], rows[later]


def _extent(rows: pd.DataFrame) -> dict[str, Any]:
    return {"first": str(rows["day"].min().date()), "last": str(rows["day"].max().date()), "n": len(rows)}
