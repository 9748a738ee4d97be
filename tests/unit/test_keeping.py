"""Copies of what cannot be computed again: made between two nights, put back whole, and nothing is sent twice."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from jobs import delivery, keeping
from jobs.cli import main
from jobs.engine.warehouse import model_file, open_warehouse
from jobs.errors import UsageError, WarehouseError
from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days
from tests.receivers import mail_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAST = 16


@pytest.fixture
def told(kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> Kiosk:
    """A kiosk whose last night found nothing delivered, and said so in a mail."""
    kiosk.changes |= {
        "labels": None, "outcomes": None, "mail": {"to": ["night@example.org"]},
        "rules": [{"metric": "psi", "above": 50.0}],
    }  # fmt: skip
    for number in range(1, LAST):
        kiosk.predict(number, [f"{number}-{row}" for row in range(60)])
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    with mail_server() as server:
        monkeypatch.setenv(delivery.SERVER, server.url)
        delivery.dispatch(kiosk.spec, day(LAST), kiosk.home, day(LAST))
        assert len(server.letters) == 1
    monkeypatch.setenv("NIGHTJAR_HOME", str(kiosk.home))
    return kiosk


def test_a_copy_put_back_after_a_loss_has_every_row_and_sends_nothing_again(told: Kiosk, tmp_path: Path) -> None:
    metrics, ledger = told.table("metrics"), told.rows("SELECT * FROM dispatches ORDER BY key")
    keeping.back_up(told.home, "kiosk", tmp_path / "copies")
    model_file(told.home, "kiosk").unlink()
    keeping.restore(tmp_path / "copies", told.home, "kiosk")
    assert told.table("metrics").equals(metrics)
    assert told.rows("SELECT * FROM dispatches ORDER BY key") == ledger
    with mail_server() as server:
        delivery.dispatch(told.spec, day(LAST), told.home, day(LAST))
        assert server.letters == []


def test_what_stood_there_is_kept(told: Kiosk, tmp_path: Path) -> None:
    keeping.back_up(told.home, "kiosk", tmp_path / "copies")
    told.predict(LAST + 1, ["late"])
    told.run(days(LAST + 1, LAST + 1), "ingest")
    kept = keeping.restore(tmp_path / "copies", told.home, "kiosk")
    assert told.rows("SELECT COUNT(*) FROM predictions WHERE id = 'late'") == [(0,)]
    with open_warehouse(kept.parent, "kiosk", wait=5) as former:
        assert former.execute("SELECT COUNT(*) FROM predictions WHERE id = 'late'").fetchall() == [(1,)]


def test_a_copy_is_never_made_in_the_middle_of_a_night(told: Kiosk, tmp_path: Path) -> None:
    """Another process holds the model and ends after a moment; the copy is made then, and is whole."""
    program = (
        "import sys, time; from pathlib import Path; from jobs.engine.warehouse import open_warehouse\n"
        "with open_warehouse(Path(sys.argv[1]), 'kiosk') as held:\n"
        "    with held.transaction():\n"
        "        held.execute('DELETE FROM metrics')\n"
        "        print('ready', flush=True); time.sleep(1.5)\n"
        "        held.execute(\"INSERT INTO progress VALUES ('night', DATE '2025-01-01', DATE '2025-01-02', 'x')\")\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(told.home)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        keeping.back_up(told.home, "kiosk", tmp_path / "copies")
    with open_warehouse(tmp_path / "copies", "kiosk", wait=5) as copy:
        assert copy.execute("SELECT COUNT(*) FROM metrics").fetchall() == [(0,)]
        assert copy.execute("SELECT COUNT(*) FROM progress WHERE stage = 'night'").fetchall() == [(1,)]


def test_a_torn_copy_is_refused_and_nothing_is_touched(told: Kiosk, tmp_path: Path) -> None:
    copy = keeping.back_up(told.home, "kiosk", tmp_path / "copies")
    copy.write_bytes(copy.read_bytes()[:5000])
    metrics = told.table("metrics")
    with pytest.raises(UsageError, match="is no copy that can be restored"):
        keeping.restore(tmp_path / "copies", told.home, "kiosk")
    assert told.table("metrics").equals(metrics)


def zeroed(file: Path) -> None:
    """Its header is gone, as after a crash of a file system that had not written it yet."""
    file.write_bytes(bytes(4096) + file.read_bytes()[4096:])


def cut(file: Path) -> None:
    """It ends early, as after a full disk."""
    file.write_bytes(file.read_bytes()[:5000])


def scattered(file: Path) -> None:
    """Its header stands, and every block behind it is something else."""
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + bytes(byte ^ 0xA5 for byte in whole[8192:]))


@pytest.mark.parametrize("damage", [zeroed, cut, scattered])
def test_a_damaged_file_is_named_so_and_replaced_and_kept_as_it_was(
    told: Kiosk, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    file, folder = model_file(told.home, "kiosk"), str(tmp_path / "copies")
    metrics = told.table("metrics")
    keeping.back_up(told.home, "kiosk", tmp_path / "copies")
    damage(file)
    broken = file.read_bytes()
    with pytest.raises(WarehouseError, match=r"is damaged: .* `nightjar restore FOLDER kiosk`"):
        told.table("metrics")
    put_back = CliRunner().invoke(main, ["restore", folder, "kiosk"])
    assert (put_back.exit_code, put_back.exception) == (0, None)
    assert told.table("metrics").equals(metrics)
    assert (told.home / keeping.SAVED / "kiosk.duckdb").read_bytes() == broken


def test_the_log_of_a_damaged_file_is_kept_with_it_and_not_read_into_the_copy(told: Kiosk, tmp_path: Path) -> None:
    file = model_file(told.home, "kiosk")
    keeping.back_up(told.home, "kiosk", tmp_path / "copies")
    zeroed(file)
    log = file.with_name("kiosk.duckdb.wal")
    log.write_bytes(b"the last commits")
    kept = keeping.restore(tmp_path / "copies", told.home, "kiosk")
    assert kept.with_name("kiosk.duckdb.wal").read_bytes() == b"the last commits"
    assert not log.exists()


def test_the_commands_say_what_they_copied_and_what_there_is(told: Kiosk, tmp_path: Path) -> None:
    folder = str(tmp_path / "copies")
    made = CliRunner().invoke(main, ["backup", folder])
    assert (made.exit_code, made.output) == (0, f"kiosk: {folder}/kiosk.duckdb\n")
    refused = CliRunner().invoke(main, ["restore", folder, "kiosq"])
    assert refused.exit_code == 2
    assert "kiosq.duckdb does not exist" in refused.output
    assert "holds: kiosk" in refused.output
    assert CliRunner().invoke(main, ["restore", folder, "kiosk", "--registry"]).exit_code == 0


def test_one_damaged_model_keeps_no_other_and_not_the_registry_from_being_copied(told: Kiosk, tmp_path: Path) -> None:
    from jobs.engine.registry_sqlite import EmbeddedRegistry

    folder = tmp_path / "copies"
    (tmp_path / "weights").write_bytes(b"weights")
    EmbeddedRegistry(told.home / "registry").register("kiosk", "kiosk-1", tmp_path / "weights", {})
    with open_warehouse(told.home, "alpha"):
        pass
    former = keeping.back_up(told.home, "alpha", folder)
    kept = former.read_bytes()
    zeroed(model_file(told.home, "alpha"))  # the first by name
    made = CliRunner().invoke(main, ["backup", str(folder)])
    assert made.exit_code == 2
    fault, *copied = made.output.splitlines()
    assert fault.startswith("FAULT alpha: ")
    assert "is damaged" in fault
    assert copied == [f"kiosk: {folder}/kiosk.duckdb", f"registry: {folder}/registry"]
    assert former.read_bytes() == kept


def test_an_error_that_is_not_ours_is_passed_over_too(
    told: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping, "back_up_registry", full)
    made = CliRunner().invoke(main, ["backup", str(tmp_path / "copies")])
    assert made.exit_code == 2
    assert f"kiosk: {tmp_path}/copies/kiosk.duckdb\n" in made.output
    assert "FAULT registry: cannot be copied: OSError: [Errno 28] No space left on device\n" in made.output


def test_copies_older_than_two_days_are_named_and_those_that_never_were(told: Kiosk, tmp_path: Path) -> None:
    folder, now = tmp_path / "copies", datetime(2025, 6, 10, 14, tzinfo=UTC)

    def dated(path: Path, days: float) -> None:
        moment = (now - timedelta(days=days)).timestamp()
        os.utime(path, (moment, moment))

    for page in (told.home / "reports" / "kiosk").rglob("*"):
        dated(page, 1)
    assert keeping.stale(told.home, folder, [], now) == []  # its first copy has time until tomorrow
    for page in (told.home / "reports" / "kiosk").rglob("*"):
        dated(page, 3)
    (said,) = keeping.stale(told.home, folder, [], now)
    assert said.startswith(f"kiosk: there is no copy {folder}/kiosk.duckdb; see what `nightjar backup {folder}` says")
    copy = keeping.back_up(told.home, "kiosk", folder)
    dated(copy, 2)
    assert keeping.stale(told.home, folder, [], now) == []
    dated(copy, 2.1)
    (said,) = keeping.stale(told.home, folder, ["kiosk"], now)
    assert said.startswith(f"kiosk: its copy {copy} is older than two days (2025-06-08 11:36 UTC); see what")
    assert keeping.stale(told.home, folder, ["other"], now) == []


def test_a_registry_without_a_fresh_copy_is_named(tmp_path: Path) -> None:
    from jobs.engine.registry_sqlite import EmbeddedRegistry

    home, folder, later = tmp_path / "home", tmp_path / "copies", datetime.now(UTC) + timedelta(days=3)
    (tmp_path / "weights").write_bytes(b"weights")
    EmbeddedRegistry(home / "registry").register("shop", "shop-1", tmp_path / "weights", {})
    assert keeping.stale(home, folder, [], datetime.now(UTC)) == []
    assert keeping.stale(home, folder, [], later)[0].startswith("registry: there is no copy")
    keeping.back_up_registry(home, folder)
    assert keeping.stale(home, folder, [], datetime.now(UTC)) == []
    assert keeping.stale(home, folder, [], later)[0].startswith("registry: its copy")


def test_the_registry_of_champions_is_copied_with_its_files(tmp_path: Path) -> None:
    from jobs.engine.registry_sqlite import EmbeddedRegistry

    file = tmp_path / "candidate.joblib"
    file.write_bytes(b"weights")
    made = EmbeddedRegistry(tmp_path / "home" / "registry").register("shop", "shop-1", file, {})
    keeping.back_up_registry(tmp_path / "home", tmp_path / "copies")
    (tmp_path / "home" / "registry" / "registry.sqlite").unlink()
    keeping.restore_registry(tmp_path / "copies", tmp_path / "home")
    again = EmbeddedRegistry(tmp_path / "home" / "registry")
    assert again.fetch(made, tmp_path / "fetched").read_bytes() == b"weights"
