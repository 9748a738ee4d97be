"""A night that is not over when it should be: told at that hour, where the model's critical incidents are told.

Airflow calls `tell` in a process of its own. `nightjar_watch` finds the same gap within the hour; what one of them has
told the other does not tell again, because both note it under one key.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import timezone as airflow_clock
from airflow.sdk.definitions.callback import (
    SyncCallback,
)  # airflow.sdk offers these three too, but not to type checkers
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from dags.catalogue import home, spec_of
from dags.executors import can_be_called_back
from dags.handover import post_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.spec import ModelSpec

LOG = logging.getLogger(__name__)
GRACE = timedelta(hours=3)
"""As in `jobs.health`, which is too heavy to import where DAGs are parsed; a test holds the two together."""


def deadline_of(spec: ModelSpec) -> DeadlineAlert | None:
    """The alert of a model's nights, counted from the midnight with which the business day of a run begins.

    Not from when the run was queued: Airflow 3.3.2 cannot clear a run with such a deadline, and so neither can its
    form for many nights (`docs/decisions/018-deadlines-count-from-the-day.md`). A business day of 25 hours has the
    alert an hour early, when `tell` finds nothing missing yet; `nightjar_watch` looks again within the hour.
    None where an executor takes no callbacks: there a missed deadline would end the scheduler, and the watch is all.
    """
    if not can_be_called_back():
        return None
    begins = timedelta(hours=spec.schedule.at.hour, minutes=spec.schedule.at.minute)
    return DeadlineAlert(
        name=f"the night of {spec.model}",
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=timedelta(days=1) + begins + GRACE + (spec.schedule.wait_for_data or timedelta(0)),
        callback=SyncCallback("dags.deadline.tell", kwargs={"model": spec.model}),
    )


def tell(model: str, context: Mapping[str, Any]) -> None:
    """Tell of nights that are missing, once; of a run that began too late to be over in time there is nothing to tell.

    Args:
        model: whose night it is.
        context: `dag_run` and `deadline` as Airflow gives them to the callback of a missed deadline.
    """
    if reason := _began_too_late(context):
        LOG.info("%s: nothing is told, %s", model, reason)
        return
    from jobs.health import tell_late

    spec = spec_of(model)
    for said in tell_late([spec], home(), airflow_clock.utcnow(), post_of(spec)) or ["no night is missing"]:
        LOG.info("%s", said)


def _began_too_late(context: Mapping[str, Any]) -> str:
    """Why a run could not have met its deadline; empty where it could.

    >>> run = {"run_type": "scheduled", "queued_at": "2025-03-02T09:00:00Z"}
    >>> _began_too_late({"dag_run": run, "deadline": {"deadline_time": "2025-03-02T07:30:00Z"}})
    'it was queued at 2025-03-02 09:00, after its deadline'
    >>> _began_too_late({"dag_run": run, "deadline": {"deadline_time": "2025-03-02T09:30:00Z"}})
    ''
    """
    run = context["dag_run"]
    if run["run_type"] == "backfill":
        return "it is a backfill"
    queued, due = (_moment(given) for given in (run["queued_at"], context["deadline"]["deadline_time"]))
    return f"it was queued at {queued:%Y-%m-%d %H:%M}, after its deadline" if queued > due else ""


def _moment(given: datetime | str) -> datetime:
    return given if isinstance(given, datetime) else datetime.fromisoformat(given)
