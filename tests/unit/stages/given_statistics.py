"""Words to write small statistics by hand, run nights of the metrics stage on them, and find one figure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from jobs.periods import Period
from jobs.spec import ModelSpec
from jobs.stages import metrics

if TYPE_CHECKING:
    from jobs.engine.warehouse import Warehouse

FIRST = date(2025, 3, 1)
PREDICTIONS = {"path": "predictions/{day}.parquet", "columns": {"version": "version", "latency_ms": "latency"}}
LABELS = {"path": "labels/{day}.parquet", "ages": [2, 7]}
OUTCOMES = {"path": "outcomes/{day}.parquet", "columns": {"value": "revenue"}, "ages": [1]}


def spec_of(**given: Any) -> ModelSpec:
    return ModelSpec.model_validate({"model": "shop", "predictions": PREDICTIONS, "min_rows": 5} | given)


def day(number: int) -> date:
    """Day 1 is the first watched one."""
    return FIRST + timedelta(number - 1)


def deliver(
    warehouse: Warehouse, *days: int, source: str = "predictions", status: str = "delivered", reason: str | None = None
) -> None:
    rows = pd.DataFrame({"day": [day(number) for number in days], "source": source, "status": status, "reason": reason})
    empty = {"files": 1, "rows": 1, "duplicates": 0, "misdated": 0, "fingerprint": "x"}
    warehouse.insert("deliveries", rows.assign(**empty))


def predict(
    warehouse: Warehouse, number: int, n: int, version: str = "all", segment: str = "all", **sums: float
) -> None:
    columns = {
        "n_scored": n,
        "n_improper": 0,
        "n_decided": n,
        "n_positive": 0,
        "score_sum": 0.5 * n,
        "score_square_sum": 0.25 * n,
    } | sums
    row = {"day": day(number), "version": version, "segment": segment, "n": n} | columns
    warehouse.insert("prediction_statistics", pd.DataFrame([row]))


def label(
    warehouse: Warehouse, number: int, age: int, n: int, *, decision: int | None, label: int, **keys: Any
) -> None:
    row = {
        "day": day(number), "known_day": day(number + age), "label_age": age, "version": "all", "segment": "all",
        "score_bin": None, "decision": decision, "label": label, "n": n, "score_sum": 0.0, "score_square_sum": 0.0, "log_loss_sum": 0.0,
    } | keys  # fmt: skip
    warehouse.insert("label_statistics", pd.DataFrame([row]).astype({"score_bin": "Int64", "decision": "Int64"}))


def night(warehouse: Warehouse, spec: ModelSpec, first: int, last: int | None = None) -> pd.DataFrame:
    """Run the stage for these nights and read all that it has ever written."""
    metrics.run(spec, Period(day(first), day(last or first)), warehouse)
    return warehouse.read("metrics")


def figure(written: pd.DataFrame, metric: str, **keys: Any) -> Any:
    """The one row of a metric, or the one that the keys name."""
    found = written[written["metric"] == metric]
    for name, value in keys.items():
        found = found[found[name] == (pd.Timestamp(value) if name == "day" else value)]
    assert len(found) == 1, f"{metric} {keys}: {len(found)} rows"
    return next(found.itertuples())
