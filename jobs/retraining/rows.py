"""Fresh labelled rows, from the published copy: nobody waits for a retraining, and it waits for nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from jobs.engine import sql
from jobs.engine.warehouse import read_published
from jobs.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pandas as pd

    from jobs.spec import ModelSpec

MOST_ROWS = 1_000_000
"""The newest whole days up to this many rows; more would not fit beside a night on a small machine."""
MISSING = "(missing)"
"""A segment's value where the column is empty, as everywhere in Nightjar."""


@dataclass(frozen=True)
class Fresh:
    """What a candidate may learn from as of one night."""

    night: date
    mature: date
    """The last day whose labels are complete."""
    rows: pd.DataFrame
    """`day, id, version, score, decision, known_day, label` and a column for each feature and segment."""
    missing: dict[str, float]
    """Feature -> share missing in the reference."""


def features_of(spec: ModelSpec) -> tuple[list[str], list[str]]:
    """Numeric and categorical features; UsageError where the shipped retraining cannot train such a model."""
    numeric = [name for name, feature in spec.features.items() if feature.kind == "numeric"]
    categorical = [name for name, feature in spec.features.items() if feature.kind == "categorical"]
    if spec.task != "binary":
        raise UsageError(
            f"{spec.model}: the shipped retraining trains models of task binary, and this one's is {spec.task}; name a "
            "dag, webhook or command of your own in actions.retrain"
        )
    if not spec.features or spec.labels is None:
        raise UsageError(f"{spec.model}: a candidate needs features and labels; the spec names none of one of them")
    return numeric, categorical


def columns_of(spec: ModelSpec) -> list[str]:
    """The columns of the guarded segments and the features, each once."""
    segments = [name for names in spec.guarded_segments for name in names]
    return list(dict.fromkeys([*spec.features, *segments]))


def newest_night(spec: ModelSpec, home: Path) -> date:
    """The newest day on which a label became known; UsageError where there is none."""
    with read_published(home, spec.model) as connection:
        row = connection.execute(sql.render("retraining/newest_known")).fetchone()
    if row is None or row[0] is None:
        raise UsageError(f"{spec.model}: no label is known yet, so there is nothing to learn from")
    found: date = row[0]
    return found


def newest_version(spec: ModelSpec, home: Path) -> str | None:
    """The version that gave most live answers on the newest published day; None where there is none.

    WarehouseError where nothing is published yet.
    """
    with read_published(home, spec.model) as connection:
        row = connection.execute(sql.render("retraining/newest_version")).fetchone()
    return str(row[0]) if row else None


def fresh(spec: ModelSpec, home: Path, night: date) -> Fresh:
    """The rows of days whose labels are complete, with the last label known by the night.

    WarehouseError where nothing is published yet; UsageError, naming the columns, where the warehouse has none for a
    feature or a guarded segment.
    """
    age = spec.retraining.label_age
    if taken := sorted({"label", "known_day"} & set(columns_of(spec))):
        raise UsageError(f"{spec.model}: {taken[0]} is what the label is called here; name the feature or segment anew")
    mature = night - timedelta(days=max(spec.label_ages, default=0) if age is None else age)
    with read_published(home, spec.model) as connection:
        absent = sorted(set(columns_of(spec)) - _stored(connection))
        if absent:
            raise UsageError(
                f"{spec.model}: the warehouse has no column {', '.join(absent)}, which the spec names as feature or "
                f"segment; run a night of {spec.model} again, so that it takes in what the spec says now"
            )
        rows = _read(
            connection, "labelled_rows", columns=columns_of(spec), night=night, mature=mature, most_rows=MOST_ROWS,
            dated=spec.labels is not None and spec.labels.dated,
        )  # fmt: skip
        reference = _read(connection, "missing_in_reference").dropna()
    return Fresh(night, mature, rows, dict(zip(reference["feature"], reference["value"], strict=True)))


def _stored(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {str(row[0]) for row in connection.execute("DESCRIBE predictions").fetchall()}


def _read(connection: duckdb.DuckDBPyConnection, name: str, **parameters: Any) -> pd.DataFrame:
    return connection.execute(sql.render(f"retraining/{name}", **parameters)).df()
