"""Intervals against statsmodels and hand-worked figures."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from jobs.methods.intervals import estimate, mapped_wilson, mean, mean_interval, proportion, ratio, wilson


def test_eight_of_ten_is_between_49_and_94_percent() -> None:
    lower, upper = wilson(8, 10)
    assert (round(float(lower), 3), round(float(upper), 3)) == (0.490, 0.943)  # Wilson (1927) by hand


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_agrees_with_statsmodels(confidence: float) -> None:
    successes, n = np.array([0, 1, 8, 50, 999, 1000]), np.array([1, 7, 10, 100, 1000, 1000])
    expected = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    np.testing.assert_allclose(wilson(successes, n, confidence), expected, atol=1e-12)


def test_no_rows_have_no_interval_and_a_reason() -> None:
    nothing = proportion([0], [0], "no labels")
    assert nothing.reason.tolist() == ["no labels"]
    assert np.isnan([*nothing.value, *nothing.lower, *nothing.upper]).all()


def test_more_successes_than_rows_is_no_proportion() -> None:
    assert np.isnan(wilson([11, -1], [10, 10])).all()


def test_certainty_keeps_a_width_and_touches_its_end() -> None:
    lower, upper = wilson([0, 10], [10, 10])
    assert lower[0] == 0
    assert upper[1] == 1
    assert upper[0] == pytest.approx(1 - lower[1])
    assert upper[0] > 0.2


def test_mean_interval_agrees_with_statsmodels_normal_interval() -> None:
    values = np.random.default_rng(1).gamma(2, 30, 400)
    expected = DescrStatsW(values).zconfint_mean()
    got = mean_interval(len(values), values.sum(), (values**2).sum())
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_one_value_has_a_mean_but_no_interval() -> None:
    one = mean([1], [5.0], [25.0])
    assert one.value.tolist() == [5.0]
    assert np.isnan(one.lower).all()


def test_equal_values_have_an_interval_without_width() -> None:
    lower, upper = mean_interval(3, 0.3, 0.03)
    assert float(lower) == pytest.approx(0.1)
    assert float(upper) == pytest.approx(0.1)


def test_mapped_interval_is_the_map_of_both_ends() -> None:
    lower, upper = wilson(8, 10)
    assert mapped_wilson(8, 10, np.square) == (lower**2, upper**2)


def test_the_first_reason_that_holds_is_told() -> None:
    told = estimate([1.0, 2.0, 3.0], [0, 0, 1], undefined={"first": [1, 0, 0], "second": [1, 1, 0]})
    assert told.reason.tolist() == ["first", "second", None]
    assert np.isnan(told.value).tolist() == [True, True, False]


def test_ratio_by_zero_is_undefined_and_silent() -> None:
    np.testing.assert_array_equal(ratio([1, 0, 3], [0, 0, 2]), [np.nan, np.nan, 1.5])


def test_a_confidence_of_95_is_refused() -> None:
    with pytest.raises(ValueError, match=r"write 0\.95"):
        wilson(1, 2, 95)
