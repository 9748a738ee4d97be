"""What a person's rejection ends, and what it frees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from jobs import answers, ledger, offering
from jobs.engine.warehouse import open_warehouse
from jobs.errors import UsageError
from jobs.stages import incidents
from tests.unit.handing_over.given_requests import (
    FIRST,
    KEY,
    SECOND,
    live,
    model,
    outcomes,
    speak,
    two_needs,
    waiting,
)
from tests.unit.methods.given_breaches import day
from tests.unit.stages.test_incidents import RETRAIN, drift, fill, nights

if TYPE_CHECKING:
    from pathlib import Path

    from tests.receivers import Receiver


def test_a_rejected_request_does_not_cool_others_down(tmp_path: Path, receiver: Receiver) -> None:
    """Nothing came of it. What decisions say is not changed by that: they know no answers."""
    spec = waiting()
    two_needs(tmp_path, spec, FIRST)
    speak(tmp_path, spec, FIRST)
    said = answers.decide(spec, tmp_path, KEY, "Ada", approved=False)
    assert "rejected by Ada; what waited for it is asked for by the next night that still asks" in said
    two_needs(tmp_path, spec, FIRST + 5)
    assert f"waits for approval: nightjar approve shop {SECOND}" in speak(tmp_path, spec, FIRST + 5)
    assert f"{SECOND}: requested" in answers.standing(spec, tmp_path)
    answers.decide(spec, tmp_path, SECOND, "Ada", approved=True)
    speak(tmp_path, spec, FIRST + 5)
    assert receiver.keys("/switch") == [SECOND]
    two_needs(tmp_path, spec, FIRST + 8)
    for number in range(6, 9):
        speak(tmp_path, spec, FIRST + number)
    assert receiver.keys("/switch") == [SECOND]
    assert outcomes(tmp_path) == ["requested", *["held"] * 4]


def test_what_waits_for_a_request_that_nobody_rejected_goes_on_waiting(tmp_path: Path, receiver: Receiver) -> None:
    spec = waiting()
    two_needs(tmp_path, spec, FIRST + 5)
    speak(tmp_path, spec, FIRST)
    assert SECOND not in speak(tmp_path, spec, FIRST + 5)
    with pytest.raises(UsageError, match=f"no request '{SECOND}' waits"):
        answers.decide(spec, tmp_path, SECOND, "Ada", approved=True)


def test_the_incident_whose_request_was_rejected_asks_no_more(tmp_path: Path, receiver: Receiver) -> None:
    live(tmp_path, waiting(), FIRST, until=FIRST + 6)
    speak(tmp_path, waiting(), FIRST)
    answers.decide(waiting(), tmp_path, KEY, "Ada", approved=False)
    live(tmp_path, waiting(), FIRST + 6, until=FIRST + 6)
    assert "waits" not in speak(tmp_path, waiting(), FIRST + 6)
    assert receiver.keys("/switch") == []


def test_what_a_rejection_freed_is_offered_in_airflow_by_one_night(tmp_path: Path) -> None:
    spec = model(actions={"retrain": {"approval": True}}, channels={"critical": [], "warning": []})
    two_needs(tmp_path, spec, FIRST)
    offering.answer_request(spec, "retrain", day(FIRST), tmp_path, "Ada", approved=False)
    two_needs(tmp_path, spec, FIRST + 7)
    for number, asked in ((5, SECOND), (6, None), (5, SECOND)):
        payload, _ = offering.request_due(spec, "retrain", day(FIRST + number), tmp_path)
        assert (payload or {}).get("key") == asked


def three_needs(home: Path, spec: Any, last: int) -> None:
    """As `two_needs`, but from FIRST + 5 on two segments ask, each by an incident of its own."""
    with open_warehouse(home, "shop", wait=5) as warehouse:
        for table in ("incidents", "decisions", "outbox", "verdicts"):
            warehouse.execute(f"DELETE FROM {table}")
        found = {FIRST: [drift(FIRST, **RETRAIN)]}
        for number in range(FIRST + 5, FIRST + 9):
            found[number] = [drift(number, feature="age", segment=name, **RETRAIN) for name in ("plan=new", "plan=old")]
        fill(warehouse, found)
        incidents.run(spec, nights(0, last), warehouse)
        warehouse.finish("report", nights(0, last))


def test_one_rejection_frees_one_request_of_an_action(tmp_path: Path, receiver: Receiver) -> None:
    """Both segments waited for the rejected request; one of them gets what it would have had, the other waits on."""
    spec = model()
    three_needs(tmp_path, spec, FIRST + 5)
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        ledger.answer(warehouse, KEY, "rejected", "Ada", datetime(2025, 3, 7, tzinfo=UTC))
    assert outcomes(tmp_path) == ["requested", "held", "held"]
    speak(tmp_path, spec, FIRST + 5)
    assert len(receiver.keys("/switch")) == 1
    three_needs(tmp_path, spec, FIRST + 7)
    speak(tmp_path, spec, FIRST + 6)
    assert len(receiver.keys("/switch")) == 1


def test_only_one_of_what_a_rejection_freed_can_be_approved(tmp_path: Path, receiver: Receiver) -> None:
    spec = waiting()
    three_needs(tmp_path, spec, FIRST + 5)
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        ledger.answer(warehouse, KEY, "rejected", "Ada", datetime(2025, 3, 7, tzinfo=UTC))
    (first,) = freed_keys(tmp_path, spec)
    answers.decide(spec, tmp_path, first, "Ada", approved=False)
    (second,) = freed_keys(tmp_path, spec)
    assert second != first  # a rejection makes room for the next one
    answers.decide(spec, tmp_path, second, "Ada", approved=True)
    speak(tmp_path, spec, FIRST + 5)
    assert receiver.keys("/switch") == [second]


def freed_keys(home: Path, spec: Any) -> list[str]:
    """What `nightjar ack` lists as requested and unanswered."""
    lines = answers.standing(spec, home).splitlines()
    return [line.removesuffix(": requested") for line in lines if line.endswith("-retrain: requested")]
