"""What can go wrong in a night, done to a real Airflow: the nights end right, nothing is lost, nothing is sent twice.

All nights run at once, each with faults of its own. The rows of a disturbed night are held against those that the
pipeline writes without Airflow and without any fault.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from aiosmtpd.controller import Controller

from tests.end_to_end import till
from tests.end_to_end.house import House, house
from tests.end_to_end.test_airflow_night import Post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deploy.airflow.start import Local

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

PLAN = {
    "monitor_stall_a/ingest": "kill",
    "monitor_stall_a/incidents": "kill",
    "monitor_stall_b/statistics": "kill",
    "monitor_stall_b/report": "kill",
    "monitor_stall_c/metrics": "kill",
    "monitor_stall_c/publish": "kill",
    "monitor_stall_d/anomalies": "kill",
    "monitor_stall_d/deliver": "kill",
    "monitor_stall_full/metrics": "fill",
    "monitor_stall_full/publish": "fill",
}
KILLED = sorted(what for what, how in PLAN.items() if how == "kill")
DISTURBED = ("stall_a", "stall_b", "stall_c", "stall_d", "stall_full", "stall_back")
"""Models with the deliveries of `till`; `late` and `never` have deliveries of their own."""
TABLES = ("deliveries", "prediction_statistics", "metrics", "contributions", "verdicts", "incidents", "decisions", "outbox")  # fmt: skip
RULES = """\
rules:
  - {metric: psi, above: 0.3, nights: 2, severity: critical}
  - {metric: accuracy, below: 0.1}
"""
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Night:
    """The nights after all that was done to them, and what came by mail."""

    house: House
    late_post: Post
    runs: dict[str, str]
    states: dict[str, str]

    def rows(self, model: str) -> dict[str, list[str]]:
        return rows(self.house.home, model)

    def tries(self, model: str) -> dict[str, int]:
        path = f"/api/v2/dags/monitor_{model}/dagRuns/{self.runs[model].replace('+', '%2B')}/taskInstances?limit=100"
        return {one["task_id"]: one["try_number"] for one in self.house.rest.get(path)["task_instances"]}

    def letters(self, model: str) -> int:
        subjects = [str(letter["Subject"]) for letter in self.house.post.of_nights + self.late_post.of_nights]
        return sum(re.search(rf"\b{model}\b", subject) is not None for subject in subjects)


def rows(home: Path, model: str) -> dict[str, list[str]]:
    """Every row of the published copy, with the model's name taken out of it."""
    from jobs.engine.warehouse import read_published

    with read_published(home, model) as connection:
        found = {name: connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in TABLES}
    return {name: [str(row).replace(model, "MODEL") for row in lines] for name, lines in found.items()}


def write_models(root: Path, zone: str, newest: date, wait_minutes: int) -> None:
    """The specs, and deliveries of their own for two models whose newest day has not come yet."""
    till.write(root / "deliveries", root / "models", newest, zone)
    spec = (root / "models" / "till.yaml").read_text(encoding="utf-8")
    head, _, rest = spec.partition("rules:\n")
    spec = head + RULES + rest[rest.index("actions:") :].replace("retries: 1", "retries: 4")
    for model in ("till", *DISTURBED):
        (root / "models" / f"{model}.yaml").write_text(spec.replace("model: till", f"model: {model}"), encoding="utf-8")
    waits = {"stall_late": "20h", "stall_never": f"{wait_minutes}m"}
    for model, wait in waits.items():
        shutil.copytree(root / "deliveries", root / model)
        (root / model / "predictions" / f"{newest}.csv").unlink()
        own = spec.replace("model: till", f"model: {model}").replace(str(root / "deliveries"), str(root / model))
        own = own.replace("retries: 4", f"retries: 4, wait_for_data: {wait}")
        if model == "stall_late":
            own = own.replace("when: always", "when: always, connection: late_post")
        (root / "models" / f"{model}.yaml").write_text(own, encoding="utf-8")


def wait_until(done: Callable[[], Any], what: str, seconds: float = 240, pause: float = 0.5) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(pause)


def kill_the_scheduler_and_start_it_again(local: Local) -> int:
    """SIGKILL to it, its workers and their tasks; returns how many processes that were."""
    from deploy.airflow.start import COMPONENTS, _start

    old = local.processes["scheduler"]
    raw = Path(f"/proc/{old.pid}/environ").read_text(encoding="utf-8")
    family = [psutil.Process(old.pid), *psutil.Process(old.pid).children(recursive=True)]
    for process in family:
        process.kill()
    old.wait()
    variables = dict(line.split("=", 1) for line in raw.split("\0") if "=" in line)
    local.processes["scheduler"] = _start("scheduler", COMPONENTS["scheduler"], variables, local.folder / "logs")
    return len(family)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    from deploy.airflow.database import free_port

    root = tmp_path_factory.mktemp("faults")
    plugins = shutil.copytree(PROJECT / "dags" / "plugins", root / "plugins")
    shutil.copy(PROJECT / "tests" / "end_to_end" / "sabotage" / "saboteur.py", plugins)
    (root / "plan").mkdir()
    (root / "plan" / "plan.json").write_text(json.dumps(PLAN), encoding="utf-8")
    port = free_port()
    extra = {"disable_tls": True, "disable_ssl": True}
    post = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
    variables = {
        "NIGHTJAR_TEST_PLAN": str(root / "plan" / "plan.json"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "AIRFLOW_CONN_LATE_POST": json.dumps(post),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "40",  # shipped: 300
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    }
    with house(root, **variables) as running:
        now = datetime.now(running.zone)
        write_models(root, running.zone.key, running.newest, now.hour * 60 + now.minute + 3)
        dags = {f"monitor_{model}" for model in (*DISTURBED, "stall_late", "stall_never")}
        rest = running.rest
        wait_until(lambda: dags <= {dag["dag_id"] for dag in rest.get("/api/v2/dags?limit=100")["dags"]}, "no DAGs")
        late = Controller(late_post := Post(), hostname="127.0.0.1", port=port)
        try:
            runs, states = the_night(running, late)
            yield Night(running, late_post, runs, states)
        finally:
            late.stop(no_assert=True)


def the_night(running: House, late: Controller) -> tuple[dict[str, str], dict[str, str]]:
    """Switch every model on, do to them what is outside of the plan, and wait until all nights are over."""
    rest, runs = running.rest, {}

    def begin(model: str) -> None:
        rest.switch_on(f"monitor_{model}")

    def began(model: str) -> bool:
        found = rest.runs(f"monitor_{model}")
        if found:
            runs[model] = str(found[0]["dag_run_id"])
        return bool(found)

    def state(model: str, task: str) -> str | None:
        return rest.states(f"monitor_{model}", runs[model]).get(task)

    begin("stall_back")
    wait_until(lambda: began("stall_back"), "the scheduler made no run")
    wait_until(lambda: state("stall_back", "statistics") == "running", "no stage began", pause=0.1)
    assert kill_the_scheduler_and_start_it_again(running.local) > 2
    others = [model for model in (*DISTURBED, "stall_late", "stall_never") if model != "stall_back"]
    for model in sorted(others, key=("stall_late", "stall_never").__contains__, reverse=True):  # those that wait first
        begin(model)
    wait_until(lambda: all(began(model) for model in others), "the scheduler made no runs")
    wait_until(lambda: state("stall_late", "arrival") == "deferred", "nothing was waited for")
    delivered = running.root / "deliveries" / "predictions" / f"{running.newest}.csv"
    shutil.copy(delivered, running.root / "stall_late" / "predictions")
    wait_until(lambda: state("stall_late", "deliver") == "up_for_retry", "a mail was sent without a server", 1200)
    late.start()
    return runs, {model: rest.wait_for(f"monitor_{model}", run_id, 1200) for model, run_id in runs.items()}


@pytest.fixture(scope="module")
def undisturbed(night: Night, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    """The rows that the same nights write without Airflow and without any fault."""
    from jobs.periods import Period
    from jobs.pipeline import run
    from jobs.spec.reading import load_spec

    home = tmp_path_factory.mktemp("undisturbed")
    found = {}
    for model in ("till", "stall_late", "stall_never"):
        list(run(load_spec(night.house.models / f"{model}.yaml"), Period.of(night.house.newest), home))
        found[model] = rows(home, model)
    assert found["till"]["incidents"]
    return found


def test_every_night_ends_green(night: Night) -> None:
    assert night.states == dict.fromkeys((*DISTURBED, "stall_late", "stall_never"), "success")


@pytest.mark.parametrize("what", KILLED)
def test_a_task_killed_in_the_middle_is_tried_again(night: Night, what: str) -> None:
    note = night.house.root / "plan" / what.replace("/", ".")
    assert note.read_text(encoding="utf-8").startswith("kill ")
    dag, _, task = what.partition("/")
    assert night.tries(dag.removeprefix("monitor_"))[task] >= 2


@pytest.mark.parametrize("model", DISTURBED)
def test_a_disturbed_night_writes_the_rows_of_an_undisturbed_one(
    night: Night, undisturbed: dict[str, dict[str, list[str]]], model: str
) -> None:
    assert night.rows(model) == undisturbed["till"]


def test_a_full_disk_fails_the_try_with_a_sentence_and_leaves_the_former_copy_and_rows(night: Night) -> None:
    tries = night.tries("stall_full")
    assert tries["metrics"] >= 2
    assert tries["publish"] >= 2
    said = night.house.rest.log("monitor_stall_full", night.runs["stall_full"], "metrics")
    assert "make room on the disk" in said
    said = night.house.rest.log("monitor_stall_full", night.runs["stall_full"], "publish")
    assert "File too large" in said


def test_late_data_is_waited_for_and_the_night_writes_what_it_would_have_written(
    night: Night, undisturbed: dict[str, dict[str, list[str]]]
) -> None:
    assert night.house.rest.returned("monitor_stall_late", night.runs["stall_late"], "arrival") == "1 file delivered"
    assert night.rows("stall_late") == undisturbed["stall_late"]


def test_when_no_data_comes_the_night_runs_on_and_opens_its_incident(
    night: Night, undisturbed: dict[str, dict[str, list[str]]]
) -> None:
    said = night.house.rest.returned("monitor_stall_never", night.runs["stall_never"], "arrival")
    assert said.startswith("no data: nothing has come at")
    assert night.rows("stall_never") == undisturbed["stall_never"]
    assert any(
        "no predictions" in row.lower() or "no data" in row.lower() for row in night.rows("stall_never")["incidents"]
    )


def test_a_mail_server_that_is_down_delays_the_mail_and_does_not_double_it(night: Night) -> None:
    assert night.tries("stall_late")["deliver"] >= 2
    assert night.letters("stall_late") == 1
    assert "late_post" in night.house.rest.log("monitor_stall_late", night.runs["stall_late"], "deliver")


@pytest.mark.parametrize("model", [*DISTURBED, "stall_late", "stall_never"])
def test_nothing_is_sent_twice(night: Night, model: str) -> None:
    from jobs.engine.warehouse import open_warehouse

    assert night.letters(model) == 1
    with open_warehouse(night.house.home, model, wait=60) as warehouse:
        sent = warehouse.execute("SELECT key, channel FROM dispatches").fetchall()
    assert "mail" in {channel for _, channel in sent}
    assert len(sent) == len(set(sent))


def test_nothing_half_written_is_left(night: Night) -> None:
    home = night.house.home
    assert [path.name for path in (home / "published").iterdir() if path.name.startswith(".")] == []
    assert [path for path in (home / "reports").rglob(".*") if path.is_file()] == []


def test_other_dags_may_be_scheduled_on_a_night_and_hear_of_it_once_more_only_where_it_was_published_again(
    night: Night,
) -> None:
    events = night.house.rest.asset_events("report")
    told = [event["uri"].split("/")[2] for event in events]
    assert sorted(told) == sorted([*DISTURBED, "stall_late", "stall_never"])
    assert {event["extra"]["day"] for event in events} == {str(night.house.newest)}


@pytest.mark.parametrize("model", ["stall_a", "stall_late"])
def test_what_tasks_leave_for_each_other_is_small(night: Night, model: str) -> None:
    rest, dag, run = night.house.rest, f"monitor_{model}", night.runs[model]
    sizes = {
        task: len(json.dumps(rest.returned(dag, run, task)))
        for task in ("ingest", "statistics", "metrics", "anomalies", "incidents", "report", "deliver")
    }
    assert max(sizes.values()) < 2000, sizes  # bytes; a stage answers with its day and a count for each table


def test_the_log_of_the_forecasts_is_quiet(night: Night) -> None:
    said = night.house.rest.log("monitor_stall_late", night.runs["stall_late"], "anomalies").lower()
    assert "verdicts" in said  # the stage's own line
    for noise in ("cmdstan", "chain [1]", "plotly", "initial log joint", "disabling yearly"):
        assert noise not in said


def test_a_dag_that_is_parsed_every_few_seconds_and_does_not_change_has_one_version(night: Night) -> None:
    for model in ("stall_a", "stall_never"):
        found = night.house.rest.get(f"/api/v2/dags/monitor_{model}/dagVersions")
        assert found["total_entries"] == 1
