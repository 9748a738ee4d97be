"""Ids that are predicted on several days, while labels or outcomes do not name the day of their prediction.

What became known of such an id counts for each of its predictions: one sale of a customer who is scored daily is
counted once a day. Nothing in the files says that this is wrong, so it is told, once a run.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from jobs.errors import DataError
from jobs.spec.samples import delivered, opened, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from jobs.spec.model import ModelSpec

DAYS_BEFORE = 7
"""So many delivered days before a day are looked at; all of them would cost more than the note is worth."""
FEWEST = 0.01
"""Below this share of a day's ids, repeats are retries around midnight and the like, and not worth a word."""


def undated(spec: ModelSpec) -> list[str]:
    """Which of labels and outcomes count for every prediction of their id."""
    arriving = (("labels", spec.labels), ("outcomes", spec.outcomes))
    return [name for name, source in arriving if source is not None and not source.dated]


def sentence(spec: ModelSpec, day: date, n_again: int, n: int) -> str:
    """What there is to know of a day's `n` ids, `n_again` of them predicted before; empty where that is nothing.

    >>> from datetime import date
    >>> from jobs.spec.model import ModelSpec
    >>> spec = ModelSpec(model="m", predictions={"path": "p/{day}.csv"}, labels={"path": "l/{day}.csv"})
    >>> sentence(spec, date(2026, 3, 1), 290, 300)
    '290 of 300 ids of 2026-03-01 were predicted before; labels without `columns.predicted` count for each of them'
    """
    sources = undated(spec)
    if not sources or n_again < max(1, FEWEST * n):
        return ""
    return (
        f"{n_again:,} of {n:,} ids of {day} were predicted before; {' and '.join(sources)} without "
        "`columns.predicted` count for each of them"
    )


def repeated(spec: ModelSpec) -> Iterator[str]:
    """The same sentence from the newest delivered files of predictions; nothing where they cannot be read."""
    columns, files = spec.predictions.columns, _newest(spec.predictions.path)
    if not undated(spec) or not files:
        return
    with suppress(DataError), opened([path for _, path in files]) as connection:
        found = connection.execute(
            f"WITH served AS (SELECT CAST({quoted(columns.id)} AS VARCHAR) AS id, {_day_of(files, columns.timestamp)} "
            "AS day FROM delivered), "
            "newest AS (SELECT DISTINCT id, day FROM served WHERE day = (SELECT MAX(day) FROM served)) "
            "SELECT n.day, COUNT(DISTINCT s.id), COUNT(DISTINCT n.id) FROM newest AS n LEFT JOIN served AS s "
            "ON s.id = n.id AND s.day < n.day GROUP BY n.day"
        ).fetchone()
        if found and (said := sentence(spec, *found)):
            yield said


def _newest(pattern: str) -> list[tuple[date | None, str]]:
    """The files of the newest days, in order; all of them where paths hold no day."""
    files = delivered(pattern)
    newest = sorted({day for day, _ in files if day is not None})[-1 - DAYS_BEFORE :]
    return [(day, path) for day, path in files if day is None or day in newest]


def _day_of(files: Sequence[tuple[date | None, str]], timestamp: str) -> str:
    """The SQL of a row's day: that of its file's path, else the one its timestamp falls on."""
    given = [(day, path.replace("'", "''")) for day, path in files if day is not None]
    cases = [f"WHEN _file = '{path}' THEN DATE '{day}'" for day, path in given]
    text = f"TRY_CAST(CAST({quoted(timestamp)} AS VARCHAR) AS TIMESTAMP)"
    return f"CASE {' '.join(cases)} END" if cases else f"CAST({text} AS DATE)"
