"""A small made model, `toy`, with a published warehouse from which candidates are trained."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs import tables
from jobs.engine.warehouse import open_warehouse
from jobs.spec.model import ModelSpec

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2025, 3, 1)
PAYLOAD: dict[str, Any] = {
    "version": 1, "model": "toy", "key": "toy-drift-2025-03-10-retrain", "action": "retrain",
    "incident": "toy-drift-2025-03-10", "night": "2025-03-21", "reason": "x drifted",
    "metrics": [{"metric": "psi", "feature": "x", "day": "2025-03-10", "value": 0.4}],
    "days": {"first": "2025-03-10", "last": "2025-03-10"}, "versions": {"current": "v1", "previous": None},
}  # fmt: skip
SPEC: dict[str, Any] = {
    "model": "toy",
    "predictions": {"path": "p/{day}.csv"},
    "labels": {"path": "l/{day}.csv", "ages": [1]},
    "features": {"x": "numeric", "colour": "categorical"},
    "segments": ["country"],
    "actions": {"retrain": {"min_labels": 200}},
}


def toy(**changes: Any) -> ModelSpec:
    return ModelSpec.model_validate(SPEC | changes)


def world(days: int = 20, per_day: int = 120) -> pd.DataFrame:
    """Predictions whose label follows x and colour; the champion only knows x, with missing and infinite values."""
    made = np.random.default_rng(7)
    n = days * per_day
    frame = pd.DataFrame(
        {
            "day": [FIRST + timedelta(days=k // per_day) for k in range(n)],
            "id": [f"r{k:05d}" for k in range(n)],
            "version": "v1",
            "role": "live",
            "source": "predictions",
            "x": made.normal(size=n),
            "colour": made.choice(["red", "blue", None], size=n),
            "country": made.choice(["FR", "PT", None], size=n, p=[0.6, 0.39, 0.01]),
        }
    )
    truth = frame["x"] + np.where(frame["colour"] == "red", 2.0, -1.0)
    frame["label"] = (truth + made.normal(scale=0.3, size=n) > 0).astype(int)
    frame["score"] = 1 / (1 + np.exp(-frame["x"]))
    frame["decision"] = (frame["score"] >= 0.5).astype(int)
    frame.loc[3, "x"], frame.loc[4, "x"] = np.inf, np.nan
    return frame.assign(ts=pd.Timestamp(FIRST), latency_ms=1.0, error=0, decision_text=None)


def fill(home: Path, frame: pd.DataFrame, *more_labels: dict[str, Any], numeric: tuple[str, ...] = ("x",)) -> None:
    """A published warehouse that knows these predictions, each label a day later, and more labels after those."""
    labels = pd.DataFrame({"id": frame["id"], "known_day": frame["day"] + timedelta(days=1), "label": frame["label"]})
    labels = pd.concat([labels[labels["label"].notna()], pd.DataFrame(more_labels)])
    shape = tables.predictions(("country",), numeric, ("colour",))
    with open_warehouse(home, "toy", wait=5) as warehouse:
        warehouse.create(shape)
        for name, rows, columns in (
            ("predictions", frame, shape.columns),
            ("labels", labels, tables.BY_NAME["labels"].columns),
        ):
            warehouse.insert(name, rows, {column: kind for column, kind in columns.items() if column in rows})
        warehouse.publish()
