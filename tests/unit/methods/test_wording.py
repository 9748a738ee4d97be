"""Figures and titles as a colleague would say them."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.methods import story, titles, wording
from jobs.methods.definitions import DEFINITIONS


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("accuracy", 0.9512, "95.1 %"),
        ("accuracy", 1.0, "100.0 %"),
        ("missing_rate", 0.0004, "0.04 %"),
        ("missing_rate", 0.9996, "99.96 %"),
        ("volume", 1234567.0, "1,234,567"),
        ("latency_p95", 1310.6, "1,311 ms"),
        ("roc_auc", 0.91234, "0.912"),
        ("value_per_prediction", -3.456, "-3.46"),
        ("value", 123456.7, "123,457"),
        ("psi", float("nan"), "unknown"),
        ("accuracy", None, "unknown"),
    ],
)
def test_a_number_is_told_in_its_unit(metric: str, value: float | None, words: str) -> None:
    assert wording.number(metric, value) == words


def test_every_metric_has_a_number_and_a_name() -> None:
    for definition in DEFINITIONS:
        assert wording.number(definition.name, 0.5)
        assert "_" not in wording.name(definition.name) or definition.name == "psi_null_limit"


def effect(metric: str, **changes: Any) -> dict[str, Any]:
    return {"role": "effect", "severity": "warning", "metric": metric, "value": 0.8, "expected": 0.9} | changes


def cause(feature: str, psi: float) -> dict[str, Any]:
    return {"role": "cause", "severity": "warning", "metric": "psi", "feature": feature, "value": psi}


def test_many_causes_and_effects_are_counted_not_listed() -> None:
    told = titles.title(
        [*(cause(name, 0.5) for name in "abcd"), *(effect(name) for name in ("accuracy", "recall", "f1"))]
    )
    assert told == (
        "a drifted (PSI 0.50), b drifted (PSI 0.50) and 2 more → "
        "accuracy 80.0 % (expected 90.0 %), recall 80.0 % (expected 90.0 %) and 1 more"
    )


WHOLE = {"n": 100, "reason": "", "segment": "all", "feature": "", "version": "all"}


def on(first: str, last: str = "") -> dict[str, str]:
    return {"day": f"2025-03-{first}", "first_day": f"2025-03-{first}", "last_day": f"2025-03-{last or first}"}


@pytest.mark.parametrize(
    ("days", "explained"), [(on("04"), False), (on("05"), True), (on("09"), True), (on("01", "09"), True),
                            (on("11"), True), (on("12"), False)],
)  # fmt: skip
def test_a_drift_explains_only_effects_of_its_own_days(days: dict[str, str], explained: bool) -> None:
    """It was seen from the 8th to the 10th; rules over some nights see it late, so three days before count as well."""
    evidence = [cause("adr", 1.5) | on("08", "10"), effect("accuracy") | days]
    told = titles.title(evidence)
    link = " → " if explained else "; on other days "
    assert told == f"adr drifted (PSI 1.50){link}accuracy 80.0 % (expected 90.0 %)"
    sentence = "What follows is of other days, which that does not explain."
    assert (sentence in story.tell([WHOLE | one for one in evidence])) is not explained


def test_a_drift_whose_rule_waits_for_a_week_explains_what_began_in_that_week() -> None:
    evidence = [cause("adr", 1.5) | on("08") | {"in_a_row": 7}, effect("accuracy") | on("01")]
    assert " → " in titles.title(evidence)


def test_a_figure_within_the_drifts_days_is_told_before_a_heavier_one_of_others() -> None:
    evidence = [cause("adr", 1.5) | on("08"), effect("recall") | on("01"), effect("accuracy") | on("08")]
    assert titles.title(evidence) == (
        "adr drifted (PSI 1.50) → accuracy 80.0 % (expected 90.0 %); on other days recall 80.0 % (expected 90.0 %)"
    )


def test_a_metric_is_told_once_however_many_segments_it_fell_in() -> None:
    told = titles.title([effect("accuracy"), effect("accuracy", segment="plan=new"), effect("accuracy", label_age=7)])
    assert told == "accuracy 80.0 % (expected 90.0 %)"


def test_a_new_version_is_told_with_the_one_it_replaced() -> None:
    version = {"role": "cause", "severity": "critical", "metric": "version", "version": "v2"}
    shown = effect("conversion", value=0.088, expected=0.1, detector="previous_version", former_version="v1")
    assert titles.title([version, shown]) == "new version v2 → conversion 8.8 % (v1: 10.0 %)"


def test_a_fixed_bound_is_told_as_what_it_is() -> None:
    shown = effect("latency_p95", value=612.0, expected=None, upper=500.0, detector="bound")
    assert titles.title([shown]) == "latency p95 612 ms (bound 500 ms)"


def test_missing_values_name_their_feature_and_the_reference() -> None:
    shown = cause("price", 0.0) | {"metric": "missing_rate", "value": 0.31, "expected": 0.02, "detector": "reference"}
    assert titles.title([shown]) == "missing values of price 31.0 % (in the reference 2.0 %)"


def test_silence_and_refusal_are_told_in_words() -> None:
    silence = {"role": "cause", "severity": "critical", "metric": "volume", "rule": "no data", "day": "2025-07-08"}
    refused = {"role": "cause", "severity": "critical", "metric": "delivery", "reason": "labels refused: l.csv: empty"}
    assert titles.title([silence]) == "no predictions for 2025-07-08"
    assert titles.title([refused]) == "labels refused: l.csv: empty"


def test_an_incident_of_information_alone_still_has_words() -> None:
    assert titles.title([effect("accuracy", severity="info")]) == "accuracy 80.0 % (expected 90.0 %)"


def test_a_long_title_leaves_out_whole_figures_and_counts_them() -> None:
    """Three inputs with long names and two effects are over 200 letters; what is left out is counted, nothing is cut."""
    names = ("minutes_since_the_last_login", "number_of_earlier_reservations", "average_daily_rate_in_euros")
    told = titles.title([*(cause(name, 0.5) for name in names), effect("accuracy"), effect("recall")])
    assert told == (
        "minutes_since_the_last_login drifted (PSI 0.50) and 2 more → "
        "accuracy 80.0 % (expected 90.0 %) and recall 80.0 % (expected 90.0 %)"
    )


def test_a_feature_is_told_once_however_many_versions_have_a_figure_of_it() -> None:
    shares = {"metric": "missing_rate", "detector": "reference", "expected": 0.117}
    told = titles.title([cause("pressure", 0.57) | shares, cause("pressure", 0.422) | shares | {"version": "v2"}])
    assert told == "missing values of pressure 57.0 % (in the reference 11.7 %)"


def test_two_refused_deliveries_are_two_causes() -> None:
    refused = {"role": "cause", "severity": "critical", "metric": "delivery", "feature": ""}
    told = titles.title([refused | {"reason": "labels refused"}, refused | {"reason": "outcomes refused"}])
    assert told == "labels refused and outcomes refused"
