"""When is a night due, and has the day's delivery come? What a night may wait for before it begins.

Light to import: Airflow's triggerer looks every minute for as long as a night waits.
"""

from __future__ import annotations

import glob
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from jobs.periods import business_day

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from jobs.spec.model import ModelSpec

Standing = tuple[tuple[str, int, float], ...]
"""Path, bytes and time of the last change of each file."""


def awaited(spec: ModelSpec, day: date) -> tuple[str, ...]:
    """The patterns that must each have a file before the live predictions of a business day are there.

    Two of them where files are cut in another zone than the model's, because the business day reaches into two files.
    """
    from jobs.engine.sources import file_days

    source = spec.predictions
    days = file_days(day, spec.timezone, source.files_zone or spec.timezone)
    return tuple(source.path.replace("{day}", str(one)) for one in days)


def begins(spec: ModelSpec, day: date) -> datetime:
    """When the night of a day is due, in UTC; as `dags.nights.Nightly` has it, also where clocks change.

    >>> from datetime import date
    >>> from jobs.spec.model import ModelSpec
    >>> spec = ModelSpec(model="m", predictions={"path": "{day}.csv"}, schedule={"at": "22:00"}, timezone="Asia/Tokyo")
    >>> begins(spec, date(2025, 3, 1)).isoformat()
    '2025-03-02T13:00:00+00:00'
    """
    local = datetime.combine(day + timedelta(days=1), spec.schedule.at, ZoneInfo(spec.timezone))
    # of an hour that comes twice the second, of one that is skipped the one after it: what Airflow's clock takes
    return max(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def newest_due(spec: ModelSpec, now: datetime, patience: timedelta = timedelta(0)) -> date:
    """The newest business day whose night has been due for `patience`; not always the newest closed one."""
    day = business_day(now, spec.timezone) - timedelta(days=1)
    while begins(spec, day) + patience > now:
        day -= timedelta(days=1)
    return day


def waits_until(spec: ModelSpec, day: date) -> datetime | None:
    """The moment after which the night of a day waits no longer; None where it does not wait at all.

    >>> from datetime import date
    >>> from jobs.spec.model import ModelSpec
    >>> spec = ModelSpec(model="m", predictions={"path": "{day}.csv"}, schedule={"at": "05:00", "wait_for_data": "2h"})
    >>> waits_until(spec, date(2025, 3, 1)).isoformat()
    '2025-03-02T07:00:00+00:00'
    """
    if spec.schedule.wait_for_data is None:
        return None
    return begins(spec, day) + spec.schedule.wait_for_data


def standing(patterns: Sequence[str]) -> Standing | None:
    """The files of all patterns as they are now; None while a pattern has none or only empty ones."""
    found: dict[str, tuple[int, float]] = {}
    for pattern in patterns:
        files = {path: _state(path) for path in glob.glob(pattern, recursive=True)}
        filled = {path: state for path, state in files.items() if state[0] > 0}
        if not filled:
            return None
        found |= filled
    return tuple((path, size, changed) for path, (size, changed) in sorted(found.items()))


def at_rest(files: Standing | None, now: datetime, seconds: float = 60) -> bool:
    """Whether the files are all there, and none was changed in the last `seconds`."""
    return files is not None and max(changed for _, _, changed in files) <= now.timestamp() - seconds


def _state(path: str) -> tuple[int, float]:
    """Bytes and time of the last change; nothing for a folder, or a file that has just gone."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each of thousands of files is slow
    except OSError:
        return 0, 0.0
    return (0, 0.0) if os.path.isdir(path) else (found.st_size, found.st_mtime)  # noqa: PTH112 - the same
