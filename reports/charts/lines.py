"""Several series of one metric in one picture, each named at its own end."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from reports.charts import svg
from reports.charts.scale import Scale, domain
from reports.charts.trend import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, axes, deploys, frame, path
from reports.words import word

if TYPE_CHECKING:
    from markupsafe import Markup

    from reports.series import Lines

APART = 13.0
"""Least distance of two names."""


def chart(lines: Lines, name: str, title: str, desc: str) -> Markup:
    """The picture: a line each, told apart by colour, dash and the name where it ends."""
    kind = word(lines.metric).kind
    low, high, ticks = domain(kind, *(line.values for line in lines.lines))
    x, y = frame(lines.first, lines.last), Scale(low, high, HEIGHT - BOTTOM, TOP + 4)
    days = x(np.arange(lines.first, lines.last + 1))
    body = [axes(x, y, ticks, kind, (lines.first, lines.last)), deploys(x, lines.deploys)]
    ends = []
    for place, line in enumerate(lines.lines):
        known = np.flatnonzero(np.isfinite(line.values))
        style = f"ln c{place % 4}{' sd' if line.shadow else ''}"
        body.append(path(svg.line(days, y(line.values)), style))
        if len(known):
            ends.append((place, line.name, float(days[known[-1]]), float(y(line.values[known[-1:]])[0])))
    body.extend(_names(ends))
    told = {line.name: line.values for line in lines.lines}
    hover = svg.hover(lines.first, kind, (LEFT + 3, WIDTH - RIGHT - 3), told, lines.unit)
    return svg.picture(WIDTH, HEIGHT, body, name=name, title=title, desc=desc, class_="chart", more=hover)


def _names(ends: list[tuple[int, str, float, float]]) -> list[str]:
    """A dot at each line's end, and its name above it where the ends lie apart (the legend has it too)."""
    out = [path(f"M{x:.1f} {y:.1f}h0", f"pt c{place % 4}") for place, _, x, y in ends]
    heights = sorted(y for _, _, _, y in ends)
    if any(below - above < APART for above, below in pairwise(heights)):
        return out
    for place, name, x, y in ends:
        out.append(svg.text(name[:16], min(x + 2, WIDTH - RIGHT - 2), y - 7, f"nm c{place % 4}", "end"))
    return out
