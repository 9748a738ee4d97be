"""What every DAG of Nightjar keeps to. A policy takes a DAG and yields a sentence for each fault."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineReference
from airflow.timetables.simple import NullTimetable

from dags.executors import can_be_called_back
from dags.nights import Nightly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow.sdk import DAG

WRITERS = {"ingest", "statistics", "metrics", "anomalies", "incidents", "report", "publish"}
"""Tasks of a night that hold the model's file from beginning to end."""

HEAVY = ("pandas", "numpy", "prophet", "duckdb", "sklearn", "scipy", "pyarrow", "altair")
"""What must not be imported while Airflow parses the DAG files; it does that every few seconds."""


def has_an_owner(dag: DAG) -> Iterator[str]:
    yield from (f"{task.task_id} has no owner" for task in dag.tasks if task.owner in ("", "airflow"))


def has_tags(dag: DAG) -> Iterator[str]:
    if "nightjar" not in dag.tags:
        yield "the tag 'nightjar' is missing"


def says_what_to_do_at_night(dag: DAG) -> Iterator[str]:
    text = dag.doc_md or ""
    if "Red `" not in text and "cannot be read" not in text:
        yield "doc_md does not say what to do when a task is red"


def retries_with_growing_pauses(dag: DAG) -> Iterator[str]:
    for task in dag.tasks:
        if not task.retries:
            yield f"{task.task_id} is not tried again"
        if not task.retry_exponential_backoff or task.max_retry_delay is None:
            yield f"{task.task_id} waits the same time before each try, or without bound"


def ends_in_bounded_time(dag: DAG) -> Iterator[str]:
    yield from (f"{task.task_id} has no execution_timeout" for task in dag.tasks if task.execution_timeout is None)


def has_a_timetable_with_a_day(dag: DAG) -> Iterator[str]:
    """A bare cron string gives an empty interval, and with it no business day. The watch looks at all zones at once."""
    if dag.dag_id == "nightjar_watch":
        return
    if not isinstance(dag.timetable, Nightly | NullTimetable) and type(dag.timetable).__name__ != "NullTimetable":
        yield f"the schedule is {type(dag.timetable).__name__}, whose runs have no business day"


def does_not_catch_up(dag: DAG) -> Iterator[str]:
    if dag.catchup:
        yield "catchup is on: switching the DAG on would start a run for every day since its start"


def bounds_its_runs(dag: DAG) -> Iterator[str]:
    if dag.max_active_runs > 10:
        yield f"max_active_runs is {dag.max_active_runs}"


def tells_when_it_is_late(dag: DAG) -> Iterator[str]:
    """Those that run beside the nights, and watch them or champions, are told of by `nightjar health`."""
    beside = {"watch", "broken", "retrain"} & set(dag.tags)
    if (
        can_be_called_back()
        and not isinstance(dag.timetable, NullTimetable)
        and dag.timetable.can_be_scheduled
        and not beside
        and not dag.deadline
    ):
        yield "it has a schedule and no deadline alert"


def can_be_cleared(dag: DAG) -> Iterator[str]:
    """Of Airflow 3.3.2; see docs/decisions/018-deadlines-count-from-the-day.md."""
    for alert in dag.deadline or ():
        if isinstance(alert.reference, type(DeadlineReference.DAGRUN_QUEUED_AT)):
            yield f"the deadline {alert.name} counts from the queueing, so a run that failed cannot be cleared"


def leaves_the_scheduler_alive(dag: DAG) -> Iterator[str]:
    """Of Airflow 3.3.2; see docs/decisions/018-deadlines-count-from-the-day.md."""
    for alert in dag.deadline or ():
        if isinstance(alert.callback, SyncCallback) and not can_be_called_back():
            yield f"the deadline {alert.name} is handed to an executor that takes no callbacks and ends the scheduler"


def names_what_it_reads_and_writes(dag: DAG) -> Iterator[str]:
    if dag.timetable.can_be_scheduled and not {"watch", "broken", "retrain"} & set(dag.tags):
        if not any(task.inlets for task in dag.tasks):
            yield "no task has inlets"
        if not any(task.outlets for task in dag.tasks):
            yield "no task has outlets"


def leaves_workers_to_other_models(dag: DAG) -> Iterator[str]:
    """Else each night of a backfill takes a worker while it waits for the file that another night of the model holds."""
    for task in dag.tasks:
        if (task.task_id in WRITERS or dag.dag_id == "planted") and task.max_active_tis_per_dag != 1:
            yield f"{task.task_id} may run {task.max_active_tis_per_dag or 'any number of'} times at once"


def takes_a_pool_that_is_there(dag: DAG) -> Iterator[str]:
    """A task in a pool that nobody made waits for ever, without a word."""
    known = {"default_pool", os.environ.get("NIGHTJAR_POOL", "default_pool")}
    yield from (f"{task.task_id} is in the pool {task.pool}" for task in dag.tasks if task.pool not in known)


POLICIES: tuple[Callable[[DAG], Iterator[str]], ...] = (
    has_an_owner, has_tags, says_what_to_do_at_night, retries_with_growing_pauses, ends_in_bounded_time,
    has_a_timetable_with_a_day, does_not_catch_up, bounds_its_runs, tells_when_it_is_late,
    can_be_cleared, leaves_the_scheduler_alive, leaves_workers_to_other_models, names_what_it_reads_and_writes, takes_a_pool_that_is_there,
)  # fmt: skip
