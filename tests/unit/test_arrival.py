"""What counts as the day's delivery having come, and until when a night waits for it."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from jobs.arrival import at_rest, awaited, standing, waits_until
from jobs.health import GRACE, night_due
from jobs.spec.model import ModelSpec

DAY = date(2025, 3, 1)


def spec(
    path: str = "/lake/{day}/*.csv",
    zone: str = "UTC",
    files_zone: str | None = None,
    wait: str = "2h",
    at: str = "05:00",
) -> ModelSpec:
    return ModelSpec.model_validate(
        {
            "model": "shop",
            "timezone": zone,
            "predictions": {"path": path, "files_zone": files_zone},
            "schedule": {"at": at, "wait_for_data": wait},
        }
    )


def test_a_day_that_reaches_into_two_files_waits_for_both() -> None:
    assert awaited(spec(), DAY) == ("/lake/2025-03-01/*.csv",)
    two = awaited(spec(zone="America/New_York", files_zone="UTC"), DAY)
    assert two == ("/lake/2025-03-01/*.csv", "/lake/2025-03-02/*.csv")


def test_the_waiting_ends_by_the_clock_of_the_model_and_not_by_when_the_run_began() -> None:
    assert waits_until(spec(zone="Asia/Tokyo"), DAY) == datetime(2025, 3, 1, 22, tzinfo=UTC)  # 07:00 on March 2nd
    # Lisbon's clocks go back at 02:00 on October 26th: 05:00 of that day is 05:00 UTC.
    assert waits_until(spec(zone="Europe/Lisbon"), date(2025, 10, 25)) == datetime(2025, 10, 26, 7, tzinfo=UTC)


def test_nothing_an_empty_file_and_one_of_two_days_are_no_delivery(tmp_path: Path) -> None:
    both = (str(tmp_path / "a" / "*.csv"), str(tmp_path / "b" / "*.csv"))
    assert standing(both) is None
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "1.csv").write_text("x", encoding="utf-8")
    (tmp_path / "b" / "1.csv").touch()
    (tmp_path / "b" / "folder.csv").mkdir()
    assert standing(both) is None
    (tmp_path / "b" / "1.csv").write_text("xy", encoding="utf-8")
    found = standing(both)
    assert found is not None
    assert [size for _, size, _ in found] == [1, 2]


def test_a_file_that_was_written_a_moment_ago_may_still_grow(tmp_path: Path) -> None:
    path = tmp_path / "1.csv"
    path.write_text("x", encoding="utf-8")
    os.utime(path, (1000, 1000))
    files = standing((str(path),))
    assert not at_rest(files, datetime.fromtimestamp(1030, UTC))
    assert at_rest(files, datetime.fromtimestamp(1060, UTC))
    assert not at_rest(None, datetime.fromtimestamp(1060, UTC))


@pytest.mark.parametrize(("given", "kept"), [("2h", "2h"), ("90m", "90m"), ("1h30m", "90m"), ("120m", "2h")])
def test_a_time_to_wait_is_written_with_hours_and_minutes(given: str, kept: str) -> None:
    assert spec(wait=given).model_dump(mode="json")["schedule"]["wait_for_data"] == kept


@pytest.mark.parametrize("given", ["2", "", "0m", "21h", "2 days", "-1h", 2])
def test_any_other_time_to_wait_is_refused_with_how_to_write_it(given: object) -> None:
    with pytest.raises(ValueError, match=r"write 90m, 2h or 1h30m"):
        spec(wait=given)  # type: ignore[arg-type]


def test_files_that_hold_every_day_cannot_be_waited_for() -> None:
    with pytest.raises(ValueError, match=r"needs \{day\} in predictions\.path"):
        spec(path="/lake/all.csv")


def test_a_night_that_may_wait_is_missed_that_much_later() -> None:
    at_nine = datetime(2025, 3, 2, 9, tzinfo=UTC)  # four hours after the start: three of grace, two of waiting
    assert night_due(spec(), at_nine) == date(2025, 2, 28)
    assert night_due(spec(wait="30m"), at_nine) == DAY


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", DAY), ("Europe/Lisbon", date(2025, 10, 24)), ("America/New_York", date(2025, 3, 7))]
)
@pytest.mark.parametrize(
    ("at", "wait"), [("05:00", "20h"), ("22:00", "2h"), ("05:00", "16h"), ("23:30", "1h"), ("04:00", "30m")]
)
def test_a_night_is_missed_when_its_wait_and_the_grace_are_over_also_after_midnight(
    zone: str, day: date, at: str, wait: str
) -> None:
    """In two of the zones the clocks change on the second day after: every hour that passes is one hour of waiting."""
    waiting = spec(zone=zone, at=at, wait=wait)
    until = waits_until(waiting, day)
    assert until is not None
    late, moment = until + GRACE, datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    while moment < late:
        assert night_due(waiting, moment) < day
        moment += timedelta(minutes=30)
    assert night_due(waiting, late - timedelta(seconds=1)) == day - timedelta(days=1)
    assert night_due(waiting, late) == day


def test_a_night_at_five_that_may_wait_for_twenty_hours_is_missed_at_four_on_the_second_morning() -> None:
    waiting = spec(at="05:00", wait="20h")
    assert night_due(waiting, datetime(2025, 3, 3, 3, 59, tzinfo=UTC)) == date(2025, 2, 28)
    assert night_due(waiting, datetime(2025, 3, 3, 4, 0, tzinfo=UTC)) == DAY
