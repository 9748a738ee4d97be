"""Numbers and days as text, in the language that is spoken. Undefined is a dash, never a zero.

English is written here, other languages by Babel from the CLDR's patterns (https://cldr.unicode.org).
"""

from __future__ import annotations

import math
import re
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from jobs.language import SOURCE, say, spoken
from reports.days import day_of

if TYPE_CHECKING:
    from reports.words import Kind

DASH = "–"
MINUS = "−"
PERCENT = "\u202f%"
"""A narrow space that does not break, and the sign."""
UNITS = (PERCENT, "%", " pp", " 百分点", " ms")
"""What is taken from the first of two numbers of a range."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ISO = re.compile(r"(?<![\w/.-])\d{4}-\d{2}-\d{2}(?![\w/-]|\.\w)", re.ASCII)
"""A day as it is stored, and no part of a name or of a file's path. Letters of other scripts may stand beside it."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def percent() -> str:
    """What follows a percentage: a narrow space and the sign in English, in Chinese the sign alone (CLDR).

    >>> from jobs.language import speaking
    >>> with speaking("zh"):
    ...     share(0.9412), percent()
    ('94.1%', '%')
    """
    return PERCENT if spoken() == SOURCE else _percent(spoken())


@cache
def _percent(language: str) -> str:
    from babel.numbers import format_percent

    return format_percent(0.01, locale=language).removeprefix("1")


def points() -> str:
    """What follows a difference of percentages.

    >>> points()
    ' pp'
    """
    return say(" pp")


def whole(value: float, digits: int = 0) -> str:
    """A number with its thousands set apart and so many decimals.

    >>> from jobs.language import speaking
    >>> with speaking("zh"):
    ...     whole(18204.5, 1)
    '18,204.5'
    """
    if spoken() == SOURCE:
        return f"{value:,.{digits}f}"
    from babel.numbers import format_decimal

    return format_decimal(value, format=f"#,##0.{'0' * digits}" if digits else "#,##0", locale=spoken())


def compact(value: float) -> str:
    """A large round number as an axis has it.

    >>> from jobs.language import speaking
    >>> with speaking("zh"):
    ...     compact(12500.0), compact(2e8)
    ('1.25万', '2亿')
    """
    from babel.numbers import format_compact_decimal

    return format_compact_decimal(value, locale=spoken(), fraction_digits=2)


def defined(value: float | None) -> bool:
    """Whether there is a finite number."""
    return value is not None and math.isfinite(value)


def count(value: float | None) -> str:
    """A whole number with its thousands.

    >>> count(18204.0), count(None)
    ('18,204', '–')
    """
    return whole(value) if value is not None and math.isfinite(value) else DASH


def share(value: float | None, digits: int = 1) -> str:
    """A proportion as a percentage; a share that only rounds to none or all says so.

    >>> share(0.9412), share(0.00004), share(0.99999), share(1.0)
    ('94.1\\u202f%', '<0.1\\u202f%', '>99.9\\u202f%', '100\\u202f%')
    """
    if value is None or not math.isfinite(value):
        return DASH
    least = 0.1**digits / 2
    if 0 < value * 100 < least:
        return f"<{0.1**digits:.{digits}f}{percent()}"
    if 0 < (1 - value) * 100 < least:
        return f">{100 - 0.1**digits:.{digits}f}{percent()}"
    return f"{value * 100:.{0 if value in {0, 1} else digits}f}{percent()}"


def significant(value: float) -> str:
    """Three or more digits that mean something.

    >>> significant(1234.5), significant(98.765), significant(0.01234), significant(0.0)
    ('1,234', '98.8', '0.0123', '0')
    """
    size = abs(value)
    if size == 0 or size >= 1000:
        return whole(value)
    if size >= 1e12 or size < 1e-4:
        return f"{value:.2e}"
    return f"{value:.{2 - math.floor(math.log10(size)) if size < 1 else (2 if size < 10 else 1)}f}"


def number(value: float | None, kind: Kind, unit: str = "") -> str:
    """A value of a metric of that kind.

    >>> number(0.914, "share"), number(0.2079, "index"), number(182.4, "milliseconds"), number(9.5, "amount", "EUR")
    ('91.4\\u202f%', '0.208', '182 ms', '9.50 EUR')
    >>> number(-0.031, "points"), number(-0.25, "score"), number(-1500.0, "amount")
    ('−3.1 pp', '−0.250', '−1,500')
    """
    if value is None or not math.isfinite(value):
        return DASH
    match kind:
        case "count":
            return count(value)
        case "share" | "points":
            return share(value) if kind == "share" else signed(value * 100, 1, points())
        case "index" | "score":
            return (f"{value:.3f}" if abs(value) < 1000 else significant(value)).replace("-", MINUS)
        case "milliseconds":
            return f"{whole(value)} ms" if value >= 10 else f"{value:.1f} ms"
        case "amount":
            return f"{significant(value)} {unit}".strip().replace("-", MINUS, 1 if value < 0 else 0)


def change(now: float | None, before: float | None, kind: Kind) -> str:
    """How far a value moved: shares in percentage points, indices and scores as they are, the rest relative.

    >>> change(0.81, 0.94, "share"), change(120.0, 100.0, "count"), change(0.31, 0.05, "index")
    ('−13.0 pp', '+20\\u202f%', '+0.260')
    """
    if now is None or before is None or not (math.isfinite(now) and math.isfinite(before)):
        return ""
    if kind in {"share", "points"}:
        return signed((now - before) * 100, 1, points())
    if kind in {"index", "score"}:
        return signed(now - before, 3)
    return signed((now / before - 1) * 100, 0, percent()) if before else ""


def signed(value: float, digits: int, unit: str = "") -> str:
    """A number with its sign, a true minus.

    >>> signed(-1.25, 1, " pp"), signed(0.004, 1)
    ('−1.2 pp', '±0.0')
    """
    text = f"{abs(value):.{digits}f}"
    sign = "±" if float(text) == 0 else ("−" if value < 0 else "+")
    return f"{sign}{text}{unit}"


def interval(lower: float | None, upper: float | None, kind: Kind, unit: str = "") -> str:
    """`79.8–82.9 %`; one open end says which.

    >>> interval(0.798, 0.829, "share"), interval(None, 0.2, "index"), interval(None, None, "share")
    ('79.8–82.9\\u202f%', '≤ 0.200', '')
    """
    if kind == "share":  # an expected range may reach where no share can be
        lower = max(lower, 0.0) if lower is not None else None
        upper = min(upper, 1.0) if upper is not None else None
    if defined(lower) and defined(upper):
        low, high = number(lower, kind), number(upper, kind, unit)
        if low.startswith((MINUS, "+", "±")):  # a dash between signs would read as one of them
            return say("{first} to {last}", context="numbers", first=_bare(low), last=high)
        return f"{_bare(low)}–{high}"
    if defined(upper):
        return f"≤ {number(upper, kind, unit)}"
    return f"≥ {number(lower, kind, unit)}" if defined(lower) else ""


def _bare(text: str) -> str:
    """A number's text without its unit."""
    for unit in UNITS:
        text = text.removesuffix(unit)
    return text


def short_day(day: date | int) -> str:
    """`12 Mar`.

    >>> short_day(date(2025, 3, 12))
    '12 Mar'
    """
    day = day if isinstance(day, date) else day_of(day)
    return f"{day.day} {MONTHS[day.month - 1]}" if spoken() == SOURCE else _dated(day, "MMMd")


def with_days(text: str, night: date | int) -> str:
    """A stored text with its days written as the page around it writes them; those of another year keep the year.

    >>> with_days("accuracy of 2025-03-04 fell; v-2025-03-04, p/2024-12-31.csv, 2024-12-31.", date(2025, 3, 5))
    'accuracy of 4 Mar fell; v-2025-03-04, p/2024-12-31.csv, 31 December 2024.'
    """
    year = (night if isinstance(night, date) else day_of(night)).year

    def written(found: re.Match[str]) -> str:
        try:
            day = date.fromisoformat(found[0])
        except ValueError:  # looks like a day and is none
            return found[0]
        return short_day(day) if day.year == year else long_day(day)

    return _ISO.sub(written, text)


def long_day(day: date | int) -> str:
    """`12 March 2025`.

    >>> long_day(date(2025, 3, 12))
    '12 March 2025'
    """
    day = day if isinstance(day, date) else day_of(day)
    return f"{day.day} {LONG_MONTHS[day.month - 1]} {day.year}" if spoken() == SOURCE else _dated(day, "yMMMd")


def weekday(day: date | int) -> str:
    """`Wednesday`.

    >>> weekday(date(2025, 3, 12))
    'Wednesday'
    """
    day = day if isinstance(day, date) else day_of(day)
    return WEEKDAYS[day.weekday()] if spoken() == SOURCE else _dated(day, "EEEE")


def weekdays() -> tuple[tuple[str, str], ...]:
    """The days of a week from Monday: in the room that a calendar's column has, and in full.

    >>> weekdays()[0]
    ('Mo', 'Monday')
    """
    if spoken() == SOURCE:
        return tuple((name[:2], name) for name in WEEKDAYS)
    from babel.dates import get_day_names

    narrow, wide = (get_day_names(width, locale=spoken()) for width in ("narrow", "wide"))
    return tuple((narrow[place], wide[place]) for place in range(7))


def month(day: date) -> str:
    """`Mar`.

    >>> month(date(2025, 3, 12))
    'Mar'
    """
    return MONTHS[day.month - 1] if spoken() == SOURCE else _dated(day, "LLL")


def month_of_year(day: date) -> str:
    """`March 2025`.

    >>> from jobs.language import speaking
    >>> with speaking("zh"):
    ...     month_of_year(date(2025, 3, 12)), long_day(date(2025, 3, 12)), short_day(date(2025, 3, 12))
    ('2025年3月', '2025年3月12日', '3月12日')
    """
    return f"{LONG_MONTHS[day.month - 1]} {day.year}" if spoken() == SOURCE else _dated(day, "yMMMM")


def _dated(day: date, skeleton: str) -> str:
    """A day by one of the CLDR's patterns for the language; without one for just that, the skeleton is the pattern."""
    return _pattern(spoken(), skeleton).apply(day, spoken())  # type: ignore[no-any-return]


@cache
def _pattern(language: str, skeleton: str) -> Any:
    from babel import Locale
    from babel.dates import parse_pattern

    return parse_pattern(Locale.parse(language).datetime_skeletons.get(skeleton, skeleton))


def plural(n: float, one: str, many: str = "") -> str:
    """`1 day`, `2 days`.

    >>> plural(1, "day"), plural(1200, "day"), plural(2, "series", "series")
    ('1 day', '1,200 days', '2 series')
    """
    return say(f"{{count}} {one if n == 1 else (many or one + 's')}", count=whole(n))
