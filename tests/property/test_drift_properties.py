"""What must hold of PSI and of reference bins for any counts and any values."""

import numpy as np
import pandas as pd
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jobs.methods.drift import (
    occupied_bins,
    psi,
    psi_contributions,
    psi_null_limit,
    quantile_edges,
    reference_profile,
)

filled = arrays(np.int64, 8, elements=st.integers(1, 10_000))
counts = arrays(np.int64, 8, elements=st.integers(0, 10_000))
floats = st.floats(allow_nan=True, allow_infinity=True)
numbers = st.lists(st.one_of(floats, st.sampled_from([0.0, -0.0, 1.0, 7.5])), max_size=60)


@given(filled, filled)
def test_unsmoothed_psi_is_symmetric(left: np.ndarray, right: np.ndarray) -> None:
    assert np.isclose(psi(left, right, 0), psi(right, left, 0), rtol=1e-12, atol=1e-15)


@given(filled, filled, st.integers(2, 1000))
def test_unsmoothed_psi_does_not_depend_on_volume(left: np.ndarray, right: np.ndarray, times: int) -> None:
    assert np.isclose(psi(left, right, 0), psi(left, right * times, 0), rtol=1e-9, atol=1e-12)


@given(counts, st.integers(1, 1000))
def test_the_same_shape_at_any_volume_is_no_drift(shape: np.ndarray, times: int) -> None:
    """With smoothing the volume matters as far as half a row does in a bin: far less than chance alone."""
    assume((shape > 0).sum() > 1)
    n = shape.sum()
    assert psi(shape, shape * times) < psi_null_limit(occupied_bins(shape, shape), n * times, n, 0.01)


@given(counts)
def test_psi_against_itself_is_zero(shape: np.ndarray) -> None:
    assume(shape.sum() > 0)
    assert psi(shape, shape) == 0


@given(counts, counts)
def test_psi_and_each_contribution_are_never_negative(left: np.ndarray, right: np.ndarray) -> None:
    assume(left.sum() > 0 and right.sum() > 0)
    assert (psi_contributions(left, right) >= 0).all()
    assert np.isclose(psi(left, right), psi_contributions(left, right).sum(), rtol=1e-12)


@given(counts, counts, st.permutations(range(8)), st.integers(0, 5))
def test_order_and_padding_of_bins_do_not_matter(
    left: np.ndarray, right: np.ndarray, order: list[int], padding: int
) -> None:
    assume(left.sum() > 0 and right.sum() > 0)
    assert np.isclose(psi(left[order], right[order]), psi(left, right), rtol=1e-9, atol=1e-12)
    assert psi(np.pad(left, (0, padding)), np.pad(right, (0, padding))) == psi(left, right)


@given(st.integers(2, 50), st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0.0001, 0.4))
def test_the_null_limit_falls_with_rows_and_rises_with_strictness(
    k: int, n: int, reference_n: int, alpha: float
) -> None:
    limit = psi_null_limit(k, n, reference_n, alpha)
    assert psi_null_limit(k, n + 1, reference_n, alpha) < limit
    assert psi_null_limit(k, n, reference_n, alpha / 2) > limit
    assert psi_null_limit(k + 1, n, reference_n, alpha) > limit


@given(numbers, st.integers(2, 50))
def test_edges_ascend_and_are_few(values: list[float], bins: int) -> None:
    cuts = quantile_edges(values, bins)
    assert (np.diff(cuts) > 0).all()
    assert len(cuts) <= 3 * bins
    assert np.isfinite(cuts).all()


@given(numbers, st.integers(2, 20))
@example([-np.finfo(np.float64).max], 2)
@example([np.finfo(np.float64).max] * 3, 2)
def test_a_profile_counts_every_row_once(values: list[float], bins: int) -> None:
    profile = reference_profile(pd.DataFrame({"x": pd.Series(values, dtype=float)}), {"x": "numeric"}, bins, 5, "all")
    assert profile["n"].sum() == len(values)
    intervals = profile[profile["kind"] == "interval"]
    finite = np.array([value for value in values if np.isfinite(value)])
    for row in intervals.fillna({"lower": -np.inf, "upper": np.inf}).itertuples():
        assert row.n == ((finite > row.lower) & (finite <= row.upper)).sum()


@given(st.lists(st.one_of(st.none(), st.sampled_from("abcdefgh")), max_size=50), st.integers(2, 6))
def test_a_categorical_profile_counts_every_row_once(values: list[str | None], categories: int) -> None:
    frame = pd.DataFrame({"x": pd.Series(values, dtype="str")})
    profile = reference_profile(frame, {"x": "categorical"}, 10, categories, "all")
    assert profile["n"].sum() == len(values)
    assert (profile["kind"] == "category").sum() <= categories
