"""The detector on a person's own CSV: series in, a row of flags for every point out, and a page for every series."""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.errors import UsageError
from jobs.methods import crew, histories

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from jobs.methods.histories import Found, Grain, History
    from jobs.methods.scale import Floats
    from jobs.spec.judging import Detection
    from reports.histories import Shown

COLUMNS = ["series_id", "ds", "y", "expected", "lower", "upper", "distance", "is_anomaly", "detector", "reason"]

WORTH_PROCESSES = 1500
"""Fits (about 0.025 s each) from which several processes repay their start."""

NAMED_MOST = 10
"""Series that the summary names."""


LIMITS: dict[Grain, float] = {"daily": 4.0, "hourly": 5.0}
"""Deviations that are an anomaly where none are asked for; hours are many more, so they must stray farther."""


def settings(limit: float | None, recurring: int | None, country: str | None) -> dict[Grain, Detection]:
    """The detector's settings for each grain; what is not given is as in a spec that does not name it."""
    from jobs.spec.judging import Detection

    given = {"country": country} | ({} if recurring is None else {"recurring": recurring})
    return {
        grain: Detection.model_validate(given | {"limit": usual if limit is None else limit})
        for grain, usual in LIMITS.items()
    }


def detect(series: Sequence[History], detection: Mapping[Grain, Detection]) -> Iterator[Found]:
    """What is found in each series, in their order, each as soon as it is known."""
    processes = min(os.cpu_count() or 1, 8) if sum(map(histories.fits, series)) >= WORTH_PROCESSES else 1
    return crew.in_order(partial(_find, detection=dict(detection)), series, processes)


def _find(history: History, detection: Mapping[Grain, Detection]) -> Found:
    return histories.find(history, detection[history.grain])


def flags(history: History, found: Found) -> pd.DataFrame:
    """One row a point, columns COLUMNS; `is_anomaly` is 1 or 0, what is not known is empty."""
    return pd.DataFrame(
        {
            "series_id": history.name,
            "ds": written(history),
            "y": history.y,
            "expected": _rounded(found.expected),
            "lower": _rounded(found.lower),
            "upper": _rounded(found.upper),
            "distance": found.distance.round(3),
            "is_anomaly": found.anomaly.astype(int),
            "detector": found.detector,
            "reason": found.reason,
        },
        columns=COLUMNS,
    )


def written(history: History) -> list[str]:
    """The moments of a series as text: days, or days with hours."""
    text = np.datetime_as_string(history.moments, unit="m" if history.grain == "hourly" else "D")
    return [one.replace("T", " ") for one in text.tolist()]


def _rounded(values: Floats) -> list[float]:
    """Seven digits that matter: more would be noise."""
    return [float(f"{value:.7g}") for value in values.tolist()]


def summary(series: Sequence[History], found: Sequence[Found]) -> Iterator[str]:
    """What was found, in a few lines: all together, then the series with most anomalies."""
    points = sum(len(one.y) for one in series)
    judged = sum(int(np.isfinite(its.distance).sum()) for its in found)
    counts = [int(its.anomaly.sum()) for its in found]
    hourly = sum(one.grain == "hourly" for one in series)
    of = f"{len(series)} series ({hourly} hourly)" if hourly else f"{len(series)} series"
    yield f"{of}, {points:,} points, {judged:,} judged: {sum(counts):,} anomalies in {sum(map(bool, counts))} series"
    worst = sorted(zip(counts, series, found, strict=True), key=lambda row: -row[0])
    for count, one, its in worst[:NAMED_MOST]:
        if count:
            last = written(one)[int(np.flatnonzero(its.anomaly)[-1])]
            yield f"  {one.name}: {count:,}, the last on {last}"
    if sum(map(bool, counts)) > NAMED_MOST:
        yield f"  and {sum(map(bool, counts)) - NAMED_MOST} more series"


def check_target(target: Path, given: Path) -> None:
    """Refuse, before the work, to write where nothing can be written or over the input."""
    if not target.parent.is_dir():
        raise UsageError(f"{target}: the folder {target.parent} is not there; make it first, or give another -o")
    if target.is_dir():
        raise UsageError(f"{target} is a folder; -o needs the name of a file")
    if given.exists() and target.exists() and target.samefile(given):
        raise UsageError(f"{target} is the input; -o would overwrite it, give another name")


def replace(target: Path, text: str) -> None:
    """Write the whole file or leave what was there: readers never see a half."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as problem:
        raise UsageError(f"{target}: cannot be written ({problem.strerror}); give another place") from problem
    finally:
        temporary.unlink(missing_ok=True)


def page_names(series: Sequence[History]) -> list[str]:
    """A file name for the page of each series, safe on any disk and told apart by number.

    >>> page_names([])
    []
    """
    wide = len(str(len(series)))
    return [
        f"{number:0{wide}d}-{re.sub(r'[^A-Za-z0-9._=-]+', '-', one.name).strip('-.')[:60]}.html"
        for number, one in enumerate(series, start=1)
    ]


def draw(folder: Path, series: Sequence[History], found: Sequence[Found], source: str) -> Path:
    """A page with a chart for every series, and one that lists them; answers the list's path."""
    from reports import histories as pages

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"{folder}: cannot hold the plots ({problem.strerror}); give another --plot") from problem
    names = page_names(series)
    shown = [_shown(one, its) for one, its in zip(series, found, strict=True)]
    for one, name in zip(shown, names, strict=True):
        replace(folder / name, pages.page(one))
    replace(folder / "index.html", pages.index(list(zip(shown, names, strict=True)), source))
    return folder / "index.html"


def _shown(history: History, found: Found) -> Shown:
    from reports.histories import Shown

    side = {"up": "too high", "down": "too low", "both": "too high or too low"}[history.direction]
    return Shown(
        name=history.name, grain=history.grain, kind=history.kind, harm=side,
        moments=history.moments, written=written(history), values=history.y, expected=found.expected,
        lower=found.lower, upper=found.upper, anomaly=found.anomaly, reasons=found.reason.tolist(),
        judged=np.isfinite(found.distance),
    )  # fmt: skip
