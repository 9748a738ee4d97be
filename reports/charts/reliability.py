"""How often answers of each score came true: the curve, the line it should follow, and the rows behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.language import say
from reports.charts import svg
from reports.charts.scale import Scale
from reports.charts.trend import path

if TYPE_CHECKING:
    from markupsafe import Markup

    from reports.view import Reliability, ScoreBin

WIDTH, HEIGHT, LEFT, RIGHT, TOP, PLOT = 400.0, 330.0, 4.0, 44.0, 10.0, 230.0
BARS = 44.0
SOLID = 30
"""Rows below which a tenth of the score is a grey dot, and in no line."""
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def chart(shown: Reliability, name: str, title: str, desc: str) -> Markup:
    """The picture of a reliability curve; rows of each tenth of the score stand below it."""
    x, y = Scale(0, 1, LEFT + 4, WIDTH - RIGHT - 4), Scale(0, 1, TOP + PLOT, TOP)
    foot = TOP + PLOT + 24 + BARS
    body = [
        path("".join(f"M{LEFT} {y.at(tick):.1f}H{WIDTH - RIGHT}" for tick in TICKS), "gr"),
        *(svg.text(f"{tick:.0%}", WIDTH - RIGHT + 6, y.at(tick) + 4, "tk") for tick in TICKS),
        *(svg.text(f"{tick:g}", x.at(tick), TOP + PLOT + 16, "tk", _anchor(tick)) for tick in TICKS),
        path(f"M{x.at(0):.1f} {y.at(0):.1f}L{x.at(1):.1f} {y.at(1):.1f}", "ex"),
        path(_curve(solid(shown.before), x, y), "ln sd old"),
        path(_whiskers(shown.bins, x, y), "wk"),
        path(_curve(solid(shown.bins), x, y), "ln"),
        path(_dots(solid(shown.bins), x, y), "pt"),
        path(_dots(tuple(one for one in shown.bins if one.n < SOLID), x, y), "th"),
        path(_rows(shown.bins, x, foot), "cl"),
        svg.text(say("rows"), WIDTH - RIGHT + 6, foot, "tk"),
    ]
    return svg.picture(WIDTH, foot + 6, body, name=name, title=title, desc=desc, class_="chart square")


def solid(bins: tuple[ScoreBin, ...]) -> tuple[ScoreBin, ...]:
    """The bins with rows enough to draw a line through."""
    return tuple(one for one in bins if one.n >= SOLID)


def _dots(bins: tuple[ScoreBin, ...], x: Scale, y: Scale) -> str:
    return svg.dots(x(_of(bins, "score")), y(_of(bins, "rate")))


def _anchor(tick: float) -> str:
    return {0.0: "start", 1.0: "end"}.get(tick, "middle")


def _of(bins: tuple[ScoreBin, ...], name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([getattr(one, name) for one in bins], dtype=float)


def _curve(bins: tuple[ScoreBin, ...], x: Scale, y: Scale) -> str:
    return svg.line(x(_of(bins, "score")), y(_of(bins, "rate"))) if bins else ""


def _whiskers(bins: tuple[ScoreBin, ...], x: Scale, y: Scale) -> str:
    """Each rate's interval."""
    return "".join(f"M{x.at(b.score):.1f} {y.at(b.lower):.1f}V{y.at(b.upper):.1f}" for b in bins)


def _rows(bins: tuple[ScoreBin, ...], x: Scale, foot: float) -> str:
    """A column a tenth, as tall as its rows are many."""
    most = max((one.n for one in bins), default=1)
    wide = x.at(0.1) - x.at(0) - 2
    return "".join(
        f"M{x.at(b.bin / 10) + 1:.1f} {foot:g}v-{max(b.n / most * BARS, 0.8):.1f}h{wide:.1f}V{foot:g}z" for b in bins
    )
