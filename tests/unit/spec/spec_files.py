"""A small model's files for the tests of starter specs and of checks against data."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST = date(2025, 3, 1)
DAYS = [FIRST + timedelta(days=offset) for offset in range(10)]
ROWS_A_DAY = 40


def prediction(day: date, row: int) -> dict[str, Any]:
    """One served answer; everything in it follows from its day and row."""
    return {
        "request_id": f"r-{day:%m%d}-{row}",
        "served_at": f"{day} {row % 24:02d}:00:00",
        "signed_up": f"2024-01-{1 + row % 28:02d} 00:00:00",
        "score": round(((row * 37) % 100) / 100, 2),
        "model_version": "v1" if row % 2 else "v2",
        "latency_ms": 10.5 + row,
        "price": 5.0 + row * 1.25,
        "country": ["FR", "DE", "PT"][row % 3],
        "session": f"session {row} of {day}",
        "customer_id": row,
        "nothing": None,
    }


def label(day: date, row: int) -> dict[str, Any]:
    return {"request_id": f"r-{day:%m%d}-{row}", "label": int(row % 4 == 0)}


def predictions() -> dict[date, list[dict[str, Any]]]:
    return {day: [prediction(day, row) for row in range(ROWS_A_DAY)] for day in DAYS}


def labels(delays: tuple[int, ...] = (2, 2, 2, 2, 2, 2, 2, 2, 9, 9)) -> dict[date, list[dict[str, Any]]]:
    """Labels by the day they arrive; row number and day decide which of the delays each has."""
    arriving: dict[date, list[dict[str, Any]]] = {}
    for day in DAYS:
        for row in range(ROWS_A_DAY):
            arriving.setdefault(day + timedelta(days=delays[row % len(delays)]), []).append(label(day, row))
    return arriving


def each_row(
    days: dict[date, list[dict[str, Any]]], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[date, list[dict[str, Any]]]:
    """The same days, with what `change` gives put over each row."""
    return {day: [{**row, **change(row)} for row in rows] for day, rows in days.items()}


def as_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(rows[0]), *(",".join("" if v is None else str(v) for v in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def as_json_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def as_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows)
    for name in ("served_at", "signed_up"):
        if name in table.column_names:
            moments = table[name].cast(pa.timestamp("us"))
            table = table.set_column(table.column_names.index(name), name, moments)
    pq.write_table(table, path)
    return path


WRITERS = {"csv": as_csv, "jsonl": as_json_lines, "parquet": as_parquet}


def deliver(folder: Path, days: dict[date, list[dict[str, Any]]], ending: str = "parquet") -> Path:
    """One folder a day, `dt=2025-03-01/part-0.<ending>`."""
    for day, rows in days.items():
        WRITERS[ending](folder / f"dt={day}" / f"part-0.{ending}", rows)
    return folder
