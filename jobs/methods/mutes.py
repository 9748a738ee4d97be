"""What is known and not told for a while: mutes of the spec, each with its last night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from jobs.methods.grouping import Incident
    from jobs.spec.telling import Mute


def active(mutes: Sequence[Mute], night: date) -> list[Mute]:
    """The mutes that hold on a night, its last one included."""
    return [one for one in mutes if (one.since is None or one.since <= night) and night <= one.until]


def mute_of(item: Mapping[str, Any], mutes: Sequence[Mute]) -> Mute | None:
    """The first mute that all of whose names fit a figure; mutes of incidents fit none.

    >>> from datetime import date
    >>> from jobs.spec.telling import Mute
    >>> known = [Mute(metric="psi", feature="adr", until=date(2025, 4, 1))]
    >>> mute_of({"metric": "psi", "feature": "adr", "segment": "all"}, known) is known[0]
    True
    >>> mute_of({"metric": "missing_rate", "feature": "adr", "segment": "all"}, known) is None
    True
    """
    for one in mutes:
        wanted = {"metric": one.metric, "feature": one.feature, "segment": one.segment}
        if one.incident is None and all(item[name] == value for name, value in wanted.items() if value is not None):
            return one
    return None


def mute_of_incident(incident: str, mutes: Sequence[Mute]) -> Mute | None:
    """The mute that names an incident; the one that lasts longest where there are several.

    >>> from datetime import date
    >>> from jobs.spec.telling import Mute
    >>> known = [Mute(incident="shop-2025-03-04-behaviour", until=date(2025, 4, day)) for day in (1, 9)]
    >>> mute_of_incident("shop-2025-03-04-behaviour", known) is known[1]
    True
    >>> mute_of_incident("shop-2025-03-05-service", known) is None
    True
    """
    return max((one for one in mutes if one.incident == incident), key=lambda one: one.until, default=None)


def silenced(incident: Incident, mutes: Sequence[Mute]) -> bool:
    """Whether an incident is muted by name, or every figure that makes it one is."""
    if mute_of_incident(incident.incident, mutes):
        return True
    telling = [item for item in incident.evidence if item["severity"] != "info" and item["metric"] != "version"]
    return bool(telling) and all(mute_of(item, mutes) for item in telling)
