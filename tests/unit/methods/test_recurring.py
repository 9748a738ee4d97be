"""A series that leaves its range again and again must go farther than it did, and never has to go beyond bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.methods import recurring
from jobs.spec.judging import Detection

START = np.datetime64("2025-01-06")
"""A Monday."""


def days(count: int) -> np.ndarray:
    return START + np.arange(count)


def farther(reach: dict[int, float], count: int = 300, detection: Detection | None = None, age: int = 0) -> np.ndarray:
    """By how many times the limit each of `count` days must reach, of which those in `reach` went out."""
    harmful = np.zeros(count)
    for position, value in reach.items():
        harmful[position] = value
    return recurring.farther(days(count), days(count) + age, harmful, detection or Detection())


def test_the_fourth_time_must_go_a_tenth_farther_than_the_third_farthest() -> None:
    # Worked by hand: 9, 6 and 7 deviations; 1.1 x 6 = 6.6, which is 1.65 times the limit of 4.
    assert farther({10: 9.0, 40: 6.0, 70: 7.0})[100] == pytest.approx(1.65)
    assert farther({10: 9.0, 40: 6.0, 70: 7.0, 100: 8.0})[200] == pytest.approx(1.1 * 7 / 4)


@pytest.mark.parametrize("reach", [{}, {10: 9.0}, {10: 9.0, 60: 9.0}, {10: 9.0, 12: 8.0, 15: 9.0, 20: 9.0}])
def test_two_times_are_no_habit_and_days_near_each_other_are_one_time(reach: dict[int, float]) -> None:
    assert (farther(reach) == 1).all()


def test_a_fault_of_great_size_is_news_however_often_it_comes_back() -> None:
    assert farther(dict.fromkeys(range(0, 280, 28), 80.0)).max() == recurring.FARTHEST


def test_what_was_farther_back_than_the_history_is_forgotten() -> None:
    reach, detection = {10: 9.0, 40: 9.0, 70: 9.0}, Detection(max_history=100)
    # The hundred days before a Monday: that of 21 April (position 105) still sees the tenth day, that of 28 April not.
    assert farther(reach, detection=detection)[[105, 111, 112]].tolist() == pytest.approx([2.475, 2.475, 1.0])


def told(reach: dict[int, float], count: int = 300) -> list[int]:
    """Positions of the days that are told at the usual limit."""
    harmful = np.zeros(count)
    harmful[list(reach)] = list(reach.values())
    return np.flatnonzero(harmful > 4 * farther(reach, count)).tolist()


@pytest.mark.parametrize("third", [100, 103, 104, 110])
def test_a_fault_soon_after_the_third_time_is_told_to_its_end_or_not_before_its_fourteenth_day(third: int) -> None:
    begin = third + 15
    days_told = [
        day - begin for day in told({20: 9.0, 60: 9.0, third: 9.0, **dict.fromkeys(range(begin, begin + 21), 9.0)})
    ]
    assert days_told[-7:] == list(range(14, 21))
    assert [day for day in days_told if day >= 0] in (list(range(21)), list(range(13, 21)))


def test_a_shift_that_lasts_is_told_after_two_weeks_though_wild_days_went_as_far() -> None:
    wild, shift = {10: 9.0, 40: 9.0, 70: 9.0}, dict.fromkeys(range(150, 180), 7.0)
    assert told(wild | shift) == [10, 40, 70, *range(163, 180)]


def test_after_a_shift_that_lasted_the_next_must_last_longer_or_go_farther() -> None:
    lasted = {day + at: 7.0 for day in (10, 60, 110) for at in range(20)}
    assert [day for day in told(lasted | dict.fromkeys(range(200, 230), 7.0)) if day >= 200] == list(range(220, 230))


def test_four_weeks_are_told_however_long_others_lasted() -> None:
    lasted = {day + at: 7.0 for day in (10, 80, 150) for at in range(45)}
    assert [day for day in told(lasted | dict.fromkeys(range(230, 270), 7.0)) if day >= 230] == list(range(257, 270))


def test_what_is_told_does_not_fall_silent_because_the_next_night_is_a_little_nearer() -> None:
    assert [day for day in told({10: 6.0, 40: 6.0, 70: 6.0, 150: 7.0, 151: 6.5, 152: 5.0, 153: 6.5}) if day > 80] == [
        150, 151, 152, 153,
    ]  # fmt: skip


def test_a_hole_in_the_labels_makes_no_other_time() -> None:
    harmful = np.zeros(300)
    harmful[[10, 40]] = 9.0
    harmful[70:76], harmful[76:95], harmful[95:100] = 9.0, np.nan, 9.0
    assert (recurring.farther(days(300), days(300), harmful, Detection())[:112] == 1).all()


@pytest.mark.parametrize("pause", [20, 36, 60, 150])
def test_after_a_long_pause_a_time_is_over_though_nothing_was_inside_meanwhile(pause: int) -> None:
    harmful = np.zeros(300)
    harmful[[10, 40, 70]] = 9.0
    harmful[71 : 71 + pause] = np.nan
    assert recurring.farther(days(300), days(300), harmful, Detection())[-1] == pytest.approx(2.475)


def test_times_of_which_no_rule_would_have_told_do_not_count() -> None:
    """A rule that waits for three nights never told of single ones."""
    harmful = np.zeros(300)
    harmful[[10, 40, 70]] = 9.0
    assert (recurring.farther(days(300), days(300), harmful, Detection(), in_a_row=3) == 1).all()


def test_only_the_nights_that_are_asked_for_are_looked_at() -> None:
    harmful = np.zeros(300)
    harmful[[10, 40, 70]] = 9.0
    whole = recurring.farther(days(300), days(300), harmful, Detection())
    late = recurring.farther(days(300), days(300), harmful, Detection(), since=START + 200)
    assert (late[:196] == 1).all()
    np.testing.assert_array_equal(late[200:], whole[200:])


def test_it_can_be_asked_that_every_time_is_news() -> None:
    assert (farther(dict.fromkeys(range(0, 280, 28), 9.0), detection=Detection(recurring=0)) == 1).all()


def test_labels_that_come_late_are_told_from_the_monday_of_their_night() -> None:
    # Over by the Monday at position 91, whose night judges the day three before it where labels are three days late.
    first = [int(np.flatnonzero(farther({10: 9.0, 40: 6.0, 70: 7.0}, age=age) > 1)[0]) for age in (0, 3, 7)]
    assert first == [91, 88, 91]


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(st.integers(0, 299), st.floats(4.1, 12), max_size=40),
    st.integers(0, 299),
    st.integers(0, 9),
    st.lists(st.tuples(st.integers(0, 299), st.integers(1, 80)), max_size=3),
)
def test_a_night_is_told_alike_whatever_comes_after_it_and_of_whatever_is_read_before(
    reach: dict[int, float], position: int, age: int, pauses: list[tuple[int, int]]
) -> None:
    detection = Detection(max_history=120)
    harmful = np.zeros(300)
    harmful[list(reach)] = list(reach.values())
    for begin, length in pauses:
        harmful[begin : begin + length] = np.nan
    whole = recurring.farther(days(300), days(300) + age, harmful, detection)
    monday = position - (position + age) % 7
    first = max(monday - 120 - recurring.NEEDED, 0)
    part = slice(first, position + 1)
    alone = recurring.farther(days(300)[part], days(300)[part] + age, harmful[part], detection)
    assert alone[-1] == whole[position]
    assert 1 <= whole[position] <= recurring.FARTHEST
