"""Working on an old night leaves no newer one undone: what was reopened comes as far again as it had come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from jobs.engine.warehouse import read_published
from jobs.health import health_of
from jobs.pipeline import STAGE_NAMES, run_stage
from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.periods import Period

LAST = 6
NOON = datetime(2025, 1, LAST + 1, 12, tzinfo=UTC)
"""Of the day after the last night: it is due, and was done."""
COMPARED = (
    "prediction_statistics",
    "label_statistics",
    "feature_statistics",
    "metrics",
    "verdicts",
    "incidents",
    "outbox",
)
RULES = {"rules": [{"metric": "psi", "above": 0.05}, {"metric": "missing_rate", "above": 0.5}], "outcomes": None}
"""Of bounds alone, so that no expected range needs a fit."""
COUNTED = STAGE_NAMES[:3]


def deliver(kiosk: Kiosk, number: int, label: int = 0) -> None:
    """A day of predictions and of the labels of the day before, which alternate and begin with `label`."""
    ids = [f"{number}-{row}" for row in range(40)]
    kiosk.predict(number, ids, price=[row % 4 + number % 3 for row in range(40)], country=list("abcd") * 10)
    kiosk.label(number, {f"{number - 1}-{row}": (row + label) % 2 for row in range(40)})


def published(kiosk: Kiosk) -> dict[str, pd.DataFrame]:
    """The tables as people read them."""
    with read_published(kiosk.home, "kiosk") as copy:
        return {name: copy.execute(f"SELECT * FROM {name} ORDER BY ALL").df() for name in COMPARED}


def assert_same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name in COMPARED:
        pd.testing.assert_frame_equal(one[name], other[name], check_exact=True)


@pytest.fixture
def ready(tmp_path: Path) -> Kiosk:
    kiosk = Kiosk(tmp_path / "kiosk", changes=dict(RULES))
    kiosk.reference()
    for number in range(1, LAST + 1):
        deliver(kiosk, number)
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    return kiosk


def undisturbed(kiosk: Kiosk, tmp_path: Path) -> dict[str, pd.DataFrame]:
    """What a model has that found everything as it is now."""
    other = Kiosk(kiosk.root, house=tmp_path / "undisturbed", changes=kiosk.changes)
    other.run(days(1, LAST), *STAGE_NAMES)
    return published(other)


def periods(kiosk: Kiosk, number: int, *stages: str) -> list[Period]:
    return [summary.period for summary in kiosk.run(days(number, number), *stages or COUNTED)]


def test_a_corrected_file_of_an_old_day_brings_the_newer_nights_along(ready: Kiosk, tmp_path: Path) -> None:
    deliver(ready, 3, label=1)
    ready.run(days(3, 3), *STAGE_NAMES)
    assert health_of(ready.spec, ready.home, NOON).newest == day(LAST)
    assert_same(published(ready), undisturbed(ready, tmp_path))


@pytest.mark.parametrize("changed", [{"segments": []}, {"min_rows": 7}, {"owner": "somebody else"}])
def test_a_changed_spec_and_an_old_night_by_hand_publish_the_whole_history(
    ready: Kiosk, tmp_path: Path, changed: dict[str, Any]
) -> None:
    ready.changes |= changed
    ready.run(days(3, 3), *STAGE_NAMES)
    assert health_of(ready.spec, ready.home, NOON).newest == day(LAST)
    assert_same(published(ready), undisturbed(ready, tmp_path))


def test_only_the_first_night_of_a_backfill_pays_for_a_changed_spec(ready: Kiosk) -> None:
    ready.changes["segments"] = []
    assert periods(ready, 2) == [days(1, LAST)] * 3
    assert [periods(ready, number) for number in (3, 4, LAST)] == [[days(n, n)] * 3 for n in (3, 4, LAST)]


@pytest.mark.parametrize("order", [(2, 3, 4, LAST), (LAST, 4, 3, 2), (3, LAST, 2, 4)])
def test_only_the_first_night_of_a_backfill_pays_for_days_delivered_anew_in_whatever_order(
    ready: Kiosk, tmp_path: Path, order: tuple[int, ...]
) -> None:
    for number in (2, 3, 4, LAST):
        deliver(ready, number, label=1)
    first, *rest = order
    ingest, *later = ready.run(days(first, first), *COUNTED)
    assert any(f"labels of 3 other days ({day(min(rest))} to {day(max(rest))})" in note for note in ingest.notes)
    assert [summary.period for summary in later] == [days(2, LAST)] * 2
    assert [periods(ready, number) for number in rest] == [[days(number, number)] * 3 for number in rest]
    ready.run(days(LAST, LAST), *STAGE_NAMES)
    assert_same(published(ready), undisturbed(ready, tmp_path))


def test_files_of_all_days_that_have_grown_are_taken_in_anew_once(tmp_path: Path) -> None:
    def rows(last: int) -> pd.DataFrame:
        ids = [f"{number}-{row}" for number in range(1, last + 1) for row in range(6)]
        times = [f"{day(number)} 12:00:00" for number in range(1, last + 1) for _ in range(6)]
        usual = {"model_version": "v1", "score": 0.75, "decision": 1, "price": 2.0, "colour": "red", "country": "FR"}
        return pd.DataFrame({"request_id": ids, "ts": times} | usual)

    kiosk = Kiosk(tmp_path, changes=RULES | {"predictions": {"path": f"{tmp_path}/all/*.csv"}, "labels": None})
    kiosk.reference()
    for number in range(1, LAST + 1):
        kiosk.write("all", 1, rows(number))
        assert periods(kiosk, number) == [days(number, number)] * 3
    assert periods(kiosk, 2) == [days(2, 2)] + [days(2, LAST)] * 2
    assert [periods(kiosk, number) for number in (3, 4)] == [[days(n, n)] * 3 for n in (3, 4)]


def test_a_stage_comes_no_further_than_the_one_before_it(ready: Kiosk) -> None:
    deliver(ready, 2, label=1)
    run_stage(ready.spec, "ingest", days(2, 2), ready.home)
    with ready.warehouse() as warehouse:
        warehouse.reopen("statistics", None)
        warehouse.execute("DELETE FROM reached WHERE stage = 'statistics'")
    assert periods(ready, 3, "statistics", "metrics") == [days(1, 3), days(2, 3)]
    assert periods(ready, LAST) == [days(LAST, LAST), days(4, LAST), days(4, LAST)]
