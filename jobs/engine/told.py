"""What labels and outcomes tell that a period needs: what became known in it, and the little that is older.

`told_labels` and `told_outcomes` are views for the statements of statistics. Ids are hashes, whose order says nothing
of their day, so whoever looks for one reads all ids there are: that is done once a night, not by each statement.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobs import tables
from jobs.engine.sql import ident, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.engine.warehouse import Warehouse
    from jobs.periods import Period

TABLES = ("labels", "outcomes")


@contextmanager
def told(period: Period, warehouse: Warehouse, *, labels_dated: bool, outcomes_dated: bool) -> Iterator[None]:
    """Within, the views `told_labels` and `told_outcomes` show what the period needs of these tables."""
    try:
        for table, dated in zip(TABLES, (labels_dated, outcomes_dated), strict=True):
            _show(table, period, warehouse, dated=dated)
        yield
    finally:
        for table in TABLES:
            warehouse.execute(f"DROP VIEW IF EXISTS told_{table}")
            warehouse.execute(f"DROP TABLE IF EXISTS earlier_{table}")


def _show(table: str, period: Period, warehouse: Warehouse, *, dated: bool) -> None:
    columns = list(tables.BY_NAME[table].columns)
    names = ", ".join(ident(name) for name in columns)
    known = f"known_day BETWEEN {literal(period.first)} AND {literal(period.last)}"
    named = warehouse.execute(f"SELECT MIN(predicted_day) FROM {table} WHERE {known}").fetchall()[0][0]
    earlier = warehouse.select(
        "statistics/earlier", table=table, columns=columns, period=period, dated=dated,
        since=min(named, period.first) if named else period.first,
    )  # fmt: skip
    warehouse.execute(f"CREATE TEMP TABLE earlier_{table} AS {earlier}")
    warehouse.execute(
        f"CREATE TEMP VIEW told_{table} AS "
        f"SELECT {names} FROM {table} WHERE {known} UNION ALL SELECT {names} FROM earlier_{table}"
    )
