"""The pictures of a mail: at most four, each with the words that say the same.

They are drawn when the mail is written, from the night's stored figures; nothing is kept of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.language import join, say
from reports import formats, sentence
from reports.days import number_of
from reports.formats import plural, short_day
from reports.sections.figures import same_series
from reports.text import listed, plain
from reports.words import word

if TYPE_CHECKING:
    from reports.series import Trend
    from reports.view import Drift, NightView

TRENDS_MOST = 2
ALT_MOST = 420


@dataclass(frozen=True)
class Picture:
    """One picture: its name in the mail, its PNG, its size in screen pixels, what it is and what it shows."""

    name: str
    png: bytes
    width: int
    height: int
    title: str
    alt: str
    key: str = ""
    """How to read it."""
    now: str = ""
    """The newest value, beside the title."""
    incident: int = 0
    """The number of the incident it belongs to; 0 for none."""


def nights(view: NightView) -> Picture | None:
    """The states of the last four weeks; nothing where no night but this one is known."""
    from reports.charts import png_nights

    if sum(bool(state) for state in view.states) < 2:
        return None
    last = number_of(view.night)
    return Picture(
        "nights", png_nights.draw(view.states, last), png_nights.WIDTH, png_nights.HEIGHT,
        say("The last {count} nights", count=len(view.states)), plain(states_text(view.states), ALT_MOST),
    )  # fmt: skip


def states_text(states: tuple[str, ...]) -> str:
    """What states the nights were in.

    >>> states_text(("", "ok", "ok", "critical"))
    'Of the last 3 nights 1 critical, 2 well.'
    """
    counted = [f"{states.count(state)} {say(name)}" for state, name in NAMES.items() if state in states]
    nights = plural(sum(map(bool, states)), "night")
    return say("Of the last {nights} {counted}.", nights=nights, counted=say(", ").join(counted))


NAMES = {"critical": "critical", "warning": "warning", "info": "note", "ok": "well", "unknown": "not judged"}
"""States as they are counted."""


def trends(view: NightView) -> list[Picture]:
    """What the first incidents rest on; on a night without any how right the model was, or how much came in."""
    from reports.charts import png_trend

    out = []
    for place, (number, trend) in enumerate(_chosen(view)):
        drawn = png_trend.draw(trend, _limits(view, trend))
        title = plain(say(trend.title) if trend.title else sentence.full_label(trend.figure.key), 90)
        alt = plain(join([title + say("."), sentence.describe(trend)]), ALT_MOST)
        out.append(
            Picture(f"trend-{place + 1}", drawn, png_trend.WIDTH, png_trend.HEIGHT, title, alt, _reading(view, trend),
                    _newest(trend), number)
        )  # fmt: skip
    return out


def _chosen(view: NightView) -> list[tuple[int, Trend]]:
    """Trends with at least two figures, and the incidents they belong to."""
    right = [one for one in view.tiles if one.figure.key.age >= 0 and word(one.figure.key.metric).kind == "share"]
    volume = [one for one in view.tiles if one.figure.key.metric == "volume"]
    known = view.leads if view.incidents else [(0, one) for one in (*right, *volume)[:1]]
    return [(number, one) for number, one in known if np.isfinite(one.values).sum() >= 2][:TRENDS_MOST]


def _newest(trend: Trend) -> str:
    """`84.6 %, expected 86.8–95.0 %`; where nothing is expected, what is usual."""
    figure, kind = trend.figure, word(trend.figure.key.metric).kind
    if figure.value is None:
        return ""
    value = formats.number(figure.value, kind, figure.unit)
    if figure.expected:
        return say(
            "{value}, expected {range}", value=value, range=formats.interval(*figure.expected, kind, figure.unit)
        )
    if figure.usual is not None:
        return say("{value}, usually {usual}", value=value, usual=formats.number(figure.usual, kind, figure.unit))
    return value


def _limits(view: NightView, trend: Trend) -> tuple[float, ...]:
    """The rules' lines on a PSI."""
    if trend.figure.key.metric != "psi":
        return ()
    return next((one.limits for one in view.drift.features if same_series(one.psi.key, trend.figure.key)), ())


def _reading(view: NightView, trend: Trend) -> str:
    """Which lines and tints the picture has."""
    said = []
    if np.isfinite(trend.lower).any():
        said.append(say("shaded: the expected range"))
    if trend.estimate is not None:
        said.append(say("dotted: estimated without labels"))
    if _limits(view, trend):
        said.append(say("dashed red: the rule's limit"))
    if trend.breached.any():
        said.append(say("triangles: days that a rule objects to"))
    if trend.figure.day < trend.last:
        said.append(say("grey: labels not in yet"))
    return say("; ").join(said)


def bins(view: NightView) -> Picture | None:
    """How the feature that drifted most lies now; nothing where none has drifted."""
    from reports.charts import png_bins

    feature = next((one for one in drifted(view) if one.bins), None)
    if feature is None:
        return None
    name = plain(feature.name, 60)
    return Picture(
        "bins", png_bins.draw(feature.bins), png_bins.WIDTH, png_bins.height(feature.bins), name,
        plain(say("{name}: {moved} of the rows.", name=name, moved=_moved(feature)), ALT_MOST),
        say("grey: share in the reference; colour: share on the day"),
        say("in the reference and on {day}", day=short_day(view.night)),
    )  # fmt: skip


def _moved(feature: Drift) -> str:
    """The bins that moved most: `≤ 1.5 from 10 % to 28 %`."""
    worst = sorted(feature.bins, key=lambda one: -abs(one.contribution))[:4]
    told = [
        say(
            "{bin} from {expected} to {observed}",
            bin=plain(one.label, 30), expected=formats.share(one.expected), observed=formats.share(one.observed),
        )
        for one in worst
    ]  # fmt: skip
    return listed(told, 4)


def drifted(view: NightView) -> list[Drift]:
    """The features that a rule objects to, the most worrying first."""
    return [one for one in view.drift.features if one.drifted]
