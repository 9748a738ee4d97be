"""What is asked for keeps its contract, its guard rails and its audit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from jobs import answers, ledger, offering
from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.errors import DeliveryError, UsageError
from jobs.stages import incidents
from tests.receivers import Receiver, http_receiver
from tests.unit.methods.given_breaches import day
from tests.unit.stages.test_incidents import LAST, RETRAIN, busy, drift, fill, nights, spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs" / "action.schema.json").read_text())
KEY = "shop-2025-03-06-behaviour-retrain"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path, "shop", wait=5) as opened:
        yield opened


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with http_receiver() as server:
        monkeypatch.setenv("SWITCH", f"{server.url}/switch")
        yield server


def requested(warehouse: Warehouse) -> list[dict[str, Any]]:
    found = warehouse.execute("SELECT payload FROM outbox WHERE channel = 'retrain' ORDER BY key").fetchall()
    return [json.loads(payload) for (payload,) in found]


def asked(home: Path, **policy: Any) -> tuple[Any, Path]:
    """A night that asks for a retrain, its report done; the spec and the home."""
    spec = spec_of(actions={"retrain": policy}, channels={"critical": [], "warning": []})
    with open_warehouse(home, "shop", wait=5) as warehouse:
        fill(warehouse, {5: [drift(5, **RETRAIN)]})
        incidents.run(spec, nights(0, 5), warehouse)
        warehouse.finish("report", nights(0, 5))
    return spec, home


def hand_over(spec: Any, home: Path) -> str:
    return offering.hand_to_consumers(spec, day(5), home, day(5))


def test_every_request_keeps_the_published_schema(warehouse: Warehouse) -> None:
    fill(warehouse, busy())
    incidents.run(spec_of(), nights(0, LAST), warehouse)
    payloads = requested(warehouse)
    assert len(payloads) == 2
    check = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    for payload in payloads:
        check.validate(payload)
        with pytest.raises(jsonschema.ValidationError):
            check.validate(payload | {"version": 2})


def test_the_audit_has_every_figure_that_led_to_a_decision(warehouse: Warehouse) -> None:
    fill(warehouse, {40: [drift(40, **RETRAIN)]}, labels=17)
    incidents.run(spec_of(), nights(0, LAST), warehouse)
    (row,) = warehouse.read("decisions").itertuples()
    audit = json.loads(row.payload)["audit"]
    assert audit["guards"] == {
        "fresh_labels": 476, "fresh_days": 28, "min_labels": 500, "last_requested": None, "cooldown_days": 14,
        "blocked_by": [], "open_days": 28, "approval": False, "dry_run": False, "consumer": "dag",
    }  # fmt: skip
    assert audit["held_because"] == row.reason
    (breach,) = audit["asked_by"]
    assert (breach["metric"], breach["feature"], breach["value"], breach["n"]) == (
        "psi",
        "browsing_minutes",
        1.24,
        1000,
    )


def test_a_second_incident_waits_while_the_first_ones_request_is_open(warehouse: Warehouse) -> None:
    """The whole day drifts without end; a segment that fell before it asks as well."""
    found = {number: [drift(number, segment="plan=new", **RETRAIN)] for number in range(4, LAST)}
    for number in range(8, LAST):
        found[number].append(drift(number, **RETRAIN))
    fill(warehouse, found)
    incidents.run(spec_of(actions={"retrain": {"cooldown_days": 0}}), nights(0, LAST), warehouse)
    told = [(row.night.date(), row.outcome) for row in warehouse.read("decisions").sort_values("night").itertuples()]
    assert told[0] == (day(4), "requested")
    assert told[1] == (day(8), "held")
    # open_days: nobody waits for ever, and the first incident, whose drift lasts too, is not served before the second
    requested = warehouse.execute("SELECT night, incident FROM decisions WHERE outcome = 'requested' ORDER BY night")
    assert requested.fetchall()[1:] == [(day(4 + 28), "shop-2025-03-09-behaviour")]
    held = warehouse.execute(
        "SELECT DISTINCT reason FROM decisions WHERE outcome = 'held' AND night < ?", [day(4 + 28)]
    ).fetchall()
    assert held == [
        ("a retraining was requested on 2025-03-05 for shop-2025-03-05-behaviour:plan_new-d1e15d, which is still open; "
         "one at a time, until 2025-04-02 at most",)
    ]  # fmt: skip


def test_a_dry_run_is_decided_and_asks_nobody(warehouse: Warehouse) -> None:
    fill(warehouse, busy())
    incidents.run(spec_of(actions={"retrain": {"dry_run": True}}), nights(0, LAST), warehouse)
    outcomes = [row.outcome for row in warehouse.read("decisions").sort_values("night").itertuples()]
    assert outcomes == ["dry_run", "held", "held", "held", "dry_run"]  # as it would have been
    assert requested(warehouse) == []


def test_a_muted_figure_asks_for_nothing(warehouse: Warehouse) -> None:
    fill(warehouse, busy())
    mute = {"feature": "browsing_minutes", "until": str(day(LAST))}
    incidents.run(spec_of(mutes=[mute]), nights(0, LAST), warehouse)
    assert [payload["metrics"][0]["feature"] for payload in requested(warehouse)] == ["age"]


def test_a_webhook_gets_the_payload_and_its_key_once(tmp_path: Path, receiver: Receiver) -> None:
    spec, home = asked(tmp_path, webhook="${SWITCH}")
    for _ in range(3):
        hand_over(spec, home)
    ((_, key, payload),) = receiver.posted
    assert key == payload["key"] == KEY
    jsonschema.validate(payload, SCHEMA)


def test_a_webhook_that_refuses_is_asked_again(tmp_path: Path, receiver: Receiver) -> None:
    spec, home = asked(tmp_path, webhook="${SWITCH}")
    receiver.answers["/switch"] = (500, {})
    with pytest.raises(DeliveryError, match=r"webhook of retrain refused the message .* HTTP 500"):
        hand_over(spec, home)
    receiver.answers.clear()
    assert "handed over" in hand_over(spec, home)


def test_a_command_gets_the_payload_on_standard_input(tmp_path: Path) -> None:
    code = (
        "import sys, os, pathlib; pathlib.Path(sys.argv[1]).write_text(os.environ['NIGHTJAR_KEY'] + sys.stdin.read())"
    )
    spec, home = asked(tmp_path, command=[sys.executable, "-c", code, str(tmp_path / "got")])
    hand_over(spec, home)
    got = (tmp_path / "got").read_text()
    assert got.startswith(KEY)
    jsonschema.validate(json.loads(got.removeprefix(KEY)), SCHEMA)


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    spec, home = asked(tmp_path, command=[sys.executable, "-c", "import sys; sys.exit('no such version')"])
    with pytest.raises(DeliveryError, match="ended with 1: no such version"):
        hand_over(spec, home)


def test_a_request_waits_for_approval_and_a_rejected_one_rests(tmp_path: Path, receiver: Receiver) -> None:
    spec, home = asked(tmp_path, webhook="${SWITCH}", approval=True)
    assert "waits for approval: nightjar approve shop" in hand_over(spec, home)
    with pytest.raises(UsageError, match=f"no request 'typo' waits; waiting: {KEY}"):
        answers.decide(spec, home, "typo", "Ada", approved=True)
    answers.decide(spec, home, KEY, "Ada", approved=False)
    assert "was rejected by Ada" in hand_over(spec, home)
    assert receiver.posted == []
    answers.decide(spec, home, KEY, "Grace", approved=True)
    hand_over(spec, home)
    assert len(receiver.posted) == 1
    assert offering.request_due(spec, "retrain", day(5), home) == (None, "")


def test_events_wait_for_approval_too_and_are_told_once(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    spec, home = asked(tmp_path, approval=True)
    now = datetime(2025, 3, 7, tzinfo=UTC)
    assert offering.to_announce(spec, day(5), home, now, ["retrain"]) == []
    offering.answer_request(spec, "retrain", day(5), home, "Ada", approved=True)
    assert offering.to_announce(spec, day(5), home, now, ["fallback", "rollback"]) == []
    assert [one["key"] for one in offering.to_announce(spec, day(5), home, now, ["retrain"])] == [KEY]
    assert offering.to_announce(spec, day(5), home, now, ["retrain"]) == []
    with open_warehouse(home, "shop", wait=5) as warehouse:
        assert ledger.answers(warehouse, "approved") == {KEY: ("approved", "Ada")}
