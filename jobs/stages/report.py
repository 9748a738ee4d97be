"""Render each night's page from what was known that night; the newest delivered figures never change an older page.

The tables are read once for the whole period and indexed; each night is then a slice in memory.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jobs.methods.definitions import DEFINITIONS
from jobs.stages import Summary
from reports import history, night, page
from reports.view import Term

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from jobs.engine.warehouse import Warehouse
    from jobs.periods import Period
    from jobs.spec import ModelSpec
    from reports.view import NightView

TERMS = tuple(Term(one.name, one.words, one.interval, one.n, one.source) for one in DEFINITIONS)
TONIGHT = frozenset({"contributions"})
"""Tables of which a page shows its own night only."""


def run(spec: ModelSpec, period: Period, warehouse: Warehouse) -> Summary:
    """Write one page for each night of the period."""
    for view in views(spec, period, warehouse):
        write(report_file(warehouse.home, spec.model, view.night), page.render(view))
    warehouse.replace("report", period, {})
    return Summary("report", period, {"pages": len(period)})


def views(spec: ModelSpec, period: Period, warehouse: Warehouse) -> Iterator[NightView]:
    """The view of each night of the period, in order; for the page, and for the mail."""
    days = history.history_days((*spec.label_ages, *spec.outcome_ages))
    past = period.reaching_back(days)
    frames = {name: warehouse.read(name, period if name in TONIGHT else past) for name in history.TABLES}
    known = history.History.of(frames, days)
    return (night.view_of(known.at(day), spec, TERMS) for day in period)


def report_file(home: Path, model: str, day: date) -> Path:
    """Where a night's page lies."""
    return home / "reports" / model / str(day) / "index.html"


def write(path: Path, text: str) -> None:
    """Put the text in place whole, so that a reader sees the old page or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
