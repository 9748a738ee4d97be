"""A night that waits for data until after midnight still speaks, alone, until the next one is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pendulum
import pytest

from jobs.arrival import begins, waits_until
from jobs.spec.model import ModelSpec
from tests.dags.test_business_day import ZONES

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.spec import ModelSpec as Spec

DAY = date(2025, 3, 1)
NEXT = DAY + timedelta(days=1)


def spec(at: str, wait: str, zone: str = "UTC") -> Spec:
    return ModelSpec.model_validate(
        {
            "model": "good",
            "timezone": zone,
            "predictions": {"path": "deliveries/{day}.csv"},
            "schedule": {"at": at, "wait_for_data": wait},
        }
    )


def speaks(run_type: str, day: date, now: datetime, given: Spec) -> bool:
    from dags.nights import newest_for, reason_for_silence

    newest = newest_for(run_type, day, given, now)
    assert newest >= day or run_type != "scheduled"
    return reason_for_silence(run_type, day, newest) is None


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", DAY),
        ("America/Los_Angeles", date(2025, 3, 7)),  # the clocks go forward on the 9th, when the night still waits
        ("Europe/Lisbon", date(2025, 10, 24)),  # back on the 26th
    ],
)
@pytest.mark.parametrize(("at", "wait"), [("22:00", "2h"), ("05:00", "20h"), ("23:30", "1h"), ("04:00", "2h")])
def test_a_scheduled_night_speaks_after_its_wait_and_until_the_next_is_due(
    zone: str, day: date, at: str, wait: str
) -> None:
    given = spec(at, wait, zone)
    ends, next_due = waits_until(given, day), begins(given, day + timedelta(days=1))
    assert ends is not None
    assert ends + timedelta(hours=2) < next_due, "what is left is for the night's work and the tries of `deliver`"
    for now in (ends, ends + timedelta(hours=2), next_due - timedelta(seconds=1)):
        assert speaks("scheduled", day, now, given)
        assert not speaks("scheduled", day - timedelta(days=1), now, given)
        assert not speaks("backfill", day, now, given)
    assert not speaks("scheduled", day, next_due, given)
    assert speaks("scheduled", day + timedelta(days=1), next_due, given)


def test_by_hand_only_the_newest_closed_day_speaks_as_ever() -> None:
    given, after_midnight = spec("22:00", "2h"), datetime(2025, 3, 3, 0, 30, tzinfo=UTC)
    assert speaks("scheduled", DAY, after_midnight, given)
    assert not speaks("manual", DAY, after_midnight, given)
    assert speaks("manual", NEXT, after_midnight, given)


def test_a_night_that_was_due_before_at_was_moved_still_speaks() -> None:
    assert speaks("scheduled", DAY, datetime(2025, 3, 2, 6, tzinfo=UTC), spec("22:00", "2h"))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", ["00:00", "01:30", "05:00", "22:00"])
def test_at_every_hour_there_is_one_newest_night_that_is_due(zone: str, at: str) -> None:
    """Around the days on which clocks change; `begins` is held to Airflow's own clock at the same time."""
    from dags.nights import Nightly, newest_for

    given, around = spec(at, "2h", zone), ZONES[zone]
    days = [around + timedelta(days=count) for count in range(-4, 4)]
    for day in days:
        first, last = (pendulum.datetime(one.year, one.month, one.day, tz=zone) for one in (day, day + timedelta(1)))
        interval = SimpleNamespace(start=first, end=last)
        assert Nightly(zone, given.schedule.at).due(interval) == begins(given, day)  # type: ignore[arg-type]
    moment = datetime.combine(around - timedelta(days=1), time(0), ZoneInfo(zone)).astimezone(UTC)
    for _ in range(72):
        due = max(day for day in days if begins(given, day) <= moment)
        assert newest_for("scheduled", days[0], given, moment) == due
        moment += timedelta(hours=1)


def test_it_gives_way_to_a_newer_night_that_was_run_by_hand_and_has_spoken(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    from dags import handover
    from jobs import ledger
    from jobs.engine.warehouse import open_warehouse
    from jobs.periods import Period

    home, now = models.parent / "home", datetime(2025, 3, 3, 1, 0, tzinfo=UTC)  # the night of NEXT is due at 04:30
    monkeypatch.setattr(handover, "airflow_clock", SimpleNamespace(utcnow=lambda: now))
    assert handover.speaking_night_of("good", scheduled(DAY))[1:] == (DAY, DAY)
    with open_warehouse(home, "good") as warehouse:
        warehouse.finish("report", Period(DAY, NEXT))
        ledger.begin(warehouse, DAY, now)
    assert handover.speaking_night_of("good", scheduled(DAY))[1:] == (DAY, DAY)
    with open_warehouse(home, "good") as warehouse:
        ledger.begin(warehouse, NEXT, now)
    with pytest.raises(AirflowSkipException, match=r"2025-03-01 is not the newest day \(2025-03-02\)"):
        handover.speaking_night_of("good", scheduled(DAY))
    assert not handover.may_speak(handover.spec_of("good"), DAY, scheduled(DAY))


def scheduled(day: date) -> dict[str, Any]:
    start = datetime.combine(day, time(0), ZoneInfo("Europe/Lisbon"))
    run = SimpleNamespace(
        partition_key=None,
        data_interval_start=start,
        data_interval_end=start + timedelta(days=1),
        run_type="scheduled",
    )
    return {"params": {"day": None}, "dag_run": run}
