"""Policies over every DAG that ships, each also run on a planted bad DAG that it must catch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.dags.conftest import PROJECT, TINY
from tests.dags.policies import HEAVY, POLICIES, WRITERS, leaves_the_scheduler_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from airflow.sdk import DAG

OTHERS = {"retrain", "bulk_backfill", "nightjar_rollback", "nightjar_fallback", "nightjar_newcomers", "nightjar_watch"}
"""The DAGs that are there once, for all models."""
PLAIN_EXECUTOR = "airflow.executors.base_executor.BaseExecutor"
"""What executors of providers are that say nothing of callbacks."""
PARSE = """
import json, sys, time
began = time.perf_counter()
from airflow.dag_processing.dagbag import DagBag
imported = time.perf_counter()
bag = DagBag()
parsed = time.perf_counter()
from airflow.serialization.serialized_objects import DagSerialization
stored = {dag_id: DagSerialization.to_dict(dag) for dag_id, dag in bag.dags.items()}
print("RESULT " + json.dumps({
    "dags": {dag_id: [task.task_id for task in dag.tasks] for dag_id, dag in bag.dags.items()},
    "errors": bag.import_errors,
    "timetables": {d: repr(DagSerialization.from_dict(s).timetable.summary) for d, s in stored.items()},
    "modules": sorted(name for name in sys.modules if "." not in name),
    "seconds": parsed - imported,
}))
"""


def parse_in_a_fresh_process(**variables: str) -> dict[str, Any]:
    """What Airflow finds when a process parses the DAG folder for the first time, as its DAG processor does."""
    done = subprocess.run(
        [sys.executable, "-c", PARSE],
        env=os.environ | {"PYTHONPATH": str(PROJECT)} | variables,
        capture_output=True, text=True, check=False, cwd=PROJECT,
    )  # fmt: skip
    result = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert result, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(result[0].removeprefix("RESULT "))
    return found


@pytest.fixture(scope="module")
def shipped() -> dict[str, DAG]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(collect_dags=False)
    for name in ("monitor.py", "retrain.py", "switch.py", "watch.py", "bulk.py"):
        bag.process_file(str(PROJECT / "dags" / name))
    assert bag.import_errors == {}
    return bag.dags


@pytest.fixture
def planted() -> DAG:
    """A DAG as a hurried person writes it; it breaks every policy."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG(
        "planted", schedule="@daily", start_date=datetime(2025, 1, 1, tzinfo=ZoneInfo("UTC")), catchup=True,
        max_active_runs=16,
    ) as dag:  # fmt: skip
        EmptyOperator(task_id="hurried", pool="big")
    return dag


@pytest.fixture
def from_the_queueing() -> DAG:
    """A DAG with a deadline, where the one above has none, of the kind that stops Airflow from clearing a run."""
    from airflow.sdk import DAG
    from airflow.sdk.definitions.callback import SyncCallback
    from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

    alert = DeadlineAlert(
        name="soon", reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=timedelta(hours=3),
        callback=SyncCallback("dags.deadline.tell", kwargs={"model": "good"}),
    )  # fmt: skip
    return DAG("from_the_queueing", schedule="@daily", deadline=alert)


def test_every_shipped_spec_is_a_dag_and_there_is_the_retraining(shipped: dict[str, DAG]) -> None:
    specs = {f"monitor_{path.stem}" for path in (PROJECT / "dags" / "models").glob("*.yaml")}
    assert specs
    assert set(shipped) == specs | OTHERS


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_every_dag_keeps_the_policy(policy: Callable[[DAG], Iterator[str]], shipped: dict[str, DAG]) -> None:
    faults = {dag_id: found for dag_id, dag in shipped.items() if (found := list(policy(dag)))}
    assert faults == {}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_the_policy_catches_the_planted_bad_dag(
    policy: Callable[[DAG], Iterator[str]], planted: DAG, from_the_queueing: DAG, monkeypatch: pytest.MonkeyPatch
) -> None:
    if policy is leaves_the_scheduler_alive:
        assert not list(policy(from_the_queueing))  # LocalExecutor takes callbacks
        monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", PLAIN_EXECUTOR)
    assert list(policy(planted)) or list(policy(from_the_queueing))


def test_every_dag_keeps_the_policies_where_the_executor_takes_no_callbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", f"LocalExecutor,{PLAIN_EXECUTOR}")
    bag = DagBag(collect_dags=False)
    bag.process_file(str(PROJECT / "dags" / "monitor.py"))
    assert bag.dags["monitor_shop"].deadline is None
    assert {
        dag_id: found for dag_id, dag in bag.dags.items() for policy in POLICIES if (found := list(policy(dag)))
    } == {}


def test_a_plain_executor_of_this_airflow_raises_when_it_is_handed_a_callback() -> None:
    """The fault itself: where this fails, Airflow has mended it, and the deadline may come back everywhere."""
    from airflow.executors.base_executor import BaseExecutor
    from airflow.executors.workloads import ExecuteCallback

    with pytest.raises(NotImplementedError, match="does not support ExecuteCallback"):
        BaseExecutor().queue_workload(ExecuteCallback.model_construct(), session=None)  # type: ignore[arg-type]


def test_the_stages_are_tasks_in_the_pipelines_order(shipped: dict[str, DAG]) -> None:
    from jobs.pipeline import STAGE_NAMES

    order = [task.task_id for task in shipped["monitor_shop"].topological_sort()]
    assert order[:8] == [*STAGE_NAMES, "publish", "deliver"]
    assert sorted(order[8:11]) == ["fallback", "retrain", "rollback"]
    assert order[11:] == ["record", "announce"]


def night_of(models: Path, spec: str) -> DAG:
    """The nightly DAG of the model `good`, made from this spec."""
    from airflow.dag_processing.dagbag import DagBag

    (models / "good.yaml").write_text(spec, encoding="utf-8")
    bag = DagBag(collect_dags=False)
    bag.process_file(str(PROJECT / "dags" / "monitor.py"))
    return bag.dags["monitor_good"]


def test_an_action_that_waits_for_a_person_holds_up_no_other(models: Path) -> None:
    spec = TINY.format(model="good", zone="Europe/Lisbon") + (
        "features: {amount: numeric}\n"
        "rules: [{metric: psi, above: 0.3, action: retrain}, {metric: volume, below: 10, action: fallback}]\n"
        "actions: {fallback: {dag: nightjar_fallback, approval: true}}\n"
    )
    dag = night_of(models, spec)
    above = {one.task_id: set(one.get_flat_relative_ids(upstream=True)) for one in dag.tasks}
    assert {"record", "announce", "record_fallback", "announce_fallback"} <= above.keys()
    waits = {task_id for task_id, before in above.items() if "approve_fallback" in before}
    assert waits == {"fallback", "record_fallback", "announce_fallback"}
    assert "retrain" in above["announce"] & above["record"]


def test_where_every_action_waits_for_a_person_nothing_is_announced_at_once(models: Path) -> None:
    spec = TINY.format(model="good", zone="Europe/Lisbon") + (
        "features: {amount: numeric}\n"
        "actions:\n"
        "  retrain: {approval: true}\n"
        "  fallback: {dag: nightjar_fallback, approval: true}\n"
        "  rollback: {dag: nightjar_rollback, approval: true}\n"
    )
    told = {task_id for task_id in night_of(models, spec).task_ids if task_id.startswith("announce")}
    assert told == {"announce_retrain", "announce_fallback", "announce_rollback"}


def test_a_mail_server_may_be_away_for_four_hours(shipped: dict[str, DAG]) -> None:
    """Airflow doubles the pause from `retry_delay` up to `max_retry_delay`; what it adds to spread tries is left out."""
    for deliver in (dag.get_task("deliver") for dag_id, dag in shipped.items() if dag_id.startswith("monitor_")):
        assert deliver.max_retry_delay is not None
        pauses = (min(deliver.retry_delay * 2**number, deliver.max_retry_delay) for number in range(deliver.retries))
        assert sum(pauses, timedelta()) >= timedelta(hours=4)


def test_a_pool_that_is_named_takes_the_tasks_of_every_night(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    for given, taken in (("nightjar", "nightjar"), ("nights_{model}", "nights_good")):
        monkeypatch.setenv("NIGHTJAR_POOL", given)
        bag = DagBag(collect_dags=False)
        bag.process_file(str(PROJECT / "dags" / "monitor.py"))
        assert {task.pool for task in bag.dags["monitor_good"].tasks} == {taken}


def test_the_tasks_that_take_turns_are_those_that_hold_the_models_file(shipped: dict[str, DAG]) -> None:
    from jobs.pipeline import STAGE_NAMES

    assert {*STAGE_NAMES, "publish"} == WRITERS
    taking_turns = {task.task_id for task in shipped["monitor_shop"].tasks if task.max_active_tis_per_dag == 1}
    assert taking_turns == WRITERS


def test_lineage_names_each_delivery_and_what_a_night_writes_is_emitted_under_an_alias(shipped: dict[str, DAG]) -> None:
    dag = shipped["monitor_shop"]
    read = [asset.uri for asset in dag.get_task("ingest").inlets]
    assert read == ["nightjar://shop/predictions", "nightjar://shop/labels", "nightjar://shop/outcomes"]
    assert [alias.name for alias in dag.get_task("publish").outlets] == ["nightjar_shop_nights"]


def test_airflow_looks_for_dags_in_the_files_that_make_some_and_in_no_other() -> None:
    folder = PROJECT / "dags"
    looked_at = {path.name for path in folder.glob("*.py")} - set((folder / ".airflowignore").read_text().splitlines())
    making = {path.name for path in folder.glob("*.py") if "with DAG(" in path.read_text(encoding="utf-8")}
    assert looked_at == making


def test_every_dag_id_is_made_once() -> None:
    from dags.catalogue import dag_id_of
    from jobs.spec.reading import spec_files

    made = Counter(dag_id_of(path) for path in spec_files(PROJECT / "dags" / "models"))
    assert {dag_id: n for dag_id, n in made.items() if n > 1} == {}


def test_parsing_imports_nothing_heavy_and_stores_the_timetables() -> None:
    found = parse_in_a_fresh_process()
    assert found["errors"] == {}
    assert sorted(set(found["modules"]) & set(HEAVY)) == []
    assert "05:00" in found["timetables"]["monitor_shop"]


def test_a_planted_dag_file_that_imports_pandas_is_caught(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        "import pandas\nfrom airflow.sdk import DAG\nwith DAG('planted'):\n    pass\n", encoding="utf-8"
    )
    found = parse_in_a_fresh_process(AIRFLOW__CORE__DAGS_FOLDER=str(tmp_path))
    assert "planted" in found["dags"]
    assert {"pandas", "numpy"} <= set(found["modules"]) & set(HEAVY)


def test_fifty_models_parse_in_seconds(tmp_path: Path) -> None:
    for number in range(50):
        text = TINY.format(model=f"model_{number}", zone="UTC")
        (tmp_path / f"model_{number}.yaml").write_text(text, encoding="utf-8")
    found = parse_in_a_fresh_process(NIGHTJAR_MODELS=str(tmp_path))
    assert len(found["dags"]) == 50 + len(OTHERS)
    assert found["seconds"] < 15  # 2 s on a quiet machine with 2 cores; Airflow gives a file 30 s
