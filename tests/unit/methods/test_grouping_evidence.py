"""What stands first in an incident, and what is kept of a figure that breaches night after night."""

from __future__ import annotations

from itertools import chain

import pytest

from jobs.methods import evidence, gathered
from tests.unit.methods.given_breaches import IMPORTANCE, accuracy, breach, day, drift, verdict


def ranked(*breaches: object) -> list[tuple[str, str]]:
    items = chain.from_iterable(one.items for one in breaches)  # type: ignore[attr-defined]
    return [(item["metric"], item["feature"]) for item in gathered.merge([], items)]


def test_drift_is_ranked_by_importance_times_psi() -> None:
    """0.6 x 0.5 = 0.30 is before 0.1 x 2.0 = 0.20."""
    assert ranked(drift(0, "age", 2.0), drift(0, "browsing_minutes", 0.5)) == [
        ("psi", "browsing_minutes"), ("psi", "age"),
    ]  # fmt: skip


def test_causes_come_before_effects_and_drift_of_the_score_is_an_effect() -> None:
    order = ranked(accuracy(0, severity="critical"), drift(0, "score", 3.0), drift(0, "age", 0.2))
    assert order == [("psi", "age"), ("accuracy", ""), ("psi", "score")]


def test_the_whole_comes_before_its_segments_and_the_worse_before_the_milder() -> None:
    items = gathered.merge(
        [],
        [
            *accuracy(0, segment="plan=new", value=0.3).items,
            *accuracy(0, value=0.9).items,
            *breach("recall", 0, label_age=1, value=0.94, severity="critical").items,
        ],
    )
    assert [(item["metric"], item["segment"]) for item in items] == [
        ("recall", "all"), ("accuracy", "all"), ("accuracy", "plan=new"),
    ]  # fmt: skip


def test_a_figure_is_kept_as_it_was_at_its_worst_with_its_first_and_last_day() -> None:
    known = gathered.merge([], accuracy(1, value=0.85).items)
    known = gathered.merge(known, accuracy(2, value=0.70).items)
    (item,) = gathered.merge(known, accuracy(3, value=0.90).items)
    assert (item["value"], item["day"]) == (0.7, "2025-03-02")
    assert (item["first_day"], item["last_day"], item["nights"]) == ("2025-03-01", "2025-03-03", 3)


def test_a_milder_value_of_a_sterner_rule_makes_it_sterner_and_not_worse() -> None:
    """PSI 0.42 by a rule of severity warning, then 0.38 by a critical one: the title keeps 0.42."""
    above = {"lower": None, "upper": 0.3}
    known = gathered.merge([], drift(1, value=0.42, **above).items)
    (item,) = gathered.merge(known, drift(2, value=0.38, severity="critical", **above).items)
    assert (item["value"], item["severity"], item["last_day"]) == (0.42, "critical", "2025-03-03")


def test_an_effect_that_became_critical_ranks_as_one_though_it_was_worse_before() -> None:
    known = gathered.merge([], [*accuracy(1, value=0.70).items, *breach("recall", 1, label_age=1, value=0.5).items])
    after = gathered.merge(known, accuracy(2, value=0.75, severity="critical").items)
    assert [(item["metric"], item["value"], item["severity"]) for item in after] == [
        ("accuracy", 0.7, "critical"), ("recall", 0.5, "warning"),
    ]  # fmt: skip


def test_two_rules_about_one_figure_are_one_piece_of_evidence_on_one_night() -> None:
    (item,) = gathered.merge([], [*drift(1).items, *drift(1, severity="critical").items])
    assert (item["severity"], item["nights"]) == ("critical", 1)


def test_evidence_does_not_grow_without_end() -> None:
    many = [accuracy(1, segment=f"shop={number}").items[0] for number in range(200)]
    assert len(gathered.merge([], [*many, *drift(1).items])) == gathered.MOST


def test_what_is_graver_displaces_what_is_heavier_and_lesser() -> None:
    many = [drift(1, segment=f"shop={number}").items[0] for number in range(60)]
    known = gathered.merge([], many)
    after = gathered.merge(known, accuracy(2, segment="plan=new", severity="critical", value=0.84).items)
    assert len(after) == gathered.MOST
    assert "plan=new" in {item["segment"] for item in after}


def test_no_figure_of_the_whole_day_is_forgotten_among_graver_ones() -> None:
    many = [accuracy(1, segment=f"shop={number}", severity="critical").items[0] for number in range(60)]
    lesser = [*accuracy(1, value=0.84).items, *accuracy(1, age=7, value=0.84).items, *drift(1, value=0.3).items]
    after = gathered.merge([], [*many, *lesser])
    assert [(item["metric"], item["label_age"]) for item in after if item["segment"] == "all"] == [
        ("psi", None), ("accuracy", 1),
    ]  # fmt: skip  # one of accuracy's ages is enough to know that it was told


def test_an_incident_answers_for_its_days_and_a_little_around_them() -> None:
    about = evidence.days([*accuracy(10).items, *accuracy(12).items])  # days 9 to 11
    assert about is not None
    assert [number for number in range(30) if about.cover(day(number))] == list(range(2, 13))


def test_information_is_about_no_day() -> None:
    assert evidence.days(breach("score_mean", 3, severity="info").items) is None


@pytest.mark.parametrize(
    ("metric", "scope"),
    [("psi", "behaviour"), ("missing_rate", "behaviour"), ("conversion", "behaviour"), ("latency_p95", "service"),
     ("volume", "delivery"), ("coverage", "delivery"), ("delivery", "delivery")],
)  # fmt: skip
def test_each_metric_has_its_kind_of_trouble(metric: str, scope: str) -> None:
    assert evidence.scope_of(verdict(metric, 0)) == scope


def test_a_new_version_is_the_cause_of_what_its_figures_show() -> None:
    shown = evidence.item(verdict("conversion", 3, version="v2", detector="previous_version"), IMPORTANCE, {"v2": "v1"})
    first, second = gathered.merge([], [shown, evidence.new_version(shown)])
    assert (first["metric"], first["reason"]) == ("version", "v2 replaced v1")
    assert (second["metric"], second["former_version"]) == ("conversion", "v1")
