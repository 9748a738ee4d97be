"""Specs whose words are right and whose meaning is not."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.spec import ModelSpec
from jobs.spec.document import spoken
from jobs.spec.sense import faults

SOUND: dict[str, Any] = {
    "model": "shop",
    "predictions": {"path": "/p/{day}.csv", "columns": {"version": "v", "latency_ms": "ms"}},
    "others": [{"path": "/s/{day}.csv", "role": "shadow"}],
    "labels": {"path": "/l/{day}.csv", "ages": [7, 30]},
    "outcomes": {"path": "/o/{day}.csv", "columns": {"value": "eur"}, "ages": [1], "unit": "EUR"},
    "features": {"price": "numeric", "country": "categorical"},
    "segments": {"country": "country"},
    "start": "2025-01-01",
}


def told(**changes: Any) -> list[str]:
    return [f"{spoken(path)} {sentence}" for path, sentence in faults(ModelSpec(**{**SOUND, **changes}))]


def rule(**parts: Any) -> list[str]:
    return told(rules=[parts])


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in SOUND.items() if name != key}


def test_a_sound_spec_has_no_fault() -> None:
    assert told() == []
    rules = [
        {"metric": "psi", "above": 0.2, "features": ["price", "score", "decision"]},
        {"metric": "accuracy", "drop": "5pp", "ages": [30], "segments": "each"},
        {"metric": "conversion", "drop": "5%", "against": "previous_version", "ages": [1]},
        {"metric": "latency_p95", "outside": "expected"},
    ]
    assert told(rules=rules) == []


@pytest.mark.parametrize("name", ["score", "day", "VERSION", "latency_ms"])
def test_a_feature_or_segment_may_not_take_a_name_that_every_prediction_has(name: str) -> None:
    assert f"features.{name} is a name that every prediction has" in told(features={name: "numeric"})[0]
    assert f"segments.{name} is a name that every prediction has" in told(segments={name: "x"})[0]


def test_a_segment_may_be_a_categorical_feature_of_the_same_column_and_nothing_else() -> None:
    assert told(segments={"country": "country"}) == []
    assert "segments.price is also a numeric feature" in told(segments=["price"])[0]
    assert "is read from 'land', as a feature from 'country'; rename one" in told(segments={"country": "land"})[0]


def test_names_that_differ_only_in_capitals_are_one_column_of_the_database() -> None:
    assert "differs from 'Price' only in capitals" in told(features={"Price": "numeric", "price": "numeric"})[0]


def test_a_segment_name_may_not_break_the_notation_column_equals_value() -> None:
    assert "may not be empty or hold = or ," in told(segments={"a=b": "a"})[0]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"metric": "psi", "above": 0.2, "features": ["prise"]}, "'prise' is no feature; known: price, country"),
        ({"metric": "psi", "above": 0.2, "features": ["prise"]}, "did you mean 'price'?"),
        ({"metric": "missing_rate", "above": 0.2, "features": ["score"]}, "'score' is no feature"),
        ({"metric": "psi", "above": 0.2, "features": []}, "rules[0].features is an empty list"),
        ({"metric": "recall", "drop": "15%", "features": ["price"]}, "rules[0].features mean nothing for recall"),
        ({"metric": "recall", "drop": "15%", "ages": [7, 8]}, "rules[0].ages[1] 8 is not among the ages of labels"),
        ({"metric": "value", "drop": "15%", "ages": [7]}, "7 is not among the ages of outcomes; known: 1"),
        ({"metric": "psi", "above": 0.2, "ages": [7]}, "rules[0].ages mean nothing for psi"),
        ({"metric": "psi", "above": 0.2, "segments": "each"}, "'each' means nothing for psi"),
        ({"metric": "accuracy", "below": 80}, "80 is no share; accuracy lies between 0 and 1; did you mean 0.8?"),
        ({"metric": "volume", "drop": "5pp"}, "'5pp' is in percentage points, but volume is no share"),
        ({"metric": "psi", "above": 0.2, "against": "reference"}, "rules[0].against counts only with drop or rise"),
        ({"metric": "recall", "outside": "expected"}, "add recall to detection.metrics"),
        ({"metric": "accuracy", "outside": "expected", "segments": "each"}, "has no expected ranges"),
    ],
)  # fmt: skip
def test_a_rule_that_could_never_speak_is_a_fault(parts: dict[str, Any], expected: str) -> None:
    assert any(expected in fault for fault in rule(**parts))


@pytest.mark.parametrize(
    ("missing", "metric", "expected"),
    [
        ("labels", "accuracy", "'accuracy' needs labels, and the spec has none"),
        ("outcomes", "conversion", "'conversion' needs outcomes, and the spec has none"),
        ("features", "missing_rate", "'missing_rate' needs features, and the spec has none"),
    ],
)
def test_a_rule_for_what_the_spec_lacks_is_a_fault_but_a_default_rule_is_not(
    missing: str, metric: str, expected: str
) -> None:
    bare = without(missing)
    assert list(faults(ModelSpec(**bare))) == []
    found = faults(ModelSpec(**bare, rules=[{"metric": metric, "rise": "10%"}]))
    assert [(spoken(path), sentence) for path, sentence in found] == [("rules[0].metric", expected)]


def test_value_and_latency_need_their_columns() -> None:
    bare = {"predictions": {"path": "/p/{day}"}, "outcomes": {"path": "/o/{day}"}}
    found = told(**bare, rules=[{"metric": metric, "drop": "9%"} for metric in ("value", "latency_p95")])
    assert "needs outcomes.columns.value" in found[0]
    assert "needs predictions.columns.latency_ms" in found[1]


def test_segments_each_needs_segments() -> None:
    assert "'each' needs segments" in told(segments={}, rules=[_accuracy(segments="each")])[0]


def test_previous_version_and_reference_versions_need_the_column_of_the_version() -> None:
    bare = {"predictions": {"path": "/p/{day}"}}
    assert "'previous_version' needs" in told(**bare, rules=[_accuracy(against="previous_version")])[0]
    assert "needs predictions.columns.version" in told(**bare, reference={"versions": {"v1": "/r"}})[0]


def _accuracy(**more: Any) -> dict[str, Any]:
    return {"metric": "accuracy", "drop": "10%", **more}


def test_the_same_rule_twice_is_a_fault() -> None:
    assert told(rules=[_accuracy(), _accuracy()]) == ["rules[1] says the same as rules[0]; keep one"]


def test_detection_of_what_cannot_exist_is_a_fault_only_where_it_is_asked_for() -> None:
    bare = without("outcomes")
    assert list(faults(ModelSpec(**bare))) == []
    found = [path for path, _ in faults(ModelSpec(**bare, detection={"metrics": ["volume", "conversion"]}))]
    assert found == [("detection", "metrics", 1)]


def test_roles_have_their_places() -> None:
    assert "predictions.role is shadow" in told(predictions={"path": "/p/{day}", "role": "shadow"})[0]
    assert "others[0].role must be shadow or challenger" in told(others=[{"path": "/s/{day}"}])[0]


def test_labels_without_a_day_in_their_path_need_a_timestamp() -> None:
    assert "labels.columns.timestamp must name" in told(labels={"path": "/l.csv", "ages": [7]})[0]
    assert told(labels={"path": "/l.csv", "columns": {"timestamp": "known_at"}}) == []


@pytest.mark.parametrize("path", ["/p/{date}.csv", "/p/{day:%Y}.csv"])
def test_only_the_day_may_stand_in_braces(path: str) -> None:
    assert "only {day} is known" in told(predictions={"path": path})[0]


def test_references_have_no_day_and_no_window_before_the_start() -> None:
    assert "has {day}; a reference is one file" in told(reference={"file": "/r/{day}.csv"})[0]
    window = {"first": "2024-12-01", "last": "2025-02-01"}
    assert "before the first day watched" in told(reference={"window": window})[0]


def test_histories_and_addresses_are_checked() -> None:
    assert "less than min_history" in told(detection={"min_history": 90, "max_history": 60})[0]
    assert told(mail={"to": ["a@b.c", "nobody"]}) == ["mail.to[1] 'nobody' is not a mail address"]


def test_a_unit_without_a_value_counts_nothing() -> None:
    assert "outcomes.columns.value names no column" in told(outcomes={"path": "/o/{day}", "unit": "EUR"})[0]


def test_rules_on_data_and_service_need_what_they_are_made_of() -> None:
    assert "needs predictions.columns.error" in rule(metric="error_rate", above=0.01)[0]
    assert "needs prometheus.cpu" in rule(metric="cpu_cores", above=4.0)[0]
    assert "needs the importance of at least one feature" in rule(metric="model_drift", above=0.3)[0]
    lacking = told(features={"price": "numeric"}, rules=[{"metric": "unseen_rate", "above": 0.1}])
    assert "needs a categorical feature" in lacking[0]
    assert rule(metric="unseen_rate", above=0.1, features=["country"]) == []
    assert rule(metric="outlier_rate", rise="5pp") == []
    assert "which is computed for whole days" in rule(metric="throughput", above=9.0, segments="each")[0]
    prometheus = {"url": "http://localhost:9090", "memory": "process_resident_memory_bytes"}
    assert told(prometheus=prometheus, rules=[{"metric": "memory_mb", "above": 500.0}]) == []


def test_a_reference_moves_by_window_or_by_weekday_and_not_by_both() -> None:
    with pytest.raises(ValueError, match="at most one of rolling, weekdays"):
        told(reference={"rolling": {"days": 14}, "weekdays": 4})
    assert told(reference={"file": "/r.csv", "rolling": {"days": 14, "gap": 7}}) == []
