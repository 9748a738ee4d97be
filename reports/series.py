"""Figures, and series of them over days: what tiles, tables and charts are made from.

Days are numbers (see `reports.days`). A `Figure` carries all that one needs to trust it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.index import Array, Key

SEVERITIES = ("info", "warning", "critical")


def severity_rank(severity: str | None) -> int:
    """0 for none, then info, warning, critical.

    >>> severity_rank("critical"), severity_rank(None)
    (3, 0)
    """
    return SEVERITIES.index(severity) + 1 if severity in SEVERITIES else 0


@dataclass(frozen=True, eq=False)
class Figure:
    """One number of one day: its size, its interval, what is usual and expected, and whether a rule objects."""

    key: Key
    day: int
    value: float | None = None
    n: float | None = None
    lower: float | None = None
    upper: float | None = None
    state: str = "absent"
    """final, estimated, not_evaluated; absent: there is no row for the day."""
    reason: str = ""
    usual: float | None = None
    """Median of the 28 days before, at the same label age."""
    expected: tuple[float, float] | None = None
    severity: str = ""
    """The worst breach of the night, or empty."""
    unit: str = ""

    @property
    def thin(self) -> bool:
        """Whether there is a value that rests on too few rows to mean anything."""
        return self.state == "not_evaluated" and self.value is not None


@dataclass(frozen=True)
class Span:
    """Days an incident covers on a chart; `number` is its place in tonight's list, 0 when it is over."""

    first: int
    last: int
    severity: str
    title: str
    number: int


@dataclass(frozen=True)
class Deploy:
    """The day on which a live version began to answer, or came back."""

    day: int
    version: str


@dataclass(frozen=True, eq=False)
class Trend:
    """One series over the days first..last; every array has one entry a day, NaN where there is none.

    A day whose figure rests on too few rows has its value in `thin`, and none in `values`.
    """

    figure: Figure
    first: int
    last: int
    values: Array
    thin: Array
    n: Array
    interval: tuple[Array, Array]
    """The value's own interval, below and above."""
    expected: Array
    lower: Array
    upper: Array
    """The expected range."""
    breached: Array
    """True on days that a rule objects to."""
    estimated: Array
    """True on days whose value is an estimate."""
    spans: tuple[Span, ...] = ()
    deploys: tuple[Deploy, ...] = ()
    title: str = ""
    """Given where the metric's own name does not do."""
    estimate: Array | None = None
    """What was estimated before the labels came, a day each; None where nothing was."""


@dataclass(frozen=True, eq=False)
class Line:
    """One of several series in one chart."""

    name: str
    values: Array
    shadow: bool = False


@dataclass(frozen=True, eq=False)
class Lines:
    """Several series of one metric over the same days."""

    metric: str
    title: str
    first: int
    last: int
    lines: tuple[Line, ...]
    deploys: tuple[Deploy, ...] = ()
    unit: str = ""
