"""SVG as text: escaped, with a title and a description, one decimal a coordinate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reports.index import Array


def tag(name: str, content: str = "", **attributes: object) -> str:
    """One element; attribute names may end in `_` (class_) and use `_` for `-`. `content` is SVG already.

    >>> tag("text", "a", x=1.25, class_="tick", text_anchor="end")
    '<text x="1.2" class="tick" text-anchor="end">a</text>'
    """
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{short(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{content}</{name}>" if content else f"<{name}{given}/>"


def short(value: object) -> str:
    """A coordinate with one decimal at most; other values escaped.

    >>> short(10.0), short(10.26), short('"')
    ('10', '10.3', '&#34;')
    """
    if isinstance(value, float | np.floating):
        return f"{value:.1f}".removesuffix(".0")
    return str(value) if isinstance(value, int) else str(escape(str(value)))


def text(content: str, x: float, y: float, class_: str, anchor: str = "start") -> str:
    """A line of escaped text."""
    return tag("text", str(escape(content)), x=float(x), y=float(y), class_=class_, text_anchor=anchor)


def hover(first: int, kind: str, across: tuple[float, float], series: Mapping[str, Array], unit: str = "") -> str:
    """Attributes for the page's script: what each day's values are, so that a pointer or the arrow keys can ask.

    `across` is where the first and the last day lie. Nothing else depends on them: without script the picture is whole.

    >>> hover(20089, "share", (5, 353), {"Value": np.array([0.5, np.nan, 1.0])})
    ' data-f="20089" data-k="share" data-u="" data-x="5 353" data-s="Value" data-v=".5,,1"'
    """
    names = "|".join(str(escape(name)).replace("|", " ") for name in series)
    digits = {"count": 0, "milliseconds": 1}.get(kind, 4)
    values = "|".join(",".join(_told(value, digits) for value in one.tolist()) for one in series.values())
    ends = f"{short(across[0])} {short(across[1])}"
    return (
        f' data-f="{first}" data-k="{kind}" data-u="{escape(unit)}" data-x="{ends}" data-s="{names}" data-v="{values}"'
    )


def _told(value: float, digits: int) -> str:
    """A number as short as it can be read back; nothing where there is none."""
    if not math.isfinite(value):
        return ""
    text = f"{value:.{digits}f}" if abs(value) < 1e6 else f"{value:.6g}"
    text = text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def picture(
    width: float,
    height: float,
    body: Iterable[str],
    *,
    name: str,
    title: str,
    desc: str = "",
    class_: str = "",
    more: str = "",
) -> Markup:
    """The whole SVG; `name` makes its ids unique on the page. Screen readers get the title and the description.

    `more` is further attributes, ready made.
    """
    described = f' aria-describedby="{name}-d"' if desc else ""
    head = f'<title id="{name}-t">{escape(title)}</title>'
    tail = f'<desc id="{name}-d">{escape(desc)}</desc>' if desc else ""
    return Markup(  # noqa: S704 - every text in it went through escape
        f'<svg class="{class_}" viewBox="0 0 {short(width)} {short(height)}" role="img" '
        f'aria-labelledby="{name}-t"{described}{more}>{head}{tail}{"".join(body)}</svg>'
    )


def runs(known: Array) -> list[tuple[int, int]]:
    """Stretches of True: first and one past the last index.

    >>> runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], known.astype(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _points(x: Array, y: Array) -> list[str]:
    """`x y` pairs with one decimal."""
    return [f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def line(x: Array, y: Array) -> str:
    """Path data through the points, broken where y is NaN; a lone point becomes a dot of the stroke's width.

    >>> line(np.array([0.0, 1.0, 2.0]), np.array([5.0, np.nan, 6.0]))
    'M0.0 5.0h0M2.0 6.0h0'
    """
    parts = []
    for start, stop in runs(np.isfinite(y)):
        points = _points(x[start:stop], y[start:stop])
        parts.append("M" + "L".join(points) if stop - start > 1 else f"M{points[0]}h0")
    return "".join(parts)


def band(x: Array, lower: Array, upper: Array) -> str:
    """Path data of the area between two lines, broken where either is NaN."""
    parts = []
    for start, stop in runs(np.isfinite(lower) & np.isfinite(upper)):
        there = _points(x[start:stop], upper[start:stop])
        back = _points(x[start:stop][::-1], lower[start:stop][::-1])
        parts.append(f"M{'L'.join([*there, *back])}Z")
    return "".join(parts)


def dots(x: Array, y: Array) -> str:
    """Path data of dots (a round cap makes them round)."""
    return "".join(f"M{point}h0" for point in _points(x, y))


def boxes(x: Array, y: float, width: float, height: float) -> str:
    """Path data of equal boxes at several x."""
    rest = f"h{short(width)}v{short(height)}h-{short(width)}z"
    return "".join(f"M{a:.1f} {short(y)}{rest}" for a in x.tolist())


def join(parts: Sequence[str | None]) -> str:
    """The parts that are there."""
    return "".join(part for part in parts if part)
