"""The world's files: the same ones for the same seed, all or none, and readable by the shipped spec."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq
import pytest

from jobs.errors import UsageError
from jobs.spec.paths import PROJECT
from jobs.spec.reading import load_spec
from jobs.world import PERIOD, build_world

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.world import World
    from tests.unit.world.conftest import Delivered


def _content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _written(folder: Path) -> set[tuple[Path, int, int]]:
    return {(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_the_same_seed_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    again = build_world(tmp_path / "again", seed=world.seed)
    assert _content(again.folder) == _content(world.folder)


def test_another_seed_replaces_the_world_and_changes_every_day_of_predictions(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    seven = _content(build_world(folder, seed=7).folder)
    eight = _content(build_world(folder, seed=8).folder)
    assert seven.keys() == eight.keys()
    unchanged = [name for name in seven if seven[name] == eight[name]]
    assert unchanged == []
    assert json.loads((folder / "world.json").read_text())["seed"] == 8
    assert {path.name for path in tmp_path.iterdir()} == {"shop", ".shop.lock"}


def test_a_second_build_writes_nothing(world: World) -> None:
    files = sorted(world.folder.rglob("*"))
    before = [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in files]
    build_world(world.folder, world.seed)
    assert [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in sorted(world.folder.rglob("*"))] == before


def test_a_killed_build_leaves_nothing_that_disturbs_the_next(world: World, tmp_path: Path) -> None:
    for left_over in (".shop.building", ".shop.former"):
        (tmp_path / left_over / "predictions").mkdir(parents=True)
        (tmp_path / left_over / "predictions" / "half.parquet").write_bytes(b"PAR1")
    built = build_world(tmp_path / "shop", world.seed)
    assert _content(built.folder) == _content(world.folder)
    assert {path.name for path in tmp_path.iterdir()} == {"shop", ".shop.lock"}


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(UsageError, match="not a simulated world"):
        build_world(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "three years of work"


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="seed -1 is negative"):
        build_world(tmp_path / "shop", seed=-1)


def test_the_shipped_spec_finds_every_file_and_column(home: Path) -> None:
    spec = load_spec(PROJECT / "dags" / "models" / "shop.yaml", {"NIGHTJAR_HOME": str(home)})
    day = str(PERIOD.first)
    predictions = pq.read_schema(spec.predictions.path.format(day=day))
    named = spec.predictions.columns
    wanted = {named.id, named.timestamp, named.score, named.version, named.latency_ms}
    wanted |= {feature.column or name for name, feature in spec.features.items()} | set(spec.segments.values())
    assert wanted == set(predictions.names)
    assert spec.labels is not None
    assert set(pq.read_schema(spec.labels.path.format(day=day)).names) == {"request_id", "label"}
    assert spec.outcomes is not None
    outcomes = pd.read_csv(spec.outcomes.path.format(day=day))
    assert set(outcomes) == {"request_id", spec.outcomes.columns.converted, spec.outcomes.columns.value}
    assert spec.reference.file is not None
    assert set(pq.read_schema(spec.reference.file).names) == wanted | {"label", "converted", "revenue_eur"}


def test_the_spec_says_what_share_each_feature_has(home: Path) -> None:
    spec = load_spec(PROJECT / "dags" / "models" / "shop.yaml", {"NIGHTJAR_HOME": str(home)})
    assert sum(feature.importance or 0 for feature in spec.features.values()) == pytest.approx(1)


def test_days_are_cut_in_berlin_while_moments_are_in_utc(delivered: Delivered) -> None:
    moments = delivered.predictions["ts"]
    assert str(moments.dt.tz) == "UTC"
    berlin = moments.dt.tz_convert("Europe/Berlin")
    assert (berlin.dt.tz_localize(None).dt.normalize() == delivered.predictions["day"]).all()
    assert (berlin.dt.hour == delivered.predictions["hour"]).all()
    assert (moments.dt.tz_localize(None).dt.normalize() != delivered.predictions["day"]).any()


def test_the_world_is_small_and_its_ids_are_unique(delivered: Delivered) -> None:
    assert len(delivered.predictions) + len(delivered.reference) < 250_000
    assert len(delivered.reference) == 10_000
    assert delivered.predictions["request_id"].is_unique
    assert not set(delivered.predictions["request_id"]) & set(delivered.reference["request_id"])
    assert (delivered.reference["ts"].dt.tz_convert("Europe/Berlin").dt.date < PERIOD.first).all()
