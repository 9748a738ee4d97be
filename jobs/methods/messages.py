"""Who is told what: one message a channel when an incident opens, escalates, grows or resolves, or when something is
decided about it, and silence otherwise.

Nothing here has a side effect. Every message has one key, by which it is handed over once.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from jobs.methods import mutes, sentences, wording
from jobs.methods.actions import PAYLOAD_VERSION, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from jobs.methods.evidence import Item
    from jobs.methods.grouping import Incident, Told
    from jobs.spec.telling import Channels, Mute

State = Literal["opened", "escalated", "decided", "grown", "ongoing", "resolved"]
"""What a message about an incident tells of it: see `_worth_telling`."""

NEWS: tuple[State, ...] = ("opened", "escalated", "decided", "grown")
"""States with which people hear something new; that it is open still, or over, is no alarm."""

INFO_MOST = 10
"""Figures of severity info that one note tells."""


@dataclass(frozen=True)
class Audience:
    """Who listens tonight, and what they have heard."""

    model: str
    night: date
    owner: str
    channels: Channels
    mutes: Sequence[Mute]
    """Those that hold tonight."""
    heard: dict[str, set[str]]
    """Incident -> channels that were told of it; grows as the nights are walked."""
    held: set[str] = field(default_factory=set)
    """Keys of requests that were held back before tonight; grows as the nights are walked."""


def compose(
    told: Sequence[Told], decided: Sequence[Mapping[str, Any]], news: Sequence[Item], audience: Audience
) -> list[dict[str, Any]]:
    """Rows of table `outbox` (payload a mapping) of one night.

    `decided`: rows of `decisions`; `news`: figures of severity info that were fine the night before.
    """
    rows = [row for one in told for row in _of_incident(one, decided, audience)]
    audience.held.update(row["key"] for row in decided if row["outcome"] == "held")
    rows += [_request(row, audience.night, audience.model) for row in decided if row["outcome"] == "requested"]
    return rows + (_notes(news, audience) if news else [])


def _of_incident(one: Told, decided: Sequence[Mapping[str, Any]], audience: Audience) -> Iterable[dict[str, Any]]:
    incident = one.incident
    heard = audience.heard.setdefault(incident.incident, set())
    fresh = any(row["incident"] == incident.incident and _is_news(row, audience) for row in decided)
    state = _worth_telling(one, bool(heard), audience, decided=fresh)
    if state is None:
        return
    channels = getattr(audience.channels, incident.severity) if state != "resolved" else sorted(heard)
    for channel in dict.fromkeys(channels):
        heard.add(channel)
        yield _message(incident, state, channel, decided, audience)


def _is_news(decision: Mapping[str, Any], audience: Audience) -> bool:
    """Whether a decision is to be told: what is requested is decided once, what is held back night after night."""
    return decision["outcome"] != "held" or decision["key"] not in audience.held


def _worth_telling(one: Told, heard: bool, audience: Audience, *, decided: bool) -> State | None:
    """What to say of an incident tonight; None for silence. `decided`: whether something new was decided about it.

    One whose mute has ended is told as opened on the first night after; what nobody heard of does not resolve.
    """
    if not one.news or mutes.silenced(one.incident, audience.mutes):
        return None
    if one.incident.state == "resolved":
        return "resolved" if heard and one.changed else None
    if not heard:
        return "opened"
    if one.changed:
        return one.incident.state
    if decided or one.grown:
        return "decided" if decided else "grown"
    every, age = audience.channels.repeat_after, (audience.night - one.incident.opened).days
    return "ongoing" if every and age and age % every == 0 else None


def _message(
    incident: Incident, state: State, channel: str, decided: Sequence[Mapping[str, Any]], audience: Audience
) -> dict[str, Any]:
    key = f"{incident.incident}-{state}-{audience.night}{_suffix(channel)}"
    nights = wording.nights_text(incident.nights)
    lead = "reopened" if incident.reopened == audience.night and state == "escalated" else state
    subject = sentences.subject(lead, incident.severity, audience.model, incident.title, nights)
    mine = [row for row in decided if row["incident"] == incident.incident]
    return {
        "night": audience.night,
        "key": key,
        "incident": incident.incident,
        "channel": channel,
        "subject": subject,
        "payload": {
            "version": PAYLOAD_VERSION,
            "model": audience.model,
            "key": key,
            "incident": incident.incident,
            "state": state,
            "severity": incident.severity,
            "night": str(audience.night),
            "opened": str(incident.opened),
            "title": incident.title,
            "text": sentences.paragraph(
                [incident.text, *map(sentences.decision, mine), sentences.owner(audience.owner)]
            ),
            "owner": audience.owner,
            "metrics": shown(incident),
        },
    }


def _suffix(channel: str) -> str:
    """What tells the keys of one message on several channels apart; safe in message ids.

    >>> _suffix("mail"), _suffix("log"), _suffix("${PAGER}"), _suffix("mailto:a@b.org")
    ('', '-log', '-PAGER', '-mailto:a_b.org-fb7315')
    """
    if channel == "mail":
        return ""
    name = channel.removeprefix("${").removesuffix("}")
    plain = re.sub(r"[^A-Za-z0-9_.~:+-]", "_", name)
    return f"-{plain}" if plain == name else f"-{plain}-{hashlib.sha256(channel.encode()).hexdigest()[:6]}"


def _request(row: Mapping[str, Any], night: date, model: str) -> dict[str, Any]:
    return {
        "night": night,
        "key": row["key"],
        "incident": row["incident"],
        "channel": row["action"],
        "subject": f"{model}: {row['action']} requested, {row['payload']['reason']}",
        "payload": {name: value for name, value in row["payload"].items() if name != "audit"},
    }


def _notes(news: Sequence[Item], audience: Audience) -> list[dict[str, Any]]:
    """One note a channel about figures that wake nobody."""
    told = [item for item in news if not mutes.mute_of(item, audience.mutes)]
    if not told:
        return []
    lines = [wording.figure(item) for item in told[:INFO_MOST]]
    rows = []
    for channel in dict.fromkeys(audience.channels.info):
        key = f"{audience.model}-{audience.night}-info{_suffix(channel)}"
        rows.append(
            {
                "night": audience.night,
                "key": key,
                "incident": "",
                "channel": channel,
                "subject": sentences.note(audience.model, lines, len(told)),
                "payload": {
                    "version": PAYLOAD_VERSION,
                    "model": audience.model,
                    "key": key,
                    "incident": None,
                    "state": "info",
                    "severity": "info",
                    "night": str(audience.night),
                    "title": lines[0],
                    "text": "\n".join(lines),
                    "owner": audience.owner,
                    "metrics": [],
                },
            }
        )
    return rows
