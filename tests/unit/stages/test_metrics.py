"""The metrics stage on a real DuckDB file, from small statistics written by hand, with hand-worked figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.methods.drift import reference_profile
from jobs.methods.intervals import wilson
from jobs.methods.latency import latency_bin
from jobs.periods import Period
from jobs.stages import metrics
from tests.unit.stages.given_statistics import (
    FIRST,
    LABELS,
    OUTCOMES,
    day,
    deliver,
    figure,
    label,
    night,
    predict,
    spec_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path, "shop", wait=5) as opened:
        yield opened


# the label triangle ---------------------------------------------------------------------------------------------


def test_accuracy_at_age_7_counts_the_labels_known_within_7_days(warehouse: Warehouse) -> None:
    deliver(warehouse, *range(1, 10))
    predict(warehouse, 1, 20)
    label(warehouse, 1, 2, 6, decision=1, label=1)
    label(warehouse, 1, 7, 3, decision=0, label=1)
    label(warehouse, 1, 8, 5, decision=1, label=0)
    written = night(warehouse, spec_of(labels=LABELS), 1, 9)
    early, late = (figure(written, "accuracy", day=FIRST, label_age=age) for age in (2, 7))
    assert (early.value, early.n) == (1.0, 6)
    assert (late.value, late.n) == (6 / 9, 9)
    assert (late.lower, late.upper) == pytest.approx([float(end) for end in wilson(6, 9)])
    assert figure(written, "coverage", day=FIRST, label_age=7).value == 9 / 20
    assert figure(written, "recall", day=FIRST, label_age=7).value == 6 / 9
    assert figure(written, "precision", day=FIRST, label_age=7).value == 1.0
    assert figure(written, "f1", day=FIRST, label_age=7).value == 12 / 15


def test_a_figure_is_written_on_the_night_its_age_is_reached_and_on_no_other(warehouse: Warehouse) -> None:
    deliver(warehouse, *range(1, 10))
    predict(warehouse, 1, 20)
    label(warehouse, 1, 0, 6, decision=1, label=1)
    spec = spec_of(labels=LABELS)
    for number in range(1, 10):
        written = night(warehouse, spec, number)
        seen = set(
            written.loc[(written["metric"] == "accuracy") & (written["day"] == pd.Timestamp(FIRST)), "label_age"]
        )
        assert seen == {age for age in (2, 7) if number >= 1 + age}


def test_a_correction_moves_a_label_from_the_day_it_became_known(warehouse: Warehouse) -> None:
    deliver(warehouse, *range(1, 9))
    predict(warehouse, 1, 10)
    label(warehouse, 1, 1, 10, decision=1, label=1)
    label(warehouse, 1, 5, -4, decision=1, label=1)
    label(warehouse, 1, 5, 4, decision=1, label=0)
    written = night(warehouse, spec_of(labels=LABELS), 1, 8)
    assert figure(written, "accuracy", day=FIRST, label_age=2).value == 1.0
    assert figure(written, "accuracy", day=FIRST, label_age=7).value == 0.6
    assert figure(written, "coverage", day=FIRST, label_age=7).value == 1.0


def test_without_labels_coverage_is_zero_and_performance_is_undefined(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, 2, 3)
    predict(warehouse, 1, 10)
    written = night(warehouse, spec_of(labels=LABELS), 3)
    coverage = figure(written, "coverage", day=FIRST)
    assert (coverage.value, coverage.n, coverage.state) == (0.0, 10, "final")
    for metric in ("accuracy", "precision", "recall", "f1", "roc_auc"):
        row = figure(written, metric, day=FIRST)
        assert (row.state, row.reason, row.n) == ("not_evaluated", "no labels", 0)
        assert np.isnan(row.value)


def test_labels_without_a_decision_count_for_coverage_and_auc_only(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, 2, 3)
    predict(warehouse, 1, 10)
    label(warehouse, 1, 1, 5, decision=None, label=1, score_bin=900)
    label(warehouse, 1, 1, 5, decision=None, label=0, score_bin=100)
    written = night(warehouse, spec_of(labels=LABELS), 3)
    assert figure(written, "coverage", day=FIRST).value == 1.0
    assert figure(written, "accuracy", day=FIRST).reason == "no labels"
    assert figure(written, "roc_auc", day=FIRST).value == 1.0


def test_few_labels_keep_their_value_and_are_not_judged(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, 2, 3)
    predict(warehouse, 1, 40)
    label(warehouse, 1, 1, 12, decision=1, label=1)
    row = figure(night(warehouse, spec_of(labels=LABELS, min_rows=30), 3), "accuracy", day=FIRST)
    assert (row.value, row.n, row.state) == (1.0, 12, "not_evaluated")
    assert row.reason == "12 labelled decisions, 30 needed"
    assert row.lower < 1


# days without rows ----------------------------------------------------------------------------------------------


def test_a_day_without_delivery_stays_in_every_main_series_as_null(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, 3, 4)
    deliver(warehouse, 2, status="missing", reason="no file matches predictions/2025-03-02.parquet")
    predict(warehouse, 1, 10)
    spec = spec_of(labels=LABELS | {"ages": [0, 2]}, outcomes=OUTCOMES, features={"age": "numeric"})
    written = night(warehouse, spec, 1, 4)
    gap = written[(written["day"] == pd.Timestamp(day(2))) & (written["metric"] != "delivery_age")]
    assert figure(written, "delivery_age", day=day(2)).value == 1
    assert set(gap["metric"]) >= {
        "volume",
        "score_mean",
        "latency_p95",
        "coverage",
        "accuracy",
        "roc_auc",
        "conversion",
        "value",
    }
    assert gap["value"].isna().all()
    assert set(gap["state"]) == {"not_evaluated"}
    assert set(gap["reason"]) == {"no delivery"}
    assert set(gap.loc[gap["metric"] == "accuracy", "label_age"]) == {0, 2}
    assert set(gap.loc[gap["metric"] == "psi", "feature"]) == {"age", "score", "decision"}


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        ("refused", "2025-03-02.parquet: column 'score' is missing", "2025-03-02.parquet: column 'score' is missing"),
        ("refused", None, "the delivery was refused"),
        ("delivered", None, "the delivery had no rows"),
        ("missing", "no file matches", "no delivery"),
    ],
)
def test_a_day_without_rows_says_what_became_of_its_delivery(
    warehouse: Warehouse, status: str, reason: str | None, told: str
) -> None:
    deliver(warehouse, 1)
    deliver(warehouse, 2, status=status, reason=reason)
    predict(warehouse, 1, 10)
    row = figure(night(warehouse, spec_of(), 2), "volume", day=day(2))
    assert (row.reason, row.state) == (told, "not_evaluated")


def test_a_gap_is_told_again_on_the_night_its_label_age_is_reached(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, 3, 4)
    deliver(warehouse, 2, status="missing")
    predict(warehouse, 1, 10)
    predict(warehouse, 3, 10)
    predict(warehouse, 4, 10)
    spec = spec_of(labels=LABELS)
    night(warehouse, spec, 1, 3)
    row = figure(night(warehouse, spec, 4), "accuracy", day=day(2))
    assert (row.label_age, row.reason) == (2, "no delivery")


def test_days_before_the_first_watched_one_do_not_exist(warehouse: Warehouse) -> None:
    deliver(warehouse, 3, 4)
    deliver(warehouse, 1, 2, status="missing")
    predict(warehouse, 3, 10)
    predict(warehouse, 4, 10)
    written = night(warehouse, spec_of(labels=LABELS), 1, 4)
    assert written["day"].min() == pd.Timestamp(day(3))
    assert set(written.loc[written["metric"] == "volume", "state"]) == {"final"}


def test_the_spec_may_say_when_watching_begins(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, 2, 3)
    for number in (1, 2, 3):
        predict(warehouse, number, 10)
    written = night(warehouse, spec_of(labels=LABELS, start=day(3)), 1, 5)
    assert written["day"].min() == pd.Timestamp(day(3))
    assert figure(written, "accuracy", day=day(3)).label_age == 2


def test_a_night_before_anything_was_delivered_writes_nothing_and_says_so(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, status="missing")
    summary = metrics.run(spec_of(), Period.of(FIRST), warehouse)
    assert set(summary.rows.values()) == {0}
    assert summary.notes == ("no predictions were delivered by 2025-03-01",)


def test_the_first_night_tells_what_it_cannot_know_yet(warehouse: Warehouse) -> None:
    deliver(warehouse, 1)
    predict(warehouse, 1, 10)
    predict(warehouse, 1, 10, version="v1")
    predict(warehouse, 1, 10, version="shadow:v0")
    written = night(warehouse, spec_of(labels=LABELS, features={"age": "numeric"}), 1)
    drift = written[written["metric"] == "psi"]
    assert set(drift["reason"]) == {"no reference yet"}
    assert set(zip(drift["version"], drift["feature"], strict=True)) == {
        (version, feature) for version in ("all", "v1") for feature in ("age", "score", "decision")
    }
    assert figure(written, "latency_p95").reason == "no latencies"
    assert "accuracy" not in set(written["metric"])


# one family after the other -------------------------------------------------------------------------------------


def test_volume_and_mean_score_of_every_version_and_segment(warehouse: Warehouse) -> None:
    deliver(warehouse, 1)
    predict(warehouse, 1, 4, segment="country=FR", n_scored=3, score_sum=1.2, score_square_sum=0.56)
    predict(warehouse, 1, 9, version="shadow:v2")
    predict(warehouse, 1, 10)
    predict(warehouse, 1, 6, segment="country=DE", n_scored=0, score_sum=0, score_square_sum=0)
    written = night(warehouse, spec_of(), 1)
    few = figure(written, "volume", segment="country=FR")
    assert (few.value, few.n, few.state, few.layer) == (4.0, 4, "final", "data")
    assert np.isnan(few.lower)
    assert figure(written, "volume", version="shadow:v2").value == 9
    score = figure(written, "score_mean", segment="country=FR")
    assert (score.value, score.n, score.state) == (pytest.approx(0.4), 3, "not_evaluated")
    half = 1.959963984540054 * np.sqrt((0.56 - 3 * 0.16) / 2 / 3)
    assert (score.lower, score.upper) == (pytest.approx(0.4 - half), pytest.approx(0.4 + half))
    assert figure(written, "score_mean", segment="country=DE").reason == "no scores"


def count_features(warehouse: Warehouse, number: int, version: str, feature: str, counts: dict[int, int]) -> None:
    rows = pd.DataFrame({"bin": list(counts), "n": list(counts.values())})
    keys = {"day": day(number), "version": version, "feature": feature, "value_sum": 0, "value_square_sum": 0}
    warehouse.insert("feature_statistics", rows.assign(**keys))


def refer(warehouse: Warehouse, reference: str, feature: str, counts: dict[str, int], missing: int = 0) -> None:
    """A categorical reference of these categories, in this order."""
    values = [name for name, n in counts.items() for _ in range(n)] + [None] * missing
    kinds = {feature: "categorical"}
    profile = reference_profile(pd.DataFrame({feature: values}), kinds, 10, 30, reference)  # type: ignore[arg-type]
    warehouse.insert("reference_bins", profile)


TEXTBOOK = {"a": 40, "b": 30, "c": 20, "d": 10}


def test_the_textbook_drift_with_its_contributions_and_null_limit(warehouse: Warehouse) -> None:
    deliver(warehouse, 1)
    predict(warehouse, 1, 100)
    refer(warehouse, "all", "city", TEXTBOOK)
    count_features(warehouse, 1, "all", "city", {0: 20, 1: 40, 2: 30, 3: 10})
    written = night(warehouse, spec_of(features={"city": "categorical"}), 1)
    e, a = (np.array([40, 30, 20, 10]) + 0.5) / 102, (np.array([20, 40, 30, 10]) + 0.5) / 102
    by_hand = (a - e) * np.log(a / e)
    row = figure(written, "psi", feature="city")
    assert (row.value, row.n, row.state) == (pytest.approx(by_hand.sum(), abs=1e-14), 100, "final")
    bins = warehouse.read("contributions").sort_values("bin")
    assert bins["label"].tolist() == ["a", "b", "c", "d"]
    np.testing.assert_allclose(bins["contribution"], by_hand, atol=1e-15)
    np.testing.assert_allclose(bins["expected"], [0.4, 0.3, 0.2, 0.1])
    np.testing.assert_allclose(bins["observed"], [0.2, 0.4, 0.3, 0.1])
    limit = figure(written, "psi_null_limit", feature="city")
    assert limit.value == pytest.approx((1 / 100 + 1 / 100) * stats.chi2.ppf(0.99, 3))
    assert figure(written, "missing_rate", feature="city").value == 0.0


def test_the_null_limits_of_a_day_share_its_error_rate(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, 2)
    predict(warehouse, 1, 100)
    predict(warehouse, 2, 100)
    for feature in ("city", "street", "few"):
        refer(warehouse, "all", feature, TEXTBOOK)
    for number, features in ((1, ("city", "street")), (2, ("city",))):
        for feature in features:
            count_features(warehouse, number, "all", feature, {0: 40, 1: 30, 2: 20, 3: 10})
    count_features(warehouse, 1, "all", "few", {0: 3})  # too few to be judged, so it takes no share
    written = night(warehouse, spec_of(features={"city": "categorical"}), 1, 2)
    limits = [figure(written, "psi_null_limit", feature="city", day=day(number)).value for number in (1, 2)]
    assert limits == pytest.approx([0.02 * stats.chi2.ppf(1 - share, 3) for share in (0.005, 0.01)])


def test_missing_and_unseen_values_are_bins_of_their_own(warehouse: Warehouse) -> None:
    deliver(warehouse, 1)
    predict(warehouse, 1, 100)
    refer(warehouse, "all", "city", {"a": 90, "b": 8}, missing=2)
    count_features(warehouse, 1, "all", "city", {0: 30, -1: 60, -2: 10})
    written = night(warehouse, spec_of(features={"city": "categorical"}), 1)
    missing = figure(written, "missing_rate", feature="city")
    assert (missing.value, missing.n) == (0.6, 100)
    assert (missing.lower, missing.upper) == pytest.approx([float(end) for end in wilson(60, 100)])
    assert figure(written, "psi", feature="city").value > 2
    assert warehouse.read("contributions").set_index("label")["observed"].to_dict() == pytest.approx(
        {"a": 0.3, "b": 0.0, "missing": 0.6, "unseen": 0.1}
    )


def test_one_reference_for_all_serves_every_live_version(warehouse: Warehouse) -> None:
    deliver(warehouse, 1)
    refer(warehouse, "all", "city", TEXTBOOK)
    for version, n in (("all", 2), ("v1", 1), ("v2", 1)):
        predict(warehouse, 1, 100 * n, version=version)
        count_features(warehouse, 1, version, "city", {0: 40 * n, 1: 30 * n, 2: 20 * n, 3: 10 * n})
    written = night(warehouse, spec_of(features={"city": "categorical"}), 1)
    drift = written[(written["metric"] == "psi") & (written["feature"] == "city")]
    assert sorted(drift["version"]) == ["all", "v1", "v2"]
    assert drift["value"].max() < 0.001


def test_a_version_is_held_against_its_own_reference_and_a_new_one_has_none(warehouse: Warehouse) -> None:
    deliver(warehouse, 1)
    for version, turned in (("v1", TEXTBOOK), ("v2", {"a": 10, "b": 20, "c": 30, "d": 40})):
        predict(warehouse, 1, 100, version=version)
        rows = pd.DataFrame({"bin": range(4), "n": turned.values(), "category": turned.keys()})
        keys = {"reference": version, "feature": "city", "kind": "category", "lower": np.nan, "upper": np.nan}
        warehouse.insert("reference_bins", rows.assign(**keys, value_sum=np.nan, value_square_sum=np.nan))
        count_features(warehouse, 1, version, "city", dict(enumerate(turned.values())))
    predict(warehouse, 1, 50, version="v3")
    predict(warehouse, 1, 250)
    spec = spec_of(features={"city": "categorical"}, reference={"versions": {"v1": "one", "v2": "two"}})
    written = night(warehouse, spec, 1)
    city = written[(written["metric"] == "psi") & (written["feature"] == "city")].set_index("version")
    assert sorted(city.index) == ["v1", "v2", "v3"]
    assert city.loc[["v1", "v2"], "value"].tolist() == [0.0, 0.0]
    assert city.loc["v3", "reason"] == "no reference yet"


def test_an_all_null_feature_that_comes_to_life_has_drifted(warehouse: Warehouse) -> None:
    deliver(warehouse, 1)
    predict(warehouse, 1, 100)
    profile = reference_profile(pd.DataFrame({"x": [np.nan] * 100}), {"x": "numeric"}, 10, 30, "all")
    warehouse.insert("reference_bins", profile)
    count_features(warehouse, 1, "all", "x", {-1: 50, -2: 50})
    written = night(warehouse, spec_of(features={"x": "numeric"}), 1)
    assert figure(written, "psi", feature="x").value > 2


def test_latency_quantiles_of_each_version(warehouse: Warehouse) -> None:
    deliver(warehouse, 1)
    predict(warehouse, 1, 1000)
    values = np.random.default_rng(1).lognormal(3, 0.5, 1000)
    for version, sample in (("all", values), ("v1", values[:400])):
        bins, counts = np.unique(latency_bin(sample), return_counts=True)
        rows = pd.DataFrame({"day": FIRST, "version": version, "bin": bins, "n": counts})
        warehouse.insert("latency_statistics", rows)
    written = night(warehouse, spec_of(), 1)
    for percent in (50, 95, 99):
        row = figure(written, f"latency_p{percent}", version="all")
        assert row.value == pytest.approx(np.quantile(values, percent / 100, method="inverted_cdf"), rel=0.01)
        assert row.lower < row.value < row.upper
        assert (row.layer, row.n) == ("service", 1000)
    assert figure(written, "latency_p50", version="v1").n == 400


def earn(
    warehouse: Warehouse, number: int, age: int, n: int, converted: int, value: float, square: float, **counts: Any
) -> None:
    row = {
        "day": day(number), "known_day": day(number + age), "label_age": age, "version": "all", "segment": "all",
        "n": n, "n_converted": converted, "n_unvalued": 0, "value_sum": value, "value_square_sum": square,
    } | counts  # fmt: skip
    warehouse.insert("outcome_statistics", pd.DataFrame([row]))


@pytest.mark.parametrize(("per", "n"), [("known", 40), ("prediction", 100)])
def test_conversion_and_value_are_per_known_outcome_or_per_prediction(warehouse: Warehouse, per: str, n: int) -> None:
    deliver(warehouse, 1, 2)
    deliver(warehouse, 1, 2, source="outcomes")
    predict(warehouse, 1, 100)
    earn(warehouse, 1, 0, 30, 5, 50.0, 500.0)
    earn(warehouse, 1, 1, 10, 3, 30.0, 400.0)
    earn(warehouse, 1, 2, 50, 50, 1e6, 1e9)  # known too late for age 1
    written = night(warehouse, spec_of(outcomes=OUTCOMES | {"per": per}), 1, 2)
    conversion = figure(written, "conversion", day=FIRST)
    assert (conversion.value, conversion.n, conversion.label_age) == (8 / n, n, 1)
    assert (conversion.lower, conversion.upper) == pytest.approx([float(end) for end in wilson(8, n)])
    each = figure(written, "value_per_prediction", day=FIRST)
    half = 1.959963984540054 * np.sqrt((900 - n * (80 / n) ** 2) / (n - 1) / n)
    assert (each.value, each.upper) == (80 / n, pytest.approx(80 / n + half))
    assert figure(written, "value", day=FIRST).value == 80.0


def test_unknown_outcomes_are_undefined_but_unlisted_conversions_are_zero(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, 2)
    predict(warehouse, 1, 100)
    known = night(warehouse, spec_of(outcomes=OUTCOMES), 2)
    assert figure(known, "conversion", day=FIRST).reason == "no outcomes"
    listed = night(warehouse, spec_of(outcomes=OUTCOMES | {"per": "prediction"}), 2)
    assert figure(listed, "conversion", day=FIRST).value == 0.0


def test_a_missing_list_of_conversions_is_not_read_as_no_conversions(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, 2, 3, 4)
    deliver(warehouse, 1, 4, source="outcomes")
    deliver(warehouse, 2, source="outcomes", status="missing")
    deliver(warehouse, 3, source="outcomes", status="refused")
    for number in (1, 2, 3):
        predict(warehouse, number, 100)
    earn(warehouse, 1, 0, 8, 8, 80.0, 900.0)
    written = night(warehouse, spec_of(outcomes=OUTCOMES | {"per": "prediction"}), 1, 4)
    half_known, unknown = (figure(written, "conversion", day=day(number)) for number in (1, 2))
    assert (half_known.value, half_known.state) == (0.08, "not_evaluated")
    assert half_known.reason == "1 of 2 outcome deliveries are missing or refused"
    assert np.isnan(unknown.value)
    assert unknown.reason == "2 of 2 outcome deliveries are missing or refused"


def test_outcomes_without_a_value_have_conversion_only(warehouse: Warehouse) -> None:
    deliver(warehouse, 1, 2)
    predict(warehouse, 1, 10)
    written = night(warehouse, spec_of(outcomes={"path": "o/{day}.csv", "ages": [1]}), 1, 2)
    assert "conversion" in set(written["metric"])
    assert not {"value", "value_per_prediction"} & set(written["metric"])
