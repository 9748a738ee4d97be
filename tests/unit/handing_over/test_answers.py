"""What a person may still answer, and of which incidents the end is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobs import answers
from jobs.errors import UsageError
from tests.unit.handing_over.given_requests import (
    FIRST,
    INCIDENT,
    KEY,
    approve,
    live,
    model,
    speak,
    waiting,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.receivers import Receiver


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
