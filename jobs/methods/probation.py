"""What a new champion does in its first nights, beside the version before it at the same label age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.contrasts import pooled_z
from jobs.methods.gates import ALPHA, holm
from jobs.methods.versions import WINDOW

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Fallen:
    """A rate of the new champion that is lower than its predecessor's beyond chance."""

    metric: str
    label_age: int
    day: str
    value: float
    former: float
    n: int

    @property
    def sentence(self) -> str:
        """The figures as a person reads them."""
        return (
            f"{self.metric} at age {self.label_age} is {self.value:.3f} (n {self.n:,}), and was {self.former:.3f} with "
            "the version before it"
        )


def nights_watched(figures: pd.DataFrame, new: str) -> int:
    """How many nights have brought a figure of the new version; nights without labels do not count.

    `figures`: `version`, `metric`, `label_age`, `day` (datetime64).
    """
    mine = figures[figures["version"] == new]
    return int((mine["day"] + pd.to_timedelta(mine["label_age"].fillna(0), unit="D")).nunique())


def first_day(figures: pd.DataFrame, new: str) -> date:
    """The first day on which the new version has a figure; it must have one."""
    return date.fromisoformat(str(figures.loc[figures["version"] == new, "day"].min().date()))


def first_days(figures: pd.DataFrame, new: str, days: int) -> pd.DataFrame:
    """Without the figures of the new version after its first `days` days: it is held against its predecessor by these.

    So one that nobody looked at for a while is judged by the same days, and long-known champions are not judged again.
    """
    mine = (figures["version"] == new).to_numpy()
    end = figures.loc[mine, "day"].min() + pd.Timedelta(days, "D")
    early = (figures["day"] < end).to_numpy()
    kept: pd.DataFrame = figures.loc[~mine | early]
    return kept


def fallen(figures: pd.DataFrame, new: str, former: Sequence[str], looks: int) -> list[Fallen]:
    """Rates of version `new`, all its days pooled, that lie below those of the 28 days of `former` before its first.

    `figures`: `version`, `metric`, `label_age`, `day`, `value` (a share), `n`. `looks`: how often this is asked of new
    figures; the limit is shared among them (Bonferroni), and among the rates of one night (Holm).

    Source: the two-sample test of proportions with pooled variance, one-sided.
    """
    mine = figures[figures["version"] == new]
    if mine.empty:
        return []
    first = mine["day"].min()
    theirs = figures[
        figures["version"].isin(list(former))
        & (figures["day"] < first)
        & (figures["day"] >= first - pd.Timedelta(WINDOW, "D"))
    ]
    both = _pooled(mine).merge(_pooled(theirs), left_index=True, right_index=True, suffixes=("", "_former"))
    if both.empty:
        return []
    z = pooled_z(both["hits"], both["n"], both["hits_former"], both["n_former"])
    p = holm([NormalDist().cdf(float(value)) for value in np.asarray(z, dtype=float)])
    worse = both[p <= ALPHA / max(looks, 1)].reset_index()
    return [
        Fallen(
            metric=row["metric"],
            label_age=int(row["label_age"]),
            day=str(row["day"].date()),
            value=float(row["hits"] / row["n"]),
            former=float(row["hits_former"] / row["n_former"]),
            n=int(row["n"]),
        )
        for row in worse.to_dict("records")
    ]


def _pooled(figures: pd.DataFrame) -> pd.DataFrame:
    """Rows and hits of all days together, and the last of them, per metric and label age."""
    made = figures.assign(hits=figures["value"] * figures["n"], label_age=figures["label_age"].fillna(0).astype(int))
    return made.groupby(["metric", "label_age"]).agg(hits=("hits", "sum"), n=("n", "sum"), day=("day", "max"))
