"""Prophet that hangs, that is not there, or whose program hangs: the night ends, and its verdicts name who spoke.

Each case is a process of its own, because what hangs is left behind in it. The limits are shorter than the shipped ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

LAST = 60
"""The volume collapses on this day."""

NIGHT = """
import os, sys, time
from pathlib import Path
from jobs.methods import weekly_fit
from jobs.periods import Period, parse_day
from jobs.pipeline import run
from jobs.spec.model import ModelSpec

{planted}

spec = ModelSpec.model_validate_json(Path(sys.argv[1]).read_text())
for summary in run(spec, Period.of(parse_day(sys.argv[2])), Path(os.environ["NIGHTJAR_HOME"])):
    print(summary, *summary.notes, sep="; ")
"""

HANGING_FIT = """
import prophet
weekly_fit.GIVEN_UP_SECONDS = 3
prophet.Prophet.fit = lambda *given, **named: time.sleep(3600)
"""

HANGING_IMPORT = """
import importlib.machinery
class Stuck:
    def find_spec(self, name, *rest):
        return importlib.machinery.ModuleSpec(name, self) if name == "prophet" else None
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        time.sleep(3600)
weekly_fit.GIVEN_UP_SECONDS = 3
sys.meta_path.insert(0, Stuck())
"""

HANGING_PROGRAM = """
import prophet.models
weekly_fit.TIMEOUT_SECONDS = 2
folder = Path(os.environ["NIGHTJAR_HOME"])
(folder / "prophet_model.bin").write_text("#!/bin/sh\\n[ $1 = info ] || exec sleep 3600\\n")
(folder / "prophet_model.bin").chmod(0o755)
class Planted(prophet.models.CmdStanPyBackend):
    def load_model(self):
        import cmdstanpy
        return cmdstanpy.CmdStanModel(exe_file=str(folder / "prophet_model.bin"))
prophet.models.StanBackendEnum.get_backend_class = staticmethod(lambda name: Planted)
"""

NOT_THERE = """
class Gone:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in ("prophet", "cmdstanpy"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Gone())
"""

CASES = {
    "hanging fit": (HANGING_FIT, "TimeoutError: no answer within 3 s"),
    "hanging import": (HANGING_IMPORT, "TimeoutError: no answer within 3 s"),
    "hanging program": (HANGING_PROGRAM, "TimeoutError"),
    "not installed": (NOT_THERE, "ModuleNotFoundError: No module named 'prophet'"),
}


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months with a week's shape; on the last day less than half of the rows."""
    kiosk = Kiosk(tmp_path_factory.mktemp("kiosk"))
    kiosk.reference()
    for number in range(1, LAST + 1):
        rows = 55 if number == LAST else 90 + 5 * (number % 7) + number * 7919 % 11
        scores = [(row * 31 + number * 17) % 97 / 97 for row in range(rows)]
        kiosk.predict(number, [f"{number}-{row}" for row in range(rows)], score=scores)
        kiosk.label(number, {f"{number - 1}-{row}": int((row * 13 + number * 7) % 9 < 6) for row in range(50)})
    return kiosk.root


@pytest.fixture(scope="module")
def until_the_day_before(deliveries: Path) -> Path:
    kiosk = Kiosk(deliveries)
    kiosk.run(days(1, LAST - 1), *STAGE_NAMES)
    return kiosk.home


def kiosk_at(deliveries: Path, before: Path, house: Path) -> Kiosk:
    """A kiosk that has run until the day before."""
    (house / "kiosk.duckdb").write_bytes((before / "kiosk.duckdb").read_bytes())
    return Kiosk(deliveries, house=house)


def verdicts(kiosk: Kiosk) -> pd.DataFrame:
    """Of the last night, what was held against an expected range."""
    table = kiosk.table("verdicts")
    told = (table["night"] == pd.Timestamp(day(LAST))) & table["rule"].str.contains("outside expected")
    return table[told & table["distance"].notna()]


@pytest.mark.parametrize("case", CASES)
def test_the_night_ends_and_its_verdicts_name_the_seasonal_median_and_why(
    tmp_path: Path, deliveries: Path, until_the_day_before: Path, case: str
) -> None:
    planted, why = CASES[case]
    kiosk = kiosk_at(deliveries, until_the_day_before, tmp_path)
    spec = tmp_path / "spec.json"
    spec.write_text(kiosk.spec.model_dump_json(), encoding="utf-8")
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", NIGHT.format(planted=planted), str(spec), str(day(LAST))],
        env={**os.environ, "NIGHTJAR_HOME": str(kiosk.home)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 60  # two fits are waited for; a night of all of them would take longer
    assert f"Prophet failed for {len(verdicts(kiosk))} figures ({why}" in done.stdout

    told = verdicts(kiosk)
    assert len(told) > 2
    assert set(told["detector"]) == {"seasonal_median"}
    assert told["reason"].str.contains(f"Prophet failed ({why}", regex=False).any()
    assert told["reason"].str.endswith("the seasonal median spoke instead").all()
    collapse = told[told["metric"] == "volume"].iloc[0]
    assert collapse["verdict"] == "breach"  # the fallback finds what there is to find
    assert len(kiosk.table("incidents"))
    assert (kiosk.home / "reports" / "kiosk" / str(day(LAST)) / "index.html").exists()


def test_when_prophet_is_back_the_night_run_again_says_what_it_would_have_said(
    tmp_path: Path, deliveries: Path, until_the_day_before: Path
) -> None:
    houses = [tmp_path / name for name in ("undisturbed", "repaired")]
    for house in houses:
        house.mkdir()
    undisturbed, repaired = (kiosk_at(deliveries, until_the_day_before, house) for house in houses)
    undisturbed.run(days(LAST, LAST), *STAGE_NAMES)
    spec = tmp_path / "spec.json"
    spec.write_text(repaired.spec.model_dump_json(), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-c", NIGHT.format(planted=NOT_THERE), str(spec), str(day(LAST))],
        env={**os.environ, "NIGHTJAR_HOME": str(repaired.home)}, check=True, capture_output=True,
    )  # fmt: skip
    assert set(verdicts(repaired)["detector"]) == {"seasonal_median"}
    repaired.run(days(LAST, LAST), *STAGE_NAMES)
    assert set(verdicts(undisturbed)["detector"]) == {"prophet"}
    for name in ("verdicts", "incidents", "decisions", "outbox"):
        pd.testing.assert_frame_equal(repaired.table(name), undisturbed.table(name), check_exact=True)
