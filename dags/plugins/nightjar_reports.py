"""Puts the reports where Airflow's users are: an entry in the navigation, a tab on each run, buttons on tasks.

Every component of Airflow loads this file, so the pages themselves are loaded when the API server is first asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

from dags.links import PLACE, IncidentsLink, ReportLink

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping


class Pages:
    """The ASGI application of `dags.pages`, which is loaded at its first request."""

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Hand the request over."""
        from dags.pages import app

        await app(scope, receive, send)


class NightjarReports(AirflowPlugin):
    """Picked up from Airflow's plugins folder."""

    name = "nightjar_reports"
    fastapi_apps = [{"app": Pages(), "url_prefix": f"/{PLACE}", "name": "Nightjar's reports"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012 - Airflow's own way to declare them
        {
            "name": "Nightjar",
            "href": f"{PLACE}/reports/index.html",
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "nightjar",
        },
        {
            "name": "Report",
            "href": f"{PLACE}/runs/{{DAG_ID}}/{{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "report",
        },
    ]
    operator_extra_links = [ReportLink(), IncidentsLink()]  # noqa: RUF012
