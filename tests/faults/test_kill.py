"""A process killed in the middle of any stage loses nothing and leaves no half night behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

LAST = 20
COMPARED = ("deliveries", "prediction_statistics", "feature_statistics", "label_statistics", "metrics", "contributions", "verdicts", "incidents", "decisions", "outbox")  # fmt: skip
DYING = """
import os, signal, sys
from pathlib import Path
from jobs.engine.warehouse import Warehouse
from jobs.periods import Period, parse_day
from jobs.pipeline import STAGE_NAMES, run
from jobs.spec.model import ModelSpec

doomed, writes = sys.argv[4], int(sys.argv[5])
real = Warehouse.execute if doomed == "report" else Warehouse.insert
def die(*given, **named):
    global writes
    answer = real(*given, **named)
    writes -= 1
    if writes == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

spec = ModelSpec.model_validate_json(Path(sys.argv[1]).read_text())
period = Period(parse_day(sys.argv[2]), parse_day(sys.argv[3]))
home = Path(os.environ["NIGHTJAR_HOME"])
list(run(spec, period, home, STAGE_NAMES[: STAGE_NAMES.index(doomed)]))
if doomed == "report":
    import jobs.stages.report as report
    real = report.write
    report.write = die
else:
    Warehouse.insert = die
list(run(spec, period, home, (doomed,)))
"""


def three_weeks(kiosk: Kiosk) -> Kiosk:
    """Steady days, then a night without deliveries, so that incidents are written too."""
    kiosk.reference()
    for number in range(1, LAST):
        ids = [f"{number}-{row}" for row in range(60)]
        kiosk.predict(number, ids)
        kiosk.label(number, {f"{number - 1}-{row}": row % 2 for row in range(60)})
        kiosk.outcome(number, {ids[0]: 2.5, ids[1]: 0})
    return kiosk


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_weeks(Kiosk(tmp_path_factory.mktemp("kiosk"))).root


@pytest.fixture(scope="module")
def undisturbed(deliveries: Path) -> dict[str, pd.DataFrame]:
    kiosk = Kiosk(deliveries)
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    tables = {name: kiosk.table(name) for name in COMPARED}
    assert len(tables["incidents"])
    return tables


@pytest.mark.parametrize(
    ("stage", "writes"),
    [("ingest", 1), ("ingest", 5), ("statistics", 1), ("statistics", 4), ("metrics", 1), ("anomalies", 1), ("incidents", 2), ("report", 7)],
)  # fmt: skip
def test_the_run_after_a_kill_ends_as_if_nothing_had_happened(
    tmp_path: Path, deliveries: Path, undisturbed: dict[str, pd.DataFrame], stage: str, writes: int
) -> None:
    kiosk = Kiosk(deliveries, house=tmp_path)
    spec = tmp_path / "spec.json"
    spec.write_text(kiosk.spec.model_dump_json())
    dead = subprocess.run(
        [sys.executable, "-c", DYING, str(spec), str(day(1)), str(day(LAST)), stage, str(writes)],
        env={**os.environ, "NIGHTJAR_HOME": str(kiosk.home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    for name in COMPARED:
        pd.testing.assert_frame_equal(kiosk.table(name), undisturbed[name], check_exact=True)
    assert len(list((kiosk.home / "reports").rglob("index.html"))) >= LAST
    assert not [path for path in (kiosk.home / "reports").rglob("*") if path.name.startswith(".index")]
