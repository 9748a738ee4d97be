"""A whole Airflow around the made models `till` and `desk`, with a mail server, for as long as a test module lasts."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller

from tests.end_to_end import people, till
from tests.end_to_end.rest import Rest
from tests.end_to_end.test_airflow_night import Post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from deploy.airflow.start import Local

NIGHT = "monitor_till"


@dataclass(frozen=True)
class House:
    """The running Airflow, its mail server's letter box, and where everything is written."""

    local: Local
    rest: Rest
    post: Post
    root: Path
    zone: ZoneInfo
    newest: date

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def models(self) -> Path:
        return self.root / "models"

    def password_of(self, user: str) -> str:
        return str(json.loads((self.local.folder / "passwords.json").read_text(encoding="utf-8"))[user])

    def midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def runs(self, dag_id: str = NIGHT) -> list[dict[str, Any]]:
        """Every run of a DAG, in the order of their days."""
        found, batch = [], None
        while batch is None or len(batch) == 100:
            path = f"/api/v2/dags/{dag_id}/dagRuns?limit=100&order_by=run_after&offset={len(found)}"
            batch = self.rest.get(path)["dag_runs"]
            found += batch
        return found


@contextmanager
def house(root: Path, n_days: int = till.DAYS, drifted: int = 2, **variables: str) -> Iterator[House]:
    """Deliveries of `n_days` up to yesterday, a mail server, PostgreSQL and all four components."""
    from deploy.airflow.database import free_port, server_programs
    from deploy.airflow.start import local_airflow

    if server_programs() is None:
        pytest.fail("these tests need a PostgreSQL server; on Debian: apt-get install postgresql")
    for folder in (root, *root.parents[:2]):  # the user postgres, as whom the server runs, must be able to pass
        folder.chmod(folder.stat().st_mode | 0o011)
    zone = till.zone_where_it_is_noon(datetime.now(UTC))
    newest = datetime.now(ZoneInfo(zone)).date() - timedelta(days=1)
    till.write(root / "deliveries", root / "models", newest, zone, n_days, drifted)
    post = Post()
    letters = Controller(post, hostname="127.0.0.1", port=free_port())
    letters.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("AIRFLOW_HOME", "AIRFLOW__CORE__UNIT_TEST_MODE"):
                patch.delenv(name, raising=False)
            settings = {
                "NIGHTJAR_MODELS": str(root / "models"),
                "NIGHTJAR_SMTP": f"smtp://127.0.0.1:{letters.port}",
                "AIRFLOW__CORE__AUTH_MANAGER": people.DOORKEEPER,
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": people.USERS,
            }
            for name, value in (settings | variables).items():
                patch.setenv(name, value)
            with local_airflow(root / "home") as local:
                rest = Rest.log_in(local.url, local.user, local.password)
                _wait_for_dags(rest, {NIGHT, "monitor_desk", "retrain"})
                yield House(local, rest, post, root, ZoneInfo(zone), newest)
    finally:
        letters.stop()


def _wait_for_dags(rest: Rest, wanted: set[str]) -> None:
    deadline = time.monotonic() + 120
    while not wanted <= {dag["dag_id"] for dag in rest.get("/api/v2/dags?limit=100")["dags"]}:
        assert time.monotonic() < deadline, f"no DAGs: {rest.get('/api/v2/importErrors')}"
        time.sleep(1)
    assert rest.get("/api/v2/importErrors")["import_errors"] == []
