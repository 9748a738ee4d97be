"""Segments over days: one row of a heat map, to be set beside the segment's name in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from jobs.language import say
from reports.charts import svg
from reports.charts.scale import day_ticks

if TYPE_CHECKING:
    from reports.index import Array
    from reports.view import Heat

CELL, HEIGHT, THIN = 8.0, 22.0, 8.0
EDGES = (0.02, 0.05, 0.10)
"""Distances from the whole at which the colour grows stronger, for the worse and for the better."""


def level(apart: Array) -> Array:
    """-3 (far better) to 3 (far worse), 0 like the whole; NaN where nothing is known.

    >>> level(np.array([-0.2, -0.03, 0.01, 0.06, np.nan])).tolist()
    [3.0, 1.0, 0.0, -2.0, nan]
    """
    size = np.searchsorted(EDGES, np.abs(np.nan_to_num(apart)), side="right")
    return np.where(np.isfinite(apart), -np.sign(np.nan_to_num(apart)) * size + 0.0, np.nan)


def row(heat: Heat, first: int, title: str) -> Markup:
    """The picture: a cell a day. Full height where the interval leaves no doubt, a low bar where it may be chance."""
    levels, days = level(heat.lead), len(heat.apart)
    body = []
    for step in range(-3, 4):
        for sure in (True, False):
            here = (levels == step) & (heat.sure == sure)
            if here.any():
                body.append(f'<path d="{_cells(here, sure=sure)}" class="h{step}"/>')
    attributes = svg.hover(first, "change", (0.0, CELL * days), {say("Against the whole"): heat.apart})
    text = svg.short(title)
    return Markup(  # noqa: S704 - the title is escaped, the rest are numbers
        f'<svg class="heat" viewBox="0 0 {CELL * days:g} {HEIGHT:g}" role="img" aria-label="{text}" '
        f'preserveAspectRatio="none"{attributes}>{"".join(body)}</svg>'
    )


def _cells(here: Array, *, sure: bool) -> str:
    """Path data: neighbours become one box."""
    height = HEIGHT if sure else THIN
    top = (HEIGHT - height) / 2
    return "".join(f"M{CELL * a:g} {top:g}h{CELL * (b - a):g}v{height:g}H{CELL * a:g}z" for a, b in svg.runs(here))


def axis(first: int, last: int) -> Markup:
    """The days above a heat map, as percentages of its width, so that letters keep their shape."""
    names = "".join(
        f'<span style="left:{(day - first) / (last - first + 1) * 100:.2f}%">{svg.short(name)}</span>'
        for day, name in day_ticks(first, last)
    )
    return Markup(f'<span class="days" aria-hidden="true">{names}</span>')  # noqa: S704 - names of months
