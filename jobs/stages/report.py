"""Render each night's page from what was known that night; the newest delivered figures never change an older page.

The tables are read once for the whole period and indexed; each night is then a slice in memory. Then the pages around
the nights follow: the model's calendar, and the list of all models.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from jobs.engine import shelf
from jobs.engine.shelf import write
from jobs.language import speaking
from jobs.methods.beside import segments_beside
from jobs.methods.definitions import DEFINITIONS
from jobs.methods.reliability import WINDOW_DAYS, reliability
from jobs.periods import Period
from jobs.stages import Summary
from reports import history, night, page, site
from reports.sections import fairness, segments
from reports.view import Term

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from jobs.engine.warehouse import Warehouse
    from jobs.spec import ModelSpec
    from reports.view import NightView

TERMS = tuple(Term(one.name, one.words, one.interval, one.n, one.source, one.layer) for one in DEFINITIONS)
TONIGHT = frozenset({"contributions", *history.MORE})
"""Tables of which a page shows its own night only."""


def run(spec: ModelSpec, period: Period, warehouse: Warehouse) -> Summary:
    """Write one page for each night of the period, and bring the pages around them up to date."""
    entries = {}
    for view in views(spec, period, warehouse):
        write(report_file(warehouse.home, spec.model, view.night), page.render(view))
        entries[str(view.night)] = site.entry(view)
    _surroundings(spec, period, warehouse, entries)
    warehouse.replace("report", period, {})
    return Summary("report", period, {"pages": len(period)})


def views(spec: ModelSpec, period: Period, warehouse: Warehouse) -> Iterator[NightView]:
    """The view of each night of the period, in order; for the page, and for the mail."""
    days = history.history_days((*spec.label_ages, *spec.outcome_ages))
    past = period.reaching_back(days)
    names = (*history.TABLES, *history.MORE)
    frames = {name: warehouse.read(name, period if name in TONIGHT else past) for name in names if name != "metrics"}
    frames["metrics"] = _figures(spec, past, warehouse)
    frames["score_curve"] = _score_curve(spec, period, warehouse)
    frames["segments_beside"] = _segments_beside(frames["metrics"], spec, period)
    known = history.History.of(frames, days)
    first = _first_night(period, warehouse)
    return (night.view_of(known.at(day), spec, TERMS, first) for day in period)


def _figures(spec: ModelSpec, nights: Period, warehouse: Warehouse) -> pd.DataFrame:
    """The figures of these nights that a page can show."""
    youngest = {min(ages) for ages in (spec.label_ages, spec.outcome_ages) if ages}
    return warehouse.query(
        "report/figures",
        first=nights.first,
        first_day=nights.first - timedelta(max((0, *spec.label_ages, *spec.outcome_ages))),
        last=nights.last,
        by_segment=sorted(segments.SHOWN),
        youngest=sorted(youngest) or [0],
        by_group=sorted(fairness.SHOWN),
    )


def _score_curve(spec: ModelSpec, period: Period, warehouse: Warehouse) -> pd.DataFrame:
    """How often scores came true, for each night of the period and for as long before as the page compares with."""
    age = spec.label_ages[0] if spec.label_ages else 0
    nights = period.reaching_back(WINDOW_DAYS)
    counted = nights.reaching_back(WINDOW_DAYS + age)
    daily = warehouse.query("report/reliability", age=age, first=counted.first, last=counted.last)
    return reliability(daily, list(nights), age)


def _segments_beside(metrics: pd.DataFrame, spec: ModelSpec, period: Period) -> pd.DataFrame:
    """Which segments did worse than the rest of the day that reached its first age on each night of the period."""
    first = {age for ages in (spec.label_ages[:1], spec.outcome_ages[:1]) for age in ages}
    mine = metrics[
        (metrics["version"] == "all") & (metrics["feature"].fillna("") == "") & metrics["label_age"].isin(first)
    ]
    night = pd.to_datetime(mine["day"]) + pd.to_timedelta(mine["label_age"].astype("int64"), unit="D")
    told = night.between(pd.Timestamp(period.first), pd.Timestamp(period.last))
    return segments_beside(mine[told], spec.detection.error_rate)


def _first_night(period: Period, warehouse: Warehouse) -> date:
    """The first night of the model's history."""
    begun = warehouse.progress("ingest") or warehouse.progress("report")
    return min(begun.first, period.first) if begun else period.first


def _surroundings(spec: ModelSpec, period: Period, warehouse: Warehouse, entries: dict[str, site.Entry]) -> None:
    """The model's calendar and the list of models, from the night pages that are there.

    A night that has a page and no entry (they were lost, or come from before there was a calendar) is looked at again,
    so that whatever order the nights were written in, the site is the same.
    """
    folder = shelf.model_folder(warehouse.home, spec.model)
    first, done = _first_night(period, warehouse), warehouse.progress("report")
    through = max(done.through, period.last) if done else period.last
    here = [day for day in shelf.nights(folder) if first <= day <= through]
    known = {day: one for day, one in shelf.read_entries(folder).items() if site.valid(one)} | entries
    for view in _again([day for day in here if str(day) not in known], spec, warehouse):
        known[str(view.night)] = site.entry(view)
    nights = {str(day): known[str(day)] for day in here}
    card = site.card(spec, nights)
    shelf.write_json(folder / shelf.ENTRIES, nights)
    write(folder / "index.html", site.model_page(card, nights, shelf.backtests(folder)))
    shelf.publish(warehouse.home, spec.model, card, site.index_page)


def calendar(spec: ModelSpec, home: Path) -> None:
    """Write the model's calendar again from what is kept of its nights, with the backtests that there are now."""
    folder = shelf.model_folder(home, spec.model)
    nights = {day: one for day, one in shelf.read_entries(folder).items() if site.valid(one)}
    if nights:
        with speaking(spec.language):
            page = site.model_page(site.card(spec, nights), nights, shelf.backtests(folder))
        write(folder / "index.html", page)


def _again(days: list[date], spec: ModelSpec, warehouse: Warehouse) -> Iterator[NightView]:
    """The views of nights whose pages stand, in one pass over the stretch they span."""
    if days:
        wanted = set(days)
        yield from (view for view in views(spec, Period(min(days), max(days)), warehouse) if view.night in wanted)


def report_file(home: Path, model: str, day: date) -> Path:
    """Where a night's page lies."""
    return shelf.model_folder(home, model) / str(day) / "index.html"
