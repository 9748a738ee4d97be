"""Labels by age: what is known after 7 days, after 30, and how the same days looked at each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.history import TREND_DAYS, Known
from reports.index import Key
from reports.sections.figures import figure
from reports.series import Deploy, Figure, Line, Lines
from reports.view import AgeRow, Ages

if TYPE_CHECKING:
    from collections.abc import Sequence

METRICS = ("coverage", "accuracy", "precision", "recall", "f1", "roc_auc")
CHARTS = ("coverage", "accuracy", "recall")
AGES_MOST = 4


def ages_of(known: Known, ages: Sequence[int], deploys: tuple[Deploy, ...]) -> Ages:
    """A row for each label age, and lines over the days by age, for the metrics that have any row in view."""
    here = [m for m in METRICS if any(len(known.figures(Key(m, age=age)).day) for age in ages)]
    rows = tuple(AgeRow(age, known.day_at(age), tuple(_figure(known, m, age) for m in here)) for age in ages)
    charts = tuple(_lines(known, m, ages[:AGES_MOST], deploys) for m in CHARTS if m in here and len(ages) > 1)
    return Ages(tuple(here), rows, charts)


def _figure(known: Known, metric: str, age: int) -> Figure | None:
    return figure(known, Key(metric, age=age))


def _lines(known: Known, metric: str, ages: Sequence[int], deploys: tuple[Deploy, ...]) -> Lines:
    """One line an age, over the trend's days and as many before as the oldest age drawn needs to be seen."""
    first, last = known.night - TREND_DAYS + 1 - max(ages), known.night
    lines = [Line(f"age {age}", known.figures(Key(metric, age=age)).dense(first, last, "judged")) for age in ages]
    return Lines(metric, "", first, last, tuple(lines), deploys)
