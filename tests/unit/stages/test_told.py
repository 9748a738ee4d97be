"""What is told of an id long before or after its prediction: at the edges of the horizon, and night by night as in a range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from jobs.stages import statistics
from tests.kiosk import COUNTED_BY_ID, Kiosk, day, days

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = "version = 'all' AND segment = 'all'"
TRIANGLE = f"SELECT day, known_day, label, n FROM label_statistics WHERE {WHOLE} ORDER BY ALL"
ARRIVED = "SELECT known_day, n, n_corrected, n_unknown FROM arrival_statistics WHERE source = 'labels' ORDER BY ALL"
HORIZON = 3
"""The kiosk's oldest label age, days."""


def told_of_anna(kiosk: Kiosk, *labels: tuple[int, int]) -> list[tuple[object, ...]]:
    """Anna is predicted on day 10 only; labels of her: (day, label). The triangle, the nights run one by one."""
    for number in range(1, 15):
        kiosk.predict(number, ["anna" if number == 10 else f"other {number}"])
    for number, label in labels:
        kiosk.label(number, {"anna": label})
    for number in range(1, 15):
        kiosk.run(days(number, number))
    return kiosk.rows(TRIANGLE)


def test_a_label_from_long_before_the_horizon_is_taken_back_by_a_correction_on_its_last_day(kiosk: Kiosk) -> None:
    last = 10 + HORIZON
    assert told_of_anna(kiosk, (1, 1), (last, 0)) == [
        (day(10), day(10), 1, 1), (day(10), day(last), 0, 1), (day(10), day(last), 1, -1),
    ]  # fmt: skip
    assert kiosk.rows(ARRIVED) == [(day(1), 1, 0, 1), (day(last), 1, 1, 0)]


def test_a_correction_a_day_past_the_horizon_is_counted_as_one_and_changes_nothing(kiosk: Kiosk) -> None:
    late = 10 + HORIZON + 1
    assert told_of_anna(kiosk, (12, 1), (late, 0)) == [(day(10), day(12), 1, 1)]
    assert kiosk.rows(ARRIVED) == [(day(12), 1, 0, 0), (day(late), 1, 1, 0)]


def test_of_two_early_labels_the_later_one_counts(kiosk: Kiosk) -> None:
    triangle = told_of_anna(kiosk, (2, 1), (5, 0), (11, 1))
    assert [row for row in triangle if row[1] == day(11)] == [(day(10), day(11), 0, -1), (day(10), day(11), 1, 1)]


def test_a_label_is_known_by_a_prediction_of_any_age_and_not_by_a_later_one(kiosk: Kiosk) -> None:
    for number in range(1, 11):
        kiosk.predict(number, {1: ["anna"], 10: ["ben", "carl"], 7: ["carl"]}.get(number, [f"other {number}"]))
    kiosk.label(9, {"anna": 1, "ben": 1, "carl": 1, "nobody": 1})
    for number in range(1, 11):
        kiosk.run(days(number, number))
    expected = [(day(9), 4, 0, 2)]
    assert kiosk.rows(ARRIVED) == expected
    kiosk.changes["min_rows"] = 7  # made anew as one range
    kiosk.run(days(1, 10))
    assert kiosk.rows(ARRIVED) == expected


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_ids_predicted_and_told_of_on_any_days_are_counted_night_by_night_as_in_one_range(
    tmp_path: Path, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(11)
    values = {"binary": [0, 1], "multiclass": ["apple", "pear"], "regression": [0.25, 0.5, 0.75]}[task]
    source = {"columns": {"version": "model_version"} | ({} if task == "regression" else {"decision": "decision"})}
    whole = Kiosk(tmp_path / "whole")
    whole.changes |= {
        "task": task, "segments": ["country", "colour"], "features": {},
        "predictions": {"path": f"{whole.root}/predictions/{{day}}.csv"} | source,
        "others": [{"path": f"{whole.root}/shadow/{{day}}.csv", "role": "shadow"} | source],
    }  # fmt: skip
    whole.reference(**({"decision": ["apple", "pear"] * 20} if task == "multiclass" else {}))
    customers = np.array([f"c{one}" for one in range(40)])
    for number in range(1, 13):
        seen, labelled, paid = (customers[random.random(40) < share] for share in (0.3, 0.2, 0.2))
        said = {"decision": random.choice(values, len(seen)), "country": random.choice(["DE", "FR"], len(seen))}
        whole.predict(number, list(seen), **said)
        usual = {"request_id": seen, "ts": f"{day(number)} 12:00:00", "model_version": "v2", "score": 0.5}
        whole.write("shadow", number, pd.DataFrame(usual | said | {"colour": "red"}))
        whole.label(number, dict(zip(labelled, random.choice(values, len(labelled)), strict=True)))
        whole.outcome(number, dict(zip(paid, random.integers(0, 3, len(paid)) / 4, strict=True)))
    whole.run(days(1, 12))
    nights = Kiosk(whole.root, whole.changes, tmp_path / "nights")
    for number in (1, 2, 4, 3, 5, 9, 8, 12, 12, 6):
        nights.run(days(number, number))
    monkeypatch.setattr(statistics, "ROWS_AT_ONCE", 40)  # a stretch of one, two or three nights
    pieces = Kiosk(whole.root, whole.changes, tmp_path / "pieces")
    pieces.run(days(1, 12))
    for name in (*COUNTED_BY_ID, "repeat_statistics"):
        for other in (nights, pieces):
            pd.testing.assert_frame_equal(whole.table(name), other.table(name), check_exact=True, obj=name)
