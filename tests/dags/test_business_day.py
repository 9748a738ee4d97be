"""However a run of a day was started, it is for the same business day: time zones, daylight saving, early mornings."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest

from jobs.errors import UsageError

ZONES = {
    "UTC": date(2025, 3, 1),
    "Asia/Tokyo": date(2025, 3, 1),  # nine hours east, so its day begins on the day before in UTC
    "America/Los_Angeles": date(2025, 3, 9),  # west, and the clocks go forward that day
    "Europe/Lisbon": date(2025, 10, 26),  # a day of 25 hours
    "Africa/Cairo": date(2024, 4, 26),  # begins at 01:00, because midnight itself is skipped
    "Australia/Lord_Howe": date(2025, 4, 6),  # half an hour of daylight saving
    "Pacific/Kiritimati": date(2025, 1, 1),  # UTC+14
    "Pacific/Pago_Pago": date(2024, 12, 31),  # UTC-11
}
LONG_AFTER = datetime(2026, 1, 1, tzinfo=UTC)


def context(
    day: str | None = None, partition: str | None = None, start: datetime | None = None, end: datetime | None = None,
    run_type: str = "manual",
) -> dict[str, Any]:  # fmt: skip
    """The part of a task's context that says which day it is, as Airflow's execution API fills it."""
    run = SimpleNamespace(
        partition_key=partition, data_interval_start=start, data_interval_end=end or start, run_type=run_type
    )
    return {"params": {"day": day}, "dag_run": run}


def nightly(zone: str, at: time = time(5)) -> Any:
    from dags.nights import Nightly

    return Nightly(zone, at)


def run_for(zone: str, day: date, at: time = time(5)) -> Any:
    """The scheduled (and, the same, the backfilled) run of a day, from Airflow's own loop over the timetable."""
    from airflow.timetables.base import TimeRestriction

    begin = pendulum.instance(datetime.combine(day - timedelta(days=2), time(12), ZoneInfo(zone)))
    restriction = TimeRestriction(begin, begin.add(days=5), catchup=True)
    timetable, info = nightly(zone, at), None
    while True:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=info.data_interval if info else None, restriction=restriction
        )
        assert info is not None, f"the timetable never comes to {day}"
        if info.data_interval.start.in_timezone(zone).date() == day:
            return info


@pytest.mark.parametrize("zone", ZONES)
def test_scheduled_manual_typed_and_partitioned_runs_mean_the_same_day(zone: str) -> None:
    from dags.nights import business_day_of

    day = ZONES[zone]
    scheduled = run_for(zone, day)
    by_hand = nightly(zone).infer_manual_data_interval(run_after=scheduled.run_after.add(hours=3))
    interval = {"start": scheduled.data_interval.start, "end": scheduled.data_interval.end}
    runs = {
        "scheduled": context(**interval, run_type="scheduled"),
        "backfilled": context(**interval, run_type="backfill"),
        "backfilled, with the day that it has anyway": context(**interval, day=str(day), run_type="backfill"),
        "backfilled by partition": context(partition=str(day), run_type="backfill"),
        "by hand on the morning after": context(start=by_hand.start, end=by_hand.end),
        "by hand with a day": context(day=str(day), start=by_hand.start.add(days=30)),
        "by hand with a day, no logical date": context(day=str(day)),
        "by partition": context(partition=str(day)),
        "by partition with the time of its tick": context(partition=f"{day}T00:00:00"),
    }
    assert {how: business_day_of(run, zone, LONG_AFTER) for how, run in runs.items()} == dict.fromkeys(runs, day)


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_of_nights_has_every_day_once_and_starts_at_the_local_hour(zone: str) -> None:
    from airflow.timetables.base import TimeRestriction

    first = date(2024, 3, 1)
    begin = pendulum.instance(datetime.combine(first, time(0), ZoneInfo(zone)))
    restriction = TimeRestriction(begin, begin.add(days=399, hours=1), catchup=True)
    timetable, infos = nightly(zone, time(5)), []
    while info := timetable.next_dagrun_info(
        last_automated_data_interval=infos[-1].data_interval if infos else None, restriction=restriction
    ):
        infos.append(info)
    days = [info.data_interval.start.in_timezone(zone).date() for info in infos]
    assert days == [first + timedelta(days=n) for n in range(400)]
    starts = [info.run_after.in_timezone(zone) for info in infos]
    assert {(start.hour, start.minute) for start in starts} == {(5, 0)}
    assert [start.date() for start in starts] == [day + timedelta(days=1) for day in days]


def test_a_start_time_that_the_clocks_skip_comes_an_hour_later() -> None:
    # Lisbon, 30 March 2025: 01:00 becomes 02:00, so there is no 01:30
    run = run_for("Europe/Lisbon", date(2025, 3, 29), at=time(1, 30))
    assert run.run_after.in_timezone("Europe/Lisbon").isoformat() == "2025-03-30T02:30:00+01:00"


def test_a_manual_run_between_midnight_and_the_night_is_for_the_day_that_just_closed() -> None:
    two_in_the_morning = pendulum.datetime(2025, 3, 2, 2, 0, tz="Asia/Tokyo")
    interval = nightly("Asia/Tokyo").infer_manual_data_interval(run_after=two_in_the_morning)
    assert interval.start.in_timezone("Asia/Tokyo").isoformat() == "2025-03-01T00:00:00+09:00"


@pytest.mark.parametrize(("hour", "due"), [(2, "2025-02-28"), (5, "2025-03-01"), (23, "2025-03-01")])
def test_a_scheduler_that_was_away_makes_up_for_the_newest_night_that_is_due(hour: int, due: str) -> None:
    now = pendulum.datetime(2025, 3, 2, hour, 0, tz="Europe/Lisbon")
    assert nightly("Europe/Lisbon").newest_due(now).start.in_timezone("Europe/Lisbon").date().isoformat() == due


def test_without_day_partition_or_interval_it_refuses_and_says_what_to_type() -> None:
    from dags.nights import business_day_of

    with pytest.raises(UsageError, match=r'no business day; start it with the parameter `day`.*"2025-03-01"'):
        business_day_of(context(), "UTC", LONG_AFTER)


def test_a_day_that_is_not_over_in_the_models_zone_is_refused() -> None:
    from dags.nights import business_day_of

    evening = datetime(2025, 3, 1, 14, 59, tzinfo=UTC)  # 23:59 in Tokyo
    with pytest.raises(UsageError, match="2025-03-01 is not over in Asia/Tokyo; the newest closed day is 2025-02-28"):
        business_day_of(context(day="2025-03-01"), "Asia/Tokyo", evening)
    assert business_day_of(context(day="2025-03-01"), "Asia/Tokyo", evening + timedelta(minutes=1)) == date(2025, 3, 1)


@pytest.mark.parametrize("wrong", [{"day": "01.03.2025"}, {"partition": "March"}])
def test_a_day_or_partition_that_cannot_be_read_is_refused(wrong: dict[str, str]) -> None:
    from dags.nights import business_day_of

    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        business_day_of(context(**wrong), "UTC", LONG_AFTER)


def stored(zone: str) -> Any:
    """A nightly DAG as Airflow reads it back from its database; a backfill's runs are made of this."""
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import DagSerialization

    dag = DAG("stored", schedule=nightly(zone), start_date=pendulum.datetime(2000, 1, 1, tz=zone))
    return DagSerialization.from_dict(DagSerialization.to_dict(dag))


@pytest.mark.parametrize("zone", ZONES)
def test_the_days_of_a_backfill_are_those_whose_midnight_lies_between_its_two_moments(zone: str) -> None:
    from dags.nights import business_day_of

    day = ZONES[zone]
    first, last = (pendulum.datetime(at.year, at.month, at.day, tz=zone) for at in (day - timedelta(days=2), day))
    infos = stored(zone).iter_dagrun_infos_between(first, last)
    runs = [context(start=info.data_interval.start, end=info.data_interval.end, run_type="backfill") for info in infos]
    days = [business_day_of(run, zone, LONG_AFTER) for run in runs]
    assert days == [day - timedelta(days=2), day - timedelta(days=1), day]


def test_a_backfill_that_was_given_one_day_for_all_its_runs_is_refused_and_says_so() -> None:
    from dags.nights import business_day_of

    # the form of a backfill shows the field of the parameter too; filled in, sixty runs would work on the same day
    run = run_for("Asia/Tokyo", date(2025, 3, 1)).data_interval
    with pytest.raises(UsageError, match=r"is for 2025-03-01, but the backfill was given the day 2025-02-10 .* empty"):
        business_day_of(
            context("2025-02-10", start=run.start, end=run.end, run_type="backfill"), "Asia/Tokyo", LONG_AFTER
        )


def test_an_interval_of_several_days_is_refused_because_a_run_is_for_one() -> None:
    from dags.nights import business_day_of

    # "Specify Manually" in the form of a run takes any two moments
    start = datetime(2025, 3, 1, tzinfo=ZoneInfo("Europe/Lisbon"))
    with pytest.raises(
        UsageError, match=r'the days 2025-03-01 to 2025-03-02 in Europe/Lisbon.*\{"day": "2025-03-01"\}'
    ):
        business_day_of(context(start=start, end=start + timedelta(days=1, hours=2)), "Europe/Lisbon", LONG_AFTER)
    part_of_a_day = context(start=start + timedelta(hours=5), end=start + timedelta(hours=6))
    assert business_day_of(part_of_a_day, "Europe/Lisbon", LONG_AFTER) == date(2025, 3, 1)


def test_a_schedule_after_midnight_is_for_the_day_that_ended_at_midnight_also_on_the_nights_of_the_clocks() -> None:
    from dags.nights import business_day_of

    # Lisbon: 01:00 became 02:00 on 30 March 2025 and 02:00 became 01:00 on 26 October 2025
    for zone, day in (("Europe/Lisbon", date(2025, 3, 29)), ("Europe/Lisbon", date(2025, 10, 25))):
        for at in (time(0, 0), time(0, 30), time(1, 30), time(2, 0)):
            run = run_for(zone, day, at)
            assert (
                business_day_of(context(start=run.data_interval.start, end=run.data_interval.end), zone, LONG_AFTER)
                == day
            )
            assert run.run_after.in_timezone(zone).date() == day + timedelta(days=1)
            assert run.run_after >= run.data_interval.end


def test_backfills_and_older_days_are_silent_and_only_the_newest_closed_day_speaks() -> None:
    from dags.nights import reason_for_silence

    newest = date(2025, 3, 1)
    spoken = {
        (run_type, day): reason_for_silence(run_type, day, newest) is None
        for run_type in ("scheduled", "manual", "backfill")
        for day in (newest, newest - timedelta(days=1))
    }
    assert [run for run, speaks in spoken.items() if speaks] == [("scheduled", newest), ("manual", newest)]


def test_the_timetable_survives_airflows_storage() -> None:
    from airflow.serialization.decoders import decode_timetable
    from airflow.serialization.encoders import encode_timetable

    kept = nightly("Asia/Kathmandu", time(4, 30))
    back = decode_timetable(encode_timetable(kept))
    assert back == kept
    assert back.summary == "04:30 Asia/Kathmandu"
    assert back != nightly("Asia/Kathmandu", time(4, 31))
