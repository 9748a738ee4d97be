"""Rows -> additive counts: the label triangle, corrections, versions, segments, bins."""

from __future__ import annotations

import pytest

from jobs.stages import statistics
from tests.kiosk import Kiosk, day, days


def triangle(kiosk: Kiosk, where: str = "version = 'all' AND segment = 'all'") -> list[tuple[object, ...]]:
    return kiosk.rows(
        f"SELECT day, known_day, label_age, decision, label, n FROM label_statistics WHERE {where} ORDER BY ALL"
    )


def test_label_known_in_march_counts_for_its_january_prediction(kiosk: Kiosk) -> None:
    kiosk.changes["labels"] = {"path": f"{kiosk.root}/labels/{{day}}.csv", "ages": [90]}
    kiosk.predict(1, ["a"])
    kiosk.label(60, {"a": 1})
    kiosk.run(days(1, 60))
    assert triangle(kiosk) == [(day(1), day(60), 59, 1, 1, 1)]


def test_a_correction_takes_the_former_label_back_on_the_day_it_became_known(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a"])
    kiosk.label(2, {"a": 1})
    kiosk.label(4, {"a": 0})
    kiosk.run(days(1, 4))
    assert triangle(kiosk) == [
        (day(1), day(2), 1, 1, 1, 1),
        (day(1), day(4), 3, 1, 0, 1),
        (day(1), day(4), 3, 1, 1, -1),
    ]


def test_the_same_label_delivered_again_counts_once(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a"])
    kiosk.label(2, {"a": 1})
    kiosk.label(3, {"a": 1})
    kiosk.run(days(1, 3))
    assert triangle(kiosk) == [(day(1), day(2), 1, 1, 1, 1)]


def test_a_label_known_before_its_prediction_counts_on_the_predictions_day(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["z"])
    kiosk.predict(3, ["a"])
    kiosk.label(1, {"a": 0})
    kiosk.run(days(1, 3))
    assert triangle(kiosk) == [(day(3), day(3), 0, 1, 0, 1)]


def test_labels_past_the_horizon_do_not_count(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a", "b"])
    kiosk.label(4, {"a": 1})
    kiosk.label(5, {"b": 1})
    kiosk.run(days(1, 5))
    assert triangle(kiosk) == [(day(1), day(4), 3, 1, 1, 1)]


def test_labels_for_unknown_ids_are_counted_and_change_no_metric(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a"])
    kiosk.label(2, {"a": 1, "nobody": 0})
    kiosk.run(days(1, 2))
    assert kiosk.rows("SELECT n, n_corrected, n_unknown FROM arrival_statistics WHERE source = 'labels'") == [(2, 0, 1)]
    assert len(triangle(kiosk)) == 1


def test_versions_add_up_to_all_and_a_shadow_stands_apart(kiosk: Kiosk) -> None:
    kiosk.changes["others"] = [
        {
            "path": f"{kiosk.root}/shadow/{{day}}.csv",
            "role": "shadow",
            "columns": {"version": "model_version"},
        }
    ]
    path = kiosk.predict(1, ["a", "b", "c"], model_version=["v1", "v1", "v2"])
    shadow = kiosk.root / "shadow" / path.name
    shadow.parent.mkdir()
    shadow.write_text(path.read_text().replace("v1", "v0").replace("v2", "v0"))
    kiosk.run(days(1, 1))
    counted = "SELECT version, n FROM prediction_statistics WHERE segment = 'all' ORDER BY version"
    assert kiosk.rows(counted) == [("all", 3), ("shadow:v0", 3), ("v1", 2), ("v2", 1)]


def test_segments_add_up_to_all_and_a_missing_one_has_a_name(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a", "b", "c"], country=["FR", "", "FR"])
    kiosk.run(days(1, 1))
    counted = "SELECT segment, n FROM prediction_statistics WHERE version = 'all' ORDER BY segment"
    assert kiosk.rows(counted) == [("all", 3), ("country=(missing)", 1), ("country=FR", 2)]


def test_features_are_counted_in_the_references_bins_with_missing_unseen_and_infinite_apart(
    kiosk: Kiosk,
) -> None:
    kiosk.predict(1, list("abcde"), price=["1", "4", "99", "", "inf"], colour=["red", "blue", "green", "", "red"])
    kiosk.run(days(1, 1))
    bins = "SELECT f.feature, b.kind, SUM(f.n) FROM feature_statistics f JOIN reference_bins b USING (feature, bin) "
    counted = kiosk.rows(
        bins + "WHERE version = 'all' AND feature IN ('price', 'colour') AND f.n > 0 GROUP BY ALL ORDER BY ALL"
    )
    assert counted == [
        ("colour", "category", 3), ("colour", "missing", 1), ("colour", "unseen", 1),
        ("price", "infinite", 1), ("price", "interval", 3), ("price", "missing", 1),
    ]  # fmt: skip


def test_moments_are_of_finite_values_in_their_own_unit(kiosk: Kiosk) -> None:
    kiosk.predict(1, list("abc"), price=["1.25", "2.5", "inf"])
    kiosk.run(days(1, 1))
    (moments,) = kiosk.rows(
        "SELECT SUM(value_sum)::DOUBLE, SUM(value_square_sum)::DOUBLE FROM feature_statistics WHERE feature = 'price' AND version = 'all'"
    )
    assert moments == pytest.approx((3.75, 7.8125))


def test_latency_is_counted_in_bins_of_two_percent(kiosk: Kiosk) -> None:
    kiosk.changes["predictions"] = {
        "path": f"{kiosk.root}/predictions/{{day}}.csv",
        "columns": {"latency_ms": "latency"},
    }
    kiosk.predict(1, list("abc"), latency=["100", "101", "0"])
    kiosk.run(days(1, 1))
    # ln(100)/ln(1.02) = 232.55 and ln(101)/ln(1.02) = 233.06, so the bins are 233 and 234.
    assert kiosk.rows("SELECT bin, n FROM latency_statistics WHERE version = 'all' ORDER BY bin") == [
        (-1000000, 1),
        (233, 1),
        (234, 1),
    ]


def test_drift_is_not_counted_before_a_reference_window_has_ended(kiosk: Kiosk) -> None:
    kiosk.changes["reference"] = {"window": {"first": str(day(1)), "last": str(day(2))}}
    for number in (1, 2, 3):
        kiosk.predict(number, ["a", "b"], price=[number, number + 1])
    kiosk.run(days(1, 3))
    assert kiosk.rows("SELECT DISTINCT day FROM feature_statistics") == [(day(3),)]
    assert kiosk.rows("SELECT SUM(n) FROM reference_bins WHERE feature = 'price'") == [(4,)]


def test_an_outcome_that_changes_later_is_counted_by_its_change(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a", "b"])
    kiosk.outcome(2, {"a": 10.5, "b": 0})
    kiosk.outcome(3, {"a": 0})
    kiosk.run(days(1, 3))
    found = "SELECT known_day, n, n_converted, value_sum::DOUBLE FROM outcome_statistics WHERE version = 'all' AND segment = 'all' ORDER BY ALL"
    assert kiosk.rows(found) == [(day(2), 2, 1, 10.5), (day(3), 0, -1, -10.5)]


def test_labels_counted_in_pieces_are_those_of_one_statement(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    kiosk.predict(1, ["a", "b"])
    kiosk.label(2, {"a": 1, "b": 0})
    kiosk.label(4, {"a": 0})
    kiosk.label(5, {"a": 1, "b": 1})
    kiosk.run(days(1, 5))
    whole = triangle(kiosk, "TRUE")
    monkeypatch.setattr(statistics, "LABELS_AT_ONCE", 2)  # three pieces: nights 1 to 3, 4, and 5
    with kiosk.warehouse() as warehouse:
        warehouse.execute("DELETE FROM label_statistics")
        warehouse.reopen("statistics", None)
    kiosk.run(days(1, 5))
    assert triangle(kiosk, "TRUE") == whole
    assert len(whole) > 8
