"""What must hold of distances and of the parts of bins for any counts and any values."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jobs.methods import chance, distances
from jobs.methods.drift import quantile_edges
from jobs.methods.parts import numeric_parts, positions

filled = arrays(np.int64, 8, elements=st.integers(1, 10_000))
counts = arrays(np.int64, 8, elements=st.integers(0, 10_000))
floats = st.floats(allow_nan=True, allow_infinity=True)
numbers = st.lists(st.one_of(floats, st.sampled_from([0.0, -0.0, 1.0, 7.5])), max_size=60)
PLACES = np.array([0.0, 1.0, 1.5, 4.0, 9.0, 9.5, 20.0, 21.0])


def ks_at_edges(left: np.ndarray, right: np.ndarray) -> float:
    return float(distances.ks(left, right)[0])


def moved(left: np.ndarray, right: np.ndarray) -> float:
    return float(distances.wasserstein(left, right, PLACES))


SYMMETRIC = [distances.js_distance, distances.hellinger, distances.l_infinity, distances.chi_square, ks_at_edges, moved]
OF_SHAPE = [distances.js_distance, distances.hellinger, distances.l_infinity, ks_at_edges, moved]
"""Chi-square grows with the rows, the others do not."""


@pytest.mark.parametrize("distance", SYMMETRIC)
@given(left=filled, right=filled)
def test_distances_are_symmetric_never_negative_and_zero_on_themselves(
    distance: object, left: np.ndarray, right: np.ndarray
) -> None:
    assert callable(distance)
    assert np.isclose(distance(left, right), distance(right, left), rtol=1e-9, atol=1e-9)
    assert distance(left, right) >= 0
    assert np.isclose(distance(left, left), 0, atol=1e-7)


@pytest.mark.parametrize("distance", OF_SHAPE)
@given(left=filled, right=filled, times=st.integers(2, 1000))
def test_volume_does_not_matter(distance: object, left: np.ndarray, right: np.ndarray, times: int) -> None:
    assert callable(distance)
    assert np.isclose(distance(left, right), distance(left, right * times), rtol=1e-7, atol=1e-7)


@given(counts, counts)
def test_shares_of_distances_stay_within_0_and_1(left: np.ndarray, right: np.ndarray) -> None:
    assume(left.sum() > 0 and right.sum() > 0)
    for distance in (distances.js_distance, distances.hellinger, distances.l_infinity):
        assert 0 <= distance(left, right) <= 1
    at_edges, at_most = distances.ks(left, right)
    assert 0 <= at_edges <= at_most <= 1 + 1e-12


@given(counts, counts)
def test_finer_bins_never_bring_d_down_and_never_pass_its_bound(left: np.ndarray, right: np.ndarray) -> None:
    assume(left.sum() > 0 and right.sum() > 0)
    coarse = [np.add.reduceat(side, [0, 2, 4, 6]) for side in (left, right)]
    fine, (at_edges, at_most) = distances.ks(left, right)[0], distances.ks(*coarse)
    assert at_edges - 1e-12 <= fine <= at_most + 1e-12


@given(counts, counts)
def test_the_mean_never_moves_further_than_the_rows(left: np.ndarray, right: np.ndarray) -> None:
    assume(left.sum() > 0 and right.sum() > 0)
    gap = abs(distances.moments(left, PLACES)[0] - distances.moments(right, PLACES)[0])
    assert gap <= moved(left, right) + 1e-9


@given(counts, counts, st.floats(0.0001, 0.2))
def test_a_stricter_limit_is_never_lower(left: np.ndarray, right: np.ndarray, alpha: float) -> None:
    assume(left.sum() > 0 and right.sum() > 0)
    for limit in (
        chance.js_null_limit,
        chance.hellinger_null_limit,
        chance.chi2_null_limit,
        chance.l_infinity_null_limit,
    ):
        assert limit(left, right, alpha / 2) >= limit(left, right, alpha) >= 0


@given(numbers, st.integers(2, 20))
def test_parts_count_every_finite_row_once_and_add_up_to_the_bins(values: list[float], bins: int) -> None:
    finite = np.array([value for value in values if np.isfinite(value)])
    parts = numeric_parts(np.array(values, dtype=float), bins)
    assert parts["n"].sum() == len(finite)
    assume(len(finite) > 0)
    edges = quantile_edges(finite, bins)
    by_bin = parts.groupby("bin")["n"].sum()
    assert by_bin.tolist() == np.bincount(np.searchsorted(edges, finite, "left"), minlength=len(edges) + 1).tolist()
    place = positions(parts.assign(reference="all", feature="x"))
    assert (np.diff(place) >= 0).all()
    inner = parts.dropna(subset=["lower", "upper"])
    assert (inner["lower"] < inner["upper"]).all()


both_sides = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=2, max_size=40)


@given(pairs=both_sides, wider=st.integers(1, 60))
def test_a_distance_is_the_same_digit_for_digit_beside_series_with_more_bins(
    pairs: list[tuple[int, int]], wider: int
) -> None:
    both = np.array(pairs, dtype=np.float64).T
    padded = np.pad(both, ((0, 0), (0, wider)))
    place = np.arange(len(pairs)) ** 1.5 + 0.1
    for distance in (distances.js_distance, distances.hellinger, distances.chi_square, chance.js_null_limit):
        np.testing.assert_array_equal(distance(*both), distance(*padded))
    with_place = np.pad(place, (0, wider), constant_values=np.nan)
    for measured in (distances.wasserstein, chance.wasserstein_null_limit):
        np.testing.assert_array_equal(measured(*both, place), measured(*padded, with_place))
    np.testing.assert_array_equal(distances.moments(both[0], place), distances.moments(padded[0], with_place))
