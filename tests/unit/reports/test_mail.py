"""The night's mail: its subject says the state, both parts say the same, and mail programs can show it."""

from __future__ import annotations

from datetime import date, timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from reports import mail
from reports.history import History, history_days
from reports.letter import letter
from reports.night import view_of
from tests.unit.reports import reading_html, sample_night
from tests.unit.reports.hostile_night import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import EmailMessage

    from reports.view import NightView

LINK = "https://reports.example.org/shop/2025-03-12/?a=1&b=2"


def view(frames: Mapping[str, pd.DataFrame] | None = None, day: date = sample_night.END) -> NightView:
    history = History.of(frames or sample_night.frames(), history_days(sample_night.AGES))
    return view_of(history.at(day), sample_night.spec())


def compose(seen: NightView, key: str = "shop-2025-03-12", page: str | None = None) -> EmailMessage:
    recipients = ["ops@example.org", "ml@example.org"]
    return mail.compose(seen, "Nightjar <nightjar@example.org>", recipients, LINK, key, page)


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    assert body is not None
    return str(body.get_content())


def read_back(message: EmailMessage) -> EmailMessage:
    """As a mail program gets it."""
    read: EmailMessage = message_from_bytes(message.as_bytes(), policy=policy.default)  # type: ignore[arg-type, assignment]
    return read


def test_the_subject_says_state_model_day_and_what_is_worst() -> None:
    subject = compose(view())["Subject"]
    assert subject == "[Critical] shop 12 Mar: browsing_time has drifted far from its reference (+1 more)"


LONG = (
    "lead_time drifted (PSI 0.52), adr drifted (PSI 0.47) and 3 more → accuracy 75.4 % (recently 83.2 %), "
    "recall 61.0 % (recently 72.0 %) and 2 more"
)


def test_a_long_title_leaves_out_whole_figures_in_a_subject() -> None:
    """Nothing is cut within a figure: not in the night's mail, not in an incident's own."""
    frames = sample_night.frames()
    frames["incidents"] = frames["incidents"].assign(title=LONG)
    rest = "lead_time drifted (PSI 0.52) → accuracy 75.4 % (recently 83.2 %) …"
    told = compose(view(frames))["Subject"].replace("\u202f", " ")
    assert told == f"[Critical] shop 12 Mar: {rest} (+1 more)"
    payload = {"key": "k", "incident": "i", "text": "", "title": LONG}
    sent = letter(f"[warning] hotels, worse: {LONG}", payload, "Nightjar <nightjar@example.org>", "ops@example.org")
    assert sent["Subject"].replace("\u202f", " ") == f"[warning] hotels, worse: {rest}"


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
            "cool-down is 14 days",
            "Accuracy at 7 days",
            "Largest PSI",
        ):
            assert said in folded, said
    assert LINK in part(message, "plain")
    assert {link.attributes["href"] for link in html.all("a")} == {LINK}


def test_the_mail_stays_under_ninety_kilobytes_with_a_hundred_incidents() -> None:
    frames = sample_night.frames()
    one = frames["incidents"][frames["incidents"]["incident"] == "drift"]
    many = [one.assign(incident=f"drift-{k}", title="a very long title " * 40) for k in range(100)]
    frames["incidents"] = pd.concat(many)
    message = compose(view(frames))
    assert len(message.as_bytes()) < 90_000
    assert len(part(message, "plain")) < 20_000
    assert "92 more are in the report." in reading_html.read(part(message, "html")).text
    assert len(message["Subject"]) <= mail.SUBJECT_MOST


def test_the_same_night_and_key_give_the_same_bytes_and_another_key_another_name() -> None:
    seen = view()
    assert compose(seen).as_bytes() == compose(seen).as_bytes()
    assert compose(seen)["Message-ID"] != compose(seen, key="other")["Message-ID"]
    assert compose(seen)["Message-ID"].endswith("@example.org>")


def test_the_message_is_read_back_as_it_was_sent() -> None:
    sent = compose(view(), page="<!doctype html><p>Grüße</p>")
    read = read_back(sent)
    assert " ".join(part(read, "plain").split()) == " ".join(part(sent, "plain").split())
    body, page = read.iter_parts()
    text, related = body.iter_parts()
    html, *pictures = related.iter_parts()
    kinds = [one.get_content_type() for one in (read, body, text, related, html)]
    assert kinds == ["multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html"]
    assert [one.get_content_type() for one in pictures] == ["image/png"] * len(pictures)
    assert 2 <= len(pictures) <= 4
    assert (page.get_filename(), page.get_content_type()) == ("shop-2025-03-12.html", "text/html")
    assert page.get_content_charset() == "utf-8"
    assert "Grüße" in page.get_content()


def test_every_cid_leads_to_a_picture() -> None:
    read = read_back(compose(view()))
    known = {str(one["Content-ID"]).strip("<>") for one in read.walk() if one.get_content_maintype() == "image"}
    asked = {image.attributes["src"] for image in reading_html.read(part(read, "html")).all("img")}
    assert asked == {f"cid:{name}" for name in known}


def test_two_nights_share_no_picture_name() -> None:
    """Programs keep pictures by Content-ID; the same one for another night would show the wrong picture."""
    ids = [{one["Content-ID"] for one in compose(view(), key).walk() if one["Content-ID"]} for key in ("a", "b")]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:24])
def test_hostile_titles_break_neither_headers_nor_html(name: str) -> None:
    frames = sample_night.frames()
    frames["incidents"] = frames["incidents"].assign(title=f"{name}\r\nBcc: all@example.org")
    frames["decisions"] = frames["decisions"].assign(reason=name)
    message = compose(view(frames))
    assert "Bcc" not in read_back(message)
    tree = reading_html.read(part(message, "html"))
    assert not tree.all("script")
    assert all(image.attributes["src"].startswith("cid:") for image in tree.all("img"))
    assert not [one for one in tree.all() if any(name.startswith("on") for name in one.attributes)]


@pytest.mark.parametrize("day", [sample_night.GAP, sample_night.END - timedelta(days=500)])
def test_a_night_without_data_has_a_mail_too(day: date) -> None:
    message = compose(view(day=day))
    assert "Not judged" in message["Subject"]
    assert "No predictions arrived" in part(message, "plain")


def test_the_text_part_has_short_lines_in_order_of_importance() -> None:
    text = part(compose(view()), "plain")
    assert max(len(line) for line in text.splitlines()) <= 78
    order = ["Two things need attention", LINK, "WHAT IS WRONG", "KEY FIGURES", "INPUTS THAT LEFT THE REFERENCE"]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)


def test_on_a_narrow_and_a_wide_screen_figures_stand_in_columns_of_the_text() -> None:
    lines = part(compose(view()), "plain").splitlines()
    named = [line for line in lines if line.startswith(("Predictions", "Accuracy at 7", "Latency p95"))]
    ends = {line.index(value) + len(value) for line, value in zip(named, ("15,558", "84.6", "176 ms"), strict=True)}
    assert len(ends) <= 2, "values end in one column (the percent sign stands after a narrow space)"


def test_many_incidents_are_told_in_short_after_the_fourth() -> None:
    frames = sample_night.frames()
    one = frames["incidents"][frames["incidents"]["incident"] == "drift"]
    many = [one.assign(incident=f"drift-{k}", text=f"the long story of {k}") for k in range(6)]
    message = compose(view(frames | {"incidents": pd.concat(many)}))
    for kind in ("plain", "html"):
        told = [k for k in range(6) if f"the long story of {k}" in part(message, kind)]
        assert told == [0, 1, 2, 3], kind


def test_a_recipient_with_a_line_break_makes_no_mail() -> None:
    """A spec refuses it earlier; were it not for that, no header would come of it either."""
    with pytest.raises(ValueError, match="linefeed or carriage return"):
        mail.compose(view(), "n@example.org", ["a@example.org\r\nBcc: all@example.org"], LINK, "k")
