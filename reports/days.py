"""Days as whole numbers, counted from 1970-01-01, so that a window of days is a range and a series an array."""

from __future__ import annotations

from datetime import date, timedelta

EPOCH = date(1970, 1, 1)


def number_of(day: date) -> int:
    """Days since 1970-01-01.

    >>> number_of(date(1970, 1, 3))
    2
    """
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The day with that number.

    >>> day_of(2)
    datetime.date(1970, 1, 3)
    """
    return EPOCH + timedelta(days=int(number))


def parse_number(text: str) -> int:
    """The number of a day written as YYYY-MM-DD; ValueError for other text.

    >>> parse_number("1970-01-03")
    2
    """
    return number_of(date.fromisoformat(text))
