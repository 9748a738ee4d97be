"""The floor: one scan of the delivered files that reads every column and computes next to nothing.

    python -m benchmarks.scan FOLDER

That is what no tool can undercut.
"""

from __future__ import annotations

import sys

import duckdb


def scan(folder: str) -> list[tuple[object, ...]]:
    """Per file of predictions the rows, and the greatest hash of each column; the same of labels and outcomes."""
    rows: list[tuple[object, ...]] = []
    for name in ("predictions", "labels", "outcomes"):
        rows += duckdb.execute(
            f"SELECT filename, COUNT(*), MAX(HASH(COLUMNS(* EXCLUDE (filename)))) "
            f"FROM read_parquet('{folder}/{name}/*.parquet', filename=true) GROUP BY filename"
        ).fetchall()
    return rows


if __name__ == "__main__":
    print(len(scan(sys.argv[1])), "files")
