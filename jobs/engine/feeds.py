"""A feed is one delivered source of a model: which columns it needs, how each cell is read, which rows it replaces."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from jobs.engine import sources
from jobs.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from jobs.engine.sources import File
    from jobs.engine.warehouse import Warehouse
    from jobs.spec.deliveries import LabelColumns, OutcomeColumns, OutcomeSource, PredictionSource
    from jobs.spec.model import ModelSpec

Kind = Literal["id", "text", "number", "time", "day", "label"]
_VOUCHED: dict[Kind, set[sources.CellKind]] = {
    "id": set(),
    "text": {"number", "boolean", "time", "zoned", "text"},
    "number": {"number", "boolean"},
    "time": {"time", "zoned"},
    "day": set(),
    "label": {"boolean"},
}
"""Kinds of cells that a format's own types vouch for; ids and days of predictions may still be empty."""


@dataclass(frozen=True)
class Feed:
    """One source as ingest sees it."""

    name: str
    table: str
    pattern: str
    files_zone: str
    needed: dict[str, Kind]
    """Columns without which a file is refused."""
    optional: dict[str, Kind] = field(default_factory=dict)
    """Columns read where they are there."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """For `sql/ingest/<table>.sql`."""

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of `table` of which a night has one row each: the last delivered."""
        dated = self.table != "predictions" and self.parameters["columns"].predicted is not None
        return ("id", "predicted_day") if dated else ("id",)

    @property
    def night(self) -> str:
        """The column of `table` that holds the night a row belongs to."""
        return "day" if self.table == "predictions" else "known_day"

    @property
    def columns(self) -> dict[str, Kind]:
        return self.needed | self.optional


def positives(spec: ModelSpec) -> list[str]:
    """How the positive label or decision may be written, in lower case.

    A number or a boolean is also recognised as text and as a float: 1, 1.0 and true.
    """
    positive = spec.labels.positive if spec.labels else 1
    if isinstance(positive, bool) or positive in (0, 1):
        return ["1", "1.0", "true"] if positive else ["0", "0.0", "false"]
    return [str(positive).lower()] + ([f"{positive}.0"] if isinstance(positive, int) else [])


def feeds(spec: ModelSpec) -> Iterator[Feed]:
    """The spec's sources in the order they are taken in."""
    yield _predictions(spec, spec.predictions, "predictions")
    repeats: dict[str, int] = {}
    for source in spec.others:
        repeats[source.role] = repeats.get(source.role, 0) + 1
        number = repeats[source.role]
        yield _predictions(spec, source, source.role if number == 1 else f"{source.role} {number}")
    if spec.labels:
        columns = spec.labels.columns
        yield Feed(
            "labels", "labels", spec.labels.path, spec.timezone,
            needed={columns.id: "id", columns.label: _label_kind(spec)} | _timed(columns),
            parameters={"columns": columns, "positives": positives(spec), "task": spec.task},
        )  # fmt: skip
    if spec.outcomes:
        yield _outcomes(spec, spec.outcomes)


def _label_kind(spec: ModelSpec) -> Kind:
    """Labels written as 0/1 are checked to be 0 or 1; named classes (`cancelled`) are taken as they are."""
    if spec.task != "binary":
        return "number" if spec.task == "regression" else "text"
    return "label" if {"1", "0"} & set(positives(spec)) else "text"


def _timed(columns: LabelColumns | OutcomeColumns) -> dict[str, Kind]:
    """When a row became known, and the day of its prediction, where files tell."""
    timed: dict[str, Kind] = {columns.timestamp: "time"} if columns.timestamp else {}
    return timed | ({columns.predicted: "day"} if columns.predicted else {})


def _predictions(spec: ModelSpec, source: PredictionSource, name: str) -> Feed:
    columns = source.columns
    numeric = {name: feature.column or name for name, feature in spec.features.items() if feature.kind == "numeric"}
    texts = dict(spec.segments) | {
        name: feature.column or name for name, feature in spec.features.items() if feature.kind == "categorical"
    }
    needed: dict[str, Kind] = {columns.id: "id", columns.timestamp: "time"}
    scored: dict[str, Kind] = {columns.score: "number"}
    needed |= {} if spec.task == "multiclass" else scored
    needed |= {column: "text" for column in (columns.version,) if column}
    needed |= {column: "number" for column in (columns.latency_ms,) if column}
    needed |= {column: "label" for column in (columns.error,) if column}
    needed |= {column: _label_kind(spec) for column in (columns.decision,) if column}
    inputs: dict[str, Kind] = dict.fromkeys(texts.values(), "text") | dict.fromkeys(numeric.values(), "number")  # type: ignore[assignment]
    live = source.role == "live"
    return Feed(
        name, "predictions", source.path, source.files_zone or spec.timezone,
        needed=needed | inputs if live else needed,
        optional=({} if live else {column: kind for column, kind in inputs.items() if column not in needed})
        | (scored if spec.task == "multiclass" else {}),
        parameters={
            "columns": columns, "positives": positives(spec), "numeric": numeric, "texts": texts, "source": name,
            "role": source.role, "threshold": spec.threshold, "task": spec.task,
        },
    )  # fmt: skip


def _outcomes(spec: ModelSpec, source: OutcomeSource) -> Feed:
    columns = source.columns
    needed: dict[str, Kind] = {columns.id: "id", columns.converted: "label"}
    needed |= {column: "number" for column in (columns.value,) if column}
    needed |= {column: "label" for column in (columns.clicked,) if column}
    return Feed(
        "outcomes", "outcomes", source.path, spec.timezone,
        needed=needed | _timed(columns), parameters={"columns": columns},
    )  # fmt: skip


def accept(feed: Feed, path: str, day: Any) -> File:
    """The file, if it has every column the feed needs, in a type that can be read; DataError otherwise."""
    file = sources.inspect(path, day)
    missing = [column for column in feed.needed if column not in file.columns]
    if missing:
        raise DataError(f"{path}: column '{missing[0]}' is missing; the file has {', '.join(file.columns[:12])}")
    return file


def first_day(spec: ModelSpec, warehouse: Warehouse) -> date | None:
    """The first business day that predictions were ever delivered for; None: there are none yet, or none can be read.

    Deliveries are deleted at their source some day; the ledger knows them still, and history begins where it began.
    """
    feed = next(feeds(spec))
    known = warehouse.execute(
        "SELECT MIN(day) FROM deliveries WHERE source = ? AND status <> 'missing'", [feed.name]
    ).fetchall()[0][0]
    return min((day for day in (known, _first_to_read(feed, spec, warehouse)) if day is not None), default=None)


def _first_to_read(feed: Feed, spec: ModelSpec, warehouse: Warehouse) -> date | None:
    """The first business day of the files that there are now."""
    if sources.has_day(feed.pattern):
        return min(sources.days_delivered(feed.pattern), default=None)
    files = []
    for path in sources.paths(feed.pattern):
        with suppress(DataError):  # ingest will refuse it, with its reason
            files.append(accept(feed, path, None))
    return first_held(feed, spec, files, warehouse)


def first_held(feed: Feed, spec: ModelSpec, files: list[File], warehouse: Warehouse) -> date | None:
    """The first business day of the rows in files that hold all days; None where they hold none."""
    if not files:
        return None
    sources.expose(warehouse, feed.pattern, files, feed.columns)
    found = warehouse.query(
        "ingest/first_day", columns=feed.parameters["columns"], kinds=time_kinds(feed, files),
        zone=spec.timezone, files_zone=feed.files_zone,
    )["day"].iloc[0]  # fmt: skip
    return None if pd.isna(found) else found.date()


def suspects(feed: Feed, files: list[File]) -> dict[str, Kind]:
    """Columns whose cells must be looked at one by one, because the file's own types do not vouch for them."""
    return {
        column: kind
        for column, kind in feed.columns.items()
        if not {file.kind(column) for file in files} <= _VOUCHED[kind]
    }


def time_kinds(feed: Feed, files: list[File]) -> dict[str, str]:
    """How each column of moments is stored: `time` (naive), `zoned` or `text`; mixed deliveries are read as text."""
    named = {role: getattr(feed.parameters["columns"], role, None) for role in ("timestamp", "predicted")}
    stored = {role: {file.kind(column) for file in files} for role, column in named.items() if column}
    return {role: kinds.pop() if len(kinds) == 1 else "text" for role, kinds in stored.items()}
