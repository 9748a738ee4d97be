"""What the columns of delivered files are most likely for, told from their names, types and values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.errors import DataError
from jobs.spec.samples import columns_of, is_number, is_time, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from duckdb import DuckDBPyConnection

MOST_CATEGORIES = 120
"""Text with more different values than this is a name, not a category."""
MOST_SEGMENTS = 5
MOST_SEGMENT_VALUES = 20
AGES = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 545, 730)
"""Label ages that a person would choose, in days."""

_EVENT = "(request|prediction|event|inference|record|row)"
_NAMES = {
    "id": (f"{_EVENT}_?id", "u?uid|id", ".*_?id"),
    "timestamp": (
        "ts|timestamp",
        f"{_EVENT}_?(at|ts|time|timestamp)",
        ".*_(at|ts)",
        "time|date",
        ".*(time|date).*",
    ),
    "score": (
        "score",
        "(prediction_)?(score|proba?|probability)",
        "y_.*",
        ".*(score|proba?|probability).*",
        "p",
    ),
    "version": ("(model_)?version", "model(_id|_name)?", ".*version.*"),
    "decision": (
        "decision",
        "predicted_(label|class)",
        "prediction|predicted|y_pred|y_hat",
        "predicted.*|flagged",
    ),
    "latency_ms": ("latency(_ms)?", "(response|duration|elapsed)(_time)?_ms", ".*latency.*"),
    "label": ("label", "y|y_true|target|truth|ground_truth|actual", ".*label.*|.*target.*", "is_.*|class"),
}
"""How the columns of each role are called, most telling names first."""
_SIGNS = {"0", "1", "0.0", "1.0", "false", "true"}
_YES = re.compile(r"(?i:y|yes|t|true|1|pos.*|bad|fraud.*|churn.*|cancel.*|click.*|convert.*|bought|late|default.*)")


@dataclass(frozen=True)
class Column:
    """A column as the sample shows it; `n` and `distinct` are of values that are not null."""

    name: str
    kind: str
    n: int
    distinct: int
    low: str | None
    high: str | None

    @property
    def unique(self) -> bool:
        """Whether (nearly) every row has a value of its own."""
        return self.n > 1 and self.distinct >= 0.99 * self.n

    @property
    def is_share(self) -> bool:
        """Whether it holds numbers from 0 to 1, and not only these two."""
        if not is_number(self.kind) or self.low is None or self.high is None or self.distinct <= 2:
            return False
        return float(self.low) >= 0 and float(self.high) <= 1

    @property
    def values(self) -> set[str]:
        """Its values where there are one or two; else nothing."""
        return {value.lower() for value in (self.low, self.high) if value is not None and self.distinct <= 2}


@dataclass(frozen=True)
class Input:
    """A column that may be a feature: its kind, or why it is left out."""

    column: str
    kind: str | None
    values: int
    why_not: str = ""


def profile(connection: DuckDBPyConnection) -> list[Column]:
    """The columns of `delivered`, in order."""
    kinds = columns_of(connection)
    figures = ", ".join(
        f"COUNT({name}), COUNT(DISTINCT {name}), CAST(MIN({name}) AS VARCHAR), CAST(MAX({name}) AS VARCHAR)"
        for name in map(quoted, kinds)
    )
    found = connection.execute(f"SELECT {figures} FROM delivered").fetchall()[0]
    return [
        Column(name, kind, *found[4 * position : 4 * position + 4])
        for position, (name, kind) in enumerate(kinds.items())
    ]


def named(role: str, columns: Iterable[Column], fits: Callable[[Column], bool]) -> Column | None:
    """The fitting column whose name speaks most plainly for a role; None where no name does."""
    ranked = [
        (rank, position, column)
        for position, column in enumerate(columns)
        for rank, shape in enumerate(_NAMES[role])
        if fits(column) and re.fullmatch(shape, column.name.lower())
    ]
    return min(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def guess_id(columns: list[Column], shared: set[str] | None) -> Column:
    """What labels are joined by: a column of its own value each that the label files have too."""
    possible = [column for column in columns if column.unique and (shared is None or column.name in shared)]
    possible = [column for column in possible if not is_time(column.kind) and not column.is_share]
    found = named("id", possible, lambda _: True) or (possible[0] if shared and possible else None)
    if found is None:
        where = "" if shared is None else " that the label files have too"
        raise DataError(f"no column looks like an id (one value a row{where}); there are {_list(columns)}")
    return found


def guess_timestamp(columns: list[Column], agreement: Mapping[str, float]) -> Column:
    """When it was served: the time that falls on the files' days (`agreement`: share), or the best name."""
    times = [column for column in columns if is_time(column.kind) and column.n]
    if not times:
        raise DataError(f"no column is a timestamp; there are {_list(columns)}")
    best = max(round(agreement.get(column.name, 0), 1) for column in times)
    times = [column for column in times if round(agreement.get(column.name, 0), 1) == best]
    return named("timestamp", times, lambda _: True) or times[0]


def guess_score(columns: list[Column]) -> Column:
    """The probability: numbers from 0 to 1."""
    found = named("score", columns, lambda column: column.is_share)
    if found is None:
        shares = [column for column in columns if column.is_share and column.kind in ("DOUBLE", "FLOAT")]
        if len(shares) != 1:
            raise DataError(f"no column looks like a score (numbers from 0 to 1); there are {_list(columns)}")
        found = shares[0]
    return found


def guess_version(columns: list[Column]) -> Column | None:
    return named("version", columns, lambda column: 0 < column.distinct <= 20)


def guess_latency(columns: list[Column]) -> Column | None:
    return named("latency_ms", columns, lambda column: is_number(column.kind))


def guess_decision(columns: list[Column], label: Column | None) -> Column | None:
    """A column of the same values as the label, or of 0 and 1."""
    possible = _SIGNS | label.values if label else _SIGNS
    return named("decision", columns, lambda column: bool(column.values) and column.values <= possible)


def guess_label(columns: list[Column], id_column: str) -> Column:
    """What truly happened: a column of two values."""
    possible = [column for column in columns if column.values and column.name != id_column]
    found = named("label", possible, lambda _: True) or (possible[0] if len(possible) == 1 else None)
    if found is None:
        raise DataError(f"no column looks like a label (two values); there are {_list(columns)}")
    return found


def positive_of(label: Column) -> str | int | bool:
    """The value of a label that counts as positive.

    >>> positive_of(Column("y", "VARCHAR", 9, 2, "churned", "stayed"))
    'churned'
    """
    if label.kind == "BOOLEAN":
        return True
    if label.values <= _SIGNS:
        return 1
    values = [value for value in (label.high, label.low) if value is not None]
    found = next((value for value in values if _YES.fullmatch(value)), values[0])
    return int(found) if is_number(label.kind) and found.isdigit() else found


def guess_inputs(columns: Iterable[Column]) -> list[Input]:
    """Which of the columns without a role are features, and why the others are none."""
    return [Input(column.name, *_input(column)) for column in columns]


def _input(column: Column) -> tuple[str | None, int, str]:
    why_not = _why_not(column)
    kind = "numeric" if is_number(column.kind) else "categorical"
    return None if why_not else kind, column.distinct, why_not


def _why_not(column: Column) -> str:
    """Why a column is no feature; empty where it is one."""
    if column.n == 0:
        return "empty"
    if is_time(column.kind):
        return "a time"
    if re.fullmatch(r"(.*_)?(id|uuid)", column.name.lower()):
        return "an id"
    if column.kind not in ("VARCHAR", "BOOLEAN") and not column.kind.startswith("ENUM"):
        return "" if is_number(column.kind) else column.kind
    few = min(MOST_CATEGORIES, max(MOST_SEGMENT_VALUES, column.n // 20))
    return f"{column.distinct} different values" if column.distinct > few else ""


def guess_segments(inputs: Iterable[Input]) -> list[str]:
    """Categories of few values, in the files' order."""
    fitting = [one.column for one in inputs if one.kind == "categorical" and 2 <= one.values <= MOST_SEGMENT_VALUES]
    return fitting[:MOST_SEGMENTS]


def sensible_ages(delays: Iterable[float]) -> list[int]:
    """Delays in days -> label ages that a person would choose, none shorter than its delay.

    >>> sensible_ages([12, 64])
    [14, 90]
    >>> sensible_ages([0, 0.3])
    [1]
    """
    return sorted({next((age for age in AGES if age >= delay), AGES[-1]) for delay in delays})


def _list(columns: Iterable[Column]) -> str:
    return ", ".join(column.name for column in columns)
