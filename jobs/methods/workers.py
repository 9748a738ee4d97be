"""Many series judged: in this process, or by two of their own where the fits would take long.

Workers are spawned, never forked, and each gets a temporary folder of its own. A series is judged alike wherever it
is, so the answers do not depend on who gave them.
"""

from __future__ import annotations

import logging
import multiprocessing
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TYPE_CHECKING

from jobs.methods import forecast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.methods.forecast import Judged, Series
    from jobs.periods import Period
    from jobs.spec.model import Detection

WORTH_WORKERS = 1500
"""Fits (0.025 s each) from which two workers repay their start, an import of several seconds."""

WORKERS = 2


def judge_all(
    series: Sequence[Series], period: Period, detection: Detection, worth_workers: int = WORTH_WORKERS
) -> list[Judged]:
    """`forecast.judge` of each series, in their order."""
    judge = partial(forecast.judge, period=period, detection=detection)
    fits = len(series) * (len(period) // 7 + 1)
    if fits >= worth_workers and len(series) > 1:
        try:
            return _by_workers(judge, series)
        except (BrokenProcessPool, OSError) as problem:
            logging.getLogger(__name__).warning("two workers could not run (%s); judging in one process", problem)
    return [judge(one) for one in series]


def _by_workers(judge: partial[Judged], series: Sequence[Series]) -> list[Judged]:
    folder = tempfile.mkdtemp(prefix="nightjar-fits-")
    try:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(WORKERS, context, _own_folder, (folder,)) as pool:
            return list(pool.map(judge, series))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _own_folder(parent: str) -> None:
    tempfile.tempdir = tempfile.mkdtemp(dir=parent)
