"""Hand over what a night decided to tell: mails, messages, and requests to whoever can carry them out.

Only the newest closed night speaks; backfills and re-runs of older nights stay silent. The table `dispatches` is the
ledger: a key in it was handed over and is not handed over again. A process that dies between the server's answer and
the ledger repeats the message at the next try, with the same Message-ID or key, so that it can be recognised.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from jobs import consumers, ledger, offering, retold, telling
from jobs.engine import smtp
from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.errors import DeliveryError, RecipientError, UsageError
from jobs.language import say, speaking
from jobs.methods.evidence import RANK
from jobs.owed import owing
from jobs.periods import Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from jobs.spec.model import ModelSpec
    from jobs.telling import Post
    from reports.mail import News
    from reports.view import NightView

SERVER, SENDER, LINKS = "NIGHTJAR_SMTP", "NIGHTJAR_SENDER", "NIGHTJAR_LINKS"
"""Environment: the SMTP server's URL, the From address, and where reports are served (absent: their file)."""
OVER = ("resolved", retold.WITHDRAWN)
"""States that end a story: they stand last in a mail."""


@dataclass(frozen=True)
class Dispatched:
    """What was handed over for a night, and what is left for the caller to hand over."""

    said: str
    retrain: dict[str, Any] | None = None
    """The payload of a requested retraining that nobody has started yet, with its `run_id`."""
    due: tuple[str, ...] = ()
    """What waits for somebody who does not listen here: one sentence a request."""

    def __str__(self) -> str:
        return "; ".join([self.said, *self.due])


def dispatch(spec: ModelSpec, night: date, home: Path, newest_closed: date, post: Post | None = None) -> Dispatched:
    """Hand requests to the spec's consumers, send what the night has to tell; tell what else is due.

    `post` hands a mail to a server; absent: the one that NIGHTJAR_SMTP names. Raises DeliveryError, when all was
    tried, where something was not taken; trying again repeats nothing that was recorded.
    """
    if night != newest_closed:
        return Dispatched(offering.silent(spec, night, newest_closed))
    with owing(home, spec.model, night, datetime.now(UTC)), open_warehouse(home, spec.model) as warehouse:
        ledger.begin(warehouse, night, datetime.now(UTC))
        # first what makes the model safe: a dead mail server must not keep a rollback from being asked for
        done, faults = consumers.request(spec, warehouse, night)
        left = {action: offering.unstarted(spec, action, night, warehouse) for action in ledger.ACTIONS}
        due = tuple(offering.left(spec, action, payload, warehouse) for action, payload in left.items() if payload)
        try:
            said = _tell(spec, night, warehouse, post or post_of(spec))
        except (DeliveryError, UsageError) as error:
            if not faults and not due:
                raise
            raise type(error)("; ".join([str(error), *faults, *due])) from error
        if faults:
            raise DeliveryError(f"{spec.model}: {'; '.join([*faults, *due])}")
        return Dispatched("; ".join([said, *done]), left["retrain"], due)


def mail(spec: ModelSpec, night: date, home: Path, newest_closed: date, post: Post | None = None) -> str:
    """Send the night's mail and messages as far as they are due and were not sent; says what was done."""
    if night != newest_closed:
        return offering.silent(spec, night, newest_closed)
    with owing(home, spec.model, night, datetime.now(UTC)), open_warehouse(home, spec.model) as warehouse:
        return _tell(spec, night, warehouse, post or post_of(spec))


def _tell(spec: ModelSpec, night: date, warehouse: Warehouse, post: Post) -> str:
    """The mail and every message; what failed is raised when all was tried."""
    ledger.begin(warehouse, night, datetime.now(UTC))
    due = ledger.pending(warehouse, night)
    with speaking(spec.language):
        due += retold.due(spec, warehouse, night, due)
    faults = telling.tell(warehouse, due, post, sender())
    try:
        said = _mail(spec, night, warehouse, post, [row for row in due if row["channel"] == "mail"])
    except (DeliveryError, UsageError) as error:
        if not faults:
            raise
        faults.append(str(error))
    if faults:
        raise DeliveryError(f"{spec.model}: {'; '.join(faults)}")
    return said


def _mail(spec: ModelSpec, night: date, warehouse: Warehouse, post: Post, told: Sequence[dict[str, Any]]) -> str:
    """The night's mail, which tells the messages `told`; where it went out before, one more that tells them."""
    if not spec.mail.to:
        return f"{spec.model}: no mail, the spec names no recipient"
    key = f"{spec.model}-{night}-mail"
    again = ledger.sent(warehouse, key)
    if again and not told:
        return f"{spec.model}: the mail of {night} was sent before"
    if again:
        key = further(key, [row["key"] for row in told])
    with speaking(spec.language):
        view = _view(spec, night, warehouse)
    if not _worth_a_mail(spec, view, bool(told)):
        return f"{spec.model}: no mail, nothing to tell about {night} (mail.when is {spec.mail.when})"
    now = datetime.now(UTC)
    with speaking(spec.language):
        message = _message(spec, view, key, warehouse.home, now, _news(told, again=again))
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
    return f"{spec.model}: {'a further' if again else 'the'} mail of {night} was {answer}"


def further(key: str, told: Iterable[str]) -> str:
    """The key of a mail after a night's own, made of the keys that it tells: the same ones are the same mail.

    >>> further("shop-2025-03-05-mail", ["b", "a"]), further("shop-2025-03-05-mail", ["a", "b", "c"])
    ('shop-2025-03-05-mail-c8687a08', 'shop-2025-03-05-mail-0e9f6403')
    """
    return f"{key}-{hashlib.sha256(' '.join(sorted(told)).encode()).hexdigest()[:8]}"


def _news(told: Sequence[dict[str, Any]], *, again: bool) -> News:
    """What a mail says besides its night: of a further one all that it was sent for, else what is withdrawn."""
    from reports.mail import News

    rows = sorted(told, key=lambda row: (row["payload"]["state"] in OVER, -RANK[row["payload"]["severity"]]))
    gone = [row for row in rows if row["payload"]["state"] == retold.WITHDRAWN]
    rest = [row for row in rows if row not in gone] if again else []
    return News(
        titles=tuple(_headed(row["payload"]) for row in (*rest, *gone)),
        notes=(*(_headed(row["payload"]) for row in rest), *(row["payload"]["text"] for row in gone)),
        again=again,
    )


def _headed(payload: Mapping[str, Any]) -> str:
    """A message's title, and that it is over where it is.

    >>> _headed({"state": "resolved", "title": "no predictions"}), _headed({"state": "opened", "title": "PSI 0.5"})
    ('resolved: no predictions', 'PSI 0.5')
    """
    if payload["state"] == "resolved":
        return say("resolved: {title}", title=payload["title"])
    if payload["state"] == retold.WITHDRAWN:
        return say("withdrawn: {title}", title=payload["title"])
    return str(payload["title"])


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


def _message(spec: ModelSpec, view: NightView, key: str, home: Path, now: datetime, news: News) -> Any:
    from jobs.stages.report import report_file
    from reports import page as pages
    from reports.mail import compose

    page = report_file(home, spec.model, view.night)
    attachment = pages.render(view, site=False) if spec.mail.attach else None
    message = compose(view, sender(), spec.mail.to, link_to(page), key, attachment, news)
    message["Date"] = format_datetime(now)
    return message


def link_to(page: Path) -> str:
    """The address of a night's page in mails: below NIGHTJAR_LINKS as below the folder of reports, else the file's."""
    links = os.environ.get(LINKS)
    return "/".join((links.rstrip("/"), *page.parts[-3:])) if links else page.as_uri()


def sender() -> str:
    """The From address."""
    return os.environ.get(SENDER, "Nightjar <nightjar@localhost>")
