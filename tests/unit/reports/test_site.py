"""The pages around the nights: what they say, and that the order of nights and models does not show."""

from __future__ import annotations

import json
import random
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.engine import shelf
from jobs.engine.warehouse import open_warehouse
from jobs.periods import Period
from jobs.stages import report
from reports import site
from tests.unit.reports import reading_html, sample_night

if TYPE_CHECKING:
    from pathlib import Path

    from reports.site import Card, Entry

NIGHTS = Period(sample_night.END - timedelta(days=5), sample_night.END)


def entry(
    state: str = "ok", *, said: str = "All quiet.", incidents: list | None = None, volume: float | None = 10.0
) -> Entry:
    figures = {"Predictions": ["count", "", volume]}
    return {"state": state, "said": said, "incidents": incidents or [], "figures": figures}


def card(nights: dict[str, Entry], model: str = "shop") -> Card:
    return site.card(sample_night.spec().model_copy(update={"model": model}), nights)


def written(home: Path) -> dict[str, bytes]:
    root = home / "reports"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def run(home: Path, periods: list[Period]) -> dict[str, bytes]:
    """The report stage over these periods on the sample's tables."""
    with open_warehouse(home, "shop") as warehouse:
        warehouse.digest = "test"
        for name, frame in sample_night.frames().items():
            warehouse.insert(name, frame)
        warehouse.replace("ingest", NIGHTS, {})
        warehouse.replace("report", NIGHTS, {})  # as the pipeline has it: finished nights are a prefix
        for period in periods:
            report.run(sample_night.spec(), period, warehouse)
    return written(home)


def test_nights_in_any_order_and_as_one_range_give_the_same_site(tmp_path: Path) -> None:
    mixed = [Period.of(day) for day in NIGHTS]
    random.Random(4).shuffle(mixed)  # noqa: S311 - an order, no secret
    assert run(tmp_path / "a", [NIGHTS]) == run(tmp_path / "b", mixed)


def test_lost_or_broken_state_heals_from_the_night_pages_and_the_tables(tmp_path: Path) -> None:
    whole = run(tmp_path, [NIGHTS])
    for name in (shelf.ENTRIES, shelf.STATE):
        (tmp_path / "reports" / "shop" / name).write_text("{broken")
    with open_warehouse(tmp_path, "shop") as warehouse:
        warehouse.digest = "test"
        report.run(sample_night.spec(), Period.of(NIGHTS.last), warehouse)
    assert written(tmp_path) == whole


def test_a_night_whose_page_was_removed_leaves_the_calendar(tmp_path: Path) -> None:
    run(tmp_path, [NIGHTS])
    (tmp_path / "reports" / "shop" / str(NIGHTS.first) / "index.html").unlink()
    with open_warehouse(tmp_path, "shop") as warehouse:
        warehouse.digest = "test"
        report.run(sample_night.spec(), Period.of(NIGHTS.last), warehouse)
    page = (tmp_path / "reports" / "shop" / "index.html").read_text()
    assert f'id="n{NIGHTS.first}"' not in page
    assert f'id="n{NIGHTS.last}"' in page


def test_every_link_of_the_site_leads_to_a_file_and_back(tmp_path: Path) -> None:
    run(tmp_path, [NIGHTS])
    root = tmp_path / "reports"
    for path in root.rglob("*.html"):
        for link in reading_html.read(path.read_text()).all("a"):
            target, _, place = link.attributes["href"].partition("#")
            there = (path.parent / target).resolve() if target else path
            assert there.is_file(), f"{path.relative_to(root)} leads to {target}"
            assert not place or f'id="{place}"' in there.read_text(), f"{target} has no #{place}"


def test_models_that_finish_at_once_do_not_lose_each_others_line(tmp_path: Path) -> None:
    models = [f"model_{k:02d}" for k in range(24)]
    nights = {"2025-03-12": entry()}
    start = threading.Barrier(len(models))

    def finish(model: str) -> None:
        start.wait()
        shelf.publish(tmp_path, model, card(nights, model), site.index_page)

    threads = [threading.Thread(target=finish, args=(model,)) for model in models]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    page = (tmp_path / "reports" / "index.html").read_text()
    assert [model for model in models if f'href="{model}/index.html"' not in page] == []


def test_the_list_begins_with_what_is_worst_and_says_who_is_behind() -> None:
    calm = {"2025-03-12": entry()}
    bad = {"2025-03-10": entry("critical", said="This needs you today.")}
    page = reading_html.read(site.index_page([dict(card(calm, "calm")), dict(card(bad, "bad"))]))
    assert page.all("h1")[0].text == "1 model of 2 needs attention."
    first, second = page.all("li", class_="model")
    assert first.all("h2")[0].text == "bad"
    assert "2 nights behind" in first.text
    assert "behind" not in second.text


def test_an_empty_list_says_so() -> None:
    assert "No model has a night yet." in site.index_page([])


def test_the_calendar_sets_each_night_on_its_weekday_and_says_its_state() -> None:
    nights = {"2025-02-28": entry(), "2025-03-01": entry("warning", said="Worth a look: x.")}
    tree = reading_html.read(site.model_page(card(nights), nights))
    march, february = tree.all("table", class_="month")
    assert march.all("caption")[0].text == "March 2025"
    first_week = march.all("tbody")[0].all("tr")[0].all("td")
    assert [cell.text for cell in first_week][:5] == [""] * 5
    assert first_week[5].all("a")[0].attributes["aria-label"] == "1 March 2025: warning", "a Saturday"
    assert february.all("a")[0].attributes["href"] == "2025-02-28/index.html"


def test_incidents_are_told_once_with_the_first_and_last_night_they_were_open() -> None:
    open_ = ["x", "warning", "Slow", "2025-03-01"]
    nights = {"2025-03-01": entry(incidents=[["x", "critical", "Slow", "2025-03-01"]]), "2025-03-02": entry(incidents=[open_]),
              "2025-03-03": entry()}  # fmt: skip
    [row] = (
        reading_html.read(site.model_page(card(nights), nights))
        .all("table", class_="sortable")[0]
        .all("tbody")[0]
        .all("tr")
    )
    assert row.text == "Slow ▲ critical 1 March 2025 2 March 2025"


@pytest.mark.parametrize("said", ["<script>alert(1)</script>", "\"'><img src=x>", "{{ 7 * 7 }}", "مرحبا", "🦇"])
def test_hostile_words_are_shown_as_text(said: str) -> None:
    nights = {"2025-03-01": entry("warning", said=said, incidents=[["i", "warning", said, "2025-03-01"]], volume=None)}
    spec = sample_night.spec().model_copy(update={"owner": said, "description": said})
    one = site.card(spec, nights)
    for text in (site.model_page(one, nights), site.index_page([json.loads(json.dumps(one))])):
        tree = reading_html.read(text)
        assert len(tree.all("script")) == 1
        assert not tree.all("img")
        assert said in tree.text
