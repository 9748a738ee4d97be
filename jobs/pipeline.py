"""The stages in their order, and the one rule that makes any order of nights come out the same.

A stage's finished nights are always a prefix of history: before it works on a period it also takes the nights between
the last finished one and the period. So a night finds the whole past in place, whichever night was asked for first.
A changed spec, reference or delivery shortens the prefix, and the next run heals it: through the night that it had
come to before, so that working on an old night never leaves the newer ones undone.

This module is light to import; the stages and what they need are loaded when one runs.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING

from jobs.errors import OrderError, UsageError
from jobs.language import speaking
from jobs.periods import Period

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from jobs.engine.warehouse import Warehouse
    from jobs.spec.model import ModelSpec
    from jobs.stages import Summary

STAGE_NAMES: tuple[str, ...] = ("ingest", "statistics", "metrics", "anomalies", "incidents", "report")


def run(spec: ModelSpec, period: Period, home: Path, stages: Sequence[str] = STAGE_NAMES) -> Iterator[Summary]:
    """Run the stages over the period and publish; yields each stage's summary as it ends."""
    from jobs.engine.warehouse import open_warehouse

    with open_warehouse(home, spec.model) as warehouse:
        for stage in stages:
            yield _run(spec, stage, period, warehouse)
        warehouse.publish()


def run_stage(spec: ModelSpec, stage: str, period: Period, home: Path) -> Summary:
    """Run one stage over the period, waiting a bounded time for the model's file."""
    from jobs.engine.warehouse import open_warehouse

    with open_warehouse(home, spec.model) as warehouse:
        return _run(spec, stage, period, warehouse)


def publish(spec: ModelSpec, home: Path) -> Path:
    """Replace the copy that people and dashboards read."""
    from jobs.engine.warehouse import open_warehouse

    with open_warehouse(home, spec.model) as warehouse:
        return warehouse.publish()


def _run(spec: ModelSpec, stage: str, period: Period, warehouse: Warehouse) -> Summary:
    if stage not in STAGE_NAMES:
        raise UsageError(f"there is no stage '{stage}'; the stages are {', '.join(STAGE_NAMES)}")
    warehouse.digest = digest(spec, stage)
    with speaking(spec.language):
        work: Summary = import_module(f"jobs.stages.{stage}").run(
            spec, _widened(spec, stage, period, warehouse), warehouse
        )
    return work


def digest(spec: ModelSpec, stage: str) -> str:
    """What a stage's finished nights were made with: its part of the spec, and from statistics on the reference."""
    from jobs.engine.profiles import fingerprint
    from jobs.spec.digest import stage_digest

    return stage_digest(spec, stage) + (f" {fingerprint(spec)}" if stage != "ingest" else "")


def _widened(spec: ModelSpec, stage: str, period: Period, warehouse: Warehouse) -> Period:
    """The period, from the first night that the stage has not finished through the last one it ever had."""
    start = _start(spec, stage, period, warehouse)
    done = warehouse.progress(stage)
    if done and (done.digest != warehouse.digest or done.first != start):
        warehouse.reopen(stage, None)
        done = None
    first = done.through + timedelta(days=1) if done else start
    return Period(min(first, period.first), max(_last_again(stage, warehouse) or period.last, period.last))


def _last_again(stage: str, warehouse: Warehouse) -> date | None:
    """The night that the stage had come to before nights of it were reopened, as far as the one before is there."""
    reached = warehouse.reached(stage)
    before = warehouse.progress(STAGE_NAMES[STAGE_NAMES.index(stage) - 1]) if stage != "ingest" else None
    return min(reached, before.through) if reached and before else reached


def _start(spec: ModelSpec, stage: str, period: Period, warehouse: Warehouse) -> date:
    """The first night of history; OrderError where the stage before has not come as far as the period.

    What the stage before made with another spec or reference it has not finished: this stage would mark what it makes
    of that with the digest of the spec as it is, and nobody would make it again.
    """
    if stage == "ingest":
        return _first_day(spec, period, warehouse)
    before = STAGE_NAMES[STAGE_NAMES.index(stage) - 1]
    done, first = warehouse.progress(before), warehouse.progress("ingest")
    if done is None or first is None or done.through < period.last:
        so_far = f"has finished through {done.through}" if done else "has not run"
        raise OrderError(f"{spec.model}: {stage} of {period} needs {before}, which {so_far}; run {before} first")
    if done.digest != digest(spec, before):
        oldest = _oldest_outdated(spec, before, warehouse)
        raise OrderError(
            f"{spec.model}: {stage} of {period} needs {before}, which was made with another spec or reference than "
            f"there is now; run {oldest} and what follows again (in Airflow: clear from {oldest} on)"
        )
    return first.first


def _oldest_outdated(spec: ModelSpec, last: str, warehouse: Warehouse) -> str:
    """The first stage, `last` at the latest, that was made with another spec or reference."""
    for stage in STAGE_NAMES[: STAGE_NAMES.index(last)]:
        done = warehouse.progress(stage)
        if done is None or done.digest != digest(spec, stage):
            return stage
    return last


def _first_day(spec: ModelSpec, period: Period, warehouse: Warehouse) -> date:
    from jobs.engine.feeds import first_day

    start = spec.start or first_day(spec, warehouse) or period.first
    if period.first < start:
        raise UsageError(
            f"{spec.model}: {period} begins before the first day watched, {start}; "
            f"{'change start in the spec' if spec.start else 'no predictions are delivered before it'}"
        )
    return start
