"""How a page tells why a rate changed, and what a new version has to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.reports import reading_html, sample_night
from tests.unit.reports.rendered_page import day_at_age, rendered, rows_of, section

if TYPE_CHECKING:
    from tests.unit.reports.reading_html import Element


def test_why_a_rate_changed_is_told_along_the_dimension_that_explains_it_best() -> None:
    """Both dimensions add up to the same -6.0 points; only `customer` has a part that carries more than its share."""
    told = {"metric": "accuracy", "label_age": 7, "day": day_at_age(7), "value": 0.88, "former": 0.94, "base": 0.0}
    parts = rows_of(
        "decompositions", **told,
        dimension=["country", "country", "country", "customer", "customer", "customer"],
        segment=["all", "country=DE", "country=FR", "all", "customer=new", "customer=old"],
        share=[1.0, 0.5, 0.5, 1.0, 0.3, 0.7], change=[-0.06, -0.03, -0.03, -0.06, -0.06, 0.0],
        mix=[-0.015, -0.005, -0.01, -0.015, -0.02, 0.005], rate=[-0.04, -0.02, -0.02, -0.04, -0.04, 0.0],
        coverage=[-0.005, -0.005, 0.0, -0.005, 0.0, -0.005],
    )  # fmt: skip
    part = section(reading_html.read(rendered(sample_night.frames() | {"decompositions": parts})), "changes")
    assert "Accuracy at 7 days −6.0 pp, from 94.0 % to 88.0 %, by customer" in part.all("h3")[0].text
    assert part.all("tbody")[0].all("tr")[0].text.startswith("customer=new")
    assert "−2.0 pp ±0.0 pp −4.0 pp −6.0 pp" in part.all("tbody")[0].all("tr")[0].text


def test_each_baseline_on_the_page_is_named_and_explained() -> None:
    """The incident tells accuracy against a recent window, the tile against 28 days: both say which."""
    frames = sample_night.frames()
    known = frames["incidents"]["evidence"].str.replace(
        '"metric": "accuracy"', '"detector": "recent", "metric": "accuracy"'
    )
    told = frames["incidents"].assign(evidence=known)
    page = reading_html.read(rendered(frames | {"incidents": told}))
    wrong = section(page, "wrong")
    assert "Held against" in wrong.text
    assert "What figures are held against:" in wrong.text
    assert "“recently” is the median of the same figure over the 56 days that ended 14 days before;" in wrong.text
    assert "the change of a key figure below is from the median of the 28 days before." in wrong.text
    assert "median of the 28 days before" in section(page, "figures").text


@pytest.mark.parametrize(("share", "told"), [((0.98, 0.02), 1), ((0.3, 0.7), 2), ((0.0, 1.0), 2)])
def test_a_version_that_took_over_in_the_window_is_told_besides(share: tuple[float, float], told: int) -> None:
    """v1 answered all of the window; v2 answers tonight with a share, and `customer` explains more than it."""
    versions, carried = ["version=v1", "version=v2"], [-0.06, -0.06 * share[0], -0.06 * share[1]]
    parts = rows_of(
        "decompositions", metric="accuracy", label_age=7, day=day_at_age(7), base=0.0, coverage=0.0,
        dimension=["customer"] * 3 + ["version"] * 3, segment=["all", "customer=new", "customer=old", "all", *versions],
        value=[0.88, 0.6, 0.95, 0.88, 0.94, 0.85], former=[0.94, 0.8, 0.96, 0.94, 0.94, np.nan],
        share=[1.0, 0.3, 0.7, 1.0, *share], former_share=[1.0, 0.3, 0.7, 1.0, 1.0, 0.0],
        change=[-0.06, -0.06, 0.0, *carried], mix=[0.0, 0.0, 0.0, *carried],
        rate=[-0.06, -0.06, 0.0, 0.0, 0.0, 0.0],
    )  # fmt: skip
    part = section(reading_html.read(rendered(sample_night.frames() | {"decompositions": parts})), "changes")
    heads = [head.text for head in part.all("h3") if "Accuracy" in head.text]
    assert [head.rpartition("by ")[2] for head in heads] == ["customer", "version"][:told]
    if told == 2:
        assert part.all("tbody")[1].all("tr")[0].text.startswith("version=v2")


def _switched(*dimensions: str) -> Element:
    """v1 answered all of the window and v2 all of tonight, 6 points worse with every customer alike."""
    told = {"customer": ["customer=new", "customer=old"], "version": ["version=v1", "version=v2"]}
    size = 3 * len(dimensions)
    carried = {"customer": ([0.0, 0.0, 0.0], [-0.06, -0.02, -0.04]), "version": ([-0.06, 0.0, -0.06], [0.0] * 3)}
    of = {"customer": ([1.0, 0.3, 0.7], [1.0, 0.3, 0.7]), "version": ([1.0, 0.0, 1.0], [1.0, 1.0, 0.0])}
    mix, rate, share, former = (
        [one for name in dimensions for one in table[name][place]]
        for table, place in ((carried, 0), (carried, 1), (of, 0), (of, 1))
    )
    parts = rows_of(
        "decompositions", metric="accuracy", label_age=7, day=day_at_age(7), base=0.0, coverage=0.0,
        dimension=[name for name in dimensions for _ in range(3)],
        segment=[one for name in dimensions for one in ("all", *told[name])],
        value=[0.88] * size, former=[0.94] * size, share=share, former_share=former,
        change=[a + b for a, b in zip(mix, rate, strict=True)], mix=mix, rate=rate,
    )  # fmt: skip
    return section(reading_html.read(rendered(sample_night.frames() | {"decompositions": parts})), "changes")


def test_after_a_full_switch_who_came_is_not_blamed_and_the_version_is_told_besides() -> None:
    part = _switched("customer", "version")
    heads = [head.text for head in part.all("h3") if "Accuracy" in head.text]
    assert [head.rpartition("by ")[2] for head in heads] == ["customer", "version"]
    customers, versions = part.all("table")[:2]
    assert "Before Now Mix Coverage Rate" in customers.text
    assert "Before Now Which version answered Coverage Rate" in versions.text
    assert "Mix" not in versions.text
    assert "±0.0 pp ±0.0 pp −4.0 pp −4.0 pp" in customers.all("tbody")[0].all("tr")[0].text
    new = next(row.text for row in versions.all("tr") if row.text.startswith("version=v2"))
    assert "−6.0 pp ±0.0 pp ±0.0 pp −6.0 pp" in new


def test_a_switch_without_segments_is_told_by_version_alone() -> None:
    part = _switched("version")
    assert [head.text.rpartition("by ")[2] for head in part.all("h3") if "Accuracy" in head.text] == ["version"]
    assert "Which version answered" in part.all("table")[0].text
