"""What was told of a model outside of its nights, beside its file: a night that hangs must not silence who tells of it.

A small JSON file of its own, `told/<model>.json`, under a lock of its own that nobody holds for longer than the
messages take. It is written whole after each note, so a process that dies repeats one message at most.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from jobs.engine.shelf import read_json, write_json
from jobs.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

WAIT_SECONDS = 300.0
"""How long to wait for another process that tells of the same model: what it has told is not told again."""


class Notes:
    """The keys that were told, each with when and what the other side said."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = read_json(path)  # a broken file is as good as none: a gap is told once more

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def add(self, key: str, at: datetime, answer: str) -> None:
        """Note a key, on disk when this returns."""
        self._kept[key] = {"at": at.isoformat(), "answer": answer}
        write_json(self._path, self._kept)


def notes_file(home: Path, model: str) -> Path:
    """Where the notes of a model lie."""
    return home / "told" / f"{model}.json"


@contextmanager
def notes(home: Path, model: str, wait: float = WAIT_SECONDS) -> Iterator[Notes]:
    """A model's notes, for this process alone; DeliveryError where another holds them for `wait` seconds."""
    path = notes_file(home, model)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_suffix(".json.lock")
    try:
        with FileLock(lock).acquire(timeout=wait):
            yield Notes(path)
    except Timeout as error:
        raise DeliveryError(
            f"{model}: waited {wait:.0f} s for {lock}, which another process that tells of this model holds; run again"
        ) from error
