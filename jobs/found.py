"""What a period's nights found, as a short table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.periods import Period

_INCIDENTS = """
SELECT i.incident, MIN(i.opened) AS opened, MAX(i.night) AS last_night, LAST(i.state ORDER BY i.night) AS state,
  MAX_BY(i.severity, CASE i.severity WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 ELSE 1 END) AS severity,
  LAST(i.title ORDER BY i.night) AS title
FROM incidents AS i
WHERE i.night BETWEEN ? AND ?
GROUP BY i.incident
ORDER BY opened, i.incident
"""
_DECISIONS = """
SELECT incident, action, outcome, MIN(night) AS night
FROM decisions WHERE night BETWEEN ? AND ? GROUP BY ALL ORDER BY night
"""


def found(home: Path, model: str, period: Period) -> str:
    """One line an incident: since when, until when, how bad, what it is and what was decided."""
    from jobs.engine.warehouse import read_published

    with read_published(home, model) as connection:
        incidents = connection.execute(_INCIDENTS, [period.first, period.last]).fetchall()
        decisions = connection.execute(_DECISIONS, [period.first, period.last]).fetchall()
    if not incidents:
        return f"{model}, {period}: {len(period)} nights, no incidents."
    done: dict[str, list[str]] = {}
    for incident, action, outcome, night in decisions:
        done.setdefault(incident, []).append(f"{action} {outcome} {night}")
    lines = [f"{model}, {period}: {len(period)} nights, {len(incidents)} incidents", ""]
    lines.append(f"{'opened':<12}{'until':<12}{'severity':<10}what, and what was decided")
    for incident, opened, last, state, severity, title in incidents:
        until = str(last) if state == "resolved" else "open"
        lines.append(f"{opened!s:<12}{until:<12}{severity:<10}{title}")
        lines += [f"{'':<34}→ {decision}" for decision in done.get(incident, [])]
    return "\n".join(lines)
