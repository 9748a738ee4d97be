"""A trend as PNG: the value, its expected range, breached days, incidents, deploys, the days that await labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.charts import png
from reports.charts.png import Canvas
from reports.charts.scale import Scale, day_ticks, domain, tick_text
from reports.charts.trend import bounds
from reports.words import word

if TYPE_CHECKING:
    from reports.index import Array
    from reports.series import Trend
    from reports.words import Kind

WIDTH, HEIGHT = 544, 216
LEFT, RIGHT, TOP, BOTTOM = 12, 78, 20, 40
DAYS = 60
"""Of a trend's days the last ones; a mail is narrower than a page."""


def draw(trend: Trend, limits: tuple[float, ...] = ()) -> bytes:
    """The picture of the last DAYS days; `limits` are lines that a rule draws."""
    canvas = Canvas(WIDTH, HEIGHT)
    first = max(trend.last - DAYS + 1, trend.first)
    part = slice(first - trend.first, None)
    kind = word(trend.figure.key.metric).kind
    estimate = trend.estimate if trend.estimate is not None else np.full(len(trend.values), np.nan)
    series = [trend.values, trend.thin, estimate, *_possible(bounds(trend), kind)]
    low, high, ticks = domain(kind, *(one[part] for one in series), np.asarray(limits, dtype=float))
    x = Scale(first, max(trend.last, first + 1), LEFT + 4, WIDTH - RIGHT - 6)
    y = Scale(low, high, HEIGHT - BOTTOM, TOP + 6)
    days = x(np.arange(first, trend.last + 1))
    _spans(canvas, trend, x)
    lower, upper = (y(one[part]) for one in _possible((trend.lower, trend.upper), kind))
    canvas.area(days, lower, upper, png.BAND)
    _axes(canvas, trend, first, x, y, ticks)
    for limit in limits:
        canvas.line([LEFT, WIDTH - RIGHT], [y.at(limit)] * 2, png.TONES["critical"], 1.2, (4, 3))
    canvas.line(days, y(trend.expected[part]), png.EXPECT, 1.4, (4, 3))
    for day, value in zip(days.tolist(), y(trend.thin[part]).tolist(), strict=True):
        if np.isfinite(value):
            canvas.dot(day, value, 2.0, png.OVER)
    canvas.line(days, y(estimate[part]), png.LINE, 2.0, (1.2, 2.4))
    values = y(trend.values[part])
    _value(canvas, days, values, trend.breached[part])
    return canvas.png()


def _possible(ranges: tuple[Array, ...], kind: Kind) -> list[Array]:
    """An expected range where its numbers can lie: a share is never above 1."""
    return [np.clip(one, 0.0, 1.0) if kind == "share" else one for one in ranges]


def _value(canvas: Canvas, days: Array, values: Array, breached: Array) -> None:
    """The value's line, a triangle on each breached day, a dot on the last one."""
    canvas.line(days, values, png.LINE, 2.4)
    known = np.isfinite(values)
    for place in np.flatnonzero(known & breached).tolist():
        canvas.triangle(days[place], values[place], 6.0, png.TONES["critical"])
    newest = np.flatnonzero(known)[-1:].tolist()
    for place in newest:
        if not breached[place]:
            canvas.dot(days[place], values[place], 5.0, png.LINE)


def _axes(canvas: Canvas, trend: Trend, first: int, x: Scale, y: Scale, ticks: list[float]) -> None:
    """Grid lines with values at the right, days below, versions at the top."""
    kind = word(trend.figure.key.metric).kind
    by = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    for tick in ticks:
        canvas.line([LEFT, WIDTH - RIGHT], [y.at(tick)] * 2, png.GRID, 1.0)
        canvas.text(tick_text(tick, kind, by), WIDTH - RIGHT + 10, y.at(tick) + 5)
    for day, name in day_ticks(first, trend.last):
        canvas.line([x.at(day)] * 2, [HEIGHT - BOTTOM, HEIGHT - BOTTOM + 5], png.OVER, 1.0)
        anchor: png.Anchor = "left" if x.at(day) < LEFT + 20 else "center"
        canvas.text(png.drawable_day(name, day), x.at(day), HEIGHT - BOTTOM + 26, anchor=anchor)
    free = 0.0
    for deploy in (one for one in trend.deploys if one.day >= first):
        place, name = x.at(deploy.day), f"→ {deploy.version[:10]}"
        canvas.line([place] * 2, [TOP - 2, HEIGHT - BOTTOM], png.INK, 1.2, (1, 2.4))
        if place >= free and png.drawable(name):
            right = place > 0.7 * WIDTH
            end = canvas.text(
                name, place - 4 if right else place + 4, TOP - 2, png.INK, 15.5, "right" if right else "left"
            )
            free = place + 12 + end


def _spans(canvas: Canvas, trend: Trend, x: Scale) -> None:
    """The incidents on this series as tints, and in grey the days whose labels are not in."""
    base = HEIGHT - BOTTOM
    for span in sorted(trend.spans, key=lambda one: -one.number):
        if span.last >= x.low and span.number <= 3:
            left, right = x.at(max(span.first, int(x.low))) - 3, x.at(span.last) + 3
            tone = png.TONES.get(span.severity, png.OVER) if span.number else png.OVER
            canvas.box(left, TOP, right - left, base - TOP, tone, 0.12 if span.number else 0.1)
            canvas.box(left, base - 4, right - left, 4, tone, 1.0 if span.number else 0.5)
    if trend.figure.day < trend.last:
        left = x.at(max(trend.figure.day, int(x.low))) + 4
        canvas.box(left, TOP, WIDTH - RIGHT - left, base - TOP, png.SOFT, 0.1)
