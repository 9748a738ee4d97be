"""What expected ranges cost: 300 series on one night, and a year of nights of 100 series as one run.

    python -m benchmarks.detection_cost

Through the anomalies stage on a DuckDB file, as a night runs it: figures read, series judged, rules, odd nights,
verdicts written. The series are five label metrics at twenty or sixty label ages, 400 days of history each; a night
is a process of its own, so it pays for Prophet's import. After the year its last three nights are run again one by one:
they must say the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.periods import Period
from jobs.spec.model import ModelSpec
from jobs.stages import anomalies

METRICS = ("accuracy", "precision", "recall", "f1", "roc_auc")
FIRST = date(2025, 1, 1)
HISTORY, YEAR = 400, 365
ROWS = 2000


def spec_of(ages: int) -> ModelSpec:
    return ModelSpec.model_validate({
        "model": "wide", "predictions": {"path": "none/{day}.csv"},
        "labels": {"path": "none/{day}.csv", "ages": list(range(1, ages + 1))},
        "detection": {"metrics": list(METRICS)},
        "rules": [{"metric": metric, "outside": "expected"} for metric in METRICS],
    })  # fmt: skip


def fill(warehouse: Warehouse, ages: int, days: int) -> None:
    """Rates of 2,000 rows with a week's shape, a few faults, and a level that wanders."""
    rng = np.random.default_rng(1)
    when = pd.to_datetime(FIRST) + pd.to_timedelta(np.arange(days), unit="D")
    parts = []
    for metric in METRICS:
        for age in range(1, ages + 1):
            logit = 2.0 + 0.2 * np.sin(2 * np.pi * np.arange(days) / 7) + np.cumsum(rng.normal(0, 0.005, days))
            logit[rng.random(days) < 0.01] -= 1.0
            value = rng.binomial(ROWS, 1 / (1 + np.exp(-logit))) / ROWS
            error = np.sqrt(value * (1 - value) / ROWS)
            parts.append(pd.DataFrame({
                "model": "wide", "version": "all", "day": when, "layer": "model", "metric": metric, "feature": "",
                "segment": "all", "label_age": age, "value": value, "n": ROWS, "lower": value - 1.96 * error,
                "upper": value + 1.96 * error, "state": "final", "reason": None,
            }))  # fmt: skip
    warehouse.insert("metrics", pd.concat(parts, ignore_index=True))


def run(home: Path, ages: int, first: date, last: date) -> None:
    with open_warehouse(home, "wide") as warehouse:
        print(anomalies.run(spec_of(ages), Period(first, last), warehouse))


def alone(home: Path, ages: int, first: date, last: date) -> float:
    """Seconds that a process of its own takes."""
    begun = time.monotonic()
    told = [sys.executable, "-m", "benchmarks.detection_cost", str(home), str(ages), str(first), str(last)]
    subprocess.run(told, check=True)
    return time.monotonic() - begun


def verdicts(home: Path, since: date) -> pd.DataFrame:
    with open_warehouse(home, "wide") as warehouse:
        rows = warehouse.read("verdicts")
    rows = rows[rows["night"] >= pd.Timestamp(since)]
    return rows.sort_values(list(rows.columns[:10]), ignore_index=True)


def measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "night"
        home.mkdir()
        with open_warehouse(home, "wide") as warehouse:
            fill(warehouse, 60, HISTORY + 1)
        night = FIRST + timedelta(HISTORY)
        seconds = alone(home, 60, night, night)
        print(f"one night of 300 series: {seconds:.0f} s (wanted: under 60)", flush=True)
        home = Path(folder) / "year"
        home.mkdir()
        with open_warehouse(home, "wide") as warehouse:
            fill(warehouse, 20, HISTORY + YEAR)
        last = FIRST + timedelta(HISTORY + YEAR - 1)
        seconds = alone(home, 20, FIRST + timedelta(HISTORY), last)
        print(f"{YEAR} nights of 100 series as one run: {seconds:.0f} s (wanted: under 900)", flush=True)
        since = last - timedelta(2)
        before = verdicts(home, since)
        seconds = sum(alone(home, 20, since + timedelta(step), since + timedelta(step)) for step in range(3))
        pd.testing.assert_frame_equal(verdicts(home, since), before)
        print(f"its last three nights one by one: the same verdicts, {seconds / 3:.0f} s each", flush=True)
    print(f"on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(Path(sys.argv[1]), int(sys.argv[2]), date.fromisoformat(sys.argv[3]), date.fromisoformat(sys.argv[4]))
    else:
        measure()
