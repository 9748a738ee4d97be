"""Watch one model: each night, for the business day before.

### At night
- Red `ingest`, `statistics`, `metrics`, `anomalies`, `incidents`, `report` or `publish`: the last line of the log says
  what to do; most often another program holds the model's file, and the line names it. Clearing a task is safe at any
  time: a stage replaces exactly its own days, in one transaction.
- Violet `arrival`: the night waits for the day's predictions (`schedule.wait_for_data`), then runs without.
- A delivery that is missing or malformed is not red. `ingest` warns with file, column and reason, the report and an
  incident tell it. Deliver again, then clear `ingest` and what follows: what is new then is told by one more mail, and
  an incident that is gone is withdrawn.
- Red `deliver`: no mail server is named, or it took no mail for four hours. Clearing sends it; nothing is sent twice.
  Refused for some recipients, it has reached the others and stays sent: correct `mail.to`.
- Red `retrain`, `fallback`, `rollback`: what carries it out could not be started. Clearing starts it, once.
- `approve_...` waits for a person: open it and answer. Red: nobody did in three days, and the request rests; clear
  it to ask again. An answer that could not be written down is kept; clearing writes it and asks nobody.
- Pink `deliver`, `retrain`, `record`, `announce`: nothing to hand over, or this run is a backfill or for an older day.
- No schedule and the tag `broken`: the model's spec cannot be read; the DAG's page and red `nights` of `nightjar_watch`
  say file, line, key and what is possible. Once it is set right, the night that was missed starts by itself.

### Another day
Trigger the DAG with the parameter `day`, or backfill. Either writes the rows that the night itself would have
written, and sends nothing for days that are not the newest.
"""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import DAG, Param, TaskGroup, TriggerRule, chain, get_parsing_context, task
from airflow.sdk.exceptions import AirflowFailException

from dags.asking import (
    ACTIONS,
    Approve,
    AskForAction,
    alias_of,
    announce,
    dag_for,
    hand_to_consumer,
    record_asked,
)
from dags.awaiting import AwaitDelivery
from dags.catalogue import Broken, catalogue, home, models_folder
from dags.deadline import deadline_of
from dags.handover import may_speak, night_of, pass_over_what_speaks, post_of, sentences, speaking_night_of
from dags.lineage import reads, tell_written, written
from dags.links import IncidentsLink, ReportLink
from dags.nights import Nightly
from jobs.periods import Period
from jobs.pipeline import STAGE_NAMES
from jobs.spec.reading import find_spec, load_spec
from jobs.spec.telling import Schedule

if TYPE_CHECKING:
    from jobs.spec import ModelSpec

LOG = logging.getLogger(__name__)
LINKS = {"incidents": (IncidentsLink(),), "report": (ReportLink(),)}
"""Buttons on tasks, which lead to what the night wrote."""


@task(max_active_tis_per_dag=1)  # the model's file takes one writer; the other nights wait without a worker
def run_one(model: str, stage: str, **context: Any) -> dict[str, Any]:
    """One stage of the night; returns the rows it wrote per table."""
    from jobs.pipeline import run_stage

    with sentences():
        spec, day = night_of(model, context)
        summary = run_stage(spec, stage, Period.of(day), home())
    LOG.info("%s", summary)
    for note in summary.notes:
        LOG.warning("%s", note)
    return {"day": str(day), "rows": summary.rows}


@task(max_active_tis_per_dag=1)
def publish_copy(model: str, **context: Any) -> None:
    """Replace the copy that people and dashboards read. In a backfill nothing follows."""
    from jobs.pipeline import publish

    with sentences():
        spec, day = night_of(model, context)
        LOG.info("%s", publish(spec, home()))
    if may_speak(spec, day, context):
        tell_written(model, day, context)
    pass_over_what_speaks(context)


@task
def send_mail(model: str, **context: Any) -> str:
    """Send the night's mail if one is due and was not sent; returns what was done."""
    from jobs.delivery import mail

    with sentences():
        spec, day, newest = speaking_night_of(model, context)
        said = mail(spec, day, home(), newest, post_of(spec))
    LOG.info("%s", said)
    return said


@task(trigger_rule=TriggerRule.NONE_FAILED)
def record_requests(model: str, asked_by: list[str], **context: Any) -> None:
    """Note in the ledger what was asked for."""
    record_asked(model, context, tuple(asked_by))


@task(trigger_rule=TriggerRule.NONE_FAILED)
def announce_requests(model: str, asked: list[str], **context: Any) -> None:
    """Emit an asset event for each request, for whoever listens besides."""
    announce(model, context, asked)


@task
def hand_over(model: str, action: str, **context: Any) -> str:
    """Hand a request to the spec's webhook or command; returns what it said."""
    return hand_to_consumer(model, action, context)


@task
def read_spec(path: str) -> None:
    """Fail with what is wrong in a spec file."""
    with sentences():
        load_spec(Path(path))
    raise AirflowFailException(f"{path} can be read now; the night's DAG appears when Airflow next reads the file")


def night(dag_id: str, spec: ModelSpec) -> DAG:
    """The DAG of one model."""
    with DAG(
        dag_id,
        description=spec.description or None,
        schedule=Nightly(spec.timezone, spec.schedule.at),
        start_date=pendulum.datetime(2000, 1, 1, tz=spec.timezone),
        catchup=False,
        max_active_runs=10 if any(getattr(spec.actions, action).approval for action in ACTIONS) else 1,
        auto_register=False,  # a half-made DAG must not be found; the last lines of this file hand over whole ones
        params={"day": day_parameter(spec.timezone)},
        deadline=deadline_of(spec),
        default_args=task_defaults(spec.model, spec.owner, spec.schedule),
        doc_md=f"{spec.description}\n\n{__doc__}",
        tags=["nightjar", "monitor"],
    ) as dag:
        with TaskGroup("night", prefix_group_id=False):
            stages: list[Any] = [run_one.override(task_id=stage)(spec.model, stage) for stage in STAGE_NAMES]
            if spec.schedule.wait_for_data is not None:
                chain(AwaitDelivery(task_id="arrival", model=spec.model), stages[0])
        dag.get_task("ingest").inlets = reads(spec)
        for task_id, links in LINKS.items():
            dag.get_task(task_id).operator_extra_links = links
        with TaskGroup("handover", prefix_group_id=False):
            publish = publish_copy.override(task_id="publish", outlets=[written(spec.model)])(spec.model)
            deliver = send_mail.override(task_id="deliver", **patience(spec.schedule))(spec.model)
            chain(*stages, publish, deliver)
            for suffix, together in asked_together(spec).items():
                hand_over_and_tell(spec, publish, suffix, together)
    return dag


def asked_together(spec: ModelSpec) -> dict[str, list[str]]:
    """The actions by what the names of their tasks end in: one that waits for a person must hold up no other.

    Those that nobody carries out are among them: a DAG of the user's own may listen for their events.
    """
    alone = {f"_{one}": [one] for one in ACTIONS if wanted(spec, one) and getattr(spec.actions, one).approval}
    at_once = [one for one in ACTIONS if f"_{one}" not in alone]
    return ({"": at_once} if at_once else {}) | alone


def hand_over_and_tell(spec: ModelSpec, publish: Any, suffix: str, together: list[str]) -> None:
    """The tasks that hand requests over, that note it in the ledger, and that tell whoever listens."""
    handing = [ask(spec, action, publish) for action in together if wanted(spec, action)]
    started = [one for one in handing if isinstance(one, AskForAction)]
    if started:
        names = [one.action for one in started]
        chain(started, record_requests.override(task_id=f"record{suffix}")(spec.model, names))
    outlets = [alias_of(spec.model)]
    chain(
        handing or publish,
        announce_requests.override(task_id=f"announce{suffix}", outlets=outlets)(spec.model, together),
    )


def wanted(spec: ModelSpec, action: str) -> bool:
    """Whether a night needs a task for an action: a rule may ask for it, and somebody carries it out."""
    policy = getattr(spec.actions, action)
    carried = dag_for(spec, action) or policy.webhook is not None or policy.command is not None
    return bool(carried) and any(rule.action == action for rule in spec.all_rules)


def ask(spec: ModelSpec, action: str, publish: Any) -> Any:
    """The task that hands a request over, behind a person's approval where the spec wants one."""
    target = dag_for(spec, action)
    task_of_action: Any = (
        AskForAction(task_id=action, model=spec.model, action=action, trigger_dag_id=target)
        if target
        else hand_over.override(task_id=action)(spec.model, action)
    )
    if getattr(spec.actions, action).approval:
        chain(publish, Approve(task_id=f"approve_{action}", model=spec.model, action=action), task_of_action)
    else:
        chain(publish, task_of_action)
    return task_of_action


NOT_WATCHED = """\
**This model is not watched: its spec cannot be read.**

```
{error}
```

Set it right; the night that was missed then starts by itself, and takes in those before it.
"""


def stand_in(dag_id: str, broken: Broken) -> DAG:
    """A DAG without a schedule that says what is wrong in the spec, and fails with it when it is started.

    It is not an import error, because Airflow counts those by file: it would take every model's DAG down. A scheduled
    run of it would count as the model's night: Airflow would not start that night any more when the spec is set right.
    """
    with DAG(
        dag_id,
        description=broken.error.partition("\n")[0],
        schedule=None,
        max_active_runs=1,
        auto_register=False,  # a half-made DAG must not be found; the last lines of this file hand over whole ones
        default_args=task_defaults(broken.path.stem, "", Schedule()),
        doc_md=NOT_WATCHED.format(error=broken.error),
        tags=["nightjar", "monitor", "broken"],
    ) as dag:
        read_spec.override(task_id="spec")(str(broken.path))
    return dag


def task_defaults(model: str, owner: str, schedule: Schedule) -> dict[str, Any]:
    """Owner, retries with growing pauses, time limit and pool of each task."""
    return {
        "owner": owner or "nightjar",
        "retries": max(1, schedule.retries),  # a worker that dies must not cost the night, whatever the spec says
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=15),
        "execution_timeout": timedelta(minutes=schedule.timeout_minutes),
        "pool": (os.environ.get("NIGHTJAR_POOL") or "default_pool").replace("{model}", model),
    }


def day_parameter(zone: str) -> Param:
    """The typed day of a manual run."""
    return Param(
        None,
        type=["null", "string"],
        format="date",
        title="Business day",
        description=f"The day to work on, YYYY-MM-DD, in {zone}. Empty: the day of the run's data interval.",
    )


def patience(schedule: Schedule) -> dict[str, Any]:
    """Tries of a task whose mail server may be away for hours: pauses of 1, 2, 4, ... 30 minutes, four hours in all."""
    return {"retries": max(12, schedule.retries), "max_retry_delay": timedelta(minutes=30)}


def dag_of(dag_id: str, entry: ModelSpec | Broken) -> DAG:
    """The DAG of a catalogue's entry; a spec of which none can be made is broken too."""
    if isinstance(entry, Broken):
        return stand_in(dag_id, entry)
    try:
        return night(dag_id, entry)
    except Exception as error:
        LOG.exception("no DAG can be made for %s", entry.model)
        path = find_spec(entry.model, models_folder())
        return stand_in(dag_id, Broken(path, f"{path.name}: no DAG can be made: {type(error).__name__}: {error}"))


for _dag_id, _entry in catalogue(models_folder(), only=get_parsing_context().dag_id).items():
    globals()[_dag_id] = dag_of(_dag_id, _entry)
