"""Hand over the messages of a night: mails of their own, chats, webhooks and the log.

One dead channel holds up no other: each is tried, and what failed is told together at the end. A process that dies
between the other side's answer and the ledger repeats that one message at the next try, with the same key.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from jobs import ledger
from jobs.engine import chat
from jobs.errors import NightjarError, RecipientError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from email.message import EmailMessage

    from jobs.engine.warehouse import Warehouse

    Post = Callable[[EmailMessage], str]
    """Hands a mail to a server and says what became of it."""

LOG = logging.getLogger("nightjar.messages")


def tell(warehouse: Warehouse, rows: Iterable[dict[str, Any]], post: Post, sender: str) -> list[str]:
    """Send every message that is not for the night's mail and not for a machine; returns the faults, as sentences."""
    acknowledged = ledger.answers(warehouse, "acknowledged")
    faults = []
    for row in rows:
        if row["channel"] == "mail" or row["channel"] in ledger.ACTIONS:
            continue
        now = datetime.now(UTC)
        if row["payload"]["state"] == "ongoing" and row["incident"] in acknowledged:
            said = f"not sent: {acknowledged[row['incident']][1]} has acknowledged it"
        else:
            try:
                said = hand_over(row, post, sender, now)
            except RecipientError as error:
                said = error.answer
                faults.append(f"{row['channel']}: {error}")
            except Exception as error:
                faults.append(f"{row['channel']}: {fault_of(error)}")
                continue
        ledger.record(warehouse, row["key"], row["channel"], row["night"], now, said, row["payload"])
    return faults


def fault_of(error: Exception) -> str:
    """What is told of an error of one message, which must hold up no other.

    Of an error that is not ours only the type: its text may hold the channel's URL, and with it a password.

    >>> fault_of(UsageError("the environment variable PAGER is not set")), fault_of(KeyError("https://host/?token=t"))
    ('the environment variable PAGER is not set', 'it could not be handed over: KeyError')
    """
    return str(error) if isinstance(error, NightjarError) else f"it could not be handed over: {type(error).__name__}"


def hand_over(row: dict[str, Any], post: Post, sender: str, now: datetime) -> str:
    """Send one message over its channel; returns what the other side said."""
    channel, payload = row["channel"], row["payload"]
    if channel == "log":
        LOG.info("%s | %s", row["subject"], payload["text"])
        return "logged"
    if channel.startswith("mailto:"):
        from reports.letter import letter

        message = letter(row["subject"], payload, sender, channel.removeprefix("mailto:"))
        message["Date"] = format_datetime(now)
        return post(message)
    return chat.send(address(channel), row["subject"], payload["text"], row["key"], payload)


def address(channel: str) -> str:
    """The URL that a spec's `${NAME}` stands for; UsageError where the environment does not say."""
    name = channel.removeprefix("${").removesuffix("}")
    if not (url := os.environ.get(name)):
        raise UsageError(f"the environment variable {name} is not set; it must hold the URL of this channel")
    return url
