"""A receiver of requests and messages that answers as a test wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.receivers import Receiver, http_receiver

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with http_receiver() as server:
        monkeypatch.setenv("SWITCH", f"{server.url}/switch")
        monkeypatch.setenv("PAGER", f"{server.url}/pager")
        yield server
