"""Pictures as PNG for who cannot show SVG: a canvas in screen pixels, drawn at twice the resolution, in few colours.

The font is the one that comes with the drawing library, so the same library gives the same bytes on every machine;
other letters (Chinese) are drawn by the first installed font that has them all.
"""

from __future__ import annotations

import io
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontPath, FontProperties, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon, Rectangle
from PIL import Image

from reports.charts import svg
from reports.days import day_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.index import Array

SCALE = 2
COLOURS = 48
POINT = 0.72
"""A screen pixel in points, at the 100 dots an inch that a canvas reckons with."""
CHINESE = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC",
    "WenQuanYi", "SimHei", "Noto Sans CJK", "Source Han Sans", "PingFang",
)  # fmt: skip
"""Families with Chinese letters by the beginning of their names, those with the forms of simplified Chinese first."""
REGULAR = 400

Weight = Literal["normal", "bold"]
Anchor = Literal["left", "center", "right"]

GROUND, INK, SOFT, GRID = "#f4f5f9", "#1c1d21", "#5b5d66", "#dcdee5"
LINE, BAND, EXPECT, OVER = "#2f4b9a", "#d5dcf0", "#7384ba", "#8b8b85"
TONES = {"critical": "#b3261e", "warning": "#c47b00", "info": "#2b6ca8", "ok": "#3c8f5a", "unknown": "#a7a9b3"}
"""The colours of states as areas; beside text of their own they need not be read."""
MOVED = "#b4540a"


class Canvas:
    """A picture of width x height screen pixels; y grows downwards, as in SVG."""

    def __init__(self, width: float, height: float, ground: str = GROUND) -> None:
        self._figure = Figure(figsize=(width / 100, height / 100), dpi=100 * SCALE, facecolor=ground)
        self._agg = FigureCanvasAgg(self._figure)
        self._axes = self._figure.add_axes((0, 0, 1, 1), frame_on=False, xlim=(0, width), ylim=(height, 0))
        self._axes.set_axis_off()
        self._renderer: Any = self._agg.get_renderer()  # type: ignore[no-untyped-call]
        self._order = 0

    def line(
        self, x: Array | Sequence[float], y: Array | Sequence[float], colour: str, width: float = 1.0,
        dash: tuple[float, float] | None = None,
    ) -> None:  # fmt: skip
        """A line through the points, broken where y is NaN."""
        style: tuple[float, Sequence[float]] | None = None if dash is None else (0, dash)
        self._axes.add_line(
            Line2D(x, y, color=colour, linewidth=width * POINT, linestyle=style, solid_capstyle="round",
                   solid_joinstyle="round", zorder=self._next())
        )  # fmt: skip

    def area(self, x: Array, lower: Array, upper: Array, colour: str) -> None:
        """The area between two lines, broken where either is NaN."""
        known = np.isfinite(lower) & np.isfinite(upper)
        for start, stop in svg.runs(known):
            part = slice(start, stop)
            there = list(zip(x[part], upper[part], strict=True))
            back = list(zip(x[part], lower[part], strict=True))[::-1]
            self._axes.add_patch(Polygon([*there, *back], closed=True, color=colour, lw=0, zorder=self._next()))

    def box(self, x: float, y: float, width: float, height: float, colour: str, alpha: float = 1.0) -> None:
        """A filled box, its upper left corner at x, y."""
        self._axes.add_patch(Rectangle((x, y), width, height, color=colour, alpha=alpha, lw=0, zorder=self._next()))

    def dot(self, x: float, y: float, radius: float, colour: str, edge: str = GROUND) -> None:
        """A filled circle, set apart from what lies under it."""
        self._axes.add_patch(
            Circle((x, y), radius, facecolor=colour, edgecolor=edge, linewidth=1.2 * POINT, zorder=self._next())
        )

    def triangle(self, x: float, y: float, size: float, colour: str, edge: str = GROUND) -> None:
        """A triangle around a point: what stands out by shape and not by colour alone."""
        corners = [(x, y - size), (x + 0.95 * size, y + 0.7 * size), (x - 0.95 * size, y + 0.7 * size)]
        self._axes.add_patch(
            Polygon(corners, closed=True, facecolor=colour, edgecolor=edge, linewidth=1.0 * POINT, zorder=self._next())
        )

    def text(
        self, words: str, x: float, y: float, colour: str = SOFT, size: float = 17.0, anchor: Anchor = "left",
        weight: Weight = "normal",
    ) -> float:  # fmt: skip
        """A line of text with its baseline at y, as it is (no formulas in dollar signs); returns its width."""
        font = font_for(words, weight) or font_for("", weight)
        drawn = self._axes.text(
            x, y, words, color=colour, fontsize=size * POINT, ha=anchor, va="baseline", parse_math=False,
            fontproperties=FontProperties(fname=font, size=size * POINT), zorder=self._next(),
        )  # fmt: skip
        return float(drawn.get_window_extent(self._renderer).width) / SCALE

    def png(self) -> bytes:
        """The picture, without a word about who made it or when."""
        self._agg.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(self._agg.buffer_rgba())  # type: ignore[no-untyped-call]
        drawn = Image.fromarray(pixels).convert("RGB")
        few = drawn.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        out = io.BytesIO()
        few.save(out, "PNG", optimize=True)
        return out.getvalue()

    def _next(self) -> int:
        """What is drawn later lies above."""
        self._order += 1
        return self._order


def drawable(words: str) -> bool:
    """Whether a font is there that has every letter.

    >>> drawable("≤ 1.5"), drawable("\\U0001f987")
    (True, False)
    """
    return font_for(words) is not None


def drawable_day(name: str, day: int) -> str:
    """A day's or month's name; where no font is there for it, the day in digits.

    >>> drawable_day("12 Mar", 20159), drawable_day("\\U0001f987", 20159)
    ('12 Mar', '03-12')
    """
    return name if drawable(name) else f"{day_of(day):%m-%d}"


@cache
def font_for(words: str, weight: Weight = "normal") -> str | None:
    """The file of a font that has every letter: the library's own, else one for Chinese; None where there is none."""
    own = Path(mpl.get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{'-Bold' if weight == 'bold' else ''}.ttf"
    needed = {ord(letter) for letter in words}
    return next((file for file in (str(own), *chinese_fonts()) if needed <= _letters(file)), None)


@cache
def chinese_fonts() -> tuple[str, ...]:
    """Files of installed fonts with Chinese letters (with the face's number in the file), in the order of CHINESE."""
    _look_again()
    found = [
        (place, abs(int(entry.weight) - REGULAR), entry.name, FontPath(entry.fname, entry.index))
        for entry in fontManager.ttflist
        for place, name in enumerate(CHINESE)
        if entry.name.startswith(name) and entry.style == "normal" and str(entry.weight).isdigit()
    ]
    return tuple(dict.fromkeys(file for *_, file in sorted(found)))


def _look_again() -> None:
    """Fonts installed after the drawing library made its list of them; it keeps the list and never looks again."""
    if any(entry.name.startswith(CHINESE) for entry in fontManager.ttflist):
        return
    known = {str(entry.fname) for entry in fontManager.ttflist}
    for file in sorted(set(findSystemFonts()) - known):
        with suppress(OSError, RuntimeError):  # a broken file
            if FT2Font(file).family_name.startswith(CHINESE):
                fontManager.addfont(file)


@cache
def _letters(file: str) -> frozenset[int]:
    """The letters a font has."""
    face = file.face_index if isinstance(file, FontPath) else 0
    return frozenset(FT2Font(file, face_index=face).get_charmap())
