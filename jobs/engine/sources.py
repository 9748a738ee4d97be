"""Delivered files: which there are for a day, whether they can be read, and how DuckDB sees them.

A path pattern with `{day}` names one delivery a day; without, its files hold every day and the timestamps cut them.
Files are Parquet, CSV (optionally gzipped, comma, semicolon, tab or bar) or JSON lines, told by their ending.
"""

from __future__ import annotations

import csv
import glob
import gzip
import hashlib
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.engine.sql import ident, literal
from jobs.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jobs.engine.warehouse import Warehouse

FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
CellKind = Literal["number", "boolean", "time", "zoned", "text"]
_DAY = r"(\d{4}-\d{2}-\d{2})"


@dataclass(frozen=True)
class File:
    """One delivered file; `day` is the day in its path (None: the pattern names no day)."""

    path: str
    day: date | None
    format: str
    columns: tuple[str, ...]
    kinds: tuple[CellKind, ...]
    """What the format itself says of each column; text formats say `text` of all."""

    def kind(self, column: str) -> CellKind:
        """What the format says of a column; `text` where it has none of that name."""
        return dict(zip(self.columns, self.kinds, strict=True)).get(column, "text")


def has_day(pattern: str) -> bool:
    """Whether the pattern names one delivery a day."""
    return "{day}" in pattern


def paths(pattern: str, day: date | None = None) -> list[str]:
    """The files of a pattern (for one day), in name order: the order in which their rows count as delivered."""
    return sorted(
        path for path in glob.glob(pattern.replace("{day}", str(day or "*")), recursive=True) if Path(path).is_file()
    )


def days_delivered(pattern: str) -> list[date]:
    """The days for which a `{day}` pattern has files."""
    shape = re.compile(_shape(pattern))
    return sorted({date.fromisoformat(found[1]) for path in paths(pattern) if (found := shape.fullmatch(path))})


def _shape(pattern: str) -> str:
    """A regular expression for the paths of a `{day}` pattern; its first group is the day."""
    parts = (re.escape(part).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*") for part in pattern.split("{day}"))
    return _DAY.join(parts)


def file_days(business_day: date, zone: str, files_zone: str) -> list[date]:
    """The days of files cut in `files_zone` that a business day in `zone` reaches into.

    >>> file_days(date(2025, 3, 1), "America/New_York", "UTC")
    [datetime.date(2025, 3, 1), datetime.date(2025, 3, 2)]
    """
    if zone == files_zone:
        return [business_day]
    from datetime import datetime

    start = datetime(business_day.year, business_day.month, business_day.day, tzinfo=ZoneInfo(zone))
    after = business_day + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone)) - timedelta(microseconds=1)
    first, last = start.astimezone(ZoneInfo(files_zone)).date(), end.astimezone(ZoneInfo(files_zone)).date()
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def fingerprint(files: Iterable[str]) -> str:
    """A digest of names and contents: a delivery with the same one changes nothing."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        digest.update(Path(path).name.encode())
        with Path(path).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest())
    return digest.hexdigest()


def inspect(path: str, day: date | None) -> File:
    """What the file is and which columns it has; DataError where it cannot be read."""
    plain = path.removesuffix(".gz")
    kind = FORMATS.get(Path(plain).suffix.lower())
    if kind is None:
        raise DataError(
            f"{path}: the ending '{Path(path).suffix}' is unknown; known: {', '.join(FORMATS)}, text also with .gz"
        )
    if Path(path).stat().st_size == 0:
        raise DataError(f"{path}: the file is empty (0 bytes); deliver it again, or a file with a header and no rows")
    if kind == "csv":
        columns, _ = _csv_header(path)
        return File(path, day, kind, columns, _texts(columns))
    try:
        if kind == "parquet":
            schema = pq.read_schema(path)
            return File(path, day, kind, tuple(schema.names), tuple(_cell_kind(column.type) for column in schema))
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
            found = connection.execute(f"DESCRIBE SELECT * FROM read_ndjson({literal(path)})").fetchall()
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as {kind}: {first_line(error)}") from error
    return File(path, day, kind, tuple(row[0] for row in found), _texts(found))


def _texts(columns: Sequence[object]) -> tuple[CellKind, ...]:
    return tuple("text" for _ in columns)


def _cell_kind(kind: pa.DataType) -> CellKind:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_timestamp(kind):
        return "zoned" if kind.tz else "time"
    return "time" if pa.types.is_date(kind) else "text"


def first_line(error: BaseException) -> str:
    """The first sentence of an engine's message, without its decoration.

    >>> first_line(ValueError("Invalid Input Error: No magic bytes found.\\nPossible fixes: ..."))
    'No magic bytes found.'
    """
    return re.sub(r"^(?:[A-Z][A-Za-z]+ )+Error: ", "", str(error).strip().splitlines()[0])


def _csv_header(path: str) -> tuple[tuple[str, ...], str]:
    """The columns and the delimiter of a CSV file's first line."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig")
            if path.endswith(".gz")
            else Path(path).open(encoding="utf-8-sig") as stream
        ):
            header = stream.readline()
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise DataError(f"{path}: cannot be read as csv: {error}") from error
    delimiter = max(",;\t|", key=header.count)
    columns = tuple(next(csv.reader([header], delimiter=delimiter), []))
    if not columns or any(not column for column in columns):
        raise DataError(f"{path}: its first line is not a header: {header.strip()[:80]!r}")
    return columns, delimiter


def reader(files: Iterable[File]) -> str:
    """A SELECT over the files' rows, in the order of the files, with the file's path as `_file`."""
    groups: dict[tuple[str, tuple[str, ...]], list[File]] = {}
    for file in files:
        groups.setdefault((file.format, () if file.format == "parquet" else file.columns), []).append(file)
    return " UNION ALL BY NAME ".join(_read(kind, columns, members) for (kind, columns), members in groups.items())


def _read(kind: str, columns: tuple[str, ...], files: list[File]) -> str:
    listed = "[" + ", ".join(literal(file.path) for file in files) + "]"
    if kind == "parquet":
        return f"SELECT * FROM read_parquet({listed}, union_by_name=true, hive_partitioning=false, filename='_file')"
    typed = "{" + ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns) + "}"
    if kind == "csv":
        _, delimiter = _csv_header(files[0].path)
        return (
            f"SELECT * FROM read_csv({listed}, columns={typed}, auto_detect=false, header=true, "
            f"delim={literal(delimiter)}, quote='\"', escape='\"', nullstr='', filename='_file')"
        )
    return f"SELECT * FROM read_ndjson({listed}, columns={typed}, filename='_file')"


def period_files(
    pattern: str, days: Iterable[date], zone: str, files_zone: str
) -> dict[date, list[tuple[str, date | None]]]:
    """The files (with the day in their path) that each of these business days reaches into."""
    if not has_day(pattern):
        every: list[tuple[str, date | None]] = [(path, None) for path in paths(pattern)]
        return dict.fromkeys(days, every)
    return {
        day: [(path, file_day) for file_day in file_days(day, zone, files_zone) for path in paths(pattern, file_day)]
        for day in days
    }


def expose(warehouse: Warehouse, pattern: str, files: Iterable[File], wanted: Iterable[str]) -> None:
    """Make `delivered`, a temporary view of the files' rows: the wanted columns, and the path's day as `file_day`.

    A wanted column that no file has is NULL (the caller has refused files that lack a column they need). The day is
    read from the path, not joined to it, because a join may change the order of rows, and the last delivered wins.
    """
    files = list(files)
    present = {column for file in files for column in file.columns}
    columns = ", ".join(
        ident(column) if column in present else f"CAST(NULL AS VARCHAR) AS {ident(column)}"
        for column in dict.fromkeys(wanted)
    )
    day = (
        f"CAST(REGEXP_EXTRACT(_file, {literal('^' + _shape(pattern) + '$')}, 1) AS DATE)"
        if has_day(pattern)
        else "NULL::DATE"
    )
    warehouse.execute(
        f"CREATE OR REPLACE TEMP VIEW delivered AS SELECT {columns}, _file, {day} AS file_day FROM ({reader(files)})"
    )
