"""One writer at a time, all or nothing, and a file that names who holds it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest

from jobs.engine.warehouse import model_file, open_warehouse
from jobs.errors import OrderError, WarehouseError
from tests.kiosk import day, days

ARRIVAL = pd.DataFrame(
    {
        "known_day": [pd.Timestamp(day(1))],
        "source": ["labels"],
        "n": [1],
        "n_corrected": [0],
        "n_unknown": [0],
    }
)


def holding(program: str, home: Path) -> subprocess.Popen[str]:
    """Another process that runs `program`, says `ready` and then waits for its input to end."""
    text = textwrap.dedent(program) + "\nprint('ready', flush=True)\nsys.stdin.read()\n"
    other = subprocess.Popen(
        [sys.executable, "-c", "import sys\n" + text, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    return other


WRITER = """
    from pathlib import Path
    from jobs.engine.warehouse import open_warehouse
    held = open_warehouse(Path(sys.argv[1]), "kiosk")
    held.__enter__()
"""
READER = """
    import duckdb
    held = duckdb.connect(sys.argv[1] + "/kiosk.duckdb", read_only=True)
"""


@pytest.mark.parametrize(
    ("program", "sentence"),
    [(WRITER, "which another run of this model holds"), (READER, "Close the program that holds it")],
)
def test_a_writer_waits_a_bounded_time_and_says_who_is_in_the_way(tmp_path: Path, program: str, sentence: str) -> None:
    with open_warehouse(tmp_path, "kiosk"):
        pass
    other = holding(program, tmp_path)
    try:
        with pytest.raises(WarehouseError, match=sentence), open_warehouse(tmp_path, "kiosk", wait=0.5):
            pass
    finally:
        other.communicate("")


@pytest.mark.parametrize("program", [WRITER, READER])
def test_a_killed_holder_leaves_nothing_locked(tmp_path: Path, program: str) -> None:
    with open_warehouse(tmp_path, "kiosk"):
        pass
    other = holding(program, tmp_path)
    other.kill()
    other.communicate()
    with open_warehouse(tmp_path, "kiosk", wait=5) as warehouse:
        assert warehouse.progress("ingest") is None


def test_two_models_never_wait_for_each_other(tmp_path: Path) -> None:
    with open_warehouse(tmp_path, "one"), open_warehouse(tmp_path, "two", wait=0) as two:
        assert two.model == "two"


def test_a_failed_replacement_leaves_the_former_rows(tmp_path: Path) -> None:
    with open_warehouse(tmp_path, "kiosk") as warehouse:
        warehouse.replace("statistics", days(1, 1), {"arrival_statistics": ARRIVAL})
        broken = ARRIVAL.assign(n="many")
        with pytest.raises(Exception, match="many"):
            warehouse.replace("statistics", days(1, 1), {"arrival_statistics": broken})
        assert warehouse.read("arrival_statistics")["n"].tolist() == [1]


def test_replacing_twice_changes_nothing(tmp_path: Path) -> None:
    with open_warehouse(tmp_path, "kiosk") as warehouse:
        for _ in range(2):
            assert warehouse.replace("statistics", days(1, 1), {"arrival_statistics": ARRIVAL}) == {
                "arrival_statistics": 1
            }
        assert len(warehouse.read("arrival_statistics")) == 1


def test_finished_nights_stay_a_prefix_of_history(tmp_path: Path) -> None:
    with open_warehouse(tmp_path, "kiosk") as warehouse:
        warehouse.finish("ingest", days(1, 2))
        with pytest.raises(OrderError, match="has finished through 2025-01-02, so 2025-01-04 would leave a gap"):
            warehouse.finish("ingest", days(4, 4))


def test_how_far_a_stage_had_come_is_known_until_it_is_as_far_again(tmp_path: Path) -> None:
    with open_warehouse(tmp_path, "kiosk") as warehouse:
        warehouse.finish("metrics", days(1, 9))
        warehouse.reopen("metrics", day(10))
        assert warehouse.reached("metrics") is None
        for since in (day(5), day(3), None):
            warehouse.reopen("metrics", since)
            assert warehouse.reached("metrics") == day(9)
        warehouse.finish("metrics", days(1, 8))
        assert warehouse.reached("metrics") == day(9)
        warehouse.finish("metrics", days(9, 9))
        assert warehouse.reached("metrics") is None


def test_nothing_but_the_models_files_is_written(tmp_path: Path) -> None:
    with open_warehouse(tmp_path, "kiosk") as warehouse:
        warehouse.publish()
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written <= {"kiosk.duckdb", "kiosk.duckdb.lock", "published/kiosk.duckdb"}
    assert model_file(tmp_path, "kiosk").exists()


def test_a_full_disk_is_told_with_what_to_do_and_costs_nothing_that_was_there(tmp_path: Path) -> None:
    with open_warehouse(tmp_path, "kiosk") as warehouse:
        warehouse.replace("statistics", days(1, 1), {"arrival_statistics": ARRIVAL})
    program = """
        import resource, sys
        from pathlib import Path
        from jobs.engine.warehouse import open_warehouse
        from jobs.errors import WarehouseError
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))  # as a disk with that much room
        try:
            with open_warehouse(Path(sys.argv[1]), "kiosk") as warehouse, warehouse.transaction():
                warehouse.execute("DELETE FROM arrival_statistics")
                warehouse.execute("CREATE TABLE big AS SELECT md5(CAST(range AS VARCHAR)) AS x FROM range(2000000)")
        except WarehouseError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "kiosk.duckdb" in done.stdout
    assert f"make room on the disk of {tmp_path} and run again" in done.stdout
    with open_warehouse(tmp_path, "kiosk") as warehouse:
        assert len(warehouse.read("arrival_statistics")) == 1
        assert not warehouse.has("big")


def test_what_a_killed_publication_left_behind_is_gone_after_the_next(tmp_path: Path) -> None:
    with open_warehouse(tmp_path, "kiosk") as warehouse:
        half = warehouse.publish().with_name(".kiosk.duckdb.12345")
        half.write_bytes(b"half")
        warehouse.publish()
    assert not half.exists()


def test_a_long_statement_draws_nothing_on_the_terminal_of_others(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from jobs.engine.warehouse import open_warehouse\n"
        "with open_warehouse(Path(sys.argv[1]), 'shop') as warehouse:\n"
        "    print(warehouse.execute(\"SELECT current_setting('enable_progress_bar')\").fetchone())"
    )
    said = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("(False,)\n", "")


def test_a_statement_that_needs_more_than_its_memory_finds_the_folder_to_spill_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTJAR_MEMORY", "40MB")
    with open_warehouse(tmp_path, "toy") as warehouse:
        warehouse.execute("CREATE TEMP TABLE wide AS SELECT HASH(range) AS a, HASH(range + 1) AS b FROM range(8000000)")
        assert warehouse.execute("SELECT COUNT(*) FROM wide").fetchone() == (8_000_000,)
