"""Whatever name is asked for over a network, only finished pages from below the folder of reports are handed out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from jobs.engine import served
from reports.page import policy

HIDDEN = "what nobody may read"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A small site, a secret beside it, and links into and out of it, as somebody with bad intent would plant them."""
    root = tmp_path / "reports"
    night = root / "till" / "2025-03-01"
    night.mkdir(parents=True)
    (night / "index.html").write_text("<p>the night", encoding="utf-8")
    (night / "report.pdf").write_bytes(b"%PDF")
    (root / "till" / "nights.json").write_text("{}", encoding="utf-8")
    (night / ".index.html.77").write_text("half a page", encoding="utf-8")
    (tmp_path / "secret.html").write_text(HIDDEN, encoding="utf-8")
    (night / "link.html").symlink_to(tmp_path / "secret.html")
    (root / "outside").symlink_to(tmp_path)
    (night / "folder.html").mkdir()
    os.mkfifo(night / "pipe.html")
    return root


def test_a_page_comes_with_its_kind_and_a_tag_that_changes_with_it(reports: Path) -> None:
    first = served.read(reports, ["till", "2025-03-01", "index.html"])
    assert first is not None
    assert (first.content, first.kind) == (b"<p>the night", "text/html; charset=utf-8")
    page = reports / "till" / "2025-03-01" / "index.html"
    beside = page.with_name("new")
    beside.write_text("<p>the NIGHT", encoding="utf-8")
    beside.replace(page)  # as `jobs.engine.shelf.write` does it: same length, perhaps the same instant
    second = served.read(reports, ["till", "2025-03-01", "index.html"])
    assert second is not None
    assert second.tag != first.tag
    pdf = served.read(reports, ["till", "2025-03-01", "report.pdf"])
    assert pdf is not None
    assert pdf.kind == "application/pdf"


@pytest.mark.parametrize(
    "asked",
    [
        "../secret.html",
        "till/../../secret.html",
        "till/2025-03-01/../../../secret.html",
        "outside/secret.html",
        "till/2025-03-01/link.html",
        "till/2025-03-01/folder.html",
        "till/2025-03-01/pipe.html",
        "till/2025-03-01/.index.html.77",
        "till/nights.json",
        "till/2025-03-01",
        "till//index.html",
        "",
        "/etc/passwd",
        "till\\..\\..\\secret.html",
        "till/2025-03-01/index.html\x00.png",
        "till/2025-03-01/index.html/",
        "missing/index.html",
    ],
)
def test_anything_else_is_not_there(reports: Path, asked: str) -> None:
    assert served.read(reports, asked.split("/")) is None
    assert served.read(reports / "nowhere", asked.split("/")) is None


@given(some.lists(some.sampled_from(["..", ".", "", "till", "outside", "2025-03-01", "secret.html", "link.html", "/"])))
def test_no_path_made_of_such_parts_reads_the_secret(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    root = tmp_path_factory.getbasetemp() / "site" / "reports"
    if not root.exists():
        (root / "till" / "2025-03-01").mkdir(parents=True)
        (root.parent / "secret.html").write_text(HIDDEN, encoding="utf-8")
        (root / "outside").symlink_to(root.parent)
        (root / "till" / "2025-03-01" / "link.html").symlink_to(root.parent / "secret.html")
    assert served.read(root, parts) is None


def test_no_folder_stays_open_whatever_was_asked(reports: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for asked in (["till", "2025-03-01", "index.html"], ["outside", "secret.html"], ["till", "gone", "index.html"]):
        for _ in range(5):
            served.read(reports, asked)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_page_may_run_the_script_that_it_was_written_with_and_no_other() -> None:
    head = f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{policy()}"><title>'.replace(
        "'", "&#39;"
    )
    own = policy().partition("script-src ")[2].partition(";")[0]
    assert f"script-src {own};" in served.policy(head.encode())
    late = b"x" * 2000 + head.encode()  # far down, where it could have come from data
    assert "script-src 'none'" in served.policy(late)
    assert "frame-ancestors 'self'" in served.policy(late)


def test_the_policy_that_real_pages_carry_is_found(reports: Path) -> None:
    from reports.site import index_page

    assert "script-src 'sha256-" in served.policy(index_page([]).encode())
