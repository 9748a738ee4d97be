"""One series over days: its value and expected range, breaches, incidents, deploys, days that still await labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from jobs.language import say
from reports.charts import svg
from reports.charts.scale import Scale, day_ticks, domain, tick_text
from reports.words import Kind, word

if TYPE_CHECKING:
    from reports.index import Array
    from reports.series import Deploy, Span, Trend

WIDTH, HEIGHT = 400.0, 176.0
LEFT, RIGHT, TOP, BOTTOM = 2.0, 44.0, 20.0, 24.0
SPARK_DAYS = 45
NUMBERED_MOST = 6
"""Of more incidents on one series the worst are marked: tints upon tints would hide it."""


def frame(first: int, last: int) -> Scale:
    """Days to x; the last day stands at the plot's end."""
    return Scale(first, max(last, first + 1), LEFT + 3, WIDTH - RIGHT - 3)


def axes(x: Scale, y: Scale, ticks: list[float], kind: Kind, days: tuple[int, int]) -> str:
    """Grid lines with their values at the right, months below."""
    by = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    right = WIDTH - RIGHT
    rows = "".join(f"M{LEFT} {y.at(tick):.1f}H{right}" for tick in ticks)
    labels = (svg.text(tick_text(tick, kind, by), right + 6, y.at(tick) + 4, "tk") for tick in ticks)
    base = HEIGHT - BOTTOM
    marks = day_ticks(*days)
    notches = "".join(f"M{x.at(day):.1f} {base:.1f}v4" for day, _ in marks)
    names = (svg.text(name, x.at(day), HEIGHT - 6, "tk", _anchor(x.at(day))) for day, name in marks)
    return svg.join([path(rows, "gr"), path(notches, "gr"), *labels, *names])


def _anchor(place: float) -> str:
    """How a day's name is set so that it stays within the plot."""
    if LEFT + 14 < place < WIDTH - RIGHT - 12:
        return "middle"
    return "end" if place > WIDTH / 2 else "start"


def spans(x: Scale, told: tuple[Span, ...]) -> str:
    """Incidents: a tint over the plot, a bar at its foot, and the incident's number at the top while it is open."""
    out = []
    base = HEIGHT - BOTTOM
    told = tuple(one for one in told if one.number <= NUMBERED_MOST)
    for span in sorted(told, key=lambda one: -one.number):
        left, right = x.at(span.first) - 2, x.at(span.last) + 2
        width, kind = max(right - left, 4.0), f"sv-{span.severity if span.number else 'over'}"
        out.append(svg.tag("rect", x=left, y=TOP, width=width, height=base - TOP, class_=f"sh {kind}"))
        out.append(svg.tag("rect", x=left, y=base - 3, width=width, height=3.0, class_=f"ft {kind}"))
    taken: list[float] = []
    for span in sorted((one for one in told if one.number), key=lambda one: one.number):
        place = min(x.at(span.first) + 7, WIDTH - RIGHT - 9)
        while any(abs(place - other) < 17 for other in taken) and place > 12:
            place -= 17
        taken.append(place)
        out.append(svg.tag("circle", cx=place, cy=9.0, r=8.0, class_=f"no sv-{span.severity}"))
        out.append(svg.text(str(span.number), place, 13.0, "nt", "middle"))
    return "".join(out)


def deploys(x: Scale, told: tuple[Deploy, ...]) -> str:
    """A dotted line and the version's name on the first day of a version."""
    out, free = [], 0.0
    for deploy in told:
        place = x.at(deploy.day)
        out.append(svg.tag("path", d=f"M{place:.1f} {TOP - 4}V{HEIGHT - BOTTOM}", class_="dp"))
        if place >= free:
            name = deploy.version[:10]
            out.append(_version(name, place))
            free = place + 18 + 6.5 * len(name)
    return "".join(out)


def _version(name: str, place: float) -> str:
    """The version's name, on the side of its line where there is room."""
    if place > 0.75 * WIDTH:
        return svg.text(f"{name} →", place, 12.0, "dl", "end")
    return svg.text(f"→ {name}", place, 12.0, "dl")


def awaiting(x: Scale, trend: Trend) -> str:
    """The days whose labels have not reached the series' age."""
    if trend.figure.day >= trend.last:
        return ""
    left, right = x.at(trend.figure.day) + 2, x.at(trend.last) + 3
    box = svg.tag("rect", x=left, y=TOP, width=right - left, height=HEIGHT - BOTTOM - TOP, class_="aw")
    if right - left < 84:
        return box
    return box + svg.text(say("awaiting labels"), (left + right) / 2, HEIGHT - BOTTOM - 8, "tk", "middle")


def chart(trend: Trend, name: str, title: str, desc: str) -> Markup:
    """The picture of a trend."""
    kind = word(trend.figure.key.metric).kind
    estimate = trend.estimate if trend.estimate is not None else np.full(len(trend.values), np.nan)
    low, high, ticks = domain(kind, trend.values, trend.thin, estimate, *bounds(trend))
    x, y = frame(trend.first, trend.last), Scale(low, high, HEIGHT - BOTTOM, TOP + 4)
    days = x(np.arange(trend.first, trend.last + 1))
    values = y(trend.values)
    final = np.where(trend.estimated, np.nan, trend.values)
    bad = trend.breached & np.isfinite(values)
    now = np.isfinite(values).nonzero()[0][-1:]
    thin = np.isfinite(trend.thin)
    body = [
        spans(x, trend.spans),
        awaiting(x, trend),
        path(svg.band(days, y(trend.lower), y(trend.upper)), "bd"),
        axes(x, y, ticks, kind, (trend.first, trend.last)),
        deploys(x, trend.deploys),
        path(svg.line(days, y(trend.expected)), "ex"),
        path(svg.dots(days[thin], y(trend.thin[thin])), "th"),
        path(svg.line(days, y(estimate)), "ln es"),
        path(svg.line(days, y(np.where(trend.estimated, trend.values, np.nan))), "ln es"),
        path(svg.line(days, y(final)), "ln"),
        path(_triangles(days[bad], values[bad]), "br"),
        path(svg.dots(days[now], values[now]), "pt") if not bad[now].any() else "",
    ]
    return svg.picture(WIDTH, HEIGHT, body, name=name, title=title, desc=desc, class_="chart", more=_hover(trend, kind))


def _hover(trend: Trend, kind: Kind) -> str:
    """What a day says when it is pointed at."""
    value, estimated = say("Value"), say("Estimated")
    shown = {value: np.where(np.isfinite(trend.values), trend.values, trend.thin), estimated: trend.estimate}
    if trend.figure.key.metric != "volume":
        shown["n"] = trend.n
    shown |= {say("Expected from"): trend.lower, say("to"): trend.upper}
    told = {name: one for name, one in shown.items() if one is not None and np.isfinite(one).any()}
    return svg.hover(trend.first, kind, (LEFT + 3, WIDTH - RIGHT - 3), told, trend.figure.unit)


def _triangles(x: Array, y: Array) -> str:
    """Path data of the marks of breached days."""
    return "".join(f"M{a:.1f} {b - 4.4:.1f}l4.2 7.4h-8.4z" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def path(data: str, class_: str) -> str:
    """A path, or nothing where there is nothing to draw."""
    return f'<path d="{data}" class="{class_}"/>' if data else ""


def bounds(trend: Trend) -> tuple[Array, ...]:
    """The expected range as far as it should stretch the axis: twice the values' own reach, not more."""
    known = trend.values[np.isfinite(trend.values)]
    if not len(known):
        return ()
    low, high = float(known.min()), float(known.max())
    reach = (high - low) or abs(high) * 0.1 or 1.0
    least = max(low - reach, 0.0) if low >= 0 else low - reach
    return tuple(np.clip(bound, least, high + reach) for bound in (trend.lower, trend.upper))


def spark(trend: Trend) -> Markup:
    """The last days without axes; decoration beside a tile's figures, so hidden from screen readers."""
    values, thin = trend.values[-SPARK_DAYS:], trend.thin[-SPARK_DAYS:]
    lower, upper, bad = trend.lower[-SPARK_DAYS:], trend.upper[-SPARK_DAYS:], trend.breached[-SPARK_DAYS:]
    every = np.concatenate((values, thin))
    known = every[np.isfinite(every)]
    if not len(known):
        return Markup('<svg class="spark" viewBox="0 0 150 34" aria-hidden="true"></svg>')
    low, high = float(known.min()), float(known.max())
    reach = (high - low) or abs(high) * 0.1 or 1.0
    y = Scale(low - reach * 0.08, high + reach * 0.08, 31, 3)
    x = np.linspace(4, 145, len(values))
    bad = bad & np.isfinite(values)
    now = np.isfinite(values).nonzero()[0][-1:]
    body = svg.join(
        [
            path(svg.band(x, y(lower), y(upper)), "bd"),
            path(svg.dots(x[np.isfinite(thin)], y(thin[np.isfinite(thin)])), "th"),
            path(svg.line(x, y(values)), "ln"),
            path(svg.dots(x[now], y(values[now])), "pt"),
            path(svg.dots(x[bad], y(values[bad])), "bp"),
        ]
    )
    return Markup(f'<svg class="spark" viewBox="0 0 150 34" aria-hidden="true">{body}</svg>')  # noqa: S704 - numbers only
