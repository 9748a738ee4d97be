"""Outcomes whose value or click is empty: unknown, and neither nothing earned nor not clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.kiosk import Kiosk, day, days
from tests.unit.stages.test_families import one

if TYPE_CHECKING:
    from pathlib import Path

STAGES = ("ingest", "statistics", "metrics")
LAST = 15
NONE = None
"""An empty cell."""
Outcome = tuple[int, float | None, int | None]
"""Converted, value, clicked."""


def a_kiosk(root: Path, per: str = "known") -> Kiosk:
    kiosk = Kiosk(root)
    kiosk.reference()
    columns = {"value": "revenue", "clicked": "clicked"}
    kiosk.changes = {
        "labels": None,
        "outcomes": {"path": f"{root}/outcomes/{{day}}.csv", "columns": columns, "ages": [0, 1], "per": per},
        "min_rows": 1,
    }
    return kiosk


def predict(kiosk: Kiosk, number: int, n: int = 10, **columns: Any) -> None:
    kiosk.predict(number, [f"{number}-{place}" for place in range(n)], **columns)


def come(kiosk: Kiosk, number: int, of: int, outcomes: list[Outcome]) -> None:
    """On a day, outcomes of the first predictions of another day become known."""
    frame = pd.DataFrame(outcomes, columns=["converted", "revenue", "clicked"], dtype=object)
    kiosk.write("outcomes", number, frame.assign(request_id=[f"{of}-{place}" for place in range(len(frame))]))


def metric(kiosk: Kiosk, name: str, number: int = 1, age: int = 0) -> Any:
    keys = {"day": day(number), "version": "all", "segment": "all", "label_age": age}
    return one(kiosk.table("metrics"), metric=name, **keys)


def told(row: Any) -> tuple[float | None, int, str, str | None]:
    """Value (None where there is none), n, state and reason."""
    reason = row["reason"] if isinstance(row["reason"], str) else None
    return None if np.isnan(row["value"]) else row["value"], row["n"], row["state"], reason


@pytest.mark.parametrize("per", ["known", "prediction"])
def test_a_day_whose_values_are_all_empty_has_no_value(per: str, tmp_path: Path) -> None:
    kiosk = a_kiosk(tmp_path, per)
    predict(kiosk, 1)
    come(kiosk, 1, 1, [(1, NONE, NONE)] * 3 + [(0, NONE, NONE)] * 2)
    kiosk.run(days(1, 1), *STAGES)
    assert metric(kiosk, "conversion")["value"] == (3 / 5 if per == "known" else 3 / 10)
    n = {"known": 2, "prediction": 7}[per]
    for name in ("value", "value_per_prediction"):
        row = metric(kiosk, name)
        assert told(row) == (None, n, "not_evaluated", "no conversion says its value")
        assert np.isnan(row["lower"])
    n = {"known": 0, "prediction": 5}[per]
    reason = "no outcome says whether it was clicked"
    assert told(metric(kiosk, "click_through")) == (None, n, "not_evaluated", reason)


def test_the_mean_is_over_the_values_that_are_known(tmp_path: Path) -> None:
    """Eight sales, 8, 4 and six of 10, one unknown, three not sold: of eleven known, 72 in all. Of the ten that say so, 8 clicked."""
    kiosk = a_kiosk(tmp_path)
    predict(kiosk, 1, 12)
    sold: list[Outcome] = [(1, 8, 1), (1, 4, 1), *[(1, 10, 1)] * 6, (1, NONE, NONE)]
    come(kiosk, 1, 1, [*sold, (0, 0, 0), (0, NONE, 0), (0, NONE, NONE)])
    kiosk.run(days(1, 1), *STAGES)
    mean = metric(kiosk, "value_per_prediction")
    values = [8, 4, *[10] * 6, 0, 0, 0]
    assert told(mean) == (72 / 11, 11, "final", None)
    assert mean["upper"] - 72 / 11 == pytest.approx(1.959964 * np.sqrt(np.var(values, ddof=1) / 11), rel=1e-6)
    assert told(metric(kiosk, "value")) == (72.0, 11, "final", None)
    assert told(metric(kiosk, "click_through")) == (0.8, 10, "final", None)


def test_per_prediction_only_a_sale_without_a_value_is_unknown(tmp_path: Path) -> None:
    """Ten predictions, six listed: five sales, one of them without a value. 20 over the nine that are known."""
    kiosk = a_kiosk(tmp_path, "prediction")
    predict(kiosk, 1)
    come(kiosk, 1, 1, [(1, 5, 1)] * 4 + [(1, NONE, NONE), (0, NONE, 1)])
    kiosk.run(days(1, 1), *STAGES)
    assert told(metric(kiosk, "value_per_prediction")) == (20 / 9, 9, "final", None)
    assert told(metric(kiosk, "value")) == (20.0, 9, "final", None)
    assert told(metric(kiosk, "click_through")) == (5 / 9, 9, "final", None)


@pytest.mark.parametrize(("per", "mean"), [("known", 5.0), ("prediction", 15 / 9)])
def test_a_total_of_too_few_values_is_told_and_not_judged(per: str, mean: float, tmp_path: Path) -> None:
    """Three of four is under the 80 % that a verdict on versions needs, too."""
    kiosk = a_kiosk(tmp_path, per)
    predict(kiosk, 1)
    come(kiosk, 1, 1, [(1, 5, 1)] * 3 + [(1, NONE, NONE)])
    kiosk.run(days(1, 1), *STAGES)
    n = {"known": 3, "prediction": 9}[per]
    assert told(metric(kiosk, "value")) == (15.0, n, "not_evaluated", "3 of 4 conversions say their value")
    assert told(metric(kiosk, "value_per_prediction")) == (
        mean,
        n,
        "not_evaluated",
        "3 of 4 conversions say their value",
    )
    assert metric(kiosk, "click_through")["reason"] == "3 of 4 outcomes say whether they were clicked"


def test_a_value_that_comes_or_goes_later_is_counted_by_its_change(tmp_path: Path) -> None:
    """Of three sales, the first's value is taken back, the second's is told late, the third's was never one."""
    kiosk = a_kiosk(tmp_path)
    predict(kiosk, 1)
    predict(kiosk, 2)
    come(kiosk, 1, 1, [(1, 6, 1), (1, NONE, NONE), (1, NONE, 0)])
    come(kiosk, 2, 1, [(1, NONE, NONE), (1, 9, 1), (0, NONE, 0)])
    sums = "n, n_converted, n_unvalued, value_sum::DOUBLE"
    statement = f"SELECT known_day, {sums} FROM outcome_statistics WHERE version = 'all' AND segment = 'all' ORDER BY 1"
    acted = "SELECT known_day, n, n_clicked, n_clicked_known FROM action_statistics WHERE version = 'all' AND day = '2025-01-01' ORDER BY 1"
    kiosk.run(days(1, 2), *STAGES)
    found = kiosk.rows(statement), kiosk.rows(acted)
    assert found[0] == [(day(1), 3, 3, 2, 6.0), (day(2), 0, -1, -1, 3.0)]
    assert found[1] == [(day(1), 3, 1, 2), (day(2), 0, 0, 0)]
    assert told(metric(kiosk, "value", age=1))[:2] == (9.0, 2)
    again = a_kiosk(tmp_path)
    again.house = tmp_path / "nights"
    for number in (1, 2, 1):
        again.run(days(number, number), *STAGES)
    again.run(days(2, 2), *STAGES)
    assert (again.rows(statement), again.rows(acted)) == found
    pd.testing.assert_frame_equal(again.table("metrics"), kiosk.table("metrics"), check_exact=True)


@pytest.mark.parametrize("per", ["known", "prediction"])
def test_a_version_is_not_held_to_earn_less_for_empty_cells(per: str, tmp_path: Path) -> None:
    """v1 sold for 7 and 9 in turn; v2's values of days 5 and 6 are empty, and those of day 7 are 1. A third of what v2
    earned is known, which is told and decides nothing; with eight of ten days it is enough.
    """
    kiosk = a_kiosk(tmp_path, per)
    kiosk.changes["outcomes"]["ages"] = [0]
    for number in range(1, LAST + 1):
        predict(kiosk, number, 30, model_version="v1" if number < 5 else "v2")
        values = [7, 9] if number < 5 else [NONE, NONE] if number < 7 else [1, 1]
        sold: list[Outcome] = [(1, value, 1) for value in values * 5]
        come(kiosk, number, number, sold + [(0, 0, 0)] * 20)
    kiosk.run(days(1, LAST), *STAGES)
    table = kiosk.table("comparisons")
    table = table[table["other"] == "v1"]
    worth = table[table["metric"] == "value_per_prediction"].set_index("day")
    assert dict(zip(worth.index.day, worth["n"], strict=True)) == {
        number: 30 * (number - 6) for number in range(7, LAST + 1)
    }
    seventh = one(table, metric="value_per_prediction", day=day(7))
    assert (seventh["value"], seventh["other_value"]) == (pytest.approx(10 / 30), pytest.approx(80 / 30))
    assert seventh["p_value"] < 0.01
    verdicts = table[table["metric"] == "verdict"].set_index("day")
    earns = verdicts["reason"].str.contains("earn")
    assert [number for number, says in zip(verdicts.index.day, earns, strict=True) if says] == [14, 15], "8 of 10 days"


def test_nights_counted_before_empty_values_were_told_keep_their_figures(tmp_path: Path) -> None:
    """A file of a former release lacks the counts; each of its conversions stands for one with a value, each outcome for one that says whether it was clicked."""
    kiosk = a_kiosk(tmp_path)
    predict(kiosk, 1)
    come(kiosk, 1, 1, [(1, 8, 1), (0, 0, 0)])
    kiosk.run(days(1, 1), *STAGES)
    with kiosk.warehouse() as warehouse:
        for table, column in (
            ("outcome_statistics", "n_unvalued"),
            ("action_statistics", "n_clicked_known"),
        ):
            warehouse.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        warehouse.reopen("metrics", None)
    kiosk.run(days(1, 1), "metrics")
    assert told(metric(kiosk, "value_per_prediction")) == (4.0, 2, "final", None)
    assert told(metric(kiosk, "click_through")) == (0.5, 2, "final", None)
    kiosk.run(days(1, 1), *STAGES)
    assert kiosk.rows("SELECT DISTINCT n_unvalued FROM outcome_statistics") == [(0,)], "a night that runs again is told"
