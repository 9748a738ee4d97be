"""The nights of four weeks as PNG: a column each, taller and stronger where worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.charts import png
from reports.charts.png import Canvas
from reports.formats import short_day

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 544, 88
LEFT, TOP, BASE = 16, 10, 54
HEIGHTS = {"critical": 44, "warning": 31, "info": 20, "ok": 10, "unknown": 10}
"""What is said by height too, not by colour alone."""


def draw(states: Sequence[str], last: int) -> bytes:
    """The picture; `last` is the day of the last state. An unknown night is an outline, one without a report a gap."""
    canvas = Canvas(WIDTH, HEIGHT)
    apart = (WIDTH - 2 * LEFT) / max(len(states), 1)
    wide = apart - 4
    for place, state in enumerate(states):
        if state not in HEIGHTS:
            continue
        left, tall = LEFT + place * apart + 2, HEIGHTS[state]
        canvas.box(left, BASE - tall, wide, tall, png.TONES[state])
        if state == "unknown":
            canvas.box(left + 2, BASE - tall + 2, wide - 4, tall - 4, png.GROUND)
    canvas.line([LEFT, WIDTH - LEFT], [BASE + 3] * 2, png.OVER, 1.0)
    for place in range(len(states) - 1, -1, -7):
        day, centre = last - len(states) + 1 + place, LEFT + (place + 0.5) * apart
        now = place == len(states) - 1
        at, name = WIDTH - LEFT if now else centre, png.drawable_day(short_day(day), day)
        canvas.text(name, at, BASE + 25, png.INK if now else png.SOFT, 16, "right" if now else "center")
    return canvas.png()
