"""A model's history opened for a replay: read from the published copy, written to memory, kept nowhere.

What stages read are views of the published copy, which is attached read-only; what they write are empty tables in
memory. So a replay can change nothing, whatever the stages do, and waits for no nightly run.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from jobs import tables
from jobs.engine import sql
from jobs.engine.warehouse import Warehouse, memory_settings, published_file
from jobs.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from jobs.periods import Period

HISTORY = "history"
"""The schema under which the published copy, with what was decided then, is to be read."""

REPLAYED = ("verdicts", "incidents", "decisions", "outbox")
"""Tables that a replay writes anew."""

FINISHED = ("ingest", "statistics", "metrics")
"""Stages that a replay takes as they are."""


@contextmanager
def replaying(home: Path, model: str) -> Iterator[Warehouse]:
    """A warehouse with the published history up to metrics, and nothing after it.

    Raises WarehouseError where nothing is published.
    """
    path = published_file(home, model)
    if not path.exists():
        raise WarehouseError(f"{model}: nothing is published at {path} yet; run `nightjar run {model} --day D` first")
    connection = duckdb.connect(":memory:", config=memory_settings(home, model))
    try:
        connection.execute(f"ATTACH {sql.literal(str(path))} AS {HISTORY} (READ_ONLY)")
        warehouse = Warehouse(connection, home, model)
        _open_tables(warehouse)
        yield warehouse
    finally:
        connection.close()


def _open_tables(warehouse: Warehouse) -> None:
    found = warehouse.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = ?", [HISTORY]).fetchall()
    stored = {name for (name,) in found}
    own = {*REPLAYED, "progress", "reached"}
    for name in sorted(stored - own):
        warehouse.execute(f"CREATE VIEW {sql.ident(name)} AS SELECT * FROM {HISTORY}.{sql.ident(name)}")
    for table in tables.TABLES:
        if table.name in own or table.name not in stored:
            warehouse.create(table)
    marks = ", ".join("?" for _ in FINISHED)
    warehouse.execute(f"INSERT INTO progress SELECT * FROM {HISTORY}.progress WHERE stage IN ({marks})", [*FINISHED])


def decided_then(warehouse: Warehouse, table: str, period: Period) -> pd.DataFrame:
    """The rows of a replayed table as history has them, for the period's nights."""
    name = sql.ident(tables.BY_NAME[table].name)
    return warehouse.execute(
        f"SELECT * FROM {HISTORY}.{name} WHERE night BETWEEN ? AND ? ORDER BY ALL", [period.first, period.last]
    ).df()
