"""A year in a series: its wave and its trend are expected, and a day that strayed a year ago is less sure."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.methods import forecast, weekly_fit
from jobs.spec.judging import Detection
from tests.unit.methods.given_series import nights, series

DAYS = np.arange(560)


def wavy(trend: float = 0.2) -> np.ndarray:
    """A volume that rises and falls by a quarter with the seasons, grows by `trend` a year, and strays by 4 %."""
    noise = np.random.default_rng(5).normal(0, 0.04, len(DAYS))
    return np.round(2000 * np.exp(0.25 * np.sin(2 * np.pi * DAYS / 365.25) + trend * DAYS / 365.25 + noise))


@pytest.mark.parametrize("trend", [-0.2, 0.0, 0.2])
def test_the_wave_of_a_year_and_a_trend_are_told_apart(trend: float) -> None:
    """A level that follows five weeks behind would be off by 0.15 where the year falls fastest."""
    days = np.datetime64("2025-01-06") + DAYS
    truth = 0.25 * np.sin(2 * np.pi * DAYS / 365.25) + trend * DAYS / 365.25
    y = truth + np.random.default_rng(5).normal(0, 0.04, len(DAYS))
    told = weekly_fit.fit(days[:550], y[:550], days[550:557])
    assert told == pytest.approx(truth[550:557], abs=0.04)


def test_a_dip_that_a_lagging_level_hides_is_found_in_the_second_year() -> None:
    value = wavy()
    value[545] *= 0.75
    judged = forecast.judge(series(value), nights(350, 559), Detection())
    outside = np.flatnonzero(np.abs(np.nan_to_num(judged.distance)) > 4)
    assert outside.tolist() == [545]


def test_two_years_show_a_years_own_shape_and_a_few_months_none() -> None:
    lengths = {150: 0, 299: 0, 300: 1, 729: 1, 730: 6}
    for length, waves in lengths.items():
        days = np.datetime64("2025-01-06") + np.arange(length)
        assert weekly_fit.yearly_waves(days) == waves


def test_a_day_that_strayed_a_year_ago_has_twice_the_range_and_its_neighbours_have_not() -> None:
    """A holiday in no calendar. The second is judged like one that was seen once; a day of the week later as ever."""
    value = wavy(trend=0.0)
    value[180] *= 0.5
    value[545] *= 0.75
    judged = forecast.judge(series(value), nights(100, 559), Detection())
    width = judged.upper / judged.lower
    assert abs(judged.distance[180]) > 4
    assert abs(judged.distance[545]) < 4
    # The sampling error of the count, a fifth of the variance, is as ever.
    assert 1.6 < np.log(width[545]) / np.log(width[550]) < 2


def test_a_wild_first_friday_does_not_stand_for_fridays_and_two_closed_sundays_do() -> None:
    """Of two days of a weekday that disagree the one nearer to all days is believed, so the third is no alarm."""
    rng = np.random.default_rng(2)
    value = np.round(1000 * np.exp(rng.normal(0, 0.05, 40)))
    value[np.arange(40) % 7 == 6] = np.round(value[np.arange(40) % 7 == 6] * 0.05)
    value[4] *= 60
    judged = forecast.judge(series(value), nights(0, 39), Detection())
    assert not (np.abs(np.nan_to_num(judged.reach)) > 4).any()
    fridays = [position for position in range(14, 40) if position % 7 == 4]
    assert judged.expected[fridays] == pytest.approx(1000, rel=0.1)


def test_a_fault_that_lasted_a_year_ago_is_no_holiday() -> None:
    value = wavy(trend=0.0)
    value[180:194] *= 0.5
    value[550] *= 0.75
    judged = forecast.judge(series(value), nights(100, 559), Detection())
    assert abs(judged.distance[550]) > 4


def test_after_a_pause_in_a_young_series_an_absurd_value_is_not_passed_over() -> None:
    value = np.round(1000 * np.exp(np.random.default_rng(3).normal(0, 0.05, 92)))
    value[20:90] = np.nan
    value[91] = 10
    judged = forecast.judge(series(value), nights(0, 91), Detection())
    assert judged.distance[91] < -4
