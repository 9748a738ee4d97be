"""Rules for HTML mail: what Gmail, Outlook (Windows: Word) and the standards let through. Each returns its findings.

What programs support is from caniemail.com (data as of 2019 to 2024, named by page); sizes and lines from the RFCs.
A rule is a function from a read message to a list of sentences; RULES holds them all, `check` runs them.
"""

from __future__ import annotations

import io
import re
import struct
from typing import TYPE_CHECKING

from PIL import Image

from tests.unit.reports.mail_contrast import text_stands_out
from tests.unit.reports.mail_message import Mail, style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HTML_MOST = 90_000
"""Gmail clips at about 102 KB of HTML, pictures not counted (email-bugs issue 41)."""
SHEET_MOST = 8_192
"""Gmail drops a style sheet that is longer."""
LINE_MOST = 998
"""RFC 5322, 2.1.1, without CRLF."""
ROWS_MOST = 25
TAGS = frozenset(
    {"html", "head", "meta", "title", "style", "body", "table", "tr", "td", "th", "h1", "h2", "p", "span", "b", "br", "a", "img"}
)  # fmt: skip
"""What is used and shown everywhere; script, svg, form, picture and video among the rest are not (caniemail: html-*)."""
PROPERTIES = frozenset(
    {
        "background-color",
        "border",
        "border-top",
        "border-bottom",
        "color",
        "font-family",
        "font-size",
        "font-weight",
        "height",
        "line-height",
        "margin",
        "padding",
        "text-decoration",
        "white-space",
        "width",
    }
)
"""Shown by Gmail and by Word alike (caniemail: css-*); height and padding with the limits below."""
EXTRAS = frozenset({"display", "max-width", "word-break", "word-wrap", "-webkit-text-size-adjust", "mso-padding-alt"})
"""Ignored by some program with no harm, under the rules below."""
ATTRIBUTES = frozenset(
    {
        "align",
        "alt",
        "bgcolor",
        "border",
        "cellpadding",
        "cellspacing",
        "class",
        "content",
        "charset",
        "dir",
        "height",
        "href",
        "lang",
        "name",
        "role",
        "scope",
        "src",
        "style",
        "width",
    }
)


TURNING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def check(raw: bytes) -> list[str]:
    """What every rule finds in a message."""
    mail = Mail(raw)
    return [f"{rule.__name__}: {said}" for rule in RULES for said in rule(mail)]


def parts_are_nested_as_programs_expect(mail: Mail) -> list[str]:
    """Plain text first, then HTML with its pictures, in one alternative; attachments outside (RFC 2046, RFC 2387)."""
    top = mail.message
    if top.get_content_type() == "multipart/mixed":
        top, *attached = list(top.iter_parts())  # type: ignore[assignment]
        if any(part.get_content_disposition() != "attachment" for part in attached):
            return ["something beside the body is no attachment"]
    if top.get_content_type() != "multipart/alternative":
        return [f"the body is {top.get_content_type()}"]
    kinds = [part.get_content_type() for part in top.iter_parts()]
    if kinds not in (["text/plain", "text/html"], ["text/plain", "multipart/related"]):
        return [f"the alternatives are {kinds}"]
    inner = [part.get_content_type() for part in list(top.iter_parts())[1].iter_parts()]
    return [] if not inner or inner[0] == "text/html" else [f"related begins with {inner[0]}"]


def every_picture_is_there_and_asked_for(mail: Mail) -> list[str]:
    """A cid: that leads nowhere is a broken picture; a part that nobody asks for is shown as an attachment."""
    asked = [image.attributes.get("src", "") for image in mail.tree.all("img")]
    known = {f"cid:{name}" for name in mail.pictures}
    lost = [f"{address} leads nowhere" for address in asked if address not in known]
    return lost + [f"{address} is not asked for" for address in sorted(known - set(asked))]


def headers_are_whole(mail: Mail) -> list[str]:
    """One each of what a mail needs; none that only an injected line could have brought."""
    counted = {name: len(mail.message.get_all(name, [])) for name in ("Subject", "From", "To", "Message-ID")}
    wrong = [f"{n} times {name}" for name, n in counted.items() if n != 1]
    extra = [name for name in ("Bcc", "Cc", "Reply-To", "X-Injected") if name in mail.message]
    return wrong + [f"there is a {name}" for name in extra]


def lines_are_short(mail: Mail) -> list[str]:
    longest = max((len(line) for line in mail.raw.splitlines()), default=0)
    return [f"a line of {longest} octets"] if longest > LINE_MOST else []


def html_is_small(mail: Mail) -> list[str]:
    size = len(mail.html.encode())
    return [f"{size} bytes of HTML"] if size > HTML_MOST else []


def there_is_a_text_that_reads_well(mail: Mail) -> list[str]:
    """A text part, without markup, in lines that need no wrapping (RFC 3676 suggests at most 78)."""
    part = mail.message.get_body(("plain",))
    text = str(part.get_content()) if part else ""
    if not text.strip():
        return ["no text part"]
    long = [line for line in text.splitlines() if len(line) > 78 and not re.match(r"\S+://\S+$", line)]
    return [f"a text line of {len(long[0])} letters"] if long else []


def only_known_tags(mail: Mail) -> list[str]:
    return sorted({f"<{one.tag}>" for one in mail.tree.all() if one.tag not in TAGS})


def only_known_attributes(mail: Mail) -> list[str]:
    """No handlers, no ids, no srcset (caniemail: html-srcset)."""
    return sorted({name for one in mail.tree.all() for name in one.attributes if name not in ATTRIBUTES})


def only_known_styles(mail: Mail) -> list[str]:
    """No position, float, flex, grid, background images: Word drops them all (caniemail: css-position and others)."""
    known = PROPERTIES | EXTRAS
    return sorted({name for one in mail.tree.all() for name in style(one) if name not in known})


def style_values_are_plain(mail: Mail) -> list[str]:
    """No functions (url, rgb, calc, var), no flex or grid, no negative margins, no fonts in quotes."""
    found = []
    for one in mail.tree.all():
        for name, value in style(one).items():
            if "(" in value or '"' in value or "'" in value:
                found.append(f"{name}: {value}")
            if name == "display" and value not in {"block", "inline-block"}:
                found.append(f"display: {value}")
            if name.startswith("margin") and re.search(r"-\d|auto", value):
                found.append(f"{name}: {value}")
    return found


def nothing_rests_on_the_style_sheet(mail: Mail) -> list[str]:
    """Gmail drops it in many cases (caniemail: html-style): it may hold media queries, nothing else, and be short."""
    left = mail.sheet
    while re.search(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", left):
        left = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", left)
    found = [f"outside a media query: {left.strip()[:60]}"] if left.strip() else []
    found += [f"{word} in the style sheet" for word in ("url(", "@import", "@font-face") if word in mail.sheet]
    return found + ([f"{len(mail.sheet)} letters"] if len(mail.sheet) > SHEET_MOST else [])


def padding_is_on_cells(mail: Mail) -> list[str]:
    """Word pads table cells only (caniemail: css-padding); a span or a link may lose it, a block may not."""
    return [f"<{one.tag}>" for one in mail.tree.all("p") + mail.tree.all("h1") + mail.tree.all("h2") + mail.tree.all("table")
            if "padding" in style(one)]  # fmt: skip


def widths_do_not_need_max_width(mail: Mail) -> list[str]:
    """Word does not know max-width (caniemail: css-max-width): an attribute, or a table for Word alone, stands in."""
    limited = [one for one in mail.tree.all() if "max-width" in style(one)]
    bare = [one for one in limited if one.tag == "img" and not one.attributes.get("width", "").isdigit()]
    word = "<!--[if mso]><table" in mail.html
    return [f"<{one.tag}> has only a max-width" for one in bare] + (
        ["no table of a fixed width for Word"] if any(one.tag == "table" for one in limited) and not word else []
    )


def images_have_size_and_words(mail: Mail) -> list[str]:
    """Width and height as attributes (Word knows no others), words for who blocks pictures; a PNG twice that size."""
    found = []
    for image in mail.tree.all("img"):
        given = image.attributes
        name = given.get("src", "")[:40]
        if not given.get("alt", "").strip():
            found.append(f"{name} has no alt")
        if not (given.get("width", "").isdigit() and given.get("height", "").isdigit()):
            found.append(f"{name} has no size")
            continue
        if style(image).get("display") != "block":
            found.append(f"{name} is not a block: gaps below it")
        found += _pixels(mail, given)
    return found


def _pixels(mail: Mail, given: dict[str, str]) -> Iterator[str]:
    png = mail.pictures.get(given["src"].removeprefix("cid:"))
    if png is None:
        return
    if not png.startswith(b"\x89PNG"):
        yield f"{given['src'][:40]} is no PNG"
        return
    width, height = struct.unpack(">II", png[16:24])
    if (width, height) != (2 * int(given["width"]), 2 * int(given["height"])):
        yield f"{given['src'][:40]} is {width} x {height} for {given['width']} x {given['height']}"


def pictures_bring_their_ground(mail: Mail) -> list[str]:
    """A picture with holes would stand dark on dark where a program turns the mail's ground (and not the picture)."""
    seen = {name: Image.open(io.BytesIO(png)) for name, png in mail.pictures.items() if png.startswith(b"\x89PNG")}
    return [name for name, image in seen.items() if "A" in image.mode or "transparency" in image.info]


def nothing_is_asked_of_a_network(mail: Mail) -> list[str]:
    """Only links that a person follows; pictures come with the mail."""
    sources = [one.attributes["src"] for one in mail.tree.all() if "src" in one.attributes]
    return [address for address in sources if not address.startswith("cid:")]


def links_lead_somewhere(mail: Mail) -> list[str]:
    links = mail.tree.all("a")
    bad = [one for one in links if not re.match(r"(https?|file)://", one.attributes.get("href", ""))]
    return [f"a link to {one.attributes.get('href')!r}" for one in bad] + [
        "a link without words" for one in links if not one.text
    ] + ([] if links else ["no link to the page"])  # fmt: skip


def tables_say_what_they_are(mail: Mail) -> list[str]:
    """Layout tables are marked so; others have heads with a scope. Attributes, since Word ignores border-spacing."""
    found = []
    for table in mail.tree.all("table"):
        if any(table.attributes.get(name) != "0" for name in ("cellpadding", "cellspacing", "border")):
            found.append("a table without cellpadding, cellspacing and border of 0")
        heads = [head for head in table.all("th") if "scope" in head.attributes]
        if table.attributes.get("role") != "presentation" and not heads:
            found.append("a table that is neither layout nor has heads")
    return found


def rows_are_few(mail: Mail) -> list[str]:
    tables = [one for one in mail.tree.all("table") if one.attributes.get("role") != "presentation"]
    n = sum(any(cell.tag == "td" for cell in row.children) for table in tables for row in table.all("tr"))
    return [f"{n} rows"] if n > ROWS_MOST else []


def dark_screens_are_thought_of(mail: Mail) -> list[str]:
    """Programs that know dark mode are told; no pure black or white, which those that do not turn worst."""
    metas = {one.attributes.get("name"): one.attributes.get("content") for one in mail.tree.all("meta")}
    found = [f"no {name}" for name in ("color-scheme", "supported-color-schemes") if metas.get(name) != "light dark"]
    if "prefers-color-scheme:dark" not in mail.sheet.replace(" ", ""):
        found.append("no styles for a dark screen")
    pure = re.findall(r"#(?:000000|ffffff|000|fff)\b|:\s*(?:black|white)\b", mail.html, flags=re.IGNORECASE)
    return found + sorted({f"pure {colour}" for colour in pure})


def nothing_is_hidden(mail: Mail) -> list[str]:
    """Hidden text is what spam filters look for, and Outlook.com may show it."""
    return [f"<{one.tag}>" for one in mail.tree.all() if style(one).get("display") == "none"
            or style(one).get("font-size") in {"0", "0px"}]  # fmt: skip


def names_cannot_turn_the_page(mail: Mail) -> list[str]:
    """No control or direction characters, in either part or in the subject."""
    part = mail.message.get_body(("plain",))
    told = mail.html + (str(part.get_content()) if part else "") + str(mail.message["Subject"])
    return sorted({f"U+{ord(one):04X}" for one in TURNING.findall(told)})


def the_document_is_whole(mail: Mail) -> list[str]:
    """A doctype (else Word and browsers quirk), a language and a title (WCAG 3.1.1, 2.4.2), one heading of the first rank."""
    found = [] if mail.html.lstrip().lower().startswith("<!doctype html>") else ["no doctype"]
    [page] = mail.tree.all("html") or [mail.tree]
    found += [] if page.attributes.get("lang") else ["no language"]
    found += (
        [] if any(one.text or re.search("<title>[^<]+", mail.html) for one in mail.tree.all("title")) else ["no title"]
    )
    return found + ([] if len(mail.tree.all("h1")) == 1 else ["not one h1"])


RULES: tuple[Callable[[Mail], list[str]], ...] = (
    parts_are_nested_as_programs_expect, every_picture_is_there_and_asked_for, headers_are_whole, lines_are_short,
    html_is_small, there_is_a_text_that_reads_well, only_known_tags, only_known_attributes, only_known_styles,
    style_values_are_plain, nothing_rests_on_the_style_sheet, padding_is_on_cells, widths_do_not_need_max_width,
    images_have_size_and_words, pictures_bring_their_ground, nothing_is_asked_of_a_network, links_lead_somewhere,
    tables_say_what_they_are, rows_are_few, dark_screens_are_thought_of, text_stands_out, nothing_is_hidden,
    names_cannot_turn_the_page, the_document_is_whole,
)  # fmt: skip
