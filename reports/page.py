"""A night's view as one HTML file that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from jobs.language import say, tag
from jobs.templates import Compiled
from reports import formats, sentence
from reports.charts import bars, heat, lines, reliability, strip, trend
from reports.reasons import retold, rule_name, scope_name
from reports.sections.baselines import against
from reports.text import listed, plain
from reports.words import word

if TYPE_CHECKING:
    from reports.index import Array
    from reports.series import Figure, Lines, Trend
    from reports.view import NightView, Reliability
    from reports.words import Kind

TEMPLATES = Path(__file__).parent / "templates"
RECENT_DAYS = 14


@cache
def environment() -> Environment:
    """The templates: everything is escaped, and an unknown name is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        optimized=False,
        bytecode_cache=Compiled(TEMPLATES),
    )
    made.filters.update(
        number=number_text, interval=interval_text, change=change_text, count=formats.count, share=formats.share,
        short_day=formats.short_day, long_day=formats.long_day, weekday=formats.weekday, label=sentence.label,
        full_label=sentence.full_label, plain=plain, word=word, explain=sentence.explain,
        signed=formats.signed, iso_day=lambda day: formats.long_day(date.fromisoformat(day)),
        has_night=lambda day, days: date.fromisoformat(day) in set(days), heading=sentence.heading,
        stated=sentence.stated,
    )  # fmt: skip
    made.globals.update(
        say=say_markup, spoken=say, retold=retold, rule_name=rule_name, scope_name=scope_name, lang=tag,
        icons=sentence.ICONS, states=sentence.STATES, chart=trend_picture, spark=trend.spark, lines_chart=lines_picture,
        strip=strip.strip, columns=strip.columns, pair=bars.pair, gauge=bars.gauge, plural=formats.plural,
        strip_text=strip_text, value_text=formats.number, range_text=formats.interval,
        heat_row=heat.row, heat_axis=heat.axis, heat_text=sentence.describe_heat, reliability_chart=reliability_picture,
        moved=moved_text, both_ways=bars.both_ways, recent=recent, latest=latest_text, listed=listed,
        weekdays=formats.weekdays, points=formats.points, against=against,
    )  # fmt: skip
    return made


def render(view: NightView, *, site: bool = True) -> str:
    """The page of a night. With `site` it leads to the pages around it; a page sent by mail stands alone."""
    template = environment().get_template("night.html")
    before = view.night - timedelta(days=1) if view.first_night is None or view.night > view.first_night else None
    page = template.render(
        view=view, site=site, before=before, verdict=sentence.verdict(view),
        performance_line=sentence.performance_line(view), drift_line=sentence.drift_line(view),
        css=read("style.css", "views.css"), script=read("report.js"), policy=policy("report.js"),
    )  # fmt: skip
    return tidy(page)


def tidy(page: str) -> str:
    """The page without indentation and empty lines."""
    return "\n".join(line for line in (raw.strip() for raw in page.splitlines()) if line) + "\n"


@cache
def read(*names: str) -> Markup:
    """Style sheets or a script of ours, without indentation."""
    text = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)
    return Markup("\n".join(line.strip() for line in text.splitlines() if line.strip()))  # noqa: S704 - our own files


@cache
def policy(script: str = "report.js") -> str:
    """The Content-Security-Policy of a page: its own styles, this one script by its hash, and no request at all."""
    digest = base64.b64encode(hashlib.sha256(str(read(script)).encode()).digest()).decode()
    own = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return f"{own}; img-src data:; base-uri 'none'; form-action 'none'"


def say_markup(sentence: str, *, context: str = "", **gaps: Any) -> Markup:
    """A sentence of a template, which may hold markup; what fills its gaps is escaped.

    Only for what a template itself says: a word that comes from data is `spoken(word)` there, which is escaped.

    >>> say_markup("<b>{name}</b> of {n}", name="<script>", n=3)
    Markup('<b>&lt;script&gt;</b> of 3')
    """
    text = Markup(say(sentence, context=context))  # noqa: S704 - templates and catalogues are our own files
    return text.format(**gaps) if gaps else text


def number_text(figure: Figure) -> str:
    """A figure's value."""
    return formats.number(figure.value, word(figure.key.metric).kind, figure.unit)


def interval_text(figure: Figure) -> str:
    """A figure's own interval; a PSI's one end is what chance alone may reach, told elsewhere."""
    kind = word(figure.key.metric).kind
    return formats.interval(figure.lower, figure.upper, kind, figure.unit) if figure.key.metric != "psi" else ""


def change_text(figure: Figure) -> str:
    """How far a figure lies from what is usual."""
    return formats.change(figure.value, figure.usual, word(figure.key.metric).kind)


def trend_picture(shown: Trend, name: str) -> Markup:
    """A trend's chart with its text equivalent."""
    return trend.chart(shown, name, sentence.heading(shown), sentence.describe(shown))


def lines_picture(shown: Lines, name: str, title: str) -> Markup:
    """A chart of several lines with its text equivalent."""
    return lines.chart(shown, name, title, sentence.describe_lines(shown))


def moved_text(by: float, kind: Kind) -> str:
    """A difference: shares in percentage points, amounts in the digits that mean something.

    >>> moved_text(-0.021, "share"), moved_text(0.021, "score"), moved_text(-1520.4, "amount")
    ('−2.1 pp', '+0.021', '−1,520')
    """
    if kind == "amount":
        sign = "±" if by == 0 else "+" if by > 0 else formats.MINUS
        return sign + formats.significant(abs(by))
    return formats.signed(by * 100, 1, formats.points()) if kind in ("share", "points") else formats.signed(by, 3)


def reliability_picture(shown: Reliability, name: str) -> Markup:
    """A reliability curve with its text equivalent."""
    return reliability.chart(shown, name, say("Score and truth"), sentence.describe_reliability(shown))


def strip_text(name: str, levels: Array, first: int, last: int, worse: str) -> str:
    """What a strip of days shows."""
    n, known = int((levels >= 2).sum()), int(np.isfinite(levels).sum())
    return say(
        "{name}: {worse} on {n} of {days}, {first} to {last}",
        name=name, worse=worse, n=n, days=formats.plural(known, "day"), first=formats.short_day(first),
        last=formats.short_day(last),
    )  # fmt: skip


def latest_text(values: Array, shown: Lines) -> str:
    """The last value of one of several lines."""
    known = values[np.isfinite(values)]
    return formats.number(float(known[-1]) if len(known) else None, word(shown.metric).kind, shown.unit)


def recent(shown: Trend) -> list[dict[str, Any]]:
    """The last RECENT_DAYS days of a trend that have a figure, the newest first, as text."""
    kind, unit = word(shown.figure.key.metric).kind, shown.figure.unit
    every = np.where(np.isfinite(shown.values), shown.values, shown.thin)
    places = np.flatnonzero(np.isfinite(every))[-RECENT_DAYS:][::-1].tolist()
    lower, upper = shown.interval
    return [
        {
            "day": formats.short_day(shown.first + place),
            "value": formats.number(every[place], kind, unit),
            "n": formats.count(shown.n[place]),
            "interval": formats.interval(lower[place], upper[place], kind) if kind != "index" else "",
            "expected": formats.interval(shown.lower[place], shown.upper[place], kind),
            "breached": bool(shown.breached[place]),
            "thin": bool(np.isfinite(shown.thin[place])),
        }
        for place in places
    ]
