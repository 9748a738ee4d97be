"""What a feed delivered for some days: which files there are, and which of them cannot be taken in and why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import duckdb

from jobs.engine import sources
from jobs.engine.feeds import accept, suspects
from jobs.engine.sources import first_line
from jobs.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from jobs.engine.feeds import Feed
    from jobs.engine.sources import File
    from jobs.engine.warehouse import Warehouse
    from jobs.spec.model import ModelSpec


@dataclass(frozen=True)
class Arrivals:
    """What a feed brought for a period: the files of each good day, and the reason of each refused one."""

    files: dict[date, list[File]]
    refused: dict[date, str]
    refused_paths: dict[date, list[str]]
    missing: tuple[date, ...]

    @cached_property
    def fingerprints(self) -> dict[date, str]:
        """What was delivered for each day that has files, so that a repeat is known as one."""
        by_day = {day: [file.path for file in files] for day, files in self.files.items()} | self.refused_paths
        digests = {paths: sources.fingerprint(paths) for paths in {tuple(paths) for paths in by_day.values()}}
        return {day: digests[tuple(paths)] for day, paths in by_day.items()}


def look(
    feed: Feed,
    spec: ModelSpec,
    days: Iterable[date],
    warehouse: Warehouse,
    damaged: Mapping[str, str] | None = None,
) -> Arrivals:
    """Find the feed's files of these days and refuse the days on which one of them is malformed; reads, writes nothing.

    `damaged`: paths that are known not to be readable, with the reason.
    """
    found = sources.period_files(feed.pattern, days, spec.timezone, feed.files_zone)
    seen: dict[str, File | str] = {}
    for path, file_day in {file for files in found.values() for file in files}:
        try:
            seen[path] = accept(feed, path, file_day)
        except DataError as error:
            seen[path] = str(error)
    seen |= {path: reason for path, reason in (damaged or {}).items() if path in seen}
    good = [file for file in seen.values() if not isinstance(file, str)]
    seen |= _malformed(feed, good, warehouse)
    files: dict[date, list[File]] = {}
    refused: dict[date, str] = {}
    for day, members in found.items():
        reasons = [answer for path, _ in members if isinstance(answer := seen[path], str)]
        if reasons:
            refused[day] = reasons[0]
        elif members:
            files[day] = [answer for path, _ in members if not isinstance(answer := seen[path], str)]
    refused_paths = {day: [path for path, _ in found[day]] for day in refused}
    return Arrivals(files, refused, refused_paths, tuple(day for day in found if not found[day]))


def _malformed(feed: Feed, files: list[File], warehouse: Warehouse) -> dict[str, str]:
    """The files with a cell that cannot be what the spec says, each with its reason."""
    checks = suspects(feed, files)
    if not files or not checks:
        return {}
    sources.expose(warehouse, feed.pattern, files, feed.columns)
    try:
        counts = warehouse.query("ingest/malformed", checks=checks)
    except duckdb.Error as error:
        return _one_by_one(feed, files, warehouse, error)
    reasons: dict[str, str] = {}
    wanted = {"number": "a number", "time": "a timestamp", "day": "a day or timestamp", "label": "0 or 1"}
    for position, (column, kind) in enumerate(checks.items()):
        for file, broken, example in counts.loc[
            counts[f"broken {position}"] > 0, ["file", f"broken {position}", f"example {position}"]
        ].itertuples(index=False):
            what = (
                "is empty"
                if example is None or kind == "id"
                else f"is not {wanted[kind]}, for example '{str(example)[:60]}',"
            )
            reasons.setdefault(file, f"{file}: column '{column}' {what} in {int(broken):,} rows")
    return reasons


def _one_by_one(feed: Feed, files: list[File], warehouse: Warehouse, error: duckdb.Error) -> dict[str, str]:
    """Which file made the reading of all of them fail."""
    if len(files) == 1:
        return {files[0].path: f"{files[0].path}: cannot be read as {files[0].format}: {first_line(error)}"}
    return {path: reason for file in files for path, reason in _malformed(feed, [file], warehouse).items()}


def damaged_files(brought: Arrivals, warehouse: Warehouse) -> dict[str, str]:
    """The files that cannot be read to the end, each with its reason."""
    reasons: dict[str, str] = {}
    for file in {file.path: file for files in brought.files.values() for file in files}.values():
        try:
            warehouse.execute(f"SELECT MAX(HASH(COLUMNS(*))) FROM ({sources.reader([file])})").fetchall()
        except duckdb.Error as error:
            reasons[file.path] = f"{file.path}: cannot be read as {file.format}: {first_line(error)}"
    return reasons
