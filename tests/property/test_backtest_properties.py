"""What a stricter bound does: it never adds a breach. It may add an alarm, by cutting a long one in two."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.methods import backtest, backtest_bounds, rules
from jobs.spec.judging import Detection, Rule
from tests.unit.methods.given_figures import figures, together

DETECTION = Detection(recent_days=20, recent_gap=3)
WORLD = rules.World(
    reference=pd.DataFrame({"version": [], "feature": [], "value": [], "n": []}),
    first_days=pd.DataFrame({"version": [], "first_day": pd.to_datetime([])}),
    tightness={"age": 0.8},
)
DAYS = 50
RULES: dict[str, dict[str, Any]] = {
    "psi": {"metric": "psi", "above": 0.2},
    "psi on two nights": {"metric": "psi", "above": 0.2, "nights": 2},
    "accuracy": {"metric": "accuracy", "below": 0.5},
    "accuracy against recent": {"metric": "accuracy", "drop": "10%"},
    "accuracy in points": {"metric": "accuracy", "drop": "5pp", "nights": 3},
    "missing values": {"metric": "missing_rate", "rise": "5pp"},
}


def breaches(rule: Rule, found: pd.DataFrame, bound: float) -> set[tuple[Any, ...]]:
    rows = backtest_bounds.judge_bounded(rule, found, WORLD, DETECTION, [rule])(bound)
    return set(rows[["night", "feature"]].itertuples(index=False, name=None)) if len(rows) else set()


@pytest.mark.parametrize("name", RULES)
@given(
    values=st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=DAYS, max_size=DAYS),
    sizes=st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99)),
    n=st.integers(40, 5000),
)
def test_every_breach_at_a_stricter_bound_is_one_at_a_looser_bound_too(
    name: str, values: list[float], sizes: tuple[float, float], n: int
) -> None:
    rule = Rule.model_validate(RULES[name])
    found = figures(rule.metric, values, n, days=DAYS, feature="age" if rule.metric in ("psi", "missing_rate") else "")
    if rule.metric == "psi":
        found = together(found, figures("psi_null_limit", 0.05, n, days=DAYS, feature="age"))
    loose, strict = sorted(sizes, reverse=rule.below is not None)
    assert breaches(rule, found, strict) <= breaches(rule, found, loose)


def test_a_stricter_bound_can_raise_more_alarms_by_cutting_one_in_two() -> None:
    values = np.full(DAYS, 0.01)
    values[20:30] = 0.3
    values[[20, 29]] = 0.9
    found = together(
        figures("psi", values, days=DAYS, feature="age"), figures("psi_null_limit", 0.05, days=DAYS, feature="age")
    )
    judge = backtest_bounds.judge_bounded(Rule(metric="psi", above=0.2), found, WORLD, DETECTION, ())
    assert [len(backtest.episodes(judge(bound), apart=3)) for bound in (0.2, 0.5)] == [1, 2]


@given(nights=st.lists(st.integers(0, 60), min_size=1, max_size=20), apart=st.integers(1, 10))
def test_alarms_hold_every_night_once_and_lie_further_apart_than_what_belongs_together(
    nights: list[int], apart: int
) -> None:
    when = pd.to_datetime("2025-01-01") + pd.to_timedelta(nights, unit="D")
    rows = pd.DataFrame({"night": when, "day": when, "version": "all", "feature": "", "segment": "all"})
    found = backtest.episodes(rows, apart)
    told = [night for alarm in found for night in alarm.nights]
    assert told == sorted(set(when.date))
    assert all((later.first - former.last).days > apart for former, later in pairwise(found))


@given(
    worst=st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=1, max_size=60),
    falling=st.booleans(),
)
def test_bounds_are_tried_from_the_one_that_no_night_crosses(worst: list[float], *, falling: bool) -> None:
    figures_of_nights = np.sort(np.array(worst))
    tried = backtest_bounds.candidates(figures_of_nights, falling=falling, sign=0)
    strictness = [-bound if falling else bound for bound in tried]
    assert strictness == sorted(strictness, reverse=True)
    assert strictness[0] >= figures_of_nights[-1] - 1e-9
