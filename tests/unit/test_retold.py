"""A night that has spoken and is run again, because its day was delivered late or again: what is new is told, once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from jobs import delivery, ledger, retold, tables
from jobs.errors import DeliveryError
from jobs.language import speaking
from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days
from tests.receivers import Post, Receiver, http_receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.engine.warehouse import Warehouse

LAST = 2
INCIDENT = f"kiosk-{day(LAST)}-delivery"
OPENED = f"{INCIDENT}-opened-{day(LAST)}-HOOK"
WITHDRAWN = "That is withdrawn: the night of {day} was run again, and there is no such incident any more."
NOW = datetime(2025, 1, 3, 5, tzinfo=UTC)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with http_receiver() as server:
        monkeypatch.setenv("HOOK", f"{server.url}/hook")
        yield server


@pytest.fixture
def told(kiosk: Kiosk, post: Post, receiver: Receiver) -> Kiosk:
    """Nothing came for the last day, and that was told by mail and to a webhook."""
    kiosk.changes |= {
        "labels": None, "outcomes": None, "mail": {"to": ["night@example.org"]},
        "channels": {"critical": ["mail", "${HOOK}"]},
        "rules": [
            {"metric": "psi", "above": 50.0},  # the kiosk's days are all alike, its reference is not
            {"metric": "missing_rate", "above": 0.5, "severity": "critical", "min_n": 10},
        ],
    }  # fmt: skip
    deliver(kiosk, 1)
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    speak(kiosk)
    return kiosk


def deliver(kiosk: Kiosk, number: int, **columns: object) -> None:
    kiosk.predict(number, [f"{number}-{row}" for row in range(60)], **columns)


def speak(kiosk: Kiosk, number: int = LAST) -> None:
    """A night is handed over, more than once, as clearing its task does."""
    for _ in range(2):
        delivery.dispatch(kiosk.spec, day(number), kiosk.home, day(number))


def body(post: Post, kind: str = "plain") -> str:
    """The text of the newest letter, on one line."""
    part = post.letters[-1].get_body((kind,))
    assert part is not None
    return " ".join(part.get_content().split())


def test_what_a_day_delivered_again_brings_is_mailed_on_that_day_and_a_repeat_is_recognised(
    told: Kiosk, post: Post
) -> None:
    deliver(told, LAST, price=None)
    told.run(days(LAST, LAST), *STAGE_NAMES)
    before = told.table("dispatches")
    post.closed = True
    with pytest.raises(DeliveryError, match="try again later"):
        speak(told)
    post.closed = False
    speak(told)
    title = " ".join(told.rows(f"SELECT title FROM incidents WHERE night = '{day(LAST)}'")[0][0].split())
    assert [" ".join(str(one["Subject"]).split()) for one in post.letters] == [
        "[Critical] kiosk 2 Jan: no predictions for 2 Jan",
        f"[Critical] kiosk 2 Jan, run again: {title} (+1 more)",
    ]
    lead = "This night was run again after its mail had gone out. What is new since then:"
    withdrawn = WITHDRAWN.format(day="2 Jan")
    assert f"{lead} {title} No predictions for 2 Jan. {withdrawn}" in body(post)
    assert lead in body(post, "html")
    with told.warehouse() as warehouse:  # as if the process had died before it wrote the ledger
        warehouse.execute("DELETE FROM dispatches")
        warehouse.insert("dispatches", before)
    speak(told)
    names = [letter["Message-ID"] for letter in post.letters]
    assert (len(names), len(set(names))) == (3, 2)
    assert names[1] == names[2]


def test_an_incident_that_is_gone_is_withdrawn_once_where_it_was_told(
    told: Kiosk, post: Post, receiver: Receiver
) -> None:
    deliver(told, LAST)
    told.run(days(LAST, LAST), *STAGE_NAMES)
    speak(told)
    assert receiver.keys("/hook") == [OPENED, f"{OPENED}-withdrawn"]
    _, _, payload = receiver.posted[-1]
    said = f"{WITHDRAWN.format(day=day(LAST))} Nothing else will be told of it."
    assert payload["text"] == f"No predictions for {day(LAST)}. {said}"
    assert (payload["state"], payload["severity"], payload["incident"]) == ("withdrawn", "critical", INCIDENT)
    assert str(post.letters[-1]["Subject"]).endswith(" kiosk 2 Jan, run again: withdrawn: no predictions for 2 Jan")
    assert WITHDRAWN.format(day="2 Jan") in body(post)
    assert (len(receiver.posted), len(post.letters)) == (2, 2)


def test_a_file_that_came_a_day_late_is_withdrawn_by_the_next_night_that_speaks(
    told: Kiosk, post: Post, receiver: Receiver
) -> None:
    deliver(told, LAST)
    deliver(told, LAST + 1)
    told.run(days(LAST, LAST + 1), *STAGE_NAMES)
    speak(told, LAST + 1)
    assert receiver.keys("/hook")[1:] == [f"{OPENED}-withdrawn"]
    assert str(post.letters[-1]["Subject"]).endswith(" kiosk 3 Jan: withdrawn: no predictions for 2 Jan")
    assert "What is new since then" not in body(post)
    assert WITHDRAWN.format(day="2 Jan") in body(post)
    assert len(post.letters) == 2


# what the rows and the ledger say ---------------------------------------------------------------------------------


def stands(kiosk: Kiosk, severity: str | None, state: str = "opened") -> None:
    """The rows of the night as it was run last: an incident of this severity, or none."""
    with kiosk.warehouse() as warehouse:
        for table in ("incidents", "outbox"):
            warehouse.execute(f"DELETE FROM {table}")
        if severity is None:
            return
        told = {"key": OPENED, "incident": INCIDENT, "state": state, "severity": severity, "title": "t", "text": "T."}
        row = {"model": "kiosk", "night": day(LAST), "incident": INCIDENT}
        incident = row | {"state": state, "severity": severity, "scope": "delivery", "title": "t", "opened": day(LAST)}
        put(warehouse, "incidents", incident)
        message = row | {"key": OPENED, "channel": "${HOOK}", "subject": "s", "payload": json.dumps(told)}
        put(warehouse, "outbox", message)


def put(warehouse: Warehouse, table: str, row: dict[str, Any]) -> None:
    columns = {name: kind for name, kind in tables.BY_NAME[table].columns.items() if name in row}
    warehouse.insert(table, pd.DataFrame([row]), columns)


def hears(kiosk: Kiosk, minute: int) -> list[tuple[str, str]]:
    """Hand over what is due, as a night does; its keys and texts."""
    with kiosk.warehouse() as warehouse, speaking(kiosk.spec.language):
        now = NOW + timedelta(minutes=minute)
        ledger.record(warehouse, f"kiosk-{day(LAST)}-speaks", "night", day(LAST), now, "")
        rows: list[dict[str, Any]] = ledger.pending(warehouse, day(LAST))
        rows += retold.due(kiosk.spec, warehouse, day(LAST), rows)
        ledger.record_all(warehouse, rows, now, "taken")
        return [(row["key"], row["payload"]["text"]) for row in rows]


def test_what_was_withdrawn_and_is_back_is_told_again_and_can_be_withdrawn_again(kiosk: Kiosk) -> None:
    heard = []
    for minute in range(5):
        stands(kiosk, None if minute % 2 else "critical")
        heard += hears(kiosk, minute) + hears(kiosk, minute)
    words = ["", "-withdrawn", "-withdrawn-back", "-withdrawn-back-withdrawn", "-withdrawn-back-withdrawn-back"]
    assert [key for key, _ in heard] == [OPENED + one for one in words]
    assert heard[2][1] == f"T. It had been withdrawn; the night of {day(LAST)} was run again since, and it is back."


def test_an_incident_that_was_told_as_a_warning_and_is_critical_now_is_told_again(kiosk: Kiosk) -> None:
    """The message has the same key, because it is the same incident on the same night."""
    heard = []
    for minute, severity in enumerate(("warning", "critical", "warning", "critical")):
        stands(kiosk, severity)
        heard += hears(kiosk, minute) + hears(kiosk, minute)
    said = f"T. It had been told as warning; the night of {day(LAST)} was run again since, and it is graver."
    assert heard == [(OPENED, "T."), (f"{OPENED}-graver", said)]


def test_what_is_over_or_was_told_before_the_ledger_kept_incidents_is_not_withdrawn(kiosk: Kiosk) -> None:
    stands(kiosk, "critical")
    hears(kiosk, 0)
    for change in ("state = 'resolved'", "incident = NULL, state = NULL, severity = NULL, title = NULL"):
        with kiosk.warehouse() as warehouse:
            warehouse.execute(f"UPDATE dispatches SET {change} WHERE channel = '${{HOOK}}'")
        stands(kiosk, None)
        assert hears(kiosk, 1) == []


def test_a_withdrawal_is_said_in_chinese(kiosk: Kiosk) -> None:
    kiosk.changes["language"] = "zh"
    stands(kiosk, "critical")
    hears(kiosk, 0)
    stands(kiosk, None)
    ((_, text),) = hears(kiosk, 1)
    assert text == f"T。以上消息撤回：{day(LAST)} 的夜间任务已重新运行，该事件不再存在，今后不会再就此通知。"
