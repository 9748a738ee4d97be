"""Nights through a real Airflow: PostgreSQL, scheduler, API server, DAG processor, triggerer, started as users do."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller

from jobs.engine.registry import open_registry
from tests.end_to_end import till
from tests.end_to_end.rest import Rest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from aiosmtpd.smtp import Envelope

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

NIGHT = "monitor_till"
TABLES = ("metrics", "verdicts", "incidents", "decisions", "outbox")


@dataclass(frozen=True)
class World:
    """The running Airflow, the model's zone and newest closed day, and where everything is written."""

    rest: Rest
    post: Post
    home: Path
    zone: ZoneInfo
    newest: date

    def local(self, day: date, hour: int = 0) -> str:
        return datetime(day.year, day.month, day.day, hour, tzinfo=self.zone).isoformat()

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row that nights write, as the published copy has it."""
        from jobs.engine.warehouse import read_published

        with read_published(self.home, "till") as connection:
            return {name: connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in TABLES}

    def ledger(self) -> list[tuple[Any, ...]]:
        """What was handed over, from the model's own file."""
        from jobs.engine.warehouse import open_warehouse

        with open_warehouse(self.home, "till", wait=60) as warehouse:
            return warehouse.execute("SELECT key, channel, night FROM dispatches ORDER BY ALL").fetchall()

    def champion(self, model: str) -> str:
        found = open_registry(self.home).champion(model)
        return found.name if found else "none"

    def retrainings(self) -> list[dict[str, Any]]:
        return self.rest.runs("retrain")


@dataclass
class Post:
    """A mail server's letter box; aiosmtpd calls it for each message."""

    letters: list[EmailMessage] = field(default_factory=list)

    @property
    def of_nights(self) -> list[EmailMessage]:
        return [one for one in self.letters if one not in self.of_champions]

    @property
    def of_champions(self) -> list[EmailMessage]:
        """What became of candidates, which is told by mails of its own."""
        return [one for one in self.letters if re.search("champion|candidate", str(one["Subject"]))]

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 taken"


@pytest.fixture(scope="module")
def post() -> Iterator[tuple[Post, str]]:
    """A real mail server on a free port, and its URL."""
    from deploy.airflow.database import free_port

    box = Post()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    yield box, f"smtp://127.0.0.1:{server.port}"
    server.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, post: tuple[Post, str]) -> Iterator[World]:
    from deploy.airflow.database import server_programs
    from deploy.airflow.start import local_airflow

    if server_programs() is None:
        pytest.fail("these tests need a PostgreSQL server; on Debian: apt-get install postgresql")
    root = tmp_path_factory.mktemp("nights")
    for folder in (root, *root.parents[:2]):  # the user postgres, as whom the server runs, must be able to pass
        folder.chmod(folder.stat().st_mode | 0o011)
    zone = till.zone_where_it_is_noon(datetime.now(UTC))
    newest = datetime.now(ZoneInfo(zone)).date() - timedelta(days=1)
    till.write(root / "deliveries", root / "models", newest, zone)
    (root / "models" / "broken.yaml").write_text("model: broken\npredictionz: {path: x}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NIGHTJAR_MODELS", str(root / "models"))
        patch.setenv("NIGHTJAR_SMTP", post[1])
        patch.setenv("AIRFLOW_CONN_NIGHT_POST", _connection(post[1]))
        for name in ("AIRFLOW_HOME", "AIRFLOW__CORE__UNIT_TEST_MODE"):
            patch.delenv(name, raising=False)
        with local_airflow(root / "home") as local:
            rest = Rest.log_in(local.url, local.user, local.password)
            _wait_for_dags(rest, {NIGHT, "monitor_broken", "retrain"})
            yield World(rest, post[0], root / "home", ZoneInfo(zone), newest)


def _connection(url: str) -> str:
    """An Airflow connection to the mail server, as JSON: in a URI the text `false` would count as true."""
    host, _, port = url.removeprefix("smtp://").partition(":")
    extra = {"disable_tls": True, "disable_ssl": True}
    return json.dumps({"conn_type": "smtp", "host": host, "port": int(port), "extra": extra})


@pytest.fixture(scope="module")
def first_night(world: World) -> str:
    """The run that the scheduler makes by itself when the DAG is switched on: the newest night that is due."""
    world.rest.switch_on(NIGHT)
    run_id = _first_run(world, NIGHT)
    state = world.rest.wait_for(NIGHT, run_id)
    assert state == "success", world.rest.states(NIGHT, run_id)
    return run_id


def _first_run(world: World, dag_id: str) -> str:
    deadline = time.monotonic() + 120
    while not (runs := world.rest.runs(dag_id)):
        assert time.monotonic() < deadline, "the scheduler made no run"
        time.sleep(1)
    return str(runs[0]["dag_run_id"])


def _wait_for_dags(rest: Rest, wanted: set[str]) -> None:
    deadline = time.monotonic() + 120
    while not wanted <= {dag["dag_id"] for dag in rest.get("/api/v2/dags?limit=100")["dags"]}:
        assert time.monotonic() < deadline, f"no DAGs: {rest.get('/api/v2/importErrors')}"
        time.sleep(1)
    assert rest.get("/api/v2/importErrors")["import_errors"] == []


def _day(world: World, run_id: str) -> str:
    return str(world.rest.returned(NIGHT, run_id, "ingest")["day"])


def test_the_scheduled_night_is_for_the_newest_closed_day_sends_one_mail_and_starts_one_retraining(
    world: World, first_night: str
) -> None:
    run = world.rest.run(NIGHT, first_night)
    assert run["run_type"] == "scheduled"
    assert _day(world, first_night) == str(world.newest)
    assert set(world.rest.states(NIGHT, first_night).values()) == {"success"}
    (retraining,) = world.retrainings()
    assert world.rest.wait_for("retrain", retraining["dag_run_id"]) == "success"
    conf = retraining["conf"]
    assert retraining["dag_run_id"] == conf["key"]
    assert (conf["version"], conf["model"], conf["night"]) == (1, "till", str(world.newest))
    assert {one["feature"] for one in conf["metrics"]} >= {"amount"}
    said = json.loads((world.home / "candidates" / "till" / conf["key"] / "evaluation.json").read_text())
    assert (said["outcome"]["state"], world.champion("till")) == ("promoted", "nightjar-2"), said
    assert world.rest.states("retrain", conf["key"])["approve"] == "success"  # nobody was asked
    said = [(one["Subject"], one["Message-ID"], one["To"]) for one in world.post.letters]
    assert (len(world.post.of_nights), len(world.post.of_champions)) == (1, 1), said
    assert "till" in world.post.of_nights[0]["Subject"]
    assert "(nightjar-2) is champion now" in world.post.of_champions[0]["Subject"]
    assert {channel for _, channel, _ in world.ledger()} == {"mail", "retrain", "night", "event"}
    (event,) = world.rest.asset_events("retrain")
    assert (event["uri"], event["extra"]["key"]) == ("nightjar://till/retrain", conf["key"])


def test_however_the_day_is_run_again_the_rows_are_the_same_and_nothing_more_is_sent(
    world: World, first_night: str
) -> None:
    rows, ledger, rest = world.rows(), world.ledger(), world.rest
    assert all(rows[name] for name in ("metrics", "verdicts", "incidents", "decisions"))

    rest.clear(NIGHT, first_night)
    assert rest.wait_for(NIGHT, first_night) == "success"
    assert (_day(world, first_night), world.rows() == rows) == (str(world.newest), True)

    this_moment = datetime.now(UTC).isoformat()
    by_hand = rest.trigger(NIGHT, this_moment)
    assert rest.wait_for(NIGHT, by_hand) == "success"
    assert (_day(world, by_hand), world.rows() == rows) == (str(world.newest), True)

    typed = rest.trigger(NIGHT, None, {"day": str(world.newest)})
    assert rest.wait_for(NIGHT, typed) == "success"
    assert (_day(world, typed), world.rows() == rows) == (str(world.newest), True)

    before = world.newest - timedelta(days=1)
    backfill = rest.backfill(NIGHT, world.local(before), world.local(world.newest))
    deadline = time.monotonic() + 420
    while rest.get(f"/api/v2/backfills/{backfill}")["completed_at"] is None:
        assert time.monotonic() < deadline, rest.runs(NIGHT)
        time.sleep(2)
    backfilled = [run["dag_run_id"] for run in rest.runs(NIGHT) if run["run_type"] == "backfill"]
    assert sorted(_day(world, run_id) for run_id in backfilled) == [str(before), str(world.newest)]
    for run_id in backfilled:
        states = rest.states(NIGHT, run_id)
        assert {states.pop(task) for task in ("deliver", "retrain", "record", "announce")} == {"skipped"}
        assert set(states.values()) == {"success"}
    assert world.rows() == rows

    assert world.ledger() == ledger
    assert len(world.retrainings()) == 1
    assert (len(world.post.of_nights), len(world.post.of_champions)) == (1, 1)


def test_a_night_that_died_before_it_could_note_the_retraining_does_not_start_another(
    world: World, first_night: str
) -> None:
    from jobs.engine.warehouse import open_warehouse

    ledger = world.ledger()
    with open_warehouse(world.home, "till", wait=60) as warehouse:
        warehouse.execute("DELETE FROM dispatches WHERE channel = 'retrain'")
    run_id = world.rest.trigger(NIGHT, None, {"day": str(world.newest)})
    assert world.rest.wait_for(NIGHT, run_id) == "success"
    states = world.rest.states(NIGHT, run_id)
    assert (states["retrain"], states["record"]) == ("skipped", "success")  # it was there already; now it is noted
    assert len(world.retrainings()) == 1
    assert world.ledger() == ledger


def test_two_runs_of_one_night_at_once_start_one_retraining(world: World, first_night: str) -> None:
    from jobs.engine.warehouse import open_warehouse

    rows, ledger, rest = world.rows(), world.ledger(), world.rest
    (retraining,) = _retrainings_of(world, "till")
    assert rest.wait_for("retrain", retraining["dag_run_id"]) == "success"
    rest.delete(f"/api/v2/dags/retrain/dagRuns/{quote(retraining['dag_run_id'], safe='')}")
    with open_warehouse(world.home, "till", wait=60) as warehouse:  # as if nobody had been asked yet
        warehouse.execute("DELETE FROM dispatches WHERE channel = 'retrain'")
    both = [rest.trigger(NIGHT, None, {"day": str(world.newest)}) for _ in range(2)]
    assert [rest.wait_for(NIGHT, run_id) for run_id in both] == ["success", "success"]
    assert sorted(rest.states(NIGHT, run_id)["retrain"] for run_id in both) == ["skipped", "success"]
    (again,) = _retrainings_of(world, "till")
    assert again["dag_run_id"] == retraining["dag_run_id"]
    assert rest.wait_for("retrain", again["dag_run_id"]) == "success"
    assert (world.rows() == rows, world.ledger() == ledger) == (True, True)
    assert (len(world.post.of_nights), len(world.post.of_champions)) == (1, 1)


def test_a_run_without_any_day_is_refused_at_once_and_says_what_to_type(world: World, first_night: str) -> None:
    run_id = world.rest.trigger(NIGHT, None)
    assert world.rest.wait_for(NIGHT, run_id) == "failed"
    assert world.rest.states(NIGHT, run_id)["ingest"] == "failed"
    assert "start it with the parameter `day`" in world.rest.log(NIGHT, run_id, "ingest")


def test_a_spec_that_cannot_be_read_fails_its_own_dag_with_the_line_while_the_others_run(
    world: World, first_night: str
) -> None:
    world.rest.switch_on("monitor_broken")
    run_id = world.rest.trigger("monitor_broken", datetime.now(UTC).isoformat())
    assert world.rest.wait_for("monitor_broken", run_id) == "failed"
    assert "broken.yaml:2" in world.rest.log("monitor_broken", run_id, "spec")
    assert {run["run_type"] for run in world.rest.runs("monitor_broken")} == {"manual"}  # none took the night's place


def test_a_retraining_with_a_payload_that_cannot_be_used_trains_nothing(world: World, first_night: str) -> None:
    run_id = world.rest.trigger("retrain", None, {"model": "nobody", "reason": "curiosity"})
    assert world.rest.wait_for("retrain", run_id) == "failed"
    states = world.rest.states("retrain", run_id)
    assert (states.pop("check"), set(states.values())) == ("failed", {"upstream_failed"})
    assert "there is no model 'nobody'" in world.rest.log("retrain", run_id, "check")


def test_an_action_waits_until_a_person_approves_it_and_is_then_started_once(world: World) -> None:
    night, rest = "monitor_desk", world.rest
    rest.switch_on(night)
    run_id = _first_run(world, night)
    deadline = time.monotonic() + 240
    while rest.states(night, run_id).get("approve_retrain") != "awaiting_input":
        assert time.monotonic() < deadline, rest.states(night, run_id)
        time.sleep(1)
    assert _retrainings_of(world, "desk") == []
    time.sleep(10)  # nobody answers within a second; Airflow 3.3.2 loses an answer before it has noticed the parking
    rest.answer(night, run_id, "approve_retrain", "Approve")
    assert rest.wait_for(night, run_id) == "success"
    (started,) = _retrainings_of(world, "desk")
    assert started["dag_run_id"] == started["conf"]["key"]
    assert rest.states(night, run_id)["announce_retrain"] == "success"
    letters = [letter for letter in world.post.of_nights if "desk" in letter["Subject"]]  # through the connection
    assert len(letters) == 1, (
        rest.log(night, run_id, "deliver")[-3000:],
        [letter["Subject"] for letter in world.post.letters],
    )
    assert letters[0]["Message-ID"]
    rest.clear(night, run_id)
    assert rest.wait_for(night, run_id) == "success"
    assert len(_retrainings_of(world, "desk")) == 1
    _a_person_is_asked_again_before_the_candidate_is_champion(world, started["dag_run_id"])


def _a_person_is_asked_again_before_the_candidate_is_champion(world: World, run_id: str) -> None:
    rest, deadline = world.rest, time.monotonic() + 240
    while rest.states("retrain", run_id).get("approve") != "awaiting_input":
        assert time.monotonic() < deadline, rest.states("retrain", run_id)
        time.sleep(1)
    assert world.champion("desk") == "1"
    time.sleep(10)
    rest.answer("retrain", run_id, "approve", "Approve")
    assert rest.wait_for("retrain", run_id) == "success"
    assert world.champion("desk") == "nightjar-2"
    assert open_registry(world.home).moves("desk")[-1].person not in ("nightjar", "somebody")


def test_a_retraining_run_again_makes_no_second_version_and_a_rollback_takes_the_champion_back_once(
    world: World, first_night: str
) -> None:
    (retraining,) = _retrainings_of(world, "till")
    run_id, rest = retraining["dag_run_id"], world.rest
    assert rest.wait_for("retrain", run_id) == "success"
    rest.clear("retrain", run_id)
    assert rest.wait_for("retrain", run_id) == "success"
    registry = open_registry(world.home)
    assert [one.name for one in registry.versions("till")] == ["1", "nightjar-2"]
    back = rest.trigger("nightjar_rollback", None, {"model": "till", "reason": "a test"})
    assert rest.wait_for("nightjar_rollback", back) == "success"
    rest.clear("nightjar_rollback", back)
    assert rest.wait_for("nightjar_rollback", back) == "success"
    assert world.champion("till") == "1"
    assert [move.kind for move in registry.moves("till")] == ["promote", "promote", "rollback"]


def _retrainings_of(world: World, model: str) -> list[dict[str, Any]]:
    return [run for run in world.retrainings() if run["conf"]["model"] == model]
