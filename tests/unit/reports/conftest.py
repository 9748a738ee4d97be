"""The sample night's page, rendered once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.reports import reading_html, sample_night
from tests.unit.reports.rendered_page import rendered

if TYPE_CHECKING:
    from tests.unit.reports.reading_html import Element


@pytest.fixture(scope="session")
def text() -> str:
    return rendered(sample_night.frames())


@pytest.fixture(scope="session")
def tree(text: str) -> Element:
    return reading_html.read(text)
