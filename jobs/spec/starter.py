"""A first spec for a model, from nothing but its files: what `nightjar init` writes for you to go on from."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import DataError
from jobs.spec import guessing
from jobs.spec.document import read_document
from jobs.spec.inputs import RESERVED
from jobs.spec.paths import PROJECT, expand
from jobs.spec.samples import delivered, is_time, opened, pattern_of, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from duckdb import DuckDBPyConnection

    from jobs.spec.guessing import Column, Input

MOST_FILES = 20
"""Files of predictions that are looked at, spread over all days."""
_PLAIN_WORDS = r"dt|day|date|data|files?|predictions?|scores?|parquet|csv|jsonl?|ndjson|part|logs?|input|output"


@dataclass(frozen=True)
class Labels:
    """What was found out about the label files."""

    pattern: str
    column: Column
    timestamp: str | None
    ages: tuple[int, ...]
    measured: bool
    """Whether the ages come from the labels' real delays."""


def starter(predictions: Path | str, labels: Path | str | None = None, model: str | None = None) -> str:
    """The text of a commented spec for these files (a file, a folder or a pattern each).

    `model` is its name; absent: told from the path. The text loads and fits the files. Raises DataError where
    there are no such files, or no column can be an id, a timestamp, a score or a label.
    """
    pattern = pattern_of(predictions)
    label_pattern = pattern_of(labels) if labels is not None else None
    shared = _columns_in(label_pattern)
    files = _spread([path for _, path in delivered(pattern)], MOST_FILES)
    with opened(files) as connection:
        columns = guessing.profile(connection)
        key = guessing.guess_id(columns, shared)
        timestamp = guessing.guess_timestamp(columns, _agreement(connection, columns))
        score = guessing.guess_score([column for column in columns if column not in (key, timestamp)])
        found = None
        if label_pattern is not None:
            found = _labels(connection, label_pattern, key.name, timestamp.name)
    rest = [column for column in columns if column not in (key, timestamp, score)]
    roles = {"id": key, "timestamp": timestamp, "score": score, "version": guessing.guess_version(rest)}
    roles["decision"] = guessing.guess_decision(rest, found.column if found else None)
    roles["latency_ms"] = guessing.guess_latency(rest)
    inputs = guessing.guess_inputs(column for column in rest if column not in roles.values())
    return "\n".join(
        [
            *_head(model or _model_name(pattern), _first_day(pattern, timestamp)),
            *_predictions(pattern, {role: column.name for role, column in roles.items() if column}),
            *_labels_section(found, key.name),
            *_inputs(inputs),
            *_TAIL,
        ]
    )


def _columns_in(pattern: str | None) -> set[str] | None:
    if pattern is None:
        return None
    with opened([delivered(pattern)[0][1]]) as connection:
        return {column.name for column in guessing.profile(connection)}


def _spread(paths: Sequence[str], most: int) -> list[str]:
    """At most so many of the paths, evenly spaced.

    >>> _spread("abcdefgh", 4)
    ['a', 'c', 'e', 'g']
    """
    step = max(1, -(-len(paths) // most))
    return list(paths[::step])


_FILE_DAY = r"TRY_CAST(REGEXP_EXTRACT_ALL(_file, '\d{4}-\d{2}-\d{2}')[-1] AS DATE)"


def _agreement(connection: DuckDBPyConnection, columns: Sequence[Column]) -> dict[str, float]:
    """How often each time falls on the day in its file's path."""
    times = [column.name for column in columns if is_time(column.kind)]
    if not times:
        return {}
    shares = ", ".join(f"AVG(CAST(CAST({quoted(name)} AS DATE) = {_FILE_DAY} AS INTEGER))" for name in times)
    found = connection.execute(f"SELECT {shares} FROM delivered").fetchall()[0]
    return {name: share or 0.0 for name, share in zip(times, found, strict=True)}


def _labels(predictions: DuckDBPyConnection, pattern: str, key: str, timestamp: str) -> Labels:
    """Look at all label files: one row of id, day known and label is all that is read of them."""
    by_day = "{day}" in pattern
    with opened([path for _, path in delivered(pattern)]) as connection:
        columns = guessing.profile(connection)
        label = guessing.guess_label(columns, key)
        times = [column for column in columns if is_time(column.kind)]
        known = guessing.guess_timestamp(columns, {}).name if times and not by_day else None
        if known is None and not by_day:
            raise DataError(f"{pattern} has no day in its path and no timestamp that says when a label became known")
        day = f"CAST({quoted(known)} AS DATE)" if known else _FILE_DAY
        known_days = f"SELECT CAST({quoted(key)} AS VARCHAR) AS id, {day} AS known FROM delivered"
        arrived = connection.sql(known_days).to_arrow_table()
        delays = _delays(predictions, arrived, key, timestamp)
    ages = tuple(guessing.sensible_ages(delays)) if delays else (7,)
    return Labels(pattern, label, known, ages, measured=bool(delays))


def _delays(predictions: DuckDBPyConnection, arrived: Any, key: str, timestamp: str) -> list[float]:
    """Days until half, and nine in ten, of the predictions' labels were known; empty where none join."""
    predictions.register("arrived", arrived)
    found = predictions.execute(
        "SELECT QUANTILE_DISC(age, 0.5), QUANTILE_DISC(age, 0.9) FROM ("
        f"SELECT GREATEST(0, MIN(arrived.known) - MIN(CAST({quoted(timestamp)} AS DATE))) AS age "
        f"FROM delivered JOIN arrived ON arrived.id = CAST({quoted(key)} AS VARCHAR) GROUP BY arrived.id)"
    ).fetchall()[0]
    return [float(age) for age in found if age is not None]


def _model_name(pattern: str) -> str:
    """A name for the model from the folder or file that tells most.

    >>> _model_name("/data/Hotel Bookings/predictions/dt={day}/*.parquet"), _model_name("/x/churn-{day}.csv")
    ('hotel_bookings', 'churn')
    """
    for part in reversed(Path(pattern).parts):
        words = re.sub(r"\{day\}|\.(gz|csv|parquet|pq|jsonl?|ndjson)\b", " ", part)
        name = "_".join(re.findall(r"[a-z0-9]+", words.lower()))
        name = re.sub(rf"^({_PLAIN_WORDS})(_\d+)?$|_({_PLAIN_WORDS})$", "", name)
        if re.match(r"[a-z]", name):
            return name[:63]
    return "my_model"


def _first_day(pattern: str, timestamp: Column) -> date | None:
    """The first day delivered; of files that hold all days the first in UTC, in which their rows are cut at first."""
    found = delivered(pattern)
    if found[0][0] is not None:
        return found[0][0]
    moment = quoted(timestamp.name)
    local = f"TIMEZONE('UTC', {moment})" if timestamp.kind == "TIMESTAMP WITH TIME ZONE" else moment
    with opened([path for _, path in found]) as connection:
        first: date | None = connection.execute(f"SELECT MIN(CAST({local} AS DATE)) FROM delivered").fetchall()[0][0]
        return first


def _head(model: str, first: date | None) -> list[str]:
    start = [f"start: {first} # the first day watched: here the first delivered; the default reference counts from it"]
    return [
        "# yaml-language-server: $schema=spec.schema.json",
        "# Made by `nightjar init` from the files; every line is a guess that you may know better.",
        "# `nightjar validate` checks it against the data; what it does not say has a default.",
        "",
        f"model: {model}",
        "description: ''",
        "owner: '' # who is asked when something is wrong",
        "timezone: UTC # where the business day begins and ends, for example Europe/Lisbon",
        *(start if first else []),
        "",
    ]


def _predictions(pattern: str, roles: Mapping[str, str]) -> list[str]:
    lines = ["predictions:", f"  path: {_path(pattern)}", "  columns:"]
    lines += [f"    {role}: {_word(column)}" for role, column in roles.items()]
    if "version" not in roles:
        lines.append("    # version: the column that says which version answered")
    if "decision" not in roles:
        lines.append("    # decision: the column of the class; without, a score from 0.5 (threshold) on is positive")
    if "latency_ms" not in roles:
        lines.append("    # latency_ms: the column of milliseconds until the answer")
    return [*lines, ""]


def _labels_section(found: Labels | None, key: str) -> list[str]:
    if found is None:
        return ["# labels: # none were given: accuracy, precision, recall need them", "#   path: ...", ""]
    positive = guessing.positive_of(found.column)
    why = "50 and 90 % of the labels are known by then" if found.measured else "no label joined: set what suits"
    lines = ["labels:", f"  path: {_path(found.pattern)}", "  columns:"]
    lines += [f"    id: {_word(key)}", f"    label: {_word(found.column.name)}"]
    lines += [f"    timestamp: {_word(found.timestamp)}"] if found.timestamp else []
    lines += [f"  positive: {_word(positive)} # of {found.column.low} and {found.column.high}"]
    return [*lines, f"  ages: [{', '.join(map(str, found.ages))}] # days; {why}", ""]


def _inputs(inputs: Sequence[Input]) -> list[str]:
    features = [one for one in inputs if one.kind]
    lines = ["features:" if features else "features: {}"]
    lines += [f"  {_feature(one)}" for one in features]
    lines += [f"  # left out: {one.column} ({one.why_not})" for one in inputs if not one.kind]
    segments = [_stored(column) for column in guessing.guess_segments(inputs)]
    if any(_stored(column) != column for column in guessing.guess_segments(inputs)):
        pairs = (f"{_word(_stored(column))}: {_word(column)}" for column in guessing.guess_segments(inputs))
        return [*lines, "", f"segments: {{{', '.join(pairs)}}}", ""]
    return [*lines, "", f"segments: [{', '.join(map(_word, segments))}]", ""]


def _feature(one: Input) -> str:
    name = _stored(one.column)
    if name == one.column:
        return f"{_word(name)}: {one.kind}"
    return f"{_word(name)}: {{kind: {one.kind}, column: {_word(one.column)}}}"


def _stored(column: str) -> str:
    """The name under which a column is kept: its own, unless every prediction has that one already."""
    name = re.sub(r"[=,]", "_", column)
    return f"{name}_value" if name.lower() in RESERVED else name


_TAIL = [
    "# reference: # what drift is measured against; without, the first 28 days",
    "#   file: reference.parquet",
    "",
    "# rules: # the field's defaults are in force; a metric named here loses its own",
    "#   - {metric: psi, above: 0.2, nights: 2}",
    "#   - {metric: accuracy, drop: 10%, severity: critical, action: retrain}",
    "",
]


def _portable(pattern: str) -> str:
    """A path as a spec should say it: by variable, or from the project's folder, where it lies there."""
    path = os.path.abspath(pattern)  # noqa: PTH100 - the pattern is no path yet
    data = expand("${NIGHTJAR_DATA}", os.environ)
    if path.startswith(data + os.sep):
        return "${NIGHTJAR_DATA}" + path.removeprefix(data)
    return path.removeprefix(f"{PROJECT}{os.sep}")


def _word(value: str | int | bool) -> str:
    """A value as YAML, quoted only where it must be.

    >>> _word("score"), _word("no: 1"), _word("12"), _word(True)
    ('score', '"no: 1"', '"12"', 'true')
    """
    if not isinstance(value, str):
        return str(value).lower()
    return value if read_document(f"[{value}]").data == [value] else json.dumps(value, ensure_ascii=False)


def _path(pattern: str) -> str:
    """A path as YAML on a line of its own, where braces need no quotes."""
    path = _portable(pattern)
    return path if read_document(f"path: {path}").data == {"path": path} else json.dumps(path, ensure_ascii=False)
