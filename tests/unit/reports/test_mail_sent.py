"""The night's mail through a real SMTP server: what arrives is whole, keeps every rule, and can carry the page."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from jobs import delivery
from reports.letter import letter
from tests.kiosk import day
from tests.unit.reports import reading_html
from tests.unit.reports.hostile_night import HOSTILE
from tests.unit.reports.mail_message import Mail
from tests.unit.reports.mail_rules import check
from tests.unit.test_delivery import LAST, Post, post, silent_night

if TYPE_CHECKING:
    import pytest

    from tests.kiosk import Kiosk

__all__ = ["post", "silent_night"]


def send(kiosk: Kiosk, post: Post) -> Mail:
    """The mail of the last night, as the server got it."""
    delivery.dispatch(kiosk.spec, day(LAST), kiosk.home, day(LAST))
    return Mail(post.arrived[-1])


def test_what_arrives_keeps_every_rule(silent_night: Kiosk, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(delivery.LINKS, "https://nights.example.org/reports/")
    arrived = send(silent_night, post)
    assert check(arrived.raw) == []
    link = f"https://nights.example.org/reports/kiosk/{day(LAST)}/index.html"
    assert {one.attributes["href"] for one in arrived.tree.all("a")} == {link}
    assert str(arrived.message["Message-ID"]).endswith("@localhost>")
    assert arrived.message["Date"]
    assert arrived.pictures, "the mail of a bad night has pictures"


def test_a_mail_sent_again_has_the_same_pictures_under_the_same_names(silent_night: Kiosk, post: Post) -> None:
    first = send(silent_night, post)
    with silent_night.warehouse() as warehouse:
        warehouse.execute("DELETE FROM dispatches")
    again = send(silent_night, post)
    assert len(post.arrived) == 2
    assert (first.message["Message-ID"], first.pictures) == (again.message["Message-ID"], again.pictures)


def test_on_wish_the_whole_page_goes_with_it(silent_night: Kiosk, post: Post) -> None:
    silent_night.changes["mail"] |= {"attach": True}
    arrived = send(silent_night, post)
    assert check(arrived.raw) == []
    [page] = arrived.message.iter_attachments()
    assert page.get_filename() == f"kiosk-{day(LAST)}.html"
    tree = reading_html.read(page.get_content())
    assert tree.all("h1")[0].text == arrived.tree.all("h1")[0].text
    assert not [one for one in tree.all("a") if not one.attributes.get("href", "").startswith("#")], "it stands alone"


def test_without_the_wish_there_is_no_attachment(silent_night: Kiosk, post: Post) -> None:
    assert list(send(silent_night, post).message.iter_attachments()) == []


def test_wanting_the_page_does_not_make_older_nights_stale(silent_night: Kiosk) -> None:
    from jobs.spec.digest import stage_digest

    before = stage_digest(silent_night.spec, "incidents")
    silent_night.changes["mail"] |= {"attach": True}
    assert stage_digest(silent_night.spec, "incidents") == before


def test_a_letter_about_an_incident_cannot_be_made_to_carry_headers() -> None:
    for name in HOSTILE:
        payload = {"text": name, "key": "k-1", "incident": "i-1", "state": "opened"}
        sent = letter(f"{name}\r\nBcc: all@example.org", payload, "n@example.org", "a@example.org")
        read = message_from_bytes(sent.as_bytes(), policy=policy.default)
        assert "Bcc" not in read
        assert len(str(read["Subject"])) <= 160
        assert max(len(line) for line in sent.as_bytes().splitlines()) <= 998
        assert not set("\u202e\x00\x1b") & set(str(read["Subject"]))
