"""A night judged by itself says what a range says: with figures that lean on others, that recur, that are a year old."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.engine.warehouse import open_warehouse
from jobs.methods.expected import LEANING
from jobs.stages import anomalies
from tests.unit.methods.given_figures import day, figures, together
from tests.unit.stages.test_anomalies import nights, spec_of

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from jobs.engine.warehouse import Warehouse

DAYS = 474
OLD = 365
"""Label age of the second accuracy."""

LEANT = 105
"""The day on which the volume leaves its range, and an accuracy that is known a year later strays with it."""


def world() -> pd.DataFrame:
    """Volumes that fall by a quarter again and again, and accuracies after a day and after a year."""
    rng = np.random.default_rng(8)
    volume = rng.poisson(1000, DAYS).astype(float)
    volume[[*range(LEANT - 60, LEANT, 20), LEANT, *range(330, DAYS, 20)]] *= 0.75
    volume[LEANT] *= 0.6
    volume[LEANT + OLD] *= 1.07
    right = rng.binomial(900, 0.95, DAYS) / 900
    late = right.copy()
    late[LEANT] = 0.95 - 5.75 * np.sqrt(0.95 * 0.05 / 900)
    return together(
        figures("volume", volume, volume.astype(int).tolist()),
        figures("accuracy", right, 900, age=1),
        figures("accuracy", late, 900, age=OLD),
    )


def judged(folder: Path, *periods: tuple[int, int]) -> Warehouse:
    spec = spec_of(labels={"path": "l/{day}.csv", "ages": [1, OLD]}, detection={"max_history": 80})
    with open_warehouse(folder, "shop", wait=5) as warehouse:
        warehouse.insert("metrics", world().assign(model="shop", layer="model"))
        for first, last in periods:
            anomalies.run(spec, nights(first, last), warehouse)
        return warehouse.read("verdicts").sort_values(["night", "rule", "metric", "label_age"], ignore_index=True)


def test_of_labels_that_are_a_year_old_and_a_history_of_eighty_days(tmp_path: Path) -> None:
    begin = LEANT + OLD - 2
    whole = judged(tmp_path / "range", (0, DAYS - 1))
    alone = judged(tmp_path / "nights", (0, begin - 1), *((number, number) for number in range(begin, DAYS)))
    told = whole[whole["night"] == str(day(LEANT + OLD))]
    # What is to be the same is there: a figure that leant, and ones that recurred.
    assert told["reason"].str.contains(LEANING, regex=False).any()
    assert whole.loc[whole["night"] >= str(day(begin)), "reason"].str.contains("as several times before").any()
    assert alone.equals(whole)
