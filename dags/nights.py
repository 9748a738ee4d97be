"""When a model's night begins, which business day it is for, and whether it may speak to the outside.

A night is for one closed business day of the model's time zone. However a run was started, its day is decided
here and nowhere else. Why no other field of a run is asked: `docs/decisions/004-how-a-run-knows-its-day.md`.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import timezone as airflow_clock
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable

from jobs.arrival import newest_due
from jobs.errors import UsageError
from jobs.periods import business_day, parse_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.timetables.base import Timetable
    from pendulum import DateTime

    from jobs.spec import ModelSpec


class Nightly(CronDataIntervalTimetable):
    """The interval of a run is one calendar day of `zone`; the run starts at `at` of the day after.

    A manual run gets the newest day that is over. With `catchup=False` the newest night that is due runs
    first: a scheduler that wakes between midnight and `at` still makes up for the night it slept through.
    """

    def __init__(self, zone: str, at: time) -> None:
        super().__init__("0 0 * * *", timezone=zone)
        self.zone = zone
        self.at = at
        self.description = f"every day at {at:%H:%M} ({zone}), for the day before"

    @property
    def summary(self) -> str:
        """What the list of DAGs shows."""
        return f"{self.at:%H:%M} {self.zone}"

    def due(self, interval: DataInterval) -> DateTime:
        """When the night of a day starts; where clocks skip that time, an hour later on the new clock."""
        end = interval.end.in_timezone(self.zone)
        return pendulum.datetime(
            end.year, end.month, end.day, self.at.hour, self.at.minute, self.at.second, tz=self.zone
        ).in_timezone("UTC")

    def newest_due(self, now: DateTime) -> DataInterval:
        """The newest day whose night has been due at `now`."""
        newest = self.infer_manual_data_interval(run_after=now)
        if self.due(newest) <= now:
            return newest
        return DataInterval(start=self._get_prev(newest.start), end=newest.start)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The night after the last one, started at `at`."""
        info = super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
        if info is None or info.data_interval is None:
            return info
        return info._replace(run_after=self.due(info.data_interval))

    def _skip_to_latest(self, earliest: DateTime | None) -> DateTime:
        start = self.newest_due(pendulum.instance(airflow_clock.utcnow())).start
        return start if earliest is None else max(start, self._align_to_next(earliest))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Nightly) and self.serialize() == other.serialize()

    def __hash__(self) -> int:
        return hash((self.zone, self.at))

    def serialize(self) -> dict[str, Any]:
        """As Airflow stores it."""
        return {"zone": self.zone, "at": self.at.isoformat()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        """As Airflow reads it back."""
        return cls(data["zone"], time.fromisoformat(data["at"]))


def newest_closed(now: datetime, zone: str) -> date:
    """The newest business day that is over in `zone` at an aware moment.

    >>> from datetime import UTC
    >>> newest_closed(datetime(2025, 3, 2, 4, 59, tzinfo=UTC), "America/New_York")
    datetime.date(2025, 2, 28)
    """
    return business_day(now, zone) - timedelta(days=1)


def newest_for(run_type: str, day: date, spec: ModelSpec, now: datetime) -> date:
    """The newest day that a run of `day` must be for, to speak.

    For a scheduled one that is the newest day whose night is due: it may wait for data, or for a mail server, until
    after midnight, and the day that closes then has no night before `at`. It is never older than the run's own day,
    which was due before somebody moved `at`. For every other run it is the newest closed day.
    """
    return max(day, newest_due(spec, now)) if run_type == "scheduled" else newest_closed(now, spec.timezone)


def business_day_of(context: Mapping[str, Any], zone: str, now: datetime) -> date:
    """The business day of a run: its typed `day`, else its partition key, else the day of its interval.

    Raises UsageError when the run has none of them, when its interval holds several days, when a backfill would give
    the same typed day to all of its runs, and when the day is not over yet at `now`.
    """
    day = _typed_day(context, zone) or _partition_day(context, zone) or _interval_day(context, zone)
    if day is None:
        raise UsageError(
            "this run was started without a logical date, so it has no data interval and no business day; "
            'start it with the parameter `day`, for example {"day": "2025-03-01"}'
        )
    if day > (newest := newest_closed(now, zone)):
        raise UsageError(f"the day {day} is not over in {zone}; the newest closed day is {newest}")
    return day


def _typed_day(context: Mapping[str, Any], zone: str) -> date | None:
    given = context["params"].get("day")
    day = parse_day(str(given)) if given else None
    run = context["dag_run"]
    if (
        day
        and run.run_type == "backfill"
        and (own := _partition_day(context, zone) or _interval_day(context, zone)) != day
    ):
        raise UsageError(
            f"this run of a backfill is for {own}, but the backfill was given the day {day} for all of its runs; "
            "leave `day` empty in the form of a backfill"
        )
    return day


def _partition_day(context: Mapping[str, Any], zone: str) -> date | None:
    key = context["dag_run"].partition_key
    if not key:
        return None
    try:
        moment = datetime.fromisoformat(key)
    except ValueError:
        raise UsageError(
            f"the partition key '{key}' is not a day; write it as YYYY-MM-DD, for example 2025-03-01"
        ) from None
    return business_day(moment, zone) if moment.tzinfo else moment.date()


def _interval_day(context: Mapping[str, Any], zone: str) -> date | None:
    run = context["dag_run"]
    if run.data_interval_start is None:
        return None
    first = business_day(run.data_interval_start, zone)
    ends = run.data_interval_end or run.data_interval_start
    last = business_day(max(run.data_interval_start, ends - timedelta(microseconds=1)), zone)
    if last != first:
        raise UsageError(
            f"the run's data interval holds the days {first} to {last} in {zone}, and a run is for one; "
            f'start one run for each, with the parameter `day`, for example {{"day": "{first}"}}'
        )
    return first


def reason_for_silence(run_type: str, day: date, newest: date) -> str | None:
    """Why a night must send and start nothing; None when it may speak. `newest`: see `newest_for`.

    >>> reason_for_silence("scheduled", date(2025, 3, 1), newest=date(2025, 3, 1)) is None
    True
    """
    if run_type == "backfill":
        return f"a backfill of {day} sends and starts nothing"
    if day < newest:
        return f"{day} is not the newest day ({newest}), so its messages are not sent any more"
    return None


def run_ids(spec: ModelSpec, day: date) -> tuple[str, str]:
    """The ids of the scheduled and of the backfilled run of a day, where there is one."""
    nightly = Nightly(spec.timezone, spec.schedule.at)
    begins = pendulum.datetime(day.year, day.month, day.day, tz=spec.timezone)
    due = nightly.due(DataInterval(start=begins, end=begins.add(days=1)))
    return f"scheduled__{due.isoformat()}", f"backfill__{due.isoformat()}"
