"""What people answer: they acknowledge an incident, approve or reject a request. Each is a row of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jobs import ledger
from jobs.engine.warehouse import open_warehouse
from jobs.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.engine.warehouse import Warehouse

_OPEN = """
SELECT i.incident, i.severity, i.opened, i.title FROM incidents AS i
WHERE i.night = (SELECT MAX(through) FROM progress WHERE stage = 'incidents') AND i.state <> 'resolved'
ORDER BY i.opened, i.incident
"""
_REQUESTED = """
SELECT o.key, o.subject FROM outbox AS o
WHERE o.channel IN ('retrain', 'fallback', 'rollback') AND o.key NOT IN (SELECT key FROM dispatches)
ORDER BY o.night DESC, o.key
"""


def acknowledge(model: str, home: Path, incident: str, person: str, note: str = "") -> str:
    """Note that somebody looks after an incident: it is not repeated any more. UsageError for one there is not."""
    with open_warehouse(home, model) as warehouse:
        names = [row[0] for row in warehouse.execute("SELECT DISTINCT incident FROM incidents ORDER BY 1").fetchall()]
        if incident not in names:
            known = ", ".join(row[0] for row in warehouse.execute(_OPEN).fetchall()) or "none"
            raise UsageError(f"{model}: there is no incident '{incident}'; open: {known}")
        ledger.answer(warehouse, incident, "acknowledged", person, datetime.now(UTC), note)
    return f"{incident}: acknowledged by {person}"


def decide(model: str, home: Path, key: str, person: str, approved: bool, note: str = "") -> str:
    """Approve or reject a request by its key. UsageError where no such request waits."""
    with open_warehouse(home, model) as warehouse:
        waiting = [row[0] for row in warehouse.execute(_REQUESTED).fetchall()]
        if key not in waiting:
            raise UsageError(f"{model}: no request '{key}' waits; waiting: {', '.join(waiting) or 'none'}")
        said = "approved" if approved else "rejected"
        ledger.answer(warehouse, key, said, person, datetime.now(UTC), note)
    return f"{key}: {said} by {person}"


def standing(model: str, home: Path) -> str:
    """What is open, who has acknowledged it, and which requests wait."""
    with open_warehouse(home, model) as warehouse:
        lines = _incident_lines(warehouse)
        answered = ledger.answers(warehouse, "approved", "rejected")
        lines += [
            f"{key}: {answered[key][0]} by {answered[key][1]}" if key in answered else f"{key}: requested"
            for key, _ in warehouse.execute(_REQUESTED).fetchall()
        ]
    return "\n".join(lines) or f"{model}: nothing is open"


def _incident_lines(warehouse: Warehouse) -> list[str]:
    known = ledger.answers(warehouse, "acknowledged")
    return [
        f"{incident}: {severity} since {opened}, {title}"
        + (f" (acknowledged by {known[incident][1]})" if incident in known else "")
        for incident, severity, opened, title in warehouse.execute(_OPEN).fetchall()
    ]
