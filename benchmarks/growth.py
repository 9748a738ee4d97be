"""How cost grows with rows, features, segment values, days and models.

    python -m benchmarks.growth [--full] [--takes 3] [--only rows,models]

Rows, features and segments: statistics and metrics of one night, start-up taken off (the same night of 100 rows, one
feature, one segment value). Days: all stages of a range of nights of `benchmarks.workload`. Models: all stages of
one night of each, one process a model as Airflow runs them; there start-up is part of the cost. Each size is measured
in processes of their own; CPU seconds, the least of the takes. The exponent is the slope of log cost over log size: 1
is linear, and less where a part of the cost does not grow.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import yaml

from benchmarks.history import run
from benchmarks.processes import cost_of, machine
from benchmarks.workload import FIRST as FIRST_DAY
from benchmarks.workload import Size, build, spec_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

USUAL = {"rows": 200_000, "features": 20, "segments": 20}
SIZES: dict[bool, dict[str, tuple[int, ...]]] = {
    False: {"rows": (100_000, 400_000, 1_600_000), "features": (10, 40, 160), "segments": (10, 40, 160)},
    True: {
        "rows": (100_000, 1_000_000, 10_000_000),
        "features": (10, 50, 200),
        "segments": (1, 10, 1000),
        "days": (1, 30, 365),
        "models": (1, 50),
    },
}
DAY_ROWS = 1000
"""Predictions a day where days or models grow."""
ONE = """
import sys, tempfile, time
from pathlib import Path
from benchmarks.growth import night_of
rows, features, segments = map(int, sys.argv[1:])
with tempfile.TemporaryDirectory() as folder:
    print(night_of(Path(folder), rows, features, segments))
"""


def night_of(folder, rows: int, features: int, segments: int) -> float:
    """CPU seconds of the stages statistics and metrics for one night of a made model."""
    import time
    from datetime import date

    from benchmarks.reduction import FIRST
    from jobs import tables
    from jobs.engine.warehouse import open_warehouse
    from jobs.periods import Period
    from jobs.spec.model import ModelSpec
    from jobs.stages import metrics, statistics

    night = Period.of(date.fromisoformat(str(FIRST)))
    numeric = {f"f{number}": "numeric" for number in range(features)}
    spec = ModelSpec.model_validate({
        "model": "growing", "start": FIRST, "predictions": {"path": f"{folder}/none/{{day}}.parquet"},
        "labels": {"path": f"{folder}/none/{{day}}.parquet", "ages": [1]}, "features": numeric,
        "segments": ["region"], "reference": {"file": f"{folder}/reference.parquet"}, "crossed": [],
    })  # fmt: skip
    with open_warehouse(folder, "growing") as warehouse:
        warehouse.create(tables.predictions(spec.segments, list(numeric), []))
        values = ", ".join(f"RANDOM() * {number + 1} AS {name}" for number, name in enumerate(numeric))
        warehouse.execute(
            f"""INSERT INTO predictions BY NAME SELECT DATE '{FIRST}' AS day, 'predictions' AS source,
            'id' || range AS id, 'v1' AS version, 'live' AS role, score, CAST(score > 0.5 AS INTEGER) AS decision,
            'r' || (range % {segments}) AS region, {values} FROM (SELECT range, RANDOM() AS score FROM range({rows}))"""
        )
        sample = warehouse.execute("SELECT * FROM predictions USING SAMPLE 10000").df()
        sample.rename(columns={"id": "request_id"}).to_parquet(str(folder / "reference.parquet"))
        warehouse.finish("ingest", night)
        warehouse.execute("CHECKPOINT")
        begun = time.process_time()
        statistics.run(spec, night, warehouse)
        metrics.run(spec, night, warehouse)
        return time.process_time() - begun


def night_cost(rows: int, features: int, segments: int) -> float:
    """CPU seconds of one night's statistics and metrics in a fresh process."""
    command = [sys.executable, "-c", ONE, str(rows), str(features), str(segments)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def days_cost(days: int) -> float:
    """CPU seconds of a range of so many nights, all stages in one process."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        build(folder, Size(days=days, rows=DAY_ROWS))
        return run(folder, folder / "home", 1, days).cpu


def models_cost(models: int) -> float:
    """CPU seconds of one night of so many models, each a process, a spec and a file of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, size = Path(temporary), Size(days=1, rows=DAY_ROWS)
        build(folder, size)
        places = {"NIGHTJAR_HOME": str(folder / "home"), "NIGHTJAR_MODELS": str(folder / "models")}
        total = 0.0
        for number in range(models):
            name = f"model{number:02}"
            (folder / "models" / f"{name}.yaml").write_text(yaml.safe_dump(spec_of(folder, size, name)))
            command = [sys.executable, "-m", "jobs", "run", name, "--day", str(FIRST_DAY)]
            total += cost_of(command, dict(os.environ) | places, folder / "log.txt").cpu
        return total


def least(takes: int, cost: Callable[..., float], **given: int) -> float:
    """The least of so many takes."""
    return min(cost(**given) for _ in range(takes))


def measured(full: bool, takes: int, only: Sequence[str]) -> Iterator[tuple[str, tuple[int, ...], list[float]]]:
    """What grows, its sizes, and the CPU seconds of each."""
    whole: dict[str, Callable[..., float]] = {"days": days_cost, "models": models_cost}
    start = None
    for name, sizes in SIZES[full].items():
        if only and name not in only:
            continue
        if name in whole:
            yield name, sizes, [least(takes, whole[name], **{name: size}) for size in sizes]
            continue
        start = start if start is not None else least(takes, night_cost, rows=100, features=1, segments=1)
        yield name, sizes, [least(takes, night_cost, **(USUAL | {name: size})) - start for size in sizes]


def main(full: bool, takes: int, only: Sequence[str]) -> None:
    print(f"one night of {USUAL}, one of them varied, start-up taken off; {DAY_ROWS} rows a day; {machine()}\n")
    for name, sizes, seconds in measured(full, takes, only):
        exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
        told = pd.DataFrame({name: sizes, "cpu s": np.round(seconds, 2)}).to_string(index=False)
        steps = np.diff(np.log(seconds)) / np.diff(np.log(sizes))
        print(
            f"{told}\nexponent {exponent:.2f} (from size to size {', '.join(f'{one:.2f}' for one in steps)})\n",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How cost grows.")
    parser.add_argument("--full", action="store_true", help="Up to 10 million rows, 365 days and 50 models.")
    parser.add_argument("--takes", type=int, default=3)
    parser.add_argument("--only", default="", help="Comma-separated; absent: all.")
    given = parser.parse_args()
    main(given.full, given.takes, list(filter(None, given.only.split(","))))
