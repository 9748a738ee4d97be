"""Airflow reads its settings when it is first imported, so they are set here, before any test imports it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
AIRFLOW_SETTINGS = {
    "AIRFLOW_HOME": tempfile.mkdtemp(prefix="nightjar-airflow-"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "dags" / "plugins"),
}
os.environ |= AIRFLOW_SETTINGS

TINY = """\
model: {model}
description: A model made for a test.
timezone: {zone}
predictions: {{path: "deliveries/{{day}}.csv"}}
schedule: {{at: "04:30"}}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Airflow's own deprecation warnings are not ours to mend; everybody else's stay errors."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for module in ("airflow", "pathspec", "sqlalchemy", "starlette", "fastapi"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore:::{module}"))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one good spec, which Airflow reads instead of the shipped ones."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "good.yaml").write_text(TINY.format(model="good", zone="Europe/Lisbon"), encoding="utf-8")
    monkeypatch.setenv("NIGHTJAR_MODELS", str(folder))
    monkeypatch.setenv("NIGHTJAR_HOME", str(tmp_path / "home"))
    return folder
