"""The watch over nights looks at every model, whatever is wrong with another one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.dags.conftest import TINY

if TYPE_CHECKING:
    from pathlib import Path


def test_a_damaged_model_and_a_broken_spec_are_named_and_one_that_never_finished_a_night_is_not(models: Path) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from dags.watch import look

    (models / "broken.yaml").write_text(TINY.format(model="broken", zone="Mars/Olympus"), encoding="utf-8")
    (models / "damaged.yaml").write_text(TINY.format(model="damaged", zone="UTC"), encoding="utf-8")
    published = models.parent / "home" / "published"
    published.mkdir(parents=True)
    (published / "damaged.duckdb").write_text("no database", encoding="utf-8")
    with pytest.raises(AirflowFailException) as told:
        look.function(dag_run=SimpleNamespace(run_type="manual"))
    said = str(told.value)
    assert "good" not in said  # new DAGs are paused; nobody has switched it on
    assert "damaged: its nights cannot be looked up" in said
    assert "broken.yaml:3" in said
