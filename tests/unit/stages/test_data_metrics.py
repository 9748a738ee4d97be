"""Delivered files -> metrics of the data and service layers: a small kiosk whose figures are worked by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jobs.methods.chance import js_null_limit
from jobs.methods.distances import js_distance
from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from jobs.periods import Period

STAGES = ("ingest", "statistics", "metrics")


def measured(kiosk: Kiosk, period: Period) -> pd.DataFrame:
    kiosk.run(period, *STAGES)
    return kiosk.table("metrics")


def one(written: pd.DataFrame, metric: str, number: int, **keys: Any) -> Any:
    """The row of a metric on a day, of all live versions."""
    keys = {"day": pd.Timestamp(day(number)), "version": "all", "segment": "all"} | keys
    found = written[written["metric"] == metric]
    for name, value in keys.items():
        found = found[found[name] == value]
    assert len(found) == 1, f"{metric} {keys}: {len(found)} rows"
    return next(found.itertuples())


def ids(n: int, prefix: str = "r") -> list[str]:
    return [f"{prefix}{number}" for number in range(n)]


# distances ------------------------------------------------------------------------------------------------------


def test_the_stored_distances_are_those_of_the_rows(kiosk: Kiosk) -> None:
    random = np.random.default_rng(1)
    before, after = random.gamma(2, 10, 3000), random.gamma(2.4, 10, 900)
    colours = random.choice(["red", "blue", "green"], 3000, p=[0.5, 0.3, 0.2])
    kiosk.reference(score=[0.5] * 3000, decision=[1] * 3000, price=before, colour=colours)
    kiosk.changes["drift"] = [
        "psi", "js", "ks", "wasserstein", "wasserstein_units", "chi2", "l_infinity", "hellinger", "mean_shift",
    ]  # fmt: skip
    later = random.choice(["red", "blue", "green"], 900, p=[0.3, 0.4, 0.3])
    kiosk.predict(1, ids(900), price=after, colour=later)
    written = measured(kiosk, days(1, 1))
    e, a = (np.array([(side == name).sum() for name in ("red", "blue", "green")]) for side in (colours, later))
    assert one(written, "js", 1, feature="colour").value == pytest.approx(js_distance(e, a))
    assert one(written, "chi2", 1, feature="colour").value == pytest.approx(
        stats.chi2_contingency(np.array([e, a]), correction=False).statistic
    )
    assert one(written, "l_infinity", 1, feature="colour").value == pytest.approx(np.abs(e / 3000 - a / 900).max())
    row, truth = one(written, "ks", 1, feature="price"), stats.ks_2samp(before, after)
    assert row.lower <= truth.statistic <= row.upper
    assert row.value == pytest.approx(truth.statistic, abs=0.02)
    far = stats.wasserstein_distance(before, after)
    assert one(written, "wasserstein_units", 1, feature="price").value == pytest.approx(far, rel=0.05)
    assert one(written, "wasserstein", 1, feature="price").value == pytest.approx(far / before.std(), rel=0.05)
    shift = one(written, "mean_shift", 1, feature="price")
    assert shift.value == pytest.approx((after.mean() - before.mean()) / before.std(), rel=0.06)
    assert shift.lower < shift.value < shift.upper
    for metric in ("js", "chi2", "l_infinity", "hellinger", "wasserstein"):
        passed = one(written, f"{metric}_null_limit", 1, feature="price")
        assert one(written, metric, 1, feature="price").value > passed.value, metric
    assert not len(written[(written["metric"] == "ks") & (written["feature"] == "colour")]), "colours have no order"


def test_the_limits_of_a_night_share_its_error_rate(kiosk: Kiosk) -> None:
    kiosk.predict(1, ids(100), colour=["red"] * 50 + ["blue"] * 50)
    written = measured(kiosk, days(1, 1))
    found = one(written, "js_null_limit", 1, feature="colour").value
    series = (written["metric"] == "js").sum()
    assert series == 4, "price, colour, score and decision"
    assert found == pytest.approx(js_null_limit([20, 20], [50, 50], 0.01 / series))


def test_the_spec_says_which_distances_are_written(kiosk: Kiosk) -> None:
    kiosk.predict(1, ids(40))
    kiosk.changes["drift"] = ["psi", "hellinger"]
    names = set(measured(kiosk, days(1, 1))["metric"])
    assert {"psi", "hellinger", "hellinger_null_limit"} <= names
    assert not {"js", "ks", "wasserstein", "chi2", "mean_shift"} & names


def test_what_has_gone_missing_shows_in_every_distance_of_bins(kiosk: Kiosk) -> None:
    kiosk.predict(1, ids(100), price=[""] * 60 + ["2.0"] * 10 + ["1.0"] * 10 + ["3.0"] * 10 + ["4.0"] * 10)
    written = measured(kiosk, days(1, 1))
    assert one(written, "ks", 1, feature="price").value == pytest.approx(0.6)
    assert one(written, "js", 1, feature="price").value > 0.5
    assert one(written, "wasserstein", 1, feature="price").value == pytest.approx(0, abs=1e-12)
    assert one(written, "wasserstein", 1, feature="price").n == 40


def test_the_drift_of_the_model_weighs_features_by_importance(kiosk: Kiosk) -> None:
    kiosk.changes["features"] = {
        "price": {"kind": "numeric", "importance": 3}, "colour": {"kind": "categorical", "importance": 1},
    }  # fmt: skip
    kiosk.predict(1, ids(60), colour=["red"] * 45 + ["green"] * 15)
    written = measured(kiosk, days(1, 1))
    price, colour = (one(written, "js", 1, feature=name).value for name in ("price", "colour"))
    assert one(written, "model_drift", 1).value == pytest.approx((3 * price + colour) / 4)
    assert one(written, "model_drift", 1).value > one(written, "model_drift_null_limit", 1).value


# references that move -------------------------------------------------------------------------------------------


def turning(kiosk: Kiosk, last: int) -> None:
    """Colours that turn from day to day, and price with them."""
    random = np.random.default_rng(2)
    for number in range(1, last + 1):
        colour = random.choice(["red", "blue", "green"], 80, p=[0.6 - 0.02 * number, 0.3, 0.1 + 0.02 * number])
        kiosk.predict(number, ids(80, f"d{number}-"), colour=colour, price=random.normal(number, 2, 80))


def test_a_rolling_reference_is_the_sum_of_the_days_it_names(kiosk: Kiosk) -> None:
    turning(kiosk, 8)
    kiosk.changes["reference"] = {"file": f"{kiosk.root}/reference.csv", "rolling": {"days": 3, "gap": 2}}
    written = measured(kiosk, days(1, 8))
    counted = dict(
        kiosk.rows(
            f"SELECT bin, SUM(n) FROM feature_statistics WHERE feature = 'colour' AND version = 'all' "
            f"AND day BETWEEN '{day(4)}' AND '{day(6)}' GROUP BY bin"
        )
    )
    today = dict(
        kiosk.rows(
            f"SELECT bin, n FROM feature_statistics WHERE feature = 'colour' AND version = 'all' AND day = '{day(8)}'"
        )
    )
    bins = sorted(counted | today)
    e, a = ([float(side.get(number, 0)) for number in bins] for side in (counted, today))
    assert one(written, "js", 8, feature="colour").value == pytest.approx(js_distance(e, a))
    assert one(written, "js", 1, feature="colour").reason == "no reference yet"
    assert one(written, "psi", 2, feature="colour").reason == "no reference yet"
    assert not math.isnan(one(written, "psi", 3, feature="colour").value)


def test_the_same_weekday_is_held_against_the_same_weekdays(kiosk: Kiosk) -> None:
    for number in range(1, 22):
        weekend = day(number).weekday() >= 5
        kiosk.predict(number, ids(60, f"d{number}-"), colour=["red"] * 50 + ["blue"] * 10 if weekend else ["blue"] * 60)
    kiosk.changes["reference"] = {"file": f"{kiosk.root}/reference.csv", "weekdays": 2}
    written = measured(kiosk, days(1, 21))
    later = written[(written["feature"] == "colour") & (written["day"] >= pd.Timestamp(day(15)))]
    assert later.loc[later["metric"] == "js", "value"].max() == pytest.approx(0, abs=1e-7)
    early = written[(written["metric"] == "js") & (written["day"] < pd.Timestamp(day(8)))]
    assert set(early["reason"]) == {"no reference yet"}


@pytest.mark.parametrize("moving", [{"rolling": {"days": 3, "gap": 1}}, {"weekdays": 1}])
def test_nights_in_any_order_and_twice_equal_the_whole_range(kiosk: Kiosk, moving: dict[str, Any]) -> None:
    turning(kiosk, 10)
    kiosk.changes["reference"] = {"file": f"{kiosk.root}/reference.csv"} | moving
    kiosk.house = kiosk.root / "whole"
    whole = measured(kiosk, days(1, 10))
    kiosk.house = kiosk.root / "each"
    for number in (1, 4, 2, 3, 9, 5, 10, 10, 7):
        measured(kiosk, days(number, number))
    pd.testing.assert_frame_equal(kiosk.table("metrics"), whole, check_exact=True)


# what the features held -----------------------------------------------------------------------------------------


def test_outliers_unseen_values_and_columns_that_are_constant_or_empty(kiosk: Kiosk) -> None:
    # The reference's price is 1, 2, 3, 4 in turn: mean 2.5, sigma 1.118, so 3 sigma end at 5.85; its range is 1 to 4.
    price = ["2.0"] * 34 + ["5.0"] * 3 + ["6.0", "inf", ""]
    kiosk.predict(1, ids(40), price=price, colour=["red"] * 30 + ["green"] * 10)
    kiosk.predict(2, ids(40, "s"), price="", colour="red")
    written = measured(kiosk, days(1, 2))
    outliers, outside = (one(written, metric, 1, feature="price") for metric in ("outlier_rate", "out_of_range_rate"))
    assert (outliers.value, outliers.n) == (pytest.approx(2 / 39), 39)
    assert outside.value == pytest.approx(5 / 39)
    assert one(written, "unseen_rate", 1, feature="colour").value == 0.25
    assert one(written, "constant_columns", 1).value == 2, "score and decision"
    constant = written[(written["metric"] == "constant_column") & (written["day"] == pd.Timestamp(day(2)))]
    assert sorted(constant["feature"]) == ["colour", "decision", "score"]
    assert one(written, "empty_columns", 2).value == 1
    assert one(written, "empty_column", 2, feature="price").value == 1
    assert one(written, "outlier_rate", 2, feature="price").reason == "no values"


def test_rare_and_unseen_categories_in_one_bin_are_not_told_apart(kiosk: Kiosk) -> None:
    kiosk.reference(colour=["red", "blue", "green", "pink"] * 10)
    kiosk.changes["reference"] = {"file": f"{kiosk.root}/reference.csv", "categories": 2}
    kiosk.predict(1, ids(40), colour="violet")
    written = measured(kiosk, days(1, 1))
    assert not len(written[written["metric"] == "unseen_rate"])
    constant = written[written["metric"] == "constant_column"]
    assert "colour" not in set(constant["feature"]), "several rare colours share the bin"


# deliveries -----------------------------------------------------------------------------------------------------


def test_duplicates_and_misdated_rows_are_shares_of_what_was_delivered(kiosk: Kiosk) -> None:
    times = [f"{day(1)} 12:00:00"] * 39 + [f"{day(2)} 00:30:00"]
    kiosk.predict(1, [*ids(36), "r0", "r1", "r2", "r3"], ts=times)
    kiosk.label(1, {f"r{number}": 1 for number in range(40)})
    written = measured(kiosk, days(1, 1))
    duplicates, misdated = one(written, "duplicate_rate", 1), one(written, "misdated_rate", 1)
    assert (duplicates.value, duplicates.n) == (pytest.approx(4 / 40), 40)
    assert misdated.value == pytest.approx(1 / 40)
    assert one(written, "duplicate_rate", 1, segment="source=labels").value == 0


def test_the_age_of_a_delivery_grows_while_none_comes(kiosk: Kiosk) -> None:
    for number in (1, 2, 3, 4):
        kiosk.predict(number, ids(40, f"d{number}-"))
    kiosk.label(1, {"d1-0": 1})
    kiosk.label(4, {"d4-0": 1})
    written = measured(kiosk, days(1, 4))
    labels = [one(written, "delivery_age", number, segment="source=labels").value for number in (1, 2, 3, 4)]
    assert labels == [0, 1, 2, 0]
    assert one(written, "delivery_age", 1, segment="source=outcomes").reason == "never delivered yet"


def parquet(kiosk: Kiosk, number: int, **columns: Any) -> None:
    usual = {
        "request_id": ids(40, f"d{number}-"), "ts": pd.Timestamp(day(number)) + pd.Timedelta(hours=12),
        "model_version": "v1", "score": 0.75, "decision": 1, "price": 2.0, "colour": "red", "country": "FR",
    }  # fmt: skip
    folder = kiosk.root / "predictions"
    folder.mkdir(exist_ok=True)
    frame = pd.DataFrame(usual | columns)
    frame[[name for name in frame if columns.get(str(name), "") is not None]].to_parquet(
        folder / f"{day(number)}.parquet"
    )


def test_columns_that_come_go_and_change_their_kind_are_told_once(kiosk: Kiosk) -> None:
    source = {"columns": {"version": "model_version", "decision": "decision"}}
    kiosk.changes["predictions"] = {"path": f"{kiosk.root}/predictions/{{day}}.parquet"} | source
    parquet(kiosk, 1, note="a")
    parquet(kiosk, 2, note="a")
    parquet(kiosk, 4, price="2.0", extra=1)  # day 3 was not delivered
    parquet(kiosk, 5, price="2.0", extra=1)
    parquet(kiosk, 6, price="2.0", extra=1, score=None)  # without its score it is refused
    written = measured(kiosk, days(1, 6))
    changes = [one(written, "schema_changes", number) for number in range(1, 7)]
    assert [row.value for row in changes[1:2] + changes[3:5]] == [0, 3, 0]
    assert changes[0].reason == "the first delivery, nothing to compare with"
    assert changes[2].reason == "no delivery"
    assert "column 'score' is missing" in changes[5].reason
    told = written[written["metric"].isin(["column_new", "column_gone", "column_retyped"])]
    assert dict(zip(told["metric"], told["feature"], strict=True)) == {
        "column_new": "extra", "column_gone": "note", "column_retyped": "price",
    }  # fmt: skip
    assert set(told["day"]) == {pd.Timestamp(day(4))}


# service --------------------------------------------------------------------------------------------------------


def test_throughput_the_busiest_minute_the_newest_answer_and_errors(kiosk: Kiosk) -> None:
    columns = {"version": "model_version", "decision": "decision", "error": "failed"}
    kiosk.changes |= {
        "timezone": "Europe/Berlin", "start": day(89),
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv", "columns": columns},
    }  # fmt: skip
    clock = ["09:00:01"] * 20 + ["09:00:59"] * 10 + ["09:01:00"] * 12 + ["21:30:00"] * 3
    failed = [1] * 9 + [0] * 31 + [""] * 5
    versions = ["v1"] * 25 + ["v2"] * 20
    kiosk.predict(89, ids(45), ts=[f"{day(89)} {time}" for time in clock], failed=failed, model_version=versions)
    written = measured(kiosk, days(89, 89))  # 30 March 2025 has 23 hours in Berlin
    assert one(written, "throughput", 89).value == pytest.approx(45 / (23 * 3600))
    assert one(written, "peak_per_minute", 89).value == 30
    assert one(written, "freshness_hours", 89).value == pytest.approx(2.5)
    rate = one(written, "error_rate", 89)
    assert (rate.value, rate.n, rate.layer) == (9 / 40, 40, "service")
    assert one(written, "error_rate", 89, version="v1").value == 9 / 25
    assert one(written, "error_rate", 89, version="v2").reason == "15 requests, 30 needed"


def test_a_spec_without_an_error_column_has_no_error_rate(kiosk: Kiosk) -> None:
    kiosk.predict(1, ids(40))
    assert "error_rate" not in set(measured(kiosk, days(1, 1))["metric"])


# whole specs ----------------------------------------------------------------------------------------------------


def test_a_spec_with_a_score_and_a_label_only_has_its_data_metrics(kiosk: Kiosk) -> None:
    kiosk.changes |= {
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv"}, "features": {}, "segments": [],
        "outcomes": None, "reference": {"window": {"first": str(day(1)), "last": str(day(2))}},
    }  # fmt: skip
    for number in (1, 2, 3):
        kiosk.write("predictions", number, pd.DataFrame(
            {"request_id": ids(50, f"d{number}-"), "ts": f"{day(number)} 08:00:00", "score": np.linspace(0, 1, 50)}
        ))  # fmt: skip
        kiosk.label(number, {f"d{number}-1": 1})
    written = measured(kiosk, days(1, 3))
    assert one(written, "ks", 3, feature="score").value == pytest.approx(0, abs=1e-12)
    assert one(written, "js", 3, feature="decision").value == pytest.approx(0, abs=1e-7)
    assert one(written, "throughput", 3).n == 50
    assert not {"model_drift", "outlier_rate", "unseen_rate", "error_rate", "cpu_cores"} & set(written["metric"])
    whole = written[written["state"] == "final"]
    assert whole["reason"].isna().all()
    assert whole["value"].notna().all()
