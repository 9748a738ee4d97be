"""A model's nights judged and gathered again, with the rules of any spec, on figures that stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from jobs.errors import UsageError
from jobs.periods import Period

if TYPE_CHECKING:
    from datetime import date

    from jobs.engine.warehouse import Warehouse
    from jobs.spec.model import ModelSpec


@dataclass(frozen=True)
class Replayed:
    """All that a replay wrote, as frames, and where it can be looked at again."""

    spec: ModelSpec
    history: Period
    period: Period
    verdicts: pd.DataFrame
    incidents: pd.DataFrame
    decisions: pd.DataFrame
    outbox: pd.DataFrame
    warehouse: Warehouse

    def within(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows[rows["night"].between(pd.Timestamp(self.period.first), pd.Timestamp(self.period.last))]


def replay(spec: ModelSpec, history: Period, period: Period, warehouse: Warehouse) -> Replayed:
    """Judge and gather every night from the first one on, so that the period's first night finds its whole past."""
    from jobs.stages import anomalies, incidents

    anomalies.run(spec, history, warehouse)
    incidents.run(spec, history, warehouse)
    tables = {name: warehouse.read(name) for name in ("verdicts", "incidents", "decisions", "outbox")}
    return Replayed(spec=spec, history=history, period=period, warehouse=warehouse, **tables)


def periods(spec: ModelSpec, first: date | None, last: date | None, warehouse: Warehouse) -> tuple[Period, Period]:
    """The history through the period's end, and the period; by default all nights whose metrics are finished."""
    done, begun = warehouse.progress("metrics"), warehouse.progress("ingest")
    if done is None or begun is None:
        raise UsageError(
            f"{spec.model}: no night has metrics yet; run `nightjar run {spec.model} --from A --to B` first"
        )
    period = Period(first or begun.first, last or done.through)
    if period.first < begun.first or period.last > done.through:
        raise UsageError(
            f"{spec.model}: {period} is not all run yet: metrics are finished for {begun.first}..{done.through}; "
            f"give days within that, or run `nightjar run {spec.model} --from {period.first} --to {period.last}` first"
        )
    return Period(begun.first, period.last), period


def same_figures(spec: ModelSpec, warehouse: Warehouse) -> None:
    """Whether the stored metrics are those that the spec asks for."""
    from jobs.engine.replay import FINISHED
    from jobs.pipeline import digest

    for stage in FINISHED:
        done = warehouse.progress(stage)
        if done is None or done.digest != digest(spec, stage):
            raise UsageError(
                f"{spec.model}: the stored {stage} were made with another spec or reference; a backtest may change "
                "rules, incidents, actions, mutes and detection (except recent_days, recent_gap and error_rate, on "
                f"which metrics depend); undo the rest, or run `nightjar run {spec.model}` with it first"
            )
