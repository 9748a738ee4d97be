"""Many like pieces of work, answered in their order, by this process or by several that are started for it.

Processes are spawned, never forked, and each has a temporary folder of its own, which goes with it. Who does a piece
does not change its answer; if the processes cannot run, this one does what is left.
"""

from __future__ import annotations

import logging
import multiprocessing
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")


def in_order(work: Callable[[Piece], Answer], pieces: Sequence[Piece], processes: int) -> Iterator[Answer]:
    """`work` of each piece, in order, each as soon as it and those before it are done.

    `work` must be a function of a module, or a `partial` of one, so that it can be sent to a process.

    >>> list(in_order(abs, [-1, 2], processes=1))
    [1, 2]
    """
    done = 0
    if processes > 1 and len(pieces) > 1:
        try:
            for answer in _by_processes(work, pieces, min(processes, len(pieces))):
                done += 1
                yield answer
        except (BrokenProcessPool, OSError) as problem:
            logging.getLogger(__name__).warning("%d processes could not run (%s); going on in one", processes, problem)
    yield from map(work, pieces[done:])


def _by_processes(work: Callable[[Piece], Answer], pieces: Sequence[Piece], processes: int) -> Iterator[Answer]:
    folder = tempfile.mkdtemp(prefix="nightjar-crew-")
    try:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, context, _own_folder, (folder,)) as pool:
            yield from pool.map(work, pieces)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _own_folder(parent: str) -> None:
    tempfile.tempdir = tempfile.mkdtemp(dir=parent)
