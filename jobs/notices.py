"""Tell something of a model that no night decided: a night that is missing, a champion that went back.

The model's own file is not opened, because a night that hangs holds it: what was told is noted beside it
(`jobs.engine.notes`), each notice once on each channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs import telling
from jobs.engine.notes import notes
from jobs.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path

    from jobs.spec.model import ModelSpec
    from jobs.telling import Post


@dataclass(frozen=True)
class Notice:
    """What is told, and the key by which it is told once."""

    key: str
    state: str
    severity: str
    """Whose channels hear it: critical, warning or info."""
    night: date
    sentence: str
    incident: str | None = None
    metrics: tuple[Mapping[str, Any], ...] = ()


def tell(spec: ModelSpec, home: Path, notice: Notice, now: datetime, post: Post | None = None) -> list[str]:
    """Send a notice over the channels of its severity that have not had it; says over which.

    The channel `mail` is a mail of its own to each of `mail.to`. Raises DeliveryError, when all channels were tried,
    where one did not take it.
    """
    from jobs.delivery import post_of, sender

    told, faults = [], []
    with notes(home, spec.model) as noted:
        for channel in _addressed(spec, notice.severity):
            mine = f"{notice.key}-{channel}"
            if mine in noted:
                continue
            subject = f"[{notice.severity}] {notice.sentence}"
            row = {"key": mine, "channel": channel, "payload": _payload(spec, notice), "subject": subject}
            try:
                said = telling.hand_over(row, post or post_of(spec), sender(), now)
            except Exception as error:  # one dead channel holds up no other
                faults.append(telling.fault_of(error))
                continue
            noted.add(mine, now, said)
            told.append(f"{notice.sentence} ({channel})")
    if faults:
        raise DeliveryError("; ".join(faults))
    return told


def _addressed(spec: ModelSpec, severity: str) -> list[str]:
    """The channels of a severity, each once."""
    ways = [
        way
        for channel in getattr(spec.channels, severity)
        for way in ([f"mailto:{address}" for address in spec.mail.to] if channel == "mail" else [channel])
    ]
    return list(dict.fromkeys(ways))


def _payload(spec: ModelSpec, notice: Notice) -> dict[str, Any]:
    return {
        "version": 1, "model": spec.model, "key": notice.key, "incident": notice.incident, "state": notice.state,
        "severity": notice.severity, "night": str(notice.night), "title": notice.sentence, "text": notice.sentence,
        "owner": spec.owner, "metrics": list(notice.metrics),
    }  # fmt: skip
