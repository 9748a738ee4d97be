"""A night whose mail nobody took is named after an hour, told over the channels that live, and forgotten once heard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from jobs import delivery, health
from jobs.cli import main
from jobs.errors import DeliveryError, OrderError
from jobs.owed import owed, owing
from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days
from tests.receivers import http_receiver, mail_server

if TYPE_CHECKING:
    from pathlib import Path

NIGHT = day(2)
NOW = datetime(2025, 3, 1, 5, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def ready(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> Kiosk:
    """A night with its report, whose mail goes to a server that is down."""
    kiosk.changes |= {
        "labels": None, "outcomes": None, "mail": {"to": ["night@example.org"], "when": "always"},
        "channels": {"critical": ["${HOOK}"]}, "rules": [{"metric": "psi", "above": 50.0}],
    }  # fmt: skip
    for number in (1, 2):
        kiosk.predict(number, [f"{number}-{row}" for row in range(60)])
    kiosk.run(days(1, 2), *STAGE_NAMES)
    with kiosk.warehouse() as warehouse:
        warehouse.publish()
    monkeypatch.setenv(delivery.SERVER, "smtp://127.0.0.1:1")
    return kiosk


def test_a_dead_mail_server_is_told_over_a_channel_that_lives_once_and_is_over_when_the_mail_went(
    ready: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        with pytest.raises(DeliveryError):
            delivery.mail(ready.spec, NIGHT, ready.home, NIGHT)
    soon = datetime.now(UTC)
    morning = soon + timedelta(hours=2)
    assert health.health_of(ready.spec, ready.home, soon).owed == ()  # it may be back in a minute
    (unheard,) = health.health_of(ready.spec, ready.home, morning).owed
    assert f"kiosk: what the night of {NIGHT} tells is not all handed over since " in str(unheard)
    assert "127.0.0.1" in unheard.reason
    with http_receiver() as server:
        monkeypatch.setenv("HOOK", f"{server.url}/hook")
        for hours in (0, 1):
            health.tell_late([ready.spec], ready.home, morning + timedelta(hours=hours))
        told = [payload["text"] for _, _, payload in server.posted if payload["state"] == "unheard"]
        assert told == [str(unheard)]
    with mail_server() as post:
        monkeypatch.setenv(delivery.SERVER, post.url)
        delivery.mail(ready.spec, NIGHT, ready.home, NIGHT)
        assert len(post.letters) == 1
    assert owed(ready.home, "kiosk", morning) == []


def test_a_night_that_hangs_on_its_models_file_is_owed_too(ready: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """What ends a process, or a task at its time limit."""

    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr("jobs.delivery.open_warehouse", killed)
    with pytest.raises(Killed):
        delivery.mail(ready.spec, NIGHT, ready.home, NIGHT)
    (unheard,) = owed(ready.home, "kiosk", datetime.now(UTC) + timedelta(hours=1))
    assert unheard.reason == "it was begun and did not end"


def test_the_next_night_that_is_heard_settles_those_before_it_and_none_after(tmp_path: Path) -> None:
    for number in (1, 2, 4):
        with pytest.raises(DeliveryError), owing(tmp_path, "kiosk", day(number), NOW):
            raise DeliveryError("the server is down")
    with owing(tmp_path, "kiosk", day(3), LATER):
        pass
    assert [one.night for one in owed(tmp_path, "kiosk", LATER)] == [day(4)]


def test_a_night_without_a_report_owes_nothing(tmp_path: Path) -> None:
    with pytest.raises(OrderError), owing(tmp_path, "kiosk", NIGHT, NOW):
        raise OrderError("it has no report yet")
    assert owed(tmp_path, "kiosk", LATER) == []


def test_a_night_whose_report_is_being_made_again_stays_owed(tmp_path: Path) -> None:
    for error in (DeliveryError("the server is down"), OrderError("it has no report yet")):
        with pytest.raises(type(error)), owing(tmp_path, "kiosk", NIGHT, NOW):
            raise error
    assert [(one.since, one.reason) for one in owed(tmp_path, "kiosk", LATER)] == [(NOW, "the server is down")]


def test_trying_again_does_not_begin_the_hour_anew(tmp_path: Path) -> None:
    for tried in (NOW, LATER):
        with pytest.raises(DeliveryError), owing(tmp_path, "kiosk", NIGHT, tried):
            raise DeliveryError("the server is down")
    assert [one.since for one in owed(tmp_path, "kiosk", LATER)] == [NOW]


def test_the_command_names_it_and_its_status_is_1(
    kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "kiosk.yaml").write_text(
        "model: kiosk\npredictions: {path: 'x/{day}.csv'}\n", encoding="utf-8"
    )
    monkeypatch.setenv("NIGHTJAR_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NIGHTJAR_HOME", str(tmp_path))
    with pytest.raises(DeliveryError), owing(tmp_path, "kiosk", NIGHT, NOW):
        raise DeliveryError("the server is down")
    said = CliRunner().invoke(main, ["health"])
    assert said.exit_code == 1
    assert f"OWED  kiosk: what the night of {NIGHT} tells is not all handed over" in said.output
