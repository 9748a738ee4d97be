"""All series of a night share one budget of false alarms."""

from __future__ import annotations

import numpy as np

from jobs.methods import budget

NIGHT = np.datetime64("2025-03-03")


def test_more_series_need_a_farther_reach() -> None:
    few, many = (
        budget.limits(np.full(size, NIGHT), np.zeros(size), false_alarms=0.02, least=3.5)[0] for size in (10, 300)
    )
    assert 4 < few < many < 6


def test_several_odd_series_of_one_night_are_believed_sooner_than_one() -> None:
    """Ten series; a reach of 3.8 is too little for one of them and enough for four."""
    told = {}
    for odd in (1, 4):
        reach = np.r_[np.full(odd, 3.8), np.zeros(10 - odd)]
        told[odd] = int((reach > budget.limits(np.full(10, NIGHT), reach, 0.02, least=3.5)).sum())
    assert told == {1: 0, 4: 4}


def test_the_limit_is_never_below_the_least_however_many_are_odd() -> None:
    reach = np.full(50, 3.4)
    assert not (reach > budget.limits(np.full(50, NIGHT), reach, 0.02, least=3.5)).any()


def test_nights_are_judged_apart_and_in_any_order_of_rows() -> None:
    rng = np.random.default_rng(1)
    nights = np.repeat(NIGHT + np.arange(6), 20)
    reach = rng.normal(0, 3, 120)
    whole = budget.limits(nights, reach, 0.02, least=3.5)
    shuffled = rng.permutation(120)
    np.testing.assert_array_equal(budget.limits(nights[shuffled], reach[shuffled], 0.02, 3.5), whole[shuffled])
    one = nights == NIGHT + 3
    np.testing.assert_array_equal(budget.limits(nights[one], reach[one], 0.02, 3.5), whole[one])


def test_series_that_are_not_judged_do_not_use_up_the_budget() -> None:
    reach = np.r_[4.3, np.full(9, 0.0), np.full(200, np.nan)]
    assert reach[0] > budget.limits(np.full(210, NIGHT), reach, 0.02, least=3.5)[0]


def test_clean_series_stay_within_the_budget_of_their_model() -> None:
    """Tails twice as heavy as normal ones would be quieter still: ten clean normal series, a hundred years of nights."""
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(100):
        nights, reach = np.repeat(NIGHT + np.arange(365), 10), np.abs(rng.normal(size=3650))
        alarms += int((reach > budget.limits(nights, reach, 0.02, least=3.5)).sum())
    assert alarms <= 0.02 * 52.2 * 100


# beside another ---------------------------------------------------------------------------------------------------


def near(rows: list[tuple[int, int, int, int, bool]]) -> list[bool]:
    """`budget.beside` of rows (series, figure, day, night, out), days counted from NIGHT."""
    series, figure, day, night = (np.array(column) for column in list(zip(*rows, strict=True))[:4])
    return budget.beside(series, figure, NIGHT + day, NIGHT + night, np.array([row[4] for row in rows])).tolist()


def test_a_figure_is_beside_one_of_its_day_that_goes_out_and_not_beside_itself_at_another_age() -> None:
    assert near([(0, 0, 5, 5, True), (1, 1, 5, 5, False), (2, 0, 5, 5, False), (1, 1, 6, 6, False)]) == [
        False, True, False, False,
    ]  # fmt: skip


def test_only_what_the_night_knows_counts() -> None:
    """A figure of age 0 is judged a week before the accuracy of the same day goes out; that of age 14 a week after."""
    assert near([(0, 0, 5, 12, True), (1, 1, 5, 5, False), (2, 2, 5, 19, False)]) == [False, False, True]


def test_a_lasting_fault_lowers_the_limit_on_its_first_day_only_and_anew_after_two_quiet_weeks() -> None:
    out = [day in (0, 1, 2, 20) for day in range(22)]
    rows = [(0, 0, day, day, out[day]) for day in range(22)] + [(1, 1, day, day, False) for day in range(22)]
    assert np.flatnonzero(near(rows)[22:]).tolist() == [0, 20]


def test_who_is_beside_does_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(3)
    rows = [
        (series, series // 2, day, day + 7 * (series % 2), bool(rng.random() < 0.1))
        for series in range(6)
        for day in range(30)
    ]
    shuffled = rng.permutation(len(rows))
    told = np.array(near(rows))
    assert near([rows[k] for k in shuffled]) == told[shuffled].tolist()
    assert told.any()
