"""Deliveries are deleted at their source some day; what was taken in from them stays, and history begins where it began."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from pathlib import Path

WAIST = ("prediction_statistics", "feature_statistics", "label_statistics", "reference_bins")
HELD = "SELECT day, COUNT(*) FROM predictions GROUP BY day ORDER BY day"


@pytest.fixture
def short(kiosk: Kiosk) -> Kiosk:
    """The short spec of the README: no start, no reference."""
    kiosk.changes |= {"start": None, "reference": {}, "outcomes": None}
    return kiosk


def deliver(kiosk: Kiosk, *numbers: int) -> None:
    for number in numbers:
        ids = [f"{number}-{row}" for row in range(6)]
        kiosk.predict(number, ids, price=[row + number / 10 for row in range(6)], colour=["red", "blue"] * 3)
        kiosk.label(number, {f"{number - 1}-{row}": row % 2 for row in range(6)})


def forget(kiosk: Kiosk, *numbers: int) -> None:
    for folder in ("predictions", "labels"):
        for number in numbers:
            (kiosk.root / folder / f"{day(number)}.csv").unlink()


def test_without_a_start_history_goes_on_from_where_it_began(short: Kiosk, tmp_path: Path) -> None:
    """33 nights, so that the first 28 days are a reference; the source keeps ten."""
    kept = Kiosk(tmp_path / "kept", changes=short.changes)
    for one in (short, kept):
        deliver(one, *range(1, 32))
        one.run(days(31, 31))
    forget(short, *range(1, 22))
    for number in (32, 33):
        for one in (short, kept):
            deliver(one, number)
            assert [summary.period for summary in one.run(days(number, number))] == [days(number, number)] * 2
    for name in WAIST:
        pd.testing.assert_frame_equal(short.table(name), kept.table(name), check_exact=True)


def test_a_night_on_which_the_folder_is_not_there_is_no_new_beginning(short: Kiosk) -> None:
    deliver(short, 1, 2, 3)
    short.run(days(3, 3))
    shutil.move(short.root / "predictions", short.root / "elsewhere")
    assert [summary.period for summary in short.run(days(4, 4))] == [days(4, 4)] * 2
    assert [number for _, number in short.rows(HELD)] == [6, 6, 6]


def test_without_a_start_older_files_move_the_beginning_back(short: Kiosk) -> None:
    deliver(short, 3, 4)
    short.run(days(4, 4))
    deliver(short, 2)
    assert [summary.period for summary in short.run(days(5, 5))] == [days(2, 5)] * 2


def test_history_begins_with_the_first_delivery_however_long_it_was_waited_for(short: Kiosk) -> None:
    short.run(days(1, 1))
    deliver(short, 2)
    assert [summary.period for summary in short.run(days(3, 3))] == [days(2, 3)] * 2


def test_what_cannot_be_read_again_stays_as_it_was_and_is_told(short: Kiosk) -> None:
    deliver(short, 1, 2, 3)
    short.run(days(3, 3))
    forget(short, 1, 2)
    deliver(short, 4)
    short.changes["segments"] = ["country", "colour"]
    ingest, _ = short.run(days(4, 4))
    assert ingest.period == days(1, 4)
    assert ingest.notes[0] == (
        f"predictions of 2 days ({day(1)} to {day(2)}) stay as they were taken in before, because their files are gone; "
        "what the spec reads otherwise now it reads from the other days alone. If they can be delivered again, do so and "
        f"run `nightjar run kiosk --from {day(1)} --to {day(2)}`"
    )
    assert [number for _, number in short.rows(HELD)] == [6, 6, 6, 6]
    assert short.rows("SELECT day, status FROM deliveries WHERE status <> 'delivered'") == []
    deliver(short, 1, 2)
    again, _ = short.run(days(1, 2))
    assert (again.rows["predictions"], again.notes) == (12, ())


def test_files_of_all_days_that_begin_later_now_take_nothing_away(short: Kiosk) -> None:
    def rows(first: int, last: int) -> pd.DataFrame:
        ids = [f"{number}-{row}" for number in range(first, last + 1) for row in range(6)]
        times = [f"{day(number)} 12:00:00" for number in range(first, last + 1) for _ in range(6)]
        usual = {"model_version": "v1", "score": 0.75, "decision": 1, "price": 2.0, "colour": "red", "country": "FR"}
        return pd.DataFrame({"request_id": ids, "ts": times} | usual)

    short.changes |= {"predictions": {"path": f"{short.root}/all/*.csv"}, "labels": None}
    short.write("all", 1, rows(1, 4))
    short.run(days(4, 4))
    short.write("all", 1, rows(3, 5))
    assert [summary.period for summary in short.run(days(5, 5))] == [days(5, 5)] * 2
    short.run(days(2, 2))
    short.changes["segments"] = []
    short.run(days(5, 5))
    assert short.rows(HELD) == [(day(number), 6) for number in range(1, 6)]
