"""Let another version answer: back to the one before, to the rule engine, or back from a new champion that is worse.

### At night
- Red `check`: the run was started with a payload that cannot be used; the log names each fault. Nothing was done.
- Pink `rollback`, `fallback`: refused, and the log says why: no earlier version, or another one answers already.
- Red `rollback`, `fallback`: the registry cannot be reached. Clear the task; the same run moves the champion once.
- Red `newcomers`: a spec or a new champion's figures could not be read, or it is worse and a person must say so, or
  what became of a champion or candidate could not be told. The log names the model and what to do. Clearing tells
  nothing twice.

A model's spec names who carries out its actions: `rollback: {dag: nightjar_rollback}`, `fallback: {dag:
nightjar_fallback}`. By hand: trigger one with `model` and `reason`.
"""

from __future__ import annotations

import logging
from datetime import time
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import DAG, task
from airflow.sdk import timezone as airflow_clock
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.catalogue import Broken, catalogue, home, models_folder
from dags.handover import post_of, sentences
from dags.nights import Nightly, newest_closed
from dags.payload import DEFAULTS, asked, checked, form
from jobs.errors import DeliveryError, NightjarError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG = logging.getLogger(__name__)
ACTIONS = {"rollback": "roll_back", "fallback": "fall_back"}


@task
def check(action: str, **context: Any) -> dict[str, Any]:
    """Refuse a payload that cannot be used; returns it with a key."""
    return checked(action, context)


@task
def carry_out(action: str, payload: Mapping[str, Any]) -> str:
    """Move the champion, once for one key; skips where it is refused."""
    from jobs.engine.registry import open_registry
    from jobs.retraining import switching

    with sentences():
        _, request = asked(payload, action)
        outcome = getattr(switching, ACTIONS[action])(request, open_registry(home()), airflow_clock.utcnow())
    if outcome.state != "done":
        raise AirflowSkipException(str(outcome))
    LOG.info("%s", outcome)
    return str(outcome)


@task
def watch_newcomers(**context: Any) -> list[str]:
    """Every model's new champion; one broken model does not keep the others from being watched."""
    from jobs.engine.registry import open_registry
    from jobs.retraining import heard
    from jobs.retraining.watching import look_and_act

    if context["dag_run"].run_type == "backfill":
        raise AirflowSkipException("a backfill moves nothing")
    now, registry = airflow_clock.utcnow(), open_registry(home())
    said, faults, untold = [], [], []
    for spec in catalogue(models_folder()).values():
        if isinstance(spec, Broken):
            faults.append(spec.error)
            continue
        try:
            outcome = None
            if registry.champion(spec.model) is not None:
                outcome = look_and_act(spec, home(), newest_closed(now, spec.timezone), registry, now)
        except Exception as error:
            faults.append(f"{spec.model}: {_sentence(error)}")
            continue
        if outcome is not None:
            LOG.info("%s: %s", spec.model, outcome)
            said.append(f"{spec.model}: {outcome}")
            if outcome.state in heard.FOUND:
                faults.append(f"{spec.model}: {outcome}")
        try:
            heard.tell(spec, home(), registry, now, post_of(spec), outcome)
        except Exception as error:
            untold.append(f"{spec.model}: {_sentence(error)}")
    if untold:
        raise DeliveryError("; ".join((*faults, *untold)))  # it may be tried again; what was told is not told again
    if faults:
        raise AirflowFailException("; ".join(faults))
    return said


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, NightjarError) else f"{type(error).__name__}: {error}"


for _action in ACTIONS:
    with DAG(
        f"nightjar_{_action}",
        description=f"Carry out a {_action} in the registry",
        schedule=None,
        max_active_runs=10,
        is_paused_upon_creation=False,
        auto_register=False,
        params=form(_action),
        default_args=DEFAULTS,
        doc_md=__doc__,
        tags=["nightjar", _action],
    ) as _dag:
        _payload: Any = check(_action)
        carry_out.override(task_id=_action)(_action, _payload)
    globals()[f"{_action}_dag"] = _dag

with DAG(
    "nightjar_newcomers",
    description="Watch new champions, and roll back those that are worse than the version before them",
    schedule=Nightly("UTC", time(12, 30)),
    start_date=pendulum.datetime(2000, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=DEFAULTS,
    doc_md=__doc__,
    tags=["nightjar", "watch"],
):
    watch_newcomers.override(task_id="newcomers")()
