"""A person's CSV of series, read and checked: every fault is told with its file and line."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, NoReturn, cast, get_args

import numpy as np
import pandas as pd

from jobs.errors import DataError
from jobs.methods.histories import SIDES, Direction, Grain, History
from jobs.methods.scale import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEEDED = ("series_id", "ds", "y")
OPTIONAL = ("n", "kind", "direction")
KINDS: tuple[Kind, ...] = get_args(Kind)
OTHER_NAMES: dict[str, Kind] = {"real": "level", "value": "level"}
"""What a kind is also called."""

ABSENT = frozenset({"", "na", "nan", "null", "none"})
MOMENT = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?"
SPARSEST, MANY_STEPS = 10.0, 3
"""Days between values, in the median of more than three steps, from which a series is none of days."""

LARGEST = 1e100
"""The largest value that is judged: squares of what is larger are no numbers any more."""

AUTUMN = " (of the hour that autumn repeats: their sum or mean, or write UTC with Z)"

FLOORS: dict[Kind, str] = {
    "rate": "a rate lies between 0 and 1; divide percents by 100, or give kind level",
    "count": "a count is 0 or more; give kind amount for figures that may be negative",
    "latency": "a latency is 0 or more; give kind amount for figures that may be negative",
    "psi": "a PSI is 0 or more; give kind amount for figures that may be negative",
}


def read(path: Path) -> list[History]:
    """The series of a CSV file in the order of their first rows; DataError names the line of the first fault."""
    rows = _text(path)
    faults = _Faults(path, rows)
    series = rows["series_id"].str.strip()
    faults.where(series == "", "series_id is empty; give each row the name of its series")
    rows["moment"] = _moments(rows, faults)
    rows["y"] = _numbers(rows, "y", faults)
    rows["n"] = _numbers(rows, "n", faults) if "n" in rows else np.nan
    faults.where(rows["n"] < 0, "n is {n}; it counts rows, so it is 0 or more")
    for column in ("kind", "direction"):
        rows[column] = rows[column].str.strip().str.lower() if column in rows else ""
    rows["kind"] = rows["kind"].replace(OTHER_NAMES)
    faults.where(
        ~rows["kind"].isin({"", *KINDS}), f"kind '{{kind}}' is unknown; possible: {', '.join(KINDS)}, or empty"
    )
    faults.where(
        ~rows["direction"].isin({"", *SIDES}),
        "direction '{direction}' is unknown; it says which side hurts: up, down or both",
    )
    return [_history(str(name), group, faults) for name, group in rows.groupby(series, sort=False)]


class _Faults:
    """Raises for the first row at which something is wrong."""

    def __init__(self, path: Path, rows: pd.DataFrame) -> None:
        self.path, self.given = path, rows.copy()

    def where(self, wrong: pd.Series[bool], sentence: str) -> None:
        """Raise if any row is wrong; `sentence` may name columns of the row in braces."""
        found = wrong.index[wrong.to_numpy(dtype=bool)]
        if len(found):
            self.at(int(found[0]), sentence.format(**self.given.loc[found[0]].to_dict()))

    def at(self, line: int, sentence: str) -> NoReturn:
        raise DataError(f"{self.path}:{line}: {sentence}")


def _text(path: Path) -> pd.DataFrame:
    """All cells as text, indexed by line of the file; blank lines left out."""
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path}:1: the file is empty; its first line names the columns {', '.join(NEEDED)}") from None
    except pd.errors.ParserError as problem:
        line = re.search(r"line (\d+)", str(problem))
        where = f"{path}:{line[1]}" if line else str(path)
        raise DataError(f"{where}: not a table of comma-separated values ({str(problem).strip()})") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text; save it as CSV in UTF-8") from None
    except OSError as problem:
        raise DataError(f"{path}: cannot be read ({problem.strerror})") from None
    rows.columns = pd.Index([str(name).strip() for name in rows.columns])
    _check_columns(path, list(rows.columns))
    rows = rows.fillna("").set_axis(range(2, len(rows) + 2))
    rows = rows[(rows != "").any(axis=1)]
    if rows.empty:
        raise DataError(f"{path}:2: there is no row below the column names")
    return rows[[name for name in (*NEEDED, *OPTIONAL) if name in rows]].copy()


def _check_columns(path: Path, given: list[str]) -> None:
    missing = [name for name in NEEDED if name not in given]
    if missing:
        close = difflib.get_close_matches(missing[0], given, 1, 0.5)
        hint = f" Is '{close[0]}' meant?" if close else ""
        hint = " The file seems to be separated by semicolons; use commas." if ";" in "".join(given) else hint
        raise DataError(
            f"{path}:1: column {' and '.join(missing)} missing; given: {', '.join(given)}. "
            f"Needed: {', '.join(NEEDED)}; possible besides: {', '.join(OPTIONAL)}.{hint}"
        )
    for name in (*NEEDED, *OPTIONAL):
        if f"{name}.1" in given:
            raise DataError(f"{path}:1: two columns are called {name}; keep one")


def _moments(rows: pd.DataFrame, faults: _Faults) -> pd.Series[pd.Timestamp]:
    """`ds` as moments on the clock of the place, without a zone."""
    text = rows["ds"].str.strip()
    zoned = text.str.fullmatch(r".+\d[+-]\d{2}:?\d{2}")
    faults.where(zoned, "ds '{ds}' has an offset; write local time without one, or UTC with Z")
    wrong = "ds '{ds}' is not a day or an hour; write YYYY-MM-DD or YYYY-MM-DD HH:MM"
    faults.where(~text.str.fullmatch(MOMENT), wrong)
    moments = pd.to_datetime(text.str.removesuffix("Z"), format="ISO8601", errors="coerce")
    faults.where(moments.isna(), wrong)
    return moments.astype("datetime64[s]")


def _numbers(rows: pd.DataFrame, column: str, faults: _Faults) -> pd.Series[float]:
    text = rows[column].str.strip()
    found = pd.to_numeric(text, errors="coerce").astype(float)
    absent = text.str.lower().isin(ABSENT)
    wrong = (found.isna() & ~absent) | np.isinf(found)
    faults.where(wrong, f"{column} '{{{column}}}' is not a number; leave it empty where there is none")
    return found


def _history(name: str, rows: pd.DataFrame, faults: _Faults) -> History:
    rows = rows.sort_values("moment", kind="stable")
    for column in ("kind", "direction"):
        others = rows.index[rows[column] != rows[column].iloc[0]]
        if len(others):
            faults.at(
                int(others[0]),
                f"{column} of '{name}' is '{rows.loc[others[0], column]!s}' here and '{rows[column].iloc[0]}' "
                f"on line {rows.index[0]}; a series has one",
            )
    again = rows.index[rows["moment"].duplicated()]
    if len(again):
        first = rows.index[rows["moment"] == rows.loc[again[0], "moment"]][0]
        faults.at(
            int(again[0]),
            f"'{name}' has {faults.given.loc[again[0], 'ds']!s} already on line {first}; keep one"
            f"{AUTUMN if ':' in str(faults.given.loc[again[0], 'ds']) else ''}",
        )
    kind = cast("Kind", rows["kind"].iloc[0]) or guessed_kind(rows["y"], rows["n"])
    for line, y in rows.loc[rows["y"].abs() > LARGEST, "y"].items():
        faults.at(int(str(line)), f"y of '{name}' is {y:g}; give larger units, so that no value is beyond {LARGEST:g}")
    for line, y in _unfit(kind, rows["y"]):
        faults.at(line, f"y of '{name}' is {y:g}; {FLOORS[kind]}")
    return History(
        name=name,
        grain=_grain(name, rows, faults),
        kind=kind,
        direction=cast("Direction", rows["direction"].iloc[0] or "both"),
        moments=rows["moment"].to_numpy().astype("datetime64[s]"),
        y=rows["y"].to_numpy(dtype=float),
        n=rows["n"].to_numpy(dtype=float),
    )


def guessed_kind(y: pd.Series[float], n: pd.Series[float]) -> Kind:
    """The kind of a series that does not say: shares of n are rates, the rest is taken as it is.

    On a log scale upward spikes are smaller, and on the real series of the benchmark fewer of them were found.

    >>> guessed_kind(pd.Series([0.5, 0.25]), pd.Series([4.0, 8.0]))
    'rate'
    >>> guessed_kind(pd.Series([5.0, 8.0]), pd.Series([np.nan, np.nan]))
    'level'
    """
    return "rate" if n.notna().any() and y.dropna().between(0, 1).all() else "level"


def _unfit(kind: Kind, y: pd.Series[float]) -> Iterator[tuple[int, float]]:
    """Lines whose value a series of the kind cannot have."""
    wrong = (y < 0) | (y > 1) if kind == "rate" else (y < 0) & (kind in FLOORS)
    yield from ((int(line), float(y.loc[line])) for line in y.index[wrong])


def _grain(name: str, rows: pd.DataFrame, faults: _Faults) -> Grain:
    moments = rows["moment"]
    if not moments.dt.normalize().duplicated().any():
        apart = float(moments.diff().dt.days.median()) if len(moments) > MANY_STEPS else 1.0
        if apart > SPARSEST:
            faults.at(
                int(rows.index[1]),
                f"'{name}' has a value every {apart:g} days; days and hours are judged, by the week's shape and weeks "
                "of history: give the days that a month is made of, or leave it out",
            )
        return "daily"
    minutes = moments.dt.strftime("%M:%S")
    others = rows.index[(minutes != minutes.iloc[0]).to_numpy()]
    if len(others):
        faults.at(
            int(others[0]),
            f"'{name}' has {faults.given.loc[others[0], 'ds']!s} besides {faults.given.loc[rows.index[0], 'ds']!s}: "
            "steps are whole days or whole hours; sum or average to hours first",
        )
    return "hourly"
