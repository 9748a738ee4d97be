"""What must hold of intervals, performance and latency for any counts."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jobs.methods.intervals import mean, wilson
from jobs.methods.latency import latency_bin, quantile, value_of_bin
from jobs.methods.performance import accuracy, confusion, f1, precision, recall, roc_auc

cells = arrays(np.int64, (4, 6), elements=st.integers(0, 5000))
bins = arrays(np.int64, (3, 12), elements=st.integers(0, 500))
shares = st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(shares, st.floats(0.5, 0.999))
def test_wilson_holds_the_share_and_stays_within_0_and_1(share: tuple[int, int], confidence: float) -> None:
    lower, upper = wilson(*share, confidence)
    assert 0 <= lower <= share[0] / share[1] <= upper <= 1


@given(shares)
def test_wilson_narrows_with_rows_and_widens_with_confidence(share: tuple[int, int]) -> None:
    hits, n = share
    lower, upper = wilson([hits, 4 * hits, hits], [n, 4 * n, n], 0.9)
    wider_lower, wider_upper = wilson(hits, n, 0.99)
    assert upper[1] - lower[1] < upper[0] - lower[0] < wider_upper - wider_lower


@given(shares)
def test_wilson_rises_with_successes(share: tuple[int, int]) -> None:
    hits, n = share
    assume(hits < n)
    (lower, more_lower), (upper, more_upper) = wilson([hits, hits + 1], n)
    assert lower < more_lower
    assert upper < more_upper


@given(cells)
def test_every_figure_lies_in_its_interval_or_says_why_not(given_cells: np.ndarray) -> None:
    counts = confusion(*given_cells)
    for figure in (accuracy, precision, recall, f1):
        made = figure(counts)
        told = made.reason != None  # noqa: E711 - element by element
        assert (np.isnan(made.value) == told).all()
        assert (made.lower <= made.value)[~told].all()
        assert (made.value <= made.upper)[~told].all()


@given(cells)
def test_segments_weighted_by_their_rows_make_the_whole(given_cells: np.ndarray) -> None:
    parts, whole = confusion(*given_cells), confusion(*given_cells.sum(axis=1))
    assume(whole.total[0] > 0)
    for figure in (accuracy, precision, recall):
        of_parts, of_whole = figure(parts), figure(whole)
        assert of_parts.n.sum() == of_whole.n[0]
        weighted = np.nansum(of_parts.value * of_parts.n) / max(of_whole.n[0], 1)
        assert np.isclose(weighted, np.nan_to_num(of_whole.value[0]), rtol=1e-12)


@given(cells)
def test_one_more_right_decision_never_lowers_a_figure(given_cells: np.ndarray) -> None:
    tp, fp, fn, tn = given_cells
    assume((fn > 0).all())
    before, after = confusion(tp, fp, fn, tn), confusion(tp + 1, fp, fn - 1, tn)
    for figure in (accuracy, recall, f1):
        assert (figure(after).value > figure(before).value).all()


@given(bins, bins)
def test_auc_lies_in_its_interval_and_mirrors_when_scores_are_turned(p: np.ndarray, q: np.ndarray) -> None:
    made, turned = roc_auc(p, q), roc_auc(p[:, ::-1], q[:, ::-1])
    defined = ~np.isnan(made.value)
    assert (made.lower <= made.value)[defined].all()
    assert (made.value <= made.upper)[defined].all()
    assert ((made.lower >= 0) & (made.upper <= 1))[defined].all()
    np.testing.assert_allclose(made.value, 1 - turned.value, atol=1e-12)
    np.testing.assert_allclose(made.lower, 1 - turned.upper, atol=1e-9)


@given(bins, bins, st.integers(0, 11))
def test_a_positive_moved_up_never_lowers_the_auc(p: np.ndarray, q: np.ndarray, place: int) -> None:
    assume(place < 11 and (p[:, place] > 0).all())
    moved = p.copy()
    moved[:, place] -= 1
    moved[:, place + 1] += 1
    before, after = roc_auc(p, q).value, roc_auc(moved, q).value
    assert (after >= before)[~np.isnan(before)].all()


@given(st.lists(st.floats(0.001, 1e9), min_size=1, max_size=80), st.sampled_from([0.01, 0.5, 0.95, 0.99]))
def test_latency_quantiles_are_within_one_percent(values: list[float], q: float) -> None:
    places, counts = np.unique(latency_bin(values), return_counts=True)
    made = quantile(places, counts, q)
    exact = np.quantile(values, q, method="inverted_cdf")
    assert np.isclose(made.value[0], exact, rtol=0.01)
    assert not made.lower[0] > made.value[0]
    assert not made.upper[0] < made.value[0]


@given(st.floats(1e-6, 1e12), st.floats(1e-6, 1e12))
def test_bins_keep_the_order_of_latencies(left: float, right: float) -> None:
    assume(left <= right)
    low, high = latency_bin([left, right])
    assert low <= high
    assert value_of_bin(low) <= value_of_bin(high)


@given(arrays(np.float64, st.integers(2, 50), elements=st.floats(-1e6, 1e6)))
def test_a_mean_lies_in_the_middle_of_its_interval(values: np.ndarray) -> None:
    made = mean([len(values)], [values.sum()], [(values**2).sum()])
    assert made.lower[0] <= made.value[0] <= made.upper[0]
    assert np.isclose((made.lower[0] + made.upper[0]) / 2, made.value[0], rtol=1e-9, atol=1e-6)
