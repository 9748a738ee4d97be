"""Several processes at once: models beside each other, runs of one model in a queue, readers beside writers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from jobs.engine.warehouse import WAIT_SECONDS, open_warehouse, read_published
from jobs.errors import WarehouseError
from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days

pytestmark = pytest.mark.slow

LAST = 12
COMPARED = ("deliveries", "metrics", "verdicts", "incidents", "decisions", "outbox")
HOLD = """
import sys
from pathlib import Path
{how}
print("ready", flush=True)
sys.stdin.read()
"""
BY_A_TASK = "from jobs.engine.warehouse import open_warehouse; held = open_warehouse(Path(sys.argv[1]), 'kiosk'); held.__enter__()"  # fmt: skip
BY_A_READER = "import duckdb; held = duckdb.connect(sys.argv[1] + '/kiosk.duckdb', read_only=True)"
READ = """
import json, sys, time
from pathlib import Path
from jobs.engine.warehouse import read_published

home, until = Path(sys.argv[1]), Path(sys.argv[2])
seen, odd, last = set(), [], 0
print("ready", flush=True)
while not until.exists():
    with read_published(home, "kiosk") as connection:
        stamp, other, rows = connection.execute("SELECT MIN(stamp), MAX(stamp), COUNT(*) FROM stamps").fetchone()
        again = connection.execute("SELECT MAX(stamp) FROM stamps").fetchone()[0]
    if not (stamp == other == again and rows == 20_000 + stamp and stamp >= last):
        odd.append([stamp, other, again, rows, last])
    last = stamp
    seen.add(stamp)
print(json.dumps({"seen": sorted(seen), "odd": odd}))
"""


def nightjar(kiosk: Kiosk, model: str, *arguments: str) -> subprocess.Popen[str]:
    """The command line in a process of its own, with the kiosk's spec under a model's name."""
    models = kiosk.home / "models"
    models.mkdir(parents=True, exist_ok=True)
    given = json.loads(kiosk.spec.model_dump_json(exclude_defaults=True)) | {"model": model}
    (models / f"{model}.yaml").write_text(json.dumps(given), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "jobs", "run", model, *arguments],
        env={**os.environ, "NIGHTJAR_HOME": str(kiosk.home), "NIGHTJAR_MODELS": str(models)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], seconds: float = 120) -> str:
    said, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, said
    return said


def holding(how: str, home: Path) -> subprocess.Popen[str]:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(how=how), str(home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    return other


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kiosk = Kiosk(tmp_path_factory.mktemp("kiosk"))
    kiosk.reference()
    for number in range(1, LAST):  # nothing comes on the last day, so that incidents are written too
        ids = [f"{number}-{row}" for row in range(60)]
        kiosk.predict(number, ids)
        kiosk.label(number, {f"{number - 1}-{row}": row % 2 for row in range(60)})
        kiosk.outcome(number, {ids[0]: 2.5, ids[1]: 0})
    return kiosk.root


@pytest.fixture(scope="module")
def undisturbed(deliveries: Path) -> dict[str, pd.DataFrame]:
    kiosk = Kiosk(deliveries)
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    tables = {name: kiosk.table(name) for name in COMPARED}
    assert len(tables["incidents"])
    return tables


@pytest.fixture
def kiosk(tmp_path: Path, deliveries: Path) -> Kiosk:
    return Kiosk(deliveries, house=tmp_path)


def same(kiosk: Kiosk, undisturbed: dict[str, pd.DataFrame]) -> None:
    for name, rows in undisturbed.items():
        pd.testing.assert_frame_equal(kiosk.table(name), rows, check_exact=True)


def test_the_night_of_one_model_ends_while_another_model_is_held_all_the_time(kiosk: Kiosk) -> None:
    holder = holding(BY_A_TASK, kiosk.home)
    ended(nightjar(kiosk, "stall", "--day", str(day(1))))
    assert holder.poll() is None
    holder.communicate("")


def test_four_runs_of_one_model_at_once_queue_and_lose_nothing(
    kiosk: Kiosk, undisturbed: dict[str, pd.DataFrame]
) -> None:
    asked = [("--day", str(day(LAST))), ("--day", str(day(3))), ("--from", str(day(1)), "--to", str(day(LAST)))]
    runs = [nightjar(kiosk, "kiosk", *arguments) for arguments in [*asked, asked[0]]]
    for run in runs:
        ended(run)
    same(kiosk, undisturbed)


@pytest.mark.parametrize("how", [BY_A_TASK, BY_A_READER], ids=["by a task", "by a reader"])
def test_a_night_that_finds_its_file_held_waits_and_then_goes_on(
    kiosk: Kiosk, undisturbed: dict[str, pd.DataFrame], how: str
) -> None:
    kiosk.run(days(1, LAST - 1), *STAGE_NAMES)
    holder = holding(how, kiosk.home)
    night = nightjar(kiosk, "kiosk", "--day", str(day(LAST)))
    with pytest.raises(subprocess.TimeoutExpired):
        night.wait(6)  # alone it takes about 3 s
    holder.communicate("")
    ended(night)
    same(kiosk, undisturbed)


def test_the_command_line_holds_a_file_as_a_task_does_and_the_wait_has_an_end(kiosk: Kiosk) -> None:
    kiosk.run(days(1, 1))
    running = nightjar(kiosk, "kiosk", "--from", str(day(1)), "--to", str(day(LAST)))
    met, deadline = [], time.monotonic() + 60
    while running.poll() is None and not met and time.monotonic() < deadline:
        try:
            with open_warehouse(kiosk.home, "kiosk", wait=0):
                pass
        except WarehouseError as error:
            met.append(str(error))
        time.sleep(0.2)
    ended(running)
    assert met
    assert "kiosk.duckdb.lock, which another run of this model holds; wait for it to end and run again" in met[0]
    assert WAIT_SECONDS < 3600 / 2  # well within the shipped `schedule.timeout_minutes`, so that the sentence is told


def test_a_reader_in_a_loop_sees_whole_nights_in_their_order_through_thirty_publications(tmp_path: Path) -> None:
    def publish(stamp: int) -> None:
        with open_warehouse(tmp_path, "kiosk") as warehouse:
            with warehouse.transaction():
                warehouse.execute("CREATE OR REPLACE TABLE stamps (stamp INTEGER, text VARCHAR)")
                warehouse.execute(
                    f"INSERT INTO stamps SELECT {stamp}, md5(CAST(range AS VARCHAR)) FROM range(20000 + {stamp})"
                )
            warehouse.publish()

    publish(0)
    until = tmp_path / "enough"
    reader = subprocess.Popen(
        [sys.executable, "-c", READ, str(tmp_path), str(until)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "ready\n"
    with read_published(tmp_path, "kiosk") as kept_open:  # a dashboard that holds the copy for hours
        for stamp in range(1, 31):
            publish(stamp)
        assert kept_open.execute("SELECT MAX(stamp) FROM stamps").fetchone() == (0,)
    until.touch()
    said, faults = reader.communicate(timeout=60)
    assert reader.returncode == 0, faults
    found = json.loads(said)
    assert found["odd"] == []
    assert len(found["seen"]) > 5
    with read_published(tmp_path, "kiosk") as connection:
        assert connection.execute("SELECT MAX(stamp) FROM stamps").fetchone() == (30,)
    assert [path.name for path in (tmp_path / "published").iterdir()] == ["kiosk.duckdb"]
