"""The most specific rule judges a figure; tiers stand side by side; importance and a minimum effect move limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from jobs.methods import rules, specificity
from jobs.methods.rules import World
from jobs.spec.judging import Detection, Rule
from tests.unit.methods.given_figures import day, figures, together
from tests.unit.methods.test_rules import NO_WORLD, breaches

GENERAL = {"metric": "psi", "above": 0.2}


def rule(**given: Any) -> Rule:
    return Rule.model_validate(GENERAL | given)


def verdicts(given: list[Rule], told: pd.DataFrame, world: World = NO_WORLD) -> pd.DataFrame:
    found = [rules.judge(one, told, world, Detection(), day(0), given) for one in given]
    return pd.concat([one for one in found if len(one)], ignore_index=True)


def judged_by(found: pd.DataFrame, **where: str) -> set[str]:
    """Names of the rules that judged a series."""
    for column, value in where.items():
        found = found[found[column] == value]
    return set(found["rule"])


def drift(feature: str, value: float) -> pd.DataFrame:
    return figures("psi", value, feature=feature)


def test_a_rule_for_a_feature_replaces_the_general_ones_of_all_severities_there_and_nowhere_else() -> None:
    given = [rule(), rule(above=0.3, severity="critical"), rule(above=0.6, features=["adr"])]
    found = verdicts(given, together(drift("adr", 0.4), drift("age", 0.4)))
    assert judged_by(found, feature="adr") == {"psi above 0.6"}
    assert judged_by(found, feature="age") == {"psi above 0.2", "psi above 0.3"}
    assert len(breaches(found[found["feature"] == "adr"])) == 0


def test_rules_that_name_equally_much_stand_side_by_side() -> None:
    given = [rule(features=["adr"]), rule(above=0.3, features=["adr", "age"], severity="critical")]
    assert judged_by(verdicts(given, drift("adr", 0.4)), feature="adr") == {"psi above 0.2", "psi above 0.3"}


def test_a_rule_of_another_kind_of_bound_replaces_nothing() -> None:
    given = [
        Rule.model_validate({"metric": "accuracy", "drop": "10%"}),
        Rule.model_validate({"metric": "accuracy", "below": 0.66, "ages": [7]}),
    ]
    found = verdicts(given, figures("accuracy", 0.9, age=7))
    assert judged_by(found) == {"accuracy drop 10%", "accuracy below 0.66"}


def test_a_named_segment_is_judged_by_its_own_rule_instead_of_each() -> None:
    given = [
        Rule.model_validate({"metric": "accuracy", "below": 0.5, "segments": "each"}),
        Rule.model_validate({"metric": "accuracy", "below": 0.8, "segments": ["customer=new"]}),
        Rule.model_validate({"metric": "accuracy", "below": 0.4}),
    ]
    segments = [figures("accuracy", 0.7, segment=name) for name in ("all", "customer=new", "customer=old")]
    found = verdicts(given, together(*segments))
    assert judged_by(found, segment="customer=new") == {"accuracy below 0.8 for customer=new"}
    assert judged_by(found, segment="customer=old") == {"accuracy below 0.5 by segment"}
    assert judged_by(found, segment="all") == {"accuracy below 0.4"}
    assert len(breaches(found[found["segment"] == "customer=new"])) > 50


def test_a_named_version_is_judged_apart_from_all_of_them() -> None:
    given = [
        Rule.model_validate({"metric": "accuracy", "below": 0.5}),
        Rule.model_validate({"metric": "accuracy", "below": 0.8, "versions": ["v2"]}),
    ]
    told = together(
        figures("accuracy", 0.7), figures("accuracy", 0.6, version="v2"), figures("accuracy", 0.9, version="v1")
    )
    found = verdicts(given, told)
    assert judged_by(found, version="v2") == {"accuracy below 0.8"}
    assert judged_by(found, version="all") == {"accuracy below 0.5"}
    assert judged_by(found, version="v1") == set()


def test_importance_tightens_and_loosens_a_general_limit_and_leaves_a_named_one() -> None:
    tight = specificity.tightness({"main": 0.4, "minor": 0.1, "plain": None})
    assert tight == {"main": pytest.approx(0.8), "minor": 1.25, "plain": 1.0}  # roots 0.79 and 1.58, held within
    world = World(NO_WORLD.reference, NO_WORLD.first_days, tight)
    told = together(*(drift(name, 0.22) for name in ("main", "minor", "plain")))
    found = verdicts([rule()], told, world)
    assert {row.feature: round(row.upper, 3) for row in found.itertuples()} == {
        "main": 0.16,
        "minor": 0.25,
        "plain": 0.2,
    }
    named = verdicts([rule(features=["main", "minor"])], told, world)
    assert set(named["upper"]) == {0.2}


def test_a_limit_that_importance_or_chance_moved_says_so() -> None:
    """The rule is called `psi above 0.2`; its bounds are 0.16, 0.25, 0.2, and 0.28 where chance alone reaches that."""
    tight = specificity.tightness({"main": 0.4, "minor": 0.1, "plain": None})
    world = World(NO_WORLD.reference, NO_WORLD.first_days, tight)
    noisy = figures("psi_null_limit", 0.28, feature="noisy")
    found = verdicts(
        [rule()], together(*(drift(name, 0.3) for name in ("main", "minor", "plain", "noisy")), noisy), world
    )
    told = {row.feature: row.reason for row in found[found["verdict"] == "breach"].itertuples()}
    assert told == {
        "main": "PSI 0.30 is above 0.16; the rule's 0.20, tightened for an input of more importance",
        "minor": "PSI 0.30 is above 0.25; the rule's 0.20, loosened for an input of less importance",
        "plain": "PSI 0.30 is above 0.20",
        "noisy": "PSI 0.30 is above 0.28; the rule's 0.20, raised to what chance alone reaches",
    }


def test_a_change_below_the_minimum_effect_is_no_breach_however_sure() -> None:
    value = np.r_[np.full(60, 0.020), np.full(5, 0.017)]
    told = figures("conversion", value, n=10_000_000)
    plain = Rule.model_validate({"metric": "conversion", "drop": "10%"})
    guarded = Rule.model_validate({"metric": "conversion", "drop": "10%", "min_effect": "0.5pp"})
    assert breaches(verdicts([plain], told)) == [60, 61, 62, 63, 64]
    assert breaches(verdicts([guarded], told)) == []
