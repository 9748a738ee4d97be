"""The incidents stage on a real DuckDB file, from verdicts written by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.periods import Period
from jobs.spec.model import ModelSpec
from jobs.stages import incidents
from tests.unit.methods.given_breaches import day, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLES = ("incidents", "decisions", "outbox")
LAST = 60


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path, "shop", wait=5) as opened:
        yield opened


def spec_of(**changes: Any) -> ModelSpec:
    given: dict[str, Any] = {
        "model": "shop",
        "predictions": {"path": "p/{day}.csv"},
        "labels": {"path": "l/{day}.csv", "ages": [1, 7]},
        "features": {"age": "numeric", "browsing_minutes": {"kind": "numeric", "importance": 0.6}},
        "segments": ["plan"],
    }
    return ModelSpec.model_validate(given | changes)


def fill(warehouse: Warehouse, found: dict[int, list[dict[str, Any]]], labels: int = 100) -> None:
    """Verdicts of nights 0 to LAST: these breaches, and otherwise everything ok."""
    rows = []
    for number in range(LAST + 1):
        rows += [row | {"night": day(number), "verdict": "breach"} for row in found.get(number, [])]
        for metric, age in (("psi", None), ("accuracy", 1), ("accuracy", 7), ("volume", None)):
            quiet = verdict(metric, number, label_age=age, rule=f"{metric} is fine")
            rows.append(quiet | {"night": day(number), "verdict": "ok"})
    frame = pd.DataFrame(rows).assign(model="shop", distance=None)
    frame["label_age"] = frame["label_age"].astype("Int64")
    warehouse.insert("verdicts", frame)
    known = [day(number) for number in range(LAST + 1)]
    arrived = {"known_day": known, "source": "labels", "n": labels, "n_corrected": 0, "n_unknown": 0}
    warehouse.insert("arrival_statistics", pd.DataFrame(arrived))


def drift(number: int, **changes: Any) -> dict[str, Any]:
    given = {"feature": "browsing_minutes", "value": 1.24, "expected": None, "detector": "bound"}
    return verdict("psi", number, **(given | changes))


RETRAIN = {"severity": "critical", "action": "retrain"}


def busy() -> dict[int, list[dict[str, Any]]]:
    """Drift that costs accuracy, a segment of its own, late labels, a second drift within the cool-down, a reopening."""
    found: dict[int, list[dict[str, Any]]] = {}
    for number in range(5, 12):
        found.setdefault(number, []).append(drift(number, **(RETRAIN if number > 6 else {})))
        found.setdefault(number + 1, []).append(verdict("accuracy", number + 1, label_age=1))
        found.setdefault(number + 7, []).append(verdict("accuracy", number + 7, label_age=7))
    for number in range(30, 34):
        found.setdefault(number, []).append(verdict("accuracy", number, label_age=1, segment="plan=new"))
    for number in range(18, 22):
        found.setdefault(number, []).append(drift(number, feature="age", **RETRAIN))
    for number in range(40, 44):
        found.setdefault(number, []).append(drift(number))
    for number in (47, 48):  # it is over on night 46
        found.setdefault(number, []).append(verdict("accuracy", number, label_age=7, severity="critical"))
    return found


def nights(first: int, last: int) -> Period:
    return Period(day(first), day(last))


def written(warehouse: Warehouse) -> dict[str, pd.DataFrame]:
    return {name: warehouse.execute(f"SELECT * FROM {name} ORDER BY ALL").df() for name in TABLES}


def test_a_story_is_one_incident_from_its_first_night_to_its_last(warehouse: Warehouse) -> None:
    fill(warehouse, {5: [drift(5)], 6: [drift(6), verdict("accuracy", 6, label_age=1)]})
    incidents.run(spec_of(), nights(0, LAST), warehouse)
    rows = warehouse.read("incidents").sort_values("night")
    assert rows["incident"].unique().tolist() == ["shop-2025-03-06-behaviour"]
    assert rows["state"].tolist() == ["opened", "ongoing", "ongoing", "ongoing", "resolved"]
    assert rows["title"].iloc[-1] == "browsing_minutes drifted (PSI 1.24) → accuracy 80.0 % (recently 95.0 %)"
    evidence = json.loads(rows["evidence"].iloc[-1])
    assert [item["metric"] for item in evidence] == ["psi", "accuracy"]
    assert set(evidence[0]) >= {
        "metric", "feature", "segment", "version", "label_age", "day", "value", "n", "expected", "rule", "severity",
        "reason", "weight", "role", "first_day", "last_day", "nights",
    }  # fmt: skip


def test_nights_one_by_one_twice_and_in_any_order_write_what_a_range_writes(warehouse: Warehouse) -> None:
    fill(warehouse, busy())
    spec = spec_of()
    incidents.run(spec, nights(0, LAST), warehouse)
    whole = written(warehouse)
    assert {name: len(rows) > 0 for name, rows in whole.items()} == dict.fromkeys(TABLES, True)
    warehouse.reopen("incidents", None)
    for number in range(LAST + 1):
        incidents.run(spec, nights(number, number), warehouse)
        if number % 7 == 0:  # a re-run of a night long gone
            incidents.run(spec, nights(number // 2, number // 2), warehouse)
    incidents.run(spec, nights(10, 25), warehouse)
    for name, rows in written(warehouse).items():
        pd.testing.assert_frame_equal(rows, whole[name])


def test_an_incident_that_late_labels_reopen_is_as_long_as_its_second_life(warehouse: Warehouse) -> None:
    """Also where every night is run by itself, so that it is read back: reopened on night 47, over again on 50."""
    fill(warehouse, busy())
    for number in range(LAST + 1):
        incidents.run(spec_of(), nights(number, number), warehouse)
    mails = warehouse.read("outbox").query("incident == 'shop-2025-04-10-behaviour'").sort_values("night")
    assert [subject.partition(": ")[0] for subject in mails["subject"]] == [
        "[warning] shop", "[resolved] shop, after 4 nights", "[critical] shop, open again",
        "[resolved] shop, after 1 night",
    ]  # fmt: skip


def test_a_retrain_is_requested_once_and_held_while_it_cools_down(warehouse: Warehouse) -> None:
    fill(warehouse, busy())
    incidents.run(spec_of(), nights(0, LAST), warehouse)
    rows = warehouse.read("decisions").sort_values("night")
    told = [(row.night.date(), row.outcome, row.reason) for row in rows.itertuples()]
    assert told[0][:2] == (day(7), "requested")
    assert told[1] == (day(18), "held", f"retrain was last requested on {day(7)}; it cools down until {day(21)}")
    assert [(night, outcome) for night, outcome, _ in told[1:]] == [
        (day(18), "held"), (day(19), "held"), (day(20), "held"), (day(21), "requested"),
    ]  # fmt: skip
    triggers = warehouse.read("outbox").query("channel == 'retrain'")
    assert triggers["key"].tolist() == ["shop-2025-03-06-behaviour-retrain", "shop-2025-03-19-behaviour-retrain"]


def releases(warehouse: Warehouse, versions: dict[int, str]) -> None:
    """Volumes of nights 0 to LAST: from each of these nights on that version answers everything."""
    names, name = [], ""
    for number in range(LAST + 1):
        name = versions.get(number, name)
        names.append(name)
    rows = {
        "model": "shop", "version": names, "day": [day(number) for number in range(LAST + 1)], "layer": "data",
        "metric": "volume", "feature": "", "segment": "all", "label_age": None, "value": 500.0, "n": 500,
        "lower": None, "upper": None, "state": "final", "reason": None,
    }  # fmt: skip
    warehouse.insert("metrics", pd.DataFrame(rows))


def test_a_version_as_bad_as_the_one_rolled_back_is_asked_about_too_in_a_range_as_in_nights(
    warehouse: Warehouse,
) -> None:
    """v2 is bad on night 10, v1 is back from 12 on, v3 comes on night 15 and is bad; drift that never ends keeps it
    all one incident, and asks for retrainings."""
    versions = {0: "v1", 9: "v2", 12: "v1", 15: "v3"}
    releases(warehouse, versions)
    found = {number: [drift(number, action="retrain")] for number in range(5, LAST + 1)}
    fallen = {"label_age": 1, "detector": "previous_version", "severity": "critical", "action": "rollback"}
    for number in (10, *range(16, LAST + 1)):
        found[number].append(verdict("conversion", number, version="v2" if number == 10 else "v3", **fallen))
    fill(warehouse, found)
    incidents.run(spec_of(), nights(0, LAST), warehouse)
    whole = written(warehouse)
    assert set(whole["incidents"]["incident"]) == {"shop-2025-03-06-behaviour"}
    key = "shop-2025-03-06-behaviour"
    rows = warehouse.execute(
        "SELECT action, key, outcome, MIN(night), payload->>'$.versions.current' FROM decisions "
        "GROUP BY ALL ORDER BY action, MIN(night)"
    ).fetchall()
    assert [(action, name.removeprefix(key), outcome, first, of) for action, name, outcome, first, of in rows] == [
        ("retrain", "-retrain", "requested", day(5), "v1"),
        ("retrain", "-retrain-2", "held", day(9), "v2"),
        ("retrain", "-retrain-2", "held", day(15), "v3"),
        ("retrain", "-retrain-2", "requested", day(19), "v3"),
        ("retrain", "-retrain-3", "requested", day(47), "v3"),
        ("rollback", "-rollback", "requested", day(10), "v2"),
        ("rollback", "-rollback-2", "held", day(16), "v3"),
        ("rollback", "-rollback-2", "requested", day(24), "v3"),
        ("rollback", "-rollback-3", "requested", day(52), "v3"),
    ]  # fmt: skip
    warehouse.reopen("incidents", None)
    for number in range(LAST + 1):
        incidents.run(spec_of(), nights(number, number), warehouse)
        if number % 9 == 0:
            incidents.run(spec_of(), nights(number // 2, number // 2), warehouse)
    for name, again in written(warehouse).items():
        pd.testing.assert_frame_equal(again, whole[name])


def test_fresh_labels_are_those_of_the_last_28_days(warehouse: Warehouse) -> None:
    fill(warehouse, {40: [drift(40, **RETRAIN)]}, labels=17)
    incidents.run(spec_of(), nights(0, LAST), warehouse)
    (row,) = warehouse.read("decisions").itertuples()
    assert (row.outcome, row.reason) == ("held", "476 labels arrived in the last 28 days, retrain needs 500")


def test_every_message_has_a_key_of_its_own(warehouse: Warehouse) -> None:
    fill(warehouse, busy())
    incidents.run(spec_of(), nights(0, LAST), warehouse)
    outbox = warehouse.read("outbox")
    assert outbox["key"].is_unique
    assert {json.loads(payload)["version"] for payload in outbox["payload"]} == {1}
    assert all(json.loads(row.payload)["key"] == row.key for row in outbox.itertuples())


def test_a_rollback_names_the_version_to_go_back_to(warehouse: Warehouse) -> None:
    volume = [(number, "v1" if number < 30 else "v2") for number in range(LAST + 1)]
    warehouse.insert(
        "metrics",
        pd.DataFrame(
            {
                "model": "shop", "version": [name for _, name in volume], "day": [day(number) for number, _ in volume],
                "layer": "data", "metric": "volume", "feature": "", "segment": "all", "label_age": None, "value": 500.0,
                "n": 500, "lower": None, "upper": None, "state": "final", "reason": None,
            }
        ),
    )  # fmt: skip
    dropped = verdict(
        "conversion", 32, label_age=1, version="v2", value=0.088, expected=0.1, detector="previous_version",
        severity="critical", action="rollback",
    )  # fmt: skip
    fill(warehouse, {32: [dropped]})
    incidents.run(spec_of(), nights(0, LAST), warehouse)
    (row,) = warehouse.read("decisions").itertuples()
    payload = json.loads(row.payload)
    assert (row.action, row.outcome) == ("rollback", "requested")
    assert payload["versions"] == {"current": "v2", "previous": "v1"}
    assert payload["reason"] == "new version v2 → conversion 8.8 % (v1: 10.0 %)"


def test_late_labels_of_an_incidents_days_open_no_second_one(warehouse: Warehouse) -> None:
    fill(warehouse, busy())
    incidents.run(spec_of(), nights(0, LAST), warehouse)
    opened = warehouse.read("incidents").query("state == 'opened'").sort_values("night")
    assert opened["scope"].tolist() == ["behaviour", "behaviour", "behaviour:plan=new", "behaviour"]
    assert opened["night"].dt.date.tolist() == [day(5), day(18), day(30), day(40)]


def test_quiet_nights_write_nothing(warehouse: Warehouse) -> None:
    fill(warehouse, {})
    summary = incidents.run(spec_of(), nights(0, LAST), warehouse)
    assert summary.rows == dict.fromkeys(TABLES, 0)


def test_an_empty_warehouse_is_walked_without_error(warehouse: Warehouse) -> None:
    assert incidents.run(spec_of(), nights(0, 3), warehouse).rows == dict.fromkeys(TABLES, 0)


def test_a_collapse_within_a_lasting_drift_is_told_once_by_a_range_and_by_its_nights(warehouse: Warehouse) -> None:
    """Seventy features drift for good, critical; accuracy is low from night 8 and a ruin from night 45."""
    found = {
        number: [drift(number, feature=f"f{one}", severity="critical") for one in range(70)] for number in range(5, 61)
    }
    for number in range(8, LAST + 1):
        ruin = {"severity": "critical", "value": 0.5} if number >= 45 else {}
        found[number].append(verdict("accuracy", number, label_age=1, **ruin))
    fill(warehouse, found)
    spec = spec_of(channels={"repeat_after": None})
    incidents.run(spec, nights(0, LAST), warehouse)
    told = [json.loads(payload)["state"] for payload in warehouse.read("outbox").sort_values("night")["payload"]]
    assert told == ["opened", "grown", "grown"]
    assert warehouse.read("outbox")["night"].max() == pd.Timestamp(day(45))
    whole = written(warehouse)
    for first, last in ((45, 45), (8, 20), (46, 46), (21, 60), (45, 60)):
        incidents.run(spec, nights(first, last), warehouse)
    for name, rows in written(warehouse).items():
        pd.testing.assert_frame_equal(rows, whole[name], check_exact=True)
