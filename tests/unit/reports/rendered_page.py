"""A night's page, rendered from the sample story."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from jobs import tables
from reports import page
from reports.history import History, history_days
from reports.night import view_of
from reports.view import NightView, Term
from tests.unit.reports import sample_night

if TYPE_CHECKING:
    from tests.unit.reports.reading_html import Element

TERMS = (
    Term("accuracy", "Share of right decisions.", "Wilson", "labels", "sklearn", "model"),
    Term("psi", "How far the shape moved.", layer="data"),
    Term("f1", "Never in view.", layer="model"),
)


def view(frames: dict[str, pd.DataFrame], day=sample_night.END) -> NightView:
    history = History.of(frames, history_days(sample_night.AGES))
    return view_of(history.at(day), sample_night.spec(), TERMS)


def rendered(frames: dict[str, pd.DataFrame], day=sample_night.END) -> str:
    return page.render(view(frames, day))


def section(tree: Element, name: str) -> Element:
    [found] = tree.all("section", id=name)
    return found


def rows_of(table: str, **columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns).reindex(columns=list(tables.BY_NAME[table].columns))


def day_at_age(age: int) -> pd.Timestamp:
    """The day whose figures at an age belong to the last night."""
    return pd.Timestamp(sample_night.END - timedelta(days=age))
