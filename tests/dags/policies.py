"""What every DAG of Nightjar keeps to. A policy takes a DAG and yields a sentence for each fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.timetables.simple import NullTimetable

from dags.nights import Nightly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow.sdk import DAG

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
    """A bare cron string gives an empty interval, and with it no business day."""
    if not isinstance(dag.timetable, Nightly | NullTimetable) and type(dag.timetable).__name__ != "NullTimetable":
        yield f"the schedule is {type(dag.timetable).__name__}, whose runs have no business day"


def does_not_catch_up(dag: DAG) -> Iterator[str]:
    if dag.catchup:
        yield "catchup is on: switching the DAG on would start a run for every day since its start"


def bounds_its_runs(dag: DAG) -> Iterator[str]:
    if dag.max_active_runs > 10:
        yield f"max_active_runs is {dag.max_active_runs}"


POLICIES: tuple[Callable[[DAG], Iterator[str]], ...] = (
    has_an_owner, has_tags, says_what_to_do_at_night, retries_with_growing_pauses, ends_in_bounded_time,
    has_a_timetable_with_a_day, does_not_catch_up, bounds_its_runs,
)  # fmt: skip
