"""The page of a backtest: what each rule would have been worth, and what would have fired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.page import environment, policy, read, tidy

if TYPE_CHECKING:
    from datetime import date

    from jobs.periods import Period


@dataclass(frozen=True)
class RuleLine:
    """One rule; texts are as they are shown."""

    name: str
    severity: str
    per_week: float
    breaches: int
    judged: int
    incidents: int
    right: str
    found: str
    delay: str
    lead: str
    bound: str
    """The bound suggested for the budget and what it would have brought, or why there is none."""


@dataclass(frozen=True)
class FiredLine:
    """One action of one incident."""

    night: date
    what: str
    incident: str
    title: str
    rules: str
    reason: str


@dataclass(frozen=True)
class BacktestView:
    """The whole page."""

    model: str
    period: Period
    budget: str
    asked: str
    """The command that made it, files by their names alone."""
    held_against: str
    """Empty where there is nothing to hold alarms against."""
    labelled: tuple[tuple[date, date, str], ...]
    shared: str
    """What the limit of all expected ranges would best be; empty where there are none."""
    opened: int
    opened_then: int
    per_week: str
    right: str
    found: str
    delay: str
    lead: str
    rules: tuple[RuleLine, ...]
    fired: tuple[FiredLine, ...]


def page(view: BacktestView) -> str:
    """One HTML file that needs nothing but itself."""
    made = environment().get_template("backtest.html")
    return tidy(
        made.render(
            view=view, css=read("style.css", "views.css", "site.css"), script=read("report.js"), policy=policy()
        )
    )
