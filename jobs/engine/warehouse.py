"""One DuckDB file a model: opened under a queue, read as frames, replaced a period at a time.

DuckDB lets one process write or many read, and refuses at once instead of waiting. So writers first queue on
`<model>.duckdb.lock` (the kernel frees it when a process dies), then wait a bounded time for DuckDB's own lock, which a
reader such as a BI tool may hold.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
from filelock import FileLock, Timeout

from jobs import tables
from jobs.engine import sql
from jobs.errors import OrderError, WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from jobs.periods import Period

WAIT_SECONDS = 900.0
"""How long a writer waits for its turn before it says who holds the file."""

LOCKED = "Could not set lock"
"""What DuckDB says of a file that another process has open."""

CORRUPT = "Corrupt database file"
DAMAGED = ("not a valid DuckDB database file", "Could not read enough bytes")
"""What DuckDB says of a file whose blocks were changed; with its name, of one with another header or cut off."""


class Select(str):
    """A rendered SELECT whose rows go into a table without leaving DuckDB."""

    __slots__ = ()


@dataclass(frozen=True)
class Progress:
    """The nights a stage has finished, always a prefix of history; `digest` tells for which spec."""

    first: date
    through: date
    digest: str


def model_file(home: Path, model: str) -> Path:
    """Where a model's data lives."""
    return home / f"{model}.duckdb"


def published_file(home: Path, model: str) -> Path:
    """The copy that people and dashboards read; replaced atomically after each night."""
    return home / "published" / f"{model}.duckdb"


class Warehouse:
    """A model's open file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, home: Path, model: str) -> None:
        self._connection = connection
        self._in_transaction = False
        self.home = home
        self.model = model
        self.digest = ""
        """Of the spec part that the running stage depends on; the pipeline sets it."""
        self.fits: Path | None = None
        """Where the week's fits are kept; nowhere where nothing may be changed, as in a replay."""

    # reading ------------------------------------------------------------------------------------------------

    def select(self, name: str, **parameters: Any) -> Select:
        """The statement of `sql/<name>.sql`, rendered."""
        return Select(sql.render(name, **parameters))

    def nothing(self, table: str) -> Select:
        """A statement without rows, for what does not apply to a model: what stood in the period is still removed."""
        return Select(f"SELECT * FROM {table} WHERE FALSE")

    def query(self, name: str, **parameters: Any) -> pd.DataFrame:
        """The rows of `sql/<name>.sql`. DATE columns arrive as datetime64, DECIMAL as float64."""
        return self._connection.execute(sql.render(name, **parameters)).df()

    def execute(self, statement: str, parameters: list[Any] | None = None) -> duckdb.DuckDBPyConnection:
        """Run one statement and return its cursor."""
        return self._connection.execute(statement, parameters)

    def read(self, table: str, period: Period | None = None) -> pd.DataFrame:
        """The rows of a table whose night falls in `period` (absent: all), in the order of all its columns."""
        night = tables.BY_NAME[table].night
        where = "" if period is None or night is None else f"WHERE {night} BETWEEN ? AND ?"
        days = [period.first, period.last] if period is not None and where else []
        return self._connection.execute(f"SELECT * FROM {table} {where} ORDER BY ALL", days).df()

    def progress(self, stage: str) -> Progress | None:
        """What the stage has finished; None before its first night."""
        row = self._connection.execute(
            "SELECT first, through, digest FROM progress WHERE stage = ?", [stage]
        ).fetchone()
        return Progress(*row) if row else None

    def reached(self, stage: str) -> date | None:
        """Through which day the stage had come before days of it were reopened; None where it is as far again."""
        row = self._connection.execute("SELECT MAX(through) FROM reached WHERE stage = ?", [stage]).fetchone()
        return row[0] if row else None

    def has(self, table: str) -> bool:
        """Whether the file has this table."""
        found = self._connection.execute(
            "SELECT COUNT(*) FROM duckdb_tables() WHERE table_name = ?", [table]
        ).fetchone()
        return bool(found and found[0])

    # writing ------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Inside another transaction it joins that one."""
        if self._in_transaction:
            yield
            return
        self._connection.execute("BEGIN")
        self._in_transaction = True
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        else:
            self._connection.execute("COMMIT")
        finally:
            self._in_transaction = False

    def replace(
        self, stage: str, period: Period, rows: Mapping[str, pd.DataFrame | Select | list[Select]]
    ) -> dict[str, int]:
        """Replace the period's rows of the stage's tables and mark the period finished, in one transaction.

        The rows of several statements stand beside each other. Returns the rows written per table. A stage without
        progress begins anew: its tables are emptied first.
        """
        with self.transaction():
            anew = self.progress(stage) is None
            written = {}
            for name, new in rows.items():
                night = tables.BY_NAME[name].night
                if anew or night is None:
                    self._connection.execute(f"DELETE FROM {name}")
                else:
                    self._connection.execute(
                        f"DELETE FROM {name} WHERE {night} BETWEEN ? AND ?", [period.first, period.last]
                    )
                written[name] = sum(self.insert(name, one) for one in (new if isinstance(new, list) else [new]))
            self.finish(stage, period)
        return written

    def insert(self, table: str, new: pd.DataFrame | Select, columns: Mapping[str, str] | None = None) -> int:
        """Append rows by column name, cast to the table's types; returns how many."""
        columns = columns or tables.BY_NAME[table].columns
        names = ", ".join(sql.ident(name) for name in columns)
        cast = ", ".join(f"CAST({sql.ident(name)} AS {kind})" for name, kind in columns.items())
        if isinstance(new, Select):
            done = self._connection.execute(f"INSERT INTO {table} ({names}) SELECT {cast} FROM ({new}) AS new_rows")
        else:
            self._connection.register("new_rows", new)
            try:
                done = self._connection.execute(f"INSERT INTO {table} ({names}) SELECT {cast} FROM new_rows")
            finally:
                with suppress(
                    duckdb.Error
                ):  # after a failure the transaction refuses this too; the failure must be told
                    self._connection.unregister("new_rows")
        count = done.fetchone()
        return int(count[0]) if count else 0

    def finish(self, stage: str, period: Period) -> None:
        """Mark the period's nights finished; finished nights must stay a prefix of history."""
        with self.transaction():
            before = self.progress(stage)
            if before and (period.first - before.through).days > 1:
                raise OrderError(
                    f"{self.model}: {stage} has finished through {before.through}, so {period} would leave a gap; "
                    f"run it from {before.through} on"
                )
            first = min(period.first, before.first) if before else period.first
            through = max(period.last, before.through) if before else period.last
            self._connection.execute("DELETE FROM progress WHERE stage = ?", [stage])
            self._connection.execute("INSERT INTO progress VALUES (?, ?, ?, ?)", [stage, first, through, self.digest])
            self._connection.execute("DELETE FROM reached WHERE stage = ? AND through <= ?", [stage, through])

    def reopen(self, stage: str, since: date | None) -> None:
        """Declare the nights from `since` on (None: all) unfinished, because what they were made from has changed.

        How far the stage had come is kept, so that its next run comes as far again, whichever night that is of.
        """
        with self.transaction():
            self._connection.execute(
                "INSERT INTO reached "
                "SELECT stage, through FROM progress WHERE stage = ? AND through >= COALESCE(?, first)",
                [stage, since],
            )
            if since is None:
                self._connection.execute("DELETE FROM progress WHERE stage = ?", [stage])
                return
            self._connection.execute("DELETE FROM progress WHERE stage = ? AND first >= ?", [stage, since])
            self._connection.execute(
                "UPDATE progress SET through = LEAST(through, ? - 1) WHERE stage = ?", [since, stage]
            )

    def create(self, table: tables.Table) -> None:
        """Make the table where it is missing, and add the columns it lacks."""
        columns = ", ".join(f"{sql.ident(name)} {kind}" for name, kind in table.columns.items())
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table.name} ({columns})")
        for name, kind in table.columns.items():
            self._connection.execute(f"ALTER TABLE {table.name} ADD COLUMN IF NOT EXISTS {sql.ident(name)} {kind}")

    def publish(self) -> Path:
        """Copy the file for readers, atomically: they see the former night or this one, never a half."""
        return self.copy_to(published_file(self.home, self.model))

    def copy_to(self, target: Path) -> Path:
        """Copy the file as it stands after the last transaction; `target` is replaced whole or not at all."""
        self._connection.execute("CHECKPOINT")
        for part in target.parent.glob(
            f".{target.name}.*"
        ):  # of a process that was killed: the lock allows one at a time
            part.unlink(missing_ok=True)
        return copy_whole(model_file(self.home, self.model), target)


def copy_whole(source: Path, target: Path) -> Path:
    """Copy a file so that others see the former one or the whole new one; folders are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def readable(path: Path) -> None:
    """Open a model's file for reading and read what it has finished; WarehouseError where that cannot be done."""
    try:
        connection = duckdb.connect(str(path), read_only=True, config={"autoinstall_known_extensions": False})
        try:
            connection.execute("SELECT * FROM progress").fetchall()
        finally:
            connection.close()
    except duckdb.Error as error:
        raise WarehouseError(f"{path} is no model's file: {error}") from error


def spill_folder(home: Path, model: str) -> Path:
    """Where statements that need more than the memory they are allowed put what does not fit."""
    return home / "spill" / model


def memory_settings(home: Path, model: str) -> dict[str, Any]:
    """Bounded memory, our own spill folder, no network."""
    return {
        "memory_limit": os.environ.get("NIGHTJAR_MEMORY", "2GB"),
        "threads": int(os.environ.get("NIGHTJAR_THREADS", "0")) or os.cpu_count() or 1,
        "temp_directory": str(spill_folder(home, model)),
        "autoinstall_known_extensions": False,
        "TimeZone": "UTC",
    }


def _quiet(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Without DuckDB's progress bar, which a statement of two seconds draws on standard output, terminal or not."""
    connection.execute("SET enable_progress_bar = false")
    return connection


def _connect(home: Path, model: str, deadline: float) -> duckdb.DuckDBPyConnection:
    """Open for writing; wait, with jitter, until a reader lets go."""
    while True:
        try:
            return _quiet(duckdb.connect(str(model_file(home, model)), config=memory_settings(home, model)))
        except duckdb.IOException as error:
            if LOCKED not in str(error):
                raise
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"{model}: {model_file(home, model)} cannot be opened for writing: {error}. Close the program that "
                    f"holds it (readers should use {published_file(home, model)}) and run again"
                ) from error
            time.sleep(random.uniform(0.05, 0.25))  # noqa: S311 - jitter, not a secret


def checkpoint(home: Path, model: str, deadline: float) -> None:
    """Write a file's log into it, for who has the model's turn; duckdb.Error where the file is damaged."""
    with closing(_connect(home, model, deadline)) as connection:
        connection.execute("CHECKPOINT")


@contextmanager
def turn(home: Path, model: str, wait: float = WAIT_SECONDS) -> Iterator[float]:
    """Hold a model's queue, whatever state its file is in; gives the moment (monotonic, s) the waiting ends.

    Raises WarehouseError where another run holds it for longer than `wait` seconds.
    """
    deadline = time.monotonic() + wait
    lock_path = model_file(home, model).with_suffix(".duckdb.lock")
    lock_path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_path)
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise WarehouseError(
            f"{model}: waited {wait:.0f} s for {lock_path}, which another run of this model holds; "
            "wait for it to end and run again"
        ) from error
    try:
        yield deadline
    finally:
        lock.release()


@contextmanager
def open_warehouse(home: Path, model: str, wait: float = WAIT_SECONDS) -> Iterator[Warehouse]:
    """A model's file, open for writing by this process alone.

    Raises WarehouseError, naming the holder, when it is not to be had within `wait` seconds; and where it is damaged.
    """
    spill_folder(home, model).mkdir(parents=True, exist_ok=True)  # DuckDB makes no folder around its own
    with turn(home, model, wait) as deadline:
        try:
            with closing(_connect(home, model, deadline)) as connection:
                warehouse = Warehouse(connection, home, model)
                warehouse.fits = home / "fits" / f"{model}.json"
                for table in tables.TABLES:
                    warehouse.create(table)
                yield warehouse
        except duckdb.Error as error:
            if sentence := _sentence_of(error, home, model):
                raise WarehouseError(f"{model}: {sentence}") from error
            raise


def _sentence_of(error: duckdb.Error, home: Path, model: str) -> str:
    """What to do about an error of the file itself; empty where it is none."""
    said = str(error)
    if "Could not write file" in said:
        return (
            f"{said}. Nothing of this step was kept, and nothing before it is lost; "
            f"make room on the disk of {home} and run again"
        )
    ours = str(model_file(home, model)) in said  # else a delivery that was cut off
    if CORRUPT in said or (ours and any(part in said for part in DAMAGED)):
        return (
            f"{model_file(home, model)} is damaged: {said}. Put a copy back with `nightjar restore FOLDER {model}`; "
            "the next night fills in the nights since"
        )
    if ours and isinstance(error, duckdb.IOException):
        return f"{model_file(home, model)} cannot be opened for writing: {said}"
    return ""


@contextmanager
def read_published(home: Path, model: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published copy, open for reading only."""
    path = published_file(home, model)
    if not path.exists():
        raise WarehouseError(f"{model}: nothing is published at {path} yet; run `nightjar run {model} --day D` first")
    connection = _quiet(duckdb.connect(str(path), read_only=True, config={"autoinstall_known_extensions": False}))
    try:
        yield connection
    finally:
        connection.close()
