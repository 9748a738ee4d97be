"""The watch over nights looks at every model, whatever is wrong with another one."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pendulum
import pytest

from jobs.errors import DeliveryError
from jobs.periods import Period
from tests.dags.conftest import PROJECT, TINY

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


def test_a_folder_without_specs_and_a_model_whose_spec_has_gone_are_named(models: Path) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from dags.watch import look

    look.function(dag_run=SimpleNamespace(run_type="manual"))
    (models / "good.yaml").unlink()
    with pytest.raises(AirflowFailException, match=f"^no spec in {models}, which holds none"):
        look.function(dag_run=SimpleNamespace(run_type="manual"))
    (models / "other.yaml").write_text(TINY.format(model="other", zone="UTC"), encoding="utf-8")
    published = models.parent / "home" / "published"
    published.mkdir(parents=True)
    (published / "good.duckdb").write_text("whatever", encoding="utf-8")
    with pytest.raises(AirflowFailException, match=r"^good: was watched, .* has no good\.yaml"):
        look.function(dag_run=SimpleNamespace(run_type="manual"))


def test_models_whose_files_are_held_are_told_of_with_all_others_and_nobody_waits(
    models: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A night that hangs holds its model's file, and fifteen minutes of waiting for it were the task's whole time."""
    from airflow.sdk.exceptions import AirflowFailException

    from dags.watch import look
    from jobs.engine.warehouse import open_warehouse

    home = models.parent / "home"
    for model in ("another", "good"):
        text = TINY.format(model=model, zone="UTC") + "channels: {critical: [log]}\n"
        (models / f"{model}.yaml").write_text(text, encoding="utf-8")
        with open_warehouse(home, model) as warehouse:
            warehouse.finish("report", Period.of(date(2025, 1, 1)))
            warehouse.publish()
    began = time.monotonic()
    with caplog.at_level("INFO", "nightjar.messages"), open_warehouse(home, "another"), open_warehouse(home, "good"):
        for _ in range(2):
            with pytest.raises(AirflowFailException):
                look.function(dag_run=SimpleNamespace(run_type="manual"))
    assert time.monotonic() - began < 20
    told = [record.getMessage() for record in caplog.records if record.name == "nightjar.messages"]
    assert [text.partition(":")[0] for text in told] == ["[critical] another", "[critical] good"]


def test_a_night_whose_mail_nobody_takes_is_named(models: Path) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from dags.watch import look
    from jobs.engine.warehouse import open_warehouse
    from jobs.health import health_of
    from jobs.owed import owing
    from jobs.spec.reading import load_spec

    home, now = models.parent / "home", datetime.now(UTC)
    text = TINY.format(model="good", zone="UTC") + "channels: {critical: [log]}\n"
    (models / "good.yaml").write_text(text, encoding="utf-8")
    due = health_of(load_spec(models / "good.yaml"), home, now).due
    with open_warehouse(home, "good") as warehouse:
        warehouse.finish("report", Period.of(due))
        warehouse.publish()
    with pytest.raises(DeliveryError), owing(home, "good", due, now - timedelta(hours=2)):
        raise DeliveryError("smtp://post:25 did not answer")
    with pytest.raises(AirflowFailException) as told:
        look.function(dag_run=SimpleNamespace(run_type="manual"))
    assert f"good: what the night of {due} tells is not all handed over since" in str(told.value)
    assert str(told.value).endswith("smtp://post:25 did not answer")


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "UTC", "Pacific/Kiritimati"])
def test_wherever_a_model_is_its_missing_night_is_found_within_the_hour(zone: str) -> None:
    """A night at 04:30 is late at 07:30, which is 14:30 or 15:30 UTC in Los Angeles: after noon."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.timetables.base import TimeRestriction

    from jobs.health import night_due
    from jobs.spec.model import ModelSpec

    bag = DagBag(collect_dags=False)
    bag.process_file(str(PROJECT / "dags" / "watch.py"))
    timetable = bag.dags["nightjar_watch"].timetable
    spec = ModelSpec(model="good", predictions={"path": "{day}"}, timezone=zone, schedule={"at": "04:30"})  # type: ignore[arg-type]
    late = datetime(2025, 3, 9, 7, 30, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # the clocks have changed in the night
    assert (night_due(spec, late), night_due(spec, late - timedelta(seconds=1))) == (date(2025, 3, 8), date(2025, 3, 7))
    begins = pendulum.instance(late)
    found = timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(begins, None, catchup=True)
    )
    assert found is not None
    assert timedelta() <= found.run_after - late < timedelta(hours=1)
