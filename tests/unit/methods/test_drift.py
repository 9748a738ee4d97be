"""PSI against published and hand-worked figures, and bins that one outlier cannot move."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jobs.engine.sql import literal
from jobs.methods.drift import (
    COLUMNS,
    bin_labels,
    occupied_bins,
    psi,
    psi_contributions,
    psi_null_limit,
    quantile_edges,
    reference_profile,
)
from jobs.tables import BY_NAME


def binned(cuts: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(cuts, values, side="left"), minlength=len(cuts) + 1)


@pytest.mark.parametrize(
    ("reference", "current", "expected", "source"),
    [
        ([40, 30, 20, 10], [20, 40, 30, 10], 0.2079441541679836, "textbook example; Evidently 0.7"),
        ([100, 400, 500], [200, 300, 500], 0.0980829, "categorical, by hand"),
    ],
)
def test_unsmoothed_psi_has_the_published_value(
    reference: list[int], current: list[int], expected: float, source: str
) -> None:
    assert psi(reference, current, smoothing=0) == pytest.approx(expected, abs=5e-8), source


def test_popmons_example_is_met_within_its_own_epsilon() -> None:
    """1.699815077 in popmon's tests, either way round; popmon adds 1e-5 to the shares inside the logarithm."""
    e, a = np.full(4, 0.25), np.array([0.85, 0.05, 0.05, 0.05])
    assert ((a - e) * np.log((a + 1e-5) / (e + 1e-5))).sum() == pytest.approx(1.699815077, abs=1e-9)
    assert psi(e, a, smoothing=0) == pytest.approx(1.699815077, abs=1.2e-4)
    assert psi(a, e, smoothing=0) == pytest.approx(psi(e, a, smoothing=0), abs=1e-15)


def test_smoothing_adds_half_a_row_to_each_bin_of_both_sides() -> None:
    e, a = np.array([40.5, 30.5, 20.5, 10.5]) / 102, np.array([20.5, 40.5, 30.5, 10.5]) / 102
    by_hand = ((a - e) * np.log(a / e)).sum()
    assert psi([40, 30, 20, 10], [20, 40, 30, 10]) == pytest.approx(by_hand, abs=1e-15)


def test_a_bin_that_emptied_is_finite_with_smoothing_and_infinite_without() -> None:
    assert np.isfinite(psi([50, 50], [100, 0]))
    assert psi([50, 50], [100, 0], smoothing=0) == np.inf


def test_bins_empty_on_both_sides_are_no_bins() -> None:
    padded, bare = psi([40, 0, 60, 0, 0], [50, 0, 50, 0, 0]), psi([40, 60], [50, 50])
    assert padded == bare
    assert occupied_bins([40, 0, 60, 0, 0], [50, 0, 50, 0, 0]) == 2
    assert psi_contributions([40, 0, 60], [50, 0, 50])[1] == 0


def test_many_series_at_once_equal_each_alone_to_the_last_digit() -> None:
    random = np.random.default_rng(3)
    reference, current = random.integers(0, 50, (2, 200, 13))
    alone = [psi(e[e + a > 0], a[e + a > 0]) for e, a in zip(reference, current, strict=True)]
    np.testing.assert_array_equal(psi(reference, current), alone)
    np.testing.assert_array_equal(psi_contributions(reference, current).cumsum(axis=1)[:, -1], alone)


def test_a_side_without_rows_has_no_psi() -> None:
    assert np.isnan(psi([0, 0], [3, 4]))
    assert np.isnan(psi([3, 4], [0, 0]))
    assert np.isnan(psi_null_limit(2, 0, 100))


def test_sixty_percent_gone_missing_is_a_drift() -> None:
    complete, mostly_missing = [500, 500, 0], [200, 200, 600]  # the last bin is the missing one
    assert psi(complete, mostly_missing) > 3


def test_null_limit_is_a_scaled_chi_square_quantile() -> None:
    k, n, reference_n = np.array([2, 10, 31]), np.array([50, 200, 1000]), 10_000
    expected = (1 / n + 1 / reference_n) * stats.chi2.ppf(0.99, k - 1)
    np.testing.assert_allclose(psi_null_limit(k, n, reference_n, 0.01), expected, rtol=1e-12)


def test_one_bin_can_not_drift() -> None:
    assert psi_null_limit(1, 100, 100) == 0
    assert psi([100], [37]) == 0


@pytest.mark.parametrize(("n", "published"), [(50, 0.169), (200, 0.045), (1000, 0.011)])
def test_psi_without_drift_has_the_simulated_mean_of_yurdakul(n: int, published: float) -> None:
    """k = 10 bins, N = 10,000. Smoothing takes about a tenth off the theoretical 9 (1/n + 1/N) at n = 50."""
    random = np.random.default_rng(11)
    reference, current = (random.multinomial(rows, np.full(10, 0.1), 20_000) for rows in (10_000, n))
    mean = psi(reference, current).mean()
    assert mean == pytest.approx(published, rel=0.12)
    assert mean == pytest.approx(9 * (1 / n + 1 / 10_000), rel=0.1)


@pytest.mark.parametrize("n", [50, 200, 1000, 5000])
@pytest.mark.parametrize("shares", [np.full(10, 0.1), np.array([0.5, 0.3, 0.15, 0.04, 0.009, 0.001])])
def test_chance_alone_passes_the_99_percent_limit_in_at_most_1_5_percent(n: int, shares: np.ndarray) -> None:
    random = np.random.default_rng(n)
    reference = random.multinomial(10_000, shares, 20_000)
    current = random.multinomial(n, shares, 20_000)
    limit = psi_null_limit(occupied_bins(reference, current), n, 10_000, 0.01)
    assert (psi(reference, current) > limit).mean() <= 0.015


def test_one_outlier_in_the_current_sample_changes_nothing() -> None:
    """N(0,1) 10,000 rows -> N(0.5,1.2) 1,000 rows: about 0.26 on reference deciles (measured)."""
    legacy = np.random.RandomState(1)
    reference, current = legacy.normal(0, 1, 10_000), legacy.normal(0.5, 1.2, 1000)
    cuts = quantile_edges(reference, 10)
    drifted = psi(binned(cuts, reference), binned(cuts, current))
    assert drifted == pytest.approx(0.26, abs=0.03)
    with_outlier = psi(binned(cuts, reference), binned(cuts, np.append(current, 1e4)))
    assert with_outlier == pytest.approx(drifted, abs=0.002)  # one row more in 1,000


def test_how_far_an_outlier_of_the_reference_lies_does_not_matter() -> None:
    values = np.random.default_rng(5).normal(size=1000)
    near, far = (quantile_edges(np.append(values, outlier), 10) for outlier in (10.0, 1e300))
    np.testing.assert_array_equal(near, far)


def test_edges_of_a_plain_sample_are_its_quantiles() -> None:
    np.testing.assert_array_equal(quantile_edges(np.arange(1, 101), 10), np.arange(10, 100, 10))


def test_a_point_mass_has_a_bin_of_its_own() -> None:
    values = np.concatenate((np.zeros(400), np.random.default_rng(2).uniform(0, 10, 600)))
    cuts = quantile_edges(values, 10)
    counts = binned(cuts, values)
    place = int(np.searchsorted(cuts, 0.0))
    assert cuts[place - 1 : place + 1].tolist() == [np.nextafter(0, -np.inf), 0.0]
    assert counts[place] == 400
    assert len(set(cuts)) == len(cuts)


def test_a_constant_feature_has_one_point_bin_between_two_open_sides() -> None:
    cuts = quantile_edges(np.full(50, 7.0), 10)
    assert cuts.tolist() == [np.nextafter(7, -np.inf), 7.0]
    assert binned(cuts, np.array([6.0, 7.0, 7.0, 8.0])).tolist() == [1, 2, 1]


def test_nothing_finite_has_no_edges() -> None:
    assert len(quantile_edges([np.nan, np.inf, -np.inf], 10)) == 0


def test_edges_survive_their_way_through_sql() -> None:
    cuts = quantile_edges(np.zeros(9), 10)
    terms = ", ".join(f"CASE WHEN 0e0 <= {literal(float(cut))} THEN 1 ELSE 0 END" for cut in cuts)
    assert duckdb.sql(f"SELECT {terms}").fetchall() == [(0, 1)]


FRAME = pd.DataFrame(
    {
        "amount": [1.0, 2.0, 3.0, 4.0, np.nan, np.inf],
        "empty": [np.nan] * 6,
        "city": ["b", "b", "a", "a", "c", None],
        "decision": [1.0, 0.0, 0.0, 0.0, np.nan, 1.0],
    }
)


def profile_of(feature: str, kind: str, **given: int) -> pd.DataFrame:
    settings = {"bins": 2, "categories": 5} | given
    return reference_profile(FRAME, {feature: kind}, reference="all", **settings)  # type: ignore[arg-type, dict-item]


def test_a_numeric_profile_counts_bins_missing_unseen_and_infinite() -> None:
    rows = profile_of("amount", "numeric")
    assert rows[["bin", "kind", "n"]].to_numpy().tolist() == [
        [0, "interval", 2], [1, "interval", 2], [-1, "missing", 1], [-2, "unseen", 0], [-3, "infinite", 1],
    ]  # fmt: skip
    assert rows["upper"].iloc[0] == rows["lower"].iloc[1] == 2.0
    assert rows["lower"].isna().iloc[0]
    assert rows["upper"].isna().iloc[1]
    assert rows["value_sum"].iloc[:2].tolist() == [3.0, 7.0]
    assert rows["value_square_sum"].iloc[:2].tolist() == [5.0, 25.0]


def test_an_all_null_feature_has_no_interval_bins() -> None:
    rows = profile_of("empty", "numeric")
    assert rows["kind"].tolist() == ["missing", "unseen", "infinite"]
    assert rows["n"].tolist() == [6, 0, 0]


def test_categories_are_ordered_by_count_then_name_and_the_rest_share_a_bin() -> None:
    rows = profile_of("city", "categorical", categories=2)
    assert rows[["bin", "kind", "category", "n"]].fillna("").to_numpy().tolist() == [
        [0, "category", "a", 2], [1, "category", "b", 2], [2, "other", "", 1], [-1, "missing", "", 1],
        [-2, "unseen", "", 0],
    ]  # fmt: skip


def test_no_bin_other_where_every_category_has_its_own() -> None:
    assert "other" not in set(profile_of("city", "categorical", categories=3)["kind"])


def test_decisions_beside_a_null_are_still_called_0_and_1() -> None:
    rows = profile_of("decision", "categorical")
    assert rows["category"].iloc[:2].tolist() == ["0", "1"]
    assert rows["n"].tolist() == [3, 2, 1, 0]


def test_booleans_are_spelled_as_the_warehouse_spells_them() -> None:
    rows = reference_profile(pd.DataFrame({"x": [True, False, True]}), {"x": "categorical"}, 2, 5, "all")
    assert rows["category"].iloc[:2].tolist() == ["true", "false"]


def test_a_profile_does_not_depend_on_the_order_of_rows() -> None:
    random = np.random.default_rng(8)
    frame = pd.DataFrame({"x": random.lognormal(3, 2, 5000), "c": random.choice(list("abc"), 5000)})
    shuffled = frame.sample(frac=1, random_state=1)
    kinds = {"x": "numeric", "c": "categorical"}
    both = [reference_profile(rows, kinds, 10, 5, "v1") for rows in (frame, shuffled)]  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(*both, check_exact=True)


def test_sums_that_no_decimal_can_hold_are_null() -> None:
    rows = reference_profile(pd.DataFrame({"x": [1.0, 1e200]}), {"x": "numeric"}, 2, 5, "all")
    assert rows["value_square_sum"].isna().tolist()[:2] == [False, True]


def test_a_profile_has_the_columns_of_its_table() -> None:
    assert list(BY_NAME["reference_bins"].columns) == COLUMNS
    assert list(profile_of("amount", "numeric").columns) == COLUMNS
    assert list(reference_profile(FRAME, {}, 10, 5, "all").columns) == COLUMNS


def test_bins_are_called_what_people_call_them() -> None:
    frame = pd.DataFrame({"x": [0.0] * 4 + [5.0, 6.0, 7.0, 8.0], "empty": [np.nan] * 8, "c": list("aaabbcde")})
    kinds = {"x": "numeric", "c": "categorical", "empty": "numeric"}
    profile = reference_profile(frame, kinds, 4, 2, "all")  # type: ignore[arg-type]
    names = bin_labels(profile).groupby(profile["feature"], sort=False).agg(list)
    assert names["x"] == ["< 0", "= 0", "(0, 6]", "> 6", "missing", "unseen", "infinite"]
    assert names["c"] == ["a", "b", "other", "missing", "unseen"]
    assert names["empty"] == ["missing", "unseen", "infinite"]


def test_a_model_without_reference_has_no_bins_to_call() -> None:
    assert bin_labels(pd.DataFrame(columns=COLUMNS)).empty
