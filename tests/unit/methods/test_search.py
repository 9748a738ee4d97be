"""The search over segments: statsmodels' false discovery rate, simulated quiet nights, a planted fall."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from jobs.methods.search import excess_z, lower_tail, overdispersion_of_gaps, q_values, share_variance


def test_q_values_are_statsmodels_within_each_group() -> None:
    random = np.random.default_rng(1)
    p, group = random.random(200) ** 3, random.integers(0, 7, 200)
    made = q_values(p, group)
    for one in range(7):
        expected = multipletests(p[group == one], method="fdr_bh")[1]
        np.testing.assert_allclose(made[group == one], expected, rtol=1e-12)


def nights(random: np.random.Generator, fall: float, sway: float = 0.0, change: float = 0.0) -> np.ndarray:
    """q of 12 segments on 400 nights; the last one falls; `sway` is the spread of days around the rate, in each
    segment; `change`: how much lower all of them are in the second half of the window, and since."""
    n, days = random.integers(30, 200, 12), 56
    rate = 0.85 + random.normal(0, sway, (400, days + 1, 12))
    rate[:, days // 2 :] -= change
    rate[:, days, 11] -= fall
    hits = random.binomial(n, np.clip(rate, 0.01, 0.99))
    past, now = hits[:, :days], hits[:, days]
    others, rest = n.sum() - n, past.sum(axis=2, keepdims=True) - past
    weight, gap = n * others / n.sum(), past / n - rest / others
    variances = share_variance(past.sum(axis=1), n * days), share_variance(rest.sum(axis=1), others * days)
    sums = weight * days, (weight * gap).sum(axis=1), (weight * gap**2).sum(axis=1), days
    times = overdispersion_of_gaps(variances, (others / n.sum() * days, n / n.sum() * days), sums)
    counted = np.stack([past.sum(axis=1), now])
    size = np.broadcast_to(np.stack([n * days, n])[:, None, :], counted.shape)
    together = [np.broadcast_to(one.sum(axis=2, keepdims=True), one.shape) for one in (counted, size)]
    z = excess_z(counted, size, *together, (times, times))
    return q_values(lower_tail(z.ravel()), np.repeat(np.arange(400), 12)).reshape(400, 12)


@pytest.mark.parametrize("sway", [0.0, 0.06])
def test_quiet_nights_are_quiet_even_if_days_sway(sway: float) -> None:
    """At a false discovery rate of 1 % about one night in a hundred may point at a segment; with the days' sway too."""
    found = (nights(np.random.default_rng(8), 0.0, sway) <= 0.01).any(axis=1)
    assert found.mean() <= 0.025


def test_without_the_days_sway_taken_in_quiet_nights_would_not_be_quiet() -> None:
    random = np.random.default_rng(8)
    n, days = 150, 56
    rate = np.clip(0.85 + random.normal(0, 0.06, (400, days + 1)), 0.01, 0.99)
    hits = random.binomial(n, rate)
    past, now = hits[:, :days].sum(axis=1), hits[:, days]
    z = excess_z(
        np.stack([past, now]), [[n * days], [n]], np.stack([past + 8500 * days, now + 8500]), [[10**4 * days], [10**4]]
    )
    assert (lower_tail(z) < 0.001).mean() > 0.02


def test_a_segment_that_falls_is_found_and_it_alone() -> None:
    found = nights(np.random.default_rng(9), 0.35) <= 0.01
    assert found[:, 11].mean() > 0.95
    assert found[:, :11].any(axis=1).mean() < 0.05


def test_a_change_of_everybody_within_the_window_hides_no_segment_that_falls() -> None:
    """A new version has been 20 points worse for four weeks: that is no noise of days between a segment and the rest."""
    found = nights(np.random.default_rng(10), 0.35, change=0.2) <= 0.01
    assert found[:, 11].mean() > 0.9
    quiet = nights(np.random.default_rng(11), 0.0, change=0.2) <= 0.01
    assert quiet.any(axis=1).mean() <= 0.025


def test_a_fall_of_everybody_is_nobodys() -> None:
    """0.9 -> 0.6 in the segment as in the whole."""
    z = excess_z([[900], [60]], [[1000], [100]], [[9000], [600]], [[10000], [1000]])
    assert abs(z[0]) < 0.3


def test_who_is_everybody_is_not_held_against_nobody() -> None:
    assert np.isnan(excess_z([[9], [6]], [[10], [10]], [[9], [6]], [[10], [10]])).all()
