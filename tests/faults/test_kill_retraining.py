"""A retraining that is killed, wherever it is, leaves a champion that serves, and finishes when it is run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.engine.registry import open_registry
from tests.toy import PAYLOAD, fill, world

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[2]
SPEC = """\
model: toy
predictions: {path: "p/{day}.csv"}
labels: {path: "l/{day}.csv", ages: [1]}
features: {x: numeric, colour: categorical}
segments: [country]
actions: {retrain: {min_labels: 200}}
"""
KILLED = """
import os, signal
from pathlib import Path
from datetime import UTC, datetime
from jobs.engine.registry import open_registry
from jobs.retraining import pipeline
from jobs.retraining.request import parse_request
from tests.toy import PAYLOAD, toy

home = Path(os.environ["NIGHTJAR_HOME"])
request, registry = parse_request(PAYLOAD), open_registry(home)
for stage in pipeline.STAGES[: int(os.environ["STAGES"])]:
    assert stage(toy(), request, home, registry).goes_on
os.kill(os.getpid(), signal.SIGKILL)
"""
"""The stages up to one of them, and then the process dies before the next begins."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toy.yaml").write_text(SPEC)
    fill(tmp_path, world())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NIGHTJAR_HOME", str(tmp_path))
        patch.setenv("NIGHTJAR_MODELS", str(tmp_path / "models"))
        patch.setenv("PYTHONPATH", str(PROJECT))
        patch.delenv("NIGHTJAR_REGISTRY", raising=False)
        yield tmp_path


def again() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "jobs", "retrain", "--request", "-"],
        input=json.dumps(PAYLOAD), capture_output=True, text=True, check=False, cwd=PROJECT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("stages", [1, 2, 3, 4], ids=["collect", "train", "evaluate", "register"])
def test_killed_after_a_stage_it_has_not_moved_the_champion_and_goes_on_to_one_version(home: Path, stages: int) -> None:
    environment = {**os.environ, "STAGES": str(stages)}
    dead = subprocess.run([sys.executable, "-c", KILLED], env=environment, cwd=PROJECT, check=False)
    assert dead.returncode == -signal.SIGKILL
    registry = open_registry(home)
    before = registry.champion("toy")
    assert before is None or before.name == "v1"
    assert len(registry.versions("toy")) == (2 if stages == 4 else 0)
    assert "is champion now" in again()
    champion = registry.champion("toy")
    assert champion is not None
    assert champion.name == "nightjar-2"
    assert [one.name for one in registry.versions("toy")] == ["v1", "nightjar-2"]
    assert [one.version for one in registry.moves("toy")] == [1, 2]


def test_killed_at_any_moment_the_champion_is_the_old_one_or_the_new_one_and_its_file_is_whole(
    home: Path, tmp_path: Path
) -> None:
    registry, seen = open_registry(home), set()
    command = [sys.executable, "-m", "jobs", "retrain", "toy", "--day", "2025-03-21"]
    for number in range(12):
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.4 + 0.35 * number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        champion = registry.champion("toy")
        seen.add(champion.name if champion else "none")
        if champion and champion.digest:
            registry.fetch(champion, tmp_path / "fetched")  # its digest is right
    assert seen <= {"none", "v1", "nightjar-2"}
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert "promote: promoted" in done.stdout, done.stderr
    assert len(registry.versions("toy")) == 2
    assert [one.version for one in registry.moves("toy")] == [1, 2]
