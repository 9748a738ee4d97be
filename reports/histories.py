"""Pages of `nightjar detect`: a chart for every series with what was found in it, and the list of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reports import formats
from reports.charts import history
from reports.page import environment, policy, read, tidy
from reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from reports.index import Array
    from reports.words import Kind

KINDS: dict[str, Kind] = {"rate": "share", "count": "count", "latency": "score", "psi": "index"}
"""How the axis of a kind is written; amounts and levels as they come."""

LONG = 400
"""Points above which the last weeks are drawn once more, by themselves."""

LATEST_DAYS = {"daily": 120, "hourly": 14}
TOLD_MOST = 300
"""Anomalies that a page lists, the newest first."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One series with what was found in it; arrays and lists have one entry a point."""

    name: str
    grain: str
    kind: str
    harm: str
    """Which side hurts, in words."""
    moments: Array
    """datetime64[s], ascending."""
    written: Sequence[str]
    values: Array
    expected: Array
    lower: Array
    upper: Array
    anomaly: Array
    judged: Array
    reasons: Sequence[str]

    @property
    def found(self) -> list[int]:
        """Places of the anomalies, the newest first."""
        return [int(place) for place in np.flatnonzero(self.anomaly)[::-1]]

    @property
    def title(self) -> str:
        """What is known of the series in one sentence."""
        n = len(self.found)
        if not n:
            return f"Nothing odd in {plain(self.name, 120)}."
        return f"{formats.plural(n, 'anomaly', 'anomalies')} in {plain(self.name, 120)}, the last on {self.last}."

    @property
    def last(self) -> str:
        """When the newest anomaly was; empty without one."""
        return self.written[self.found[0]] if self.found else ""


def page(shown: Shown) -> str:
    """One series' page: it needs nothing but itself, and follows light and dark."""
    rows = [{"moment": shown.written[place], "reason": shown.reasons[place]} for place in shown.found[:TOLD_MOST]]
    return _render("history.html", shown=shown, charts=_charts(shown), rows=rows, more=len(shown.found) - len(rows))


def index(pages: Sequence[tuple[Shown, str]], source: str) -> str:
    """The list of all series with the file names of their pages; those with most anomalies first."""
    ranked = sorted(pages, key=lambda row: -len(row[0].found))
    odd = sum(bool(shown.found) for shown, _ in pages)
    said = f"{odd} of {formats.plural(len(pages), 'series', 'series')} in {plain(source, 120)} had anomalies."
    return _render("histories.html", pages=ranked, said=said)


def _charts(shown: Shown) -> list[dict[str, Any]]:
    """The whole of the series, and its last weeks where that is much."""
    days = shown.moments.astype("datetime64[s]").astype(float) / 86400
    out = [{"name": "All of it", "picture": _chart(shown, days, 0, "whole")}]
    since = int(np.searchsorted(days, days[-1] - LATEST_DAYS[shown.grain]))
    if len(days) > LONG and since > 0:
        out.append({"name": f"The last {LATEST_DAYS[shown.grain]} days", "picture": _chart(shown, days, since, "late")})
    return out


def _chart(shown: Shown, days: Array, since: int, name: str) -> Markup:
    part = slice(since, None)
    n = int(shown.anomaly[part].sum())
    desc = (
        f"{shown.written[since]} to {shown.written[-1]}, {formats.count(len(days) - since)} points, "
        f"{formats.plural(n, 'point is', 'points are')} outside the expected range."
    )
    return history.chart(
        days[part], shown.values[part], (shown.expected[part], shown.lower[part], shown.upper[part]),
        shown.anomaly[part], KINDS.get(shown.kind, "score"), name=name, title=plain(shown.name, 120), desc=desc,
    )  # fmt: skip


def _render(template: str, **given: Any) -> str:
    made = environment().get_template(template)
    return tidy(made.render(css=read("style.css", "histories.css"), script=read("report.js"), policy=policy(), **given))
