"""Which language is spoken, and how a sentence is said in it.

Sentences are written in English, whole, with named gaps: `say("{metric} of {day} was {value}.", ...)`. Catalogues
(`jobs/locale/<language>/LC_MESSAGES/*.po`, gettext's format) have them in other languages, whose gaps may stand
elsewhere: `nightjar.po` what is stored, `report.po` what pages and mails say around it, `definitions.po` what metrics
mean. What is spoken is set for a piece of work, by whoever has the spec: `with speaking(spec.language): ...`.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

CATALOGUES = Path(__file__).parent / "locale"
SOURCE = "en"
"""What sentences are written in; it needs no catalogue."""
TAGS = {"zh": "zh-Hans"}
"""How a page names its language (BCP 47), where that is not its own name: it decides which letter forms are shown."""
APART = "\x04"
"""Between a sentence's context and the sentence, as in gettext's files."""

_spoken: ContextVar[str] = ContextVar("spoken", default=SOURCE)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say everything in this language until the end; `en` or one that has a catalogue."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def spoken() -> str:
    """The language that is spoken now.

    >>> with speaking("zh"):
    ...     spoken()
    'zh'
    """
    return _spoken.get()


def tag(language: str | None = None) -> str:
    """What a page says of its language; of the one that is spoken where none is given.

    >>> tag("en"), tag("zh")
    ('en', 'zh-Hans')
    """
    language = language or _spoken.get()
    return TAGS.get(language, language)


def say(sentence: str, *, context: str = "", **gaps: Any) -> str:
    """A sentence with its gaps filled, in the language that is spoken; in English where the catalogue lacks it.

    A `context` tells two meanings of one English word apart (gettext's msgctxt); where the catalogue has none for it,
    the word without context is taken.

    >>> say("No predictions were delivered for {day}.", day="2025-03-01")
    'No predictions were delivered for 2025-03-01.'
    >>> with speaking("zh"):
    ...     say("No predictions were delivered for {day}.", day="2025-03-01")
    '2025-03-01 没有收到任何预测数据。'
    """
    text = sentence if _spoken.get() == SOURCE else _translated(sentence, context)
    return text.format(**gaps) if gaps else text


def _translated(sentence: str, context: str) -> str:
    known = catalogue(_spoken.get())
    found = known.get(f"{context}{APART}{sentence}") if context else None
    return found or known.get(sentence, sentence)


@cache
def catalogue(language: str) -> dict[str, str]:
    """The sentences of a language by their English form; those without a translation are left out.

    One that has a context is found by `context`, APART and the sentence.
    """
    from babel.messages.pofile import read_po

    found: dict[str, str] = {}
    for path in sorted((CATALOGUES / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            told = (one for one in read_po(file, locale=language) if one.id and one.string)
            found |= {f"{one.context}{APART}{one.id}" if one.context else str(one.id): str(one.string) for one in told}
    return found


def join(sentences: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    """Sentences one after the other; Chinese puts no space between them.

    >>> join(["One.", "", "Two."])
    'One. Two.'
    """
    return ("" if _spoken.get() == "zh" else " ").join(one for one in sentences if one)
