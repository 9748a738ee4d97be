"""Work through many nights of a model in one pass: for the first history of a new model, or after a changed spec.

It writes the rows and pages that the nights one by one would have written, and sends and starts nothing. Airflow's own
backfill does the same with one run a night; this reads each delivery once and says how much faster it was.

### At night
- Red `check`: the model or the range cannot be worked on; the log's last line says why. Nothing was done.
- Red `run`: the last line of the log says what to do; most often another program holds the model's file, and the line
  names it. Clearing it begins the range again; what is finished is replaced by the same rows.

Nights of this model that fall due meanwhile take their turn between two stages.
"""

from __future__ import annotations

import logging
import time
from datetime import date, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Param, task
from airflow.sdk import timezone as airflow_clock

from dags.catalogue import dag_id_of, home, models_folder, spec_of
from dags.handover import sentences
from dags.nights import newest_closed, run_ids
from jobs.errors import UsageError
from jobs.periods import Period, parse_day
from jobs.pipeline import STAGE_NAMES
from jobs.spec.reading import find_spec, spec_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jobs.spec import ModelSpec

LOG = logging.getLogger(__name__)
COMPARED = 30
"""So many nights of the range, the newest, are looked up to compare with."""


@task
def check(**context: Any) -> dict[str, str]:
    """Refuse a range that cannot be worked on; returns what will be done."""
    asked = context["params"]
    with sentences():
        spec = spec_of(asked["model"])
        period = range_of(spec, asked["from"], asked["to"], newest_closed(airflow_clock.utcnow(), spec.timezone))
    LOG.info("%s, %s: %d nights", spec.model, period, len(period))
    return {"model": spec.model, "from": str(period.first), "to": str(period.last)}


@task
def run_range(asked: dict[str, str], **context: Any) -> dict[str, Any]:
    """All stages over the whole range, then the published copy; returns how long it took beside nightly runs."""
    from jobs.pipeline import publish, run_stage

    with sentences():
        spec, period = spec_of(asked["model"]), Period(parse_day(asked["from"]), parse_day(asked["to"]))
        began = time.perf_counter()
        for stage in STAGE_NAMES:  # one by one, so that the model's file is free for others in between
            summary = run_stage(spec, stage, period, home())
            LOG.info("%s", summary)
            for note in summary.notes:
                LOG.warning("%s", note)
        publish(spec, home())
    dag_id = dag_id_of(find_spec(spec.model, models_folder()))
    nightly = nightly_seconds(spec, period, lambda run_id: context["ti"].get_task_breadcrumbs(dag_id, run_id))
    found = compared(len(period), time.perf_counter() - began, nightly)
    LOG.info("%s, %s: %s", spec.model, period, sentence(found))
    return {"model": spec.model, "from": asked["from"], "to": asked["to"], **found}


def range_of(spec: ModelSpec, first: str, last: str, newest: date) -> Period:
    """The range that was typed. Raises UsageError where it ends before it begins or holds a day that is not there."""
    period = Period(parse_day(first), parse_day(last))
    if period.last > newest:
        raise UsageError(
            f"{spec.model}: the range {period} ends after the newest closed day in {spec.timezone}; end it on {newest}"
        )
    if spec.start and period.first < spec.start:
        raise UsageError(
            f"{spec.model}: the range {period} begins before the first day watched; begin it on {spec.start}, or "
            "change start in the spec"
        )
    return period


def nightly_seconds(
    spec: ModelSpec, period: Period, tasks_of: Callable[[str], Iterable[Mapping[str, Any]]]
) -> list[float]:
    """What the tasks of nightly runs took for the same work, in seconds, for the range's newest nights that had one.

    `tasks_of` gives a run's ended tasks. What Airflow needs between two tasks is not in it.
    """
    seconds = []
    for day in list(period)[-COMPARED:]:
        for run_id in run_ids(spec, day):
            took = {
                one["task_id"]: one["duration"]
                for one in tasks_of(run_id)
                if one["state"] == "success" and one["task_id"] in (*STAGE_NAMES, "publish")
            }
            if len(took) == len(STAGE_NAMES) + 1:
                seconds.append(sum(took.values()))
    return seconds


def compared(nights: int, seconds: float, nightly: list[float]) -> dict[str, Any]:
    """The pass beside nightly runs, a night each.

    >>> compared(60, 12.0, [9.0, 10.0, 11.0])["times_faster"]
    50.0
    """
    usual = median(nightly) if nightly else None
    each = seconds / nights
    return {
        "nights": nights, "seconds": round(seconds, 2), "seconds_per_night": round(each, 3),
        "nightly_runs": len(nightly), "nightly_seconds_per_night": None if usual is None else round(usual, 2),
        "times_faster": None if usual is None else round(usual / each, 1),
    }  # fmt: skip


def sentence(found: Mapping[str, Any]) -> str:
    """The same in words."""
    done = f"{found['nights']} nights in {found['seconds']:.1f} s, {found['seconds_per_night']:.2f} s a night"
    if found["times_faster"] is None:
        return f"{done}; none of them had a nightly run to compare with"
    return (
        f"{done}; the tasks of a nightly run took {found['nightly_seconds_per_night']:.1f} s "
        f"(median of {found['nightly_runs']}), so this was {found['times_faster']:.0f} times faster"
    )


def day_field(title: str, description: str) -> Param:
    """A typed day that must be given."""
    return Param(type="string", format="date", title=title, description=description)


with DAG(
    "bulk_backfill",
    description="Work through many nights of a model in one pass",
    schedule=None,
    max_active_runs=10,
    is_paused_upon_creation=False,
    params={
        "model": Param(
            type="string",
            enum=[path.stem for path in spec_files(models_folder())],
            title="Model",
            description="Whose nights.",
        ),
        "from": day_field("From", "The first night, YYYY-MM-DD, in the model's time zone."),
        "to": day_field("To", "The last night, YYYY-MM-DD; at most the newest day that is over."),
    },
    default_args={
        "owner": "nightjar",
        "retries": 1,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=15),
        "execution_timeout": timedelta(hours=6),
    },
    doc_md=__doc__,
    tags=["nightjar", "backfill"],
):
    run_range.override(task_id="run")(check())  # type: ignore[arg-type]
