"""What was told of an incident and is not so any more, because its night was run again: it is gone, back, or graver.

A delivery that is late or delivered again changes the rows of nights that have spoken, and a key in the ledger is not
handed over again. So what such a night has to say besides has keys of its own, made of what the ledger says a channel
heard last: the same rows and the same ledger give the same keys, and each is handed over once.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from jobs import ledger
from jobs.language import say
from jobs.methods import sentences
from jobs.methods.evidence import RANK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from jobs.engine.warehouse import Warehouse
    from jobs.spec.model import ModelSpec

WITHDRAWN = "withdrawn"

_LAST = """
WITH last AS (
  SELECT incident, channel, night, state, severity, title, key
  FROM dispatches WHERE incident IS NOT NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY incident, channel ORDER BY sent_at DESC, night DESC) = 1
)"""
"""The last that each channel was told of each incident."""

_GONE = f"""{_LAST}
SELECT l.incident, l.channel, l.night, l.severity, l.title, l.key FROM last AS l
WHERE l.state NOT IN ('resolved', '{WITHDRAWN}') AND l.night <= ?
AND NOT EXISTS (SELECT 1 FROM incidents AS i WHERE i.incident = l.incident AND i.night >= l.night)
ORDER BY l.incident, l.channel"""

_ANEW = f"""{_LAST}
SELECT {", ".join(f"o.{name}" for name in ledger.MESSAGE)}, l.state, l.severity, l.key FROM outbox AS o
JOIN last AS l ON l.incident = o.incident AND l.channel = o.channel
JOIN dispatches AS d ON d.key = o.key
JOIN incidents AS i ON i.incident = o.incident AND i.night = ? AND i.state <> 'resolved'
WHERE o.night BETWEEN ? AND ? AND json_extract_string(o.payload, '$.state') <> 'resolved'
QUALIFY ROW_NUMBER() OVER (PARTITION BY o.incident, o.channel ORDER BY o.night DESC) = 1
ORDER BY o.key"""


def due(spec: ModelSpec, warehouse: Warehouse, night: date, pending: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages, as `ledger.pending` has them, about incidents of which the rows say something else than was told.

    `pending` tells its incidents as they are now, so nothing is added about them on the same channel. What was handed
    over before the ledger kept incidents is not known here.
    """
    told = {(row["incident"], row["channel"]) for row in pending}
    gone = [_withdrawn(spec, night, *row) for row in warehouse.execute(_GONE, [night]).fetchall()]
    first = night - timedelta(days=ledger.AGAIN_DAYS)
    anew = [_anew(*row) for row in warehouse.execute(_ANEW, [night, first, night]).fetchall()]
    return [row for row in (*gone, *anew) if row and (row["incident"], row["channel"]) not in told]


def _withdrawn(
    spec: ModelSpec, night: date, incident: str, channel: str, told: date, severity: str, title: str, last: str
) -> dict[str, Any]:
    """That an incident is there no more."""
    key = f"{last}-{WITHDRAWN}"
    said = say(sentences.SENTENCES[WITHDRAWN], night=told)
    text = sentences.paragraph([sentences.sentence(title), said, sentences.owner(spec.owner)])
    return {
        "night": told,
        "key": key,
        "incident": incident,
        "channel": channel,
        "subject": sentences.subject(WITHDRAWN, severity, spec.model, title, ""),
        "payload": {
            "version": 1, "model": spec.model, "key": key, "incident": incident, "state": WITHDRAWN,
            "severity": severity, "night": str(night), "title": title, "text": text, "owner": spec.owner, "metrics": [],
        },
    }  # fmt: skip


def _anew(*found: Any) -> dict[str, Any] | None:
    """A message whose key went out, where its channel has heard since of no such incident, or of less."""
    *given, state, severity, last = found
    row = dict(zip(ledger.MESSAGE, given, strict=True))
    payload = json.loads(row["payload"])
    back, graver = state == WITHDRAWN, RANK[payload["severity"]] > RANK[severity]
    if not (back or graver):
        return None
    why = "back" if back else "graver"
    said = say(sentences.SENTENCES[why], night=row["night"], severity=say(severity))
    payload |= {"key": f"{last}-{why}", "text": sentences.paragraph([payload["text"], said])}
    return row | {"key": payload["key"], "payload": payload}
