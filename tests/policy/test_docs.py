"""What the pages say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.spec.judging import DEFAULT_RULES
from jobs.spec.model import ModelSpec

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted([PROJECT / "README.md", PROJECT / "CHANGELOG.md", *(PROJECT / "docs").rglob("*.md")])


def test_the_page_on_specs_lists_the_default_rules_as_they_are() -> None:
    page = (PROJECT / "docs" / "spec.md").read_text()
    rows = [
        tuple(cell.strip() for cell in row)
        for row in re.findall(
            r"^\| (\w+ (?:above|below|drop|rise|outside)[^|]*)\|([^|]*)\|([^|]*)\|$", page, re.MULTILINE
        )
    ]
    expected = [
        (rule.name + (f", {rule.nights} nights" if rule.nights > 1 else ""), rule.severity, rule.action or "")
        for rule in DEFAULT_RULES
    ]
    assert rows == expected


def test_the_page_on_specs_names_every_part_of_a_spec() -> None:
    page = (PROJECT / "docs" / "spec.md").read_text()
    absent = [
        name
        for name in ModelSpec.model_fields
        if f"`{name}`" not in page and name not in ("task", "threshold", "min_rows")
    ]
    assert absent == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []
