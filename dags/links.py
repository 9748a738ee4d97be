"""Buttons on a task in Airflow's own pages that lead to what the night wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

PLACE = "nightjar"
"""Where the API server serves the reports (`dags/plugins/nightjar_reports.py`)."""


def page_of_run(dag_id: str, run_id: str, part: str = "") -> str:
    """The address, within Airflow's own, that leads to the page of a run's business day.

    >>> page_of_run("monitor_shop", "manual__2025-03-01T00:00:00+00:00")
    '/nightjar/runs/monitor_shop/manual__2025-03-01T00%3A00%3A00%2B00%3A00'
    """
    root = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
    return f"{root}/{PLACE}/runs/{quote(dag_id, safe='')}/{quote(run_id, safe='')}{part}"


class ReportLink(BaseOperatorLink):
    """The page of the run's business day."""

    name = "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """The address of the page; it is looked up when somebody clicks."""
        return page_of_run(ti_key.dag_id, ti_key.run_id)


class IncidentsLink(BaseOperatorLink):
    """What is wrong, on the same page."""

    name = "Incidents"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """The address of that part of the page."""
        return page_of_run(ti_key.dag_id, ti_key.run_id, "#wrong")
