"""What a spec without faults is told all the same."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.spec.advice import notes
from jobs.spec.model import ModelSpec

LABELS = {"path": "labels/{day}.csv"}


def told(**changes: Any) -> list[str]:
    return list(notes(ModelSpec.model_validate({"model": "m", "predictions": {"path": "{day}.csv"}} | changes)))


def test_incidents_that_nobody_would_hear_of_are_named() -> None:
    assert told(mail={"to": ["a@example.org"]}) == []
    assert told(channels={"critical": ["${PAGER}"], "warning": ["log"]}) == []
    both = told()
    assert [one.split()[1] for one in both] == ["critical", "warning"]
    assert all("mail.to is empty" in one for one in both)


def test_an_action_that_nobody_carries_out_is_named_with_the_rule_that_asks_for_it() -> None:
    everybody = {"mail": {"to": ["a@example.org"]}, "labels": LABELS}
    (said,) = told(**everybody)  # of the default rules; conversion needs outcomes, which there are none of
    assert said.startswith("note: 'accuracy below 0.8' asks for a fallback, and nobody carries it out")
    assert told(**everybody, actions={"fallback": {"command": ["switch"]}}) == []
    assert told(**everybody, actions={"fallback": {"dry_run": True}}) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"mutes": [{"segment": "plann=new", "until": "2026-01-01"}]}, "'plann' is no segment of this spec"),
        ({"mutes": [{"incident": "typo", "until": "2026-01-01"}]}, "'typo' is no incident of m"),
        ({"retraining": {"metrics": []}}, "is an empty list"),
        ({"rules": [{"metric": "volume", "below": 9, "severity": "info", "action": "retrain"}]}, "is never asked for"),
        ({"rules": [{"metric": "equalized_odds_ratio", "below": 0.9, "segments": "each"}]}, "needs protected"),
        ({"protected": ["plan"], "rules": [{"metric": "equalized_odds_ratio", "below": 0.9}]}, "write segments: each"),
        ({"rules": [{"metric": "accuracy", "below": 0.8, "segments": ["plan="]}]}, "'plan=' is no segment"),
    ],
)  # fmt: skip
def test_what_could_never_work_is_a_fault(changes: dict[str, Any], fault: str) -> None:
    from jobs.spec.sense import faults

    known = {"model": "m", "predictions": {"path": "{day}.csv"}, "labels": LABELS, "segments": ["plan"]}
    found = [said for _, said in faults(ModelSpec.model_validate(known | changes))]
    assert len(found) == 1, found
    assert fault in found[0]
