"""The plain-text part of a night's mail: short lines, figures in columns, all that the HTML part tells."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from jobs.language import SOURCE, say, spoken
from reports import sentence
from reports.formats import short_day
from reports.mail_html import DRIFTED_MOST, FIGURES_MOST, INCIDENTS_MOST, TEXT_MOST, TOLD_MOST, facts
from reports.mail_pictures import drifted, states_text
from reports.page import change_text, interval_text, number_text
from reports.reasons import retold
from reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.series import Trend
    from reports.view import Incident, NightView

WIDTH = 76


def text_part(view: NightView, link: str, notes: Sequence[str] = ()) -> str:
    """The mail as plain text; `notes` stand above the incidents."""
    lines = [*_wrapped(sentence.verdict(view)), "", *_wrapped(facts(view))]
    if sum(map(bool, view.states)) > 1:
        lines += _wrapped(states_text(view.states))
    lines += ["", say("The report:"), link]
    for note in notes:
        lines += ["", *_wrapped(plain(note, TEXT_MOST))]
    if view.incidents:
        lines += _heading(say("What is wrong"))
        for place, incident in enumerate(view.incidents[:INCIDENTS_MOST]):
            lines += ([""] if place else []) + list(_incident(incident, told=place < TOLD_MOST))
    if len(view.incidents) > INCIDENTS_MOST:
        lines += ["", say("... and {count} more, in the report", count=len(view.incidents) - INCIDENTS_MOST)]
    if view.resolved:
        lines += _heading(say("Resolved"))
        for incident in view.resolved[:INCIDENTS_MOST]:
            lines += _wrapped(incident.title, "- ")
    if view.tiles:
        lines += _heading(say("Key figures"))
        lines += _figures(view.tiles[:FIGURES_MOST])
    if moved := [one for one in drifted(view) if one.psi.value is not None][:DRIFTED_MOST]:
        lines += _heading(say("Inputs that left the reference"))
        told = (say("{name}: PSI {value}", name=plain(one.name, 60), value=number_text(one.psi)) for one in moved)
        lines += [line for words in told for line in _wrapped(words, "- ")]
    return "\n".join(lines) + "\n"


def _heading(words: str) -> list[str]:
    return ["", words.upper(), ""]


def _wrapped(words: str, lead: str = "") -> list[str]:
    """The words in lines at most WIDTH letters wide, those after the first set in."""
    if spoken() != SOURCE:
        return _wrapped_wide(words, lead)
    return textwrap.wrap(words, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False)


def wide(text: str) -> int:
    """How many columns a text takes: a Chinese letter takes two.

    >>> wide("PSI"), wide("准确率")
    (3, 6)
    """
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """A text in so many columns.

    >>> padded("准确率", 8), padded("3", 3, right=True)
    ('准确率  ', '  3')
    """
    room = " " * max(columns - wide(text), 0)
    return room + text if right else text + room


CLOSING = frozenset("，。；：、！？）】》”’%")
"""What begins no line."""


def _wrapped_wide(words: str, lead: str) -> list[str]:
    """Lines of a script that may break between any two letters, but not within a word of Latin letters or digits."""
    inner, lines = " " * wide(lead), [lead]
    for piece in _pieces(words):
        if wide(lines[-1]) + wide(piece) > WIDTH and lines[-1] not in (lead, inner):
            lines.append(inner)
        lines[-1] += piece if lines[-1].strip() else piece.lstrip()
    return [line.rstrip() for line in lines if line.strip()]


def _pieces(words: str) -> list[str]:
    """The parts between which a line may break, none wider than a line; a mark that closes stays with its word."""
    out: list[str] = []
    for letter in words:
        latin = east_asian_width(letter) not in "WF" and letter != " "
        goes_on = bool(out) and latin and east_asian_width(out[-1][-1]) not in "WF" and wide(out[-1]) < WIDTH // 2
        if out and (letter in CLOSING or goes_on):
            out[-1] += letter
        else:
            out.append(letter)
    return out


def _incident(incident: Incident, *, told: bool) -> Iterator[str]:
    """One incident: its title, how bad and since when, and, where `told`, its text and decisions."""
    lead = f"{incident.number}. "
    yield from _wrapped(incident.title, lead)
    said = say("{severity}, since {day}", severity=say(incident.severity), day=short_day(incident.opened))
    note = say(", ", context="clauses") + incident.note if incident.note else ""
    yield from _wrapped(said + note, " " * len(lead))
    if told:
        if incident.text:
            yield from _wrapped(plain(incident.text, TEXT_MOST), " " * len(lead))
        for one in incident.decisions[:2]:
            gaps = {"action": say(one.action), "outcome": say(one.told, context="decision"), "reason": one.reason}
            said = say("{action} {outcome} on {day}: {reason}", day=short_day(one.night), **gaps)
            yield from _wrapped(said, " " * len(lead) + "-> ")


def _figures(tiles: tuple[Trend, ...]) -> list[str]:
    """Names, values and what is to be said of them, in columns."""
    rows = [(sentence.heading(tile), *_told(tile)) for tile in tiles]
    names, values = (min(max(wide(row[place]) for row in rows), 34) for place in (0, 1))
    out = []
    for name, value, said in rows:
        lead = f"{padded(name, names)}  {padded(value, values, right=True)}  "
        out += [lead.rstrip()] if not said else _wrapped(said, lead)
    return out


def _told(tile: Trend) -> tuple[str, str]:
    """A figure's value; and how far it moved and its interval, or why there is none."""
    figure = tile.figure
    flag = f"{sentence.ICONS.get(figure.severity, '')} {say(figure.severity)}" if figure.severity else ""
    if figure.value is None:
        return "-", say("no figure ({why})", why=sentence.explain(figure))
    if figure.thin:
        return number_text(figure), say("not evaluated: {why}", why=retold(figure.reason))
    said = [change_text(figure) if figure.usual is not None else "", interval_text(figure), flag]
    return number_text(figure), say(", ", context="clauses").join(words for words in said if words)
