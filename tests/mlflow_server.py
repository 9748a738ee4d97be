"""A real MLflow server on a free port, from an environment of its own: its package must not stand beside Airflow's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")


def environment(folder: Path) -> Path:
    """Make the environment of `requirements/mlflow.txt`; returns the program `mlflow`."""
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--require-hashes", "--python", folder / "bin" / "python", "-r",
         PROJECT / "requirements" / "mlflow.txt"],
        check=True,
    )  # fmt: skip
    return folder / "bin" / "mlflow"


@contextmanager
def serving(program: Path, folder: Path) -> Iterator[str]:
    """The server's URL while it runs; SQLite holds its records, a folder the files."""
    from deploy.airflow.database import free_port

    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [
        program, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder}/mlflow.sqlite", "--artifacts-destination", folder / "files",
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": ""},
        )  # fmt: skip
        try:
            _wait(f"http://127.0.0.1:{port}", server, folder / "server.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, 15)
            server.wait(30)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"no MLflow server: {log.read_text()[-2000:]}")
