"""Business days and ranges of them. A day is a `datetime.date` in the model's own time zone; time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from jobs.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, order=True)
class Period:
    """A range of days, both ends included.

    >>> period = Period(date(2025, 2, 27), date(2025, 3, 1))
    >>> len(period), str(period)
    (3, '2025-02-27..2025-03-01')
    >>> date(2025, 2, 28) in period
    True
    """

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise UsageError(f"the range {self.first}..{self.last} ends before it begins; swap the two days")

    @classmethod
    def of(cls, day: date) -> Period:
        """The period of one day."""
        return cls(day, day)

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=offset) for offset in range(len(self)))

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}..{self.last}"

    def reaching_back(self, days: int) -> Period:
        """The same period, begun `days` earlier."""
        return Period(self.first - timedelta(days=days), self.last)

    def stretches(self, weights: Mapping[date, int], most: int) -> Iterator[Period]:
        """The same days as periods that follow each other, each of one day or of days that weigh at most `most`.

        >>> days = Period(date(2025, 3, 1), date(2025, 3, 4))
        >>> print(*days.stretches({date(2025, 3, 2): 3, date(2025, 3, 3): 2}, 4))
        2025-03-01..2025-03-02 2025-03-03..2025-03-04
        """
        first, weight = self.first, 0
        for day in self:
            weight += weights.get(day, 0)
            if weight > most and day > first:
                yield Period(first, day - timedelta(days=1))
                first, weight = day, weights.get(day, 0)
        yield Period(first, self.last)


def parse_day(text: str) -> date:
    """`2025-03-01` -> a day; anything else is a clear error.

    >>> parse_day("2025-03-01")
    datetime.date(2025, 3, 1)
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"'{text}' is not a day; write it as YYYY-MM-DD, for example 2025-03-01") from None


def business_day(moment: datetime, timezone: str) -> date:
    """The day in `timezone` that an aware moment falls on.

    >>> from datetime import UTC
    >>> business_day(datetime(2025, 3, 1, 3, 0, tzinfo=UTC), "America/New_York")
    datetime.date(2025, 2, 28)
    """
    if moment.tzinfo is None:
        raise UsageError(f"the moment {moment} has no time zone, so its business day cannot be known")
    return moment.astimezone(ZoneInfo(timezone)).date()
