"""Expected ranges: found faults, quiet weeks, cold starts, and the same answer in every order."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from jobs.methods import forecast, shifts, weekly_fit
from jobs.methods.forecast import NEEDED, Series
from jobs.periods import Period
from jobs.spec.judging import Detection
from tests.unit.methods.given_series import accuracies, day, nights, remembering, series, volumes

if TYPE_CHECKING:
    from jobs.methods.scale import Floats, Kind

DETECTION = Detection(limit=5.0)


def broken_fit(days: object, values: object, targets: object, calendar: object) -> Floats:
    """What Prophet would do if its program could not be started."""
    raise weekly_fit.FitError("FileNotFoundError: no such program")


def outside(one: Series, first: int, last: int, detection: Detection = DETECTION) -> list[int]:
    """The days judged to be outside their range."""
    judged = forecast.judge(one, nights(first, last), detection)
    return np.flatnonzero(np.abs(np.nan_to_num(judged.distance)) > detection.limit).tolist()


# faults and quiet -----------------------------------------------------------------------------------------------


def test_a_quiet_series_stays_quiet_and_its_weekly_shape_is_expected() -> None:
    one = series(volumes(168))
    judged = forecast.judge(one, nights(0, 167), DETECTION)
    assert np.nanmax(np.abs(judged.distance)) < DETECTION.limit
    late = np.arange(168) >= 56
    saturdays = late & (np.arange(168) % 7 == 5)
    assert judged.expected[saturdays].mean() == pytest.approx(670, rel=0.03)
    assert judged.expected[late & (np.arange(168) % 7 == 1)].mean() == pytest.approx(1000, rel=0.03)


def test_a_day_with_half_the_rows_is_found_and_only_that_day() -> None:
    value = volumes(140)
    value[121] *= 0.5
    assert outside(series(value), 0, 139) == [121]


def test_a_range_is_on_the_metrics_own_scale_and_within_its_bounds() -> None:
    judged = forecast.judge(series(accuracies(120, 40, rate=0.99), 40, "rate"), nights(60, 119), DETECTION)
    asked = slice(60, 120)
    assert (judged.lower[asked] >= 0).all()
    assert (judged.upper[asked] <= 1).all()
    assert (judged.lower[asked] < judged.expected[asked]).all()
    assert (judged.expected[asked] < judged.upper[asked]).all()


def test_one_odd_answer_of_twelve_raises_nothing_and_the_same_rate_of_ten_thousand_does() -> None:
    for n, expected in ((12, []), (10_000, [100])):
        value = accuracies(120, n)
        value[100] = 10 / 12
        assert outside(series(value, n, "rate"), 0, 119) == expected


def test_a_past_fault_does_not_widen_or_move_the_range_of_the_days_after_it() -> None:
    clean = volumes(160)
    spoilt = clean.copy()
    spoilt[100:106] *= 0.3
    before, after = (forecast.judge(series(value), nights(0, 159), DETECTION) for value in (clean, spoilt))
    late = slice(112, 160)
    assert after.expected[late] == pytest.approx(before.expected[late], rel=0.02)
    width = (before.upper - before.lower)[late], (after.upper - after.lower)[late]
    assert np.median(width[1]) < 1.25 * np.median(width[0])


def test_a_lasting_shift_is_told_for_four_weeks_and_then_is_the_new_normal() -> None:
    value = volumes(224)
    value[112:] *= 0.6  # from a Monday on
    told = outside(series(value), 0, 223)
    assert told == list(range(112, 112 + shifts.ADAPT_AFTER))


def test_a_week_of_a_new_shape_is_told_for_six_weeks_and_then_is_the_new_normal() -> None:
    value = volumes(210)
    weekend = (np.arange(210) >= 105) & (np.arange(210) % 7 >= 5)
    value[weekend] *= 1.5  # from the 16th week on nobody stays away at weekends
    told = outside(series(value), 0, 209)
    assert told == [number for number in range(105, 147) if number % 7 >= 5]


def test_after_the_shift_is_accepted_its_end_is_news_again() -> None:
    value = volumes(224)
    value[112:168] *= 0.6
    told = outside(series(value), 0, 223)
    assert [number for number in told if 140 <= number < 168] == []
    assert told[28] == 168


# only the past --------------------------------------------------------------------------------------------------


def test_what_comes_later_changes_nothing() -> None:
    value = volumes(140)
    changed = value.copy()
    changed[120:] *= 7
    short, long = (forecast.judge(series(given), nights(0, 119), DETECTION) for given in (value[:120], changed))
    for name in ("expected", "lower", "upper", "distance"):
        np.testing.assert_array_equal(getattr(short, name), getattr(long, name)[:120])


def test_a_range_and_its_nights_one_by_one_say_the_same_to_the_last_digit() -> None:
    value = volumes(126)
    value[90:97] *= 0.5
    one = series(value)
    whole = forecast.judge(one, nights(0, 125), DETECTION)
    for number in (20, 33, 84, 91, 95, 98, 99, 125):
        night = forecast.judge(remembering(one, whole, number), nights(number, number), DETECTION)
        for name in ("expected", "lower", "upper", "distance"):
            assert getattr(night, name)[number] == getattr(whole, name)[number], (number, name)
        assert night.detector[number] == whole.detector[number]


def test_a_figure_of_age_seven_is_judged_by_figures_known_a_week_after_their_days() -> None:
    """On the night of day 107 the figure of day 100 is judged; figures of days 94 to 99 were known by its Monday."""
    one = series(accuracies(140, 2000), 2000, "rate", age=7)
    whole = forecast.judge(one, nights(0, 139), DETECTION)
    assert np.isfinite(whole.distance[132])
    assert np.isnan(whole.distance[133])
    later = replace(one, value=np.where(np.arange(140) > 97, 0.1, one.value))
    again = forecast.judge(later, nights(0, 107), DETECTION)
    assert again.expected[100] == whole.expected[100]  # the night's Monday is day 105, which knows days up to 97


def test_weeks_begin_on_monday_whatever_day_a_range_begins_on() -> None:
    assert forecast.monday_of(date(2025, 3, 2)) == date(2025, 2, 24)
    assert forecast.monday_of(day(0)) == day(0)


# cold start and fallback ----------------------------------------------------------------------------------------


def test_nine_nights_of_history_are_not_judged_and_say_so() -> None:
    judged = forecast.judge(series(volumes(20)), nights(9, 9), DETECTION)
    assert judged.note[9] == "only 9 nights of history, 14 needed"
    assert np.isnan(judged.distance[9])


def test_the_detectors_take_turns_as_history_grows() -> None:
    judged = forecast.judge(series(volumes(60)), nights(0, 59), DETECTION)
    spoke = np.array(judged.detector)
    assert (spoke[:NEEDED] == "").all()
    assert (spoke[14:28] == "seasonal_median").all()
    assert (spoke[28:] == "prophet").all()


def test_a_collapse_in_the_third_week_is_found_without_prophet() -> None:
    value = volumes(28)
    value[20] = 30
    assert outside(series(value), 0, 27) == [20]


@pytest.mark.parametrize("kind", ["count", "latency", "rate", "amount", "level"])
def test_the_first_weeks_of_clean_noise_are_quiet(kind: Kind) -> None:
    """Forty series of six weeks each; at a limit of 4 they would raise 0.1 alarms if their spreads were known."""
    alarms = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(0, 1, 42)
        made = {"count": 1000 + 100 * noise, "latency": 200 + 10 * noise, "rate": np.clip(0.9 + 0.02 * noise, 0, 1)}
        judged = forecast.judge(series(made.get(kind, 3 + 0.3 * noise), 5000, kind), nights(0, 41), Detection())
        alarms += int((np.abs(np.nan_to_num(judged.reach)) > 4).sum())
    assert alarms <= 3


@pytest.mark.parametrize("seed", [381, 670, 962])
def test_clean_noise_whose_first_days_look_alike_is_not_told_for_weeks(seed: int) -> None:
    """Of a thousand such series three were once told of on twelve to twenty-four nights.

    Their first weekdays happened to agree; what did not was taken for outliers, and the spread that was left for all.
    """
    noise = np.random.default_rng([7, seed]).normal(0, 1, 42)
    assert outside(series(3 + 0.3 * noise, 5000, "level"), 0, 41) == []


@pytest.mark.parametrize("stray", [3, 300, 1000])
def test_a_row_long_before_the_first_days_does_not_hide_them(stray: int) -> None:
    """Sixty clean days after a pause of two months, with a wild first Friday."""
    value = np.full(121, np.nan)
    value[0] = stray
    value[61:] = np.random.default_rng(stray).normal(1000, 25, 60).round()
    value[64] = 300
    assert outside(series(value), 0, 120) == []


def test_a_rate_that_falls_to_nothing_is_farther_away_than_one_that_falls_half_way() -> None:
    value = accuracies(120, 200)
    value[[100, 110]] = [0.0, 0.45]
    error = np.full(120, 0.02)  # an interval tells it, as of F1
    judged = forecast.judge(replace(series(value, 200, "rate"), error=error), nights(60, 119), DETECTION)
    assert judged.distance[100] < judged.distance[110] < -DETECTION.limit


def test_missing_days_stay_missing_and_are_not_judged() -> None:
    value = volumes(120)
    value[[50, 51, 100]] = np.nan
    judged = forecast.judge(series(value), nights(0, 119), DETECTION)
    assert np.isnan(judged.distance[[50, 51, 100]]).all()
    assert np.isfinite(judged.expected[100])  # the band goes on through the gap
    assert np.nanmax(np.abs(judged.distance)) < DETECTION.limit


def test_when_prophet_fails_the_seasonal_median_speaks_and_says_why() -> None:
    value = volumes(120)
    value[110] *= 0.3
    judged = forecast.judge(series(value), nights(0, 119), DETECTION, fit=broken_fit)
    assert judged.detector[110] == "seasonal_median"
    assert judged.note[110].startswith("Prophet failed (FileNotFoundError")
    assert np.flatnonzero(np.abs(np.nan_to_num(judged.distance)) > 5).tolist() == [110]


def test_a_series_stuck_at_one_value_has_a_range_around_it() -> None:
    judged = forecast.judge(series(np.full(90, 500.0)), nights(0, 89), DETECTION)
    assert judged.expected[80] == pytest.approx(500)
    assert judged.lower[80] < 500 < judged.upper[80]


def test_amounts_may_be_negative() -> None:
    rng = np.random.default_rng(5)
    value = rng.normal(-4, 3, 120)
    value[100] = 60
    assert outside(series(value, 500, "amount"), 0, 119) == [100]


def test_a_holiday_of_the_country_is_expected_from_its_second_year_on() -> None:
    """Portugal's 25 April, with a third of the usual rows, in 2024 and 2025."""
    value = volumes(900, level=2000)
    days = np.datetime64("2022-12-05") + np.arange(900)
    for holiday in ("2023-04-25", "2024-04-25", "2025-04-25"):
        value[days == np.datetime64(holiday)] = 700
    one = series(value, first=date(2022, 12, 5))
    april = int(np.flatnonzero(days == np.datetime64("2024-04-25"))[0])
    week = Period(date(2024, 4, 22), date(2024, 4, 25))
    with_calendar, without = (
        forecast.judge(one, week, Detection(max_history=800, country=country)) for country in ("PT", None)
    )
    assert with_calendar.expected[april] < 0.6 * without.expected[april]


def test_a_known_event_is_expected_from_its_second_time_on_and_not_judged_the_first() -> None:
    """A sale that doubles the rows, on the 60th and on the 130th day: the first could be anything, the second not."""
    value = volumes(140)
    value[[60, 130]] *= 2
    marked = Detection(limit=5.0, events={"sale": (day(60), day(130))})
    judged = forecast.judge(series(value), nights(0, 139), marked)
    assert np.isnan(judged.distance[60])
    assert judged.note[60] == forecast.FIRST_TIME
    assert abs(judged.distance[130]) < 5
    assert outside(series(value), 0, 139) == [60, 130]


# fits -----------------------------------------------------------------------------------------------------------


def test_the_same_week_is_fitted_once_a_process() -> None:
    one = series(volumes(90, seed=77))
    whole = forecast.judge(one, nights(0, 83), DETECTION)
    before = weekly_fit._fit.cache_info()
    for number in range(77, 84):
        forecast.judge(remembering(one, whole, number), nights(number, number), DETECTION)
    after = weekly_fit._fit.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (7, 0)


def test_a_fit_that_cannot_be_made_is_one_kind_of_error() -> None:
    days = np.datetime64("2025-01-06") + np.arange(40)
    with pytest.raises(weekly_fit.FitError, match="XX"):
        weekly_fit.fit(days, volumes(40), days[-7:] + 7, weekly_fit.Calendar("XX"))


def test_fits_say_nothing_on_the_terminal() -> None:
    """Prophet and cmdstanpy report every fit through logging, and the absence of plotly at import."""
    script = (
        "import numpy as np; from jobs.methods import weekly_fit;"
        "days = np.datetime64('2025-01-06') + np.arange(40);"
        "weekly_fit.holidays(days, weekly_fit.Calendar('PT'));"
        "weekly_fit.fit(days, np.sin(np.arange(40.0)), days[-7:] + 7, weekly_fit.Calendar('PT'))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("", "")
