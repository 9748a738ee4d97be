"""Gaps between groups: fairlearn's definitions by hand, and statsmodels for two groups."""

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from jobs.methods.fairness import difference, gaps, quotient, worst


def test_the_four_fifths_example_of_the_guidelines() -> None:
    """EEOC question 12 (1979): 48 of 80 white and 12 of 40 black applicants selected; 30 % / 60 % = 50 %, under 80
    %."""
    made = gaps([0, 0], [48, 12], [80, 40], 1, 30, "applicants")
    assert made.ratio[0] == pytest.approx(0.5)
    assert made.difference[0] == pytest.approx(0.3)
    assert quotient(made).n.tolist() == [40]


def test_two_groups_have_the_intervals_of_their_one_pair() -> None:
    made = gaps([0, 0], [48, 12], [80, 40], 1, 30, "applicants")
    expected = confint_proportions_2indep(48, 80, 12, 40, method="newcomb")
    np.testing.assert_allclose([made.difference_lower[0], made.difference_upper[0]], expected, atol=1e-10)
    expected = confint_proportions_2indep(12, 40, 48, 80, method="log", compare="ratio")
    np.testing.assert_allclose([made.ratio_lower[0], made.ratio_upper[0]], expected, rtol=1e-10)


def test_the_widest_pair_of_many_groups_is_the_gap_and_groups_in_any_order_agree() -> None:
    """fairlearn: max - min and min / max of the groups' rates."""
    hits, n = np.array([30, 50, 45, 20]), np.array([100, 100, 90, 80])
    rates = hits / n
    made = gaps(np.zeros(4, int), hits, n, 1, 30, "rows")
    assert made.difference[0] == pytest.approx(rates.max() - rates.min())
    assert made.ratio[0] == pytest.approx(rates.min() / rates.max())
    assert made.difference_lower[0] <= made.difference[0] <= made.difference_upper[0]
    assert made.ratio_lower[0] <= made.ratio[0] <= made.ratio_upper[0]
    order = [2, 0, 3, 1]
    again = gaps(np.zeros(4, int), hits[order], n[order], 1, 30, "rows")
    assert again.difference[0] == pytest.approx(made.difference[0])
    assert again.difference_upper[0] == pytest.approx(made.difference_upper[0])


def test_a_small_group_takes_no_part_however_extreme() -> None:
    made = gaps([0, 0, 0], [50, 45, 0], [100, 100, 29], 1, 30, "decisions")
    assert made.difference[0] == pytest.approx(0.05)


def test_one_group_is_no_comparison_and_says_so() -> None:
    told = difference(gaps([0, 0, 1], [50, 1, 3], [100, 4, 9], 2, 30, "decisions"))
    assert told.reason.tolist() == [
        "1 of 2 groups has 30 decisions, two are needed",
        "0 of 1 groups have 30 decisions, two are needed",
    ]
    assert np.isnan(told.value).all()


def test_groups_that_are_never_selected_have_no_ratio_but_no_difference() -> None:
    made = gaps([0, 0], [0, 0], [100, 100], 1, 30, "decisions")
    assert difference(made).value.tolist() == [0.0]
    assert quotient(made).reason.tolist() == ["the rate of every group is 0"]


def test_one_group_never_selected_has_a_ratio_of_0_with_an_interval() -> None:
    told = quotient(gaps([0, 0], [0, 40], [100, 100], 1, 30, "decisions"))
    assert told.value.tolist() == [0.0]
    assert 0 < told.upper[0] < 0.3


def test_equalized_odds_is_the_worse_of_both_rates_and_needs_both() -> None:
    """fairlearn: max of the two differences, min of the two ratios."""
    tpr = gaps([0, 0, 1, 1], [80, 60, 9, 80], [100, 100, 10, 100], 2, 30, "positive labels", 2)
    fpr = gaps([0, 0, 1, 1], [10, 40, 10, 20], [100, 100, 100, 100], 2, 30, "negative labels", 2)
    both = worst(tpr, fpr)
    assert difference(both).value[0] == pytest.approx(0.3)
    assert quotient(both).value[0] == pytest.approx(0.25)
    assert difference(both).reason.tolist() == [None, "1 of 2 groups has 30 positive labels, two are needed"]


def test_the_interval_of_the_gap_holds_the_true_gap() -> None:
    """Four groups with true rates 0.3, 0.3, 0.3, 0.5: 0.2 lies in the interval in at least 95 % of samples."""
    random = np.random.default_rng(5)
    hits = random.binomial(80, [0.3, 0.3, 0.3, 0.5], (1500, 4))
    series = np.repeat(np.arange(1500), 4)
    made = gaps(series, hits.ravel(), np.full(6000, 80), 1500, 30, "rows")
    held = (made.difference_lower <= 0.2) & (made.difference_upper >= 0.2)
    assert held.mean() >= 0.95
