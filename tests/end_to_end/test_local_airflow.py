"""`make airflow` starts an Airflow that only this machine can reach, and takes all of it down again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.airflow.database import StartError, database, free_port, private_postgres, server_programs
from deploy.airflow.settings import environment, password
from tests.end_to_end.rest import Rest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that the user `postgres`, as whom the server runs under root, may pass."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path


def programs() -> Path:
    found = server_programs()
    if found is None:
        pytest.fail("these tests need a PostgreSQL server; on Debian: apt-get install postgresql")
    return found


def listening(port: int) -> set[str]:
    """The addresses on which somebody listens on a port, as Linux tells them."""
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return {
        line[1].rsplit(":", 1)[0] for line in lines if line[3] == "0A" and int(line[1].rsplit(":", 1)[1], 16) == port
    }


def processes_of(home: Path) -> list[str]:
    """Commands still running with this NIGHTJAR_HOME."""
    marked = f"NIGHTJAR_HOME={home}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marked in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def wait_until_ready(started: subprocess.Popen[bytes], output: Path, seconds: float = 240) -> str:
    deadline = time.monotonic() + seconds
    while "Ctrl-C" not in (said := output.read_text()):
        assert started.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.5)
    return said


@pytest.mark.slow
def test_it_starts_prints_where_it_is_and_leaves_nothing_behind(open_folder: Path) -> None:
    programs()
    home, port = open_folder / "home", free_port()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    with (open_folder / "said").open("w") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "deploy.airflow.start", "--port", str(port)],
            env=plain | {"NIGHTJAR_HOME": str(home)}, stdout=output, stderr=output, cwd=PROJECT,
        )  # fmt: skip
    said = wait_until_ready(started, open_folder / "said")
    assert f"http://127.0.0.1:{port}" in said
    assert "WARNING" not in said
    rest = Rest.log_in(f"http://127.0.0.1:{port}", "admin", password(home))
    assert password(home) in said
    assert rest.get("/api/v2/version")["version"].startswith("3.3")
    with pytest.raises(AssertionError, match="401"):
        Rest(rest.url, "").get("/api/v2/dags")
    assert listening(port) == {"0100007F"}  # 127.0.0.1, and nothing else
    assert len(processes_of(home)) >= 4
    started.send_signal(signal.SIGTERM)
    assert started.wait(timeout=90) == 0
    deadline = time.monotonic() + 10
    while (left := processes_of(home)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []
    assert not (home / "airflow" / "postgres" / "data" / "postmaster.pid").exists()


def test_the_private_postgres_asks_for_its_password_keeps_its_data_and_is_on_loopback_only(open_folder: Path) -> None:
    import psycopg2

    folder = open_folder / "postgres"
    with private_postgres(folder, programs()) as url:
        address = url.replace("+psycopg2", "")
        with psycopg2.connect(address) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept (n INTEGER)")
        connection.close()
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        assert listening(port) == {"0100007F"}
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(host="127.0.0.1", port=port, user="airflow", password="guessed", dbname="airflow")  # noqa: S106
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    with private_postgres(folder, programs()) as url:
        connection = psycopg2.connect(url.replace("+psycopg2", ""))
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM kept")
            assert cursor.fetchone() == (0,)
        connection.close()


def test_a_server_that_cannot_start_says_why(open_folder: Path) -> None:
    folder = open_folder / "postgres"
    with private_postgres(folder, programs()):
        pass
    (folder / "data" / "postgresql.conf").write_text("no such setting = 1\n")
    with pytest.raises(StartError, match="did not start"), private_postgres(folder, programs()):
        pass


def test_without_a_server_it_is_sqlite_one_task_at_a_time_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.airflow.database.SERVER_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with database(tmp_path, None) as fallback:
        assert fallback.url == f"sqlite:///{tmp_path}/airflow.db"
        assert "apt-get install postgresql" in fallback.note
        assert environment(tmp_path, 8080, fallback, {})["AIRFLOW__CORE__PARALLELISM"] == "1"


def test_a_named_database_is_taken_as_it_is(tmp_path: Path) -> None:
    with database(tmp_path, "postgresql+psycopg2://u:p@db/airflow") as named:
        variables = environment(tmp_path, 8080, named, {"AIRFLOW__CORE__PARALLELISM": "16"})
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://u:p@db/airflow"
    assert variables["AIRFLOW__CORE__PARALLELISM"] == "16"  # what a person sets wins
    assert list(tmp_path.glob("postgres")) == []


def test_secrets_are_made_once_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    with database(tmp_path, "sqlite:///x") as any_database:
        first, second = (environment(tmp_path, 8080, any_database, {}) for _ in range(2))
    assert first == second
    assert len(first["AIRFLOW__API_AUTH__JWT_SECRET"]) >= 64
    assert password(tmp_path) == password(tmp_path)
    files = list((tmp_path / "airflow").glob("*.json"))
    assert {path.name for path in files} == {"secrets.json", "passwords.json"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert json.loads((tmp_path / "airflow" / "passwords.json").read_text()).keys() == {"admin"}
