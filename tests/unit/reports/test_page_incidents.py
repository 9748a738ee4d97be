"""How a page tells of incidents: quiet, over, many, and with hostile names."""

from __future__ import annotations

import re
from datetime import timedelta
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from reports import sentence
from tests.unit.reports import reading_html, sample_night
from tests.unit.reports.hostile_night import HOSTILE, hostile
from tests.unit.reports.rendered_page import rendered, section, view


def test_without_an_open_incident_the_night_is_quiet_and_says_what_was_looked_at() -> None:
    frames = sample_night.frames() | {"incidents": sample_night.empty()["incidents"]}
    seen = view(frames)
    assert seen.state == "ok"
    assert re.match(r"All quiet: \d+ checks made, 2 of them breached", sentence.verdict(seen)), sentence.verdict(seen)


def test_a_card_writes_all_its_days_alike_and_its_scope_in_words() -> None:
    frames = sample_night.frames()
    told = {"title": "no predictions for 2025-03-10", "text": "Open since 2025-03-08.", "scope": "behaviour:plan=new"}
    frames["incidents"] = frames["incidents"].assign(**told)
    text = reading_html.read(rendered(frames)).text
    assert "no predictions for 10 Mar" in text
    assert "Open since 8 Mar." in text
    assert "the model's behaviour for plan=new" in text
    assert "2025-03-10" not in text


def test_a_dry_run_is_not_told_as_held_back() -> None:
    frames = sample_night.frames()
    frames["decisions"] = frames["decisions"].assign(outcome="dry_run")
    seen = view(frames)
    assert "a retraining would have been requested (dry run)" in sentence.verdict(seen)
    assert "held back" not in sentence.verdict(seen)
    assert {one.told for incident in seen.incidents for one in incident.decisions} == {"dry run"}


def test_the_night_an_incident_is_resolved_says_so_once() -> None:
    frames = sample_night.frames()
    incidents = frames["incidents"]
    frames["incidents"] = incidents[incidents["incident"] == "slow"]
    resolved = sample_night.END - timedelta(days=55)
    assert "All quiet again: “Answers were slow” is over" in sentence.verdict(view(frames, resolved))
    assert not view(frames, resolved + timedelta(days=1)).resolved


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:24])
def test_hostile_names_are_shown_as_text_and_shortened(name: str) -> None:
    text = rendered(hostile(name))
    tree = reading_html.read(text)
    assert len(text.encode()) < 330_000
    assert len(tree.all("script")) == 1
    assert not tree.all("img")
    assert not [element for element in tree.all() if any(key.startswith("on") for key in element.attributes)]
    assert "49" not in tree.all("h1")[0].text
    assert not set("\u202e\u202c\x00\x1b") & set(text)
    for picture in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL):
        ET.fromstring(picture)  # noqa: S314 - our own output


def test_of_many_incidents_the_worst_eight_are_open_and_the_rest_one_click_away() -> None:
    frames = sample_night.frames()
    incidents = frames["incidents"]
    newest = incidents[incidents["night"] == incidents["night"].max()].head(1)
    many = [newest.assign(incident=f"more {k}", title=f"more {k}", severity="info") for k in range(12)]
    tree = reading_html.read(rendered(frames | {"incidents": pd.concat([incidents, *many])}))
    part = section(tree, "wrong")
    assert len(part.all("article", class_="incident")) == 14
    [rest] = [one for one in part.all("details") if one.all("summary")[0].text == "6 more open incidents"]
    assert len(rest.all("article", class_="incident")) == 6
    assert tree.all("h1")[0].text.startswith("14 things need attention")


def test_evidence_that_is_no_json_is_left_out_and_the_incident_stays() -> None:
    frames = sample_night.frames()
    frames["incidents"] = frames["incidents"].assign(evidence="{broken")
    tree = reading_html.read(rendered(frames))
    assert len(section(tree, "wrong").all("article", class_="incident")) == 2
