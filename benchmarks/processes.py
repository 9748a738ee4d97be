"""What a whole process cost, its children included."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOOK_SECONDS = 0.5
"""Between two looks at the processes; what one process held at most the kernel tells anyway."""


@dataclass(frozen=True)
class Cost:
    """Of one process with all its children, from start to end."""

    wall: float
    cpu: float
    """User and system seconds."""
    peak: float
    """MB: the most that all of them held at once (shared pages once), or that one of them ever held."""


def cost_of(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Cost:
    """Run a command to its end; RuntimeError with the end of its log where it fails."""
    begun = time.perf_counter()
    with log.open("w") as told:
        child = subprocess.Popen(
            command, env=dict(environment), stdout=told, stderr=subprocess.STDOUT, start_new_session=True
        )
    most = [0.0]
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(child.pid, ended, most))
    watcher.start()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    watcher.join()
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}:\n{log.read_text()[-2000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, max(most[0], used.ru_maxrss / 1024))


def _watch(session: int, ended: threading.Event, most: list[float]) -> None:
    while not ended.wait(LOOK_SECONDS):
        most[0] = max(most[0], sum(_held(process) for process in Path("/proc").glob("[0-9]*") if _of(process, session)))


def _of(process: Path, session: int) -> bool:
    try:
        return os.getsid(int(process.name)) == session
    except OSError:
        return False


def _held(process: Path) -> float:
    """Proportional set size, MB; 0 where the process has ended."""
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def size_of(folder: Path) -> float:
    """MB of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def machine() -> str:
    """Processor, cores and memory."""
    models = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{models[0] if models else 'unknown processor'}, {os.cpu_count()} cores, {memory:.0f} GB"
