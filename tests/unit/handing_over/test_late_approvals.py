"""An approval that comes too late starts nothing and says why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from jobs import ledger, offering
from jobs.engine.warehouse import open_warehouse
from jobs.errors import DeliveryError
from tests.unit.handing_over.given_requests import (
    FIRST,
    INCIDENT,
    KEY,
    SECOND,
    approve,
    live,
    model,
    speak,
    two_needs,
    waiting,
)
from tests.unit.methods.given_breaches import day

if TYPE_CHECKING:
    from pathlib import Path

    from tests.receivers import Receiver


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
