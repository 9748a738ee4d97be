"""A night's mail: a subject that says the state, a text part, an HTML part with its pictures, and the page on wish.

multipart/mixed                    only with an attachment
  multipart/alternative
    text/plain                     reports.mail_text
    multipart/related
      text/html                    reports.mail_html, templates/mail.html, reports.mail_style
      image/png ...                reports.mail_pictures, by Content-ID
  text/html                        the page
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from jobs.language import say
from reports import mail_pictures, sentence
from reports.formats import short_day, with_days
from reports.mail_html import html_part
from reports.mail_text import text_part
from reports.text import plain, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from reports.view import NightView

SUBJECT_MOST = 120


@dataclass(frozen=True)
class News:
    """What a mail tells besides its night as it is now."""

    titles: tuple[str, ...] = ()
    """For the subject, the gravest first."""
    notes: tuple[str, ...] = ()
    """For the text, a line each."""
    again: bool = False
    """Whether the night's own mail has gone out, and the night was run again since."""

    def on(self, night: date) -> News:
        """With its days written as those of the night's page."""
        titles, notes = (tuple(with_days(one, night) for one in told) for told in (self.titles, self.notes))
        return News(titles, notes, self.again)

    @property
    def lines(self) -> tuple[str, ...]:
        """The notes, and before them why there is a further mail."""
        lead = say("This night was run again after its mail had gone out. What is new since then:")
        return (lead, *self.notes) if self.again else self.notes


def compose(
    view: NightView, sender: str, recipients: Iterable[str], link: str, key: str, attachment: str | None = None,
    news: News = News(),
) -> EmailMessage:  # fmt: skip
    """The mail of a night. `link` leads to the page; `key` names the message, so that sending it again is seen.

    `attachment` is a page to go with it. Boundaries, Content-IDs and Message-ID are made of the key: the same night
    gives the same bytes. There is no Date header; who sends it knows the time.
    """
    name, domain = hashlib.sha256(key.encode()).hexdigest()[:32], domain_of(sender)
    message = EmailMessage(policy=SMTP)
    news = news.on(view.night)
    message["Subject"] = subject(view, news)
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Message-ID"] = f"<{name}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    text = text_part(view, link, news.lines)
    message.set_content(text, cte=_encoding(text))
    _add_html(message, view, link, name, domain, news.lines)
    if attachment is not None:
        message.add_attachment(attachment, subtype="html", cte="base64", filename=f"{view.model}-{view.night}.html")
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{name}{number or ''}")
    return message


def _add_html(message: EmailMessage, view: NightView, link: str, name: str, domain: str, notes: Sequence[str]) -> None:
    """The HTML part, and its pictures beside it."""
    nights, trends, bins = mail_pictures.nights(view), mail_pictures.trends(view), mail_pictures.bins(view)
    pictures = [one for one in (nights, *trends, bins) if one]
    ids = {one.name: f"{one.name}.{name}@{domain}" for one in pictures}
    html = html_part(view, link, nights, trends, bins, ids, notes)
    message.add_alternative(html, subtype="html", cte=_encoding(html))
    [*_, part] = message.iter_parts()
    for one in pictures:
        part.add_related(
            one.png, "image", "png", cid=f"<{ids[one.name]}>", disposition="inline", filename=f"{one.name}.png"
        )


def _encoding(text: str) -> str:
    """Quoted-printable stays readable where most letters are ASCII; other scripts are shorter in base64."""
    others = sum(letter > "\x7f" for letter in text)
    return "quoted-printable" if others * 12 < len(text) else "base64"


def domain_of(sender: str) -> str:
    """The domain a message's name is made in."""
    found = sender.rpartition("@")[2].strip().rstrip(">").strip()
    try:
        return Address(username="x", domain=found).domain or "nightjar.invalid"
    except (ValueError, IndexError):
        return "nightjar.invalid"


def subject(view: NightView, news: News = News()) -> str:
    """The state first, then the model, what is worst, and the day; of a further mail what it was sent for."""
    gaps = {
        "state": sentence.stated(view.state if view.state in sentence.STATES else "info"),
        "model": view.model,
        "day": short_day(view.night),
    }
    if news.again:
        return _led(say("[{state}] {model} {day}, run again: ", **gaps), news.titles)
    head = say("[{state}] {model} {day}: ", **gaps)
    if view.incidents:
        return _led(head, [one.title for one in view.incidents])
    if view.resolved:
        room = SUBJECT_MOST - len(head) - len(say("resolved: {title}", title=""))
        return head + say("resolved: {title}", title=shortened(view.resolved[0].title, max(room, 20)))
    return _led(head, news.titles) if news.titles else plain(head + say("no open incident"), SUBJECT_MOST)


def _led(head: str, titles: Sequence[str]) -> str:
    """The first title, without the figures that there is no room for, and how many more there are."""
    rest = say(" (+{count} more)", count=len(titles) - 1) if len(titles) > 1 else ""
    return head + shortened(titles[0], max(SUBJECT_MOST - len(head) - len(rest), 20)) + rest
