"""The week's shape of a few weeks: kept where weekdays differ, let go where chance explains it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jobs.methods import weekdays

WEEK = np.tile(np.arange(7), 4)
VALUES = arrays(float, 28, elements=st.floats(-1e3, 1e3))


def test_a_shop_that_is_closed_on_sundays_is_expected_to_be() -> None:
    y = np.where(WEEK == 6, 0.0, 100.0) + np.random.default_rng(1).normal(0, 2, 28)
    told = weekdays.usual(y, WEEK)
    assert told[6] == pytest.approx(0, abs=5)
    assert told[:6] == pytest.approx(100, abs=5)


def test_without_a_week_in_the_values_every_weekday_is_nearer_to_all_days_than_its_own_median() -> None:
    """On clean noise the median of four days strays by 0.6 deviations; drawn together, weekdays stray by far less."""
    own, drawn = [], []
    for seed in range(200):
        y = np.random.default_rng(seed).normal(0, 1, 28)
        own.append([np.median(y[k == WEEK]) for k in range(7)])
        drawn.append(weekdays.usual(y, WEEK))
    assert np.sqrt(np.mean(np.square(drawn))) < 0.6 * np.sqrt(np.mean(np.square(own)))


@given(VALUES, st.floats(-100, 100))
def test_moving_all_values_moves_what_is_usual(y: np.ndarray, by: float) -> None:
    np.testing.assert_allclose(weekdays.usual(y + by, WEEK), weekdays.usual(y, WEEK) + by, atol=1e-6)


@given(VALUES)
def test_what_is_usual_lies_between_the_median_of_all_days_and_that_of_the_weekday(y: np.ndarray) -> None:
    told, centre = weekdays.usual(y, WEEK), np.median(y)
    own = np.array([np.median(y[k == WEEK]) for k in range(7)])
    assert (told >= np.minimum(own, centre) - 1e-9).all()
    assert (told <= np.maximum(own, centre) + 1e-9).all()


@given(VALUES, st.integers(0, 27), st.floats(-1e3, 1e3))
def test_a_point_has_no_say_in_what_it_is_held_against(y: np.ndarray, position: int, other: float) -> None:
    changed = y.copy()
    changed[position] = other
    against = [given[position] - weekdays.left_out(given, WEEK)[position] for given in (y, changed)]
    assert against[0] == pytest.approx(against[1], abs=1e-9)
