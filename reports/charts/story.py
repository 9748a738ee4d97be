"""Pictures of many nights: a spark, a row of states, and a figure over all of history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from jobs.language import join, say
from reports import formats
from reports.charts import svg
from reports.charts.scale import Scale, domain
from reports.charts.trend import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, axes, frame, path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.index import Array
    from reports.words import Kind

LEVELS = {"critical": (18.0, "st-critical"), "warning": (13.0, "st-warning"), "info": (9.0, "st-info"),
          "ok": (5.0, "st-ok"), "unknown": (5.0, "st-unknown")}  # fmt: skip
CELL = 4.0


def spark(values: Sequence[float | None]) -> Markup:
    """The last nights of one figure; decoration beside its number."""
    numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return Markup('<svg class="spark" viewBox="0 0 150 34" aria-hidden="true"></svg>')
    low, high = float(known.min()), float(known.max())
    reach = (high - low) or abs(high) * 0.1 or 1.0
    x, y = np.linspace(4, 145, len(numbers)), Scale(low - reach * 0.08, high + reach * 0.08, 31, 3)(numbers)
    now = np.flatnonzero(np.isfinite(y))[-1:]
    body = path(svg.line(x, y), "ln") + path(svg.dots(x[now], y[now]), "pt")
    return Markup(f'<svg class="spark" viewBox="0 0 150 34" aria-hidden="true">{body}</svg>')  # noqa: S704 - numbers only


def states(recent: Sequence[Sequence[Any]]) -> Markup:
    """The last nights' states as boxes: taller where worse."""
    width = CELL * max(len(recent), 1)
    body = []
    for state, (height, look) in LEVELS.items():
        x = np.array([place * CELL for place, (_, here) in enumerate(recent) if here == state])
        if len(x):
            body.append(f'<path d="{svg.boxes(x, 18 - height, CELL - 0.8, height)}" class="{look}"/>')
    counted = {state: sum(here == state for _, here in recent) for state in LEVELS}
    said = say(", ").join(f"{n} {say(state, context='state')}" for state, n in counted.items() if n)
    title = svg.short(say("Last {nights}: {counted}", nights=formats.plural(len(recent), "night"), counted=said))
    return Markup(  # noqa: S704 - the title is escaped, the rest are numbers
        f'<svg class="states" viewBox="0 0 {width:g} 18" role="img" aria-label="{title}" '
        f'preserveAspectRatio="none"><title>{title}</title>{"".join(body)}</svg>'
    )


def chart(values: Array, first: int, kind: Kind, unit: str, title: str, name: str) -> Markup:
    """A figure over every night."""
    last = first + len(values) - 1
    low, high, ticks = domain(kind, values)
    x, y = frame(first, last), Scale(low, high, HEIGHT - BOTTOM, TOP + 4)
    days = x(np.arange(first, last + 1))
    body = [axes(x, y, ticks, kind, (first, last)), path(svg.line(days, y(values)), "ln thin")]
    known = np.flatnonzero(np.isfinite(values))
    said = say("No night has a figure.")
    if len(known):
        now = formats.number(float(values[known[-1]]), kind, unit)
        least, most = (formats.number(float(one), kind, unit) for one in (np.nanmin(values), np.nanmax(values)))
        nights, day = formats.plural(len(known), "night"), formats.long_day(first + int(known[-1]))
        latest = say("Night of {day}: {value}.", day=day, value=now)
        said = join([latest, say("Between {least} and {most} over {nights}.", least=least, most=most, nights=nights)])
    more = svg.hover(first, kind, (LEFT + 3, WIDTH - RIGHT - 3), {title: values}, unit)
    return svg.picture(WIDTH, HEIGHT, body, name=name, title=title, desc=said, class_="chart", more=more)
