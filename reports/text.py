"""Names that come from data, made safe to show: no controls, no hidden changes of direction, a bounded length."""

from __future__ import annotations

import re
from functools import lru_cache

from jobs.language import say

# C0 and C1 controls, zero-width marks (but not the joiner that emoji need), direction overrides and isolates,
# surrogates and non-characters: they break XML, hide text or turn a page around.
_UNSAFE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]+"
)
_APART = re.compile("(?<=[0-9]) (?=%|pp|ms)")
"""Where a number and its unit would part at the end of a line."""


@lru_cache(maxsize=20_000)
def plain(text: str | None, limit: int = 80) -> str:
    """`text` in one line of at most `limit` characters; escaping is the template's work.

    >>> plain("a\\nb\\u202eevil"), plain("x" * 100, limit=10), plain(None)
    ('a b evil', 'xxxxxxxxx…', '')
    """
    if not text:
        return ""
    line = " ".join(_UNSAFE.sub(" ", str(text)[: 4 * limit + 200]).split())
    line = _APART.sub("\u202f", line)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def shortened(title: str, limit: int) -> str:
    """An incident's title in at most `limit` characters, whole figures left out where it is longer.

    >>> shortened("a drifted (PSI 0.50) and b drifted (PSI 0.40) → volume 80 (expected 90)", limit=50)
    'a drifted (PSI 0.50) → volume 80 (expected 90) …'
    >>> shortened("a drifted (PSI 0.50), b drifted (PSI 0.40) and 3 more", limit=30)
    'a drifted (PSI 0.50) …'
    """
    told = plain(title, 4 * limit)
    if len(told) <= limit:
        return told
    between = "|".join(re.escape(say(one)) for one in (", ", " and "))
    sides = [re.split(between, side)[0] for side in told.split(" → ")]
    for many in (len(sides), 1):
        short = " → ".join(sides[:many]) + " …"
        if len(short) <= limit:
            return short
    return plain(told, limit)


def listed(names: list[str] | tuple[str, ...], most: int = 3) -> str:
    """`a, b and c`; beyond `most` the rest is counted.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    shown, rest = list(names[:most]), len(names) - most
    if rest > 0:
        return say("{names} and {count} more", names=say(", ").join(shown), count=rest)
    return say(" and ").join([say(", ").join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)
