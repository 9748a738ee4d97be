"""Bounds for an alarm budget: found with the function that judges nights, and refused where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jobs.methods import backtest, backtest_bounds, rules
from jobs.methods.labelled import Labelled, Truth
from jobs.spec.judging import Detection, Rule
from tests.unit.methods.given_figures import day, figures, together

DETECTION = Detection()
WORLD = rules.World(
    reference=pd.DataFrame({"version": [], "feature": [], "value": [], "n": []}),
    first_days=pd.DataFrame({"version": [], "first_day": pd.to_datetime([])}),
    tightness={"age": 1.25},
)
DAYS = 98
"""Fourteen weeks."""
NIGHTS = pd.Series(pd.date_range(day(0), day(DAYS - 1)))


def drifts() -> pd.DataFrame:
    """PSI of 0.01 a night, and 0.10, 0.20, 0.30 ... 0.70 on one night each, twelve nights apart."""
    values = np.full(DAYS, 0.01)
    values[6::12][:7] = np.arange(1, 8) / 10
    return together(
        figures("psi", values, 1000, days=DAYS, feature="plan"),
        figures("psi_null_limit", 0.001, 1000, days=DAYS, feature="plan"),
    )


def suggestion(
    rule: Rule, found: pd.DataFrame, budget: float, truth: Truth | None = None, *, loosen: bool = True
) -> backtest_bounds.Suggestion:
    judge = backtest_bounds.judge_bounded(rule, found, WORLD, DETECTION, [rule])
    told = rules.judge(rule, found, WORLD, DETECTION, day(0), [rule])
    seen = told[told["verdict"] != "not_evaluated"]
    worst = backtest.nightly_worst(seen["night"], backtest_bounds.figures_of(rule, seen, dict(WORLD.tightness)))
    rate = backtest_bounds.rating(truth, NIGHTS, apart=3)
    present = backtest_bounds.size(rule, DETECTION)
    return backtest_bounds.suggest(rule, judge, worst, rate, budget, present, loosen=loosen)


def test_three_alarms_in_fourteen_weeks_need_a_bound_at_the_fourth_largest_drift() -> None:
    told = suggestion(Rule(metric="psi", above=0.2), drifts(), budget=3 / 14)
    assert (told.size, told.text) == (0.4, "above 0.4")  # 0.5, 0.6 and 0.7 lie above it
    assert told.score is not None
    assert (told.score.alarms, told.score.per_week) == (3, pytest.approx(3 / 14))


def test_a_larger_budget_gives_a_more_sensitive_bound() -> None:
    sizes = [suggestion(Rule(metric="psi", above=0.2), drifts(), budget=count / 14).size for count in (1, 3, 5)]
    assert sizes == [0.6, 0.4, 0.2]


def test_a_rule_that_never_spoke_is_left_alone() -> None:
    """Two nights in a row are never beyond the bound; a looser one would be a guess."""
    told = suggestion(Rule(metric="psi", above=0.2, nights=2), drifts(), budget=1 / 14)
    assert (told.size, told.score) == (None, None)
    assert told.text == "it never spoke, so no other bound is suggested"


def test_a_bound_that_brings_nothing_more_is_not_suggested() -> None:
    """Between the drifts of 0.6 and 0.7 every bound raises the same alarm, with labels and without."""
    rule = Rule(metric="psi", above=0.65)
    assert suggestion(rule, drifts(), budget=1 / 14).size == 0.65
    true = Truth((Labelled(day(78), day(78), day(78)),), day(DAYS - 1), "")
    assert suggestion(rule, drifts(), budget=1 / 14, truth=true).size == 0.65


def test_of_bounds_alike_the_one_nearest_to_the_present_is_suggested() -> None:
    """Two drifts are true, 0.7 and 0.6; on the night after, 0.55 adds nothing, so 0.55 and 0.4 serve alike."""
    found = drifts()
    drift = (found["metric"] == "psi").to_numpy()
    found.loc[drift, "value"] = found.loc[drift, "value"].replace(0.5, 0.01)
    found.loc[drift & (found["day"].dt.date == day(67)).to_numpy(), "value"] = 0.55
    true = Truth((Labelled(day(78), day(78), day(78)), Labelled(day(66), day(66), day(66))), day(DAYS - 1), "")
    told = suggestion(Rule(metric="psi", above=0.65), found, budget=1, truth=true)
    assert told.size == 0.55


def test_a_rule_that_fires_an_action_is_only_loosened_where_asked() -> None:
    rule = Rule(metric="psi", above=0.45, severity="critical", action="retrain")
    assert suggestion(rule, drifts(), budget=5 / 14).size == 0.2
    assert suggestion(rule, drifts(), budget=5 / 14, loosen=False).size == 0.45
    assert suggestion(rule, drifts(), budget=1 / 14, loosen=False).size == 0.6  # too often: stricter is always found
    falls = np.full(DAYS, 0.95)
    falls[6::12][:7] = 0.9 - np.arange(7) / 10
    found = figures("accuracy", falls, 10_000, days=DAYS)
    fallback = Rule(metric="accuracy", below=0.65, severity="critical", action="fallback")
    assert suggestion(fallback, found, budget=1).size == 0.95
    assert suggestion(fallback, found, budget=1, loosen=False).size == 0.65


def test_importance_moves_the_suggested_bound_as_it_moves_the_rule() -> None:
    loose = drifts().assign(feature="age")  # its limit is multiplied by 1.25
    told = suggestion(Rule(metric="psi", above=0.2), loose, budget=3 / 14)
    assert told.size == 0.32  # 0.32 x 1.25 = 0.4


def test_few_rows_stay_unjudged_at_every_bound() -> None:
    told = suggestion(Rule(metric="accuracy", below=0.8), figures("accuracy", 0.5, 10, days=DAYS), budget=1)
    assert (told.size, told.text) == (None, "0 nights judged, 14 needed for a suggestion")


def test_no_bound_is_suggested_where_speaking_at_all_is_too_often() -> None:
    values = np.full(DAYS, 0.01)
    values[::14] = 0.7  # seven nights alike: all of them speak, or none
    found = together(
        figures("psi", values, 1000, days=DAYS, feature="plan"),
        figures("psi_null_limit", 0.001, days=DAYS, feature="plan"),
    )
    told = suggestion(Rule(metric="psi", above=0.2), found, budget=1 / 14)
    assert told.size is None
    assert told.text == "none: at above 0.2 it speaks 0.5 times a week, at a stricter bound never"


def test_with_labelled_incidents_the_bound_that_finds_them_and_is_right_wins() -> None:
    true = Truth((Labelled(day(78), day(78), day(78)), Labelled(day(66), day(66), day(66))), day(DAYS - 1), "")
    told = suggestion(Rule(metric="psi", above=0.2), drifts(), budget=1, truth=true)  # the drifts of 0.7 and 0.6
    assert told.size == 0.5
    assert told.score is not None
    assert (told.score.right, told.score.wrong, told.score.recall) == (2, 0, 1.0)


def test_a_falling_bound_is_searched_from_below() -> None:
    values = np.full(DAYS, 0.95)
    values[6::12][:7] = 0.9 - np.arange(7) / 10
    told = suggestion(Rule(metric="accuracy", below=0.8), figures("accuracy", values, 10_000, days=DAYS), budget=3 / 14)
    assert told.size == 0.6  # 0.5, 0.4 and 0.3 lie below it


def test_expected_ranges_are_judged_again_from_what_was_expected() -> None:
    distance = np.zeros(DAYS)
    distance[6::12][:7] = [-3, -4, -5, -6, -7, -8, 9]  # accuracy hurts when it falls
    rows = figures("accuracy", 0.9, days=DAYS).assign(
        expected=0.95, distance=distance, verdict="ok", label_age=pd.array([1] * DAYS, dtype="Int64")
    )
    rule = Rule(metric="accuracy", outside="expected")
    judge = backtest_bounds.judge_outside(rule, rows)
    assert [len(judge(limit)) for limit in (2.9, 4.0, 6.5, 8.5)] == [6, 4, 2, 0]
    assert len(backtest_bounds.judge_outside(rule.model_copy(update={"nights": 2}), rows)(2.9)) == 0
