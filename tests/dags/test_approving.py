"""An approval is waited for once, and what a person said is not lost when it cannot be written down at once."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.toy import PAYLOAD
from tests.unit.stages.test_requests import KEY, asked

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """\
model: shop
predictions: {path: "p/{day}.csv"}
labels: {path: "l/{day}.csv", ages: [1, 7]}
features: {age: numeric, browsing_minutes: {kind: numeric, importance: 0.6}}
segments: [plan]
channels: {critical: [], warning: []}
actions: {retrain: {approval: true}}
"""
LATE = {"error": "the time is over", "error_type": "timeout"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a night has asked for a retraining that needs an approval."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "shop.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.setenv("NIGHTJAR_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NIGHTJAR_HOME", str(tmp_path))
    return asked(tmp_path, approval=True)[1]


def click(option: str) -> dict[str, Any]:
    """What Airflow hands over when a person has answered."""
    return {
        "chosen_options": [option], "params_input": {}, "timedout": False,
        "responded_at": datetime(2025, 3, 7, 9, tzinfo=UTC), "responded_by_user": {"id": "1", "name": "Ada"},
    }  # fmt: skip


def context() -> dict[str, Any]:
    """Of a task in the scheduled night of 2025-03-06, days later."""
    one = SimpleNamespace(dag_id="monitor_shop", run_id="scheduled__2025-03-07T05:00:00+00:00", task_id="approve_retrain",
                          xcom_pull=lambda **_: PAYLOAD)  # fmt: skip
    return {
        "params": {"day": "2025-03-06"},
        "dag_run": SimpleNamespace(run_type="scheduled", partition_key=None),
        "ti": one,
    }


def approve() -> Any:
    from dags.asking import Approve

    return Approve(task_id="approve_retrain", model="shop", action="retrain")


def answers(home: Path) -> dict[str, tuple[str, str]]:
    from jobs import ledger
    from jobs.engine.warehouse import open_warehouse

    with open_warehouse(home, "shop", wait=5) as warehouse:
        return ledger.answers(warehouse, "approved", "rejected")


@pytest.mark.parametrize(("option", "said"), [("Approve", "approved"), ("Reject", "rejected")])
def test_an_answer_that_cannot_be_written_down_is_written_by_the_next_try_which_asks_nobody(
    home: Path, option: str, said: str
) -> None:
    held = (home / "shop.duckdb").rename(home / "elsewhere.duckdb")
    (home / "shop.duckdb").mkdir()  # nothing can be written there
    with pytest.raises(Exception, match=r"shop\.duckdb"):
        approve().execute_complete(context(), click(option))
    (home / "shop.duckdb").rmdir()
    held.rename(home / "shop.duckdb")
    assert answers(home) == {}
    assert approve().execute(context())["chosen_options"] == [option]
    assert answers(home) == {KEY: (said, "Ada")}
    assert list((home / "answers").iterdir()) == []


def test_an_answer_is_not_kept_once_it_is_in_the_ledger(home: Path) -> None:
    approve().execute_complete(context(), click("Approve"))
    assert answers(home) == {KEY: ("approved", "Ada")}
    assert list((home / "answers").iterdir()) == []


def test_nobody_is_waited_for_again_when_nobody_has_answered_in_time(home: Path) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from dags.retrain import ApproveCandidate

    for one in (approve(), ApproveCandidate(task_id="approve")):
        with pytest.raises(AirflowFailException, match="nobody answered in 3 days"):
            one.execute_complete(context(), LATE)
