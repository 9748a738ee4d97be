"""Requests reach who carries them out, whatever else is broken, and are handed over later if they must."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from jobs import answers, ledger, offering
from jobs.engine.warehouse import open_warehouse
from jobs.errors import DeliveryError
from jobs.stages import incidents
from tests.unit.handing_over.given_requests import (
    FIRST,
    INCIDENT,
    KEY,
    live,
    model,
    outcomes,
    speak,
)
from tests.unit.methods.given_breaches import day
from tests.unit.stages.test_incidents import RETRAIN, drift, fill, nights

if TYPE_CHECKING:
    from pathlib import Path

    from tests.receivers import Receiver


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
