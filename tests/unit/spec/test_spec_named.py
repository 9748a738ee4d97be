"""What a rule may name: every metric there is, where it exists for this model, over the series it is told of."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from jobs.methods.definitions import BY_NAME, DEFINITIONS
from jobs.spec import ModelSpec, Rule
from jobs.spec.document import spoken
from jobs.spec.named import FAMILY, MetricName, is_share
from jobs.spec.sense import faults
from jobs.spec.sense_rules import lacking

EVERYTHING: dict[str, Any] = {
    "model": "shop",
    "predictions": {
        "path": "/p/{day}.csv",
        "columns": {"version": "v", "latency_ms": "ms", "error": "failed", "decision": "said"},
    },
    "others": [{"path": "/s/{day}.csv", "role": "shadow", "columns": {"decision": "said"}}],
    "labels": {"path": "/l/{day}.csv", "ages": [7]},
    "outcomes": {"path": "/o/{day}.csv", "columns": {"value": "eur", "clicked": "clicked"}},
    "features": {"price": {"kind": "numeric", "importance": 0.5}, "colour": "categorical"},
    "segments": ["country", "device"],
    "protected": ["country"],
    "drift": ["js", "ks", "wasserstein", "wasserstein_units", "chi2", "l_infinity", "hellinger", "mean_shift"],
    "prometheus": {"url": "http://localhost:9090", "cpu": "c", "memory": "m"},
}
OF_NUMBERS: dict[str, Any] = {
    "predictions": EVERYTHING["predictions"] | {"columns": EVERYTHING["predictions"]["columns"] | {"decision": None}},
    "others": [{"path": "/s/{day}.csv", "role": "shadow"}],
    "protected": [],
}
"""What differs where there is no decision."""


def told(rule: dict[str, Any], **changes: Any) -> list[str]:
    spec = ModelSpec.model_validate(EVERYTHING | changes | {"rules": [rule]})
    return [f"{spoken(path)} {sentence}" for path, sentence in faults(spec)]


def test_every_metric_that_is_stored_has_a_rule_but_the_limits_that_belong_to_a_distance() -> None:
    limits = {definition.name for definition in DEFINITIONS if definition.name.endswith("_null_limit")}
    assert set(get_args(MetricName)) == set(BY_NAME) - limits
    assert set(FAMILY) == set(get_args(MetricName))


def test_a_spec_knows_which_metrics_lie_between_0_and_1() -> None:
    """By the table of definitions; a mean score does unless the score is a predicted number."""
    shares = {name for name in FAMILY if is_share(name, "binary")}
    assert shares == {name for name in FAMILY if BY_NAME[name].scale == "rate"} | {"score_mean"}
    assert not is_share("score_mean", "regression")


def test_what_a_family_needs_is_what_its_definitions_say() -> None:
    of_labels = {"labels", "scores", "classes", "class", "errors", "estimates", "reweighting"}
    for name, family in FAMILY.items():
        needs = BY_NAME[name].needs
        assert ("outcomes" in family.needs) == (needs in {"outcomes", "actions", "changes"}), name
        if needs in of_labels:
            assert family.needs == ("labels",), name
        assert (family.holds == "class") == (needs == "class"), name
        assert (family.segments in ("groups", "gaps")) == (needs == "groups"), name


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_model_that_has_everything_can_name_all_metrics_of_its_task(task: str) -> None:
    changes = {"task": task} | (OF_NUMBERS if task == "regression" else {})
    spec = ModelSpec.model_validate(EVERYTHING | changes)
    for name, family in FAMILY.items():
        assert (lacking(spec, name) is None) == (task in family.tasks), name


@pytest.mark.parametrize(
    "rule",
    [
        {"metric": "latency_p50", "above": 300.0},
        {"metric": "latency_p99", "rise": "20%"},
        {"metric": "throughput", "drop": "30%"},
        {"metric": "selection_rate", "above": 0.5, "segments": "each"},
        {"metric": "true_positive_rate", "drop": "10pp", "segments": ["country=FR"]},
        {"metric": "demographic_parity_difference", "above": 0.2, "segments": ["country=*"]},
        {"metric": "accuracy_reweighted", "below": 0.7, "features": ["country"]},
        {"metric": "column_gone", "above": 0, "features": ["price", "whatever"]},
        {"metric": "constant_column", "above": 0},
        {"metric": "wasserstein_units", "above": 4.0, "features": ["price", "score"]},
        {"metric": "delivery_age", "above": 2, "segments": ["source=labels"]},
        {"metric": "duplicate_rate", "above": 0.1, "segments": ["source=shadow"]},
        {"metric": "memory_mb_peak", "above": 900},
    ],
)
def test_a_rule_can_name_it(rule: dict[str, Any]) -> None:
    assert told(rule) == []


@pytest.mark.parametrize(
    ("rule", "task", "expected"),
    [
        ({"metric": "r2", "below": 0.5}, "binary", "'r2' is measured with task regression, and this model's is binary; "),
        ({"metric": "r2", "below": 0.5}, "binary", "possible are coverage, accuracy, precision, recall, f1, roc_auc"),
        ({"metric": "f1_macro", "below": 0.5}, "binary", "'f1_macro' is measured with task multiclass"),
        ({"metric": "recall", "below": 0.5}, "multiclass", "possible are coverage, accuracy, precision_macro, recall_m"),
        ({"metric": "roc_auc", "below": 0.5}, "regression", "possible are coverage, mae, rmse, mape, r2, bias"),
        ({"metric": "accuracy", "below": 0.5}, "regression", "is measured with task binary or multiclass"),
        ({"metric": "score_mean", "above": 120.0}, "regression", ""),
        ({"metric": "psi", "above": 0.2, "features": ["decision"]}, "regression", "'decision' is no feature"),
        ({"metric": "class_recall", "below": 0.6, "classes": ["kept", 1]}, "multiclass", ""),
        ({"metric": "class_recall", "below": 0.6, "features": ["kept"]}, "multiclass", "features mean nothing for class"),
        ({"metric": "recall", "below": 0.6, "classes": ["1"]}, "binary", "rules[0].classes mean nothing for recall; they "),
        ({"metric": "ks", "above": 0.2, "features": ["colour"]}, "binary", "'colour' is categorical, and ks is of numeric"),
        ({"metric": "selection_rate", "above": 0.5}, "binary", "the rate of a group; write segments: each"),
        ({"metric": "selection_rate", "above": 0.5, "segments": ["device=x"]}, "binary", "'device' is not among the prot"),
        ({"metric": "demographic_parity_ratio", "below": 0.5, "segments": ["country=FR"]}, "binary", "write country=*"),
        ({"metric": "duplicate_rate", "above": 0.1, "segments": ["source=lables"]}, "binary", "did you mean 'source=lab"),
        ({"metric": "column_gone", "drop": "10%"}, "binary", "which is 1 on odd days and absent on others; write above: 0"),
        ({"metric": "recall", "drop": "10%", "against": "reference"}, "binary", "'reference' keeps no recall"),
    ],
)  # fmt: skip
def test_what_cannot_exist_for_a_model_is_a_fault_that_says_what_can(
    rule: dict[str, Any], task: str, expected: str
) -> None:
    changes = {"regression": OF_NUMBERS, "multiclass": {"protected": []}}.get(task, {})
    found = told(rule, task=task, **changes)
    assert (expected in found[0]) if expected else (found == [])


@pytest.mark.parametrize(
    ("metric", "changes", "expected"),
    [
        ("click_through", {"outcomes": {"path": "/o/{day}"}}, "needs outcomes.columns.clicked"),
        ("lift", {"outcomes": None}, "needs outcomes, and the spec has none"),
        ("model_up_business_down", {"outcomes": None}, "needs outcomes, and the spec has none"),
        ("model_change_z", {"predictions": {"path": "/p/{day}"}}, "needs predictions.columns.version"),
        ("latency_p99", {"predictions": {"path": "/p/{day}"}}, "needs predictions.columns.latency_ms"),
        ("accuracy_reweighted", {"segments": [], "protected": []}, "needs segments, and the spec has none"),
        ("mean_shift", {"drift": ["psi"]}, "is not computed; add mean_shift to drift"),
        ("chi2_p", {"drift": ["psi"]}, "is not computed; add chi2 to drift"),
        ("brier", {"labels": None}, "needs labels, and the spec has none"),
    ],
)
def test_what_a_spec_lacks_is_said(metric: str, changes: dict[str, Any], expected: str) -> None:
    assert expected in told({"metric": metric, "above": 0.1}, **changes)[0]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_rules_about_new_versions_are_for_every_task_at_the_ages_at_which_versions_are_compared(task: str) -> None:
    """Labels by day 7, outcomes by day 3 and 14: versions are compared at 7, with labels, and at 14, with what is known."""
    changes = {"task": task, "outcomes": {"path": "/o/{day}.csv", "ages": [3, 14]}}
    changes |= {"regression": OF_NUMBERS, "multiclass": {"protected": []}}.get(task, {})
    for metric in ("model_up_business_down", "model_change_z", "business_change_z"):
        assert told({"metric": metric, "above": 2.5, "ages": [7, 14]}, **changes) == [], metric
        assert "3 is not among the ages" in told({"metric": metric, "above": 2.5, "ages": [3]}, **changes)[0]
    alone = changes | {"labels": None}
    assert told({"metric": "business_change_z", "below": -2.0, "ages": [3, 14]}, **alone) == []
    assert "needs labels" in told({"metric": "model_change_z", "below": -2.0}, **alone)[0]


def test_a_class_is_spelled_as_it_is_stored() -> None:
    assert Rule(metric="class_f1", below=0.5, classes=(1, "2", 3.0)).classes == ("1", "2", "3")  # type: ignore[arg-type]


def test_a_night_is_not_among_the_past_it_is_held_against() -> None:
    with pytest.raises(ValueError, match="recent_gap"):
        ModelSpec.model_validate(EVERYTHING | {"detection": {"recent_gap": 0}})


def test_an_expected_range_needs_a_row_a_day() -> None:
    detection = {"metrics": ["volume", "latency_p99", "column_gone", "selection_rate"]}
    spec = ModelSpec.model_validate(EVERYTHING | {"detection": detection})
    assert [path for path, _ in faults(spec)] == [("detection", "metrics", 2), ("detection", "metrics", 3)]


@pytest.mark.parametrize(
    ("metric", "segment", "sentence"),
    [
        ("selection_rate", "country=*", "'country=*' is no group; write one of them, for example country=x, or each"),
        (
            "selection_rate",
            "country=DE,device=phone",
            "'country=DE,device=phone' is a pair, and selection_rate is told of the groups of one segment",
        ),
        ("accuracy", "country=*", "'country=*' names all of them; write segments: each, or one, for example country=x"),
        (
            "accuracy",
            "device=phone,country=DE",
            "'device=phone,country=DE' is of a pair that is not watched as one; crossed: country,device",
        ),
    ],
)
def test_a_segment_that_no_figure_is_ever_of_is_refused(metric: str, segment: str, sentence: str) -> None:
    rule = {"metric": metric, "below": 0.5, "segments": [segment]}
    assert told(rule, crossed=[["country", "device"]]) == [f"rules[0].segments[0] {sentence}"]


def test_a_pair_needs_crossed_and_is_named_in_its_order() -> None:
    rule = {"metric": "accuracy", "below": 0.5, "segments": ["country=DE,device=phone"]}
    assert told(rule, crossed=[["country", "device"]]) == []
    (said,) = told(rule)
    assert said.endswith("is of a pair that is not watched as one; add [country, device] to crossed")


def test_protected_segments_of_a_model_without_yes_and_no_are_refused() -> None:
    spec = ModelSpec.model_validate(EVERYTHING | OF_NUMBERS | {"task": "regression", "protected": ["country"]})
    found = [f"{spoken(path)} {sentence}" for path, sentence in faults(spec)]
    assert "protected is compared with task binary only, and this model's is regression; leave it out" in found
