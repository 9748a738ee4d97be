"""Copies of a model's file that others see whole or not at all; the readers' copy rewrites only what has changed.

A night changes some 20 MB of a file of any size. The copy that readers have is never written to: the one before it,
which nobody sees any more, is brought up to date and takes its place. It is written to only where nobody has it open.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

F_SETSIG = 10
"""Of Linux's fcntl.h; Python has no name for it."""

LARGE = 64_000_000
"""Bytes from which a former copy is worth its room on the disk; a smaller file is copied anew in a moment."""

PIECE = 65_536
"""Bytes that are compared, and written, at a time."""


def copy_whole(source: Path, target: Path) -> Path:
    """Copy a file so that others see the former one or the whole new one; folders are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(target)
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def copy_changes(source: Path, target: Path, former: Path) -> Path:
    """As `copy_whole`; what `target` was before goes on living as `former`, and becomes `target` the next time.

    `former` must lie on the disk of `target`, where nobody opens it.
    """
    if source.stat().st_size < LARGE:
        former.unlink(missing_ok=True)
        return copy_whole(source, target)
    for place in (target, former):
        place.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(target)
    try:
        if not _renewed(former, source, temporary):
            temporary.unlink(missing_ok=True)  # who reads it still goes on reading what it was
            shutil.copyfile(source, temporary)
        with suppress(OSError):  # the first copy, or a disk without hard links: then there is no former one
            os.link(target, former)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def beside(target: Path) -> Path:
    """Where a copy grows until it takes the target's place."""
    return target.with_name(f".{target.name}.{os.getpid()}")


def _renewed(former: Path, source: Path, temporary: Path) -> bool:
    """Whether the former copy now lies at `temporary` and equals the source; False where there is none to write to.

    It goes to its new name first, so that a process that is killed here leaves nothing that is taken for a copy.
    """
    try:
        former.replace(temporary)
        with source.open("rb") as new, temporary.open("r+b") as old:
            if not _alone(old):
                return False
            _rewrite(new, old)
            old.flush()
            os.fsync(old.fileno())  # else a cut of power could leave a copy of parts from two nights
    except OSError:
        return False
    return True


def _alone(file: Any) -> bool:
    """Whether this process alone has the file open, under a name of its own: the kernel gives no lease otherwise."""
    if os.fstat(file.fileno()).st_nlink != 1 or not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        fcntl.fcntl(file, F_SETSIG, signal.SIGURG)  # which is ignored; SIGIO would end the process
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:
        return False
    return True


def _rewrite(new: Any, old: Any) -> None:
    """Make the old file equal to the new one, writing only the pieces that differ."""
    size = os.fstat(new.fileno()).st_size
    os.ftruncate(old.fileno(), size)
    for start in range(0, size, PIECE):
        piece = os.pread(new.fileno(), PIECE, start)
        if piece != os.pread(old.fileno(), PIECE, start):
            old.seek(start)
            old.write(piece)
