"""The report stage on a real DuckDB file: one page a night, the same bytes however the nights are run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.periods import Period
from jobs.stages import report
from tests.unit.reports import sample_night

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NIGHTS = Period(sample_night.END - timedelta(days=5), sample_night.END)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path, "shop") as opened:
        opened.digest = "test"
        for name, frame in sample_night.frames().items():
            opened.insert(name, frame)
        yield opened


def pages(warehouse: Warehouse) -> dict[str, bytes]:
    folder = warehouse.home / "reports" / "shop"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_range_writes_a_page_a_night_and_nothing_else(warehouse: Warehouse) -> None:
    summary = report.run(sample_night.spec(), NIGHTS, warehouse)
    assert summary.rows == {"pages": 6}
    around = ["index.html", "nights.json", "state.json"]
    assert sorted(pages(warehouse)) == [*(f"{day}/index.html" for day in NIGHTS), *around]


def test_one_by_one_and_as_a_range_are_the_same_bytes(warehouse: Warehouse) -> None:
    spec = sample_night.spec()
    report.run(spec, NIGHTS, warehouse)
    as_range = pages(warehouse)
    for day in NIGHTS:
        report.run(spec, Period.of(day), warehouse)
    assert pages(warehouse) == as_range


def test_a_page_of_the_figures_that_are_read_is_that_of_all_there_are(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = sample_night.spec()
    warehouse.execute(  # of volumes no section shows segments
        "INSERT INTO metrics SELECT * REPLACE ('customer=new' AS segment) FROM metrics "
        "WHERE metric = 'volume' AND version = 'all' AND segment = 'all'"
    )
    report.run(spec, NIGHTS, warehouse)
    made = pages(warehouse)
    looked_at = NIGHTS.reaching_back(120)
    assert len(report._figures(spec, looked_at, warehouse)) < len(warehouse.read("metrics", looked_at))
    monkeypatch.setattr(report, "_figures", lambda _, nights, warehouse: warehouse.read("metrics", nights))
    report.run(spec, NIGHTS, warehouse)
    assert pages(warehouse) == made


def test_the_stage_tests_segments_and_the_page_names_the_one_that_does_worse(warehouse: Warehouse) -> None:
    report.run(sample_night.spec(), Period.of(sample_night.END), warehouse)
    page = pages(warehouse)[f"{sample_night.END}/index.html"].decode()
    assert "customer=new does worse than everybody else, beyond what chance does among 11 segments" in page


def test_finished_nights_are_recorded(warehouse: Warehouse) -> None:
    report.run(sample_night.spec(), NIGHTS, warehouse)
    progress = warehouse.progress("report")
    assert progress is not None
    assert (progress.first, progress.through) == (NIGHTS.first, NIGHTS.last)


def test_an_empty_file_still_gets_its_pages(tmp_path: Path) -> None:
    with open_warehouse(tmp_path, "shop") as warehouse:
        warehouse.digest = "test"
        report.run(sample_night.spec(), NIGHTS, warehouse)
        found = {name: page for name, page in pages(warehouse).items() if name.startswith("20")}
        assert all(b"No predictions arrived" in page for page in found.values())
        assert len(found) == len(NIGHTS)


def test_views_for_the_mail_are_those_of_the_pages(warehouse: Warehouse) -> None:
    nights = [view.night for view in report.views(sample_night.spec(), NIGHTS, warehouse)]
    assert nights == list(NIGHTS)
