"""A real browser (the system's Chromium), driven without a network, and axe-core's opinion of a page in it."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def browser() -> Iterator[Any]:
    """A browser without a window; an assertion fails where there is none to run."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, f"these tests need one of {', '.join(BROWSERS)} (Debian: apt-get install chromium)"
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def page(opened: Any, address: str, *, width: int = 1280, scheme: str = "light", script: bool = True) -> Iterator[Page]:
    """A page as someone with that screen sees it; what its console says, and every request, ends in `page.said`."""
    context = opened.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    shown = context.new_page()
    shown.said = []
    shown.on("console", lambda message: shown.said.append(message.text))
    shown.on("pageerror", lambda error: shown.said.append(str(error)))
    shown.on(
        "request", lambda request: shown.said.append(request.url) if request.url != address.partition("#")[0] else None
    )
    shown.goto(address)
    yield shown
    context.close()


def findings(shown: Page, impacts: tuple[str, ...] = ("serious", "critical")) -> list[str]:
    """What axe-core finds on the page as it is shown now, of those impacts: rule, and the first places."""
    found = Axe().run(shown).response["violations"]
    return [
        f"{one['id']} ({one['impact']}, {len(one['nodes'])}): {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in impacts
    ]
