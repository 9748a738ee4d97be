"""Pages of the folder of reports for whoever asks over a network: only finished files, only from below the folder.

A name that comes from outside never becomes a path as a whole. Each part is checked by its letters and then opened
inside the folder before it, without following links, so that neither `..` nor a planted link leads out of the folder.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KINDS = {".html": "text/html; charset=utf-8", ".pdf": "application/pdf", ".png": "image/png"}
"""What is handed out. The small state files beside the pages are nobody's business."""

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_OWN_SCRIPT = re.compile(
    rb'<meta http-equiv="Content-Security-Policy" content="[^">]*script-src (?:\'|&#39;)(sha256-[A-Za-z0-9+/]{43}=)'
)
_HEAD_BYTES = 2000


@dataclass(frozen=True)
class Served:
    """A file's bytes, what they are, and the tag that changes when they do."""

    content: bytes
    kind: str
    tag: str


def read(root: Path, parts: Sequence[str]) -> Served | None:
    """The file `root/part/part/...`; None where there is none that may be handed out.

    >>> from pathlib import Path
    >>> read(Path("reports"), ["..", "secrets.html"]) is None
    True
    """
    kind = KINDS.get(os.path.splitext(parts[-1])[1]) if parts else None  # noqa: PTH122 - a name, not a path
    if kind is None or not all(_PART.fullmatch(part) for part in parts):
        return None
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    with suppress(OSError):  # missing, or a link, which O_NOFOLLOW refuses
        for part in parts[:-1]:
            folder = _into(folder, part)
        return _content(folder, parts[-1], kind)
    return None


def _into(folder: int, part: str) -> int:
    """The folder inside a folder; the outer one is closed."""
    try:
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)


def _content(folder: int, name: str, kind: str) -> Served | None:
    try:
        opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)  # a pipe must not block us
    finally:
        os.close(folder)
    with os.fdopen(opened, "rb") as file:
        known = os.fstat(opened)
        if not stat.S_ISREG(known.st_mode):
            return None
        return Served(file.read(), kind, f'"{known.st_mtime_ns:x}-{known.st_size:x}-{known.st_ino:x}"')


def policy(content: bytes = b"") -> str:
    """The Content-Security-Policy of a served page: no request, no script but the page's own, no foreign frame.

    The script's hash is the one that the page's own policy names. That stands before anything that comes from data, so
    a page keeps the script it was written with, and what data smuggled into it runs none.

    >>> "script-src 'none'" in policy(b"<script>alert(1)</script>")
    True
    """
    named = _OWN_SCRIPT.search(content[:_HEAD_BYTES])
    script = f"'{named.group(1).decode()}'" if named else "'none'"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {script}; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    )
