"""What a task may try again, and what a person must set right first."""

from __future__ import annotations

import pytest

from jobs.errors import OrderError, UsageError


def test_a_night_that_another_one_has_reopened_is_tried_again() -> None:
    from dags.handover import sentences

    with pytest.raises(OrderError, match="no report yet"), sentences():
        raise OrderError("the night has no report yet")


def test_what_a_person_must_set_right_fails_at_once() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from dags.handover import sentences

    with pytest.raises(AirflowFailException, match="NIGHTJAR_SMTP is not set"), sentences():
        raise UsageError("NIGHTJAR_SMTP is not set")
