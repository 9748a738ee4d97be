"""Requests reach who carries them out, whatever else is broken, and only while they still make sense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jobs import delivery
from jobs.engine.warehouse import open_warehouse
from jobs.errors import DeliveryError
from jobs.stages import incidents
from tests.receivers import Receiver, http_receiver
from tests.unit.methods.given_breaches import day
from tests.unit.stages.test_incidents import RETRAIN, drift, fill, nights, spec_of

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
