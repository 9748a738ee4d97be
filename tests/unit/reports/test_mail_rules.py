"""Every kind of mail passes every rule for Gmail and Outlook, and every rule catches a mail that breaks it."""

from __future__ import annotations

import io
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from PIL import Image

from tests.unit.reports import sample_night
from tests.unit.reports.hostile_night import HOSTILE, hostile
from tests.unit.reports.mail_contrast import text_stands_out
from tests.unit.reports.mail_message import Mail
from tests.unit.reports.mail_rules import RULES, check
from tests.unit.reports.test_mail import compose, part, view

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

    from reports.view import NightView

ODD = ("$\\frac{1}{0}$", "$a_{", "a & b < c", "=?utf-8?q?x?=", "…" * 300, "字" * 10_000, "🦇" * 10_000)


def everything_wrong(name: str = "an input") -> NightView:
    """Thirty incidents open, each with a text, decisions and evidence, and every input far from its reference."""
    frames = hostile(name)
    one = frames["incidents"][frames["incidents"]["incident"] == "drift"]
    long = f"{name} " * max(3000 // len(name), 1)
    many = [one.assign(incident=f"drift-{k}", title=f"{k} {long}", text=long) for k in range(30)]
    decisions = [frames["decisions"].assign(incident=f"drift-{k}", reason=long) for k in range(30)]
    metrics, verdicts = frames["metrics"], frames["verdicts"]
    psi = metrics["metric"] == "psi"
    metrics = metrics.assign(value=metrics["value"].where(~psi, 3.0))
    verdicts = verdicts.assign(
        verdict="breach", severity="critical", value=verdicts["value"].where(verdicts["metric"] != "psi", 3.0)
    )
    told = {"incidents": pd.concat(many), "decisions": pd.concat(decisions), "metrics": metrics, "verdicts": verdicts}
    return view(frames | told)


def one_row() -> NightView:
    """A model's first night, with one prediction."""
    frames = {name: frame.head(0) for name, frame in sample_night.frames().items()}
    rows = sample_night.frames()["metrics"]
    volume = rows[(rows["metric"] == "volume") & (rows["version"] == "all")].tail(1)
    return view(frames | {"metrics": volume.assign(value=1.0, n=1.0)})


def long_known() -> NightView:
    """A quiet night."""
    return view(sample_night.frames() | {"incidents": sample_night.empty()["incidents"]})


def named(name: str) -> NightView:
    """The sample night with that name wherever a name comes from data."""
    return view(hostile(name))


KINDS: dict[str, Callable[[], NightView]] = {
    "two incidents": view,
    "all well": long_known,
    "nothing at all": lambda: view(sample_night.empty()),
    "no data that day": lambda: view(day=sample_night.GAP),
    "before the first day": lambda: view(day=sample_night.END - timedelta(days=500)),
    "one row": one_row,
    "everything wrong": everything_wrong,
    **{f"named {ascii(name)[:20]}": partial(named, name) for name in (*HOSTILE, *ODD)},
    **{f"all wrong {ascii(name)[:20]}": partial(everything_wrong, name) for name in (*HOSTILE, *ODD)},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_mail_passes_every_rule(kind: str) -> None:
    seen = KINDS[kind]()
    assert check(compose(seen).as_bytes()) == []
    page = "<!doctype html><p>the page</p>\n"
    assert check(compose(seen, page=page).as_bytes()) == []


def bad(change: Callable[[str], str]) -> Callable[[], bytes]:
    """The sample's mail with its HTML changed."""

    def made() -> bytes:
        message = compose(view())
        text = part(message, "html")
        assert change(text) != text, "the change changes nothing"
        body = message.get_body(("html",))
        assert body is not None
        body.set_content(change(text), subtype="html", cte="quoted-printable")
        return message.as_bytes()

    return made


def swap(old: str, new: str) -> Callable[[], bytes]:
    return bad(lambda text: text.replace(old, new, 1))


def without_related() -> bytes:
    message = compose(view())
    message.set_type("multipart/mixed")
    return message.as_bytes()


def changed(do: Callable[[EmailMessage], object]) -> Callable[[], bytes]:
    def made() -> bytes:
        message = compose(view())
        do(message)
        return message.as_bytes()

    return made


def holed() -> bytes:
    """A picture that lets the ground through."""
    message = compose(view())
    out = io.BytesIO()
    Image.new("RGBA", (1088, 176)).save(out, "PNG")
    [image, *_] = [one for one in message.walk() if one.get_content_type() == "image/png"]
    image.set_content(out.getvalue(), "image", "png", cid=image["Content-ID"])
    return message.as_bytes()


def long_line() -> bytes:
    """A header that was never folded."""
    return compose(view()).as_bytes().replace(b"MIME-Version", b"X-Long: " + b"x" * 1000 + b"\r\nMIME-Version", 1)


def long_text() -> bytes:
    """A text part in one line."""
    message = compose(view())
    body = message.get_body(("plain",))
    assert body is not None
    body.set_content("long " * 40)
    return message.as_bytes()


BAD: dict[str, Callable[[], bytes]] = {
    "parts_are_nested_as_programs_expect": without_related,
    "every_picture_is_there_and_asked_for": swap("cid:nights.", "cid:nowhere."),
    "headers_are_whole": changed(lambda message: message.add_header("Bcc", "all@example.org")),
    "lines_are_short": long_line,
    "html_is_small": swap("Key figures", "figures " * 12_000),
    "there_is_a_text_that_reads_well": long_text,
    "only_known_tags": swap("<h2", "<svg></svg><h2"),
    "only_known_attributes": swap("<h2", "<h2 onclick='x()'"),
    "only_known_styles": swap("margin:0 0 8px 0;", "position:absolute;"),
    "style_values_are_plain": swap("font-size:17px;", "background-color:url(x.png);"),
    "nothing_rests_on_the_style_sheet": swap("<style>", "<style>.ink{color:red}"),
    "padding_is_on_cells": swap("margin:0 0 8px 0;", "padding:8px;"),
    "widths_do_not_need_max_width": swap("<!--[if mso]><table", "<!--[if never]><table"),
    "images_have_size_and_words": bad(lambda text: text.replace(' alt="', ' name="')),
    "pictures_bring_their_ground": holed,
    "nothing_is_asked_of_a_network": swap("cid:nights", "https://example.org/nights"),
    "links_lead_somewhere": swap('href="https', 'href="javascript'),
    "tables_say_what_they_are": bad(lambda text: text.replace('scope="col"', "").replace('scope="row"', "")),
    "rows_are_few": swap("</th></tr>", "</th></tr>" + "<tr><td></td></tr>" * 26),
    "dark_screens_are_thought_of": swap("#fefefe", "#ffffff"),
    "text_stands_out": swap("color:#1c1d21;margin", "color:#c8c8c8;margin"),
    "nothing_is_hidden": swap("margin:0 0 8px 0;", "display:none;"),
    "names_cannot_turn_the_page": swap("Key figures", "Key \u202efigures"),
    "the_document_is_whole": swap("<!doctype html>", ""),
}  # fmt: skip


def test_for_each_rule_there_is_a_mail_that_breaks_it() -> None:
    assert list(BAD) == [rule.__name__ for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_each_rule_catches_the_mail_that_breaks_it(rule: Callable[[Mail], list[str]]) -> None:
    assert rule(Mail(BAD[rule.__name__]()))


def test_a_dark_style_that_is_forgotten_is_found() -> None:
    text = Mail(swap('class="soft" style="font', 'style="font')())  # a soft text that no longer follows the dark screen
    assert any(said.startswith("dark:") for said in text_stands_out(text))
