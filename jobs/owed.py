"""Nights that began to speak and were not heard: a file for each, there until all it tells was taken.

Whoever looks after the nights must see it without the model's own file, which a running stage holds. The next night
that is heard tells what those before it could not, and settles them.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from jobs.engine.shelf import read_json, write_json
from jobs.errors import OrderError
from jobs.telling import fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = timedelta(hours=1)
"""So long a server may be away, and the tries go on, before somebody is told."""


@dataclass(frozen=True)
class Owed:
    """What a night has to tell and nobody has taken: since when (aware), and why."""

    model: str
    night: date
    since: datetime
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.model}: what the night of {self.night} tells is not all handed over since "
            f"{self.since:%Y-%m-%d %H:%M} UTC: {self.reason}"
        )


@contextmanager
def owing(home: Path, model: str, night: date, now: datetime) -> Iterator[None]:
    """While a night speaks: owed from the beginning, settled with all nights before it where nothing is raised.

    A process that dies leaves it owed. A night without a report has nothing to tell yet (OrderError); one that was owed
    before, and whose report is being made again, stays owed.
    """
    path = _file(home, model, night)
    kept = _read(path, model)
    since = (kept.since if kept else now).astimezone(UTC)
    _write(path, since, kept.reason if kept else "it was begun and did not end")
    try:
        yield
    except OrderError:
        if kept:
            _write(path, since, kept.reason)
        else:
            path.unlink(missing_ok=True)
        raise
    except Exception as error:
        _write(path, since, fault_of(error))
        raise
    for other in path.parent.glob("*.json"):
        if other.stem <= path.stem:  # ISO days sort as days do
            other.unlink(missing_ok=True)


def owed(home: Path, model: str, now: datetime) -> list[Owed]:
    """The nights that are owed for longer than PATIENCE, oldest first."""
    found = (_read(path, model) for path in sorted((home / "owed" / model).glob("*.json")))
    return [one for one in found if one is not None and now - one.since >= PATIENCE]


def _file(home: Path, model: str, night: date) -> Path:
    return home / "owed" / model / f"{night}.json"


def _write(path: Path, since: datetime, reason: str) -> None:
    write_json(path, {"since": since.isoformat(), "reason": reason})


def _read(path: Path, model: str) -> Owed | None:
    """None where there is no such file, or one that nobody of us wrote."""
    content = read_json(path)
    with suppress(ValueError, KeyError, TypeError):
        return Owed(
            model, date.fromisoformat(path.stem), datetime.fromisoformat(content["since"]), str(content["reason"])
        )
    return None
