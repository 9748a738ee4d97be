"""Take delivered files in: typed, keyed, a delivered day replacing what it delivered before.

A day without files is recorded as missing, a day with a malformed file is refused whole; neither removes what an
earlier delivery brought. A delivery that differs from the one of the last run reopens the later stages from its day on.
Deliveries are deleted at their source some day: a day that was taken in stays as it was when its files are gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from jobs import tables
from jobs.engine import sources
from jobs.engine.delivered import Arrivals, damaged_files, look
from jobs.engine.feeds import Feed, feeds, first_held, time_kinds
from jobs.engine.prometheus import take_usage
from jobs.spec import repeats
from jobs.stages import Summary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from jobs.engine.sources import File
    from jobs.engine.warehouse import Warehouse
    from jobs.periods import Period
    from jobs.spec.model import ModelSpec

LATER_STAGES = ("statistics", "metrics", "anomalies", "incidents", "report")


@dataclass(frozen=True)
class _Entry:
    """What the ledger holds of one source's day: the row of `deliveries`."""

    status: str
    rows: int
    fingerprint: str


def run(spec: ModelSpec, period: Period, warehouse: Warehouse) -> Summary:
    """Take in the period's deliveries of every source."""
    stored = {name: feature.kind for name, feature in spec.features.items()}
    warehouse.create(
        tables.predictions(
            spec.segments,
            [name for name, kind in stored.items() if kind == "numeric"],
            [name for name, kind in stored.items() if kind == "categorical"],
        )
    )
    unmeasured = take_usage(spec, period, warehouse)
    arrivals, others = _arrivals(spec, period, warehouse)
    try:
        rows, kept = _write(spec, period, arrivals, warehouse)
    except duckdb.Error:
        # A file whose outside is in order may be damaged within, which shows only when every cell is read.
        damaged = {
            path: reason for _, brought in arrivals for path, reason in damaged_files(brought, warehouse).items()
        }
        if not damaged:
            raise
        arrivals, others = _arrivals(spec, period, warehouse, damaged)
        rows, kept = _write(spec, period, arrivals, warehouse)
    notes = tuple(
        f"refused {feed.name} of {day}: {reason}"
        for feed, brought in arrivals
        for day, reason in brought.refused.items()
    )
    return Summary("ingest", period, rows, (*notes, *kept, *others, *unmeasured, *_repeated(spec, period, warehouse)))


def _repeated(spec: ModelSpec, period: Period, warehouse: Warehouse) -> list[str]:
    """What to know where ids of the period's newest day were predicted before, and labels do not say on which day."""
    if not repeats.undated(spec):
        return []
    found = warehouse.execute(
        "SELECT day FROM deliveries WHERE source = 'predictions' AND rows > 0 AND day <= ? ORDER BY day DESC LIMIT ?",
        [period.last, 1 + repeats.DAYS_BEFORE],
    ).fetchall()
    days = [row[0] for row in found]
    if len(days) < 2 or days[0] not in period:
        return []
    day, *before = days
    counted = warehouse.execute(warehouse.select("ingest/repeated", day=day, before=before)).fetchall()
    return [said for row in counted if (said := repeats.sentence(spec, day, *row))]


def _arrivals(
    spec: ModelSpec, period: Period, warehouse: Warehouse, damaged: Mapping[str, str] | None = None
) -> tuple[list[tuple[Feed, Arrivals]], list[str]]:
    """What each feed brought for the period, and notes on what else is taken in with it.

    A day that was delivered anew reopens the nights from it on. So where there is one, all other days that were
    delivered anew come along: else each night of a backfill of many such days would have all newer ones made again.
    """
    found = [(feed, look(feed, spec, period, warehouse, damaged)) for feed in feeds(spec)]
    done = warehouse.progress("ingest")
    if done is None:
        return found, []
    ledger = {key: entry for key, entry in _ledger(warehouse).items() if done.first <= key[1] <= done.through}
    if not any(
        (feed.name, day) in ledger and ledger[feed.name, day].fingerprint != mark
        for feed, brought in found
        for day, mark in brought.fingerprints.items()
    ):
        return found, []
    notes = []
    for place, (feed, _) in enumerate(found):
        if others := _delivered_anew(feed, spec, period, ledger):
            notes.append(
                f"{feed.name} of {len(others)} other days ({others[0]} to {others[-1]}) were delivered anew, too"
            )
            found[place] = feed, look(feed, spec, [*period, *others], warehouse, damaged)
    return found, notes


def _delivered_anew(
    feed: Feed, spec: ModelSpec, period: Period, ledger: Mapping[tuple[str, date], _Entry]
) -> list[date]:
    """The days beside the period whose files are not those that were taken in; of files of all days, the later ones.

    Files of all days grow every night, and that says nothing about the days before the one that is run again.
    """
    by_day = sources.has_day(feed.pattern)
    known = {
        day: entry.fingerprint for (source, day), entry in sorted(ledger.items())
        if source == feed.name and day not in period and (by_day or day > period.last)
    }  # fmt: skip
    found = sources.period_files(feed.pattern, known, spec.timezone, feed.files_zone)
    lists = {day: tuple(path for path, _ in members) for day, members in found.items() if members}
    marks = {paths: sources.fingerprint(paths) for paths in set(lists.values())}
    return [day for day, paths in lists.items() if marks[paths] != known[day]]


def _write(
    spec: ModelSpec, period: Period, arrivals: list[tuple[Feed, Arrivals]], warehouse: Warehouse
) -> tuple[dict[str, int], list[str]]:
    """Replace what differs from the last delivery, keep the ledger, and reopen what was made from the former rows.

    An ingest that begins anew takes every delivery again. Returns the rows per feed, and notes on what it could not.
    """
    rows: dict[str, int] = {}
    notes: list[str] = []
    changed: list[date] = []
    with warehouse.transaction():
        anew = warehouse.progress("ingest") is None
        ledger = _ledger(warehouse)
        before = {} if anew else {key: entry.fingerprint for key, entry in ledger.items()}
        for feed, brought in arrivals:
            gone = _gone(feed, brought, spec, ledger, warehouse)
            marks = brought.fingerprints
            fresh = {day for day, mark in marks.items() if day not in gone and before.get((feed.name, day)) != mark}
            changed += [day for day in fresh if (feed.name, day) in before]
            taken = take(feed, spec, {day: files for day, files in brought.files.items() if day in fresh}, warehouse)
            rows[feed.name] = int(taken["rows"].sum())
            unseen = [day for day in brought.missing if day not in gone and (feed.name, day) not in before]
            _record(feed, brought, marks, [*fresh, *unseen], taken, warehouse)
            if anew and gone:
                notes.append(_keep(feed, gone, spec, warehouse))
        if anew or changed:
            for stage in LATER_STAGES:
                warehouse.reopen(stage, None if anew else min(changed))
        warehouse.finish("ingest", period)
    return rows, notes


def _gone(
    feed: Feed, brought: Arrivals, spec: ModelSpec, ledger: dict[tuple[str, date], _Entry], warehouse: Warehouse
) -> set[date]:
    """Days that were taken in and cannot be again: without files now, or before every row of files of all days."""
    here = {day for day in (*brought.files, *brought.missing) if (feed.name, day) in ledger}
    gone = {day for day in brought.missing if day in here and ledger[feed.name, day].status != "missing"}
    if not sources.has_day(feed.pattern) and brought.files:
        files = next(iter(brought.files.values()))
        if any(ledger[feed.name, day].rows for day in here):
            first = first_held(feed, spec, files, warehouse)
            gone |= {day for day in here if ledger[feed.name, day].rows and (first is None or day < first)}
    return gone


def _keep(feed: Feed, gone: set[date], spec: ModelSpec, warehouse: Warehouse) -> str:
    """Leave these days as they were taken in, to be taken anew where their files come back; says so."""
    warehouse.execute(
        "UPDATE deliveries SET fingerprint = '' WHERE source = ? AND day = ANY(?)", [feed.name, sorted(gone)]
    )
    return (
        f"{feed.name} of {len(gone)} days ({min(gone)} to {max(gone)}) stay as they were taken in before, because "
        "their files are gone; what the spec reads otherwise now it reads from the other days alone. If they can be "
        f"delivered again, do so and run `nightjar run {spec.model} --from {min(gone)} --to {max(gone)}`"
    )


def take(feed: Feed, spec: ModelSpec, days: dict[date, list[File]], warehouse: Warehouse) -> pd.DataFrame:
    """Replace these days' rows of the feed by what the files hold.

    Returns one row a day (its index): rows kept, duplicates dropped (the last delivered stays), misdated rows.
    """
    counted = pd.DataFrame(0, index=pd.Index(list(days), dtype="object"), columns=["rows", "duplicates", "misdated"])
    if not days:
        return counted
    files = list({file.path: file for members in days.values() for file in members}.values())
    (where, key), key_of = _own_rows(feed, list(days)), ", ".join(feed.key)
    warehouse.execute(f"DELETE FROM {feed.table} WHERE {where}", key)
    sources.expose(warehouse, feed.pattern, files, feed.columns)
    select = warehouse.select(
        f"ingest/{feed.table}", **feed.parameters, kinds=time_kinds(feed, files),
        zone=spec.timezone, files_zone=feed.files_zone, days=list(days),
    )  # fmt: skip
    warehouse.insert(feed.table, select, _columns(feed, spec))
    misdated = f"COUNT_IF(CAST(ts AS DATE) <> {feed.night})" if feed.table == "predictions" else "0"
    found = warehouse.execute(
        f"SELECT {feed.night}, COUNT(DISTINCT ({key_of})), COUNT(*) - COUNT(DISTINCT ({key_of})), {misdated} "
        f"FROM {feed.table} WHERE {where} GROUP BY ALL", key,
    ).fetchall()  # fmt: skip
    for day, *counts in found:
        counted.loc[day] = counts
    if counted["duplicates"].any():
        # rowid grows in the order of insertion, which is the order of the files and of the rows in them
        warehouse.execute(
            f"DELETE FROM {feed.table} WHERE {where} AND rowid NOT IN "
            f"(SELECT MAX(rowid) FROM {feed.table} WHERE {where} GROUP BY {feed.night}, {key_of})", key + key,
        )  # fmt: skip
    return counted


def _own_rows(feed: Feed, days: list[date]) -> tuple[str, list[Any]]:
    """The condition, and its parameters, for the rows that this feed brought for these days."""
    if feed.table == "predictions":
        return f"{feed.night} = ANY(?) AND source = ?", [days, feed.name]
    return f"{feed.night} = ANY(?)", [days]


def _columns(feed: Feed, spec: ModelSpec) -> dict[str, str]:
    if feed.table != "predictions":
        return tables.BY_NAME[feed.table].columns
    return tables.predictions(spec.segments, feed.parameters["numeric"], feed.parameters["texts"]).columns


def _ledger(warehouse: Warehouse) -> dict[tuple[str, date], _Entry]:
    """What the ledger holds, by source and day."""
    rows = warehouse.execute("SELECT source, day, status, rows, fingerprint FROM deliveries").fetchall()
    return {(source, day): _Entry(*entry) for source, day, *entry in rows}


def _record(
    feed: Feed,
    brought: Arrivals,
    marks: dict[date, str],
    days: list[date],
    taken: pd.DataFrame,
    warehouse: Warehouse,
) -> None:
    """Write the ledger rows of these days."""
    held: dict[date, int] = {}
    if brought.refused:
        where, key = _own_rows(feed, list(brought.refused))
        counted = f"SELECT {feed.night}, COUNT(*) FROM {feed.table} WHERE {where} GROUP BY ALL"
        held = dict(warehouse.execute(counted, key).fetchall())
    rows = []
    for day in sorted(days):
        if day in brought.files:
            rows.append(
                (
                    day,
                    feed.name,
                    "delivered",
                    len(brought.files[day]),
                    *map(int, taken.loc[day]),
                    marks[day],
                    None,
                )
            )
        elif day in brought.refused:
            kept = f"; the {held[day]:,} rows delivered before are kept" if day in held else ""
            rows.append(
                (
                    day,
                    feed.name,
                    "refused",
                    len(brought.refused_paths[day]),
                    0,
                    0,
                    0,
                    marks[day],
                    brought.refused[day] + kept,
                )
            )
        else:
            rows.append(
                (
                    day,
                    feed.name,
                    "missing",
                    0,
                    0,
                    0,
                    0,
                    "",
                    f"no file matches {feed.pattern.replace('{day}', str(day))}",
                )
            )
    if not rows:
        return
    warehouse.execute("DELETE FROM deliveries WHERE source = ? AND day = ANY(?)", [feed.name, sorted(days)])
    frame = pd.DataFrame(rows, columns=list(tables.BY_NAME["deliveries"].columns))
    warehouse.insert("deliveries", frame)
    _record_columns(feed, {day: brought.files.get(day, []) for day in days}, warehouse)


def _record_columns(feed: Feed, days: dict[date, list[File]], warehouse: Warehouse) -> None:
    """Write down the columns of these days' files; a column of different kinds in one delivery is text."""
    seen = [
        (day, feed.name, name, kind) for day, files in days.items() for file in files
        for name, kind in zip(file.columns, file.kinds, strict=True)
    ]  # fmt: skip
    frame = pd.DataFrame(seen, columns=list(tables.BY_NAME["delivery_columns"].columns))
    kinds = frame.groupby(["day", "source", "name"])["kind"].agg(["first", "nunique"]).reset_index()
    kinds["kind"] = kinds["first"].where(kinds["nunique"] == 1, "text")
    warehouse.execute("DELETE FROM delivery_columns WHERE source = ? AND day = ANY(?)", [feed.name, list(days)])
    warehouse.insert("delivery_columns", kinds)
