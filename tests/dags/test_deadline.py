"""A night that is late is told at that hour, once, by the callback that Airflow calls for a missed deadline."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.dags.conftest import PROJECT, TINY

if TYPE_CHECKING:
    import pytest


def monitor(models: Path, text: str) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    (models / "good.yaml").write_text(text, encoding="utf-8")
    bag = DagBag(collect_dags=False)
    bag.process_file(str(PROJECT / "dags" / "monitor.py"))
    assert bag.import_errors == {}
    return bag.dags["monitor_good"]


def found(stored: Any, key: str) -> dict[str, Any]:
    """The mapping with a key, however deep Airflow has wrapped it."""
    if isinstance(stored, dict) and key in stored:
        return stored
    inner = stored.values() if isinstance(stored, dict) else stored if isinstance(stored, list) else ()
    return next((answer for one in inner if (answer := found(one, key))), {})


def test_a_night_is_late_when_health_says_so(models: Path) -> None:
    from jobs.health import GRACE, night_due
    from jobs.spec.model import ModelSpec

    text = TINY.format(model="good", zone="UTC")
    waiting = text.replace('"04:30"}', '"04:30", wait_for_data: 2h}')
    (plain,), (waits,) = monitor(models, text).deadline, monitor(models, waiting).deadline
    begins = timedelta(days=1, hours=4, minutes=30)
    assert (plain.interval, waits.interval) == (begins + GRACE, begins + GRACE + timedelta(hours=2))
    spec = ModelSpec(model="good", predictions={"path": "{day}"}, schedule={"at": "04:30", "wait_for_data": "2h"})  # type: ignore[arg-type]
    day = datetime(2025, 3, 1, tzinfo=UTC)
    assert str(night_due(spec, day + waits.interval)) == "2025-03-01"
    assert str(night_due(spec, day + waits.interval - timedelta(seconds=1))) == "2025-02-28"


def test_airflow_can_store_the_alert_and_finds_what_it_calls(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    import structlog
    from airflow.sdk.execution_time.callback_supervisor import execute_callback
    from airflow.serialization.serialized_objects import DagSerialization

    dag = monitor(models, TINY.format(model="good", zone="UTC") + "channels: {critical: [log]}\n")
    (stored,) = json.loads(json.dumps(DagSerialization.to_dict(dag)))["dag"]["deadline"]
    called = found(stored, "path")
    assert (called["path"], called["kwargs"]) == ("dags.deadline.tell", {"model": "good"})
    in_time, late = "2025-03-02T04:30:00Z", "2025-03-02T07:30:01Z"
    due = {"deadline_time": datetime(2025, 3, 2, 7, 30, tzinfo=UTC)}
    for run_type, queued, expected in (
        ("backfill", in_time, "nothing is told, it is a backfill"),
        ("scheduled", late, "nothing is told, it was queued at 2025-03-02 07:30, after its deadline"),
        ("scheduled", in_time, "no night has ever finished"),
        ("scheduled", in_time, "no night is missing"),
    ):
        caplog.clear()
        context = {"dag_run": {"run_type": run_type, "queued_at": queued}, "deadline": due}
        with caplog.at_level("INFO"):
            done, fault = execute_callback(called["path"], called["kwargs"] | {"context": context}, Path(), None, structlog.get_logger())  # fmt: skip
        assert (done, fault) == (True, None)
        assert expected in caplog.text
