"""Size and time of the report and the mail of a broad model, and the cost of 300 expected ranges.

    python -m benchmarks.limits

The broad model: 50 features, 20 segment values, 30 nights of the workload with its faults. The report is rendered again
by `nightjar report` in a process of its own. The 300 series are those of one night, each with 300 days behind it,
weekly seasons and noise; nothing of them is remembered from other nights.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks.processes import cost_of
from benchmarks.reduction import timed
from benchmarks.workload import Size, build

BROAD = Size(days=30, rows=1000, numeric=40, categorical=10)
SERIES, PAST = 300, 300


def broad(folder: Path) -> None:
    """The report's time and size, and the mail's."""
    from jobs import pipeline
    from jobs.engine.warehouse import open_warehouse
    from jobs.periods import Period
    from jobs.spec.reading import find_spec, load_spec
    from jobs.stages import report
    from reports.mail import compose

    specs, home, night = build(folder, BROAD), folder / "home", BROAD.last
    command = [sys.executable, "-m", "jobs", "run", "workload", "--from", "2025-01-01", "--to", str(night)]
    places = dict(os.environ) | {"NIGHTJAR_HOME": str(home), "NIGHTJAR_MODELS": str(specs)}
    cost_of(command, places, folder / "log.txt")
    spent = cost_of(
        [sys.executable, "-m", "jobs", "report", "workload", "--day", str(night)], places, folder / "log.txt"
    )
    spec = load_spec(find_spec("workload", specs))
    size = report.report_file(home, spec.model, night).stat().st_size
    print(f"report: {spent.cpu:.1f} CPU s and {spent.wall:.1f} s as a process, {size / 1e6:.2f} MB", flush=True)
    stages = pipeline.STAGE_NAMES[-1:]
    cpu, wall = timed(lambda: list(pipeline.run(spec, Period.of(night), home, stages)))
    print(f"report alone, without start: {cpu:.1f} CPU s, {wall:.1f} s")
    with open_warehouse(home, spec.model) as warehouse:
        view = next(report.views(spec, Period.of(night), warehouse))
    message = compose(view, "nightjar@example.org", ["team@example.org"], "https://example.org/report", "key")
    html = next(part for part in message.walk() if part.get_content_type() == "text/html").get_content()
    print(f"mail: HTML body {len(html.encode()) / 1000:.0f} KB, whole message {len(message.as_bytes()) / 1000:.0f} KB")


def many_series() -> None:
    """CPU and wall seconds of judging one night of 300 series, Prophet's import included."""
    from functools import partial

    from jobs.methods import crew, forecast
    from jobs.methods.forecast import Series
    from jobs.periods import Period
    from jobs.spec.judging import Detection

    draw, last = np.random.default_rng(8), date(2025, 11, 2)
    days = np.array([last - timedelta(days=PAST - place) for place in range(PAST + 1)], dtype="datetime64[D]")
    unknown = np.full(PAST + 1, np.nan)
    week = 0.02 * np.sin(2 * np.pi * np.arange(PAST + 1) / 7)
    given = [
        Series(
            "rate", 0, days, 0.8 + week + 0.01 * draw.normal(size=PAST + 1), np.full(PAST + 1, 2000.0),
            np.full(PAST + 1, 0.009), unknown, unknown,
        )
        for _ in range(SERIES)
    ]  # fmt: skip
    begun, cpu = time.perf_counter(), os.times()
    work = partial(forecast.judge, period=Period.of(last), detection=Detection())
    told = list(crew.in_order(work, given, 1))
    used = sum(os.times()[:4]) - sum(cpu[:4])
    judged = sum(bool(np.isfinite(one.expected[-1])) for one in told)
    detectors = sorted({one.detector[-1] for one in told})
    wall = time.perf_counter() - begun
    print(f"{judged} of {SERIES} series judged by {', '.join(detectors)}: {used:.1f} CPU s, {wall:.1f} s")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        broad(Path(place))
    many_series()
