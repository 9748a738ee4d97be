"""Pages in a real browser: what axe-core says of them, what the script adds, and that all is there without it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reports import page as pages
from reports import site
from tests.browser import screen
from tests.unit.reports import sample_night
from tests.unit.reports.hostile_night import HOSTILE, hostile
from tests.unit.reports.rendered_page import view
from tests.unit.reports.test_site import card

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
VIEWS = ("", "#performance", "#inputs")
SCREENS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with screen.browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small site: a bad night, an empty one, one full of hostile names, and the pages around them."""
    root = tmp_path_factory.mktemp("reports")
    seen = view(sample_night.frames())
    empty = view(sample_night.empty(), sample_night.END - timedelta(days=1))
    nights = {str(one.night): site.entry(one) for one in (empty, seen)}
    files = {
        f"shop/{seen.night}/index.html": pages.render(seen),
        f"shop/{empty.night}/index.html": pages.render(empty),
        "hostile.html": pages.render(view(hostile("".join(HOSTILE)))),
        "shop/index.html": site.model_page(card(nights), nights),
        "index.html": site.index_page([dict(card(nights))]),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def night(folder: Path) -> str:
    return (folder / "shop" / str(sample_night.END) / "index.html").as_uri()


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_axe_finds_nothing_serious_on_any_page(browser: Any, folder: Path, night: str, width: int, scheme: str) -> None:
    empty = (folder / "shop" / str(sample_night.END - timedelta(days=1)) / "index.html").as_uri()
    around = [(folder / name).as_uri() for name in ("index.html", "shop/index.html")]
    for address in (*(night + place for place in VIEWS), empty, *around):
        with screen.page(browser, address, width=width, scheme=scheme) as shown:
            assert screen.findings(shown) == [], address
            assert shown.said == [], "the console is silent and nothing is asked of a network"
            assert shown.evaluate("document.documentElement.scrollWidth") <= width, "nothing scrolls sideways"


def test_without_script_each_view_is_there_and_the_others_are_not(browser: Any, night: str) -> None:
    for address, name in zip(VIEWS, ("overview", "performance", "inputs"), strict=True):
        with screen.page(browser, night + address, script=False) as shown:
            seen = [view for view in ("overview", "performance", "inputs") if shown.locator(f"#{view}").is_visible()]
            assert seen == [name]
    with screen.page(browser, night, script=False) as shown:
        shown.get_by_role("link", name="Drift", exact=True).first.click()
        assert shown.locator("#inputs").is_visible()
        shown.go_back()
        assert shown.locator("#overview").is_visible()


def test_a_link_to_a_part_opens_the_view_that_holds_it(browser: Any, night: str) -> None:
    with screen.page(browser, night + "#segments") as shown:
        assert shown.locator("#segments").is_visible()
        assert shown.locator(".tabs a[aria-current]").inner_text() == "Performance"


def test_on_paper_every_view_is_there(browser: Any, night: str) -> None:
    with screen.page(browser, night) as shown:
        shown.emulate_media(media="print")
        assert all(shown.locator(f"#{view}").is_visible() for view in ("overview", "performance", "inputs"))
        assert not shown.locator("header.bar").is_visible()


def test_a_head_sorts_its_table_by_numbers_and_back(browser: Any, night: str) -> None:
    with screen.page(browser, night + "#inputs") as shown:
        table = shown.locator("#drift table.sortable").first

        def column() -> list[float]:
            return [
                float(one)
                for one in table.locator("tbody tr td:nth-child(2)").evaluate_all("c => c.map(x => x.dataset.v)")
            ]

        head = table.get_by_role("button", name="PSI")
        head.click()
        assert column() == sorted(column(), reverse=True)
        head.focus()
        shown.keyboard.press("Enter")
        assert column() == sorted(column())
        assert table.locator("th[aria-sort=ascending]").count() == 1


def test_pointing_at_a_chart_and_its_arrow_keys_tell_a_days_value(browser: Any, night: str) -> None:
    with screen.page(browser, night) as shown:
        chart = shown.locator("#trends svg.chart").first
        chart.scroll_into_view_if_needed()
        chart.hover()
        tip = shown.locator(".tip")
        assert "Value" in tip.inner_text()
        chart.focus()
        shown.keyboard.press("End")
        assert "Wed, Mar 12, 2025" in tip.inner_text()
        shown.keyboard.press("ArrowLeft")
        assert "Tue, Mar 11, 2025" in tip.inner_text()
        shown.keyboard.press("Escape")
        assert not tip.is_visible()


def test_every_link_button_and_chart_is_reached_by_the_tab_key(browser: Any, night: str) -> None:
    with screen.page(browser, night) as shown:
        wanted = shown.evaluate(
            "[...document.querySelectorAll('a,button,summary,svg[tabindex],.scroll')].filter(e => e.checkVisibility()).length"
        )
        reached = 0
        for _ in range(wanted + 5):
            shown.keyboard.press("Tab")
            reached += shown.evaluate("document.activeElement !== document.body")
            if reached == wanted:
                break
        assert reached == wanted


def test_hostile_names_run_nothing_and_fit(browser: Any, folder: Path) -> None:
    for width in (1280, 390):
        for place in VIEWS:
            with screen.page(browser, (folder / "hostile.html").as_uri() + place, width=width) as shown:
                assert shown.said == [], "no alert, no error, no request"
                assert shown.evaluate("document.documentElement.scrollWidth") <= width
                assert shown.locator("script").count() == 1
                assert screen.findings(shown) == []
