"""One series at its own steps, days or hours, wide: its value, expected range, and the points outside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports import formats
from reports.charts import svg
from reports.charts.scale import Scale, day_ticks, domain, tick_text
from reports.days import day_of

if TYPE_CHECKING:
    from markupsafe import Markup

    from reports.index import Array
    from reports.words import Kind

WIDTH, HEIGHT = 960.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 2.0, 56.0, 12.0, 26.0
REACH = 1.0
"""How far the expected range may stretch the axis beyond the values, in reaches of the values."""


def chart(  # one picture, and what is in it
    days: Array, values: Array, range_: tuple[Array, Array, Array], anomaly: Array, kind: Kind,
    *, name: str, title: str, desc: str,
) -> Markup:  # fmt: skip
    """The picture of a series; `days` counts days since 1970, with fractions, `range_` is expected, lower, upper."""
    expected, lower, upper = range_
    low, high, ticks = domain(kind, values, *(_near(values, side) for side in (lower, upper)), most=5)
    first, last = float(days[0]), float(days[-1])
    x = Scale(first, max(last, first + 1), LEFT + 3, WIDTH - RIGHT - 3)
    y = Scale(low, high, HEIGHT - BOTTOM, TOP)
    across, bad = x(days), anomaly.astype(bool) & np.isfinite(values)
    body = [
        _path(svg.band(across, y(lower), y(upper)), "bd"),
        _axes(x, y, ticks, kind, (first, last)),
        _path(svg.line(across, y(expected)), "ex"),
        _path(svg.line(across, y(values)), "ln"),
        _path(_triangles(across[bad], y(values[bad])), "br"),
    ]
    return svg.picture(WIDTH, HEIGHT, body, name=name, title=title, desc=desc, class_="chart wide")


def _axes(x: Scale, y: Scale, ticks: list[float], kind: Kind, ends: tuple[float, float]) -> str:
    by = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    right, base = WIDTH - RIGHT, HEIGHT - BOTTOM
    rows = "".join(f"M{LEFT} {y.at(tick):.1f}H{right}" for tick in ticks)
    labels = [svg.text(tick_text(tick, kind, by), right + 6, y.at(tick) + 4, "tk") for tick in ticks]
    marks = moments(*ends)
    notches = "".join(f"M{x.at(day):.1f} {base:.1f}v4" for day, _ in marks)
    names = [svg.text(said, x.at(day), HEIGHT - 6, "tk", _anchor(x.at(day))) for day, said in marks]
    return svg.join([_path(rows, "gr"), _path(notches, "gr"), *labels, *names])


def moments(first: float, last: float) -> list[tuple[float, str]]:
    """Days to name below the picture; over more than a year the months carry theirs.

    >>> moments(20089.0, 20096.0)
    [(20089, '1 Jan'), (20091, '3 Jan'), (20093, '5 Jan'), (20095, '7 Jan')]
    >>> moments(19723.0, 20455.0)[:2]
    [(19723, 'Jan 2024'), (19905, 'Jul 2024')]
    """
    days = range(int(np.ceil(first)), int(last) + 1)
    if len(days) > 370:
        starts = [day for day in days if day_of(day).day == 1 and day_of(day).month in (1, 7)]
        every = -(-len(starts) // 8)
        return [(day, f"{formats.MONTHS[day_of(day).month - 1]} {day_of(day).year}") for day in starts[::every]]
    return list(day_ticks(days[0], days[-1])) if days else []


def _anchor(place: float) -> str:
    if LEFT + 24 < place < WIDTH - RIGHT - 24:
        return "middle"
    return "end" if place > WIDTH / 2 else "start"


def _near(values: Array, side: Array) -> Array:
    """One side of the range, as far as it should stretch the axis."""
    known = values[np.isfinite(values)]
    if not len(known):
        return side
    low, high = float(known.min()), float(known.max())
    reach = REACH * ((high - low) or abs(high) * 0.1 or 1.0)
    return np.clip(side, max(low - reach, 0.0) if low >= 0 else low - reach, high + reach)


def _triangles(x: Array, y: Array) -> str:
    return "".join(f"M{a:.1f} {b - 5:.1f}l4.6 8.2h-9.2z" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _path(data: str, class_: str) -> str:
    return f'<path d="{data}" class="{class_}"/>' if data else ""
