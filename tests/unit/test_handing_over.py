"""Requests reach who carries them out, whatever else is broken, and only while they still make sense."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from jobs import answers, delivery, ledger, offering
from jobs.engine.warehouse import open_warehouse
from jobs.errors import DeliveryError, UsageError
from jobs.stages import incidents
from tests.receivers import Receiver, http_receiver
from tests.unit.methods.given_breaches import day
from tests.unit.stages.test_incidents import LAST, RETRAIN, drift, fill, nights, spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = 5
"""The night on which something is found; what is found lasts as long as a test says."""
INCIDENT = "shop-2025-03-06-behaviour"
KEY = f"{INCIDENT}-retrain"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with http_receiver() as server:
        monkeypatch.setenv("SWITCH", f"{server.url}/switch")
        monkeypatch.setenv("PAGER", f"{server.url}/pager")
        yield server


def model(**given: Any) -> Any:
    """A spec that retrains by webhook and tells critical incidents to a pager."""
    usual: dict[str, Any] = {
        "actions": {"retrain": {"webhook": "${SWITCH}"}}, "channels": {"critical": ["${PAGER}"], "warning": []},
    }  # fmt: skip
    return spec_of(**usual | given)


def live(home: Path, spec: Any, last: int, until: int = FIRST) -> None:
    """Run the nights through `last`; drift asks for a retraining from FIRST on, through `until`."""
    with open_warehouse(home, "shop", wait=5) as warehouse:
        for table in ("incidents", "decisions", "outbox"):
            warehouse.execute(f"DELETE FROM {table}")
        fill(warehouse, {number: [drift(number, **RETRAIN)] for number in range(FIRST, until + 1)})
        incidents.run(spec, nights(0, last), warehouse)
        warehouse.finish("report", nights(0, last))


def speak(home: Path, spec: Any, number: int) -> str:
    return str(delivery.dispatch(spec, day(number), home, day(number)))


def test_a_dead_chat_does_not_keep_a_request_from_being_handed_over(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers["/pager"] = (503, {})
    live(tmp_path, model(), FIRST)
    with pytest.raises(DeliveryError, match=r"\$\{PAGER\}: webhook refused the message .* HTTP 503"):
        speak(tmp_path, model(), FIRST)
    assert receiver.keys("/switch") == [KEY]


def test_what_failed_of_messages_and_requests_is_told_together(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers |= {"/pager": (503, {}), "/switch": (500, {})}
    live(tmp_path, model(), FIRST)
    with pytest.raises(DeliveryError, match=r"HTTP 503; retrain: webhook of retrain refused .* HTTP 500"):
        speak(tmp_path, model(), FIRST)


def test_a_pager_that_talks_nonsense_holds_up_neither_the_other_channels_nor_the_request(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.garbled.add("/pager")
    monkeypatch.setenv("AGAIN", f"{receiver.url}/again")
    spec = model(channels={"critical": ["${PAGER}", "${ZERO}", "${AGAIN}"], "warning": []})
    monkeypatch.setenv("ZERO", "wecom+http://127.0.0.1:geheim/x")
    live(tmp_path, spec, FIRST)
    with pytest.raises(DeliveryError, match=r"\$\{PAGER\}: .* BadStatusLine; \$\{ZERO\}: ") as told:
        speak(tmp_path, spec, FIRST)
    assert "geheim" not in str(told.value)
    assert (len(receiver.keys("/again")), receiver.keys("/switch")) == (1, [KEY])


def test_an_error_nobody_thought_of_holds_up_no_other_row_and_shows_no_password(
    tmp_path: Path, receiver: Receiver
) -> None:
    """A program's argument with a zero byte: subprocess raises a ValueError of its own."""
    spec = model(actions={"retrain": {"command": ["true", "geheim\0"]}})
    live(tmp_path, spec, FIRST)
    with pytest.raises(DeliveryError, match="retrain: it could not be handed over: ValueError") as told:
        speak(tmp_path, spec, FIRST)
    assert "geheim" not in str(told.value)
    assert len(receiver.keys("/pager")) == 1


@pytest.mark.parametrize(
    ("says", "kept"),
    [
        ("echo evaluation.md; echo 'collect: refused: 60 rows'", "sh ended with 0: collect: refused: 60 rows"),
        ("echo progress >&2", "sh ended with 0"),
        ("printf '%0400d\\n\\n' 0", f"sh ended with 0: {'0' * 300}"),
    ],
)
def test_the_ledger_keeps_the_last_line_that_a_command_said(
    tmp_path: Path, receiver: Receiver, says: str, kept: str
) -> None:
    """A retraining that is refused ends with 0: only what it says tells it from one that was promoted."""
    spec = model(actions={"retrain": {"command": ["sh", "-c", f"cat > /dev/null; {says}"]}})
    live(tmp_path, spec, FIRST)
    assert f"retrain handed over: {kept}" in speak(tmp_path, spec, FIRST)
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        assert warehouse.execute("SELECT answer FROM dispatches WHERE key = ?", [KEY]).fetchall() == [(kept,)]


# a request that nobody takes ---------------------------------------------------------------------------------------


def unheard(tmp_path: Path, action: str) -> tuple[str, str, str]:
    """The terminal, the message and the decision's reason where a critical breach asks for an action."""
    spec = model(actions={})
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        rows = {
            "model": "shop", "version": ["v1", "v2"], "day": [day(1), day(FIRST)], "layer": "data", "metric": "volume",
            "feature": "", "segment": "all", "label_age": None, "value": 9.0, "n": 9, "lower": None, "upper": None,
            "state": "final", "reason": None,
        }  # fmt: skip
        warehouse.insert("metrics", pd.DataFrame(rows))
        fill(warehouse, {FIRST: [drift(FIRST, **RETRAIN | {"action": action})]})
        incidents.run(spec, nights(0, FIRST), warehouse)
        warehouse.finish("report", nights(0, FIRST))
        ((reason,),) = warehouse.execute("SELECT reason FROM decisions").fetchall()
        ((text,),) = warehouse.execute("SELECT payload->>'text' FROM outbox WHERE channel = '${PAGER}'").fetchall()
    return speak(tmp_path, spec, FIRST), text, reason


@pytest.mark.parametrize("action", ["rollback", "fallback"])
def test_a_request_that_nobody_takes_says_so_on_the_terminal_in_the_message_and_in_the_report(
    tmp_path: Path, receiver: Receiver, action: str
) -> None:
    told, text, reason = unheard(tmp_path, action)
    how = f"nobody takes it: name a webhook, a command or a DAG in actions.{action} of the spec"
    assert reason == how
    assert text.endswith(f"A {action} has been requested, but {how}.")
    assert (
        f"{action} is due, browsing_minutes drifted (PSI 1.24) ({how}, or carry it out: nightjar {action} shop)" in told
    )


def test_a_retraining_that_only_airflow_would_start_says_so_on_the_terminal(tmp_path: Path, receiver: Receiver) -> None:
    told, text, reason = unheard(tmp_path, "retrain")
    assert told.endswith(
        "retrain is due, browsing_minutes drifted (PSI 1.24) (Airflow starts the DAG retrain; "
        "here name a webhook or a command, or carry it out: nightjar retrain shop)"
    )
    assert (text.endswith("A retraining has been requested."), reason) == (True, "browsing_minutes drifted (PSI 1.24)")


def test_a_dead_mail_server_does_not_hide_that_a_request_is_due(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers["/pager"] = (503, {})
    with pytest.raises(DeliveryError, match=r"HTTP 503; rollback is due, .* \(nobody takes it"):
        unheard(tmp_path, "rollback")


# a request that was not taken on its night ------------------------------------------------------------------------


def test_what_a_night_decided_that_never_spoke_is_handed_over_by_the_next_one_that_speaks(
    tmp_path: Path, receiver: Receiver
) -> None:
    """An outage of a night must not cost the retraining that decisions count as requested."""
    live(tmp_path, model(), FIRST + 2, until=FIRST + 2)
    assert "retrain handed over" in speak(tmp_path, model(), FIRST + 2)
    speak(tmp_path, model(), FIRST + 2)
    assert receiver.keys("/switch") == [KEY]


def test_what_a_silent_night_decided_is_not_handed_over_once_nothing_asks_for_it(
    tmp_path: Path, receiver: Receiver
) -> None:
    live(tmp_path, model(), FIRST + 1)  # open still, and quiet
    speak(tmp_path, model(), FIRST + 1)
    assert receiver.keys("/switch") == []


def test_a_muted_figure_of_a_silent_night_asks_for_nothing_later(tmp_path: Path, receiver: Receiver) -> None:
    live(tmp_path, model(), FIRST, until=FIRST + 1)
    mute = {"metric": "psi", "until": str(day(FIRST + 9))}
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        incidents.run(model(mutes=[mute]), nights(FIRST + 1, FIRST + 1), warehouse)
        warehouse.finish("report", nights(0, FIRST + 1))
    speak(tmp_path, model(mutes=[mute]), FIRST + 1)
    assert receiver.keys("/switch") == []


def test_what_an_incident_asks_for_is_handed_over_and_told_when_its_mute_by_name_is_over(
    tmp_path: Path, receiver: Receiver
) -> None:
    spec = model(mutes=[{"incident": INCIDENT, "until": str(day(FIRST + 1))}])
    live(tmp_path, spec, FIRST + 2, until=FIRST + 2)
    for number in (FIRST, FIRST + 1):
        speak(tmp_path, spec, number)
    assert receiver.posted == []
    speak(tmp_path, spec, FIRST + 2)
    assert (receiver.keys("/switch"), len(receiver.keys("/pager"))) == ([KEY], 1)
    assert outcomes(tmp_path) == ["held", "held", "requested"]


def test_what_a_silent_night_decided_is_not_handed_over_while_its_incident_is_muted(
    tmp_path: Path, receiver: Receiver
) -> None:
    """The request of FIRST was decided before the mute was written; no night has spoken of it."""
    live(tmp_path, model(), FIRST + 2, until=FIRST + 2)
    mute = {"incident": INCIDENT, "until": str(day(FIRST + 1))}
    speak(tmp_path, model(mutes=[mute]), FIRST + 1)
    assert receiver.keys("/switch") == []
    speak(tmp_path, model(mutes=[mute]), FIRST + 2)
    assert receiver.keys("/switch") == [KEY]


def test_what_a_silent_night_decided_is_due_for_a_dag_too_and_announced_once(tmp_path: Path) -> None:
    spec = model(actions={}, channels={"critical": [], "warning": []})
    live(tmp_path, spec, FIRST + 2, until=FIRST + 2)
    now = datetime(2025, 3, 9, tzinfo=UTC)
    found = offering.action_due(spec, "retrain", day(FIRST + 2), tmp_path, day(FIRST + 2))
    assert found is not None
    assert found["run_id"] == KEY
    offering.record(spec, tmp_path, KEY, "retrain", day(FIRST + 2), now, "started")
    assert offering.action_due(spec, "retrain", day(FIRST + 2), tmp_path, day(FIRST + 2)) is None
    announced = [offering.to_announce(spec, day(FIRST + 2), tmp_path, now, ["retrain"]) for _ in range(2)]
    assert [[one["key"] for one in payloads] for payloads in announced] == [[KEY], []]


def test_a_person_is_asked_by_one_night_only_for_what_a_silent_one_decided(tmp_path: Path) -> None:
    spec = model(actions={"retrain": {"approval": True}})
    live(tmp_path, spec, FIRST + 3, until=FIRST + 3)
    for number, asked in ((2, KEY), (3, None), (2, KEY)):
        payload, _ = offering.request_due(spec, "retrain", day(FIRST + number), tmp_path)
        assert (payload or {}).get("key") == asked
    offering.answer_request(spec, "retrain", day(FIRST + 2), tmp_path, "Ada", approved=True)
    assert offering.request_due(spec, "retrain", day(FIRST + 2), tmp_path)[1] == "approved"


def test_what_was_approved_on_the_command_line_is_carried_out_by_the_next_night_while_the_one_that_asked_waits(
    tmp_path: Path,
) -> None:
    spec = model(actions={"retrain": {"approval": True}}, channels={"critical": [], "warning": []})
    live(tmp_path, spec, FIRST)
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        ledger.begin(warehouse, day(FIRST), datetime(2025, 3, 7, tzinfo=UTC))
    asked, _ = offering.request_due(spec, "retrain", day(FIRST), tmp_path)
    assert asked is not None
    live(tmp_path, spec, FIRST + 1)
    assert offering.request_due(spec, "retrain", day(FIRST + 1), tmp_path) == (None, "")
    assert "the next night that speaks" in answers.decide(spec, tmp_path, KEY, "Ada", approved=True)
    found, said = offering.request_due(spec, "retrain", day(FIRST + 1), tmp_path)
    assert ((found or {})["run_id"], said) == (KEY, "approved")
    offering.record(spec, tmp_path, KEY, "retrain", day(FIRST + 1), datetime(2025, 3, 8, tzinfo=UTC), "started")
    for number in (0, 1):
        assert offering.request_due(spec, "retrain", day(FIRST + number), tmp_path) == (None, "")


def test_a_request_that_failed_is_tried_again_on_a_quiet_night_while_its_incident_is_open(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.answers["/switch"] = (500, {})
    live(tmp_path, model(), FIRST + 1)
    with pytest.raises(DeliveryError, match="HTTP 500"):
        speak(tmp_path, model(), FIRST)
    receiver.answers.clear()
    receiver.posted.clear()
    speak(tmp_path, model(), FIRST + 1)
    assert receiver.keys("/switch") == [KEY]


def test_a_request_that_failed_is_given_up_once_its_incident_is_over(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers["/switch"] = (500, {})
    live(tmp_path, model(), FIRST + 4)
    with pytest.raises(DeliveryError, match="HTTP 500"):
        speak(tmp_path, model(), FIRST)
    receiver.answers.clear()
    receiver.posted.clear()
    assert f"retrain not handed over: its incident is over ({INCIDENT})" in speak(tmp_path, model(), FIRST + 4)
    assert "not handed over" not in speak(tmp_path, model(), FIRST + 4)
    assert receiver.keys("/switch") == []


# several requests for one action ----------------------------------------------------------------------------------

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


# what a person rejected, and what waited for it ---------------------------------------------------------------------


def two_needs(home: Path, spec: Any, last: int, until: int = FIRST + 19) -> None:
    """Drift of the whole day asks on FIRST; when it is over, a graver fall asks from FIRST + 5 on, in the cool-down."""
    with open_warehouse(home, "shop", wait=5) as warehouse:
        for table in ("incidents", "decisions", "outbox"):
            warehouse.execute(f"DELETE FROM {table}")
        found = {FIRST: [drift(FIRST, **RETRAIN)]}
        found |= {n: [drift(n, feature="age", **RETRAIN)] for n in range(FIRST + 5, until + 1)}
        fill(warehouse, found)
        incidents.run(spec, nights(0, last), warehouse)
        warehouse.finish("report", nights(0, last))


def outcomes(home: Path) -> list[str]:
    with open_warehouse(home, "shop", wait=5) as warehouse:
        return [row[0] for row in warehouse.execute("SELECT outcome FROM decisions ORDER BY night").fetchall()]


SECOND = "shop-2025-03-11-behaviour-retrain"


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


# an approval that comes too late -----------------------------------------------------------------------------------


@pytest.mark.parametrize("later", [0, 4])
def test_an_approval_after_the_incidents_end_starts_nothing_and_says_why(tmp_path: Path, later: int) -> None:
    """The night of FIRST asked; a person answers when night FIRST + 4 has closed the incident."""
    spec = model(actions={"retrain": {"approval": True}}, channels={"critical": [], "warning": []})
    live(tmp_path, spec, FIRST)
    assert offering.request_due(spec, "retrain", day(FIRST), tmp_path)[0] is not None
    live(tmp_path, spec, FIRST + later)
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        ledger.answer(warehouse, KEY, "approved", "Ada", datetime(2025, 3, 12, tzinfo=UTC))
    payload, _ = offering.request_due(spec, "retrain", day(FIRST), tmp_path)
    told = offering.given_up(spec, "retrain", day(FIRST), tmp_path)
    if later:
        assert (payload, told) == (None, f"retrain not handed over: its incident is over ({INCIDENT})")
        assert offering.to_announce(spec, day(FIRST), tmp_path, datetime(2025, 3, 12, tzinfo=UTC), ["retrain"]) == []
    else:
        assert (payload or {})["key"] == KEY
        assert told == ""


def test_what_a_rejection_freed_is_given_up_too_when_its_incident_is_over(tmp_path: Path) -> None:
    """The fall of FIRST + 5 is freed and offered that night; it is approved when night FIRST + 10 has closed it."""
    spec = model(actions={"retrain": {"approval": True}}, channels={"critical": [], "warning": []})
    offers = day(FIRST + 5)
    two_needs(tmp_path, spec, FIRST, until=FIRST + 5)
    offering.answer_request(spec, "retrain", day(FIRST), tmp_path, "Ada", approved=False)
    two_needs(tmp_path, spec, FIRST + 5, until=FIRST + 5)
    assert (offering.request_due(spec, "retrain", offers, tmp_path)[0] or {})["key"] == SECOND
    two_needs(tmp_path, spec, FIRST + 10, until=FIRST + 5)
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        ledger.answer(warehouse, SECOND, "approved", "Ada", datetime(2025, 3, 20, tzinfo=UTC))
    assert offering.request_due(spec, "retrain", offers, tmp_path) == (None, "")
    incident = SECOND.removesuffix("-retrain")
    told = offering.given_up(spec, "retrain", offers, tmp_path)
    assert told == f"retrain not handed over: its incident is over ({incident})"


def test_a_late_approval_of_a_webhook_is_dropped_with_the_reason(tmp_path: Path, receiver: Receiver) -> None:
    live(tmp_path, waiting(), FIRST)
    approve(tmp_path, waiting())
    live(tmp_path, waiting(), FIRST + 4)
    told = offering.hand_to_consumers(waiting(), day(FIRST), tmp_path, day(FIRST))
    assert told == f"retrain not handed over: its incident is over ({INCIDENT})"
    assert receiver.keys("/switch") == []


def test_a_canary_that_comes_and_goes_does_not_take_the_main_versions_retraining_with_it(tmp_path: Path) -> None:
    """v1 answers 97 %, beside it a canary on nights 4 and 5; on 5 the whole day's drift asks, on 8 a person says yes."""
    spec = model(actions={"retrain": {"approval": True}}, channels={"critical": [], "warning": []})
    rows = [("v1", number, 97) for number in range(9)] + [("v2-canary", number, 3) for number in (4, 5)]
    versions, days, volumes = zip(*rows, strict=True)
    figures = {
        "model": "shop", "version": versions, "day": [day(number) for number in days], "layer": "data",
        "metric": "volume", "feature": "", "segment": "all", "label_age": None, "value": volumes, "n": volumes,
        "lower": None, "upper": None, "state": "final", "reason": None,
    }  # fmt: skip
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        warehouse.insert("metrics", pd.DataFrame(figures))
    live(tmp_path, spec, FIRST, until=FIRST + 3)
    asked, _ = offering.request_due(spec, "retrain", day(FIRST), tmp_path)
    assert (asked or {})["versions"] == {"current": "v1", "previous": None}
    live(tmp_path, spec, FIRST + 3, until=FIRST + 3)
    payload, _ = offering.request_due(spec, "retrain", day(FIRST), tmp_path)
    assert (payload or {}).get("key") == KEY
    assert offering.given_up(spec, "retrain", day(FIRST), tmp_path) == ""


def test_a_request_about_a_version_that_was_replaced_meanwhile_is_given_up(tmp_path: Path, receiver: Receiver) -> None:
    """Nobody took it on its night; the incident still asks, but v2 answers now."""
    receiver.answers["/switch"] = (500, {})
    names = {number: "v1" if number <= FIRST else "v2" for number in range(FIRST + 3)}
    with open_warehouse(tmp_path, "shop", wait=5) as warehouse:
        rows = {
            "model": "shop", "version": list(names.values()), "day": [day(number) for number in names],
            "layer": "data", "metric": "volume", "feature": "", "segment": "all", "label_age": None, "value": 9.0,
            "n": 9, "lower": None, "upper": None, "state": "final", "reason": None,
        }  # fmt: skip
        warehouse.insert("metrics", pd.DataFrame(rows))
    live(tmp_path, model(), FIRST + 2, until=FIRST + 2)
    with pytest.raises(DeliveryError, match="HTTP 500"):
        speak(tmp_path, model(), FIRST)
    receiver.answers.clear()
    receiver.posted.clear()
    assert "retrain not handed over: it is about v1, which answers no more" in speak(tmp_path, model(), FIRST + 2)
    assert receiver.keys("/switch") == []


# the end of what nobody was told of --------------------------------------------------------------------------------


def test_the_end_of_an_incident_is_told_only_where_its_beginning_was(tmp_path: Path, receiver: Receiver) -> None:
    live(tmp_path, model(), FIRST + 4)
    speak(tmp_path, model(), FIRST + 3)  # the night it is over: quiet for three nights
    speak(tmp_path, model(), FIRST + 4)
    assert receiver.keys("/pager") == []


def test_the_end_of_an_incident_is_told_where_its_beginning_was_told(tmp_path: Path, receiver: Receiver) -> None:
    live(tmp_path, model(), FIRST + 4)
    speak(tmp_path, model(), FIRST)
    speak(tmp_path, model(), FIRST + 3)
    assert [payload["state"] for path, _, payload in receiver.posted if path == "/pager"] == ["opened", "resolved"]


# what a person may still answer ----------------------------------------------------------------------------------


def approve(home: Path, spec: Any, person: str = "Ada") -> str:
    return answers.decide(spec, home, KEY, person, approved=True)


def waiting(**given: Any) -> Any:
    return model(actions={"retrain": {"webhook": "${SWITCH}", "approval": True} | given})


def test_a_request_of_a_backfilled_night_can_neither_be_approved_nor_is_it_listed(tmp_path: Path) -> None:
    live(tmp_path, waiting(), FIRST + 1)
    with pytest.raises(
        UsageError, match=r"cannot go out any more: .* its incident does not ask for it now; waiting: none"
    ):
        approve(tmp_path, waiting())
    assert "requested" not in answers.standing(waiting(), tmp_path)


def test_a_request_whose_incident_is_over_cannot_be_approved(tmp_path: Path, receiver: Receiver) -> None:
    live(tmp_path, waiting(), FIRST + 4)
    speak(tmp_path, waiting(), FIRST)
    with pytest.raises(UsageError, match="cannot go out any more: its incident is over"):
        approve(tmp_path, waiting())


def test_a_request_that_needs_no_approval_is_not_approved(tmp_path: Path) -> None:
    live(tmp_path, waiting(), FIRST)
    with pytest.raises(UsageError, match=r"needs no approval \(actions\.retrain\.approval is false\)"):
        approve(tmp_path, waiting(approval=False))
    assert f"{KEY}: requested" in answers.standing(waiting(approval=False), tmp_path)


def test_what_was_handed_over_cannot_be_approved_again(tmp_path: Path, receiver: Receiver) -> None:
    live(tmp_path, waiting(), FIRST)
    approve(tmp_path, waiting())
    speak(tmp_path, waiting(), FIRST)
    assert receiver.keys("/switch") == [KEY]
    with pytest.raises(UsageError, match=r"was settled on .*: webhook of retrain answered 200"):
        approve(tmp_path, waiting())


def test_an_approval_that_is_accepted_is_carried_out_by_the_next_night(tmp_path: Path, receiver: Receiver) -> None:
    """Asked for without end: after eight nights the request is still open, and approving it does something."""
    live(tmp_path, waiting(), FIRST + 8, until=FIRST + 9)
    speak(tmp_path, waiting(), FIRST)
    approve(tmp_path, waiting())
    live(tmp_path, waiting(), FIRST + 9, until=FIRST + 9)
    speak(tmp_path, waiting(), FIRST + 9)
    assert receiver.keys("/switch") == [KEY]


@pytest.mark.parametrize("person", ["", "  "])
def test_an_answer_needs_a_name(tmp_path: Path, person: str) -> None:
    live(tmp_path, waiting(), FIRST)
    with pytest.raises(UsageError, match="give a name, --by NAME"):
        approve(tmp_path, waiting(), person)
    with pytest.raises(UsageError, match="give a name, --by NAME"):
        answers.acknowledge("shop", tmp_path, INCIDENT, person)
