"""The reports behind Airflow's login: who may read a model's DAG may read its pages, and nobody else.

The API server loads this module at the first request. Airflow does not protect what plugins mount, so every route here
says what its caller must be allowed; a test goes through all of them.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from airflow.api_fastapi.app import API_ROOT_PATH, get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep  # noqa: TC002 - FastAPI reads it at run time
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.models.dagrun import DagRun
from airflow.sdk import timezone as airflow_clock
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy import select

from dags.catalogue import PREFIX, Broken, catalogue, dag_id_of, home, models_folder
from dags.nights import business_day_of
from jobs.engine import served, shelf
from jobs.errors import NightjarError, UsageError
from jobs.periods import parse_day
from jobs.spec.reading import find_spec

if TYPE_CHECKING:
    from datetime import date

MODEL = re.compile(r"[a-z][a-z0-9_]{0,62}")
STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem}"
)
SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "private, no-cache"}
"""Types are not guessed, addresses are not told elsewhere, and no kept copy is shown without asking."""


class NothingThereError(Exception):
    """There is nothing to show; the text says why and what would help."""


def watching(model: str) -> str:
    """The DAG that watches a model; a model whose spec is gone keeps the name that it had."""
    try:
        return dag_id_of(find_spec(model, models_folder()))
    except UsageError:
        return PREFIX + model


def may_read(request: Request, user: GetUserDep, model: str) -> None:
    """Refuse who may not read the DAG of the path's model."""
    if not MODEL.fullmatch(model):
        raise NothingThereError("There is no such page.")
    requires_access_dag("GET", param_dag_id=watching(model))(request, user)


app = FastAPI(title="Nightjar's reports", openapi_url=None, docs_url=None, redoc_url=None)


@app.get("/", dependencies=[Depends(requires_access_dag("GET"))])
def begin() -> Response:
    """To the list of models."""
    return RedirectResponse("reports/index.html")


@app.get("/reports/index.html", dependencies=[Depends(requires_access_dag("GET"))])
def models(request: Request, user: GetUserDep) -> Response:
    """The list of models; who may not read all of them gets it made of those that they may."""
    page = served.read(home() / "reports", ["index.html"])
    if page is None:
        raise NothingThereError(
            "No night has left a report yet. The first one appears when the task `report` of a run is green."
        )
    cards = shelf.cards(home())
    readable = get_auth_manager().get_authorized_dag_ids(user=user, method="GET")
    allowed = [card for card in cards if watching(card["model"]) in readable]
    if len(allowed) == len(cards):
        return answer(request, page)
    from reports.site import index_page

    content = index_page(allowed).encode()
    return Response(content, media_type=page.kind, headers=SAFE | {"Content-Security-Policy": served.policy(content)})


@app.get("/reports/{model}/{rest:path}", dependencies=[Depends(may_read)])
def page_of(request: Request, model: str, rest: str) -> Response:
    """A model's calendar, or a night's page, PDF or PNG."""
    page = served.read(home() / "reports", [model, *rest.split("/")])
    if page is None:
        raise NothingThereError(
            f"{model} has no such page. A night's page appears when the task `report` of its run is green."
        )
    return answer(request, page)


@app.get("/runs/{dag_id}/{run_id}", dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.RUN))])
def page_of_run(dag_id: str, run_id: str, session: SessionDep) -> Response:
    """From a run to the page of its business day; the page asks again who may read it."""
    run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
    if run is None:
        raise NothingThereError(f"{dag_id} has no run {run_id}.")
    model, day = night_of_run(run)
    return RedirectResponse(f"../../reports/{model}/{day}/index.html")


def night_of_run(run: DagRun) -> tuple[str, date]:
    """The model and the day whose page tells what a run did; decided as the run's own tasks decide it."""
    asked = run.conf or {}
    watched = catalogue(models_folder(), only=run.dag_id).get(run.dag_id)
    if isinstance(watched, Broken):
        raise NothingThereError(f"The spec of {run.dag_id} cannot be read: {watched.error}")
    if watched is not None:
        return watched.model, business_day_of(
            {"params": asked, "dag_run": run}, watched.timezone, airflow_clock.utcnow()
        )
    day = asked.get("night") or asked.get("to")
    if not day or not MODEL.fullmatch(str(asked.get("model"))):
        raise NothingThereError(f"The run {run.run_id} of {run.dag_id} is not about a night of a model.")
    return asked["model"], parse_day(str(day))


def answer(request: Request, page: served.Served) -> Response:
    """The file, or word that the browser's copy is still right."""
    headers = SAFE | {"ETag": page.tag, "Content-Security-Policy": served.policy(page.content)}
    if request.headers.get("if-none-match") == page.tag:
        return Response(status_code=304, headers=headers)
    return Response(page.content, media_type=page.kind, headers=headers)


@app.exception_handler(HTTPException)
def refused(request: Request, error: HTTPException) -> Response:
    """Who is not known yet is sent to the login and comes back; who may not is told so."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": error.detail}, error.status_code, SAFE)
    if error.status_code == 401:
        back = quote(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
        login = f"{API_ROOT_PATH.rstrip('/')}/api/v2/auth/login?{urlencode({'next': back})}"
        return RedirectResponse(login, headers=SAFE)
    said = "Your user may not read this DAG in Airflow." if error.status_code == 403 else str(error.detail)
    return told("Not shown", said, error.status_code)


@app.exception_handler(NothingThereError)
@app.exception_handler(NightjarError)
def not_there(_request: Request, error: Exception) -> Response:
    """Why there is nothing to show."""
    return told("Nothing to show", str(error), 404)


def told(title: str, text: str, status: int) -> Response:
    """A page of one sentence."""
    content = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(text)}</p></html>"
    )
    return Response(content, status, SAFE | {"Content-Security-Policy": served.policy()}, "text/html; charset=utf-8")
