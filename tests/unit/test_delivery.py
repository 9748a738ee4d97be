"""Mail goes out once, through a real SMTP server, and only for the newest closed night."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller

from jobs import delivery, offering
from jobs.errors import DeliveryError, OrderError, UsageError
from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST = 20


class Post:
    """Keeps what arrives; refuses everything while `closed`."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.closed = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.closed:
            return "451 try again later"
        self.arrived.append(envelope.content)
        return "250 taken"


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    handler = Post()
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    monkeypatch.setenv(delivery.SERVER, f"smtp://127.0.0.1:{port}")
    yield handler
    controller.stop()


@pytest.fixture
def silent_night(kiosk: Kiosk) -> Kiosk:
    """Three weeks of predictions, and nothing on the last day: a critical incident."""
    kiosk.changes |= {
        "mail": {"to": ["night@example.org"]}, "labels": None, "outcomes": None,
        "rules": [{"metric": "psi", "above": 50.0}],  # the kiosk's days are all alike, its reference is not
    }  # fmt: skip
    for number in range(1, LAST):
        kiosk.predict(number, [f"{number}-{row}" for row in range(60)])
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    return kiosk


def test_the_mail_of_a_bad_night_goes_out_once(silent_night: Kiosk, post: Post) -> None:
    for _ in range(3):
        delivery.dispatch(silent_night.spec, day(LAST), silent_night.home, day(LAST))
        silent_night.run(days(LAST, LAST), *STAGE_NAMES)
    assert len(post.arrived) == 1
    message = message_from_bytes(post.arrived[0], policy=default)
    assert "kiosk" in str(message["Subject"])
    assert message["To"] == "night@example.org"
    assert {part.get_content_type() for part in message.walk()} >= {"text/plain", "text/html"}


def test_an_older_night_stays_silent(silent_night: Kiosk, post: Post) -> None:
    told = delivery.dispatch(silent_night.spec, day(LAST), silent_night.home, day(LAST + 1))
    assert post.arrived == []
    assert told.retrain is None
    assert "not the newest closed day" in told.said


def test_a_mail_the_server_refuses_is_sent_at_the_next_try(silent_night: Kiosk, post: Post) -> None:
    post.closed = True
    with pytest.raises(DeliveryError, match="try again later"):
        delivery.dispatch(silent_night.spec, day(LAST), silent_night.home, day(LAST))
    post.closed = False
    delivery.dispatch(silent_night.spec, day(LAST), silent_night.home, day(LAST))
    assert len(post.arrived) == 1


def test_a_mail_repeated_after_a_crash_is_recognisable(silent_night: Kiosk, post: Post) -> None:
    delivery.dispatch(silent_night.spec, day(LAST), silent_night.home, day(LAST))
    with silent_night.warehouse() as warehouse:
        warehouse.execute("DELETE FROM dispatches")  # as if the process had died before it wrote the ledger
    delivery.dispatch(silent_night.spec, day(LAST), silent_night.home, day(LAST))
    names = {message_from_bytes(content, policy=default)["Message-ID"] for content in post.arrived}
    assert (len(post.arrived), len(names)) == (2, 1)


def test_a_quiet_night_sends_nothing(silent_night: Kiosk, post: Post) -> None:
    delivery.dispatch(silent_night.spec, day(LAST - 1), silent_night.home, day(LAST - 1))
    assert post.arrived == []


def test_a_due_mail_without_a_server_is_a_clear_error(silent_night: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(delivery.SERVER, raising=False)
    with pytest.raises(UsageError, match="NIGHTJAR_SMTP is not set"):
        delivery.dispatch(silent_night.spec, day(LAST), silent_night.home, day(LAST))


def test_a_night_without_a_report_is_not_told(silent_night: Kiosk, post: Post) -> None:
    with pytest.raises(OrderError, match="has no report yet"):
        delivery.dispatch(silent_night.spec, day(LAST + 1), silent_night.home, day(LAST + 1))


def test_a_request_is_due_until_it_is_recorded(silent_night: Kiosk) -> None:
    with silent_night.warehouse() as warehouse:
        warehouse.execute(
            "INSERT INTO outbox VALUES ('kiosk', ?, 'k-retrain', 'k', 'retrain', 'drift', '{\"reason\": \"drift\"}')",
            [day(LAST)],
        )
    asked = (silent_night.spec, day(LAST), silent_night.home, day(LAST))
    assert offering.retrain_due(*asked) == {"reason": "drift", "run_id": "k-retrain"}
    for _ in range(2):
        offering.record(
            silent_night.spec, silent_night.home, "k-retrain", "retrain", day(LAST), datetime.now(UTC), "started"
        )
    assert offering.retrain_due(*asked) is None
    assert silent_night.rows("SELECT COUNT(*) FROM dispatches") == [(1,)]
