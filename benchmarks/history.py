"""What a night costs after a month and after a year of history, and a year as one range against its single nights.

    python -m benchmarks.history [--rows 1000] [--nights 7]

The workload of `benchmarks.workload`, 365 days. Each figure is the CPU time of whole processes, start included: the
mean of the nights from 30 on, and of the last ones, once with all six stages and once with statistics and metrics only
(after ingest). The range is one process over all 365 days. 365 single nights are not run: their cost is taken as 365
times the mean of the two groups, which holds where the cost grows evenly.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from benchmarks.processes import Cost, cost_of
from benchmarks.workload import FIRST, Size, build

YEAR = 365
EARLY = 30
STAGES = ("ingest", "statistics", "metrics", "anomalies", "incidents", "report")


def run(folder: Path, home: Path, first: int, last: int, stages: tuple[str, ...] = STAGES) -> Cost:
    """One process over the nights `first` to `last`, counted from 1."""
    days = [str(FIRST + timedelta(days=night - 1)) for night in (first, last)]
    command = [sys.executable, "-m", "jobs", "run", "workload", "--from", days[0], "--to", days[1]]
    for stage in stages:
        command += ["--stage", stage]
    places = {"NIGHTJAR_HOME": str(home), "NIGHTJAR_MODELS": str(folder / "models")}
    return cost_of(command, dict(os.environ) | places, folder / "log.txt")


def nights_from(folder: Path, home: Path, first: int, count: int) -> dict[str, list[float]]:
    """CPU seconds of single nights, all stages in one process, and of statistics and metrics in one of their own."""
    found: dict[str, list[float]] = {"all stages": [], "statistics and metrics": [], "the other four": []}
    copy = home.with_name(f"{home.name}-parts")
    shutil.copytree(home, copy)
    for night in range(first, first + count):
        found["all stages"].append(run(folder, home, night, night).cpu)
        ingest = run(folder, copy, night, night, STAGES[:1]).cpu
        found["statistics and metrics"].append(run(folder, copy, night, night, STAGES[1:3]).cpu)
        found["the other four"].append(ingest + run(folder, copy, night, night, STAGES[3:]).cpu)
        print(f"night {night}: " + ", ".join(f"{name} {of[-1]:.2f} CPU s" for name, of in found.items()), flush=True)
    shutil.rmtree(copy)
    return found


def main(rows: int, count: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder, home = Path(temporary), Path(temporary) / "home"
        build(folder, Size(days=YEAR, rows=rows))
        print(f"{YEAR} days x {rows:,} rows x 25 features", flush=True)
        whole = run(folder, home, 1, YEAR)
        print(f"one range: {whole.cpu:.1f} CPU s, {whole.wall:.1f} s, {whole.peak:,.0f} MB", flush=True)
        shutil.rmtree(home)
        start = run(folder, home, 1, EARLY - 1)
        print(f"nights 1 to {EARLY - 1} as one range: {start.cpu:.1f} CPU s", flush=True)
        early = nights_from(folder, home, EARLY, count)
        run(folder, home, EARLY + count, YEAR - count)
        late = nights_from(folder, home, YEAR - count + 1, count)
        for name in early:
            one, other = statistics.mean(early[name]), statistics.mean(late[name])
            print(f"{name}: night {EARLY} {one:.2f} CPU s, night {YEAR} {other:.2f} CPU s, ratio {other / one:.2f}")
        singles = YEAR * (statistics.mean(early["all stages"]) + statistics.mean(late["all stages"])) / 2
        print(f"{YEAR} single nights, extrapolated: {singles:.0f} CPU s, {singles / whole.cpu:.1f} times the range")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What a night costs after a month and after a year.")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--nights", type=int, default=7)
    given = parser.parse_args()
    main(given.rows, given.nights)
