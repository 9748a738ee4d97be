"""Distances against scipy and published figures, and what they reach by chance alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import spatial, stats

from jobs.methods import chance, distances
from jobs.methods.drift import occupied_bins
from jobs.methods.parts import numeric_parts, positions

SHAPES = {
    "ten even bins": np.full(10, 0.1),
    "six bins, the rarest 0.1 %": np.array([0.5, 0.3, 0.15, 0.04, 0.009, 0.001]),
    "31 bins as words are": (1 / np.arange(1, 32)) / (1 / np.arange(1, 32)).sum(),
    "98 to 2": np.array([0.98, 0.02]),
    "a coin": np.array([0.5, 0.5]),
}


def test_jensen_shannon_is_scipys_and_nannymls() -> None:
    """choice(a, b, c, d; 10,000) -> choice(a, b, c, e; 1,000): 0.50 in NannyML's tests."""
    legacy = np.random.RandomState(1)
    before, after = legacy.choice(list("abcd"), 10_000), legacy.choice(list("abce"), 1000)
    e, a = (np.array([(values == letter).sum() for letter in "abcde"]) for values in (before, after))
    assert distances.js_distance(e, a) == pytest.approx(0.50, abs=0.005)
    assert distances.js_distance(e, a) == pytest.approx(spatial.distance.jensenshannon(e, a, base=2), abs=1e-12)


def test_l_infinity_is_nannymls() -> None:
    """aabbcc -> aabbccd: 0.14 in NannyML's tests; by hand 1/7."""
    assert distances.l_infinity([2, 2, 2, 0], [2, 2, 2, 1]) == pytest.approx(1 / 7)


def test_hellinger_by_its_other_formula() -> None:
    e, a = np.array([40, 30, 20, 10]), np.array([200, 400, 300, 100])
    other = np.sqrt(1 - np.sqrt(e / e.sum() * a / a.sum()).sum())
    assert distances.hellinger(e, a) == pytest.approx(other, abs=1e-12)


@pytest.mark.parametrize("counts", [([40, 30, 20, 10], [200, 400, 300, 100]), ([5, 0, 7], [1, 3, 9])])
def test_chi_square_and_its_p_are_scipys(counts: tuple[list[int], list[int]]) -> None:
    truth = stats.chi2_contingency(np.array(counts), correction=False)
    statistic = distances.chi_square(*counts)
    assert statistic == pytest.approx(truth.statistic, rel=1e-12)
    assert distances.chi_square_p(statistic, occupied_bins(*counts)) == pytest.approx(truth.pvalue, rel=1e-9)


def test_bins_empty_on_both_sides_add_nothing_and_no_rows_say_nothing() -> None:
    for distance in (distances.js_distance, distances.hellinger, distances.l_infinity, distances.chi_square):
        assert distance([3, 0, 4, 0], [5, 0, 1, 0]) == pytest.approx(distance([3, 4], [5, 1]), abs=1e-15)
        assert np.isnan(distance([0, 0], [1, 2]))
        assert np.isnan(distance([1, 2], [0, 0]))


def binned(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both sides' counts in the parts of the reference, and where the parts stand."""
    parts = numeric_parts(reference, 10)
    place = np.searchsorted(parts["upper"].to_numpy()[:-1], current, side="left")
    return (
        parts["n"].to_numpy(),
        np.bincount(place, minlength=len(parts)),
        positions(parts.assign(reference="all", feature="x")),
    )


CHANGES = {
    "nothing": lambda random: random.normal(0, 1, 800),
    "shift": lambda random: random.normal(0.5, 1.2, 800),
    "spread": lambda random: random.normal(0, 2, 800),
    "skew": lambda random: random.lognormal(0, 0.7, 800),
    "rounding": lambda random: np.round(random.normal(0, 1, 800)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_scipys_ks_lies_within_the_bounds_which_are_close(change: str) -> None:
    random = np.random.default_rng(4)
    reference, current = random.normal(0, 1, 5000), CHANGES[change](random)
    at_edges, at_most = distances.ks(*binned(reference, current)[:2])
    truth = stats.ks_2samp(reference, current, method="asymp")
    assert at_edges - 1e-12 <= truth.statistic <= at_most + 1e-12
    if change != "rounding":  # whole numbers fall between the edges
        assert truth.statistic - at_edges < 0.025
    assert distances.ks_p(truth.statistic, 800, 5000) == pytest.approx(truth.pvalue, rel=0.1, abs=1e-12)


@pytest.mark.parametrize("change", CHANGES)
def test_wasserstein_and_mean_shift_are_those_of_the_values_held_within_the_range(change: str) -> None:
    random = np.random.default_rng(5)
    reference, current = random.normal(0, 1, 5000), CHANGES[change](random)
    least, greatest = np.quantile(reference, [0.001, 0.999], method="inverted_cdf")
    held = [np.clip(values, least, greatest) for values in (reference, current)]
    e, a, place = binned(reference, current)
    truth = stats.wasserstein_distance(*held)
    assert distances.wasserstein(e, a, place) == pytest.approx(truth, rel=0.02, abs=0.02)
    (mean, spread), (own_mean, _) = distances.moments(e, place), distances.moments(a, place)
    assert (own_mean - mean) / spread == pytest.approx((held[1].mean() - held[0].mean()) / held[0].std(), abs=0.02)


def test_one_outlier_moves_no_distance_further_than_one_row_can() -> None:
    random = np.random.default_rng(6)
    reference, current = random.normal(0, 1, 10_000), random.normal(0.5, 1.2, 1000)
    plain, with_outlier = binned(reference, current), binned(reference, np.append(current, 1e9))
    near = binned(reference, np.append(current, 4.0))
    assert [side.tolist() for side in with_outlier] == [side.tolist() for side in near]
    for distance in (distances.js_distance, distances.hellinger, distances.l_infinity):
        assert distance(*with_outlier[:2]) == pytest.approx(distance(*plain[:2]), abs=0.01)
    assert distances.wasserstein(*with_outlier) == pytest.approx(distances.wasserstein(*plain), abs=0.01)


def test_an_outlier_of_the_reference_carries_no_weight() -> None:
    values = np.random.default_rng(7).normal(0, 1, 10_000)
    current = np.random.default_rng(8).normal(0.3, 1, 500)
    plain, spoilt = (binned(reference, current) for reference in (values, np.append(values, 1e12)))
    scaled = [distances.wasserstein(*one) / distances.moments(one[0], one[2])[1] for one in (plain, spoilt)]
    assert scaled[1] == pytest.approx(scaled[0], rel=0.01)


# by chance alone ------------------------------------------------------------------------------------------------


def false_rates(shares: np.ndarray, n: int, reference_n: int, draws: int = 10_000) -> dict[str, float]:
    """How often each distance of undrifted samples passes its limit at 1 %."""
    random = np.random.default_rng(n)
    e, a = (random.multinomial(rows, shares, draws) for rows in (reference_n, n))
    place = np.arange(len(shares)) + 0.3 * np.arange(len(shares)) ** 2
    beyond = {
        "js": distances.js_distance(e, a) > chance.js_null_limit(e, a),
        "hellinger": distances.hellinger(e, a) > chance.hellinger_null_limit(e, a),
        "chi2": distances.chi_square(e, a) > chance.chi2_null_limit(e, a),
        "l_infinity": distances.l_infinity(e, a) > chance.l_infinity_null_limit(e, a),
        "ks_p": distances.ks_p(distances.ks(e, a)[0], n, reference_n) < 0.01,
        "wasserstein": distances.wasserstein(e, a, place) > chance.wasserstein_null_limit(e, a, place),
    }
    return {name: float(np.mean(passed)) for name, passed in beyond.items()}


@pytest.mark.parametrize("n", [50, 200, 1000, 5000])
@pytest.mark.parametrize("reference_n", [500, 10_000])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.filterwarnings("ignore:divide by zero")  # of two equal samples, whose D is 0
def test_chance_alone_passes_no_limit_in_more_than_1_5_percent(shape: str, reference_n: int, n: int) -> None:
    assert max(false_rates(SHAPES[shape], n, reference_n).values()) <= 0.015


def test_the_plain_chi_square_limit_would_be_passed_by_a_third_of_small_samples() -> None:
    """Why the limits are not the textbook's: Hellinger's distance of 31 bins at n = 50."""
    random = np.random.default_rng(50)
    shares = SHAPES["31 bins as words are"]
    e, a = random.multinomial(10_000, shares, 5000), random.multinomial(50, shares, 5000)
    textbook = np.sqrt((1 / 50 + 1 / 10_000) * stats.chi2.ppf(0.99, occupied_bins(e, a) - 1) / 8)
    assert (distances.hellinger(e, a) > textbook).mean() > 0.3


@pytest.mark.parametrize("n", [1000, 100_000])
def test_with_many_rows_in_every_bin_the_limit_is_chi_squares(n: int) -> None:
    e, a = np.full(10, 100_000), np.full(10, n // 10)
    alpha = 0.01
    expected = stats.chi2.ppf(1 - chance.RESERVE * alpha, 9)
    assert chance.chi2_null_limit(e, a, alpha) == pytest.approx(expected, rel=0.01)


def test_a_limit_is_kept_by_the_powerful_too() -> None:
    """What the limits are for: a shift of a third of a sigma in 500 rows passes every one of them."""
    random = np.random.default_rng(9)
    e, a, place = binned(random.normal(0, 1, 10_000), random.normal(0.33, 1, 500))
    ten = [np.add.reduceat(side, np.arange(0, len(side), 5)) for side in (e, a)]
    assert distances.js_distance(*ten) > chance.js_null_limit(*ten)
    assert distances.hellinger(*ten) > chance.hellinger_null_limit(*ten)
    assert distances.chi_square(*ten) > chance.chi2_null_limit(*ten)
    assert distances.wasserstein(e, a, place) > chance.wasserstein_null_limit(e, a, place)
    assert distances.ks_p(distances.ks(e, a)[0], 500, 10_000) < 0.001


# parts ----------------------------------------------------------------------------------------------------------


def test_outliers_beyond_3_sigma_and_beyond_the_range_are_numpys() -> None:
    random = np.random.default_rng(10)
    reference, current = random.lognormal(0, 1, 4000), random.lognormal(0.3, 1.2, 3000)
    parts = numeric_parts(reference, 10)
    place = np.searchsorted(parts["upper"].to_numpy()[:-1], current, side="left")
    counts = np.bincount(place, minlength=len(parts))
    sigma = np.abs(current - reference.mean()) > 3 * reference.std()
    least, greatest = np.quantile(reference, [0.001, 0.999], method="inverted_cdf")
    outside = (current < least) | (current > greatest)
    assert sigma.sum() > 20
    assert outside.sum() > 10
    assert counts[parts["beyond_sigma"]].sum() == sigma.sum()
    assert counts[parts["beyond_range"]].sum() == outside.sum()


def test_a_constant_reference_calls_every_other_value_an_outlier() -> None:
    parts = numeric_parts(np.full(50, 0.1), 10)
    place = np.searchsorted(parts["upper"].to_numpy()[:-1], [0.1, 0.1, 0.2], side="left")
    counts = np.bincount(place, minlength=len(parts))
    assert counts[parts["beyond_sigma"]].sum() == 1
    assert counts[parts["beyond_range"]].sum() == 1
