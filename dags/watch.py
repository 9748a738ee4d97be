"""Once a day, say which model's nights did not run. Each gap is told once, where critical incidents are told.

### At night
- Red `nights`: a model's night is missing, and the log names it; look at that model's DAG. The message was sent the
  first time; while the gap lasts, only this task stays red.
- Red for another reason: a channel did not take the message; clear the task, and what was told is not told again.

Airflow cannot tell of its own death. Let something outside of it call `nightjar health`, whose status is 1 then.
"""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, task
from airflow.sdk import timezone as airflow_clock
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.catalogue import Broken, catalogue, home, models_folder
from dags.handover import post_of, sentences
from dags.nights import Nightly


@task
def look(**context: Any) -> None:
    """Tell of nights that are missing; fails while there are any. A broken spec has a red DAG of its own."""
    from jobs.health import health_of, tell_late

    if context["dag_run"].run_type == "backfill":
        raise AirflowSkipException("a backfill tells nothing")
    now = airflow_clock.utcnow()
    specs = [entry for entry in catalogue(models_folder()).values() if not isinstance(entry, Broken)]
    late = [one for one in (health_of(spec, home(), now) for spec in specs) if one.newest is not None and one.late]
    watched = [spec for spec in specs if spec.model in {one.model for one in late}]
    with sentences():
        for spec in watched:
            tell_late([spec], home(), now, post_of(spec))
    if late:
        raise AirflowFailException("; ".join(map(str, late)))


with DAG(
    "nightjar_watch",
    description="Say which nights did not run",
    schedule=Nightly("UTC", time(12, 0)),
    start_date=pendulum.datetime(2000, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={
        "owner": "nightjar",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=15),
        "execution_timeout": timedelta(minutes=15),
    },
    doc_md=__doc__,
    tags=["nightjar", "watch"],
):
    look.override(task_id="nights")()
