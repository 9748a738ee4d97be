"""The pages around the nights: a list of all models, and for each model a calendar of its nights.

They are made from what each night left behind in a few words (`Entry`), kept in small files; no table is read again.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypedDict, TypeGuard

import numpy as np

from jobs.language import SOURCE, say, speaking, spoken, tag
from reports import formats, sentence
from reports.charts import story
from reports.days import number_of
from reports.page import environment, policy, read, tidy
from reports.series import severity_rank
from reports.text import plain
from reports.words import word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jobs.spec import ModelSpec
    from reports.series import Trend
    from reports.view import NightView

RECENT_NIGHTS = 60
FIGURES_MOST = 4
STATES = ("critical", "warning", "info", "ok", "unknown")


class Entry(TypedDict):
    """What is kept of a night."""

    state: str
    said: str
    incidents: list[list[Any]]
    """Open ones: id, severity, title, the night they were opened."""
    figures: dict[str, list[Any]]
    """Name in English -> kind, unit, value; and the name as it was spoken, where that was another."""


class Card(TypedDict):
    """A model's line in the list of models; all of it follows from its entries and its spec."""

    model: str
    description: str
    owner: str
    night: str
    state: str
    said: str
    open: int
    nights: int
    recent: list[list[Any]]
    """The last nights: day and state."""
    figures: list[list[Any]]
    """Name, kind, unit and the last nights' values."""
    language: str
    """What its reports are written in."""


def entry(view: NightView) -> Entry:
    """What a night leaves behind for the pages around it."""
    return Entry(
        state=view.state if view.state in STATES else "info",
        said=plain(sentence.verdict(view), 300),
        incidents=[[plain(i.id, 120), i.severity, i.title, str(_day(i.opened))] for i in view.incidents],
        figures=dict(map(_figure, _main(view.tiles))),
    )


def valid(given: object) -> TypeGuard[Entry]:
    """Whether an entry has all that the pages need."""
    return isinstance(given, dict) and Entry.__required_keys__ <= set(given) and given["state"] in STATES


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


def _main(tiles: Iterable[Trend]) -> list[Trend]:
    """Volume, the youngest accuracy, what was earned, and the largest drift: one line each."""
    wanted = ("volume", "accuracy", "conversion", "psi")
    first: dict[str, Trend] = {}
    for tile in tiles:
        first.setdefault(tile.figure.key.metric, tile)
    return [first[metric] for metric in wanted if metric in first][:FIGURES_MOST]


def _figure(tile: Trend) -> tuple[str, list[Any]]:
    """The English name; kind, unit and value (none where there is none to rely on), and the name as it is spoken.

    The English name stays the same when a model's language changes, so that its nights still make one line.
    """
    figure, told = tile.figure, sentence.heading(tile)
    with speaking(SOURCE):
        name = sentence.heading(tile)
    value = None if figure.thin or figure.value is None else float(f"{figure.value:.6g}")
    return name, [word(figure.key.metric).kind, figure.unit, value, *([told] if told != name else [])]


def _told_name(name: str, figure: list[Any]) -> str:
    return str(figure[3]) if len(figure) > 3 else name


def card(spec: ModelSpec, nights: Mapping[str, Entry]) -> Card:
    """A model's line, as its newest night left it."""
    days = sorted(nights)
    newest = nights[days[-1]]
    recent = days[-RECENT_NIGHTS:]
    return Card(
        model=spec.model, description=plain(spec.description, 240), owner=plain(spec.owner, 80), night=days[-1],
        state=newest["state"], said=newest["said"], open=len(newest["incidents"]), nights=len(days),
        recent=[[day, nights[day]["state"]] for day in recent],
        figures=[
            [_told_name(name, one), one[0], one[1], [_value(nights[day], name) for day in recent]]
            for name, one in newest["figures"].items()
        ],
        language=spec.language,
    )  # fmt: skip


def _value(one: Entry, name: str) -> float | None:
    found = one["figures"].get(name)
    return None if found is None else found[2]


def index_page(cards: list[dict[str, Any]]) -> str:
    """The list of models: the worst first, then by name. In the models' language where they agree, else in English."""
    with speaking(language_of(cards)):
        return _index_page(cards)


def language_of(cards: Iterable[Mapping[str, Any]]) -> str:
    """The one language of these models; English where they have several, or there is none.

    >>> language_of([{"language": "zh"}, {"language": "zh"}]), language_of([{"language": "zh"}, {}]), language_of([])
    ('zh', 'en', 'en')
    """
    found = {str(one.get("language", SOURCE)) for one in cards}
    return found.pop() if len(found) == 1 else SOURCE


def _index_page(cards: list[dict[str, Any]]) -> str:
    ranked = sorted(cards, key=lambda one: (-severity_rank(one["state"]), one["state"] == "ok", one["model"]))
    newest = max((one["night"] for one in cards), default="")
    counted = [(state, sum(one["state"] == state for one in cards)) for state in STATES]
    return _render(
        "site_index.html", cards=[_told(one, newest) for one in ranked], counted=counted, sum_up=_sum_up(cards)
    )


def _sum_up(cards: list[dict[str, Any]]) -> str:
    """The list in one sentence."""
    wrong = [plain(one["model"], 60) for one in cards if severity_rank(one["state"]) > 1]
    if not cards:
        return say("No model has a night yet.")
    if not wrong:
        return say("{models} watched, none needs attention.", models=formats.plural(len(cards), "model"))
    models, whole = formats.plural(len(wrong), "model"), len(cards)
    if whole > len(wrong):
        many, one = "{models} of {whole} need attention.", "{models} of {whole} needs attention."
    else:
        many, one = "{models} need attention.", "{models} needs attention."
    return say(one if len(wrong) == 1 else many, models=models, whole=whole)


def _told(one: dict[str, Any], newest: str) -> dict[str, Any]:
    """A line with its pictures."""
    behind = (date.fromisoformat(newest) - date.fromisoformat(one["night"])).days
    figures = [
        {"name": name, "now": formats.number(values[-1] if values else None, kind, unit), "spark": story.spark(values)}
        for name, kind, unit, values in one["figures"]
    ]
    language = str(one.get("language", SOURCE))
    lang = tag(language) if language != spoken() else ""
    return one | {"behind": behind, "figures": figures, "strip": story.states(one["recent"]), "lang": lang}


def model_page(one: Card, nights: Mapping[str, Entry], backtests: Sequence[tuple[date, date, str]] = ()) -> str:
    """A model's calendar, newest month first, its main figures over all nights, its incidents, and its backtests."""
    days = [date.fromisoformat(day) for day in sorted(nights)]
    months = [_month(list(group), nights) for _, group in groupby(days, key=lambda day: (day.year, day.month))]
    counts = [(state, sum(entry["state"] == state for entry in nights.values())) for state in STATES]
    return _render(
        "site_model.html", card=one, months=months[::-1], counts=counts, days=days,
        figures=_over_all(one, days, nights), incidents=_incidents(nights), backtests=backtests,
    )  # fmt: skip


def _month(days: list[date], nights: Mapping[str, Entry]) -> dict[str, Any]:
    """A month as weeks from Monday to Sunday; None where a day has no night."""
    first = days[0].replace(day=1)
    length = ((first + timedelta(days=31)).replace(day=1) - first).days
    there = {day: nights[str(day)] for day in days}
    cells: list[dict[str, Any] | None] = [None] * first.weekday()
    month = (first + timedelta(days=step) for step in range(length))
    cells += [{"day": day, "entry": there.get(day)} for day in month]
    cells += [None] * (-len(cells) % 7)
    weeks = [cells[start : start + 7] for start in range(0, len(cells), 7)]
    return {"name": formats.month_of_year(first), "weeks": weeks, "id": f"m{first:%Y-%m}"}


def _over_all(one: Card, days: list[date], nights: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """Each main figure over every night there is."""
    first, last = number_of(days[0]), number_of(days[-1])
    out = []
    for place, (name, figure) in enumerate(nights[one["night"]]["figures"].items()):
        kind, unit, told = figure[0], figure[1], _told_name(name, figure)
        values = np.full(last - first + 1, np.nan)
        for day in days:
            value = _value(nights[str(day)], name)
            values[number_of(day) - first] = np.nan if value is None else value
        out.append({"name": told, "chart": story.chart(values, first, kind, unit, told, f"f{place}")})
    return out


def _incidents(nights: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """Every incident that was ever open: as its last night told it, the newest first."""
    found: dict[str, dict[str, Any]] = {}
    for day in sorted(nights):
        for name, severity, title, opened in nights[day]["incidents"]:
            worst = max(severity, found.get(name, {}).get("severity", "info"), key=severity_rank)
            found[name] = {"severity": worst, "title": title, "opened": opened, "last": day}
    newest = max(nights, default="")
    told = [one | {"open": one["last"] == newest} for one in found.values()]
    return sorted(told, key=lambda one: (not one["open"], [-ord(c) for c in one["opened"]], one["title"]))


def _render(template: str, **given: Any) -> str:
    made = environment().get_template(template)
    return tidy(
        made.render(css=read("style.css", "views.css", "site.css"), script=read("report.js"), policy=policy(), **given)
    )
