"""A series that leaves its range again and again must go farther than it did, and never has to go beyond bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
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


def test_a_time_that_is_not_over_does_not_silence_itself() -> None:
    reach = {10: 9.0, 40: 9.0, **dict.fromkeys(range(100, 160), 9.0)}
    told = farther(reach)
    assert (told[:174] == 1).all()  # until fourteen days after its last day, and the Monday after
    assert told[182] == pytest.approx(2.475)


def test_it_can_be_asked_that_every_time_is_news() -> None:
    assert (farther(dict.fromkeys(range(0, 280, 28), 9.0), detection=Detection(recurring=0)) == 1).all()


def test_labels_that_come_late_are_told_from_the_monday_of_their_night() -> None:
    # Over by the Monday at position 91, whose night judges the day three before it where labels are three days late.
    first = [int(np.flatnonzero(farther({10: 9.0, 40: 6.0, 70: 7.0}, age=age) > 1)[0]) for age in (0, 3, 7)]
    assert first == [91, 88, 91]


@given(
    st.dictionaries(st.integers(0, 299), st.floats(4.1, 40), max_size=12),
    st.integers(0, 299),
    st.integers(0, 9),
)
def test_a_night_is_told_alike_whatever_comes_after_it_and_of_whatever_is_read_before(
    reach: dict[int, float], position: int, age: int
) -> None:
    detection = Detection(max_history=120)
    harmful = np.zeros(300)
    harmful[list(reach)] = list(reach.values())
    whole = recurring.farther(days(300), days(300) + age, harmful, detection)
    monday = position - (position + age) % 7
    first = max(monday - 120, 0)
    part = slice(first, position + 1)
    alone = recurring.farther(days(300)[part], days(300)[part] + age, harmful[part], detection)
    assert alone[-1] == whole[position]
    assert 1 <= whole[position] <= recurring.FARTHEST
