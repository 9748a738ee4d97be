"""A scheduled night waits for its delivery, parked; when its time is over it goes on."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.dags.conftest import PROJECT, TINY
from tests.dags.test_business_day import context
from tests.end_to_end.till import zone_where_it_is_noon

if TYPE_CHECKING:
    from airflow.triggers.base import TriggerEvent


@pytest.fixture
def waiting(models: Path, tmp_path: Path) -> Path:
    """A spec whose night began a minute ago and waits for two hours; returns the folder of its deliveries."""
    now = datetime.now(zone())
    text = TINY.format(model="good", zone=zone().key).replace("deliveries", str(tmp_path / "deliveries"))
    at = (now - timedelta(minutes=1)).strftime("%H:%M")
    text = text.replace('{at: "04:30"}', f'{{at: "{at}", wait_for_data: 2h}}')
    (models / "good.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "deliveries").mkdir()
    return tmp_path / "deliveries"


def zone() -> ZoneInfo:
    """One in which a minute ago was the same day."""
    return ZoneInfo(zone_where_it_is_noon(datetime.now(UTC)))


def yesterday() -> datetime:
    midnight = datetime.now(zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=1)


def task(**given: Any) -> Any:
    from dags.awaiting import AwaitDelivery

    return AwaitDelivery(task_id="arrival", model="good", **given)


def night(run_type: str = "scheduled", start: datetime | None = None) -> dict[str, Any]:
    start = start or yesterday()
    return context(start=start, end=start + timedelta(days=1), run_type=run_type)


def deliver(folder: Path, *, age: float = 3600) -> None:
    path = folder / f"{yesterday().date()}.csv"
    path.write_text("request_id,ts,score\n", encoding="utf-8")
    os.utime(path, (time.time() - age, time.time() - age))


def fired(trigger: Any, seconds: float = 20) -> Any:
    async def first() -> TriggerEvent:
        async for event in trigger.run():
            return event
        raise AssertionError("the trigger ended without a word")

    return asyncio.run(asyncio.wait_for(first(), seconds)).payload


def again(trigger: Any) -> Any:
    """The trigger as the triggerer's own process makes it from what the metadata database holds."""
    from airflow._shared.module_loading import import_string
    from airflow.sdk.serde import deserialize, serialize

    path, given = trigger.serialize()
    return import_string(path)(**deserialize(serialize(given)))


def test_a_night_whose_delivery_is_there_goes_on_at_once(waiting: Path) -> None:
    deliver(waiting)
    assert task().execute(night()) == "1 file delivered"


def test_a_night_without_its_delivery_parks_until_its_time_is_over(waiting: Path) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    with pytest.raises(TaskDeferred) as parked:
        task().execute(night())
    trigger = parked.value.trigger
    assert trigger.patterns == (str(waiting / f"{yesterday().date()}.csv"),)
    left = datetime.fromisoformat(trigger.until) - datetime.now(UTC)
    assert timedelta(minutes=116) < left <= timedelta(minutes=119)
    assert parked.value.timeout > left  # so that the trigger speaks first, and Airflow only where no triggerer runs


def test_a_file_that_is_being_written_is_waited_for_too(waiting: Path) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    deliver(waiting, age=0)
    with pytest.raises(TaskDeferred):
        task().execute(night())


@pytest.mark.parametrize("run_type", ["backfill", "manual"])
def test_backfills_and_runs_by_hand_do_not_wait(waiting: Path, run_type: str) -> None:
    assert task().execute(night(run_type)) == f"a {run_type} run does not wait"


def test_a_night_that_is_caught_up_on_late_has_no_time_left_and_warns(
    waiting: Path, caplog: pytest.LogCaptureFixture
) -> None:
    older = yesterday() - timedelta(days=1)
    with caplog.at_level(logging.WARNING):
        said = task().execute(night(start=older))
    assert said.startswith(f"no data: nothing has come at {waiting}/{older.date()}.csv")


def test_the_trigger_fires_when_the_file_has_come_and_no_longer_grows(waiting: Path) -> None:
    from dags.awaiting import Arrival

    path = waiting / "x.csv"
    trigger = again(Arrival([str(waiting / "*.csv")], (datetime.now(UTC) + timedelta(minutes=5)).isoformat(), 0.2))
    grown: list[float] = []

    def write() -> None:
        for _ in range(6):
            with path.open("a", encoding="utf-8") as stream:
                stream.write("more\n")
            time.sleep(0.1)
        grown.append(time.monotonic())

    writer = threading.Timer(0.5, write)
    writer.start()
    assert fired(trigger) == 1
    assert grown, "it fired while the file grew"
    assert time.monotonic() - grown[0] < 2


def test_the_trigger_gives_up_at_the_moment_it_was_given(waiting: Path) -> None:
    from dags.awaiting import Arrival

    began = time.monotonic()
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    assert fired(again(Arrival([str(waiting / "*.csv")], soon, 60))) == 0
    assert 0.9 < time.monotonic() - began < 5
    assert "the night runs on" in task().go_on({}, 0, ["x.csv"])
    assert task().go_on({}, 2, ["x.csv"]) == "2 files delivered"


def test_only_a_spec_that_asks_for_it_has_the_task_and_it_comes_first(waiting: Path, models: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    (models / "other.yaml").write_text(TINY.format(model="other", zone="UTC"), encoding="utf-8")
    bag = DagBag(collect_dags=False)
    bag.process_file(str(PROJECT / "dags" / "monitor.py"))
    assert bag.import_errors == {}
    order = [one.task_id for one in bag.dags["monitor_good"].topological_sort()]
    assert order[:2] == ["arrival", "ingest"]
    assert "arrival" not in bag.dags["monitor_other"].task_ids
    assert bag.dags["monitor_good"].get_task("arrival").retries >= 1  # where no triggerer runs, the next try goes on
