"""The DAGs that carry out an action, run in this process: a refusal skips what follows, and nothing is red."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.dags.conftest import PROJECT
from tests.toy import PAYLOAD, fill, world
from tests.unit.test_retraining_switching import SPEC

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils import db

    db.initdb()
    bag = DagBag(collect_dags=False)
    for name in ("retrain.py", "switch.py"):
        bag.process_file(str(PROJECT / "dags" / name))
    assert bag.import_errors == {}
    return bag.dags


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toy.yaml").write_text(SPEC.replace("retraining: {approval: true}\n", ""))
    monkeypatch.setenv("NIGHTJAR_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NIGHTJAR_HOME", str(tmp_path))
    monkeypatch.delenv("NIGHTJAR_REGISTRY", raising=False)
    return tmp_path


def states(dag: DAG, conf: dict[str, Any]) -> tuple[str, dict[str, str]]:
    run = dag.test(run_conf=conf)
    return str(run.state), {one.task_id: str(one.state) for one in run.get_task_instances()}


def test_a_refused_candidate_skips_what_follows_and_the_run_is_green(dags: dict[str, DAG], home: Path) -> None:
    fill(home, world(days=3, per_day=20))
    state, tasks = states(dags["retrain"], PAYLOAD)
    assert state == "success"
    assert tasks == {"check": "success"} | dict.fromkeys(
        ("collect", "train", "evaluate", "register", "approve", "promote"), "skipped"
    )


def test_a_rollback_with_nothing_to_go_back_to_is_skipped_with_its_reason(dags: dict[str, DAG], home: Path) -> None:
    asked = PAYLOAD | {"action": "rollback", "versions": {"current": "v1", "previous": None}}
    assert states(dags["nightjar_rollback"], asked) == ("success", {"check": "success", "rollback": "skipped"})


def test_a_fallback_names_the_rule_engine(dags: dict[str, DAG], home: Path) -> None:
    from jobs.engine.registry import open_registry

    asked = PAYLOAD | {"action": "fallback"}
    assert states(dags["nightjar_fallback"], asked) == ("success", {"check": "success", "fallback": "success"})
    champion = open_registry(home).champion("toy")
    assert champion is not None
    assert champion.name == "rules"


def test_newcomers_are_looked_at_each_day(dags: dict[str, DAG], home: Path) -> None:
    assert states(dags["nightjar_newcomers"], {}) == ("success", {"newcomers": "success"})
