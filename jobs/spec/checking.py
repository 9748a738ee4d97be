"""A spec against the files it talks about: what is missing, what has another type, what nobody watches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jobs.errors import DataError
from jobs.spec.complaints import meant
from jobs.spec.repeats import repeated
from jobs.spec.samples import columns_of, delivered, is_number, is_time, opened, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

    from jobs.spec.deliveries import PredictionSource
    from jobs.spec.model import ModelSpec

Kind = Literal["any", "number", "time", "sign"]


LABEL_KINDS: dict[str, Kind] = {"binary": "sign", "multiclass": "any", "regression": "number"}
"""What labels and decisions are made of, by task."""


@dataclass(frozen=True)
class Wanted:
    """A column that a spec reads: the key that names it, and what must stand in it."""

    key: str
    column: str
    kind: Kind = "any"


@dataclass(frozen=True)
class Source:
    """A source of a spec: where its files are and what is read from them."""

    name: str
    pattern: str
    wanted: tuple[Wanted, ...]
    inputs: bool = False
    """Whether columns that no one watches may be features that were forgotten."""


def check_against_data(spec: ModelSpec) -> list[str]:
    """What does not fit, one sentence each, from one delivered file (the last) of each source.

    Sentences that begin with `note: ` are worth knowing but no fault; an empty list means that all is well.
    """
    found = [sentence for source in sources(spec) for sentence in _check(source, spec)]
    return [*found, *(f"note: {sentence}" for sentence in repeated(spec))]


def sources(spec: ModelSpec) -> Iterator[Source]:
    """Every source of a spec, with the columns that are read from it."""
    features = tuple(
        Wanted(f"features.{name}", feature.column or name, "number" if feature.kind == "numeric" else "any")
        for name, feature in spec.features.items()
    )
    segments = tuple(Wanted(f"segments.{name}", column) for name, column in spec.segments.items())
    answers = _answers("predictions", spec.predictions, spec.task)
    yield Source("predictions", spec.predictions.path, (*answers, *features, *segments), inputs=True)
    for position, other in enumerate(spec.others):
        name = f"others[{position}]"
        yield Source(name, other.path, _answers(name, other, spec.task))
    if spec.labels:
        named = spec.labels.columns
        kind = LABEL_KINDS[spec.task]
        wanted = [Wanted("labels.columns.id", named.id), Wanted("labels.columns.label", named.label, kind)]
        wanted += [Wanted("labels.columns.timestamp", column, "time") for column in (named.timestamp,) if column]
        wanted += [Wanted("labels.columns.predicted", column, "time") for column in (named.predicted,) if column]
        yield Source("labels", spec.labels.path, tuple(wanted))
    if spec.outcomes:
        got = spec.outcomes.columns
        wanted = [Wanted("outcomes.columns.id", got.id), Wanted("outcomes.columns.converted", got.converted)]
        wanted += [Wanted("outcomes.columns.value", column, "number") for column in (got.value,) if column]
        wanted += [Wanted("outcomes.columns.timestamp", column, "time") for column in (got.timestamp,) if column]
        wanted += [Wanted("outcomes.columns.predicted", column, "time") for column in (got.predicted,) if column]
        yield Source("outcomes", spec.outcomes.path, tuple(wanted))
    references = dict(spec.reference.versions or {})
    for version, path in references.items():
        yield Source(f"reference.versions.{version}", path, features)
    if spec.reference.file:
        yield Source("reference.file", spec.reference.file, features)


def _answers(name: str, source: PredictionSource, task: str) -> tuple[Wanted, ...]:
    kinds: dict[str, Kind] = {
        "timestamp": "time",
        "score": "number",
        "decision": LABEL_KINDS[task],
        "latency_ms": "number",
    }
    named = source.columns.model_dump(exclude_none=True)
    if task == "multiclass" and "score" not in source.columns.model_fields_set:
        named.pop("score")
    return tuple(Wanted(f"{name}.columns.{key}", column, kinds.get(key, "any")) for key, column in named.items())


def _check(source: Source, spec: ModelSpec) -> Iterator[str]:
    files = delivered(source.pattern)
    if not files:
        yield f"{source.name}: no file matches {source.pattern}; {_nearest(source.pattern)}"
        return
    path = files[-1][1]
    try:
        with opened([path]) as connection:
            yield from _compare(source, path, connection, spec)
    except DataError as error:
        yield f"{source.name}: {error}"


def _compare(source: Source, path: str, connection: DuckDBPyConnection, spec: ModelSpec) -> Iterator[str]:
    real = columns_of(connection)
    by_lower = {column.lower(): column for column in real}  # DuckDB does not care for capitals either
    for wanted in source.wanted:
        column = by_lower.get(wanted.column.lower())
        if column is None:
            hint = meant(wanted.column, real)
            yield f"{wanted.key}: {path} has no column '{wanted.column}'{hint or _has(real)}"
        elif fault := _misfit(column, real[column], wanted.kind, connection, spec):
            yield f"{wanted.key}: column '{column}' of {path} {fault}"
    if source.inputs:
        read = {wanted.column.lower() for wanted in source.wanted}
        if unwatched := [column for column in real if column.lower() not in read]:
            yield f"note: {source.name} has columns that the spec does not watch: {', '.join(unwatched)}"


def _has(real: dict[str, str]) -> str:
    return f"; it has {', '.join(real)}"


def _misfit(column: str, kind: str, wanted: Kind, connection: DuckDBPyConnection, spec: ModelSpec) -> str | None:
    """Why a column cannot be what the spec takes it for; None where it can."""
    if wanted == "number" and not (is_number(kind) or kind == "BOOLEAN"):
        if is_time(kind):
            return f"is {kind}, not a number"
        example = _first_not(column, "DOUBLE", connection)
        return None if example is None else f"is text, not a number, for example '{example}'"
    if wanted == "time" and not is_time(kind):
        if kind != "VARCHAR":
            return f"is {kind}, not a timestamp"
        example = _first_not(column, "TIMESTAMP", connection)
        return None if example is None else f"is not a timestamp, for example '{example}'"
    return _not_a_sign(column, connection, spec) if wanted == "sign" else None


def _first_not(column: str, wanted: str, connection: DuckDBPyConnection) -> str | None:
    """A value that cannot be cast; None where all can, or where there are none."""
    text = f"CAST({quoted(column)} AS VARCHAR)"
    found = connection.execute(
        f"SELECT {text} FROM delivered WHERE {quoted(column)} IS NOT NULL AND {text} <> '' "
        f"AND TRY_CAST({text} AS {wanted}) IS NULL LIMIT 1"
    ).fetchall()
    return str(found[0][0])[:60] if found else None


def _not_a_sign(column: str, connection: DuckDBPyConnection, spec: ModelSpec) -> str | None:
    """Why a label or decision is not positive or something else; a day may lack one of the two."""
    found = connection.execute(
        f"SELECT DISTINCT LOWER(CAST({quoted(column)} AS VARCHAR)) FROM delivered "
        f"WHERE {quoted(column)} IS NOT NULL LIMIT 9"
    ).fetchall()
    values = sorted(row[0] for row in found)
    positive = spec.labels.positive if spec.labels else 1
    if positive in (0, 1):  # and so false and true
        strange = [value for value in values if value not in ("0", "1", "0.0", "1.0", "false", "true")]
        return (
            f"has '{strange[0]}', which is not 0 or 1; say in labels.positive which value counts" if strange else None
        )
    if len(values) > 1 and str(positive).lower() not in values:
        return f"has {', '.join(values)}, and never labels.positive '{positive}'{meant(str(positive), values)}"
    return None


def _nearest(pattern: str) -> str:
    """What there is on the way to a pattern that matches nothing."""
    fixed = Path(re.split(r"[{*?\[]", pattern, maxsplit=1)[0])
    folder = next((parent for parent in (fixed, *fixed.parents) if parent.is_dir()), Path("/"))
    inside = sorted(path.name for path in folder.iterdir())[:5]
    return f"{folder} is there and holds {', '.join(inside) or 'nothing'}"
