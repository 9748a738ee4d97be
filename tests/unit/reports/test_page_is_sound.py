"""What never happens on a page: it needs nothing but itself, is well formed, stays small."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pandas as pd

from jobs.methods.definitions import DEFINITIONS
from reports import page
from reports.history import History, history_days
from reports.night import view_of
from reports.words import WORDS
from tests.unit.reports import reading_html, sample_night
from tests.unit.reports.rendered_page import TERMS, rendered, section, view

if TYPE_CHECKING:
    from tests.unit.reports.reading_html import Element


def test_the_page_needs_nothing_but_itself(text: str, tree: Element) -> None:
    assert not tree.all("link")
    around = ("#", "../index.html#n2025-03-12", "../../index.html", "../2025-03-11/index.html")
    assert all(link.attributes["href"].startswith(around) for link in tree.all("a"))
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "url(" not in text
    assert "@import" not in text


def test_its_one_script_is_the_one_its_policy_names(text: str, tree: Element) -> None:
    [script] = re.findall(r"<script[^>]*>(.*?)</script>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    [policy] = [one.attributes["content"] for one in tree.all("meta") if "http-equiv" in one.attributes]
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "'unsafe-inline'" not in policy.split("script-src")[1]


def test_a_page_that_is_sent_away_leads_to_no_other_page() -> None:
    tree = reading_html.read(page.render(view(sample_night.frames()), site=False))
    assert all(link.attributes["href"].startswith("#") for link in tree.all("a"))


def test_the_first_night_leads_to_no_night_before() -> None:
    history = History.of(sample_night.frames(), history_days(sample_night.AGES))
    first = view_of(history.at(sample_night.END), sample_night.spec(), TERMS, sample_night.END)
    assert "Night before" not in page.render(first)
    assert "Night before" in rendered(sample_night.frames())


def test_every_defined_metric_has_a_name_and_a_kind_of_number() -> None:
    assert set(WORDS) == {one.name for one in DEFINITIONS}


def test_every_picture_has_a_text_equivalent_or_is_hidden(tree: Element) -> None:
    ids = {element.attributes["id"]: element for element in tree.all() if "id" in element.attributes}
    for svg in tree.all("svg"):
        if svg.attributes.get("aria-hidden") == "true":
            continue
        assert svg.attributes["role"] == "img"
        assert svg.attributes.get("aria-label") or svg.all("title")[0].text
        if "chart" in svg.attributes["class"].split():
            assert ids[svg.attributes["aria-labelledby"]].text
            assert len(ids[svg.attributes["aria-describedby"]].text) > 20


def test_no_id_is_there_twice_and_every_link_and_label_leads_somewhere(tree: Element) -> None:
    ids = [element.attributes["id"] for element in tree.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    wanted = [link.attributes["href"][1:] for link in tree.all("a") if link.attributes["href"].startswith("#")]
    wanted += [value for element in tree.all() for key, value in element.attributes.items() if key == "aria-labelledby"]
    assert set(wanted) <= set(ids)


def test_every_svg_is_well_formed_xml(text: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(pictures) > 40
    for picture in pictures:
        ET.fromstring(picture)  # noqa: S314 - our own output


def test_nothing_reads_nan_or_none(tree: Element, text: str) -> None:
    assert not re.search(r"\b(nan|None|NaT|inf)\b", tree.text)
    assert not re.search(r'[ "ML](nan|inf)', text)


def test_headings_go_down_one_step_at_a_time(tree: Element) -> None:
    levels = [int(element.tag[1]) for element in tree.all() if re.fullmatch("h[1-6]", element.tag)]
    assert levels[0] == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))


def test_the_page_stays_small(text: str) -> None:
    assert len(text.encode()) < 300_000


def test_fifty_features_eighty_segments_and_twelve_versions_stay_under_a_megabyte() -> None:
    frames = sample_night.frames()
    metrics = frames["metrics"]
    psi = metrics[metrics["feature"] == "browsing_time"]
    part = metrics[metrics["segment"] == "customer=new"]
    whole = metrics[(metrics["version"] == "v1")]
    more = [psi.assign(feature=f"feature_{k}") for k in range(50)]
    more += [part.assign(segment=f"city=number {k}") for k in range(80)]
    more += [whole.assign(version=f"v{k}") for k in range(10, 20)]
    bins = frames["contributions"]
    browsing = bins[bins["feature"] == "browsing_time"]
    frames["metrics"] = pd.concat([metrics, *more], ignore_index=True)
    frames["contributions"] = pd.concat([bins, *(browsing.assign(feature=f"feature_{k}") for k in range(50))])
    text = rendered(frames)
    assert len(text.encode()) < 900_000
    tree = reading_html.read(text)
    assert "10 more features moved less than these." in section(tree, "drift").text
    assert "71 more segments did better than these." in section(tree, "segments").text
    assert "6 more are not shown." in section(tree, "versions").text
