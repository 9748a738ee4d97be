"""What the tasks of a night share: which night it is, how they fail, and which server takes their mails."""

from __future__ import annotations

import smtplib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import timezone as airflow_clock
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped

from dags.catalogue import home, spec_of
from dags.nights import business_day_of, newest_closed, newest_for, reason_for_silence
from jobs.errors import DeliveryError, RecipientError, SpecError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from email.message import EmailMessage

    from jobs.spec import ModelSpec
    from jobs.telling import Post


@contextmanager
def sentences() -> Iterator[None]:
    """What a person must set right fails at once, with its sentence; everything else may be tried again.

    So may a stage, or a mail, that comes before what it needs (OrderError): another night that is run again has
    reopened it, and brings it up to date within minutes.
    """
    try:
        yield
    except (SpecError, UsageError, RecipientError) as error:
        raise AirflowFailException(str(error)) from error


def night_of(model: str, context: Mapping[str, Any]) -> tuple[ModelSpec, date]:
    """The model's spec as it is now, and the business day of this run."""
    spec = spec_of(model)
    return spec, business_day_of(context, spec.timezone, airflow_clock.utcnow())


def speaking_night_of(model: str, context: Mapping[str, Any]) -> tuple[ModelSpec, date, date]:
    """The same with the newest day that may speak; skips the task where this run must send and start nothing."""
    spec, day = night_of(model, context)
    newest = newest_of(spec, day, context)
    if reason := reason_for_silence(context["dag_run"].run_type, day, newest):
        raise AirflowSkipException(reason)
    return spec, day, newest


def may_speak(spec: ModelSpec, day: date, context: Mapping[str, Any]) -> bool:
    """Whether this run may send and start something."""
    newest = newest_of(spec, day, context)
    return reason_for_silence(context["dag_run"].run_type, day, newest) is None


def newest_of(spec: ModelSpec, day: date, context: Mapping[str, Any]) -> date:
    """The newest day that this run must be for, to speak.

    A scheduled night that goes on after midnight also gives way to a newer one that has spoken: the day that closed
    then can be run by hand before its own night is due.
    """
    run_type, now = context["dag_run"].run_type, airflow_clock.utcnow()
    newest = newest_for(run_type, day, spec, now)
    if run_type != "scheduled" or not day == newest < newest_closed(now, spec.timezone):
        return newest
    from jobs.offering import newest_spoken

    return max(day, newest_spoken(spec, home()) or day)


def pass_over_what_speaks(context: Mapping[str, Any]) -> None:
    """In a backfill, skip everything after this task at once: it would only say that it stays silent.

    That is four tasks of eleven, and starting each costs as much as starting one that works.
    """
    if context["dag_run"].run_type == "backfill":
        rest = sorted(context["task"].get_flat_relative_ids(upstream=False))
        raise DownstreamTasksSkipped(tasks=rest)  # type: ignore[no-untyped-call]


def post_of(spec: ModelSpec) -> Post | None:
    """Hands mails to the SMTP connection that the spec names; None: to the server of NIGHTJAR_SMTP.

    The connection should be JSON; both SSL and STARTTLS are on where it does not switch one off (docs/airflow.md).
    """
    if spec.mail.connection is None:
        return None
    connection = spec.mail.connection

    def post(message: EmailMessage) -> str:
        from airflow.providers.smtp.hooks.smtp import SmtpHook
        from airflow.sdk.exceptions import AirflowException

        from jobs.engine.smtp import answer_of

        try:
            with SmtpHook(smtp_conn_id=connection) as hook:
                # its own methods build another message: theirs has no text part and no Message-ID of ours
                refused: Any = hook._smtp_client.send_message(message)  # type: ignore[union-attr]
        except (OSError, smtplib.SMTPException, AirflowException) as error:
            raise DeliveryError(
                f"the connection '{connection}' did not take '{message['Subject']}': {error}"
            ) from error
        return answer_of(message, f"the connection {connection}", refused)

    return post
