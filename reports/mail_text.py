"""The plain-text part of a night's mail: short lines, figures in columns, all that the HTML part tells."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from reports import sentence
from reports.formats import short_day
from reports.mail_html import DRIFTED_MOST, FIGURES_MOST, INCIDENTS_MOST, TEXT_MOST, TOLD_MOST, facts
from reports.mail_pictures import drifted, states_text
from reports.page import change_text, interval_text, number_text
from reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.series import Trend
    from reports.view import Incident, NightView

WIDTH = 76


def text_part(view: NightView, link: str) -> str:
    """The mail as plain text."""
    lines = [*_wrapped(sentence.verdict(view)), "", *_wrapped(facts(view))]
    if sum(map(bool, view.states)) > 1:
        lines += _wrapped(states_text(view.states))
    lines += ["", "The report:", link]
    if view.incidents:
        lines += _heading("What is wrong")
        for place, incident in enumerate(view.incidents[:INCIDENTS_MOST]):
            lines += ([""] if place else []) + list(_incident(incident, told=place < TOLD_MOST))
    if len(view.incidents) > INCIDENTS_MOST:
        lines += ["", f"... and {len(view.incidents) - INCIDENTS_MOST} more, in the report"]
    if view.resolved:
        lines += _heading("Resolved")
        for incident in view.resolved[:INCIDENTS_MOST]:
            lines += _wrapped(incident.title, "- ")
    if view.tiles:
        lines += _heading("Key figures")
        lines += _figures(view.tiles[:FIGURES_MOST])
    if moved := [one for one in drifted(view) if one.psi.value is not None][:DRIFTED_MOST]:
        lines += _heading("Inputs that left the reference")
        lines += [
            line for one in moved for line in _wrapped(f"{plain(one.name, 60)}: PSI {number_text(one.psi)}", "- ")
        ]
    return "\n".join(lines) + "\n"


def _heading(words: str) -> list[str]:
    return ["", words.upper(), ""]


def _wrapped(words: str, lead: str = "") -> list[str]:
    """The words in lines of at most WIDTH letters, those after the first set in."""
    return textwrap.wrap(words, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False)


def _incident(incident: Incident, *, told: bool) -> Iterator[str]:
    """One incident: its title, how bad and since when, and, where `told`, its text and decisions."""
    lead = f"{incident.number}. "
    yield from _wrapped(incident.title, lead)
    note = f", {incident.note}" if incident.note else ""
    yield from _wrapped(f"{incident.severity}, since {short_day(incident.opened)}{note}", " " * len(lead))
    if told:
        if incident.text:
            yield from _wrapped(plain(incident.text, TEXT_MOST), " " * len(lead))
        for one in incident.decisions[:2]:
            said = f"{one.action} {one.outcome} on {short_day(one.night)}: {one.reason}"
            yield from _wrapped(said, " " * len(lead) + "-> ")


def _figures(tiles: tuple[Trend, ...]) -> list[str]:
    """Names, values and what is to be said of them, in columns."""
    rows = [(f"{tile.title or sentence.label(tile.figure.key)}", *_told(tile)) for tile in tiles]
    names, values = (min(max(len(row[place]) for row in rows), 34) for place in (0, 1))
    out = []
    for name, value, said in rows:
        lead = f"{name:<{names}}  {value:>{values}}  "
        out += [lead.rstrip()] if not said else _wrapped(said, lead)
    return out


def _told(tile: Trend) -> tuple[str, str]:
    """A figure's value; and how far it moved and its interval, or why there is none."""
    figure = tile.figure
    flag = f"{sentence.ICONS.get(figure.severity, '')} {figure.severity}" if figure.severity else ""
    if figure.value is None:
        return "-", f"no figure ({sentence.explain(figure)})"
    if figure.thin:
        return number_text(figure), f"not evaluated: {figure.reason}"
    said = [change_text(figure) if figure.usual is not None else "", interval_text(figure), flag]
    return number_text(figure), ", ".join(words for words in said if words)
