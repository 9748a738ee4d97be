"""A night's mail: a subject that says the state, a text part, and an HTML part that mail programs can show.

Tables and inlined styles only; no script, no SVG, no picture from a network.
"""

from __future__ import annotations

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from reports import sentence
from reports.formats import long_day, short_day
from reports.page import change_text, environment, interval_text, number_text
from reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.series import Trend
    from reports.view import NightView

INCIDENTS_MOST = 8
FIGURES_MOST = 12
SUBJECT_MOST = 120


def compose(view: NightView, sender: str, recipients: Iterable[str], link: str, key: str) -> EmailMessage:
    """The mail of a night. `link` leads to the page; `key` names the message, so that sending it again is seen.

    Boundaries and Message-ID are made of the key: the same night gives the same bytes. There is no Date header; who
    sends it knows the time.
    """
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject(view)
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Message-ID"] = f"<{name}@{domain_of(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text_part(view, link), cte="quoted-printable")
    message.add_alternative(html_part(view, link), subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{name}")
    return message


def domain_of(sender: str) -> str:
    """The domain a message's name is made in."""
    found = sender.rpartition("@")[2].strip().rstrip(">").strip()
    try:
        return Address(username="x", domain=found).domain or "nightjar.invalid"
    except (ValueError, IndexError):
        return "nightjar.invalid"


def subject(view: NightView) -> str:
    """The state first, then the model, what is worst, and the day."""
    lead, day = sentence.STATES[view.state if view.state in sentence.STATES else "info"], short_day(view.night)
    if not view.incidents:
        said = "resolved: " + view.resolved[0].title if view.resolved else "no open incident"
        return plain(f"[{lead}] {view.model} {day}: {said}", SUBJECT_MOST)
    rest = f" (+{len(view.incidents) - 1} more)" if len(view.incidents) > 1 else ""
    head = f"[{lead}] {view.model} {day}: "
    return head + plain(view.incidents[0].title, max(SUBJECT_MOST - len(head) - len(rest), 20)) + rest


def text_part(view: NightView, link: str) -> str:
    """The mail as plain text."""
    lines = [sentence.verdict(view), ""]
    for incident in view.incidents[:INCIDENTS_MOST]:
        lines.append(f"{incident.number}. {incident.title} ({incident.severity}, since {short_day(incident.opened)})")
        lines += [f"   {words}" for words in (incident.text, incident.note) if words]
        lines += [
            f"   {decision.action} {decision.outcome} on {short_day(decision.night)}: {decision.reason}"
            for decision in incident.decisions[:2]
        ]
    if len(view.incidents) > INCIDENTS_MOST:
        lines.append(f"... and {len(view.incidents) - INCIDENTS_MOST} more")
    lines += [f"Resolved: {incident.title}" for incident in view.resolved[:INCIDENTS_MOST]]
    lines += ["", *(_figure_line(tile) for tile in view.tiles[:FIGURES_MOST]), "", f"Report: {link}"]
    return "\n".join(lines) + "\n"


def _figure_line(tile: Trend) -> str:
    """`Accuracy at 7 days: 84.9 % (-9.3 pp), n 9,667`."""
    figure, name = tile.figure, tile.title or sentence.label(tile.figure.key)
    if figure.value is None:
        return f"{name}: no figure ({sentence.explain(figure)})"
    if figure.thin:
        return f"{name}: {number_text(figure)} (not evaluated: {figure.reason})"
    moved = f" ({change_text(figure)})" if figure.usual is not None else ""
    between = f", {interval_text(figure)}" if interval_text(figure) else ""
    return f"{name}: {number_text(figure)}{moved}{between}"


def html_part(view: NightView, link: str) -> str:
    """The mail as HTML."""
    template = environment().get_template("mail.html")
    page = template.render(
        view=view,
        verdict=sentence.verdict(view),
        link=link,
        day=long_day(view.night),
        incidents=view.incidents[:INCIDENTS_MOST],
        more=max(len(view.incidents) - INCIDENTS_MOST, 0),
        tiles=view.tiles[:FIGURES_MOST],
        colours=COLOURS,
    )
    return "\n".join(line for line in (raw.strip() for raw in page.splitlines()) if line) + "\n"


COLOURS = {
    "critical": ("#b3261e", "#fbe9e7"),
    "warning": ("#8f5a00", "#fdf1d8"),
    "info": ("#2b5d8a", "#e6f0f8"),
    "ok": ("#23693c", "#e5f3e9"),
    "unknown": ("#5b5d66", "#ecebe7"),
}
"""Text and tint of a state; a mail has no style sheet to ask."""
