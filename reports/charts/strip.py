"""A row of days as boxes: taller and stronger where worse. Height says it too, not colour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from reports.charts import svg

if TYPE_CHECKING:
    from reports.index import Array

CELL, HEIGHT = 3.0, 18.0
_LOOKS = {-2: (12.0, "s-2"), -1: (8.0, "s-1"), 0: (4.0, "s0"), 1: (8.0, "s1"), 2: (13.0, "s2"), 3: (18.0, "s3")}
"""Level -> height and class."""


def strip(levels: Array, title: str) -> Markup:
    """The picture; a day without a level stays empty."""
    width = CELL * len(levels)
    x = np.arange(len(levels)) * CELL
    body = [
        f'<path d="{svg.boxes(x[levels == level], HEIGHT - height, CELL - 0.6, height)}" class="{look}"/>'
        for level, (height, look) in _LOOKS.items()
        if (levels == level).any()
    ]
    head = f"<title>{svg.short(title)}</title>"
    return Markup(  # noqa: S704 - the title is escaped, the rest are numbers
        f'<svg class="strip" viewBox="0 0 {width:g} {HEIGHT:g}" role="img" aria-label="{svg.short(title)}" '
        f'preserveAspectRatio="none">{head}{"".join(body)}</svg>'
    )


def columns(values: Array, title: str) -> Markup:
    """A column a day, as tall as its value."""
    top = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    bars = "".join(
        f"M{place * CELL:.1f} {HEIGHT}v-{max(value / top * (HEIGHT - 1), 0.6):.1f}h{CELL - 0.6:.1f}V{HEIGHT}z"
        for place, value in enumerate(values.tolist())
        if value > 0
    )
    return Markup(  # noqa: S704 - the title is escaped, the rest are numbers
        f'<svg class="strip" viewBox="0 0 {CELL * len(values):g} {HEIGHT:g}" role="img" '
        f'aria-label="{svg.short(title)}" preserveAspectRatio="none"><title>{svg.short(title)}</title>'
        f'<path d="{bars}" class="cl"/></svg>'
    )
