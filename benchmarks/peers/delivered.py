"""The delivered files as one frame, for the peers: each runs in an environment of its own, without Nightjar's code."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

SEGMENTS = ("country", "device", "plan")


def arguments() -> tuple[Path, Path]:
    """The folder of the workload and the folder of the outputs, from the command line."""
    out = Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    return Path(sys.argv[1]), out


def columns_of(reference: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The numeric and the categorical features."""
    numeric = [name for name in reference if name[0] == "f" and name[1:].isdigit()]
    return numeric, [name for name in reference if name[0] == "g" and name[1:].isdigit()]


def delivered(folder: Path) -> pd.DataFrame:
    """Predictions with `day`, `decision`, and the label and outcome that are known by the last day (else missing)."""
    rows, labels, outcomes = (
        pd.concat([pd.read_parquet(path) for path in sorted((folder / name).glob("*.parquet"))], ignore_index=True)
        for name in ("predictions", "labels", "outcomes")
    )
    rows = rows.merge(labels, on="request_id", how="left").merge(outcomes, on="request_id", how="left")
    return decided(rows).assign(day=rows["ts"].dt.floor("D"))


def accepted(folder: Path) -> pd.DataFrame:
    """The rows of the reference, with `decision`."""
    return decided(pd.read_parquet(folder / "reference.parquet"))


def decided(rows: pd.DataFrame) -> pd.DataFrame:
    """With the decision that a score of 0.5 makes."""
    return rows.assign(decision=(rows["score"] >= 0.5).astype("int64"))


def slices(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All rows, and those of each value of each segment."""
    parts = {"all": rows}
    for name in SEGMENTS:
        parts |= {f"{name}={value}": part for value, part in rows.groupby(name, sort=True)}
    return parts
