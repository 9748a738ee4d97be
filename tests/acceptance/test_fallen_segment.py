"""One of ninety segments falls by 80 % or vanishes while the total stays: found that night, named, and one incident."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days

WARM_UP, QUIET = 50, 60
FALLS = WARM_UP + QUIET + 1
SEGMENTS = 90
FALLEN = "shop=s17"


def rows_of(number: int, fallen: float) -> pd.DataFrame:
    """A day of about 5,600 rows in ninety shops of 20 to 120; weekends have a third less, every shop its own luck.

    From day FALLS on shop s17 keeps the share `fallen` of its rows, and the other shops share what it lost.
    """
    rng = np.random.default_rng(number)
    sizes = np.linspace(20, 120, SEGMENTS)
    sizes[17] = 70.0
    weekend = 0.67 if day(number).weekday() >= 5 else 1.0
    usual = sizes * weekend * np.exp(rng.normal(0, 0.08, SEGMENTS))
    if number >= FALLS:
        lost = usual[17] * (1 - fallen)
        usual *= 1 + lost / (usual.sum() - usual[17])
        usual[17] = 70.0 * weekend * fallen
    shop = np.repeat(np.arange(SEGMENTS), rng.poisson(usual))
    n = len(shop)
    return pd.DataFrame(
        {
            "request_id": [f"{number}-{row}" for row in range(n)],
            "shop": [f"s{one}" for one in shop],
            "score": rng.choice([0.25, 0.75], n),
            "decision": rng.choice([0, 1], n),
            "price": rng.choice([1.0, 2.0, 3.0, 4.0], n),
            "colour": rng.choice(["red", "blue"], n),
        }
    )


def shops(root: Path, fallen: float) -> Kiosk:
    """A kiosk of ninety shops with the default rules."""
    made = Kiosk(root, {"labels": None, "outcomes": None, "segments": ["shop"]})
    made.reference()
    for number in range(1, FALLS + 2):
        rows = rows_of(number, fallen)
        made.predict(number, rows.pop("request_id").tolist(), **{name: rows[name].to_numpy() for name in rows})
    made.run(days(1, FALLS - 1), *STAGE_NAMES[:5])
    return made


@pytest.fixture(scope="module", params=[0.2, 0.0], ids=["falls", "vanishes"])
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Kiosk, float]:
    """The shops after the night on which one fell, and how many seconds that night took."""
    made = shops(tmp_path_factory.mktemp("shops"), request.param)
    begun = time.monotonic()
    made.run(days(FALLS, FALLS), *STAGE_NAMES[:5])
    return made, time.monotonic() - begun


def test_the_sixty_nights_before_raise_no_alarm(watched: tuple[Kiosk, float]) -> None:
    told = watched[0].rows(f"SELECT night, title FROM incidents WHERE night < DATE '{day(FALLS)}'")
    assert told == []


def test_every_shop_is_judged_on_every_quiet_night(watched: tuple[Kiosk, float]) -> None:
    counted = watched[0].rows(
        f"""SELECT COUNT(DISTINCT night), COUNT(*) FROM verdicts WHERE rule = 'volume drop 50% on usual share by segment'
            AND verdict = 'ok' AND night >= DATE '{day(WARM_UP + 1)}' AND night < DATE '{day(FALLS)}'"""
    )
    assert counted == [(QUIET, QUIET * SEGMENTS)]


def test_it_is_found_that_night_and_named(watched: tuple[Kiosk, float]) -> None:
    found = watched[0].rows(
        f"SELECT segment, severity FROM verdicts WHERE verdict = 'breach' AND night = DATE '{day(FALLS)}'"
    )
    assert found == [(FALLEN, "warning")]
    incidents = watched[0].rows("SELECT night, state, title FROM incidents")
    assert [(night, state) for night, state, _ in incidents] == [(day(FALLS), "opened")]
    assert f"for {FALLEN} (by its usual share " in incidents[0][2]


def test_the_night_takes_seconds(watched: tuple[Kiosk, float]) -> None:
    assert watched[1] < 30, "on two busy cores; about 2 s on quiet ones"


def test_one_incident_goes_on_while_it_lasts(watched: tuple[Kiosk, float]) -> None:
    watched[0].run(days(FALLS + 1, FALLS + 1), *STAGE_NAMES[:5])
    told = watched[0].rows(
        f"SELECT state, COUNT(*) FROM incidents WHERE night = DATE '{day(FALLS + 1)}' GROUP BY state"
    )
    assert told == [("ongoing", 1)]


def test_one_range_says_the_same_as_the_night_alone(
    watched: tuple[Kiosk, float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    nightly = watched[0]
    whole = Kiosk(nightly.root, nightly.changes, house=tmp_path_factory.mktemp("whole"))
    whole.run(days(1, FALLS), *STAGE_NAMES[:5])
    asked = f"SELECT * FROM verdicts WHERE night <= DATE '{day(FALLS)}' ORDER BY ALL"
    assert whole.rows(asked) == nightly.rows(asked)
