"""What people answer: they acknowledge an incident, approve or reject a request. Each is a row of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jobs import ledger, requested
from jobs.engine.warehouse import open_warehouse
from jobs.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.engine.warehouse import Warehouse
    from jobs.spec.acting import ActionPolicy
    from jobs.spec.model import ModelSpec

NEXT = "what waited for it is asked for by the next night that still asks"
ELSEWHERE = "A task that waits for this answer in Airflow is not told: answer it there to let that night go on"
_OPEN = """
SELECT i.incident, i.severity, i.opened, i.title FROM incidents AS i
WHERE i.night = (SELECT MAX(through) FROM progress WHERE stage = 'incidents') AND i.state <> 'resolved'
ORDER BY i.opened, i.incident
"""


def acknowledge(model: str, home: Path, incident: str, person: str, note: str = "") -> str:
    """Note that somebody looks after an incident: it is not repeated any more. UsageError for one there is not."""
    _named(person)
    with open_warehouse(home, model) as warehouse:
        names = [row[0] for row in warehouse.execute("SELECT DISTINCT incident FROM incidents ORDER BY 1").fetchall()]
        if incident not in names:
            known = ", ".join(row[0] for row in warehouse.execute(_OPEN).fetchall()) or "none"
            raise UsageError(f"{model}: there is no incident '{incident}'; open: {known}")
        ledger.answer(warehouse, incident, "acknowledged", person, datetime.now(UTC), note)
    return f"{incident}: acknowledged by {person}"


def decide(spec: ModelSpec, home: Path, key: str, person: str, approved: bool, note: str = "") -> str:
    """Approve or reject a request by its key. UsageError, with the reason, where that would change nothing."""
    _named(person)
    with open_warehouse(home, spec.model) as warehouse:
        waiting = [one.row["key"] for one in _waiting(spec, warehouse) if _policy(spec, one).approval]
        if key not in waiting:
            why = _why_not(spec, warehouse, key)
            raise UsageError(f"{spec.model}: {why}; waiting: {', '.join(waiting) or 'none'}")
        said = "approved" if approved else "rejected"
        ledger.answer(warehouse, key, said, person, datetime.now(UTC), note)
    then = "the next night that speaks hands it over" if approved else NEXT
    return f"{key}: {said} by {person}; {then}. {ELSEWHERE}"


def standing(spec: ModelSpec, home: Path) -> str:
    """What is open, who has acknowledged it, and which requests can still go out."""
    with open_warehouse(home, spec.model) as warehouse:
        lines = _incident_lines(warehouse)
        answered = ledger.answers(warehouse, "approved", "rejected")
        keys = [one.row["key"] for one in _waiting(spec, warehouse)]
        lines += [
            f"{key}: {answered[key][0]} by {answered[key][1]}" if key in answered else f"{key}: requested"
            for key in keys
        ]
    return "\n".join(lines) or f"{spec.model}: nothing is open"


def _named(person: str) -> None:
    if not person.strip():
        raise UsageError("the ledger keeps who said it: give a name, --by NAME")


def _policy(spec: ModelSpec, one: requested.Request) -> ActionPolicy:
    policy: ActionPolicy = getattr(spec.actions, one.row["channel"])
    return policy


def _waiting(spec: ModelSpec, warehouse: Warehouse) -> list[requested.Request]:
    """Requests that the newest night, or the one after it, would hand over; newest first."""
    done = warehouse.progress("report")
    if done is None:
        return []
    first = done.through - timedelta(days=ledger.AGAIN_DAYS - 1)
    found = requested.requests(spec, warehouse, done.through)
    return [one for one in reversed(found) if one.due and (one.asked or one.row["night"] >= first)]


def _why_not(spec: ModelSpec, warehouse: Warehouse, key: str) -> str:
    """Why an answer to a request would change nothing."""
    taken = warehouse.execute("SELECT sent_at, answer FROM dispatches WHERE key = ?", [key]).fetchone()
    if taken:
        return f"the request '{key}' was settled on {taken[0]:%Y-%m-%d}: {taken[1]}"
    done = warehouse.progress("report")
    known = {one.row["key"]: one for one in requested.requests(spec, warehouse, done.through)} if done else {}
    if key not in known:
        return f"no request '{key}' waits"
    one = known[key]
    if one.gone:
        return f"the request '{key}' cannot go out any more: {one.gone}"
    if one.waits:
        return f"the request '{key}' cannot go out yet: {one.waits}"
    if not _policy(spec, one).approval:
        return f"the request '{key}' needs no approval (actions.{one.row['channel']}.approval is false)"
    return (
        f"the request '{key}' of {one.row['night']} cannot go out any more: it is older than "
        f"{ledger.AGAIN_DAYS} nights, or of a backfilled one, and its incident does not ask for it now"
    )


def _incident_lines(warehouse: Warehouse) -> list[str]:
    known = ledger.answers(warehouse, "acknowledged")
    return [
        f"{incident}: {severity} since {opened}, {title}"
        + (f" (acknowledged by {known[incident][1]})" if incident in known else "")
        for incident, severity, opened, title in warehouse.execute(_OPEN).fetchall()
    ]
