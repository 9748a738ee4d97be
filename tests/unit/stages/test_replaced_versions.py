"""Days that a version answered which has been replaced since ask for no action, night after night the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.stages import incidents
from tests.unit.methods.given_breaches import day, verdict
from tests.unit.stages.test_incidents import LAST, fill, nights, spec_of, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROMOTED, FELL = 30, 26
"""v2 answers from day 30; what v1 did wrong on the days from 26 on is known a week later."""

LABELS = {"path": "l/{day}.csv", "ages": [7]}
SPEC = spec_of(labels=LABELS)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path, "shop", wait=5) as opened:
        yield opened


def versions(warehouse: Warehouse, *names: str) -> None:
    """Day by day, who answered: as many names as there are days."""
    rows = {
        "model": "shop", "version": names, "day": [day(number) for number in range(len(names))], "layer": "data",
        "metric": "volume", "feature": "", "segment": "all", "label_age": None, "value": 500.0, "n": 500,
        "lower": None, "upper": None, "state": "final", "reason": None,
    }  # fmt: skip
    warehouse.insert("metrics", pd.DataFrame(rows))


def fell(number: int, action: str, **changes: Any) -> dict[str, Any]:
    given = {"label_age": 7, "severity": "critical", "action": action, "rule": "accuracy drop 20%"}
    return verdict("accuracy", number, **(given | changes))


def decisions(warehouse: Warehouse) -> list[tuple[int, str]]:
    rows = warehouse.read("decisions").sort_values("night")
    return [((row.night.date() - day(0)).days, row.outcome) for row in rows.itertuples()]


@pytest.mark.parametrize("action", ["retrain", "fallback", "rollback"])
def test_accuracy_known_a_week_later_asks_nothing_of_the_version_promoted_meanwhile(
    warehouse: Warehouse, action: str
) -> None:
    versions(warehouse, *["v1"] * PROMOTED, *["v2"] * (LAST + 1 - PROMOTED))
    fill(warehouse, {number: [fell(number, action)] for number in range(FELL + 7, PROMOTED + 9)})
    incidents.run(SPEC, nights(0, LAST), warehouse)
    told = decisions(warehouse)
    assert told == [*((number, "held") for number in range(33, 37)), (37, "requested")]
    reason = warehouse.execute("SELECT reason FROM decisions ORDER BY night LIMIT 1").fetchall()[0][0]
    assert reason.endswith(
        "says nothing of the version that answers now: v1 answered on 2025-03-27, and v2 has answered since 2025-03-31"
    )


def test_of_two_nights_in_a_row_both_must_be_the_present_versions(warehouse: Warehouse) -> None:
    rule = {"metric": "accuracy", "below": 0.8, "nights": 2, "severity": "critical", "action": "fallback"}
    versions(warehouse, *["v1"] * PROMOTED, *["v2"] * (LAST + 1 - PROMOTED))
    fill(warehouse, {n: [fell(n, "fallback", rule="accuracy below 0.8")] for n in range(PROMOTED + 7, PROMOTED + 10)})
    incidents.run(spec_of(labels=LABELS, rules=[rule]), nights(0, LAST), warehouse)
    assert decisions(warehouse) == [(37, "held"), (38, "requested")]


def test_a_rule_with_the_same_words_for_another_feature_does_not_lend_its_nights(warehouse: Warehouse) -> None:
    """Two nights of drift in age, both v2's, ask; that the other feature is to drift for seven is no concern of theirs."""
    usual = {"metric": "psi", "above": 0.3, "severity": "critical", "action": "retrain"}
    rules = [usual | {"nights": 2}, usual | {"nights": 7, "features": ["browsing_minutes"]}]
    versions(warehouse, *["v1"] * PROMOTED, *["v2"] * (LAST + 1 - PROMOTED))
    given = {"feature": "age", "severity": "critical", "action": "retrain", "rule": "psi above 0.3"}
    fill(warehouse, {n: [verdict("psi", n, **given)] for n in (PROMOTED + 1, PROMOTED + 2)})
    incidents.run(spec_of(rules=rules), nights(0, LAST), warehouse)
    assert decisions(warehouse) == [(PROMOTED + 1, "requested")]
    evidence = json.loads(warehouse.execute("SELECT evidence FROM incidents ORDER BY night LIMIT 1").fetchall()[0][0])
    assert [item.get("in_a_row") for item in evidence if item["metric"] == "psi"] == [2]


def test_after_a_rollback_the_bad_version_is_rolled_back_no_further(warehouse: Warehouse) -> None:
    """v2 answered days 30 to 33; its labels come in when v1 is back, and v0 is not what anybody wants."""
    versions(warehouse, *["v0"] * 10, *["v1"] * 20, *["v2"] * 4, *["v1"] * (LAST - 33))
    late = {n: [fell(n, "rollback", version="v2", detector="previous_version")] for n in range(37, 41)}
    fill(warehouse, late)
    incidents.run(SPEC, nights(0, LAST), warehouse)
    assert decisions(warehouse) == [(number, "held") for number in range(37, 41)]
    payload = json.loads(warehouse.execute("SELECT payload FROM decisions ORDER BY night LIMIT 1").fetchall()[0][0])
    assert payload["versions"] == {"current": "v1", "previous": "v0"}


def test_night_by_night_says_the_same(warehouse: Warehouse) -> None:
    versions(warehouse, *["v1"] * PROMOTED, *["v2"] * (LAST + 1 - PROMOTED))
    fill(warehouse, {number: [fell(number, "retrain")] for number in range(FELL + 7, PROMOTED + 9)})
    incidents.run(SPEC, nights(0, LAST), warehouse)
    whole = written(warehouse)
    warehouse.reopen("incidents", None)
    for number in range(LAST + 1):
        incidents.run(SPEC, nights(number, number), warehouse)
    for name, rows in written(warehouse).items():
        pd.testing.assert_frame_equal(rows, whole[name])
