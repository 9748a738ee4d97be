"""What a night decided and nobody has been told yet, and the ledger of what was handed over.

A key in `dispatches` was handed over and is not handed over again. A night that began to speak is noted there too, so
that what it could not deliver is tried again on the nights after. Nights that never spoke, such as backfilled ones or
those caught up on after an outage, stay silent; but an incident of theirs that is still open is told by the next night
that speaks, because nobody has heard of it yet. Requests for actions: `jobs.requested`.
"""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from jobs.errors import OrderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from jobs.engine.warehouse import Warehouse

AGAIN_DAYS = 7
"""Nights for which an undelivered message is tried again."""

ACTIONS = ("rollback", "fallback", "retrain")
"""Channels of machines; all others are people's."""

TOLD = ("incident", "state", "severity", "title")
"""What is kept of a message about an incident."""

MESSAGE = ("night", "key", "incident", "channel", "subject", "payload")


def begin(warehouse: Warehouse, night: date, now: datetime) -> None:
    """Note that a night speaks; OrderError where it has no report yet."""
    finished(warehouse, night)
    record(warehouse, f"{warehouse.model}-{night}-speaks", "night", night, now, "its messages may be sent")


def newest_spoken(warehouse: Warehouse) -> date | None:
    """The newest night that began to speak."""
    row = warehouse.execute("SELECT MAX(night) FROM dispatches WHERE channel = 'night'").fetchone()
    return row[0] if row else None


def finished(warehouse: Warehouse, night: date) -> None:
    """Raise OrderError where a night has no report yet."""
    done = warehouse.progress("report")
    if done is None or done.through < night:
        raise OrderError(
            f"{warehouse.model}: the night of {night} has no report yet; run it before its messages are sent"
        )


def pending(warehouse: Warehouse, night: date) -> list[dict[str, Any]]:
    """Messages to people that are due on a night and not in the ledger, oldest first.

    Those of the night itself; those of the AGAIN_DAYS before it that spoke; and of each incident that is open and of
    which a channel never heard, because it opened while nobody was spoken to, the newest one. That an incident is over
    is told only where it was told, or is told now, that there is one.
    """
    spoken = warehouse.execute(
        f"SELECT {', '.join(f'o.{name}' for name in MESSAGE)} FROM outbox AS o "
        "JOIN dispatches AS s ON s.channel = 'night' AND s.night = o.night "
        "WHERE o.night BETWEEN ? AND ? AND o.channel NOT IN ('rollback', 'fallback', 'retrain') "
        "AND o.key NOT IN (SELECT key FROM dispatches)",
        [night - timedelta(days=AGAIN_DAYS), night],
    ).fetchall()
    unheard = warehouse.execute(
        f"SELECT {', '.join(f'o.{name}' for name in MESSAGE)} FROM outbox AS o "
        "JOIN incidents AS i ON i.incident = o.incident AND i.night = ? AND i.state <> 'resolved' "
        "WHERE o.night < i.night AND o.channel NOT IN ('rollback', 'fallback', 'retrain') AND NOT EXISTS ("
        "SELECT 1 FROM outbox AS p WHERE p.incident = o.incident AND p.channel = o.channel "
        "AND (p.night = i.night OR p.key IN (SELECT key FROM dispatches))) "
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY o.incident, o.channel ORDER BY o.night DESC) = 1",
        [night],
    ).fetchall()
    rows = [
        dict(zip(MESSAGE, row, strict=True)) | {"payload": json.loads(row[-1])}
        for row in sorted({row[1]: row for row in (*unheard, *spoken)}.values())
    ]
    told = set(
        warehouse.execute(
            "SELECT DISTINCT o.incident, o.channel FROM outbox AS o JOIN dispatches AS d ON d.key = o.key"
        ).fetchall()
    )
    told |= {(row["incident"], row["channel"]) for row in rows if row["payload"].get("state") != "resolved"}
    return [
        row for row in rows if row["payload"].get("state") != "resolved" or (row["incident"], row["channel"]) in told
    ]


def record(
    warehouse: Warehouse, key: str, channel: str, night: date, sent_at: datetime, answer: str,
    payload: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Note that a key was handed over; noting it twice keeps the first note.

    `payload`: of a message to people. What it told of an incident is kept, because a re-run replaces the outbox.
    """
    told = payload if payload and payload.get("incident") else {}
    warehouse.execute(
        f"INSERT INTO dispatches (key, channel, night, sent_at, answer, {', '.join(TOLD)}) "
        "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM dispatches WHERE key = ?)",
        [
            key, channel, night, sent_at.astimezone(UTC).replace(tzinfo=None), answer,
            *(told.get(name) for name in TOLD), key,
        ],
    )  # fmt: skip


def record_all(warehouse: Warehouse, rows: Iterable[dict[str, Any]], sent_at: datetime, answer: str) -> None:
    """Note several messages that one hand-over has told."""
    for row in rows:
        record(warehouse, row["key"], row["channel"], row["night"], sent_at, answer, row["payload"])


def sent(warehouse: Warehouse, key: str) -> bool:
    """Whether a key is in the ledger."""
    return warehouse.execute("SELECT 1 FROM dispatches WHERE key = ?", [key]).fetchone() is not None


def answers(warehouse: Warehouse, *kinds: str) -> dict[str, tuple[str, str]]:
    """Key -> the last answer of one of these kinds, and who gave it."""
    rows = warehouse.execute("SELECT key, answer, person FROM answers ORDER BY answered_at").fetchall()
    return {key: (answer, person) for key, answer, person in rows if answer in kinds}


def rejected(warehouse: Warehouse) -> set[str]:
    """Keys of the requests that a person rejected, and nobody approved since."""
    return {key for key, (said, _) in answers(warehouse, "approved", "rejected").items() if said == "rejected"}


def answer(warehouse: Warehouse, key: str, kind: str, person: str, now: datetime, note: str = "") -> None:
    """Write down what a person said."""
    moment = now.astimezone(UTC).replace(tzinfo=None)
    warehouse.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", [key, kind, person, moment, note])
