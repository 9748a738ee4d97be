"""What the tasks of a night share: which night it is, how they fail, and how a retraining is asked for exactly once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import timezone as airflow_clock
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.catalogue import home, spec_of
from dags.nights import business_day_of, newest_closed, reason_for_silence
from jobs.errors import OrderError, SpecError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from airflow.sdk import Context

    from jobs.spec import ModelSpec

ASKED = "asked"
"""The XCom in which a retraining's payload waits to be recorded."""


@contextmanager
def sentences() -> Iterator[None]:
    """What a person must set right fails at once, with its sentence; everything else may be tried again."""
    try:
        yield
    except (SpecError, UsageError, OrderError) as error:
        raise AirflowFailException(str(error)) from error


def night_of(model: str, context: Mapping[str, Any]) -> tuple[ModelSpec, date]:
    """The model's spec as it is now, and the business day of this run."""
    spec = spec_of(model)
    return spec, business_day_of(context, spec.timezone, airflow_clock.utcnow())


def speaking_night_of(model: str, context: Mapping[str, Any]) -> tuple[ModelSpec, date, date]:
    """The same with the newest closed day; skips the task where this run must send and start nothing."""
    spec, day = night_of(model, context)
    newest = newest_closed(airflow_clock.utcnow(), spec.timezone)
    if reason := reason_for_silence(context["dag_run"].run_type, day, newest):
        raise AirflowSkipException(reason)
    return spec, day, newest


class AskForRetraining(TriggerDagRunOperator):
    """Start `retrain` where the night requested one that nobody has started yet; skip where it did not.

    The run id is the decision's own key, so a re-run, a cleared task or a second worker finds the run already there
    and skips. Why not an asset: `docs/decisions/005-retrain-exactly-once.md`.
    """

    def __init__(self, *, model: str, **kwargs: Any) -> None:
        super().__init__(trigger_dag_id="retrain", logical_date=None, skip_when_already_exists=True, **kwargs)
        self.model = model

    def execute(self, context: Context) -> None:
        """Take the payload from the outbox and let the parent start the run."""
        from jobs.delivery import retrain_due

        with sentences():
            spec, day, newest = speaking_night_of(self.model, context)
            payload = retrain_due(spec, day, home(), newest)
        if payload is None:
            raise AirflowSkipException("nothing asks for a retraining that was not started before")
        context["ti"].xcom_push(key=ASKED, value=payload)
        self.trigger_run_id = payload["run_id"]
        self.conf = {name: value for name, value in payload.items() if name != "run_id"}
        super().execute(context)


def record_asked(model: str, context: Mapping[str, Any], asked_by: str) -> None:
    """Note in the ledger what the task `asked_by` has asked for; skips the task where it asked for nothing."""
    from jobs.delivery import record

    payload = context["ti"].xcom_pull(task_ids=asked_by, key=ASKED)
    if not payload:
        raise AirflowSkipException("no retraining was asked for")
    with sentences():
        spec, day = night_of(model, context)
        answer = f"started the run {payload['run_id']} of retrain"
        record(spec, home(), payload["key"], "retrain", day, airflow_clock.utcnow(), answer)
