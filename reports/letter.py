"""A short mail about one incident. Its mails form one thread, and each can be recognised when it is repeated."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

from reports.mail import SUBJECT_MOST, domain_of
from reports.text import plain, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping


def letter(subject: str, payload: Mapping[str, Any], sender: str, recipient: str) -> EmailMessage:
    """The mail of a message's payload: `text`, `key`, `incident`, `state`.

    The Message-ID is made of the key, the thread of the incident. There is no Date header; who sends it knows the time.
    """
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _subject(plain(subject, 4 * SUBJECT_MOST), plain(payload.get("title"), 4 * SUBJECT_MOST))
    message["From"] = sender
    message["To"] = recipient
    message["Message-ID"] = _name(payload["key"], sender)
    if payload.get("incident"):
        thread = _name(payload["incident"], sender)
        message["In-Reply-To"] = thread
        message["References"] = thread
    message["Auto-Submitted"] = "auto-generated"
    message["X-Nightjar-Key"] = payload["key"]
    message.set_content(f"{payload['text']}\n\n{payload['key']}\n", cte="quoted-printable")
    return message


def _subject(subject: str, title: str) -> str:
    """The subject, its title without the figures that it has no room for."""
    if not title or title not in subject:
        return plain(subject, SUBJECT_MOST)
    room = SUBJECT_MOST - (len(subject) - len(title))
    return plain(subject.replace(title, shortened(title, max(room, 20))), SUBJECT_MOST)


def _name(key: str, sender: str) -> str:
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain_of(sender)}>"
