"""Simulated metric series with planted faults, as the night would see them: one series per metric and label age.

The simulator and its scorer are not part of this project; they are run from where they lie
(`$NIGHTJAR_DATA/../bench/anomaly_sim`). What a night knows of a day at age a are the rows known by day + a.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs.methods.forecast import Series, nothing
from jobs.periods import Period

if TYPE_CHECKING:
    from types import ModuleType

    from jobs.methods.scale import Kind

KINDS: dict[str, Kind] = {"rate": "rate", "value": "level", "psi": "psi", "latency": "latency", "count": "count"}
AGES = (1, 3, 7)
"""Label ages at which late metrics are judged."""

BEFORE = 200
"""Nights before the scored ones that are judged too: ranges need residuals of their own past."""


@dataclass(frozen=True)
class Watched:
    """One series of the simulator at one label age."""

    name: str
    model: str
    direction: str
    series: Series


@dataclass(frozen=True)
class World:
    """One seed: its series, its calendar, the scored nights, and the scorer."""

    seed: int
    watched: list[Watched]
    events: dict[str, tuple[date, ...]]
    scored: Period
    evaluator: Any
    late: frozenset[str]


def bench() -> Path:
    """Where the benchmarks lie."""
    data = Path(os.environ.get("NIGHTJAR_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    return data.parent / "bench"


@lru_cache
def _program(name: str) -> ModuleType:
    path = bench() / "anomaly_sim" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"anomaly_sim_{name}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{path} is not there; NIGHTJAR_DATA names the folder beside bench/")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = written
    return module


@lru_cache
def world(seed: int, models: int = 8, ages: tuple[int, ...] = AGES) -> World:
    """The simulator's output for a seed, cut at label ages."""
    listed, observed, events, calendar, meta = _program("simulator").simulate(seed, models)
    observed["value"] = observed["value"].round(8)
    late = frozenset(observed.loc[observed["asof"] > observed["ds"], "series_id"])
    by_name = dict(tuple(observed.groupby("series_id", sort=False)))
    watched = [
        Watched(one.series_id, one.model, one.direction, _at_age(by_name[one.series_id], KINDS[one.kind], age))
        for one in listed.itertuples()
        for age in (ages if one.series_id in late else (0,))
    ]
    first, last = (date.fromisoformat(meta[key]) for key in ("eval_start", "eval_end"))
    marked = {name: tuple(days.dt.date) for name, days in calendar.groupby("holiday")["ds"]}
    evaluator = _program("evaluate").Evaluator(listed, events, json.loads(json.dumps(meta)))
    return World(seed, watched, marked, Period(first, last), evaluator, late)


def _at_age(rows: pd.DataFrame, kind: Kind, age: int) -> Series:
    known = rows[rows["asof"] <= rows["ds"] + pd.Timedelta(days=age)]
    newest = known.sort_values(["ds", "asof"], kind="stable").groupby("ds").last()
    days = pd.date_range(rows["ds"].min(), rows["ds"].max(), freq="D")
    told = newest.reindex(days)
    points = len(days)
    return Series(
        kind, age, days.to_numpy().astype("datetime64[D]"), told["value"].to_numpy(dtype=float),
        told["n"].to_numpy(dtype=float), nothing(points), nothing(points), nothing(points),
    )  # fmt: skip


def flags(world: World, told: list[tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Flags as the scorer wants them; `told`: per watched series whether a day is flagged, and its score."""
    parts = []
    for one, (flagged, score) in zip(world.watched, told, strict=True):
        where = np.flatnonzero(flagged)
        days = one.series.days[where]
        parts.append(pd.DataFrame({
            "series_id": one.name, "ds": days.astype("datetime64[ns]"), "is_anomaly": True, "score": score[where],
            "asof": (days + one.series.age).astype("datetime64[ns]"),
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)
