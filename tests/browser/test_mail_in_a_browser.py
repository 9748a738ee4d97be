"""Mails in a real browser, as wide and as narrow as mail programs show them, light and dark."""

from __future__ import annotations

import base64
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import screen
from tests.unit.reports.test_mail_rules import KINDS, compose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
SHOWN = ("two incidents", "all well", "nothing at all", "one row", "everything wrong")
SCREENS = [(800, "light"), (800, "dark"), (360, "light"), (360, "dark")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with screen.browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The HTML parts of mails, their pictures in place of the Content-IDs."""
    root = tmp_path_factory.mktemp("mails")
    kinds = [*SHOWN, *(kind for kind in KINDS if kind.startswith("all wrong"))]
    for kind in kinds:
        name = kind if kind in SHOWN else f"hostile {kinds.index(kind)}"
        (root / f"{name}.html").write_text(shown(compose(KINDS[kind]()).as_bytes()), encoding="utf-8")
    return root


def shown(raw: bytes) -> str:
    """A mail's HTML as a program shows it."""
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("html",))
    assert body is not None
    text = str(body.get_content())
    for part in message.walk():
        if part["Content-ID"]:
            picture = base64.b64encode(part.get_content()).decode()  # type: ignore[attr-defined]
            text = text.replace(f"cid:{str(part['Content-ID']).strip('<>')}", f"data:image/png;base64,{picture}")
    return text


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_every_mail_fits_the_screen_and_axe_finds_nothing(browser: Any, folder: Path, width: int, scheme: str) -> None:
    for name in SHOWN:
        with screen.page(browser, (folder / f"{name}.html").as_uri(), width=width, scheme=scheme) as seen:
            assert screen.findings(seen) == [], name
            assert seen.evaluate("document.documentElement.scrollWidth") <= width, name


def test_hostile_names_run_nothing_ask_nothing_and_break_no_layout(browser: Any, folder: Path) -> None:
    for file in sorted(folder.glob("hostile *.html")):
        for width in (800, 360):
            with screen.page(browser, file.as_uri(), width=width) as seen:
                asked = [one for one in seen.said if not one.startswith("data:image/png")]
                assert asked == [], file.name
                assert seen.evaluate("document.documentElement.scrollWidth") <= width, file.name


def test_pictures_are_shown_whole_and_shrink_with_the_screen(browser: Any, folder: Path) -> None:
    for width, most in ((800, 544), (360, 328)):
        with screen.page(browser, (folder / "two incidents.html").as_uri(), width=width) as seen:
            sizes = seen.evaluate(
                "[...document.images].map(i => [i.clientWidth, i.clientHeight, i.naturalWidth, i.naturalHeight])"
            )
        assert len(sizes) >= 2
        for wide, tall, whole_wide, whole_tall in sizes:
            assert 0 < wide <= most
            assert abs(wide / tall - whole_wide / whole_tall) < 0.05, "not squeezed"


def test_on_a_dark_screen_the_ground_is_dark_pictures_included(browser: Any, folder: Path) -> None:
    with screen.page(browser, (folder / "two incidents.html").as_uri(), width=800, scheme="dark") as seen:
        assert seen.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(27, 29, 35)"
        assert "invert" in seen.evaluate("getComputedStyle(document.images[0]).filter")


def test_without_its_style_sheet_a_mail_is_whole(browser: Any, folder: Path) -> None:
    """Gmail may drop the sheet: what is seen on a light, wide screen must not change by a pixel."""
    with screen.page(browser, (folder / "two incidents.html").as_uri(), width=800) as seen:
        before = seen.screenshot(full_page=True)
        seen.evaluate("document.querySelector('style').remove()")
        assert seen.screenshot(full_page=True) == before
