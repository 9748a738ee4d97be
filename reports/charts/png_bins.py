"""The bins of one feature as PNG: the share of rows in the reference, and on the day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reports.charts import png
from reports.charts.png import Canvas
from reports.formats import share
from reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.view import Bin

WIDTH = 544
LEFT, RIGHT, TOP, ROW = 172, 74, 12, 28
ROWS_MOST = 10
LETTERS = 17
_LONG = re.compile(r"\b\d{1,9}\.\d{3,12}\b")


def shown(bins: Sequence[Bin]) -> list[Bin]:
    """The bins that add most to PSI, in their own order."""
    chosen = sorted(range(len(bins)), key=lambda place: (-abs(bins[place].contribution), place))[:ROWS_MOST]
    return [bins[place] for place in sorted(chosen)]


def short(label: str) -> str:
    """A bin's label in the room there is; numbers lose the digits that tell nothing.

    >>> short("(0.070784, 0.098464]"), short("<= 3.17"), short("a category with a long name")
    ('(0.0708, 0.0985]', '≤ 3.17', 'a category with…')
    """
    label = label.replace("<= ", "≤ ").replace(">= ", "≥ ")
    if len(label) > LETTERS:
        label = _LONG.sub(lambda found: f"{float(found[0]):.3g}", label)
    return plain(label, LETTERS)


def height(bins: Sequence[Bin]) -> int:
    """How tall the picture of these bins is."""
    return 2 * TOP + ROW * len(shown(bins))


def draw(bins: Sequence[Bin]) -> bytes:
    """The picture: a row each, the reference in grey above the day in colour. A label that no font has is a number."""
    rows = shown(bins)
    canvas = Canvas(WIDTH, height(bins))
    most = max((value for one in rows for value in (one.expected, one.observed)), default=0.0) or 1.0
    wide = (WIDTH - LEFT - RIGHT) / most
    for place, one in enumerate(rows):
        top = TOP + place * ROW
        label = short(one.label)
        canvas.text(label if png.drawable(label) else f"{place + 1}", LEFT - 12, top + 19, anchor="right", size=16)
        canvas.box(LEFT, top + 4, max(one.expected * wide, 1), 7, png.OVER, 0.6)
        canvas.box(LEFT, top + 12, max(one.observed * wide, 1), 9, png.MOVED)
        canvas.text(share(one.observed, 0), LEFT + max(one.expected, one.observed) * wide + 8, top + 20, size=16)
    canvas.line([LEFT, LEFT], [TOP, TOP + ROW * len(rows)], png.OVER, 1.0)
    return canvas.png()
