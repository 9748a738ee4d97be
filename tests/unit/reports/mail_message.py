"""A mail as tests read it: its parts, its HTML as a tree, its pictures by Content-ID."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from functools import cached_property
from typing import TYPE_CHECKING

from tests.unit.reports import reading_html

if TYPE_CHECKING:
    from email.message import EmailMessage

    from tests.unit.reports.reading_html import Element


@dataclass(frozen=True)
class Mail:
    """A message as it came off the wire."""

    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        read: EmailMessage = message_from_bytes(self.raw, policy=policy.default)  # type: ignore[arg-type, assignment]
        return read

    @cached_property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        return str(part.get_content()) if part else ""

    @cached_property
    def tree(self) -> Element:
        return reading_html.read(self.html)

    @cached_property
    def sheet(self) -> str:
        return "\n".join(re.findall(r"<style[^>]*>(.*?)</style>", self.html, flags=re.DOTALL))

    @cached_property
    def pictures(self) -> dict[str, bytes]:
        parts = [part for part in self.message.walk() if part.get_content_maintype() == "image"]
        return {str(part["Content-ID"]).strip("<>"): part.get_content() for part in parts}


def style(element: Element) -> dict[str, str]:
    """An element's own styles."""
    told = (one.partition(":") for one in element.attributes.get("style", "").split(";") if one.strip())
    return {name.strip().lower(): value.strip().lower() for name, _, value in told}
