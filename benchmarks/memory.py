"""What a memory limit costs: `benchmarks.reduction` under 1 GB and under more than it can use, in turn.

    python -m benchmarks.memory [ROWS] [--takes 1]

Each limit is a process of its own, with the data made anew. DuckDB spills what does not fit.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from benchmarks.processes import machine

LIMITS = ("1GB", "16GB")
ONE = """
import sys
from benchmarks.reduction import measured, peak
found = measured(int(sys.argv[1]), 25, 1).iloc[0]
print(found["reduce cpu s"], found["reduce s"], peak())
"""


def cost_under(limit: str, rows: int) -> list[float]:
    """CPU seconds, wall seconds and peak MB of one take."""
    command = [sys.executable, "-c", ONE, str(rows)]
    told = subprocess.run(
        command, env=dict(os.environ) | {"NIGHTJAR_MEMORY": limit}, check=True, capture_output=True, text=True
    )
    return [float(figure) for figure in told.stdout.split()]


def main(rows: int, takes: int) -> None:
    print(f"{rows:,} rows x 25 features; {machine()}")
    for take in range(takes):
        (cpu, wall, most), (free_cpu, free_wall, free_most) = (cost_under(limit, rows) for limit in LIMITS)
        print(
            f"take {take + 1}: {LIMITS[0]} {cpu:.1f} CPU s, {wall:.1f} s, peak {most:,.0f} MB; "
            f"{LIMITS[1]} {free_cpu:.1f} CPU s, {free_wall:.1f} s, peak {free_most:,.0f} MB; "
            f"ratio {cpu / free_cpu:.2f} of CPU, {wall / free_wall:.2f} of wall time",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What a memory limit costs.")
    parser.add_argument("rows", type=int, nargs="?", default=10_000_000)
    parser.add_argument("--takes", type=int, default=1)
    given = parser.parse_args()
    main(given.rows, given.takes)
