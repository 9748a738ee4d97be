"""Who hears of an incident: once when it opens, once when it is over, each channel for itself, backfills nobody."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from jobs import answers, delivery, health
from jobs.engine.notes import notes, notes_file
from jobs.errors import DeliveryError, RecipientError, UsageError
from jobs.pipeline import STAGE_NAMES
from reports.formats import short_day
from tests.kiosk import Kiosk, day, days
from tests.receivers import Post, Receiver, http_receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SILENT = 20
LAST = 26


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with http_receiver() as server:
        monkeypatch.setenv("HOOK", f"{server.url}/hook")
        monkeypatch.setenv("ROBOT", f"feishu+{server.url}/robot")
        server.answers["/robot"] = (200, {"code": 0})
        yield server


@pytest.fixture
def life(kiosk: Kiosk) -> Kiosk:
    """Nothing on one day, predictions before and after: an incident that opens and resolves."""
    kiosk.changes |= {
        "labels": None, "outcomes": None, "owner": "Kiosk team", "mail": {"to": ["night@example.org"]},
        "channels": {"critical": ["mail", "mailto:oncall@example.org", "${HOOK}"]},
        "rules": [{"metric": "psi", "above": 50.0}],  # the kiosk's days are all alike, its reference is not
    }  # fmt: skip
    for number in range(1, LAST + 1):
        if number != SILENT:
            kiosk.predict(number, [f"{number}-{row}" for row in range(60)])
    return kiosk


def speak(kiosk: Kiosk, number: int, tries: int = 1) -> None:
    """A night as it is: run and handed over, as often as it is tried."""
    for _ in range(tries):
        kiosk.run(days(number, number), *STAGE_NAMES)
        delivery.dispatch(kiosk.spec, day(number), kiosk.home, day(number))


def test_an_incident_is_two_messages_a_channel_however_often_its_nights_run(
    life: Kiosk, post: Post, receiver: Receiver
) -> None:
    for number in range(SILENT - 1, SILENT + 5):
        speak(life, number, tries=2)
    assert receiver.keys("/hook") == [
        f"kiosk-{day(SILENT)}-delivery-opened-{day(SILENT)}-HOOK",
        f"kiosk-{day(SILENT)}-delivery-resolved-{day(SILENT + 3)}-HOOK",
    ]
    subjects = {to: [str(one["Subject"]) for one in post.letters if one["To"] == to] for to in
                ("night@example.org", "oncall@example.org")}  # fmt: skip
    assert {to: len(found) for to, found in subjects.items()} == {"night@example.org": 2, "oncall@example.org": 2}
    assert subjects["oncall@example.org"] == [
        f"[critical] kiosk: no predictions for {day(SILENT)}",
        f"[resolved] kiosk, after 1 night: no predictions for {day(SILENT)}",
    ]


def test_a_message_says_it_in_sentences_and_names_the_owner(life: Kiosk, post: Post, receiver: Receiver) -> None:
    speak(life, SILENT)
    ((_, _, payload),) = receiver.posted
    assert payload["text"] == (
        f"No predictions were delivered for {day(SILENT)}. This is new tonight. Owner: Kiosk team."
    )
    assert (payload["state"], payload["severity"], payload["owner"]) == ("opened", "critical", "Kiosk team")


def test_the_mails_of_an_incident_are_one_thread(life: Kiosk, post: Post, receiver: Receiver) -> None:
    for number in range(SILENT, SILENT + 4):
        speak(life, number)
    threads = {letter["References"] for letter in post.letters if letter["To"] == "oncall@example.org"}
    assert len(threads) == 1
    assert None not in threads


def test_a_backfill_sends_nothing_then_or_later(life: Kiosk, post: Post, receiver: Receiver) -> None:
    life.run(days(1, LAST - 1), *STAGE_NAMES)
    for number in range(1, LAST):
        delivery.dispatch(life.spec, day(number), life.home, day(LAST))
    speak(life, LAST)
    assert (post.letters, receiver.posted) == ([], [])


def test_what_could_not_be_told_is_told_on_the_next_night_and_one_dead_channel_holds_up_no_other(
    life: Kiosk, post: Post, receiver: Receiver
) -> None:
    receiver.answers["/hook"] = (503, {})
    life.run(days(1, SILENT), *STAGE_NAMES)
    with pytest.raises(DeliveryError, match=r"\$\{HOOK\}: webhook refused the message .*HTTP 503"):
        delivery.dispatch(life.spec, day(SILENT), life.home, day(SILENT))
    assert len(post.letters) == 2
    del receiver.answers["/hook"]
    receiver.posted.clear()
    speak(life, SILENT + 1)
    assert receiver.keys("/hook") == [f"kiosk-{day(SILENT)}-delivery-opened-{day(SILENT)}-HOOK"]
    assert len(post.letters) == 2


def test_a_channel_without_its_variable_is_a_clear_fault(life: Kiosk, post: Post) -> None:
    life.run(days(1, SILENT), *STAGE_NAMES)
    with pytest.raises(DeliveryError, match="the environment variable HOOK is not set"):
        delivery.dispatch(life.spec, day(SILENT), life.home, day(SILENT))


def test_info_goes_to_the_log(life: Kiosk, post: Post, caplog: pytest.LogCaptureFixture) -> None:
    life.changes["channels"] = {"critical": ["log"]}
    with caplog.at_level(logging.INFO, "nightjar.messages"):
        speak(life, SILENT)
    told = [record.getMessage() for record in caplog.records if record.name == "nightjar.messages"]
    assert told == [
        f"[critical] kiosk: no predictions for {day(SILENT)} | "
        f"No predictions were delivered for {day(SILENT)}. This is new tonight. Owner: Kiosk team."
    ]


def test_a_muted_incident_is_in_the_report_and_told_to_nobody_until_the_mute_ends(
    life: Kiosk, post: Post, receiver: Receiver
) -> None:
    life.changes["mutes"] = [{"metric": "volume", "until": str(day(SILENT + 1))}]
    speak(life, SILENT)
    assert (post.letters, receiver.posted) == ([], [])
    assert f"no predictions for {short_day(day(SILENT))}" in life.page(SILENT)
    speak(life, SILENT + 1)
    assert receiver.posted == []
    speak(life, SILENT + 2)  # still open, and the mute is over
    assert receiver.keys("/hook") == [f"kiosk-{day(SILENT)}-delivery-opened-{day(SILENT + 2)}-HOOK"]


def test_an_open_incident_is_repeated_until_somebody_acknowledges_it(
    life: Kiosk, post: Post, receiver: Receiver
) -> None:
    life.changes["channels"] = {"critical": ["${HOOK}"], "repeat_after": 1}
    speak(life, SILENT)
    speak(life, SILENT + 1)
    assert len(receiver.posted) == 2
    incident = f"kiosk-{day(SILENT)}-delivery"
    assert answers.acknowledge("kiosk", life.home, incident, "Ada") == f"{incident}: acknowledged by Ada"
    speak(life, SILENT + 2)
    assert len(receiver.posted) == 2
    assert "(acknowledged by Ada)" in answers.standing(life.spec, life.home)
    speak(life, SILENT + 3)
    assert receiver.posted[-1][2]["state"] == "resolved"


def test_the_digest_says_who_looks_after_an_incident(life: Kiosk, post: Post) -> None:
    life.changes |= {"channels": {"critical": []}, "mail": {"to": ["night@example.org"], "when": "always"}}
    life.run(days(1, SILENT), *STAGE_NAMES)
    answers.acknowledge("kiosk", life.home, f"kiosk-{day(SILENT)}-delivery", "Ada")
    delivery.dispatch(life.spec, day(SILENT), life.home, day(SILENT))
    (letter,) = post.letters
    body = letter.get_body(("plain",))
    assert body is not None
    assert "acknowledged by Ada" in body.get_content()


def test_an_acknowledgement_of_nothing_names_what_is_open(life: Kiosk) -> None:
    life.run(days(1, SILENT), *STAGE_NAMES)
    with pytest.raises(UsageError, match=f"no incident 'typo'; open: kiosk-{day(SILENT)}-delivery"):
        answers.acknowledge("kiosk", life.home, "typo", "Ada")


def test_a_robot_that_answers_200_with_an_error_is_told_again(life: Kiosk, post: Post, receiver: Receiver) -> None:
    life.changes["channels"] = {"critical": ["${ROBOT}"]}
    receiver.answers["/robot"] = (200, {"code": 19001, "msg": "param invalid"})
    life.run(days(1, SILENT), *STAGE_NAMES)
    with pytest.raises(DeliveryError, match=r"feishu refused the message .*: 19001 param invalid"):
        delivery.dispatch(life.spec, day(SILENT), life.home, day(SILENT))
    receiver.answers["/robot"] = (200, {"code": 0})
    speak(life, SILENT)
    assert len(receiver.posted) == 2


def test_a_mail_refused_for_one_recipient_is_a_fault_and_is_not_repeated_to_the_other(life: Kiosk, post: Post) -> None:
    life.changes |= {"channels": {"critical": ["mail"]}, "mail": {"to": ["night@example.org", "gone@example.org"]}}
    post.unknown.add("gone@example.org")
    life.run(days(1, SILENT), *STAGE_NAMES)
    with pytest.raises(RecipientError, match=r"refused for gone@example\.org"):
        delivery.dispatch(life.spec, day(SILENT), life.home, day(SILENT))
    assert "was sent before" in str(delivery.dispatch(life.spec, day(SILENT), life.home, day(SILENT)))
    assert len(post.letters) == 1


# a night that did not run ---------------------------------------------------------------------------------------


def test_a_night_that_did_not_run_is_told_once_and_again_only_after_one_has_run(
    life: Kiosk, post: Post, receiver: Receiver
) -> None:
    life.run(days(1, 5), *STAGE_NAMES)
    morning = datetime(2025, 1, 8, 9, tzinfo=UTC)  # day 8; the night of day 7 was due at 05:00
    late = health.health_of(life.spec, life.home, morning)
    assert str(late) == f"kiosk: the newest finished night is {day(5)}; 2 nights missed, through {day(7)}"
    for hours in (0, 1, 24, 48):
        health.tell_late([life.spec], life.home, morning + timedelta(hours=hours))
    assert len(receiver.posted) == 1
    assert sorted(str(letter["To"]) for letter in post.letters) == ["night@example.org", "oncall@example.org"]
    life.run(days(6, 7), *STAGE_NAMES)
    assert not health.health_of(life.spec, life.home, morning).late
    health.tell_late([life.spec], life.home, morning + timedelta(days=3))
    assert len(receiver.posted) == 2


def test_a_missing_night_is_told_at_once_and_once_while_another_run_holds_the_models_file(
    life: Kiosk, post: Post, receiver: Receiver
) -> None:
    """A night that hangs in its stage is just what somebody must hear of."""
    life.run(days(1, 5), *STAGE_NAMES)
    with life.warehouse() as hanging:
        hanging.publish()
        began = time.monotonic()
        for hour in (9, 10):
            health.tell_late([life.spec], life.home, datetime(2025, 1, 8, hour, tzinfo=UTC))
        assert time.monotonic() - began < 10
    assert receiver.keys("/hook") == [f"kiosk-late-since-{day(5)}-${{HOOK}}"]


def test_notes_that_another_process_holds_are_waited_for_and_then_named(tmp_path: Path) -> None:
    expected = pytest.raises(DeliveryError, match=r"kiosk\.json\.lock, which another process")
    with notes(tmp_path, "kiosk"), expected, notes(tmp_path, "kiosk", wait=0.1):
        pass


def test_notes_that_cannot_be_read_tell_once_more_and_are_whole_again(tmp_path: Path) -> None:
    notes_file(tmp_path, "kiosk").parent.mkdir()
    notes_file(tmp_path, "kiosk").write_text('{"torn')
    for known in (False, True):
        with notes(tmp_path, "kiosk") as noted:
            assert ("gap" in noted) is known
            noted.add("gap", datetime(2025, 1, 8, tzinfo=UTC), "logged")


def test_a_model_whose_nights_never_ran_is_late(kiosk: Kiosk) -> None:
    found = health.health_of(kiosk.spec, kiosk.home, datetime(2025, 1, 8, 9, tzinfo=UTC))
    assert found.late
    assert "no night has ever finished" in str(found)


def test_an_incident_that_opened_while_nobody_was_spoken_to_is_told_by_the_next_night_that_speaks(
    life: Kiosk, post: Post, receiver: Receiver
) -> None:
    """After an outage the night that is due catches up on those before it; what they found and is not over is told."""
    life.run(days(SILENT - 1, SILENT + 1), *STAGE_NAMES)
    delivery.dispatch(life.spec, day(SILENT + 1), life.home, day(SILENT + 1))
    delivery.dispatch(life.spec, day(SILENT + 1), life.home, day(SILENT + 1))
    opened = f"kiosk-{day(SILENT)}-delivery-opened-{day(SILENT)}-HOOK"
    assert receiver.keys("/hook") == [opened]
    assert [str(one["To"]) for one in post.letters] == ["oncall@example.org", "night@example.org"]
    for number in range(SILENT + 2, SILENT + 5):
        speak(life, number)
    assert receiver.keys("/hook") == [opened, f"kiosk-{day(SILENT)}-delivery-resolved-{day(SILENT + 3)}-HOOK"]


def test_an_incident_that_came_and_went_while_nobody_was_spoken_to_is_not_told(
    life: Kiosk, post: Post, receiver: Receiver
) -> None:
    life.run(days(SILENT - 1, SILENT + 4), *STAGE_NAMES)
    delivery.dispatch(life.spec, day(SILENT + 4), life.home, day(SILENT + 4))
    assert receiver.posted == []
    assert post.letters == []
