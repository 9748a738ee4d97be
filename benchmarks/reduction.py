"""Rows -> waist: rows a second and peak memory of the statistics stage against a bare scan of the same columns.

    python -m benchmarks.reduction [ROWS] [FEATURES] [--takes 3]

Defaults: 10,000,000 rows of one model in 10 days, 25 features, two segments, under the usual memory limit. Each has a
label 0 to 30 days later and an outcome 0 to 3 days later; those known within the 10 days are joined. Ids are hashes.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

import pandas as pd

from jobs import tables
from jobs.engine.warehouse import open_warehouse
from jobs.periods import Period
from jobs.spec.model import ModelSpec
from jobs.stages import statistics

DAYS = 10
FIRST = date(2025, 1, 1)


def spec_of(folder: Path, features: int) -> ModelSpec:
    numeric = {f"f{number}": "numeric" for number in range(features - 5)}
    categorical = {f"c{number}": "categorical" for number in range(min(5, features))}
    return ModelSpec.model_validate({
        "model": "large", "start": FIRST, "predictions": {"path": f"{folder}/none/{{day}}.parquet"},
        "labels": {"path": f"{folder}/none/{{day}}.parquet", "ages": [1, 7]},
        "outcomes": {"path": f"{folder}/none/{{day}}.parquet", "columns": {"value": "value"}, "ages": [3]},
        "features": numeric | categorical,
        "segments": ["country", "device"], "reference": {"file": f"{folder}/reference.parquet"},
    })  # fmt: skip


def fill(warehouse, spec: ModelSpec, rows: int) -> None:
    """Predictions as ingest would have left them; made in DuckDB, because files of this size only measure parsing."""
    kinds = {name: feature.kind for name, feature in spec.features.items()}
    numeric = [name for name, kind in kinds.items() if kind == "numeric"]
    categorical = [name for name, kind in kinds.items() if kind == "categorical"]
    warehouse.create(tables.predictions(spec.segments, numeric, categorical))
    values = [
        f"CASE WHEN RANDOM() < 0.02 THEN NULL ELSE RANDOM() * {n + 1} END AS {name}" for n, name in enumerate(numeric)
    ]
    values += [f"'c' || CAST(FLOOR(RANDOM() * {8 + 4 * n}) AS INTEGER) AS {name}" for n, name in enumerate(categorical)]
    warehouse.execute(
        f"""INSERT INTO predictions BY NAME SELECT
        DATE '{FIRST}' + CAST(range * {DAYS} // {rows} AS INTEGER) AS day, 'predictions' AS source,
        MD5(range::VARCHAR) AS id,
        'v' || (1 + range % 2) AS version, 'live' AS role, score, CAST(score > 0.5 AS INTEGER) AS decision,
        EXP(4 + RANDOM()) AS latency_ms,
        'c' || (range % 12) AS country, 'd' || (range % 3) AS device, {", ".join(values)}
        FROM (SELECT range, RANDOM() AS score FROM range({rows}))"""
    )
    for table, late, told in (
        ("labels", "31 * draw * draw", "decision AS label"),
        ("outcomes", "4 * draw", "CAST(draw < 0.1 AS INTEGER) AS converted, draw AS value"),
    ):
        warehouse.execute(
            f"""INSERT INTO {table} BY NAME SELECT id, day + CAST(FLOOR({late}) AS INTEGER) AS known_day, {told}
            FROM (SELECT *, RANDOM() AS draw FROM predictions) ORDER BY known_day"""
        )
    sample = warehouse.execute("SELECT * FROM predictions USING SAMPLE 10000").df()
    sample.rename(columns={"id": "request_id"}).to_parquet(str(warehouse.home / "reference.parquet"))
    warehouse.finish("ingest", Period(FIRST, FIRST.replace(day=DAYS)))
    warehouse.execute("CHECKPOINT")


def scan(warehouse, spec: ModelSpec) -> None:
    """The floor: every column that the reduction reads, read and hashed once, of labels and outcomes too."""
    given = [*spec.features, *spec.segments, "id", "score", "decision", "latency_ms"]
    for table, day, columns in (
        ("predictions", "day", given),
        ("labels", "known_day", ["id", "label"]),
        ("outcomes", "known_day", ["id", "converted", "value"]),
    ):
        hashed = ", ".join(f"MAX(HASH({name}))" for name in columns)
        warehouse.execute(f"SELECT {day}, {hashed} FROM {table} GROUP BY {day}").fetchall()


def timed(work) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def measured(rows: int, features: int, takes: int) -> pd.DataFrame:
    """A row a take: CPU and wall seconds of the scan and of the reduction, their CPU ratio, rows a second."""
    with tempfile.TemporaryDirectory() as folder, open_warehouse(Path(folder), "large") as warehouse:
        spec = spec_of(Path(folder), features)
        fill(warehouse, spec, rows)
        period = Period(FIRST, FIRST.replace(day=DAYS))
        lines = []
        for _ in range(takes):
            bare = timed(lambda: scan(warehouse, spec))
            reduced = timed(lambda: statistics.run(spec, period, warehouse))
            lines.append([*bare, *reduced, reduced[0] / bare[0], rows / reduced[1]])
    names = ["scan cpu s", "scan s", "reduce cpu s", "reduce s", "cpu ratio", "rows per s"]
    return pd.DataFrame(lines, columns=names)


def peak() -> float:
    """MB that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(rows: int, features: int, takes: int) -> None:
    print(measured(rows, features, takes).round(2).to_string())
    limit = os.environ.get("NIGHTJAR_MEMORY", "2GB")
    print(f"{rows:,} rows, {features} features, under {limit}: peak {peak():,.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Rows to the waist against a bare scan.")
    parser.add_argument("rows", type=int, nargs="?", default=10_000_000)
    parser.add_argument("features", type=int, nargs="?", default=25)
    parser.add_argument("--takes", type=int, default=3)
    given = parser.parse_args()
    main(given.rows, given.features, given.takes)
