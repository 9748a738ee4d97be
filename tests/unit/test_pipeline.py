"""The rule that makes any order of nights come out the same, and the errors that guard it."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.errors import OrderError, UsageError
from jobs.pipeline import run_stage
from tests.kiosk import Kiosk, day, days

WAIST = (
    "prediction_statistics",
    "feature_statistics",
    "label_statistics",
    "outcome_statistics",
    "arrival_statistics",
    "reference_bins",
)
LAST = 6


def a_week(kiosk: Kiosk) -> Kiosk:
    """Deliveries with late labels, a correction, a missing day and two versions."""
    kiosk.reference()
    for number in (1, 2, 4, 5, 6):
        ids = [f"{number}-{row}" for row in range(6)]
        kiosk.predict(
            number, ids, score=[0.123, 0.7, 0.35, 0.51, 0.9, 0.01], price=[row / 3 for row in range(6)],
            country=list("abcabc"), model_version=["v1"] * 3 + ["v2"] * 3,
        )  # fmt: skip
        kiosk.outcome(number, {ids[0]: 0.1, ids[1]: 0.2, ids[2]: 0.7})
        kiosk.label(
            number,
            {f"{earlier}-{number - earlier}": earlier % 2 for earlier in range(1, number)} | {"1-1": number % 2},
        )
    return kiosk


def tables(kiosk: Kiosk) -> dict[str, pd.DataFrame]:
    return {name: kiosk.table(name) for name in WAIST}


def assert_same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name in WAIST:
        pd.testing.assert_frame_equal(one[name], other[name], check_exact=True)


@settings(max_examples=12, deadline=None)
@given(order=st.permutations(range(1, LAST + 1)), again=st.lists(st.integers(1, LAST), max_size=3))
def test_nights_in_any_order_and_again_write_what_one_range_writes(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], again: list[int]
) -> None:
    by_range, by_night = (a_week(Kiosk(tmp_path_factory.mktemp("kiosk"))) for _ in range(2))
    by_range.run(days(1, LAST))
    for number in [*order, *again]:
        by_night.run(days(number, number))
    assert_same(tables(by_range), tables(by_night))


def test_the_first_night_asked_for_brings_the_whole_past_with_it(kiosk: Kiosk) -> None:
    for number in (1, 2, 3):
        kiosk.predict(number, ["a"])
    (ingest,) = kiosk.run(days(3, 3), "ingest")
    assert ingest.period == days(1, 3)


def test_a_night_run_again_takes_only_its_own_day(kiosk: Kiosk) -> None:
    for number in (1, 2, 3):
        kiosk.predict(number, ["a"])
    kiosk.run(days(1, 3))
    assert [summary.period for summary in kiosk.run(days(2, 2))] == [days(2, 2), days(2, 2)]


def test_a_late_redelivery_is_healed_by_the_next_night(tmp_path_factory: pytest.TempPathFactory) -> None:
    healed, undisturbed = (a_week(Kiosk(tmp_path_factory.mktemp("kiosk"))) for _ in range(2))
    path = healed.root / "labels" / f"{day(2)}.csv"
    late = path.read_text()
    path.unlink()
    healed.run(days(1, 4))
    path.write_text(late)
    healed.run(days(2, 2))
    healed.run(days(5, 6))
    undisturbed.run(days(1, 6))
    assert_same(tables(healed), tables(undisturbed))


def test_a_changed_spec_is_healed_by_the_next_night(tmp_path_factory: pytest.TempPathFactory) -> None:
    healed, undisturbed = (a_week(Kiosk(tmp_path_factory.mktemp("kiosk"))) for _ in range(2))
    healed.run(days(1, 4))
    for one in (healed, undisturbed):
        one.changes["segments"] = []
    healed.run(days(5, 6))
    undisturbed.run(days(1, 6))
    assert_same(tables(healed), tables(undisturbed))


def test_a_changed_reference_is_healed_by_the_next_night(tmp_path_factory: pytest.TempPathFactory) -> None:
    healed, undisturbed = (a_week(Kiosk(tmp_path_factory.mktemp("kiosk"))) for _ in range(2))
    healed.run(days(1, 4))
    for one in (healed, undisturbed):
        one.reference(price=[5.0, 6.0, 7.0, 8.0] * 10)
    healed.run(days(5, 6))
    undisturbed.run(days(1, 6))
    assert_same(tables(healed), tables(undisturbed))


def test_a_stage_ahead_of_the_one_before_it_is_refused(kiosk: Kiosk) -> None:
    kiosk.predict(1, ["a"])
    kiosk.run(days(1, 1), "ingest")
    with pytest.raises(
        OrderError, match="statistics of 2025-01-02 needs ingest, which has finished through 2025-01-01"
    ):
        run_stage(kiosk.spec, "statistics", days(2, 2), kiosk.home)


def test_a_day_before_the_first_one_watched_is_refused(kiosk: Kiosk) -> None:
    with pytest.raises(UsageError, match="begins before the first day watched, 2025-01-01; change start in the spec"):
        run_stage(kiosk.spec, "ingest", days(0, 0), kiosk.home)


def test_without_a_start_the_first_delivery_is_the_first_day(kiosk: Kiosk) -> None:
    kiosk.changes["start"] = None
    kiosk.predict(3, ["a"])
    with pytest.raises(UsageError, match="no predictions are delivered before it"):
        run_stage(kiosk.spec, "ingest", days(2, 2), kiosk.home)
    assert run_stage(kiosk.spec, "ingest", days(4, 4), kiosk.home).period == days(3, 4)


def test_without_a_start_the_first_row_of_files_that_hold_all_days_is_the_first_day(kiosk: Kiosk) -> None:
    kiosk.changes |= {
        "start": None,
        "predictions": {"path": f"{kiosk.root}/predictions/*.csv"},
        "timezone": "America/New_York",
    }
    kiosk.predict(9, ["a", "b"], ts=["2025-01-03T03:00:00Z", "2025-01-05T12:00:00Z"])
    assert run_stage(kiosk.spec, "ingest", days(4, 4), kiosk.home).period == days(2, 4)


def test_an_unknown_stage_is_refused(kiosk: Kiosk) -> None:
    with pytest.raises(UsageError, match="no stage 'metric'; the stages are ingest, statistics"):
        run_stage(kiosk.spec, "metric", days(1, 1), kiosk.home)


def test_readers_see_a_published_copy_while_the_file_is_written(kiosk: Kiosk) -> None:
    from jobs.engine.warehouse import read_published

    kiosk.predict(1, ["a"])
    kiosk.run(days(1, 1), "ingest")
    with kiosk.warehouse() as writer, read_published(kiosk.home, "kiosk") as reader:
        writer.execute("DELETE FROM predictions")
        assert reader.execute("SELECT id FROM predictions").fetchall() == [("a",)]
