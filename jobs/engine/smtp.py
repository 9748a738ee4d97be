"""Hand one mail to an SMTP server named by a URL: `smtp://`, `smtp+starttls://` or `smtps://` with `user:password@`."""

from __future__ import annotations

import smtplib
import ssl
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from jobs.errors import DeliveryError

if TYPE_CHECKING:
    from email.message import EmailMessage

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def send(message: EmailMessage, url: str, timeout: float = 30.0) -> str:
    """Send and return the server's last word; DeliveryError when it does not take the mail."""
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
    return f"accepted by {server.hostname}:{port}" + (f", refused for {', '.join(refused)}" if refused else "")
