"""Look at real files: which there are, what their columns are, what stands in them. Nothing is written.

duckdb is imported when a file is opened, never when this module is: Airflow parses specs without it.
"""

from __future__ import annotations

import glob
import re
from collections import Counter
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

READERS = {
    ".parquet": "read_parquet({}, hive_partitioning=false, union_by_name=true, filename='_file')",
    ".pq": "read_parquet({}, hive_partitioning=false, union_by_name=true, filename='_file')",
    ".csv": "read_csv({}, union_by_name=true, sample_size=-1, filename='_file')",
    ".jsonl": "read_ndjson({}, union_by_name=true, filename='_file')",
    ".ndjson": "read_ndjson({}, union_by_name=true, filename='_file')",
    ".json": "read_ndjson({}, union_by_name=true, filename='_file')",
}
"""How each ending is read; `.csv` and the JSON ones also with `.gz`."""

_DAY = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")


def ending(path: str) -> str:
    """The ending that tells a file's format, without `.gz`.

    >>> ending("a/part-0.csv.gz")
    '.csv'
    """
    return Path(path.removesuffix(".gz")).suffix.lower()


def delivered(pattern: str) -> list[tuple[date | None, str]]:
    """The files of a pattern with the day in their path (None: the pattern has no `{day}`), in order."""
    matching = _matching(pattern.replace("{day}", "*"))
    found = sorted(path for path in matching if Path(path).is_file())
    if "{day}" not in pattern:
        return [(None, path) for path in found]
    parts = (re.escape(part) for part in pattern.split("{day}"))
    wild = (part.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*") for part in parts)
    shape = re.compile(f"({_DAY.pattern})".join(wild))
    dated = ((match, path) for path in found if (match := shape.fullmatch(path)))
    return sorted((date.fromisoformat(match[1]), path) for match, path in dated)


def pattern_of(given: str | Path) -> str:
    """The pattern that a file, a folder or a pattern stands for, with `{day}` where the paths hold days.

    A folder of `dt=2025-03-01/part-0.parquet` becomes `folder/dt={day}/*.parquet`. Raises DataError where
    there are no files of a known ending.
    """
    text = str(given)
    if "{day}" in text:
        files = [path for _, path in delivered(text)]
        if not files:
            raise DataError(f"no file matches {text}")
        return text
    root = Path(text)
    if root.is_dir():
        files = [str(path) for path in sorted(root.rglob("*")) if _readable(path.relative_to(root))]
    else:
        files = sorted(path for path in _matching(text) if _readable(Path(path)))
    if not files:
        raise DataError(f"{text} holds no file with one of the endings {', '.join(READERS)}")
    if root.is_file():
        return _dated_sibling(root) or text
    patterns = Counter(_with_day(path, root if root.is_dir() else None) for path in files)
    if len(patterns) > 1:
        any_name = (Path(pattern).parent / f"*{_last_ending(pattern)}" for pattern in patterns.elements())
        patterns = Counter(str(pattern) for pattern in any_name)
    return patterns.most_common(1)[0][0] if root.is_dir() or len(patterns) == 1 else text


def _matching(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # pathlib refuses absolute patterns


def _readable(path: Path) -> bool:
    hidden = any(part.startswith((".", "_")) and part not in (".", "..") for part in path.parts)
    return not hidden and ending(path.name) in READERS


def _last_ending(path: str) -> str:
    return ending(path) + (".gz" if path.endswith(".gz") else "")


def _with_day(path: str, root: Path | None) -> str:
    """The path with its days as `{day}`; those of the root stay. Any file of a day's folder counts."""
    above, inside = ("", path) if root is None else (f"{root}/", str(Path(path).relative_to(root)))
    folder, _, name = inside.rpartition("/")
    if _DAY.search(folder):
        name = f"*{_last_ending(name)}"
        return above + _DAY.sub("{day}", folder) + "/" + name
    return above + (f"{folder}/" if folder else "") + _DAY.sub("{day}", name)


def _dated_sibling(path: Path) -> str | None:
    """The `{day}` pattern of a file that is one of several days; None for one that stands alone."""
    base = path.parent.parent
    pattern = _with_day(str(path), base if str(base) != "." else None)
    return pattern if "{day}" in pattern and len(delivered(pattern)) > 1 else None


@contextmanager
def opened(paths: Sequence[str]) -> Iterator[DuckDBPyConnection]:
    """A connection with the view `delivered`: the rows of these files, and each row's file as `_file`.

    Raises DataError where they cannot be read.
    """
    import duckdb  # not at every parse of a DAG

    reader = READERS.get(ending(paths[0]))
    if reader is None:
        raise DataError(f"{paths[0]}: the ending is unknown; known are {', '.join(READERS)}")
    quoted = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    with duckdb.connect(config={"autoinstall_known_extensions": False, "threads": 2}) as connection:
        try:
            connection.execute(f"CREATE TEMP VIEW delivered AS SELECT * FROM {reader.format(f'[{quoted}]')}")
            yield connection
        except duckdb.Error as error:
            first = str(error).strip().splitlines()[0]
            raise DataError(f"{paths[0]}: cannot be read: {first}") from error


def columns_of(connection: DuckDBPyConnection) -> dict[str, str]:
    """The columns of `delivered` and their DuckDB types, in order."""
    found = connection.execute("DESCRIBE SELECT * EXCLUDE (_file) FROM delivered").fetchall()
    return {row[0]: row[1] for row in found}


def quoted(name: str) -> str:
    """A column's name as SQL writes it.

    >>> quoted('a "big" lead')
    '"a ""big"" lead"'
    """
    return '"' + name.replace('"', '""') + '"'


def is_number(kind: str) -> bool:
    """Whether a DuckDB type holds numbers.

    >>> is_number("UTINYINT"), is_number("DECIMAL(10,2)"), is_number("VARCHAR")
    (True, True, False)
    """
    return bool(re.match(r"U?(TINY|SMALL|BIG|HUGE)?INT|INTEGER|UINTEGER|FLOAT|DOUBLE|DECIMAL", kind))


def is_time(kind: str) -> bool:
    """Whether a DuckDB type is a day or a moment."""
    return kind.startswith(("TIMESTAMP", "DATE"))
