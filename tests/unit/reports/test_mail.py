"""The night's mail: its subject says the state, both parts say the same, and mail programs can show it."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes, policy

import pandas as pd
import pytest

from reports import mail
from reports.history import History, history_days
from reports.night import view_of
from tests.unit.reports import reading_html, sample_night
from tests.unit.reports.test_page import HOSTILE

LINK = "https://reports.example.org/shop/2025-03-12/?a=1&b=2"


def view(frames=None, day=sample_night.END):
    history = History.of(frames or sample_night.frames(), history_days(sample_night.AGES))
    return view_of(history.at(day), sample_night.spec())


def compose(seen, key="shop-2025-03-12"):
    return mail.compose(seen, "Nightjar <nightjar@example.org>", ["ops@example.org", "ml@example.org"], LINK, key)


def part(message, kind: str) -> str:
    return message.get_body(preferencelist=(kind,)).get_content()


def test_the_subject_says_state_model_day_and_what_is_worst() -> None:
    subject = compose(view())["Subject"]
    assert subject == "[Critical] shop 12 Mar: browsing_time has drifted far from its reference (+1 more)"


def test_a_quiet_night_says_so_in_its_subject() -> None:
    frames = sample_night.frames() | {"incidents": sample_night.empty()["incidents"]}
    assert compose(view(frames))["Subject"] == "[All well] shop 12 Mar: no open incident"


def test_both_parts_tell_incidents_decisions_figures_and_the_way_to_the_page() -> None:
    message = compose(view())
    html = reading_html.read(part(message, "html"))
    for text in (part(message, "plain"), html.text):
        folded = " ".join(text.split())
        for said in (
            "browsing_time has drifted",
            "retrain",
            "the cool-down is 14 days",
            "Accuracy at 7 days",
            "Largest PSI",
        ):
            assert said in folded, said
    assert LINK in part(message, "plain")
    assert [link.attributes["href"] for link in html.all("a")] == [LINK]


def test_the_html_part_is_what_gmail_and_outlook_show() -> None:
    text = part(compose(view()), "html")
    tree = reading_html.read(text)
    for banned in ("script", "svg", "style", "link", "img", "form"):
        assert not tree.all(banned), banned
    assert not re.search(r"display:\s*(flex|grid)|position:|url\(", text)
    assert all("class" not in element.attributes for element in tree.all())


def test_the_mail_stays_under_ninety_kilobytes_with_a_hundred_incidents() -> None:
    frames = sample_night.frames()
    one = frames["incidents"][frames["incidents"]["incident"] == "drift"]
    many = [one.assign(incident=f"drift-{k}", title="a very long title " * 40) for k in range(100)]
    frames["incidents"] = pd.concat(many)
    message = compose(view(frames))
    assert len(message.as_bytes()) < 90_000
    assert "92 more are in the report." in reading_html.read(part(message, "html")).text
    assert len(message["Subject"]) <= mail.SUBJECT_MOST


def test_the_same_night_and_key_give_the_same_bytes_and_another_key_another_name() -> None:
    seen = view()
    assert compose(seen).as_bytes() == compose(seen).as_bytes()
    assert compose(seen)["Message-ID"] != compose(seen, key="other")["Message-ID"]
    assert compose(seen)["Message-ID"].endswith("@example.org>")


def test_the_message_survives_the_wire() -> None:
    sent = compose(view())
    read = message_from_bytes(sent.as_bytes(), policy=policy.default)
    assert read.get_content_type() == "multipart/alternative"
    assert [kind.get_content_type() for kind in read.iter_parts()] == ["text/plain", "text/html"]
    assert " ".join(part(read, "plain").split()) == " ".join(part(sent, "plain").split())
    assert max(len(line) for line in sent.as_bytes().splitlines()) <= 998, "RFC 5322, 2.1.1"


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:24])
def test_hostile_titles_break_neither_headers_nor_html(name: str) -> None:
    frames = sample_night.frames()
    frames["incidents"] = frames["incidents"].assign(title=f"{name}\r\nBcc: all@example.org")
    frames["decisions"] = frames["decisions"].assign(reason=name)
    message = compose(view(frames))
    assert "Bcc" not in message_from_bytes(message.as_bytes(), policy=policy.default)
    tree = reading_html.read(part(message, "html"))
    assert not tree.all("script")
    assert not tree.all("img")
    assert len(message.as_bytes()) < 90_000


@pytest.mark.parametrize("day", [sample_night.GAP, sample_night.END - timedelta(days=500)])
def test_a_night_without_data_has_a_mail_too(day) -> None:
    message = compose(view(day=day))
    assert "Not judged" in message["Subject"]
    assert "No predictions arrived" in part(message, "plain")
