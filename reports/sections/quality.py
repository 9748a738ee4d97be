"""Data quality: what was delivered, what is empty, which labels came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.history import TREND_DAYS, Known
from reports.index import Array, Key
from reports.sections.figures import figure, number
from reports.text import plain
from reports.view import Arrival, Delivery, Panel, Quality, Row
from reports.words import feature_name

if TYPE_CHECKING:
    from reports.series import Figure

MISSING_MOST = 8
CONTENT_MOST = 12
COLUMNS_MOST = 20
CONTENT = ("outlier_rate", "out_of_range_rate", "unseen_rate")
ODD_COLUMNS = ("empty_column", "constant_column", "column_new", "column_gone", "column_retyped")
SOURCES_MOST = 8


def quality_of(known: Known) -> Quality:
    """Tonight's deliveries and arrivals, the last TREND_DAYS days of both, and the emptiest features."""
    first, last = known.night - TREND_DAYS + 1, known.night
    return Quality(
        deliveries=_deliveries(known),
        strips=_strips(known, first),
        first=first,
        last=last,
        missing=_missing(known),
        content=_content(known),
        columns=_columns(known),
        arrivals=_arrivals(known, first),
    )


def _deliveries(known: Known) -> tuple[Delivery, ...]:
    rows = known.tonight("deliveries")
    names = ("source", "status", "reason", "files", "rows", "duplicates", "misdated")
    return tuple(
        Delivery(plain(source, 40), plain(status), plain(reason, 240), *(number(one) for one in counted))
        for source, status, reason, *counted in zip(*(rows[name].tolist() for name in names), strict=True)
    )


def _strips(known: Known, first: int) -> tuple[tuple[str, Array], ...]:
    """A level a day and source: 0 delivered, 1 with duplicates or misdated rows, 2 missing or refused."""
    rows = known.past("deliveries", TREND_DAYS)
    odd = np.nan_to_num(rows["duplicates"]) + np.nan_to_num(rows["misdated"]) > 0
    level = np.where(rows["status"] == "delivered", odd.astype(float), 2.0)
    return tuple((plain(name, 40), _placed(rows, "day", name, level, first)) for name in _sources(rows))


def _sources(rows: dict[str, Array]) -> list[str]:
    return sorted({str(source) for source in rows["source"] if source})[:SOURCES_MOST]


def _placed(rows: dict[str, Array], day: str, source: str, values: Array, first: int) -> Array:
    """The values of one source on the trend's days. Shape (TREND_DAYS,)."""
    out = np.full(TREND_DAYS, np.nan)
    of_source = rows["source"] == source
    out[rows[day][of_source] - first] = values[of_source]
    return out


def _arrivals(known: Known, first: int) -> tuple[Arrival, ...]:
    """Each source's arrivals of tonight, where there are any, and by day."""
    rows = known.past("arrivals", TREND_DAYS)
    names = ("n", "n_corrected", "n_unknown")
    out = []
    for source in _sources(rows):
        n, corrected, unknown = (_placed(rows, "known_day", source, rows[name], first) for name in names)
        out.append(Arrival(plain(source, 40), number(n[-1]), number(corrected[-1]), number(unknown[-1]), n))
    return tuple(out)


def _missing(known: Known) -> Panel:
    """The features with most missing values, and what was usual."""
    family = [key for key in known.family("missing_rate") if key.feature and key.segment == "all"]
    found = [figure(known, key) for key in family]
    present = [one for one in found if one.value and not one.thin]
    present.sort(key=lambda one: (not one.severity, -((one.value or 0) - (one.usual or 0)), one.key.feature))
    rows = tuple(
        Row(plain(feature_name(one.key.feature), 60), (one,), severity=one.severity) for one in present[:MISSING_MOST]
    )
    return Panel((Key("missing_rate"),), rows, len(found) - len(rows))


def _content(known: Known) -> Panel:
    """The features with values the reference seldom or never had; those farthest above their usual first."""
    found: dict[str, list[Figure | None]] = {}
    for place, metric in enumerate(CONTENT):
        for key in known.family(metric):
            told = figure(known, key)
            if told.value:
                found.setdefault(key.feature, [None] * len(CONTENT))[place] = told
    ranked = sorted(found.items(), key=lambda one: (-max(_above_usual(told) for told in one[1]), one[0]))
    rows = tuple(Row(plain(feature_name(name), 60), tuple(told)) for name, told in ranked[:CONTENT_MOST])
    return Panel(tuple(Key(metric) for metric in CONTENT), rows, max(len(ranked) - CONTENT_MOST, 0))


def _above_usual(told: Figure | None) -> float:
    return -1.0 if told is None or told.value is None or told.thin else told.value - (told.usual or 0.0)


def _columns(known: Known) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Columns that are empty, constant, new, gone or of another kind today, by what is odd about them."""
    out = []
    for metric in ODD_COLUMNS:
        names = sorted({key.feature for key in known.family(metric) if figure(known, key).value})
        if names:
            out.append((metric, tuple(plain(feature_name(name), 40) for name in names[:COLUMNS_MOST])))
    return tuple(out)
