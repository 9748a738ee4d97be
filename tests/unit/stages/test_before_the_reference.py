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


def test_every_distance_says_that_there_is_no_reference_yet(tmp_path: Path) -> None:
    """A rule about any of them is told why it does not judge; numeric distances of numeric features only."""
    rules = [{"metric": metric, "above": 0.9} for metric in ("psi", "chi2", "ks")]
    kiosk = Kiosk(
        tmp_path, {"reference": {}, "drift": ["chi2", "ks"], "rules": rules, "labels": None, "outcomes": None}
    )
    kiosk.predict(1, [str(row) for row in range(60)])
    kiosk.run(days(1, 1), *STAGES)
    verdicts = kiosk.table("verdicts")
    for metric, features in {
        "psi": {"price", "colour", "score", "decision"},
        "chi2": {"price", "colour", "score", "decision"},
        "ks": {"price", "score"},
    }.items():
        told = verdicts[verdicts["metric"] == metric]
        assert set(told["feature"]) == features
        assert set(told["reason"]) == {"no reference yet"}
        assert set(told["verdict"]) == {"not_evaluated"}
