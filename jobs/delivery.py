"""Hand over what a night decided to tell: mails, messages, and requests to whoever can carry them out.

Only the newest closed night speaks; backfills and re-runs of older nights stay silent. The table `dispatches` is the
ledger: a key in it was handed over and is not handed over again. A process that dies between the server's answer and
the ledger repeats the message at the next try, with the same Message-ID or key, so that it can be recognised.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from jobs import consumers, ledger, requested, telling
from jobs.engine import smtp
from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.errors import DeliveryError, RecipientError, UsageError
from jobs.language import say, speaking
from jobs.periods import Period

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from jobs.spec.model import ModelSpec
    from jobs.telling import Post
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


def dispatch(spec: ModelSpec, night: date, home: Path, newest_closed: date, post: Post | None = None) -> Dispatched:
    """Hand requests to the spec's consumers, send what the night has to tell; tell which retraining is due.

    `post` hands a mail to a server; absent: the one that NIGHTJAR_SMTP names. Raises DeliveryError, when all was
    tried, where something was not taken; trying again repeats nothing that was recorded.
    """
    if night != newest_closed:
        return Dispatched(_silent(spec, night, newest_closed))
    with open_warehouse(home, spec.model) as warehouse:
        ledger.begin(warehouse, night, datetime.now(UTC))
        # first what makes the model safe: a dead mail server must not keep a rollback from being asked for
        done, faults = consumers.request(spec, warehouse, night)
        try:
            said = _tell(spec, night, warehouse, post or post_of(spec))
        except (DeliveryError, UsageError) as error:
            if not faults:
                raise
            raise DeliveryError("; ".join([str(error), *faults])) from error
        if faults:
            raise DeliveryError(f"{spec.model}: {'; '.join(faults)}")
        return Dispatched("; ".join([said, *done]), _due(spec, "retrain", night, warehouse))


def mail(spec: ModelSpec, night: date, home: Path, newest_closed: date, post: Post | None = None) -> str:
    """Send the night's mail and messages as far as they are due and were not sent; says what was done."""
    if night != newest_closed:
        return _silent(spec, night, newest_closed)
    with open_warehouse(home, spec.model) as warehouse:
        return _tell(spec, night, warehouse, post or post_of(spec))


def retrain_due(spec: ModelSpec, night: date, home: Path, newest_closed: date) -> dict[str, Any] | None:
    """The payload of a retraining that the newest closed night requested and nobody has started, if any."""
    return action_due(spec, "retrain", night, home, newest_closed)


def action_due(spec: ModelSpec, action: str, night: date, home: Path, newest_closed: date) -> dict[str, Any] | None:
    """The payload of an action that the newest closed night requested and nobody has started, with its `run_id`."""
    if night != newest_closed:
        return None
    with open_warehouse(home, spec.model) as warehouse:
        return _due(spec, action, night, warehouse)


def request_due(spec: ModelSpec, action: str, night: date, home: Path) -> tuple[dict[str, Any] | None, str]:
    """A request that a night offers and nobody has started, with its `run_id`, and what was answered to it.

    That is approved, rejected or ''. One that is not the night's own is noted as offered by this night, so that no
    later one asks a person for it again. What the newest night knows to be too late is not offered: see `given_up`.
    """
    with open_warehouse(home, spec.model) as warehouse:
        one = _offer(spec, action, night, warehouse)
        if one is None:
            return None, ""
        key = one.row["key"]
        if not one.own:
            ledger.record(warehouse, f"{key}-offered", "offer", night, datetime.now(UTC), "offered for approval")
        answer, _ = ledger.answers(warehouse, "approved", "rejected").get(key, ("", ""))
    return _payload(one), answer


def given_up(spec: ModelSpec, action: str, night: date, home: Path) -> str:
    """Give up what a night asked for and came too late, as a late approval may; says why, empty where nothing did."""
    with open_warehouse(home, spec.model) as warehouse:
        late = requested.requests(spec, warehouse, night, known=_newest(warehouse, night))
        mine = [one for one in late if one.row["channel"] == action and one.gone and (one.own or one.offered == night)]
        return "; ".join(consumers.give_up(warehouse, one) for one in mine)


def answer_request(spec: ModelSpec, action: str, night: date, home: Path, person: str, *, approved: bool) -> None:
    """Write down what a person said about a night's request."""
    with open_warehouse(home, spec.model) as warehouse:
        if one := _offer(spec, action, night, warehouse):
            said = "approved" if approved else "rejected"
            ledger.answer(warehouse, one.row["key"], said, person, datetime.now(UTC))


def to_announce(spec: ModelSpec, night: date, home: Path, now: datetime) -> list[dict[str, Any]]:
    """Payloads of a night's requests that nobody was told of as an event; those that wait for approval are left out."""
    with open_warehouse(home, spec.model) as warehouse:
        found = requested.requests(spec, warehouse, night, taken=True, known=_newest(warehouse, night))
        due = [one.row for one in found if not one.gone and (one.own or one.asked)]
        free = [
            one["payload"]
            for one in due
            if not ledger.sent(warehouse, f"{one['key']}-event")
            and not consumers.waiting(getattr(spec.actions, one["channel"]), one["key"], warehouse)
        ]
        for one in free:
            ledger.record(warehouse, f"{one['key']}-event", "event", night, now, "announced")
    return free


def hand_to_consumers(spec: ModelSpec, night: date, home: Path, newest_closed: date) -> str:
    """Hand requests to the webhooks and commands of the spec; says what was done."""
    if night != newest_closed:
        return _silent(spec, night, newest_closed)
    with open_warehouse(home, spec.model) as warehouse:
        ledger.begin(warehouse, night, datetime.now(UTC))
        done, faults = consumers.request(spec, warehouse, night, _newest(warehouse, night))
    if faults:
        raise DeliveryError(f"{spec.model}: {'; '.join(faults)}")
    return "; ".join(done) or f"{spec.model}: no request waits for a webhook or a command"


def record(spec: ModelSpec, home: Path, key: str, channel: str, night: date, sent_at: datetime, answer: str) -> None:
    """Note in the ledger that a key was handed over; noting it twice keeps the first note."""
    with open_warehouse(home, spec.model) as warehouse:
        ledger.record(warehouse, key, channel, night, sent_at, answer)


def _silent(spec: ModelSpec, night: date, newest_closed: date) -> str:
    return f"{spec.model}: {night} is not the newest closed day ({newest_closed}), so nothing is sent"


def _due(spec: ModelSpec, action: str, night: date, warehouse: Warehouse) -> dict[str, Any] | None:
    """A request that nobody has started, unless the spec's own webhook or command is to get it."""
    ledger.finished(warehouse, night)
    if getattr(spec.actions, action).consumer in ("webhook", "command"):
        return None
    one = _offer(spec, action, night, warehouse)
    return _payload(one) if one else None


def _offer(spec: ModelSpec, action: str, night: date, warehouse: Warehouse) -> requested.Request | None:
    """The request to offer on a night: its own, else the newest that an older night could not get rid of.

    A person is asked once: what an older night has asked for approval, or what was rejected, is not offered again.
    """
    rejected = ledger.rejected(warehouse)
    waits = getattr(spec.actions, action).approval
    found = [
        one
        for one in requested.requests(spec, warehouse, night, known=_newest(warehouse, night) if waits else None)
        if one.row["channel"] == action
        and one.due
        and (one.own or one.row["key"] not in rejected)
        and (one.own or not waits or (not one.tried and one.offered in (None, night)))
    ]
    return max(found, key=lambda one: (one.row["night"], one.row["key"]), default=None)


def _payload(one: requested.Request) -> dict[str, Any]:
    return {**one.row["payload"], "run_id": one.row["key"]}


def _newest(warehouse: Warehouse, night: date) -> date:
    """The newest night that is finished; a person may answer long after the night that asked."""
    done = warehouse.progress("report")
    return max(night, done.through) if done else night


def _tell(spec: ModelSpec, night: date, warehouse: Warehouse, post: Post) -> str:
    """The mail and every message; what failed is raised when all was tried."""
    ledger.begin(warehouse, night, datetime.now(UTC))
    faults = telling.tell(warehouse, ledger.pending(warehouse, night), post, sender())
    try:
        said = _mail(spec, night, warehouse, post)
    except (DeliveryError, UsageError) as error:
        if not faults:
            raise
        faults.append(str(error))
    if faults:
        raise DeliveryError(f"{spec.model}: {'; '.join(faults)}")
    return said


def _mail(spec: ModelSpec, night: date, warehouse: Warehouse, post: Post) -> str:
    if not spec.mail.to:
        return f"{spec.model}: no mail, the spec names no recipient"
    key = f"{spec.model}-{night}-mail"
    if ledger.sent(warehouse, key):
        return f"{spec.model}: the mail of {night} was sent before"
    told = [row for row in ledger.pending(warehouse, night) if row["channel"] == "mail"]
    with speaking(spec.language):
        view = _view(spec, night, warehouse)
    if not _worth_a_mail(spec, view, bool(told)):
        return f"{spec.model}: no mail, nothing to tell about {night} (mail.when is {spec.mail.when})"
    now = datetime.now(UTC)
    with speaking(spec.language):
        message = _message(spec, view, key, warehouse.home, now)
    refusal = None
    try:
        answer = post(message)
    except RecipientError as error:  # those who have it must not get it again, and somebody must hear of the others
        answer, refusal = error.answer, error
    with warehouse.transaction():
        ledger.record(warehouse, key, "mail", night, now, answer)
        ledger.record_all(warehouse, told, now, f"told in {key}")
    if refusal:
        raise refusal
    return f"{spec.model}: the mail of {night} was {answer}"


def post_of(spec: ModelSpec) -> Post:
    """Mails go to the server of NIGHTJAR_SMTP."""

    def post(message: Any) -> str:
        server = os.environ.get(SERVER)
        if not server:
            raise UsageError(
                f"{spec.model}: the mail '{message['Subject']}' is due but {SERVER} is not set; "
                "for example smtp://host:25"
            )
        return smtp.send(message, server)

    return post


def _view(spec: ModelSpec, night: date, warehouse: Warehouse) -> NightView:
    """The night as its report shows it, and who has acknowledged what since."""
    from jobs.stages import report

    view = next(report.views(spec, Period.of(night), warehouse))
    known = ledger.answers(warehouse, "acknowledged")
    incidents = [
        replace(one, note=say("acknowledged by {person}", person=known[one.id][1])) if one.id in known else one
        for one in view.incidents
    ]
    return replace(view, incidents=type(view.incidents)(incidents))


def _worth_a_mail(spec: ModelSpec, view: NightView, news: bool) -> bool:
    """An acknowledged incident makes no mail by itself any more."""
    open_ones = any(not one.note for one in view.incidents)
    return news or spec.mail.when == "always" or (spec.mail.when == "incident" and open_ones)


def _message(spec: ModelSpec, view: NightView, key: str, home: Path, now: datetime) -> Any:
    from jobs.stages.report import report_file
    from reports import page as pages
    from reports.mail import compose

    page = report_file(home, spec.model, view.night)
    links = os.environ.get(LINKS)
    link = f"{links.rstrip('/')}/{spec.model}/{view.night}/{page.name}" if links else page.as_uri()
    attachment = pages.render(view, site=False) if spec.mail.attach else None
    message = compose(view, sender(), spec.mail.to, link, key, attachment)
    message["Date"] = format_datetime(now)
    return message


def sender() -> str:
    """The From address."""
    return os.environ.get(SENDER, "Nightjar <nightjar@localhost>")
