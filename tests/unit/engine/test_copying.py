"""The readers' copy of a large file: what was the copy before is brought up to date, unless somebody has it open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from jobs.engine import copying
from jobs.engine.copying import PIECE, copy_changes


class Places(NamedTuple):
    source: Path
    target: Path
    former: Path

    def publish(self, content: bytes) -> int:
        """Copy a source of this content; the inode of the copy."""
        self.source.write_bytes(content)
        copy_changes(self.source, self.target, self.former)
        assert self.target.read_bytes() == content
        return self.target.stat().st_ino


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setattr(copying, "LARGE", 1)
    return Places(tmp_path / "model", tmp_path / "published" / "model", tmp_path / "former" / "model")


def nights(count: int) -> list[bytes]:
    """Contents of which each differs from the one before in a piece, and all in length."""
    return [b"".join(bytes([max(0, night - place)]) * PIECE for place in range(4 + night)) for night in range(count)]


def test_two_copies_take_turns_and_are_always_those_of_the_source(places: Places) -> None:
    made = [places.publish(content) for content in nights(6)]
    assert made[0] == made[2] == made[4] != made[1] == made[3] == made[5]


def test_a_file_that_has_become_shorter_is_cut(places: Places) -> None:
    for content in reversed(nights(4)):
        places.publish(content)


def test_who_has_a_former_copy_open_goes_on_reading_it(places: Places) -> None:
    contents = nights(5)
    places.publish(contents[0])
    with places.target.open("rb") as reader:
        for content in contents[1:]:
            places.publish(content)
        assert reader.read() == contents[0]


def test_a_copy_that_readers_still_have_by_its_name_is_not_written_to(places: Places) -> None:
    first, second, third = nights(3)
    places.publish(first)
    places.publish(second)
    places.former.unlink()
    os.link(places.target, places.former)  # as a process leaves it that is killed before the last step
    held = places.target.stat().st_ino
    assert places.publish(third) != held


def test_a_small_file_leaves_no_former_copy(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = nights(3)
    places.publish(first)
    places.publish(second)
    monkeypatch.setattr(copying, "LARGE", 10**9)
    places.publish(third)
    assert not places.former.exists()
    assert [path.name for path in places.target.parent.iterdir()] == ["model"]
