"""Hand one mail to an SMTP server named by a URL: `smtp://`, `smtp+starttls://` or `smtps://` with `user:password@`."""

from __future__ import annotations

import smtplib
import ssl
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from jobs.errors import DeliveryError, RecipientError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import EmailMessage

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def send(message: EmailMessage, url: str, timeout: float = 30.0) -> str:
    """Send and return the server's last word; DeliveryError when it does not take the mail, RecipientError for some."""
    server = urlsplit(url)
    if server.scheme not in PORTS or not server.hostname:
        raise DeliveryError(
            f"NIGHTJAR_SMTP is '{server.scheme}://...'; write smtp://host:25, smtp+starttls://user:password@host:587 "
            "or smtps://user:password@host:465"
        )
    port = server.port or PORTS[server.scheme]
    try:
        client: smtplib.SMTP
        if server.scheme == "smtps":
            client = smtplib.SMTP_SSL(server.hostname, port, timeout=timeout, context=ssl.create_default_context())
        else:
            client = smtplib.SMTP(server.hostname, port, timeout=timeout)
        with client:
            if server.scheme == "smtp+starttls":
                client.starttls(context=ssl.create_default_context())
            if server.username:
                client.login(unquote(server.username), unquote(server.password or ""))
            refused = client.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(
            f"the mail '{message['Subject']}' was not taken by {server.hostname}:{port}: {error}; it stays in the "
            "outbox, run the night's delivery again"
        ) from error
    return answer_of(message, f"{server.hostname}:{port}", refused)


def answer_of(message: EmailMessage, server: str, refused: Mapping[str, tuple[int, bytes]]) -> str:
    """What became of a mail that a server took; RecipientError where it refused some recipients (smtplib's mapping)."""
    if not refused:
        return f"accepted by {server}"
    why = [f"{to} ({code} {said.decode(errors='replace')})" for to, (code, said) in refused.items()]
    raise RecipientError(
        f"the mail '{message['Subject']}' was accepted by {server} but refused for {', '.join(why)}; the others have "
        "it and it is not sent again: correct mail.to, and tell those it was refused for",
        f"accepted by {server}, refused for {', '.join(refused)}",
    )
