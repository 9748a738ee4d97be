"""Two rules about expected ranges under one limit: distances of a hundred nights, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jobs.methods import backtest, backtest_bounds, backtest_shared
from jobs.methods.labelled import Labelled, Truth
from jobs.spec.judging import Rule
from tests.unit.methods.given_figures import day, figures

DAYS = 98
NIGHTS = pd.Series(pd.date_range(day(0), day(DAYS - 1)))
ACCURACY, VOLUME = (Rule(metric=name, outside="expected") for name in ("accuracy", "volume"))
TRUTH = Truth((Labelled(day(10), day(10), day(10)), Labelled(day(50), day(50), day(50))), day(DAYS - 1), "")


def verdicts(metric: str, distances: dict[int, float]) -> pd.DataFrame:
    """Daily verdicts, at distance 0 from what is expected but on some days."""
    far = np.zeros(DAYS)
    far[list(distances)] = list(distances.values())
    return figures(metric, 0.9, days=DAYS).assign(
        expected=0.95, distance=far, verdict="ok", label_age=pd.array([1] * DAYS, dtype="Int64")
    )


def suggested(accuracy: dict[int, float], volume: dict[int, float], budget: float) -> backtest_bounds.Suggestion:
    rows = [(ACCURACY, verdicts("accuracy", accuracy)), (VOLUME, verdicts("volume", volume))]
    figure = np.concatenate([backtest_bounds.figures_of(rule, one, {}) for rule, one in rows])
    return backtest_bounds.suggest(
        ACCURACY,
        backtest_shared.judging([backtest_bounds.judge_outside(rule, one) for rule, one in rows]),
        backtest.nightly_worst(pd.concat([one["night"] for _, one in rows]), figure),
        backtest_shared.rating(TRUTH, NIGHTS, apart=3),
        budget,
        present=4.0,
    )


def test_a_limit_that_would_help_one_rule_and_mislead_by_another_is_not_suggested() -> None:
    """Alone, accuracy would find day 50 at a limit below 3; volume would then be wrong on three other days."""
    told = suggested({10: -5.0, 50: -3.0}, {20: 3.5, 30: 3.5, 40: 3.5}, budget=1)
    assert told.size == 4.0
    assert told.score is not None
    assert (told.score.right, told.score.wrong, told.score.found) == (1, 0, 1)


def test_what_any_of_the_rules_finds_is_found() -> None:
    told = suggested({10: -5.0}, {20: 2.9, 50: 3.5}, budget=1)
    assert told.size is not None
    assert 2.9 <= told.size < 3.5
    assert told.score is not None
    assert (told.score.right, told.score.wrong, told.score.found) == (2, 0, 2)


def test_the_budget_is_of_each_rule() -> None:
    """Two rules, each once in fourteen weeks, keep a budget of once in fourteen weeks."""
    told = suggested({10: -5.0}, {50: 4.5}, budget=1 / 14)
    assert told.score is not None
    assert (told.score.alarms, told.score.per_week) == (2, pytest.approx(1 / 14))
