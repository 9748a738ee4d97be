"""Hand over what a night decided to tell: the mail over SMTP, the request for a retraining to whoever can start one.

Only the newest closed night speaks; backfills and re-runs of older nights stay silent. The table `dispatches` is the
ledger: a key in it was handed over and is not handed over again. A process that dies between the server's answer and
the ledger repeats the mail at the next try, with the same Message-ID, so that mail programs show it once.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from jobs.engine import smtp
from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.errors import OrderError, UsageError
from jobs.periods import Period

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from jobs.spec.model import ModelSpec
    from reports.view import NightView

SERVER, SENDER, LINKS = "NIGHTJAR_SMTP", "NIGHTJAR_SENDER", "NIGHTJAR_LINKS"
"""Environment: the SMTP server's URL, the From address, and where reports are served (absent: their file)."""


@dataclass(frozen=True)
class Dispatched:
    """What was handed over for a night, and what is left for the caller to hand over."""

    said: str
    retrain: dict[str, Any] | None = None
    """The payload of a requested retraining that nobody has started yet, with its `run_id`."""

    def __str__(self) -> str:
        asked = f"; retrain is due: {self.retrain['reason']}" if self.retrain else ""
        return f"{self.said}{asked}"


def dispatch(spec: ModelSpec, night: date, home: Path, newest_closed: date) -> Dispatched:
    """Send the night's mail if one is due and was not sent; tell which retraining is due.

    Raises DeliveryError when the server does not take the mail; trying again repeats nothing that was recorded.
    """
    if night != newest_closed:
        return Dispatched(f"{spec.model}: {night} is not the newest closed day ({newest_closed}), so nothing is sent")
    with open_warehouse(home, spec.model) as warehouse:
        return Dispatched(_mail(spec, night, warehouse), _retrain(night, warehouse))


def retrain_due(spec: ModelSpec, night: date, home: Path, newest_closed: date) -> dict[str, Any] | None:
    """The payload of a retraining that the newest closed night requested and nobody has started, if any."""
    if night != newest_closed:
        return None
    with open_warehouse(home, spec.model) as warehouse:
        return _retrain(night, warehouse)


def mail(spec: ModelSpec, night: date, home: Path, newest_closed: date) -> str:
    """Send the night's mail if one is due and was not sent; says what was done."""
    if night != newest_closed:
        return f"{spec.model}: {night} is not the newest closed day ({newest_closed}), so nothing is sent"
    with open_warehouse(home, spec.model) as warehouse:
        return _mail(spec, night, warehouse)


def record(spec: ModelSpec, home: Path, key: str, channel: str, night: date, sent_at: datetime, answer: str) -> None:
    """Note in the ledger that a key was handed over; noting it twice keeps the first note."""
    with open_warehouse(home, spec.model) as warehouse:
        _record(warehouse, key, channel, night, sent_at, answer)


def _record(warehouse: Warehouse, key: str, channel: str, night: date, sent_at: datetime, answer: str) -> None:
    warehouse.execute(
        "INSERT INTO dispatches SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM dispatches WHERE key = ?)",
        [key, channel, night, sent_at.astimezone(UTC).replace(tzinfo=None), answer, key],
    )


def _sent(warehouse: Warehouse, key: str) -> bool:
    return warehouse.execute("SELECT 1 FROM dispatches WHERE key = ?", [key]).fetchone() is not None


def _retrain(night: date, warehouse: Warehouse) -> dict[str, Any] | None:
    _finished(night, warehouse)
    row = warehouse.execute(
        "SELECT o.key, o.payload FROM outbox AS o WHERE o.night = ? AND o.channel = 'retrain' "
        "AND o.key NOT IN (SELECT key FROM dispatches) ORDER BY o.key LIMIT 1",
        [night],
    ).fetchone()
    return {**json.loads(row[1]), "run_id": row[0]} if row else None


def _finished(night: date, warehouse: Warehouse) -> None:
    done = warehouse.progress("report")
    if done is None or done.through < night:
        raise OrderError(
            f"{warehouse.model}: the night of {night} has no report yet; run it before its messages are sent"
        )


def _mail(spec: ModelSpec, night: date, warehouse: Warehouse) -> str:
    _finished(night, warehouse)
    if not spec.mail.to:
        return f"{spec.model}: no mail, the spec names no recipient"
    key = f"{spec.model}-{night}-mail"
    if _sent(warehouse, key):
        return f"{spec.model}: the mail of {night} was sent before"
    view = _view(spec, night, warehouse)
    if not _due(spec, night, view, warehouse):
        return f"{spec.model}: no mail, nothing to tell about {night} (mail.when is {spec.mail.when})"
    server = os.environ.get(SERVER)
    if not server:
        raise UsageError(
            f"{spec.model}: the mail of {night} is due but {SERVER} is not set; for example smtp://host:25"
        )
    now = datetime.now(UTC)
    answer = smtp.send(_message(spec, view, key, warehouse.home, now), server)
    _record(warehouse, key, "mail", night, now, answer)
    return f"{spec.model}: the mail of {night} was {answer}"


def _view(spec: ModelSpec, night: date, warehouse: Warehouse) -> NightView:
    from jobs.stages import report

    return next(report.views(spec, Period.of(night), warehouse))


def _due(spec: ModelSpec, night: date, view: NightView, warehouse: Warehouse) -> bool:
    if spec.mail.when == "change":
        told = warehouse.execute("SELECT COUNT(*) FROM outbox WHERE night = ? AND channel = 'mail'", [night]).fetchone()
        return bool(told and told[0])
    return spec.mail.when == "always" or bool(view.incidents)


def _message(spec: ModelSpec, view: NightView, key: str, home: Path, now: datetime) -> Any:
    from jobs.stages.report import report_file
    from reports.mail import compose

    page = report_file(home, spec.model, view.night)
    links = os.environ.get(LINKS)
    link = f"{links.rstrip('/')}/{spec.model}/{view.night}/{page.name}" if links else page.as_uri()
    sender = os.environ.get(SENDER, "Nightjar <nightjar@localhost>")
    message = compose(view, sender, spec.mail.to, link, key)
    message["Date"] = format_datetime(now)
    return message
