"""Every file of sql/ says what it is for, is one SELECT, and keeps to what all engines understand alike."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SQL = Path(__file__).resolve().parents[2] / "sql"
FILES = sorted(path for path in SQL.rglob("*.sql") if not path.read_text().startswith("{#"))
PORTABLE = {
    "ABS", "AND", "AS", "BY", "CASE", "CAST", "CEIL", "COALESCE", "COUNT", "DATE", "DATE_DIFF", "DECIMAL", "DISTINCT",
    "EXISTS", "FLOOR", "FROM", "GREATEST", "GROUPING", "IN", "JOIN", "LAG", "LEAST", "LEFT", "LN", "LOWER", "MAX", "MIN",
    "NOT", "NULLIF", "ON", "OR", "OVER", "ROUND", "ROW_NUMBER", "SELECT", "SETS", "SUM", "THEN", "UNION", "VALUES",
    "WHEN", "WHERE",
}  # fmt: skip
"""Functions, and words that may stand before a bracket, that mean the same to DuckDB and Spark."""


def plain(text: str) -> str:
    """The statement without comments, templating and text literals."""
    text = re.sub(r"\{#.*?#\}|/\*.*?\*/", " ", text, flags=re.DOTALL)
    text = re.sub(r"\{%-?.*?-?%\}", " ", text, flags=re.DOTALL)
    return re.sub(r"'[^']*'", "''", re.sub(r"\{\{.*?\}\}", "x", text, flags=re.DOTALL))


def faults(text: str) -> list[str]:
    """What is wrong with a file, whichever stage it belongs to."""
    found = [
        f"header lacks {word}"
        for word in ("purpose:", "grain:", "reads:", "writes:")
        if word not in text.partition("*/")[0]
    ]
    body = plain(text)
    found += [
        f"has {word}"
        for word in re.findall(r"\b(?:INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|CURRENT_DATE|NOW|RANDOM)\b", body)
    ]
    found += ["has a semicolon"] * body.count(";")
    found += ["selects *"] * len(re.findall(r"SELECT\s+\*|\w\.\*", body))
    return found


def unportable(text: str) -> set[str]:
    """Words before a bracket that are not on the list."""
    called = {word.upper() for word in re.findall(r"\b([A-Za-z_]+)\s*\(", plain(text))}
    names = {word.upper() for word in re.findall(r"(?:WITH|,)\s*([a-z_]+)\s+AS\s*\(", plain(text))}
    return called - PORTABLE - names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SQL)))
def test_a_file_is_one_select_with_a_header(path: Path) -> None:
    assert faults(path.read_text()) == []


@pytest.mark.parametrize("path", sorted((SQL / "statistics").glob("*.sql")), ids=lambda path: path.name)
def test_statistics_keep_to_the_portable_subset(path: Path) -> None:
    assert unportable(path.read_text()) == set()


@pytest.mark.parametrize(
    "planted",
    [
        "/* purpose: grain: reads: writes: */ SELECT * FROM t",
        "/* purpose: grain: reads: writes: */ DELETE FROM t",
        "/* purpose: grain: reads: writes: */ SELECT 1; SELECT 2",
        "SELECT 1",
    ],
)
def test_the_check_sees_a_planted_fault(planted: str) -> None:
    assert faults(planted) != []


@pytest.mark.parametrize("planted", ["SELECT MEDIAN(x) FROM t", "SELECT log(x) FROM t", "SELECT QUANTILE_CONT(x, 0.5)"])
def test_the_check_sees_a_planted_dialect(planted: str) -> None:
    assert unportable(planted) != set()
