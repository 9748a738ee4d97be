"""One built world for all tests, and its deliveries read back with pandas, apart from Nightjar's own code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from jobs.world import World, build_world, world_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path


@dataclass(frozen=True, eq=False, repr=False)
class Delivered:
    """All delivered rows with the day of their delivery; labels and outcomes with the day of the visit."""

    predictions: pd.DataFrame
    labels: pd.DataFrame
    outcomes: pd.DataFrame
    reference: pd.DataFrame

    @cache  # noqa: B019 - one object for the whole session
    def labelled(self, age: int) -> pd.DataFrame:
        """Visits with the label known within `age` days, after corrections; `day` is the visit's."""
        known = self.labels[self.labels["age"] <= age].drop_duplicates("request_id", keep="last")
        return self.predictions.merge(known[["request_id", "label"]], on="request_id", validate="one_to_one")

    @cache  # noqa: B019 - one object for the whole session
    def accuracy(self, age: int, column: str | None = None, value: str | None = None) -> pd.Series[float]:
        """Accuracy per day of the visit at a label age, of all visits or of one segment."""
        rows = self.labelled(age)
        if column:
            rows = rows[rows[column] == value]
        return (rows["decision"] == rows["label"]).groupby(rows["day"]).mean()

    def psi(self, feature: str, day: date) -> float:
        """PSI of a numeric feature on ten bins between the reference's deciles, smoothed by half a row."""
        edges = np.unique(self.reference[feature].quantile(np.arange(0.1, 1.0, 0.1)))
        today = self.predictions.loc[self.predictions["day"] == pd.Timestamp(day), feature]
        expected, observed = (
            np.bincount(np.searchsorted(edges, values.dropna()), minlength=len(edges) + 1) + 0.5
            for values in (self.reference[feature], today)
        )
        e, a = expected / expected.sum(), observed / observed.sum()
        return float(((a - e) * np.log(a / e)).sum())

    @cache  # noqa: B019 - one object for the whole session
    def conversion(self) -> pd.Series[float]:
        """Share of converted visits per day of the visit."""
        return self.outcomes.groupby("day")["converted"].mean()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A NIGHTJAR_HOME with a world in it."""
    home = tmp_path_factory.mktemp("home")
    build_world(world_folder(home))
    return home


@pytest.fixture(scope="session")
def world(home: Path) -> World:
    return build_world(world_folder(home))


@pytest.fixture(scope="session")
def delivered(world: World) -> Delivered:
    predictions = _daily(world.folder / "predictions", "parquet", pd.read_parquet)
    predictions = predictions.rename(columns={"delivered": "day"})
    predictions["decision"] = (predictions["score"] >= 0.5).astype(int)
    visits = predictions[["request_id", "day"]]
    labels = _daily(world.folder / "labels", "parquet", pd.read_parquet).merge(visits, on="request_id")
    labels["age"] = (labels["delivered"] - labels["day"]).dt.days
    outcomes = _daily(world.folder / "outcomes", "csv", pd.read_csv).merge(visits, on="request_id")
    outcomes["age"] = (outcomes["delivered"] - outcomes["day"]).dt.days
    return Delivered(predictions, labels, outcomes, pd.read_parquet(world.folder / "reference.parquet"))


def _daily(folder: Path, ending: str, read: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    days = {path.parent.name.removeprefix("dt="): path for path in sorted(folder.glob(f"dt=*/*.{ending}"))}
    assert days, f"no files in {folder}"
    frames = [read(path).assign(delivered=pd.Timestamp(day)) for day, path in days.items()]
    return pd.concat(frames, ignore_index=True)
