"""How the cost of the statistics and metrics of one night grows with rows, features and segments.

    python -m benchmarks.growth

Each size is measured in a process of its own, start-up taken off (the same night of 100 rows); CPU seconds,
the least of three. The exponent is the slope of log cost over log size: 1 is linear.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd

USUAL = {"rows": 200_000, "features": 20, "segments": 20}
SIZES = {"rows": (100_000, 400_000, 1_600_000), "features": (10, 40, 160), "segments": (10, 40, 160)}
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


def cost(rows: int, features: int, segments: int) -> float:
    """The least of three, each in a fresh process."""
    command = [sys.executable, "-c", ONE, str(rows), str(features), str(segments)]
    return min(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(3))


def main() -> None:
    start = cost(100, 1, 1)
    print(f"one night of {USUAL}, one of them varied; start-up of {start:.2f} s taken off")
    for name, sizes in SIZES.items():
        seconds = [cost(**(USUAL | {name: size})) - start for size in sizes]
        exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
        told = pd.DataFrame({name: sizes, "cpu s": np.round(seconds, 2)}).to_string(index=False)
        print(f"{told}\nexponent {exponent:.2f}\n")


if __name__ == "__main__":
    main()
