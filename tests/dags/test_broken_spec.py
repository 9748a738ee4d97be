"""One spec that cannot be read breaks one DAG, and that DAG says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pendulum
import pytest
from airflow.timetables.base import DataInterval, TimeRestriction

from tests.dags.conftest import PROJECT, TINY

if TYPE_CHECKING:
    from pathlib import Path


def bag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    found = DagBag(collect_dags=False)
    found.process_file(str(PROJECT / "dags" / "monitor.py"))
    return found


def test_the_other_models_keep_their_dags_and_the_file_has_no_import_error(models: Path) -> None:
    (models / "broken.yaml").write_text(TINY.format(model="broken", zone="Mars/Olympus"), encoding="utf-8")
    found = bag()
    assert found.import_errors == {}  # one would make every DAG of monitor.py stale, and nothing would run
    assert set(found.dags) == {"monitor_good", "monitor_broken"}
    assert "ingest" in found.dags["monitor_good"].task_ids


def test_the_broken_models_dag_says_file_line_and_what_is_possible(models: Path) -> None:
    (models / "broken.yaml").write_text(TINY.format(model="broken", zone="Mars/Olympus"), encoding="utf-8")
    dag = bag().dags["monitor_broken"]
    assert dag.task_ids == ["spec"]
    assert "broken.yaml:3" in dag.doc_md
    assert "time zone" in dag.doc_md
    assert "broken" in dag.tags


def test_its_task_fails_at_once_with_the_sentence_and_without_tries(models: Path) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    path = models / "broken.yaml"
    path.write_text("model: broken\npredictionss: {path: x}\n", encoding="utf-8")
    task = bag().dags["monitor_broken"].get_task("spec")
    with pytest.raises(AirflowFailException, match=r"broken\.yaml:2: .*predictionss"):
        task.python_callable(str(path))


def test_a_spec_that_is_set_right_in_the_morning_costs_no_night(models: Path) -> None:
    """Scheduled runs of the stand-in would count as the model's nights; so it has none, and the newest is due at once."""
    path = models / "mended.yaml"
    path.write_text(TINY.format(model="mended", zone="Mars/Olympus"), encoding="utf-8")
    assert not bag().dags["monitor_mended"].timetable.can_be_scheduled
    path.write_text(TINY.format(model="mended", zone="Europe/Lisbon"), encoding="utf-8")
    mended = bag().dags["monitor_mended"].timetable
    now = pendulum.now("UTC")
    missed = mended.newest_due(now)
    ran = DataInterval(start=missed.start.subtract(days=2), end=missed.start.subtract(days=1))
    due = mended.next_dagrun_info(
        last_automated_data_interval=ran, restriction=TimeRestriction(earliest=None, latest=None, catchup=False)
    )
    assert due.data_interval == missed
    assert due.run_after <= now


def test_every_kind_of_broken_file_is_kept_apart(models: Path) -> None:
    (models / "empty.yaml").write_text("", encoding="utf-8")
    (models / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    (models / "tabs.yaml").write_text("model:\t[unclosed", encoding="utf-8")
    (models / "spaced name.yaml").write_text("model: x", encoding="utf-8")
    (models / "good.yml").write_text(TINY.format(model="good", zone="UTC"), encoding="utf-8")
    (models / "folder.yaml").mkdir()
    found = bag()
    assert found.import_errors == {}
    broken = {dag_id for dag_id, dag in found.dags.items() if "broken" in dag.tags}
    assert broken == {
        "monitor_empty",
        "monitor_binary",
        "monitor_tabs",
        "monitor_spaced_name",
        "monitor_folder",
        "monitor_good",
    }


def test_a_tasks_own_process_reads_only_its_own_spec(models: Path) -> None:
    from dags.catalogue import Broken, catalogue

    (models / "broken.yaml").write_text("nothing", encoding="utf-8")
    assert set(catalogue(models, only="monitor_good")) == {"monitor_good"}
    assert set(catalogue(models, only="retrain")) == set()
    assert isinstance(catalogue(models)["monitor_broken"], Broken)
