"""What a person is asked, and what happens to the answer.

Airflow forgets a click when the try that it woke fails: the next try begins at the beginning and would ask again. So an
answer is kept in a file of its own until it is in the ledger, and a try that finds one there asks nobody.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowFailException

from dags.catalogue import home

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow.sdk import Context

PATIENCE = timedelta(days=3)
"""How long an approval is waited for; then its task is red, and the request rests."""


class Question(ApprovalOperator):
    """Park until a person approves or rejects something, once and for PATIENCE at most."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(response_timeout=PATIENCE, **kwargs)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Keep the answer, write it down, then go on as it says."""
        if "error" not in event:
            keep(context, event)
        return self.conclude(context, event)

    def conclude(self, context: Context, event: dict[str, Any]) -> Any:
        """Write an answer down; the parent skips what follows a rejection."""
        if "error" not in event:
            person = str((event.get("responded_by_user") or {}).get("name") or "somebody")
            self.write_down(context, person, approved=event["chosen_options"][0] == self.APPROVE)
            forget(context)
        return super().execute_complete(context, event)

    def write_down(self, context: Context, person: str, *, approved: bool) -> None:
        """Note what a person said, where it is asked for later."""
        raise NotImplementedError

    def process_trigger_event_error(self, event: dict[str, Any]) -> None:
        """Fail without another try when nobody answered, because each try would wait as long again."""
        if event["error_type"] == "timeout":
            raise AirflowFailException(f"nobody answered in {PATIENCE.days} days; clear this task to ask again")
        super().process_trigger_event_error(event)  # type: ignore[no-untyped-call, unused-ignore]


def keep(context: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    """Keep an answer until it is written down; the file appears whole or not at all."""
    from jobs.engine.shelf import write_json

    write_json(_file(context), {**event, "responded_at": str(event["responded_at"])})


def kept(context: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer that an earlier try could not write down, as Airflow gave it; None where there is none."""
    path = _file(context)
    if not path.is_file():
        return None
    event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return event | {"responded_at": datetime.fromisoformat(event["responded_at"])}


def forget(context: Mapping[str, Any]) -> None:
    """Remove an answer that was written down."""
    _file(context).unlink(missing_ok=True)


def _file(context: Mapping[str, Any]) -> Path:
    one = context["ti"]
    return home() / "answers" / f"{quote(f'{one.dag_id}.{one.run_id}.{one.task_id}', safe='')}.json"
