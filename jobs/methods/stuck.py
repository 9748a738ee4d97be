"""A series that stands still: the same value for days, where it used to move. Most often a file delivered again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.language import say
from jobs.methods import wording
from jobs.methods.verdicts import SERIES

if TYPE_CHECKING:
    from jobs.periods import Period

STUCK_DAYS = 4
"""Judged days in a row with the same value from which it is told."""

USUAL_DAYS = 56
"""Days before a standstill that show whether the series used to move."""

LIVELY = 0.9
"""Share of the past days on which the value must have changed; a rate that is 100 % every day stands still rightly."""


def judge(figures: pd.DataFrame, period: Period) -> pd.DataFrame:
    """A breach for each series that stands still, and one row for each night on which none does.

    `figures`: rows of whole days as `jobs.methods.rules` has them, all up to the period's end: a series may have stood
    still for any time, and is told until it moves.
    """
    told = figures[figures["value"].notna() & (figures["state"] != "not_evaluated") & (figures["version"] == "all")]
    told = told.sort_values([*SERIES, "day"], kind="stable", ignore_index=True)
    series = told.groupby(list(SERIES), sort=False, dropna=False)["value"]
    moved = told["value"].ne(series.shift()) | series.cumcount().eq(0)
    standstill = moved.cumsum()
    told = told.assign(
        run=moved.groupby(standstill).cumcount() + 1,
        begun=told["day"].where(moved).ffill(),
        lively=_lively(told, moved).where(moved).groupby(standstill).transform("max"),
    )
    now = told[told["night"].between(pd.Timestamp(period.first), pd.Timestamp(period.last))]
    stands = now[(now["run"] >= STUCK_DAYS) & (now["lively"] >= LIVELY)].reset_index(drop=True)
    rows = stands[["metric", "value", "begun", "run"]].itertuples(index=False)
    stands["reason"] = [
        wording.stuck(str(metric), float(value), begun.date(), int(days)) for metric, value, begun, days in rows
    ]
    said = say("every series moves"), say("there are no figures")
    nights = pd.DataFrame({"night": pd.date_range(period.first, period.last).as_unit("us")})
    quiet = nights[~nights["night"].isin(stands["night"])].assign(
        day=lambda frame: frame["night"], metric="delivery", version="all", feature="series", segment="all",
        verdict=lambda frame: np.where(frame["night"].isin(now["night"]), "ok", "not_evaluated"),
        reason=lambda frame: np.where(frame["night"].isin(now["night"]), *said),
    )  # fmt: skip
    found = pd.concat([part for part in (stands.assign(verdict="breach"), quiet) if len(part)], ignore_index=True)
    return found.assign(rule="stuck", severity="warning", detector="delivery", lower=np.nan, upper=np.nan)


def _lively(told: pd.DataFrame, moved: pd.Series[bool]) -> pd.Series[float]:
    """Share of the USUAL_DAYS before each day on which the value changed; NULL on a short history."""
    groups = moved.astype(float).groupby([told[name] for name in SERIES], sort=False, dropna=False)
    return groups.transform(lambda one: one.rolling(USUAL_DAYS, min_periods=STUCK_DAYS * 4).mean().shift())
