"""Which language is spoken, and how a sentence is said in it.

Sentences are written in English, whole, with named gaps: `say("{metric} of {day} was {value}.", ...)`. A catalogue
(`jobs/locale/<language>/LC_MESSAGES/nightjar.po`, gettext's format) has them in other languages, whose gaps may stand
elsewhere. What is spoken is set for a piece of work, by whoever has the spec: `with speaking(spec.language): ...`.
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


def say(sentence: str, **gaps: Any) -> str:
    """A sentence with its gaps filled, in the language that is spoken; in English where the catalogue lacks it.

    >>> say("No predictions were delivered for {day}.", day="2025-03-01")
    'No predictions were delivered for 2025-03-01.'
    >>> with speaking("zh"):
    ...     say("No predictions were delivered for {day}.", day="2025-03-01")
    '2025-03-01 没有收到任何预测数据。'
    """
    text = sentence if _spoken.get() == SOURCE else catalogue(_spoken.get()).get(sentence, sentence)
    return text.format(**gaps) if gaps else text


@cache
def catalogue(language: str) -> dict[str, str]:
    """The sentences of a language by their English form; those without a translation are left out."""
    from babel.messages.pofile import read_po

    with (CATALOGUES / language / "LC_MESSAGES" / "nightjar.po").open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file, locale=language) if one.id and one.string}


def join(sentences: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    """Sentences one after the other; Chinese puts no space between them.

    >>> join(["One.", "", "Two."])
    'One. Two.'
    """
    return ("" if _spoken.get() == "zh" else " ").join(one for one in sentences if one)
