"""The rule that every text in a mail stands out from its ground, as written and on a dark screen."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tests.unit.reports.mail_message import style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.reports.mail_message import Mail
    from tests.unit.reports.reading_html import Element

CONTRAST_LEAST = 4.5
"""WCAG 2.2, 1.4.3."""


def text_stands_out(mail: Mail) -> list[str]:
    """Every text against its ground, as written and with the styles for a dark screen."""
    dark = re.search(r"@media \(prefers-color-scheme:dark\)\{((?:[^{}]*\{[^{}]*\})*)\}", mail.sheet)
    rules: dict[str, dict[str, str]] = {}
    for names, told in re.findall(r"([^{}]+)\{([^{}]*)\}", dark.group(1) if dark else ""):
        for name in names.split(","):
            declared = (one.partition(":") for one in told.split(";") if one)
            rules.setdefault(name.strip().removeprefix("."), {}).update(
                {key.strip(): value.replace("!important", "").strip() for key, _, value in declared}
            )
    found = [f"as written: {said}" for said in _faint(mail.tree, {}, "", "")]
    return found + ([f"dark: {said}" for said in _faint(mail.tree, rules, "", "")] if dark else [])


def _faint(element: Element, rules: dict[str, dict[str, str]], ink: str, ground: str) -> Iterator[str]:
    """Texts below an element whose contrast is too low, with the colours they inherit."""
    own = style(element)
    for name in element.attributes.get("class", "").split():
        own |= rules.get(name, {})
    ink, ground = own.get("color", ink), own.get("background-color", ground)
    said = "".join(_own_words(element)).strip()
    if said and element.tag not in {"title", "root"}:
        if not (ink and ground):
            yield f"'{said[:30]}' has no colour or no ground of ours"
        elif contrast(ink, ground) < CONTRAST_LEAST:
            yield f"'{said[:30]}' {ink} on {ground} is {contrast(ink, ground):.1f}"
    for child in element.children:
        yield from _faint(child, rules, ink, ground)


def _own_words(element: Element) -> Counter[str]:
    """An element's text without that of the elements in it."""
    return Counter(element.words) - sum((Counter(child.words) for child in element.children), Counter())


def contrast(one: str, other: str) -> float:
    """The contrast of two colours `#rrggbb`, 1 to 21 (WCAG 2.2).

    >>> round(contrast("#000000", "#ffffff"), 1), round(contrast("#777777", "#ffffff"), 2)
    (21.0, 4.48)
    """
    high, low = sorted((_light(one), _light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _light(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
