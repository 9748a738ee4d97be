"""The house keeps its floors: a room sees only the floors below it, and stages never see each other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FLOORS = (
    ("jobs.errors", "jobs.language", "jobs.periods", "jobs.tables", "jobs.templates"),
    ("jobs.spec",),
    ("jobs.methods", "jobs.engine", "jobs.world", "reports"),
    ("jobs.families", "jobs.fits"),
    ("jobs.stages",),
    (
        "jobs.pipeline",
        "jobs.cli",
        "jobs.cli_retraining",
        "jobs.cli_keeping",
        "jobs.keeping",
        "jobs.cli_detect",
        "jobs.detecting",
        "jobs.detecting_input",
        "jobs.found",
        "jobs.delivery",
        "jobs.owed",
        "jobs.retraining",
        "jobs.__main__",
        "jobs.answers",
        "jobs.backtest",
        "jobs.backtest_actions",
        "jobs.backtest_incidents",
        "jobs.backtest_replay",
        "jobs.backtest_text",
        "jobs.backtest_truth",
        "jobs.cli_backtest",
        "jobs.arrival",
        "jobs.consumers",
        "jobs.health",
        "jobs.ledger",
        "jobs.notices",
        "jobs.offering",
        "jobs.requested",
        "jobs.retold",
        "jobs.telling",
    ),
    ("dags",),
)
CONTRACT = {"jobs.stages", "jobs.stages.Summary", "jobs.stages.Stage"}
"""What all stages share."""
FREE = {"jobs"}
"""The package itself, which says what it is and imports nothing."""


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str | None:
    rooms = [room for floor in FLOORS for room in floor if module == room or module.startswith(room + ".")]
    return max(rooms, key=len, default=None)


def floor_of(room: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if room in floor)


def imported(source: str) -> set[str]:
    """Every module of ours that a source names, lazily or not, for typing or not."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return {name for name in found if name.split(".")[0] in ("jobs", "reports", "dags")}


def trespasses(module: str, source: str) -> list[str]:
    """What a module imports that it must not."""
    here = room_of(module)
    assert here, f"{module} has no room; give it one in FLOORS"
    faults = []
    for other in sorted(imported(source)):
        there = room_of(other)
        if there is None or other in CONTRACT:
            continue
        same_stage = here == there == "jobs.stages" and module.split(".")[:3] != other.split(".")[:3]
        if (
            floor_of(there) > floor_of(here)
            or (floor_of(there) == floor_of(here) and there != here and floor_of(here) == 2)
            or same_stage
        ):
            faults.append(f"{module} imports {other}")
    return faults


SOURCES = [path for top in ("jobs", "reports", "dags") for path in sorted((PROJECT / top).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_a_room_sees_only_the_floors_below_it(path: Path) -> None:
    module = module_of(path)
    if module not in FREE:
        assert trespasses(module, path.read_text()) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("jobs.methods.drift", "from jobs.engine import sql"),
        ("jobs.engine.sql", "def f():\n    from jobs.stages.report import run"),
        ("jobs.stages.metrics", "from jobs.stages import ingest"),
        ("reports.night", "import jobs.engine.warehouse"),
        ("jobs.spec.model", "from jobs.pipeline import run"),
    ],
)
def test_the_check_sees_a_planted_trespass(module: str, source: str) -> None:
    assert trespasses(module, source) != []


def test_no_room_is_called_utils_helpers_common_or_manager() -> None:
    parts = {part for path in PROJECT.rglob("*.py") if ".venv" not in path.parts for part in path.with_suffix("").parts}
    assert parts & {"utils", "util", "helpers", "helper", "common", "manager"} == set()


def test_the_readme_says_where_to_open_and_every_path_is_there() -> None:
    text = (PROJECT / "README.md").read_text()
    table = text.split("| I want to ... |", 1)[1].split("\n\n", 1)[0]
    paths = re.findall(r"`([^`]+)`", table)
    assert len(paths) >= 10
    assert [path for path in paths if not list(PROJECT.glob(path.rstrip("/")))] == []
