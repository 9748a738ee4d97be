"""Ratios that must not get worse unseen: each against a floor of the same run, so that the machine does not matter.

    python -m benchmarks.guard

`tests/performance/test_ratios.py` holds them against generous bounds; this prints them.
"""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

from benchmarks.reduction import DAYS, FIRST, fill, scan, spec_of, timed
from benchmarks.workload import Size, build
from jobs import pipeline
from jobs.engine.warehouse import open_warehouse
from jobs.periods import Period
from jobs.spec.reading import find_spec, load_spec
from jobs.stages import statistics

ROWS, FEATURES = 1_000_000, 25
TAKES = 3
YEAR = Size(days=100, rows=150, numeric=3, categorical=1)
EARLY = 40
"""The first night whose label triangle is full (labels come up to 30 days late), and a little more."""


def reduction_to_scan(folder: Path) -> float:
    """CPU of the statistics of a million rows and 25 features over that of a scan that hashes their columns."""
    with open_warehouse(folder, "large") as warehouse:
        spec = spec_of(folder, FEATURES)
        fill(warehouse, spec, ROWS)
        period = Period(FIRST, FIRST.replace(day=DAYS))
        floor = min(timed(lambda: scan(warehouse, spec))[0] for _ in range(2 * TAKES))
        reduction = min(timed(lambda: statistics.run(spec, period, warehouse))[0] for _ in range(TAKES))
    return reduction / floor


def late_to_early(folder: Path) -> float:
    """CPU of statistics and metrics of night 100 over that of night 40; what is before them is run as ranges."""
    spec = load_spec(find_spec("workload", build(folder, YEAR)))
    home = folder / "home"
    stages = pipeline.STAGE_NAMES[:3]

    def through(first: int, last: int) -> None:
        list(pipeline.run(spec, Period(_day(first), _day(last)), home, stages))

    def night(number: int) -> float:
        through(number, number)
        again = Period.of(_day(number))
        return min(timed(lambda: list(pipeline.run(spec, again, home, stages[1:])))[0] for _ in range(TAKES))

    through(1, EARLY - 1)
    early = night(EARLY)
    through(EARLY + 1, YEAR.days - 1)
    return night(YEAR.days) / early


def _day(night: int) -> date:
    return FIRST + timedelta(days=night - 1)


if __name__ == "__main__":
    for ratio in (reduction_to_scan, late_to_early):
        with tempfile.TemporaryDirectory() as place:
            print(f"{ratio.__name__}: {ratio(Path(place)):.2f}")
