"""Start an Airflow on this machine with Nightjar's DAGs, and stop all of it on Ctrl-C or SIGTERM.

    python -m deploy.airflow.start [--port 8080]

Everything it writes is in NIGHTJAR_HOME/airflow. It listens on 127.0.0.1 only. What it needs and how to run Airflow
for a team: docs/airflow.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.airflow.database import StartError, database, free_port
from deploy.airflow.settings import PROJECT, USER, environment, password

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPONENTS = {
    "api-server": ["api-server"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],  # the logs are on this disk; no port is needed for them
    "scheduler": ["scheduler", "--skip-serve-logs"],
}
"""In the order of starting; the scheduler last, when the API that its tasks call is there."""


@dataclass(frozen=True)
class Local:
    """A running local Airflow."""

    url: str
    user: str
    password: str
    folder: Path
    note: str
    processes: dict[str, subprocess.Popen[bytes]]

    def ended(self) -> str | None:
        """The name of a component that is not running any more, if any."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)


@contextmanager
def local_airflow(home: Path, port: int | None = None, named_database: str | None = None) -> Iterator[Local]:
    """The four components, healthy, for as long as the context lasts. Raises StartError with the reason."""
    folder = home / "airflow"
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    with ExitStack() as stack:
        metadata = stack.enter_context(database(folder, named_database))
        login = password(home)
        variables = environment(home, port, metadata)
        _migrate(variables, logs)
        processes: dict[str, subprocess.Popen[bytes]] = {}
        local = Local(f"http://127.0.0.1:{port}", USER, login, folder, metadata.note, processes)
        stack.callback(_stop, processes)
        for name, arguments in COMPONENTS.items():
            processes[name] = _start(name, arguments, variables, logs)
            if name == "api-server":
                _wait_for(local, ("metadatabase",), logs)
        _wait_for(local, ("metadatabase", "scheduler", "triggerer", "dag_processor"), logs)
        yield local


def _airflow(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).parent / "airflow"), *arguments]


def _migrate(variables: dict[str, str], logs: Path) -> None:
    log = logs / "migrate.log"
    with log.open("ab") as output:
        done = subprocess.run(  # noqa: S603 - our own arguments
            _airflow("db", "migrate"), env=variables, stdout=output, stderr=output, cwd=PROJECT, check=False
        )
    if done.returncode:
        raise StartError(f"the metadata database could not be brought up to date; see {log}")


def _start(name: str, arguments: list[str], variables: dict[str, str], logs: Path) -> subprocess.Popen[bytes]:
    with (logs / f"{name}.log").open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own arguments
            _airflow(*arguments), env=variables, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            cwd=PROJECT, start_new_session=True,  # Ctrl-C reaches this program only, which stops them in order
        )  # fmt: skip


def _wait_for(local: Local, parts: tuple[str, ...], logs: Path, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ended := local.ended():
            raise StartError(f"Airflow's {ended} ended at once; see {logs / f'{ended}.log'}")
        health = _health(local.url)
        if all(health.get(part, {}).get("status") == "healthy" for part in parts):
            return
        time.sleep(0.5)
    raise StartError(f"Airflow was not healthy after {seconds:.0f} s; see {logs}")


def _health(url: str) -> dict[str, dict[str, str]]:
    try:
        with urllib.request.urlopen(f"{url}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310 - our own URL
            health: dict[str, dict[str, str]] = json.load(answer)
            return health
    except (urllib.error.URLError, OSError, ValueError):
        return {}


def _stop(processes: dict[str, subprocess.Popen[bytes]], seconds: float = 40) -> None:
    """SIGTERM to each, the scheduler first, so that no task begins without an API; then SIGKILL to what remains."""
    for process in reversed(processes.values()):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for process in reversed(processes.values()):
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a component's session: the component itself, or children that outlived it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def main() -> int:
    """Start, say where it is, and wait."""
    parser = argparse.ArgumentParser(prog="python -m deploy.airflow.start", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=int(os.environ.get("NIGHTJAR_AIRFLOW_PORT", "8080")))
    port = parser.parse_args().port
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _interrupt)
    from dags.catalogue import home

    print("Starting Airflow; the first time takes about a minute ...", flush=True)
    try:
        with local_airflow(home().resolve(), port, os.environ.get("NIGHTJAR_AIRFLOW_DB")) as local:
            print(_greeting(local), flush=True)
            while not (ended := local.ended()):
                time.sleep(1)
            print(f"Airflow's {ended} ended; see {local.folder / 'logs' / f'{ended}.log'}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("Airflow has stopped.")
        return 0
    except StartError as error:
        print(error, file=sys.stderr)
        return 1


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a signal handler
    for again in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(again, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
    raise KeyboardInterrupt


def _greeting(local: Local) -> str:
    return "\n".join(
        part
        for part in (
            local.note,
            f"Airflow is ready: {local.url}",
            f"  user {local.user}   password {local.password}",
            f"  logs {local.folder / 'logs'}",
            "  New models are paused; switch one on in the list of DAGs. Ctrl-C stops everything.",
        )
        if part
    )


if __name__ == "__main__":
    sys.exit(main())
