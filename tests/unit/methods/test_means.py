"""Means from sums, against scipy and statsmodels on the rows; and how often a quiet night's search points anywhere."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from jobs.methods.means import (
    Sums,
    excess_of_means,
    overdispersion_of_means,
    paired_mean,
    sums_of,
    welch,
)
from jobs.methods.search import q_values


def of(rows: np.ndarray) -> Sums:
    return sums_of([len(rows)], [rows.sum()], [(rows**2).sum()])


@pytest.mark.parametrize("seed", range(5))
def test_two_means_are_held_against_each_other_as_scipy_and_statsmodels_do(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, other = random.lognormal(1, 0.6, 40), random.lognormal(1.2, 0.9, 70)
    told = welch(of(one), of(other))
    expected = stats.ttest_ind(one, other, equal_var=False)
    assert told.z[0] == pytest.approx(expected.statistic)
    assert told.p_value[0] == pytest.approx(expected.pvalue)
    lower, upper = CompareMeans(DescrStatsW(one), DescrStatsW(other)).tconfint_diff(usevar="unequal")
    assert (told.interval[0][0], told.interval[1][0]) == pytest.approx((lower, upper))


@pytest.mark.parametrize("seed", range(5))
def test_differences_of_the_same_rows_are_judged_as_scipys_paired_test_does(seed: int) -> None:
    random = np.random.default_rng(seed)
    one = random.normal(5, 2, 30)
    other = one + random.normal(0.3, 1, 30)
    told, expected = paired_mean(of(other - one)), stats.ttest_rel(other, one)
    assert told.p_value[0] == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval()
    assert (told.interval[0][0], told.interval[1][0]) == pytest.approx((interval.low, interval.high))


def test_differences_that_are_all_alike_are_certain_and_none_at_all_is_no_difference() -> None:
    told = paired_mean(sums_of([9, 9], [18, 0], [36, 0]))
    assert told.p_value.tolist() == [0, 1]
    assert [end.tolist() for end in told.interval] == [[2, 0], [2, 0]]


def test_one_value_proves_nothing() -> None:
    told = welch(sums_of([1], [5], [25]), sums_of([0], [0], [0]))
    assert np.isnan([told.z[0], told.p_value[0], told.interval[0][0]]).all()


def test_days_that_are_unlike_widen_what_they_prove() -> None:
    """Four days of 50 values; scipy's F of one-way analysis of variance, with the variance of all rows below."""
    random = np.random.default_rng(3)
    days = [random.normal(mean, 1, 50) for mean in (0, 2, 4, 6)]
    rows = np.concatenate(days)
    between = sum(50 * (day.mean() - rows.mean()) ** 2 for day in days) / 3
    found = overdispersion_of_means(of(rows), [sum(day.sum() ** 2 / 50 for day in days)], [4])
    assert found[0] == pytest.approx(between / rows.var(ddof=1))
    assert overdispersion_of_means(of(rows), [0.0], [1])[0] == 1, "one day tells nothing of days"


def test_without_everybody_else_there_is_no_excess() -> None:
    rows = of(np.array([1.0, 2.0, 4.0]))
    assert np.isnan(excess_of_means(rows, rows, rows, rows).z[0])


@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_quiet_nights_of_skewed_errors_seldom_point_anywhere(spread: float) -> None:
    """400 nights of 20 segments with 60 rows each, and a week before; the rate of nights with a find is bounded by 5 %."""
    random = np.random.default_rng(11)
    nights, segments = 400, 20
    now, past = (random.lognormal(0, spread, (nights, segments, rows)) for rows in (60, 420))

    def summed(rows: np.ndarray) -> Sums:
        return Sums(np.full(rows.shape[:2], rows.shape[2], dtype=float), rows.sum(axis=2), (rows**2).sum(axis=2))

    def whole(part: Sums) -> Sums:
        return Sums(*(np.repeat(one.sum(axis=1, keepdims=True), segments, axis=1) for one in
                      (part.n, part.total, part.squares)))  # fmt: skip

    mine, former = summed(now), summed(past)
    told = excess_of_means(mine, former, whole(mine), whole(former))
    worse = np.where(told.z > 0, told.p_value / 2, 1 - told.p_value / 2)
    found = q_values(worse.ravel(), np.repeat(np.arange(nights), segments)).reshape(nights, segments) <= 0.05
    assert found.any(axis=1).mean() <= 0.05
