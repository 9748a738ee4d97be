"""One limit for all rules about expected ranges: they share `detection.limit`, so what suits one moves the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from jobs.methods import backtest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.methods.backtest import Score
    from jobs.methods.backtest_bounds import Judge, Rate
    from jobs.methods.labelled import Truth

OF = "of"
"""Column with the number of the rule that a breach is of."""


def judging(judges: Sequence[Judge]) -> Judge:
    """A limit -> the breaches of several rules at it, each with the number of its rule."""

    def judge(bound: float) -> pd.DataFrame:
        parts = [one(bound).assign(**{OF: number}) for number, one in enumerate(judges)]
        return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)

    return judge


def rating(truth: Truth | None, nights: pd.Series[pd.Timestamp], apart: int) -> Rate:
    """Breaches of several rules -> what they would have been worth together.

    Alarms are counted rule by rule and an incident is found where any rule finds it; `per_week` is of the rule that
    speaks most often, for the budget is each rule's own.
    """

    def rate(breaches: pd.DataFrame) -> Score:
        inside = breaches[breaches["night"].isin(nights)]
        each = [backtest.episodes(one, apart) for _, one in inside.groupby(OF)]
        whole = backtest.score([alarm for alarms in each for alarm in alarms], truth, len(nights))
        return replace(whole, per_week=7 * max(map(len, each), default=0) / len(nights))

    return rate
