"""The workload of the benchmarks: files as a serving system would deliver them, the same for every tool.

    python -m benchmarks.workload FOLDER [--days 30] [--rows 20000] [--numeric 20] [--categorical 5] [--countries 12]

`predictions/{day}.parquet`, `labels/{day}.parquet` and `outcomes/{day}.parquet` hold what was delivered on that day:
labels come 0 to 30 days after their prediction (a third within three days), outcomes 0 to 3 days after.
`reference.parquet` holds labelled rows of the accepted behaviour, `models/MODEL.yaml` the spec. Ids are hashes, as many
serving systems make them: neither their order nor their beginning tells the day. The same arguments give the same
bytes.

From two thirds of the days on, the first feature moves by 0.8 standard deviations, the second is missing in 8 % of the
rows, and labels of the segment `country=c3` are inverted in a third of the rows: there is something to find.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import md5
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

FIRST = date(2025, 1, 1)
LATEST_LABEL = 30
"""Days."""
CHANGE = 2 / 3
"""The share of the days after which the faults begin."""


@dataclass(frozen=True)
class Size:
    """How much is generated."""

    days: int = 30
    rows: int = 20_000
    """A day."""
    numeric: int = 20
    categorical: int = 5
    countries: int = 12
    """Values of the segment `country`; the other two have 3 and 5."""

    @property
    def features(self) -> dict[str, str]:
        """Name and kind of each feature."""
        return {f"f{number:02}": "numeric" for number in range(self.numeric)} | {
            f"g{number:02}": "categorical" for number in range(self.categorical)
        }

    @property
    def last(self) -> date:
        """The last day."""
        return FIRST + timedelta(days=self.days - 1)


SEGMENTS = ("country", "device", "plan")


def _id(place: int, row: int) -> str:
    return md5(f"{place}-{row}".encode(), usedforsecurity=False).hexdigest()


def rows_of(size: Size, place: int, count: int, seed: int = 8) -> pd.DataFrame:
    """The predictions of day `place` (-1: the reference), with what truly happened and when it became known.

    Columns: request_id, ts, score, version, latency_ms, the features, the segments; label, label_delay (days),
    converted, value, outcome_delay (days).
    """
    draw = np.random.default_rng([seed, place + 1])
    faulty = place >= CHANGE * size.days
    columns: dict[str, object] = {}
    total = np.zeros(count)
    for number in range(size.numeric):
        plain = draw.normal(size=count, loc=0.8 if faulty and number == 0 else 0.0)
        if number < 5:
            total += 0.6 * plain
        values = np.exp(plain) if number % 3 == 2 else plain * (number + 1)
        missing = draw.random(count) < (0.08 if faulty and number == 1 else 0.01)
        columns[f"f{number:02}"] = np.where(missing, np.nan, values)
    for number in range(size.categorical):
        known = np.array([f"v{value}" for value in range(6 + 4 * number)])
        columns[f"g{number:02}"] = known[np.minimum(draw.geometric(0.25, count) - 1, len(known) - 1)]
    for name, many, letter in (("country", size.countries, "c"), ("device", 3, "d"), ("plan", 5, "p")):
        columns[name] = np.array([f"{letter}{value}" for value in range(many)])[draw.integers(0, many, count)]
    score = 1 / (1 + np.exp(-1.5 * total))
    label = (draw.random(count) < score).astype("int8")
    if faulty:
        label = np.where((columns["country"] == "c3") & (draw.random(count) < 1 / 3), 1 - label, label)
    converted = (draw.random(count) < 0.02 + 0.1 * score).astype("int8")
    day = FIRST + timedelta(days=place)
    return pd.DataFrame(
        {
            "request_id": [_id(place, row) for row in range(count)],
            "ts": np.datetime64(day, "us") + np.sort(draw.integers(0, 86_400_000_000, count)).astype("timedelta64[us]"),
            "score": np.round(score, 6),
            "version": np.where(draw.random(count) < 0.5, "v1", "v2"),
            "latency_ms": np.round(np.exp(4 + 0.4 * draw.normal(size=count)), 1),
            **columns,
            "label": label,
            "label_delay": np.floor((LATEST_LABEL + 1) * draw.random(count) ** 2).astype("int16"),
            "converted": converted,
            "value": np.round(converted * np.exp(3 + draw.normal(size=count)), 2),
            "outcome_delay": draw.integers(0, 4, count).astype("int16"),
        }
    )  # fmt: skip


HIDDEN = ["label", "label_delay", "converted", "value", "outcome_delay"]


def build(folder: Path, size: Size, model: str = "workload") -> Path:
    """Write the files of every day, the reference and the spec; returns the folder of the specs."""
    for name in ("predictions", "labels", "outcomes", "models"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    later: dict[str, dict[int, list[pd.DataFrame]]] = {"labels": {}, "outcomes": {}}
    for place in range(size.days):
        rows = rows_of(size, place, size.rows)
        day = FIRST + timedelta(days=place)
        rows.drop(columns=HIDDEN).to_parquet(folder / "predictions" / f"{day}.parquet", index=False)
        for name, delay, columns in (
            ("labels", "label_delay", ["request_id", "label"]),
            ("outcomes", "outcome_delay", ["request_id", "converted", "value"]),
        ):
            for wait, part in rows.groupby(delay, sort=True):
                later[name].setdefault(place + int(str(wait)), []).append(part[columns])
            arrived = pd.concat(later[name].pop(place))
            arrived.to_parquet(folder / name / f"{day}.parquet", index=False)
    reference = rows_of(size, -1, max(size.rows, 1000))
    reference.drop(columns=["label_delay", "outcome_delay"]).to_parquet(folder / "reference.parquet", index=False)
    (folder / "models" / f"{model}.yaml").write_text(yaml.safe_dump(spec_of(folder, size, model), sort_keys=False))
    return folder / "models"


def spec_of(folder: Path, size: Size, model: str = "workload") -> dict[str, object]:
    """What Nightjar is told: the rest are its defaults, expected ranges and rules included."""
    return {
        "model": model,
        "start": FIRST,
        "predictions": {
            "path": f"{folder}/predictions/{{day}}.parquet",
            "columns": {"version": "version", "latency_ms": "latency_ms"},
        },
        "labels": {"path": f"{folder}/labels/{{day}}.parquet", "ages": [1, 7, LATEST_LABEL]},
        "outcomes": {"path": f"{folder}/outcomes/{{day}}.parquet", "columns": {"value": "value"}, "ages": [3]},
        "features": size.features,
        "segments": list(SEGMENTS),
        "reference": {"file": f"{folder}/reference.parquet"},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Generate the workload of the benchmarks.")
    parser.add_argument("folder", type=Path)
    for name, usual in Size.__dataclass_fields__.items():
        parser.add_argument(f"--{name}", type=int, default=usual.default)
    given = vars(parser.parse_args())
    build(given.pop("folder").resolve(), Size(**given))


if __name__ == "__main__":
    main()
