"""A rule's alarms against labelled incidents, counted by hand.

The case: 28 nights (January 2025) and three true incidents, 5 to 7, 15 and 25 January. The rule breached on the nights
of 6, 7 (one alarm, right, a night late), 11 (wrong), 15 (right, at once); of the third incident it said nothing.
"""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from jobs.methods import backtest, specificity
from jobs.methods.labelled import Labelled, Truth
from jobs.spec.judging import Rule


def january(number: int) -> date:
    return date(2025, 1, number)


def breaches(*nights_and_days: tuple[int, int], segment: str = "all") -> pd.DataFrame:
    """(night, day) of January, one breach each."""
    return pd.DataFrame(
        {
            "night": pd.to_datetime([january(night) for night, _ in nights_and_days]),
            "day": pd.to_datetime([january(day) for _, day in nights_and_days]),
            "version": "all", "feature": "", "segment": segment,
        }
    )  # fmt: skip


TRUTH = Truth(
    (
        Labelled(january(5), january(7), known=january(10)),
        Labelled(january(15), january(15), known=january(19)),
        Labelled(january(25), january(25), known=january(28)),
    ),
    through=january(28),
    words="",
)
SPOKEN = breaches((6, 6), (7, 7), (11, 11), (15, 15))


def test_the_case_counted_by_hand() -> None:
    told = backtest.score(backtest.episodes(SPOKEN, apart=3), TRUTH, nights=28)
    assert (told.alarms, told.per_week) == (3, 0.75)  # 3 in 4 weeks
    assert (told.right, told.wrong, told.precision) == (2, 1, pytest.approx(2 / 3))
    assert (told.found, told.labelled, told.recall) == (2, 3, pytest.approx(2 / 3))
    assert told.delay == 0.5  # 1 night and 0 nights
    assert told.lead == 4.0  # known on the 10th and 19th, told on the 6th and 15th


def test_nights_close_to_each_other_are_one_alarm() -> None:
    assert [(one.first.day, one.last.day) for one in backtest.episodes(SPOKEN, apart=3)] == [(6, 7), (11, 11), (15, 15)]
    assert [(one.first.day, one.last.day) for one in backtest.episodes(SPOKEN, apart=4)] == [(6, 15)]


def test_a_day_told_again_at_a_later_age_is_no_second_alarm() -> None:
    again = breaches((6, 5), (12, 5), (13, 6))  # 5 January at ages 1 and 7, 6 January at age 7 only
    assert [one.nights for one in backtest.episodes(again, apart=3)] == [(january(6),), (january(13),)]


def test_an_alarm_long_after_is_right_where_it_is_about_a_day_of_the_incident() -> None:
    late = backtest.score(backtest.episodes(breaches((22, 15)), apart=3), TRUTH, nights=28)
    assert (late.right, late.delay, late.lead) == (1, 7, -3)


def test_an_alarm_about_days_whose_labels_are_not_in_is_neither_right_nor_wrong() -> None:
    young = Truth(TRUTH.incidents[:1], through=january(10), words="")
    told = backtest.score(backtest.episodes(SPOKEN, apart=1), young, nights=28)
    assert (told.right, told.wrong, told.open, told.precision) == (1, 0, 2, 1.0)


def test_without_truth_only_how_often_is_known() -> None:
    told = backtest.score(backtest.episodes(SPOKEN, apart=3), None, nights=28)
    assert (told.per_week, told.precision, told.recall, told.lead) == (0.75, None, None, None)


def test_no_alarms_find_nothing_and_have_no_precision() -> None:
    told = backtest.score([], TRUTH, nights=28)
    assert (told.alarms, told.precision, told.recall, told.delay) == (0, None, 0.0, None)


def told(*rows: tuple[int, int, int]) -> pd.DataFrame:
    """(night, first day, last day) of January that one incident's messages told."""
    columns = ["night", "first_day", "last_day"]
    made = pd.DataFrame([[pd.Timestamp(january(number)) for number in row] for row in rows], columns=columns)
    return made.assign(incident="one")


def test_an_incident_counts_from_the_night_it_opened() -> None:
    found = backtest.score(backtest.joined(told((8, 6, 7))), TRUTH, nights=28)
    assert (found.right, found.found, found.delay, found.lead) == (1, 1, 3, 2)


def test_an_incident_that_stays_open_without_a_word_finds_nothing_more() -> None:
    """Opened on the 2nd, still open on the 15th and 25th: nobody was told of those."""
    silent = backtest.score(backtest.joined(told((2, 2, 2))), TRUTH, nights=28)
    assert (silent.alarms, silent.found, silent.wrong) == (1, 0, 1)


def test_an_open_incident_that_speaks_again_finds_what_it_tells_of_that_night() -> None:
    spoken = backtest.score(backtest.joined(told((5, 5, 5), (16, 15, 15))), TRUTH, nights=28)
    assert (spoken.alarms, spoken.right, spoken.found) == (1, 1, 2)
    assert (spoken.delay, spoken.lead) == (0.5, 4.0)  # 0 and 1 nights late; known 5 and 3 days after


def test_rules_of_one_name_are_told_apart_by_what_they_are_about() -> None:
    wide = Rule(metric="psi", above=0.5, features=("age", "plan"), severity="info")
    narrow = Rule(metric="psi", above=0.5, features=("score",), severity="info")
    rows = pd.DataFrame(
        {
            "rule": "psi above 0.5", "metric": "psi", "severity": "info", "action": None,
            "feature": ["age", "score", "plan"], "label_age": None, "version": "all", "segment": "all",
        }
    )  # fmt: skip
    assert specificity.of_rule(wide, rows, [wide, narrow]).tolist() == [True, False, True]
    assert specificity.of_rule(narrow, rows, [wide, narrow]).tolist() == [False, True, False]
