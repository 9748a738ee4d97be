"""A small made model, `kiosk`, whose deliveries a test writes itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from jobs.engine.warehouse import open_warehouse
from jobs.periods import Period
from jobs.pipeline import run
from jobs.spec.model import ModelSpec

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from jobs.engine.warehouse import Warehouse
    from jobs.stages import Summary

FIRST = date(2025, 1, 1)
COUNTED_BY_ID = (
    "label_statistics", "class_statistics", "error_statistics", "outcome_statistics", "action_statistics",
    "crossed_statistics", "pair_statistics", "meeting_statistics", "arrival_statistics",
)  # fmt: skip
"""Tables of the waist whose statements join predictions with what is told of them by their ids."""


def day(number: int) -> date:
    """Day 1 is the first of January 2025."""
    return FIRST + timedelta(days=number - 1)


def days(first: int, last: int) -> Period:
    return Period(day(first), day(last))


@dataclass
class Kiosk:
    """Writes deliveries below `root` and runs stages over them."""

    root: Path
    changes: dict[str, Any] = field(default_factory=dict)
    house: Path | None = None
    """Where it works, if not below `root`: kiosks may share deliveries."""

    @property
    def home(self) -> Path:
        return self.house or self.root / "home"

    @property
    def spec(self) -> ModelSpec:
        source = {"columns": {"version": "model_version", "decision": "decision"}}
        given: dict[str, Any] = {
            "model": "kiosk",
            "start": FIRST,
            "predictions": {"path": f"{self.root}/predictions/{{day}}.csv"} | source,
            "labels": {"path": f"{self.root}/labels/{{day}}.csv", "ages": [1, 3]},
            "outcomes": {"path": f"{self.root}/outcomes/{{day}}.csv", "columns": {"value": "revenue"}},
            "features": {"price": "numeric", "colour": "categorical"},
            "segments": ["country"],
            "reference": {"file": f"{self.root}/reference.csv"},
        }
        return ModelSpec.model_validate(given | self.changes)

    def write(self, folder: str, number: int, frame: pd.DataFrame) -> Path:
        path = self.root / folder / f"{day(number)}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(path, index=False)
        return path

    def predict(self, number: int, ids: list[str], **columns: Any) -> Path:
        """Predictions of one day; columns not given are the same for every row."""
        usual = {
            "request_id": ids, "ts": f"{day(number)} 12:00:00", "model_version": "v1", "score": 0.75, "decision": 1,
            "price": 2.0, "colour": "red", "country": "FR",
        }  # fmt: skip
        return self.write("predictions", number, pd.DataFrame(usual | columns))

    def label(self, number: int, labels: dict[str, Any]) -> Path:
        """Labels that became known on one day."""
        return self.write("labels", number, pd.DataFrame({"request_id": list(labels), "label": list(labels.values())}))

    def outcome(self, number: int, revenues: dict[str, float]) -> Path:
        """Outcomes that became known on one day; a revenue of 0 did not convert."""
        frame = pd.DataFrame({"request_id": list(revenues), "revenue": list(revenues.values())})
        return self.write("outcomes", number, frame.assign(converted=(frame["revenue"] > 0).astype(int)))

    def reference(self, **columns: Any) -> None:
        usual = {
            "score": [0.25, 0.75] * 20,
            "decision": [0, 1] * 20,
            "price": [1.0, 2.0, 3.0, 4.0] * 10,
            "colour": ["red", "blue"] * 20,
        }
        self.root.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(usual | columns).to_csv(self.root / "reference.csv", index=False)

    def run(self, period: Period, *stages: str) -> list[Summary]:
        return list(run(self.spec, period, self.home, stages or ("ingest", "statistics")))

    def page(self, number: int) -> str:
        """The report of one night."""
        return (self.home / "reports" / "kiosk" / str(day(number)) / "index.html").read_text()

    def warehouse(self) -> AbstractContextManager[Warehouse]:
        return open_warehouse(self.home, "kiosk", wait=5)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.warehouse() as warehouse:
            return warehouse.execute(statement).fetchall()

    def table(self, name: str) -> pd.DataFrame:
        with self.warehouse() as warehouse:
            return warehouse.read(name)
