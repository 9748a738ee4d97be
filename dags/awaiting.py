"""A night that waits for the day's delivery: parked in the triggerer, where it takes no worker."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk import timezone as airflow_clock
from airflow.triggers.base import BaseTrigger, TriggerEvent

from dags.handover import night_of, sentences
from jobs.arrival import at_rest, awaited, standing, waits_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from airflow.sdk import Context

LOOKS_EVERY = 60.0
"""Seconds between two looks; a delivery counts as whole when it is the same in two of them."""

BACKSTOP = timedelta(minutes=10)
"""After the last moment of waiting: where no triggerer runs, the task fails then, and its next try goes on."""


class Arrival(BaseTrigger):
    """Fires when every pattern has files that no longer grow, or when `until` has come."""

    def __init__(self, patterns: Sequence[str], until: str, looks_every: float = LOOKS_EVERY) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.patterns = tuple(patterns)
        self.until = until
        self.looks_every = looks_every

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """As Airflow stores it."""
        given = {"patterns": list(self.patterns), "until": self.until, "looks_every": self.looks_every}
        return "dags.awaiting.Arrival", given

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, in a thread because a slow disk must not hold up other triggers, until there is something to say."""
        before, until = None, datetime.fromisoformat(self.until)
        while True:
            files = await asyncio.to_thread(standing, self.patterns)
            if files is not None and files == before:
                yield TriggerEvent(len(files))  # type: ignore[no-untyped-call]
                return
            left = (until - airflow_clock.utcnow()).total_seconds()
            if left <= 0:
                yield TriggerEvent(len(files or ()))  # type: ignore[no-untyped-call]
                return
            before = files
            await asyncio.sleep(min(self.looks_every, left))


class AwaitDelivery(BaseOperator):
    """Wait for the day's live predictions, until the spec's time is over; then the night runs without them.

    Only a scheduled night waits. A backfill is for days long past, and who starts a night by hand wants it now.
    """

    def __init__(self, *, model: str, looks_every: float = LOOKS_EVERY, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.looks_every = looks_every

    def execute(self, context: Context) -> str:
        """Go on at once where there is nothing to wait for, else park."""
        run_type = context["dag_run"].run_type
        if run_type != "scheduled":
            return f"a {run_type} run does not wait"
        with sentences():
            spec, day = night_of(self.model, context)
        until, now = waits_until(spec, day), airflow_clock.utcnow()
        if until is None:
            return "the spec asks for no waiting"
        patterns = awaited(spec, day)
        files = standing(patterns)
        if files is not None and at_rest(files, now):
            return _arrived(len(files))
        if now < until:
            self.log.info("waiting for %s, until %s at the latest", " and ".join(patterns), until.isoformat())
            self.defer(
                trigger=Arrival(patterns, until.isoformat(), self.looks_every),
                method_name="go_on",
                kwargs={"patterns": list(patterns)},
                timeout=until - now + BACKSTOP,
            )
        return self._without(patterns)

    def go_on(self, context: Context, event: int, patterns: Sequence[str]) -> str:  # noqa: ARG002 - Airflow's signature
        """What came of the waiting."""
        return _arrived(event) if event else self._without(patterns)

    def _without(self, patterns: Sequence[str]) -> str:
        said = f"no data: nothing has come at {' and '.join(patterns)}; the night runs on and tells it"
        self.log.warning("%s", said)
        return said


def _arrived(files: int) -> str:
    return f"{files} file{'s' if files != 1 else ''} delivered"
