"""Files that list sales only: a day whose delivery has not come says nothing, and is no day without sales.

Every day has 20 predictions and 5 sales, 4 of them in France, whichever version answers; all expected figures are
fractions of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tests.kiosk import Kiosk, day, days
from tests.unit.stages.test_families import one

if TYPE_CHECKING:
    from pathlib import Path

STAGES = ("ingest", "statistics", "metrics")
TABLES = ("metrics", "comparisons", "decompositions", "worst_segments")
CHANGE, LAST = 9, 15
"""The first day of v2; the last night."""
LOST = (4, *range(11, LAST + 1))
"""Deliveries that never came: days 3 and 4, and those from 10 on, are not known by age 1."""
COUNTRIES, DEVICES = ["FR", "DE"] * 10, ["phone", "phone", "desk", "desk"] * 5
SOLD = [0, 2, 4, 6, 1]
"""Places of a day's predictions that sold: four in France, one in Germany."""
Tables = dict[str, pd.DataFrame]


def a_kiosk(root: Path, lost: tuple[int, ...] = LOST, per: str = "prediction", labelled: bool = True) -> Kiosk:
    """v1 is right half the time and v2 always; labels come at once, sales on the day after."""
    kiosk = Kiosk(root)
    kiosk.reference()
    kiosk.changes = {
        "labels": {"path": f"{root}/labels/{{day}}.csv", "ages": [1]} if labelled else None,
        "outcomes": {
            "path": f"{root}/outcomes/{{day}}.csv",
            "columns": {"value": "revenue"},
            "ages": [1],
            "per": per,
        },
        "segments": ["country", "device"],
        "min_rows": 2,
        "detection": {"recent_days": 7, "recent_gap": 1},
    }
    for number in range(1, LAST + 1):
        ids = [f"{number}-{place}" for place in range(20)]
        version = "v1" if number < CHANGE else "v2"
        kiosk.predict(number, ids, model_version=version, country=COUNTRIES, device=DEVICES)
        right = 10 if number < CHANGE else 20
        kiosk.label(number, {one: int(place < right) for place, one in enumerate(ids)})
        sold = [f"{number - 1}-{place}" for place in SOLD] if number > 1 else []
        if number not in lost:
            kiosk.outcome(number, dict.fromkeys(sold, 8.0))
    return kiosk


def everything(kiosk: Kiosk) -> Tables:
    with kiosk.warehouse() as warehouse:
        return {name: warehouse.read(name) for name in TABLES}


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    kiosk = a_kiosk(tmp_path_factory.mktemp("late"))
    kiosk.run(days(1, LAST), *STAGES)
    return everything(kiosk)


def test_a_version_whose_sales_have_not_come_is_held_against_nobody(tmp_path: Path) -> None:
    """Delivery 10 is lost too, so no day of v2 is known: no z, no row of conversion, and the labels speak alone."""
    kiosk = a_kiosk(tmp_path, (10, *LOST))
    kiosk.run(days(1, LAST), *STAGES)
    told = everything(kiosk)
    z = one(told["metrics"], metric="business_change_z", day=day(14), version="v2")
    assert np.isnan(z["value"])
    assert (z["n"], z["reason"]) == (0, "no labels or outcomes of one of the versions")
    assert np.isnan(one(told["metrics"], metric="model_up_business_down", day=day(14), version="v2")["value"])
    converted = one(told["comparisons"], metric="conversion", day=day(14), other="v1")
    assert (converted["n"], np.isnan(converted["value"])) == (0, True)
    verdict = one(told["comparisons"], metric="verdict", day=day(14), other="v1")
    assert verdict["verdict"] == "keep"
    assert verdict["reason"].startswith("v2 is right more often")


def test_what_is_known_is_held_against_days_that_are(late: Tables) -> None:
    """Of v2 day 9, 5 of 20; of v1 six of eight days, 30 of 120: nothing changed, in conversion or in value."""
    for metric, figure in (("conversion", 0.25), ("value_per_prediction", 2.0)):
        row = one(late["comparisons"], metric=metric, day=day(14), other="v1")
        assert (row["value"], row["n"]) == (figure, 20)
        assert (row["other_value"], row["other_n"]) == (figure, 120)
    z = one(late["metrics"], metric="business_change_z", day=day(14), version="v2")
    assert (z["value"], z["n"]) == (pytest.approx(0), 20)


def test_sales_of_one_day_in_six_are_too_few_for_a_verdict(tmp_path: Path) -> None:
    kiosk = a_kiosk(tmp_path, labelled=False)
    kiosk.run(days(1, LAST), *STAGES)
    verdict = one(kiosk.table("comparisons"), metric="verdict", day=day(14), other="v1")
    assert verdict["verdict"] == "not yet known"
    assert verdict["reason"] == "17% of the outcomes are in, and early ones are not like the others: 80% needed"


def test_a_day_that_is_not_known_did_not_change(late: Tables) -> None:
    """Day 9 is known, and its window's former figure is that of its known days; later days are not split or searched."""
    told = late["decompositions"]
    told = told[told["metric"] == "conversion"]
    assert set(told["day"].dt.day) == {2, 5, 6, 7, 8, 9}, "1 has no window"
    whole = one(told, day=day(9), dimension="country", segment="all")
    assert (whole["value"], whole["former"]) == (0.25, 0.25)
    assert whole["former_n"] == 100, "seven days before it, less 3 and 4"
    assert whole["change"] == pytest.approx(0, abs=1e-12)
    worst = late["worst_segments"]
    worst = worst[worst["metric"] == "conversion"]
    assert set(worst["day"].dt.day) <= {2, 5, 6, 7, 8, 9}
    assert not worst["found"].any(), "France, and phones in it, would fall the most if silence were no sale"


def test_known_outcomes_need_no_deliveries(tmp_path: Path) -> None:
    """Where each outcome is listed, what is known stays known."""
    kiosk = a_kiosk(tmp_path, per="known")
    kiosk.run(days(1, 10), *STAGES)
    row = one(kiosk.table("comparisons"), metric="conversion", day=day(9), other="v1")
    assert (row["value"], row["n"], row["other_n"]) == (1.0, 5, 35)


def test_nights_one_by_one_write_what_one_range_writes(late: Tables, tmp_path: Path) -> None:
    kiosk = a_kiosk(tmp_path)
    for number in (4, 2, 9, 11, 10, 15):
        kiosk.run(days(number, number), *STAGES)
    for name, table in everything(kiosk).items():
        pd.testing.assert_frame_equal(table, late[name], check_exact=True)
