"""Build the world's files: all of them or none, and not again when they are there already."""

from __future__ import annotations

import json
import shutil
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock

from jobs.errors import UsageError
from jobs.world import arrivals, files, truth, visits
from jobs.world.effects import Effects
from jobs.world.stories import PERIOD, Story, stories

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.periods import Period
    from jobs.world.visits import Stream

MODEL = "shop"
FORMAT = 1
"""Raise it whenever the same seed gives other files, so that worlds built before are built again."""

REFERENCE_ROWS, REFERENCE_DAYS = 10_000, 14
MARKER = "world.json"


@dataclass(frozen=True)
class World:
    """A world that stands in `folder`: `predictions/`, `labels/`, `outcomes/` and `reference.parquet`."""

    folder: Path
    seed: int
    period: Period
    stories: tuple[Story, ...]


def world_folder(home: Path) -> Path:
    """Where the shop's files belong below NIGHTJAR_HOME, and where its spec looks for them."""
    return home / "world" / MODEL


def build_world(folder: Path, seed: int = 7) -> World:
    """Write the world of `seed` into `folder`, which then holds nothing else.

    The files are written beside it and put in place by renaming, so `folder` never holds half a world.
    The same world there is left as it is, another one is replaced. Raises UsageError when it holds anything
    else, and for a negative seed.
    """
    if seed < 0:
        raise UsageError(f"the seed {seed} is negative; give 0 or more")
    world = World(folder, seed, PERIOD, stories())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if _read_marker(folder) != _marker(world):
            _refuse_foreign(folder)
            building = _emptied(folder.with_name(f".{folder.name}.building"))
            _write(building, seed)
            (building / MARKER).write_text(_marker(world), encoding="utf-8")
            _put_in_place(building, folder)
    return world


def _write(folder: Path, seed: int) -> None:
    _write_reference(folder, _streams(seed, "reference"))
    stream, effects = _streams(seed, "world"), Effects.of_the_world()
    counts = np.where(effects.silent, 0, visits.visitors_per_day(PERIOD.first, len(PERIOD), stream))
    visited = visits.draw(PERIOD.first, counts, effects, stream)
    happened = truth.happen(visited, effects, stream)
    ids = files.request_ids("s", len(visited))
    labels = arrivals.of_labels(visited, happened, stream)
    outcomes = arrivals.of_outcomes(visited, stream)
    predictions = files.prediction_table(ids, visited)
    files.write_daily_parquet(folder / "predictions", visited.day, predictions)
    files.write_daily_parquet(folder / "labels", labels.day, files.label_table(ids, labels))
    files.write_daily_csv(folder / "outcomes", outcomes.day, files.outcome_table(ids, happened, outcomes))


def _write_reference(folder: Path, stream: Stream) -> None:
    """The accepted behaviour: visits of the two weeks before the world begins, with what became of them."""
    effects = Effects.none(REFERENCE_DAYS)
    share, rest = divmod(REFERENCE_ROWS, REFERENCE_DAYS)
    counts = np.full(REFERENCE_DAYS, share) + (np.arange(REFERENCE_DAYS) < rest)
    visited = visits.draw(PERIOD.first - timedelta(days=REFERENCE_DAYS), counts, effects, stream)
    happened = truth.happen(visited, effects, stream)
    ids = files.request_ids("r", len(visited))
    files.write_parquet(files.reference_table(ids, visited, happened), folder / "reference.parquet")


def _streams(seed: int, part: str) -> Stream:
    """Random numbers by purpose, so that a change of one draw leaves the others as they are."""
    return lambda purpose: np.random.default_rng([seed, zlib.crc32(f"{part} {purpose}".encode())])


def _marker(world: World) -> str:
    days = {story.name: [story.first.isoformat(), story.last.isoformat()] for story in world.stories}
    content = {
        "model": MODEL,
        "format": FORMAT,
        "seed": world.seed,
        "period": str(world.period),
        "stories": days,
    }
    return json.dumps(content, indent=2) + "\n"


def _read_marker(folder: Path) -> str | None:
    marker = folder / MARKER
    return marker.read_text(encoding="utf-8") if marker.is_file() else None


def _refuse_foreign(folder: Path) -> None:
    used = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if used and not (folder / MARKER).is_file():
        raise UsageError(f"{folder} holds something that is not a simulated world; give an empty folder")


def _emptied(folder: Path) -> Path:
    """An empty folder; what a killed build left there is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _put_in_place(building: Path, folder: Path) -> None:
    former = _emptied(folder.with_name(f".{folder.name}.former"))
    if folder.exists():
        folder.rename(former / folder.name)
    building.rename(folder)
    shutil.rmtree(former)
