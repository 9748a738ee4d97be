"""A series that stands still is told; one that is always the same is not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jobs.methods import stuck
from jobs.periods import Period
from tests.unit.methods.given_figures import day, figures, together

DAYS = 60


def breaches(told: pd.DataFrame) -> list[int]:
    found = stuck.judge(told, Period(day(0), day(DAYS - 1)))
    nights = found.loc[found["verdict"] == "breach", "night"]
    return sorted((nights - pd.Timestamp(day(0))).dt.days.tolist())


def lively(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 0.4, DAYS)


def test_the_same_value_for_four_days_is_told_until_it_moves() -> None:
    value = lively(1)
    value[40:46] = value[40]
    assert breaches(figures("score_mean", value)) == [43, 44, 45]


def test_a_series_stuck_for_good_is_told_for_good() -> None:
    """Whether it used to move is asked of the days before: its own standstill may not become what is usual."""
    value = lively(6)
    value[30:] = value[30]
    assert breaches(figures("score_mean", value)) == list(range(33, DAYS))


def test_a_standstill_that_follows_another_is_judged_by_what_came_before_it() -> None:
    value = lively(7)
    value[20:40], value[40:] = 0.3, 0.31
    assert breaches(figures("score_mean", value)) == list(range(23, 40))  # after 20 days of rest 20 more are usual


def test_three_days_are_chance_enough() -> None:
    value = lively(2)
    value[40:43] = value[40]
    assert breaches(figures("score_mean", value)) == []


def test_a_rate_that_is_100_percent_on_most_days_stands_still_rightly() -> None:
    value = np.ones(DAYS)
    value[::3] = 0.99
    value[40:50] = 1.0
    assert breaches(figures("accuracy", value)) == []


def test_every_night_is_judged_once_and_says_since_when() -> None:
    value = lively(3)
    value[50:] = value[50]
    found = stuck.judge(
        together(figures("score_mean", value), figures("volume", lively(4))), Period(day(0), day(DAYS - 1))
    )
    assert (
        found["night"].tolist() == [pd.Timestamp(day(number)) for number in (*range(DAYS),)]
        or found["night"].nunique() == DAYS
    )
    told = found[found["verdict"] == "breach"].sort_values("night")["reason"].iloc[0]
    assert told == f"mean score stuck at {value[50]:.3f} since {day(50)} (4 days)"


def test_without_figures_nothing_can_be_said() -> None:
    none = figures("score_mean", lively(5)).iloc[:0]
    assert set(stuck.judge(none, Period(day(0), day(3)))["verdict"]) == {"not_evaluated"}
