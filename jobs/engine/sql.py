"""Render `sql/<name>.sql`: Jinja with `StrictUndefined`; two filters are the only way for a value to reach the text."""

from __future__ import annotations

import math
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from jobs.templates import Compiled

SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"


class _Sql(Markup):
    """Text that went through a filter and may enter a statement.

    A Markup, because Jinja's macros return that too; `safe` is not among the filters, so nothing else makes one.
    """

    __slots__ = ()


def literal(value: object) -> _Sql:  # noqa: PLR0911 - one return a type
    """A value as a typed SQL literal.

    >>> print(literal("O'Hara"), literal(date(2025, 3, 1)), literal(None), literal(0.5), literal(["a", 1]))
    'O''Hara' DATE '2025-03-01' NULL 0.5e0 ('a', 1)
    """
    match value:
        case None:
            return _Sql("NULL")
        case bool():
            return _Sql("TRUE" if value else "FALSE")
        case int():
            return _Sql(str(value))
        case float() if math.isfinite(value):
            text = repr(
                value
            )  # the shortest text that reads back as the same double; e0 keeps it from becoming DECIMAL
            return _Sql(text if "e" in text else f"{text}e0")
        case datetime():
            return _Sql(f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S.%f}'")
        case date():
            return _Sql(f"DATE '{value.isoformat()}'")
        case str():
            return _Sql("'" + value.replace("'", "''") + "'")
        case list() | tuple() if value:
            return _Sql("(" + ", ".join(literal(item) for item in value) + ")")
    raise TypeError(
        f"{value!r} has no SQL literal; use None, bool, int, finite float, date, datetime, str or a list of these"
    )


def ident(name: str) -> _Sql:
    """A quoted identifier.

    >>> print(ident('the "lead" time'))
    "the ""lead"" time"
    """
    return _Sql('"' + name.replace('"', '""') + '"')


def _only_filtered(value: object) -> str:
    if isinstance(value, Markup):
        return value
    raise TypeError(f"{value!r} reached SQL without `| literal` or `| ident`")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(SQL_FOLDER), undefined=StrictUndefined, finalize=_only_filtered, autoescape=True,
        trim_blocks=True, lstrip_blocks=True, optimized=False, bytecode_cache=Compiled(SQL_FOLDER),
    )  # fmt: skip
    environment.filters = {"literal": literal, "ident": ident}
    return environment


def render(name: str, **parameters: Any) -> str:
    """The statement of `sql/<name>.sql` for these parameters."""
    return str(_environment().get_template(f"{name}.sql").render(**parameters)).strip()
