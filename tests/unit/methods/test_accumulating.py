"""Faults that one night cannot show: small shifts, slides, scatter; and that nothing is remembered but distances."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.methods import accumulating, forecast
from jobs.spec.judging import Detection
from tests.unit.methods.given_series import nights, remembering, series, volumes

DETECTION = Detection(limit=4.0)


def hear(distance: np.ndarray) -> accumulating.Heard:
    return accumulating.hear(np.datetime64("2025-01-06") + np.arange(len(distance)), distance)


def outside(value: np.ndarray, first: int = 0) -> list[int]:
    judged = forecast.judge(series(value), nights(0, len(value) - 1), DETECTION)
    told = np.flatnonzero(np.abs(np.nan_to_num(judged.reach)) > DETECTION.limit)
    return [int(number) for number in told if number >= first]


def test_a_shift_of_two_and_a_half_deviations_is_heard_within_a_week_though_no_night_is_outside() -> None:
    distance = np.zeros(60)
    distance[30:] = 2.5
    heard = hear(distance)
    told = np.flatnonzero(heard.reach > DETECTION.limit)
    assert distance.max() < DETECTION.limit
    assert 30 < told[0] <= 37
    assert set(heard.by[told]) <= {"ewma", "scatter"}


def test_independent_nights_are_outside_less_than_once_in_ten_years_of_one_series() -> None:
    """Two hundred years of standard normal nights; one night alone beyond 4 is a matter of 43 years."""
    rng = np.random.default_rng(1)
    told = sum((np.abs(hear(rng.normal(size=3650)).reach) > 4).sum() for _ in range(20))
    assert told <= 20


def test_a_slide_of_one_percent_a_day_is_found_and_sooner_than_a_single_day_could_tell_it() -> None:
    """Under 4 % of noise a day alone must be 16 % away; the nights together need less."""
    together, alone = [], []
    for seed in (1, 2, 3, 4):
        value = volumes(140, seed)
        value[112:] *= 0.99 ** np.arange(1, 29)
        judged = forecast.judge(series(value), nights(0, 139), DETECTION)
        for told, of in ((together, judged.reach), (alone, judged.distance)):
            told.append(min(np.flatnonzero(np.abs(np.nan_to_num(of[112:])) > DETECTION.limit)))
    assert max(together) <= 20
    assert np.mean(together) < np.mean(alone)


def test_days_that_scatter_three_times_as_much_are_told_as_scatter() -> None:
    value = volumes(140)
    rng = np.random.default_rng(3)
    value[112:133] *= np.exp(rng.normal(0, 0.11, 21))  # the usual noise is 4 %
    judged = forecast.judge(series(value), nights(0, 139), DETECTION)
    spoke = {judged.detector[number] for number in outside(value, 112)}
    assert "scatter" in spoke


def test_one_wild_night_is_told_once() -> None:
    value = volumes(140)
    value[121] *= 0.2
    assert outside(value) == [121]


def test_missing_nights_carry_no_weight_and_are_not_judged() -> None:
    distance = np.full(20, 2.5)
    distance[[10, 11]] = np.nan
    heard = hear(distance)
    assert np.isnan(heard.reach[[10, 11]]).all()
    assert heard.reach[12] > DETECTION.limit


def test_rows_left_out_and_rows_without_a_value_are_the_same_gap() -> None:
    rng = np.random.default_rng(2)
    distance = rng.normal(0, 2, 40)
    distance[[7, 21, 22]] = np.nan
    days = np.datetime64("2025-01-06") + np.arange(40)
    kept = np.isfinite(distance)
    np.testing.assert_array_equal(
        accumulating.hear(days, distance).reach[kept], accumulating.hear(days[kept], distance[kept]).reach
    )


def test_only_the_distances_of_the_days_that_are_needed_matter_and_those_to_the_last_digit() -> None:
    rng = np.random.default_rng(4)
    distance = rng.normal(0, 1.5, 400)
    days = np.datetime64("2025-01-06") + np.arange(400)
    late = accumulating.hear(days[100:], distance[100:]).reach[accumulating.NEEDED :]
    assert accumulating.hear(days, distance).reach[100 + accumulating.NEEDED :].tolist() == late.tolist()


def test_a_series_that_wanders_must_stray_farther_together_than_one_of_independent_nights() -> None:
    """The same five nights after half a year of independent nights, and of nights with a correlation of 0.9."""
    rng = np.random.default_rng(5)
    independent = rng.normal(size=200)
    wandering = independent.copy()
    for day in range(1, 200):
        wandering[day] = 0.9 * wandering[day - 1] + np.sqrt(1 - 0.81) * independent[day]
    reached = []
    for past in (independent, wandering):
        quiet = np.r_[past / past.std(), np.zeros(21), np.full(5, 2.3)]
        reached.append(hear(quiet).reach[-1])
    assert reached[0] > 4.0
    assert reached[1] < 3.2


def test_a_small_lasting_shift_is_told_adapted_to_and_then_silent() -> None:
    value = volumes(300)
    value[112:] *= 0.88  # three deviations
    told = outside(value)
    assert told[0] <= 112 + 3
    assert max(told) < 112 + 49
    assert outside(value, 112 + 49) == []


@pytest.mark.parametrize("order", ["forwards", "backwards"])
def test_nights_one_by_one_in_any_order_say_what_the_range_says(order: str) -> None:
    """The sums are made of stored distances alone, so nothing is lost between one night's process and the next."""
    value = volumes(140)
    value[98:119] *= 0.91
    one = series(value)
    whole = forecast.judge(one, nights(0, 139), DETECTION)
    assert {"ewma", "scatter"} & set(whole.detector)
    asked = [28, 97, 98, 99, 101, 104, 105, 111, 119, 126, 139]
    for number in asked if order == "forwards" else asked[::-1]:
        night = forecast.judge(remembering(one, whole, number), nights(number, number), DETECTION)
        for name in ("expected", "lower", "upper", "distance", "reach"):
            assert getattr(night, name)[number] == getattr(whole, name)[number], (number, name)
        assert night.detector[number] == whole.detector[number]
