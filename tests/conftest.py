"""Fixtures for all tests, the switch that rewrites goldens, and the closed network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kiosk import Kiosk
from tests.receivers import mail_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receivers import Post

PROJECT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="rewrite golden files instead of comparing with them")


@pytest.fixture
def rewrite_goldens(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--golden"))


@pytest.fixture
def kiosk(tmp_path: Path) -> Kiosk:
    made = Kiosk(tmp_path)
    made.reference()
    return made


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """A real mail server, to which nights hand their mails."""
    from jobs import delivery

    with mail_server() as server:
        monkeypatch.setenv(delivery.SERVER, server.url)
        yield server


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets; a run without it fails, because it would prove nothing."""
    folder = Path(os.environ.get("NIGHTJAR_DATA") or PROJECT.parent / "shared" / "data")
    if not (folder / "hotel").is_dir():
        pytest.fail(f"the real data is not in {folder}; set NIGHTJAR_DATA to the folder that holds hotel/ and flights/")
    return folder
