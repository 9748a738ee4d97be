"""What a night decided and nobody has been told yet, and the ledger of what was handed over.

A key in `dispatches` was handed over and is not handed over again. A night that began to speak is noted there too, so
that what it could not deliver is tried again on the nights after. Nights that never spoke, such as backfilled ones or
those caught up on after an outage, stay silent; but an incident of theirs that is still open is told by the next night
that speaks, because nobody has heard of it yet, and what it asked for is asked for then, if it still asks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from jobs.errors import OrderError
from jobs.methods import mutes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jobs.engine.warehouse import Warehouse
    from jobs.spec.model import ModelSpec, Mute

AGAIN_DAYS = 7
"""Nights for which an undelivered message is tried again."""

ACTIONS = ("rollback", "fallback", "retrain")
"""Channels of machines; all others are people's."""

FIGURE = ("metric", "feature", "segment", "version")
"""What names a figure in a verdict and in evidence."""

MESSAGE = ("night", "key", "incident", "channel", "subject", "payload")


def begin(warehouse: Warehouse, night: date, now: datetime) -> None:
    """Note that a night speaks; OrderError where it has no report yet."""
    finished(warehouse, night)
    record(warehouse, f"{warehouse.model}-{night}-speaks", "night", night, now, "its messages may be sent")


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


@dataclass(frozen=True)
class Request:
    """A request for an action that nobody has taken, as a night sees it."""

    row: dict[str, Any]
    """Of `outbox`, by MESSAGE."""
    own: bool
    """Whether this night decided it."""
    tried: bool
    """Whether it was decided on one of the AGAIN_DAYS before, by a night that spoke, and so was offered then."""
    over: bool
    """Whether its incident is."""
    asked: bool
    """Whether its incident is open and asks for it on this night too."""
    offered: date | None
    """The later night that offered it to a person for approval, if one did."""

    @property
    def due(self) -> bool:
        """On its own night; later, until its incident is over, where that asks again or a hand-over failed lately."""
        return self.own or self.asked or (self.tried and not self.over)


def requests(spec: ModelSpec, warehouse: Warehouse, night: date, *, taken: bool = False) -> list[Request]:
    """Every request decided by a night or before that nobody has taken (with `taken`: those too), oldest first.

    A night that never spoke, because the machine stood or it was caught up on, has offered its requests to nobody, yet
    decisions count them as requested; so a later night that speaks must offer them. Whether it does is `Request.due`.
    """
    rows = warehouse.execute(
        f"SELECT i.state, i.evidence, i.night = ?, s.key IS NOT NULL AND o.night >= ?, e.night, "
        f"{', '.join(f'o.{name}' for name in MESSAGE)} FROM outbox AS o "
        "LEFT JOIN (SELECT * FROM incidents WHERE night <= ? "
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY incident ORDER BY night DESC) = 1) AS i ON i.incident = o.incident "
        "LEFT JOIN dispatches AS s ON s.channel = 'night' AND s.night = o.night "
        "LEFT JOIN dispatches AS e ON e.key = o.key || '-offered' "
        "WHERE o.channel IN ('rollback', 'fallback', 'retrain') AND o.night <= ? "
        "AND (? OR o.key NOT IN (SELECT key FROM dispatches)) ORDER BY o.night, o.key",
        [night, night - timedelta(days=AGAIN_DAYS), night, night, taken],
    ).fetchall()
    asking, quiet = _asking(warehouse, night) if rows else {}, mutes.active(spec.mutes, night)
    found = []
    for state, evidence, tonight, tried, offered, *message in rows:
        row = dict(zip(MESSAGE, message, strict=True)) | {"payload": json.loads(message[-1])}
        is_open = bool(tonight) and state != "resolved"
        asked = is_open and _carries(json.loads(evidence), asking.get(row["channel"], set()), quiet)
        found.append(Request(row, row["night"] == night, tried, state == "resolved", asked, offered))
    return found


def _asking(warehouse: Warehouse, night: date) -> dict[str, set[tuple[str, ...]]]:
    """Action -> the figures (FIGURE) whose breaches ask for it on a night."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for action, *figure in warehouse.execute(
        f"SELECT DISTINCT action, {', '.join(FIGURE)} FROM verdicts "
        "WHERE night = ? AND verdict = 'breach' AND severity <> 'info' "
        "AND action IN ('rollback', 'fallback', 'retrain')",
        [night],
    ).fetchall():
        found.setdefault(action, set()).add(tuple(figure))
    return found


def _carries(evidence: list[dict[str, Any]], figures: set[tuple[str, ...]], quiet: Sequence[Mute]) -> bool:
    """Whether an incident's evidence has one of these figures, unless it is muted."""
    return any(
        tuple(item.get(name) for name in FIGURE) in figures and not mutes.mute_of(item, quiet) for item in evidence
    )


def record(warehouse: Warehouse, key: str, channel: str, night: date, sent_at: datetime, answer: str) -> None:
    """Note that a key was handed over; noting it twice keeps the first note."""
    warehouse.execute(
        "INSERT INTO dispatches SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM dispatches WHERE key = ?)",
        [key, channel, night, sent_at.astimezone(UTC).replace(tzinfo=None), answer, key],
    )


def record_all(warehouse: Warehouse, rows: Iterable[dict[str, Any]], sent_at: datetime, answer: str) -> None:
    """Note several messages that one hand-over has told."""
    for row in rows:
        record(warehouse, row["key"], row["channel"], row["night"], sent_at, answer)


def sent(warehouse: Warehouse, key: str) -> bool:
    """Whether a key is in the ledger."""
    return warehouse.execute("SELECT 1 FROM dispatches WHERE key = ?", [key]).fetchone() is not None


def answers(warehouse: Warehouse, *kinds: str) -> dict[str, tuple[str, str]]:
    """Key -> the last answer of one of these kinds, and who gave it."""
    rows = warehouse.execute("SELECT key, answer, person FROM answers ORDER BY answered_at").fetchall()
    return {key: (answer, person) for key, answer, person in rows if answer in kinds}


def answer(warehouse: Warehouse, key: str, kind: str, person: str, now: datetime, note: str = "") -> None:
    """Write down what a person said."""
    moment = now.astimezone(UTC).replace(tzinfo=None)
    warehouse.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", [key, kind, person, moment, note])
