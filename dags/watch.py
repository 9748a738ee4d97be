"""Every hour, say which model's nights did not run. Each gap is told once, where critical incidents are told.

### At night
- Red `nights`: a model's night is missing, and the log names it; look at that model's DAG. The message was sent the
  first time; while the gap lasts, only this task stays red. A spec that cannot be read is named too. A model that never
  finished a night is left out: new DAGs are paused, and nobody has switched it on.
- Red `nights` with "is not all handed over": for an hour a mail or message of that night was not taken. Mend what it
  names, then clear that night's `deliver`. The next night that is heard tells the rest, and this is over.
- Red `nights` with "no spec in" or "was watched": the folder NIGHTJAR_MODELS is mistyped, not mounted or empty, or the
  spec of a model has gone. Put back what is missing; nothing is watched meanwhile, or not that model.
- Red for another reason: a channel did not take the message; clear the task, and what was told is not told again.

Airflow cannot tell of its own death. Let something outside of it call `nightjar health`, whose status is 1 then.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import DAG, task
from airflow.sdk import timezone as airflow_clock
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.timetables.trigger import CronTriggerTimetable

from dags.catalogue import Broken, catalogue, home, models_folder
from dags.handover import post_of
from jobs.errors import DeliveryError, NightjarError


@task
def look(**context: Any) -> None:
    """Tell of nights that are missing; fails while there are any, or while a model cannot be looked at or told of."""
    from jobs.health import survey, tell_late, unwatched

    if context["dag_run"].run_type == "backfill":
        raise AirflowSkipException("a backfill tells nothing")
    now = airflow_clock.utcnow()
    entries = list(catalogue(models_folder()).values())
    specs = [entry for entry in entries if not isinstance(entry, Broken)]
    found, faults = survey(specs, home(), now)
    found = [one for one in found if one.newest is not None]  # else nobody has switched the model on yet
    unwell = {one.model for one in found if not one.well}
    untold = []
    for spec in (one for one in specs if one.model in unwell):
        try:
            tell_late([spec], home(), now, post_of(spec))
        except Exception as error:  # one model must not keep the others from being told of
            untold.append(str(error) if isinstance(error, NightjarError) else f"{spec.model}: {type(error).__name__}")
    broken = [entry.error for entry in entries if isinstance(entry, Broken)]
    missing = [str(one) for one in found if one.late]
    unheard = [str(night) for one in found for night in one.owed]
    wrong = list(dict.fromkeys((*missing, *unheard, *faults, *untold, *broken, *unwatched(models_folder(), home()))))
    if untold:
        raise DeliveryError("; ".join(wrong))  # it may be tried again; what was told is not told again
    if wrong:
        raise AirflowFailException("; ".join(wrong))


with DAG(
    "nightjar_watch",
    description="Say which nights did not run",
    schedule=CronTriggerTimetable("0 * * * *", timezone="UTC"),  # somewhere it is always three hours after a night
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
        "execution_timeout": timedelta(minutes=55),  # many dead channels, each waited for; never a model's file
    },
    doc_md=__doc__,
    tags=["nightjar", "watch"],
):
    look.override(task_id="nights")()
