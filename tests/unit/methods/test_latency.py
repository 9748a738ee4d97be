"""Latency quantiles from logarithmic bins against the exact ones."""

import numpy as np
import pytest

from jobs.methods.latency import GAMMA, NOT_POSITIVE, latency_bin, quantile, quantile_of_rows, value_of_bin


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_quantiles_are_within_one_percent_of_the_exact_ones(q: float) -> None:
    values = np.random.default_rng(1).lognormal(4, 1, 5000)
    bins, counts = np.unique(latency_bin(values), return_counts=True)
    exact = np.quantile(values, q, method="inverted_cdf")
    assert quantile(bins, counts, q).value[0] == pytest.approx(exact, rel=0.01)


def test_every_value_is_within_one_percent_of_its_bin() -> None:
    values = np.geomspace(1e-3, 1e7, 5000)
    assert (np.abs(value_of_bin(latency_bin(values)) / values - 1) <= 0.00991).all()


def test_bins_are_right_closed() -> None:
    edge = GAMMA**100
    assert latency_bin([edge * (1 - 1e-9), edge * (1 + 1e-9)]).tolist() == [100, 101]


def test_zero_and_negative_latencies_count_and_read_zero() -> None:
    assert latency_bin([0.0, -3.0]).tolist() == [NOT_POSITIVE] * 2
    assert quantile([NOT_POSITIVE, 0], [9, 1], 0.5).value[0] == 0.0


def test_merged_days_have_the_quantiles_of_all_their_values() -> None:
    random = np.random.default_rng(2)
    days = [random.lognormal(3, 1, n) for n in (300, 700)]
    bins = np.unique(latency_bin(np.concatenate(days)))
    counts = [(latency_bin(day)[:, None] == bins).sum(axis=0) for day in days]
    exact = np.quantile(np.concatenate(days), 0.95, method="inverted_cdf")
    assert quantile(bins, counts[0] + counts[1], 0.95).value[0] == pytest.approx(exact, rel=0.01)


def test_the_interval_is_the_order_statistics_around_the_quantile() -> None:
    """n = 100, median: ranks 50 -+ 9.8, outward: 40 and 60."""
    made = quantile(np.arange(1, 101), np.ones(100), 0.5)
    assert made.value[0] == value_of_bin(50)
    assert (made.lower[0], made.upper[0]) == (value_of_bin(40), value_of_bin(60))


def test_twenty_values_say_nothing_about_the_upper_end_of_p99() -> None:
    made = quantile(np.arange(20), np.ones(20), 0.99)
    assert made.value[0] == value_of_bin(19)
    assert np.isnan(made.upper[0])


def test_a_group_without_values_is_told() -> None:
    made = quantile_of_rows([1, 1], [5, 9], [1, 3], 3, 0.5)
    assert made.n.tolist() == [0, 4, 0]
    assert made.reason.tolist() == ["no latencies", None, "no latencies"]
    assert made.value[1] == value_of_bin(9)


def test_rank_does_not_slip_on_a_rounding_error() -> None:
    assert 0.07 * 100 > 7
    assert quantile(np.arange(1, 101), np.ones(100), 0.07).value[0] == value_of_bin(7)
