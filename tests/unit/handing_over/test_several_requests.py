"""Of several requests for one action the gravest goes out, and the rest is given up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from jobs import answers, ledger, offering
from jobs.engine.warehouse import open_warehouse
from jobs.errors import DeliveryError, UsageError
from jobs.stages import incidents
from tests.unit.handing_over.given_requests import (
    FIRST,
    INCIDENT,
    KEY,
    approve,
    model,
    speak,
    waiting,
)
from tests.unit.methods.given_breaches import day
from tests.unit.stages.test_incidents import LAST, drift, fill, nights

if TYPE_CHECKING:
    from pathlib import Path

    from tests.receivers import Receiver


GRAVER = f"{KEY}-critical"


def warned_then_critical(home: Path, spec: Any, graver: int, last: int) -> None:
    """Drift asks for a retraining as a warning on FIRST, and as something critical from the night `graver` on."""
    with open_warehouse(home, "shop", wait=5) as warehouse:
        severities = {number: "warning" if number < graver else "critical" for number in range(FIRST, LAST + 1)}
        fill(warehouse, {n: [drift(n, action="retrain", severity=severity)] for n, severity in severities.items()})
        incidents.run(spec, nights(0, last), warehouse)
        warehouse.finish("report", nights(0, last))


def given_up(home: Path) -> dict[str, str]:
    with open_warehouse(home, "shop", wait=5) as warehouse:
        rows = warehouse.execute("SELECT key, answer FROM dispatches WHERE answer LIKE 'not handed over%'").fetchall()
    return dict(rows)


def test_of_several_requests_that_an_outage_left_the_gravest_goes_out_and_the_rest_is_given_up(
    tmp_path: Path, receiver: Receiver
) -> None:
    warned_then_critical(tmp_path, model(), 25, 44)
    assert f"retrain not handed over: superseded by {GRAVER} ({INCIDENT})" in speak(tmp_path, model(), 40)
    for number in range(40, 45):
        speak(tmp_path, model(), number)
    assert receiver.keys("/switch") == [GRAVER]
    assert given_up(tmp_path) == {KEY: f"not handed over: superseded by {GRAVER}"}


def test_of_several_requests_that_an_outage_left_one_starts_a_dag(tmp_path: Path) -> None:
    spec = model(actions={}, channels={"critical": [], "warning": []})
    warned_then_critical(tmp_path, spec, 25, 44)
    started = []
    for number in range(40, 45):
        for _ in range(2):  # a task that is cleared finds the same run, one that is done finds none
            payload = offering.retrain_due(spec, day(number), tmp_path, day(number))
            started += [payload["run_id"]] if payload else []
        if payload:
            offering.record(
                spec, tmp_path, payload["run_id"], "retrain", day(number), datetime(2025, 4, 11, tzinfo=UTC), "started"
            )
    assert started == [GRAVER, GRAVER]
    assert given_up(tmp_path) == {KEY: f"not handed over: superseded by {GRAVER}"}


def test_a_request_that_was_handed_over_late_cools_down_from_then_on(tmp_path: Path, receiver: Receiver) -> None:
    """Asked on night 5 and taken on night 10; what is decided on night 19 waits until night 24."""
    warned_then_critical(tmp_path, model(), 19, 24)
    receiver.answers["/switch"] = (500, {})
    with pytest.raises(DeliveryError, match="HTTP 500"):
        speak(tmp_path, model(), FIRST)
    receiver.answers.clear()
    receiver.posted.clear()
    speak(tmp_path, model(), 10)
    told = speak(tmp_path, model(), 19)
    assert f"retrain waits: retrain cools down until {day(24)}, because {KEY} was handed over on {day(10)}" in told
    speak(tmp_path, model(), 23)
    assert receiver.keys("/switch") == [KEY]
    speak(tmp_path, model(), 24)
    assert receiver.keys("/switch") == [KEY, GRAVER]


def test_what_a_person_was_asked_for_can_still_be_approved_when_something_graver_asks(
    tmp_path: Path, receiver: Receiver
) -> None:
    """The approved one goes out; the graver one waits for its cool-down, and goes out then if it is approved."""
    spec = waiting()
    warned_then_critical(tmp_path, spec, 19, 19)
    speak(tmp_path, spec, FIRST)
    assert all(f"nightjar approve shop {key}" in speak(tmp_path, spec, 19) for key in (KEY, GRAVER))
    approve(tmp_path, spec)
    assert "retrain handed over" in speak(tmp_path, spec, 19)
    with pytest.raises(UsageError, match=f"cannot go out yet: retrain cools down until {day(33)}"):
        answers.decide(spec, tmp_path, GRAVER, "Ada", approved=True)
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        incidents.run(spec, nights(20, 33), warehouse)
        warehouse.finish("report", nights(0, 33))
    assert f"nightjar approve shop {GRAVER}" in speak(tmp_path, spec, 33)
    answers.decide(spec, tmp_path, GRAVER, "Ada", approved=True)
    speak(tmp_path, spec, 33)
    assert receiver.keys("/switch") == [KEY, GRAVER]


def test_of_several_requests_that_nobody_was_asked_for_one_waits_for_a_person(
    tmp_path: Path, receiver: Receiver
) -> None:
    warned_then_critical(tmp_path, waiting(), 25, 40)
    assert KEY not in answers.standing(waiting(), tmp_path).replace(GRAVER, "")
    with pytest.raises(UsageError, match=f"cannot go out any more: superseded by {GRAVER}; waiting: {GRAVER}"):
        approve(tmp_path, waiting())
    assert f"nightjar approve shop {GRAVER}" in speak(tmp_path, waiting(), 40)
    answers.decide(waiting(), tmp_path, GRAVER, "Ada", approved=True)
    speak(tmp_path, waiting(), 40)
    assert receiver.keys("/switch") == [GRAVER]


def test_an_answer_in_airflow_is_to_what_was_asked_whatever_was_approved_elsewhere_meanwhile(tmp_path: Path) -> None:
    spec = model(actions={"retrain": {"approval": True}}, channels={"critical": [], "warning": []})
    warned_then_critical(tmp_path, spec, 19, 19)
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        ledger.begin(warehouse, day(FIRST), datetime(2025, 3, 7, tzinfo=UTC))
    assert (offering.request_due(spec, "retrain", day(FIRST), tmp_path)[0] or {})["key"] == KEY
    assert (offering.request_due(spec, "retrain", day(19), tmp_path)[0] or {})["key"] == GRAVER
    answers.decide(spec, tmp_path, KEY, "Ada", approved=True)
    offering.answer_request(spec, "retrain", day(19), tmp_path, "Grace", approved=False)
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        said = ledger.answers(warehouse, "approved", "rejected")
    assert said == {KEY: ("approved", "Ada"), GRAVER: ("rejected", "Grace")}
