"""PDF and PNG of a page through the system's Chromium, and what is said where it is missing."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import pytest

from jobs.engine import printing
from jobs.errors import UsageError
from reports import page
from tests.unit.reports import sample_night
from tests.unit.reports.rendered_page import view

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def night(tmp_path: Path) -> Path:
    path = tmp_path / "index.html"
    path.write_text(page.render(view(sample_night.frames())), encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_pdf_has_every_view(night: Path) -> None:
    made = printing.to_pdf(night)
    content = made.read_bytes()
    assert made == night.with_name("report.pdf")
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 6, "three views, each from a new page on"


@pytest.mark.slow
def test_a_png_is_the_overview_whole_at_twice_the_resolution(night: Path) -> None:
    content = printing.to_png(night).read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert width == 2 * printing.WIDTH
    assert height > 2 * 1500, "down to the footer, which lies below the first screen"
    assert sorted(path.name for path in night.parent.iterdir()) == ["index.html", "overview.png"]


def test_without_a_browser_the_error_says_what_to_install(night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(printing.BROWSER, "no-such-browser")
    with pytest.raises(UsageError, match=r"NIGHTJAR_BROWSER is no-such-browser, which is no program; install one"):
        printing.to_pdf(night)
    monkeypatch.delenv(printing.BROWSER)
    monkeypatch.setenv("PATH", str(night.parent))
    with pytest.raises(UsageError, match=r"none of chromium, .* is installed; install one \(Debian: apt-get"):
        printing.to_png(night)


def test_chinese_letters_without_a_font_for_them_are_told(
    tmp_path: Path, night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = tmp_path / "bin" / "fc-list"
    listing.parent.mkdir()
    listing.write_text("#!/bin/sh\n")
    listing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{listing.parent}:/bin:/usr/bin", prepend=None)
    assert printing.missing_fonts(night) == ""
    night.write_text("<html>夜鹰</html>", encoding="utf-8")
    assert "fonts-noto-cjk" in printing.missing_fonts(night)
