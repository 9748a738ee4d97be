"""Score and calibration: how often answers of each score came true, lately and before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports.sections.figures import number
from reports.view import Reliability, ScoreBin, Threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.history import Known

WINDOW_DAYS = 28
"""Days that each curve covers; the report stage counts them."""


def calibration_of(known: Known, ages: Sequence[int]) -> Reliability:
    """The curve of the days that reached the youngest label age lately, and that of as many days before."""
    if not ages:
        return Reliability()
    now, before = _bins(known, 0), _bins(known, WINDOW_DAYS)
    last = known.day_at(ages[0])
    return Reliability(
        age=ages[0],
        first=last - WINDOW_DAYS + 1,
        last=last,
        bins=now,
        before=before,
        gap=gap(now),
        gap_before=gap(before),
    )


def thresholds_of(known: Known, ages: Sequence[int]) -> tuple[Threshold, ...]:
    """What other thresholds would have given on the newest day that has reached the youngest label age."""
    rows = known.tonight("threshold_curve")
    mine = (rows["version"] == "all") & np.isin(rows["label_age"], ages[:1])
    names = ("threshold", "flagged_share", "precision", "recall")
    columns = (rows[name][mine].tolist() for name in names)
    return tuple(Threshold(at, *map(number, figures)) for at, *figures in zip(*columns, strict=True))


def _bins(known: Known, back: int) -> tuple[ScoreBin, ...]:
    """The bins as they stood `back` nights ago."""
    rows = known.history.score_curve.within(known.night - back, known.night - back)
    if not len(rows.get("bin", ())):
        return ()
    names = ("bin", "n", "score", "rate", "lower", "upper")
    return tuple(
        ScoreBin(int(b), int(n), *map(float, rest)) for b, n, *rest in zip(*(rows[x] for x in names), strict=True)
    )


def gap(bins: Sequence[ScoreBin]) -> float | None:
    """The mean distance between score and what came true, weighted by rows (expected calibration error).

    >>> gap([ScoreBin(0, 30, 0.05, 0.10, 0, 1), ScoreBin(9, 10, 0.95, 0.95, 0, 1)])
    0.0375
    """
    rows = sum(one.n for one in bins)
    return sum(one.n * abs(one.rate - one.score) for one in bins) / rows if rows else None
