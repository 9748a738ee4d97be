"""Data quality: what was delivered, what is empty, which labels came in."""

from __future__ import annotations

import numpy as np

from reports.history import TREND_DAYS, Known
from reports.index import Array, Key
from reports.sections.figures import figure, number
from reports.text import plain
from reports.view import Arrival, Delivery, Panel, Quality, Row

MISSING_MOST = 8
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
    rows = tuple(Row(plain(one.key.feature, 60), (one,), severity=one.severity) for one in present[:MISSING_MOST])
    return Panel((Key("missing_rate"),), rows, len(found) - len(rows))
