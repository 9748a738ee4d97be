"""Every way to a page asks who is there; each rule is also run on a planted route that forgot to."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.dags.conftest import PROJECT
from tests.dags.policies import HEAVY

if TYPE_CHECKING:
    from pathlib import Path

ASKING = ("requires_access_dag.<locals>.inner", "may_read")
"""The dependencies that refuse who may not read a DAG."""

LOADED = """
import json, sys
from airflow.plugins_manager import get_fastapi_plugins, get_flask_plugins
apps, _ = get_fastapi_plugins()
print("RESULT " + json.dumps([[one["url_prefix"] for one in apps], sorted(name for name in sys.modules)]))
"""


def unguarded(app: Any) -> list[str]:
    """The paths that nobody watches. Airflow does not protect what plugins mount."""
    return [
        route.path
        for route in app.routes
        if not any(one.call.__qualname__ in ASKING for one in getattr(route, "dependant", _NOBODY).dependencies)
    ]


class _NOBODY:
    dependencies: tuple[Any, ...] = ()


def test_every_route_asks_who_may_read() -> None:
    from dags.pages import app

    assert len(app.routes) == 4
    assert unguarded(app) == []


def test_the_link_of_a_mail_leads_to_a_page_on_the_server_that_the_docs_describe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from starlette.routing import Match

    from dags.links import PLACE
    from dags.pages import app
    from jobs.delivery import link_to

    shipped = (PROJECT / "deploy" / "systemd" / "nightjar.env").read_text(encoding="utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in shipped if "=" in line and not line.startswith("#"))
    monkeypatch.setenv("NIGHTJAR_LINKS", settings["NIGHTJAR_LINKS"])
    mounted = f"{settings['AIRFLOW__API__BASE_URL']}/{PLACE}"
    link = link_to(PROJECT / "reports" / "shop" / "2025-03-01" / "index.html")
    assert link.startswith(mounted)
    scope = {"type": "http", "method": "GET", "path": link.removeprefix(mounted), "root_path": "", "headers": []}
    matched = {
        route.path: found for route in app.routes for kind, found in [route.matches(scope)] if kind is Match.FULL
    }
    assert {path: found["path_params"] for path, found in matched.items()} == {
        "/reports/{model}/{rest:path}": {"model": "shop", "rest": "2025-03-01/index.html"}
    }


def test_a_planted_route_that_asks_nobody_is_caught() -> None:
    from fastapi import FastAPI

    planted = FastAPI(openapi_url=None)

    @planted.get("/open")
    def read() -> str:
        return "anything"

    assert unguarded(planted) == ["/open"]


def test_loading_the_plugins_loads_neither_the_pages_nor_anything_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=False, cwd=PROJECT)
    result = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert result, done.stdout + done.stderr
    prefixes, modules = json.loads(result[0].removeprefix("RESULT "))
    assert "/nightjar" in prefixes
    assert {"dags.links", "dags.nights"} <= set(modules)
    assert sorted(set(modules) & {*HEAVY, "fastapi", "dags.pages", "reports"}) == []


def test_the_link_leads_to_the_run_whatever_is_in_its_name() -> None:
    from dags.links import page_of_run

    assert page_of_run("monitor_till", "manual__2025-03-01T00:00:00+00:00", "#wrong") == (
        "/nightjar/runs/monitor_till/manual__2025-03-01T00%3A00%3A00%2B00%3A00#wrong"
    )
    assert page_of_run("d", "a/../b?c") == "/nightjar/runs/d/a%2F..%2Fb%3Fc"


@pytest.mark.parametrize(
    ("dag_id", "conf", "start", "shown"),
    [
        ("monitor_good", {"day": "2025-03-01"}, None, ("good", "2025-03-01")),
        ("monitor_good", {}, "2025-03-01T00:00:00+00:00", ("good", "2025-03-01")),
        ("retrain", {"model": "good", "night": "2025-03-02"}, None, ("good", "2025-03-02")),
        ("bulk_backfill", {"model": "good", "from": "2025-01-01", "to": "2025-03-03"}, None, ("good", "2025-03-03")),
    ],
)
def test_a_run_is_shown_the_page_of_the_day_that_its_tasks_worked_on(
    models: Path, dag_id: str, conf: dict[str, str], start: str | None, shown: tuple[str, str]
) -> None:
    from datetime import datetime

    from airflow.models.dagrun import DagRun

    from dags.pages import night_of_run

    assert models.is_dir()
    begins = datetime.fromisoformat(start) if start else None
    run = DagRun(
        dag_id=dag_id, run_id="r", conf=conf, logical_date=begins, data_interval=(begins, begins) if begins else None
    )
    model, day = night_of_run(run)
    assert (model, str(day)) == shown


def test_a_run_that_is_about_no_night_says_so(models: Path) -> None:
    from airflow.models.dagrun import DagRun

    from dags.pages import NothingThereError, night_of_run
    from jobs.errors import UsageError

    (models / "bad.yaml").write_text("model: bad\npredictionz: 1\n", encoding="utf-8")
    with pytest.raises(NothingThereError, match="is not about a night of a model"):
        night_of_run(DagRun(dag_id="retrain", run_id="r", conf={"model": "../x", "night": "2025-03-02"}))
    with pytest.raises(NothingThereError, match=r"bad\.yaml:2"):
        night_of_run(DagRun(dag_id="monitor_bad", run_id="r", conf={}))
    with pytest.raises(UsageError, match="start it with the parameter `day`"):
        night_of_run(DagRun(dag_id="monitor_good", run_id="r", conf={}))
