"""A payload that a retraining, a rollback or a fallback cannot use is refused before anything is done."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.errors import UsageError
from jobs.retraining.request import parse_request
from tests.toy import PAYLOAD


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": 2}, "version is 2; this consumer understands 1"),
        ({"model": ""}, "model is ''; a text is needed"),
        ({"reason": None}, "reason is None; a text is needed"),
        ({"metrics": ["psi"]}, "metrics is ['psi']; a list of mappings is needed"),
        ({"days": ["2025-03-10"]}, "days is ['2025-03-10']; a mapping is needed"),
        ({"night": "11 March"}, "'11 March' is not a day"),
        ({"night": 20250101}, "night is 20250101; a day written as YYYY-MM-DD is needed"),
        ({"action": "rollback"}, "action is 'rollback'; only retrain is done here"),
        ({"key": "../../etc"}, "key '../../etc' cannot name a folder"),
        ({"key": ".."}, "key '..' cannot name a folder"),
        ({"reasons": "x"}, "'reasons' is unknown; known: version, model, reason, key"),
    ],
)
def test_a_payload_that_cannot_be_used_is_refused_naming_the_fault(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_request(PAYLOAD | change)
    assert fault in str(refused.value)


def test_a_payload_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(UsageError, match=r"the payload is \[1\]; a mapping is needed"):
        parse_request([1])  # type: ignore[arg-type]


def test_a_rollback_is_read_by_whoever_rolls_back_and_by_nobody_else() -> None:
    asked = PAYLOAD | {"action": "rollback"}
    assert parse_request(asked, "rollback").evidence["versions"] == {"current": "v1", "previous": None}
    with pytest.raises(UsageError, match=r"the fallback was asked for .* only fallback is done here"):
        parse_request(asked, "fallback")
