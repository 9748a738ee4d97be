"""A night before the reference was complete did not know it, and still does not when it is run again later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from pathlib import Path

STAGES = ("ingest", "statistics", "metrics", "anomalies")


def test_a_night_that_is_run_again_after_the_reference_was_complete_writes_the_same_verdicts(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path, {"reference": {"window": {"first": day(1), "last": day(4)}}})
    for number in range(1, 7):
        prices = [None if row % 5 == 0 else float(row % 7) for row in range(40)]
        kiosk.predict(number, [f"{number}-{row}" for row in range(40)], price=prices)
        kiosk.label(number, {})
    for number in range(1, 7):
        kiosk.run(days(number, number), *STAGES)
    before = kiosk.table("verdicts")
    held = before[before["rule"].str.startswith("missing_rate") & before["expected"].notna()]
    assert set(held["night"].dt.date) == {day(5), day(6)}  # the nights that know a reference are held against it

    for number in (2, 4, 3):
        kiosk.run(days(number, number), *STAGES)
    assert kiosk.table("verdicts").equals(before)
