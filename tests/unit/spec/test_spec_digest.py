"""A stage's digest changes with what the stage depends on, and with nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import UsageError
from jobs.spec import ModelSpec
from jobs.spec.digest import stage_digest

STAGES = ("ingest", "statistics", "metrics", "anomalies", "incidents", "report")
BASE: dict[str, Any] = {
    "model": "shop",
    "predictions": {"path": "/p/{day}.csv", "columns": {"version": "v"}},
    "labels": {"path": "/l/{day}.csv", "ages": [7, 30]},
    "outcomes": {"path": "/o/{day}.csv", "columns": {"value": "eur"}, "unit": "EUR"},
    "features": {"price": "numeric", "country": "categorical"},
    "segments": ["country"],
    "rules": [{"metric": "psi", "above": 0.2}],
}

CHANGES: list[tuple[str | None, dict[str, Any]]] = [
    ("ingest", {"timezone": "Europe/Berlin"}),
    ("ingest", {"start": "2025-01-01"}),
    ("ingest", {"threshold": 0.4}),
    ("ingest", {"predictions": {"path": "/q/{day}.csv", "columns": {"version": "v"}}}),
    ("ingest", {"others": [{"path": "/s/{day}.csv", "role": "shadow"}]}),
    ("ingest", {"labels": {**BASE["labels"], "positive": "yes"}}),
    ("ingest", {"labels": {**BASE["labels"], "columns": {"predicted": "served_on"}}}),
    ("ingest", {"outcomes": {**BASE["outcomes"], "columns": {"value": "eur", "predicted": "served_on"}}}),
    ("ingest", {"features": {"price": "numeric"}}),
    ("ingest", {"features": {**BASE["features"], "price": {"kind": "numeric", "column": "p"}}}),
    ("ingest", {"segments": {"country": "country", "device": "device"}}),
    ("statistics", {"labels": {**BASE["labels"], "ages": [7, 60]}}),
    ("statistics", {"outcomes": {**BASE["outcomes"], "ages": [90]}}),
    ("statistics", {"reference": {"bins": 20}}),
    ("metrics", {"labels": {**BASE["labels"], "ages": [14, 30]}}),
    ("metrics", {"outcomes": {**BASE["outcomes"], "per": "prediction"}}),
    ("metrics", {"min_rows": 50}),
    ("metrics", {"features": {**BASE["features"], "price": {"kind": "numeric", "importance": 0.5}}}),
    ("anomalies", {"rules": [{"metric": "psi", "above": 0.25}]}),
    ("anomalies", {"rules": []}),
    ("anomalies", {"detection": {"limit": 6}}),
    ("incidents", {"mail": {"to": ["a@b.c"]}}),
    ("incidents", {"actions": {"retrain": {"cooldown_days": 3}}}),
    ("incidents", {"incidents": {"resolve_after": 5}}),
    ("incidents", {"owner": "someone else"}),
    ("incidents", {"description": "another sentence"}),
    ("incidents", {"outcomes": {**BASE["outcomes"], "unit": "USD"}}),
    (None, {"schedule": {"at": "06:00"}}),
    (None, {"retraining": {"approval": True}}),
]
"""What is changed, and the first stage that has to be done again for it."""


def digests(spec: ModelSpec) -> dict[str, str]:
    return {stage: stage_digest(spec, stage) for stage in STAGES}


@pytest.mark.parametrize(("first", "change"), CHANGES, ids=lambda value: str(value)[:60])
def test_a_change_reaches_its_stage_and_all_after_it_and_none_before(first: str | None, change: dict[str, Any]) -> None:
    before, after = digests(ModelSpec(**BASE)), digests(ModelSpec(**{**BASE, **change}))
    changed = [stage for stage in STAGES if before[stage] != after[stage]]
    assert changed == list(STAGES[STAGES.index(first) :] if first else ())


@given(st.lists(st.sampled_from(CHANGES), max_size=4, unique_by=lambda change: next(iter(change[1]))))
def test_changes_together_reach_as_far_as_the_earliest_of_them(
    changes: list[tuple[str | None, dict[str, Any]]],
) -> None:
    before = digests(ModelSpec(**BASE))
    after = digests(ModelSpec(**{**BASE, **{key: value for _, change in changes for key, value in change.items()}}))
    reached = [STAGES.index(first) for first, _ in changes if first]
    assert [before[stage] != after[stage] for stage in STAGES] == [
        position >= min(reached, default=len(STAGES)) for position in range(len(STAGES))
    ]


def test_what_is_said_in_another_order_or_form_is_the_same() -> None:
    turned = dict(reversed(BASE.items()))
    turned["features"] = {"country": {"kind": "categorical", "column": "country"}, "price": "numeric"}
    turned["segments"] = {"country": "country"}
    turned["labels"] = {**BASE["labels"], "ages": [30, 7, 7]}
    assert digests(ModelSpec(**turned)) == digests(ModelSpec(**BASE))


def test_a_digest_is_sha256_in_hex_and_stages_have_their_own() -> None:
    found = digests(ModelSpec(**BASE))
    assert all(len(digest) == 64 and int(digest, 16) for digest in found.values())
    assert len(set(found.values())) == len(STAGES)


def test_a_stage_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="no stage 'reporting'; known: ingest"):
        stage_digest(ModelSpec(**BASE), "reporting")
