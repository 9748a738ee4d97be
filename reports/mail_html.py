"""The HTML part of a night's mail: tables and inlined styles, pictures by Content-ID, at most 25 rows of tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.language import say
from reports import mail_style, sentence
from reports.formats import long_day, plural
from reports.mail_pictures import drifted
from reports.page import environment, number_text
from reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reports.mail_pictures import Picture
    from reports.view import Drift, NightView

INCIDENTS_MOST = 8
TOLD_MOST = 4
"""Incidents told with their text and decisions; of the others the title."""
FIGURES_MOST = 12
DRIFTED_MOST = 6
TEXT_MOST = 600
LEAST_BAR = 2


@dataclass(frozen=True)
class Bar:
    """A drifted feature: its PSI as text and as a part of the bar's width, in percent."""

    name: str
    psi: str
    severity: str
    part: int


def html_part(
    view: NightView,
    link: str,
    nights: Picture | None = None,
    trends: Sequence[Picture] = (),
    bins: Picture | None = None,
    ids: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> str:
    """The mail as HTML. `ids` gives each picture's Content-ID by its name; `notes` stand above the incidents."""
    page = (
        environment()
        .get_template("mail.html")
        .render(
            view=view, link=link, verdict=sentence.verdict(view), facts=facts(view), day=long_day(view.night),
            incidents=view.incidents[:INCIDENTS_MOST], more=max(len(view.incidents) - INCIDENTS_MOST, 0),
            told_most=TOLD_MOST, text_most=TEXT_MOST, tiles=view.tiles[:FIGURES_MOST], bars=bars(drifted(view)),
            nights=nights, trends=trends, bins=bins, ids=ids or {}, s=mail_style.STYLES, sheet=mail_style.sheet(),
            notes=notes, tone=mail_style.tone, pill=mail_style.pill, fill=mail_style.fill,
        )
    )  # fmt: skip
    return "\n".join(line for line in (raw.strip() for raw in page.splitlines()) if line) + "\n"


def facts(view: NightView) -> str:
    """What the night rests on: `18,204 predictions, 61 checks made, 5 breached, 12 not possible`."""
    counts = view.counts
    said = [plural(view.volume.value or 0, "prediction"), say("{checks} made", checks=plural(counts.judged, "check"))]
    said += [say("{count} breached", count=counts.breach)] if counts.breach else []
    said += [say("{count} not possible", count=f"{counts.not_evaluated:,}")] if counts.not_evaluated else []
    return say(", ", context="clauses").join(said)


def bars(features: Sequence[Drift]) -> list[Bar]:
    """The drifted features as bars on one scale, which is at least twice as long as a rule's limit."""
    told = [one for one in features if one.psi.value is not None][:DRIFTED_MOST]
    most = max((size for one in told for size in (one.psi.value or 0.0, 2 * max(one.limits, default=0.0))), default=1.0)
    return [
        Bar(
            plain(one.name, 60), number_text(one.psi), one.psi.severity or "warning",
            max(round(100 * (one.psi.value or 0.0) / (most or 1.0)), LEAST_BAR),
        )
        for one in told
    ]  # fmt: skip
