"""Airflow's metadata database on this machine: one that is named, a PostgreSQL of our own, or SQLite for a first look.

The private PostgreSQL lives in one folder, listens on the loopback interface only, asks for a password, and runs as
the user `postgres` when this program is root (PostgreSQL refuses to run as root).
"""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
"""Where Debian and Ubuntu, Fedora and Red Hat, and Homebrew put the server's programs."""

SQLITE_WARNING = """\
WARNING: without a PostgreSQL server Airflow runs on SQLite, one task at a time, for a first look only.
         Backfills and several models at once fail on SQLite. Install PostgreSQL (Debian: apt-get install postgresql)
         or name a database in NIGHTJAR_AIRFLOW_DB (postgresql+psycopg2://user:password@host/database)."""


class StartError(Exception):
    """Airflow cannot be started here; the text says what to do."""


@dataclass(frozen=True)
class Database:
    """Where Airflow keeps its state; `note` is for the person who starts it."""

    url: str
    note: str = ""

    @property
    def parallel(self) -> bool:
        """Whether several tasks may run at once."""
        return not self.url.startswith("sqlite")


@contextmanager
def database(home: Path, named: str | None) -> Iterator[Database]:
    """The named database, else a private PostgreSQL for as long as the context lasts, else SQLite."""
    programs = server_programs()
    if named:
        yield Database(named, SQLITE_WARNING if named.startswith("sqlite") else "")
    elif programs:
        with private_postgres(home / "postgres", programs) as url:
            yield Database(url)
    else:
        yield Database(f"sqlite:///{home}/airflow.db", SQLITE_WARNING)


def server_programs() -> Path | None:
    """The folder of the newest PostgreSQL server's programs; None when there is no server on this machine."""
    beside_path = shutil.which("postgres")
    found = [folder for pattern in SERVER_FOLDERS for folder in Path("/").glob(pattern[1:])]
    found += [Path(beside_path).resolve().parent] if beside_path else []
    complete = [folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()]
    return max(complete, key=_version, default=None)


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(folder)))


@contextmanager
def private_postgres(folder: Path, programs: Path) -> Iterator[str]:
    """A PostgreSQL server with the database `airflow` in `folder`, on a free loopback port; its SQLAlchemy URL."""
    owner = _server_user()
    password = _make_cluster(folder, programs, owner)
    port = free_port()
    log = folder / "server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(  # noqa: S603 - our own arguments
            [
                programs / "postgres", "-D", folder / "data", "-p", str(port),
                "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200",
            ],
            stdout=output, stderr=output, cwd=folder, user=owner, group=_group(owner), start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until_ready(server, port, log)
        _make_database(port, password)
        yield _url(port, password)
    finally:
        server.send_signal(signal.SIGINT)  # "fast": ends sessions, writes everything down
        server.wait(timeout=60)


def _make_cluster(folder: Path, programs: Path, owner: str | None) -> str:
    """Create the cluster where there is none; returns its password."""
    folder.mkdir(parents=True, exist_ok=True)
    if owner:
        shutil.chown(folder, owner)
        _check_reachable(folder, owner)
    password_file = folder / "password"
    if not (folder / "data" / "PG_VERSION").exists():
        shutil.rmtree(folder / "data", ignore_errors=True)
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        if owner:
            shutil.chown(password_file, owner)
        done = subprocess.run(  # noqa: S603 - our own arguments
            [
                programs / "initdb", "-D", folder / "data", "-U", "airflow", "-E", "UTF8", "--no-locale",
                "--auth=scram-sha-256", f"--pwfile={password_file}", "--no-instructions",
            ],
            cwd=folder, user=owner, group=_group(owner), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            shutil.rmtree(folder / "data", ignore_errors=True)
            raise StartError(f"PostgreSQL could not be set up in {folder}: {done.stderr.strip()}")
    return password_file.read_text(encoding="utf-8")


def _server_user() -> str | None:
    """Whom the server must run as; None: as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise StartError(
            "PostgreSQL does not run as root and there is no user 'postgres'; start as another user, "
            "or name a database in NIGHTJAR_AIRFLOW_DB"
        ) from None


def _group(owner: str | None) -> int | None:
    return pwd.getpwnam(owner).pw_gid if owner else None


def _check_reachable(folder: Path, owner: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["/usr/bin/test", "-w", folder], cwd="/", user=owner, group=_group(owner), check=False
    )
    if done.returncode:
        raise StartError(
            f"the user '{owner}', as whom PostgreSQL runs, cannot enter {folder}; choose a NIGHTJAR_HOME that others "
            "may enter, or name a database in NIGHTJAR_AIRFLOW_DB"
        )


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
    raise StartError(f"PostgreSQL did not start; the end of {log}:\n{last}")


def _make_database(port: int, password: str, seconds: float = 60) -> None:
    import psycopg2  # type: ignore[import-untyped]

    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = psycopg2.connect(
                host="127.0.0.1", port=port, user="airflow", password=password, dbname="postgres"
            )
            break
        except psycopg2.OperationalError as error:  # it listens before it has recovered
            if time.monotonic() > deadline:
                raise StartError(f"PostgreSQL does not answer: {error}") from error
            time.sleep(0.2)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'airflow'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE DATABASE airflow")
    connection.close()


def _url(port: int, password: str) -> str:
    return f"postgresql+psycopg2://airflow:{quote(password, safe='')}@127.0.0.1:{port}/airflow"


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
