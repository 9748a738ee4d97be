"""Incidents that people labelled, or that final labels showed: what a replay's alarms are held against."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from jobs.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.periods import Period

COLUMNS = ("start", "end", "note", "known")
"""Of a file of labelled incidents; the first two are needed."""


@dataclass(frozen=True, order=True)
class Labelled:
    """One true incident."""

    start: date
    end: date
    known: date
    """The night on which it was known without any alarm; lead time counts back from it."""
    note: str = ""


@dataclass(frozen=True)
class Truth:
    """What is known about a period, and through which day."""

    incidents: tuple[Labelled, ...]
    through: date
    """Alarms about later days are neither right nor wrong: nobody knows yet."""
    words: str
    """Where it comes from, for people."""
    left_out: int = 0
    """Labelled incidents that lie outside the period."""


def read(text: str, name: str) -> tuple[Labelled, ...]:
    """The incidents of a CSV text with the columns start, end and, if wanted, note and known (a day each but note).

    Raises UsageError with one line a fault, each beginning `name:line:`.

    >>> [str(one.end) for one in read("start,end,note\\n2025-03-04,2025-03-06,tag lost\\n", "told.csv")]
    ['2025-03-06']
    """
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if header[:2] != ["start", "end"] or set(header) - set(COLUMNS):
        given = ",".join(header) or "nothing"
        raise UsageError(
            f"{name}:1: the first line must name the columns start,end and, if wanted, note and known; given: {given}"
        )
    found, faults = [], []
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            found.append(
                _incident(dict(zip(header, (cell.strip() for cell in cells), strict=False)), len(cells), header)
            )
        except UsageError as fault:
            faults.append(f"{name}:{number}: {fault}")
    if faults:
        raise UsageError("\n".join(faults))
    if not found:
        raise UsageError(f"{name}:2: holds no incident; write one line an incident, for example 2025-03-04,2025-03-17")
    return tuple(sorted(found))


def _incident(row: dict[str, str], cells: int, header: list[str]) -> Labelled:
    if cells > len(header):
        raise UsageError(f"has {cells} cells, the header {len(header)}; put a note with a comma into double quotes")
    start, end = _day(row, "start"), _day(row, "end")
    if end < start:
        raise UsageError(f"end {end} is before start {start}; swap the two days")
    return Labelled(start, end, _day(row, "known") if row.get("known") else end, row.get("note", ""))


def _day(row: dict[str, str], column: str) -> date:
    try:
        return date.fromisoformat(row.get(column, ""))
    except ValueError:
        given = f"'{row[column]}'" if row.get(column) else "nothing"
        raise UsageError(f"{column} is {given}, not a day; write it as YYYY-MM-DD, for example 2025-03-01") from None


def spans(days: Iterable[date], age: int, apart: int, note: str) -> tuple[Labelled, ...]:
    """Days that final labels showed to be bad as incidents; days at most `apart` from each other belong together.

    `age`: days until the labels are final, so an incident is known on the night that its first day's labels are.

    >>> found = spans([date(2025, 3, 4), date(2025, 3, 6)], age=7, apart=3, note="")
    >>> [(str(one.start), str(one.end), str(one.known)) for one in found]
    [('2025-03-04', '2025-03-06', '2025-03-11')]
    """
    ordered = sorted(set(days))
    if not ordered:
        return ()
    breaks = [later for earlier, later in pairwise(ordered) if (later - earlier).days > apart]
    starts = [ordered[0], *breaks]
    ends = [max(day for day in ordered if day < stop) for stop in breaks] + [ordered[-1]]
    return tuple(
        Labelled(start, end, start + timedelta(days=age), note) for start, end in zip(starts, ends, strict=True)
    )


def of_period(incidents: Iterable[Labelled], period: Period, through: date, words: str) -> Truth:
    """The incidents that the period touches."""
    every = tuple(sorted(incidents))
    inside = tuple(one for one in every if one.start <= period.last and one.end >= period.first)
    return Truth(inside, min(through, period.last), words, len(every) - len(inside))
