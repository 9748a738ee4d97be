"""Segments beside the rest of their own day: which do worse than chance explains, with the number of looks counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods import search
from jobs.methods.intervals import ratio, z_value
from jobs.methods.means import Sums, sums_of, welch

if TYPE_CHECKING:
    from jobs.methods.intervals import Floats

BETTER = {"accuracy": 1, "mae": -1, "conversion": 1, "value_per_prediction": 1}
"""The figures whose segments are held beside the rest: 1 where more is better, -1 where less is."""
SHARES = ("accuracy", "conversion")
KEYS = ["night", "metric", "label_age"]
COLUMNS = (*KEYS, "segment", "q_value", "found", "searched")


def segments_beside(figures: pd.DataFrame, error_rate: float) -> pd.DataFrame:
    """How surely each segment does worse than everybody else did on the same day: a row each.

    `figures`: day, metric, label_age, segment, value, n, lower, upper, state; of all versions together. `q_value` is
    Benjamini and Hochberg's over the `searched` segments of a night, figure and label age; `found` where it is at most
    `error_rate`. Figures of too few rows take no part, nor does a segment that is everybody.

    Source: of shares Wald's test with a hit and a miss more on either side (Agresti and Caffo 2000), one-sided; of
    means Welch's.

    >>> day = {"day": pd.Timestamp("2025-03-01"), "metric": "accuracy", "label_age": 0, "state": "final"}
    >>> rows = [("all", 0.85, 1000, 0.83, 0.87), ("a", 0.75, 200, 0.69, 0.80), ("b", 0.875, 800, 0.85, 0.90)]
    >>> names = ("segment", "value", "n", "lower", "upper")
    >>> told = segments_beside(pd.DataFrame([day | dict(zip(names, row)) for row in rows]), 0.1)
    >>> told[["segment", "found", "searched"]].values.tolist()
    [['a', True, 2], ['b', False, 2]]
    """
    mine = figures[figures["metric"].isin(BETTER) & (figures["state"] != "not_evaluated") & figures["value"].notna()]
    night = pd.to_datetime(mine["day"]) + pd.to_timedelta(mine["label_age"].astype("int64"), unit="D")
    mine = mine.assign(night=night)
    whole = mine.loc[mine["segment"] == "all", [*KEYS, "value", "n", "lower", "upper"]]
    both = mine[mine["segment"] != "all"].merge(whole, on=KEYS, suffixes=("", "_whole"))
    both = both[both["n"] < both["n_whole"]].reset_index(drop=True)
    if both.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    share = both["metric"].isin(SHARES).to_numpy()
    p = np.full(len(both), np.nan)
    p[share], p[~share] = _of_shares(both[share]), _of_means(both[~share])
    both = both.assign(p_value=p)[np.isfinite(p)]
    looked = both.groupby(KEYS)
    q = search.q_values(both["p_value"], looked.ngroup())
    both = both.assign(q_value=q, found=q <= error_rate, searched=looked["segment"].transform("size"))
    made: pd.DataFrame = both[list(COLUMNS)].sort_values([*KEYS, "segment"], ignore_index=True)
    return made


def _of_shares(both: pd.DataFrame) -> Floats:
    """The chance of a segment's share as far for the worse beside the rest's."""
    n, n_whole = (both[name].to_numpy(dtype=np.float64) for name in ("n", "n_whole"))
    n_rest, hits = n_whole - n, np.round(both["value"].to_numpy(dtype=np.float64) * n)
    rest = np.round(both["value_whole"].to_numpy(dtype=np.float64) * n_whole) - hits
    apart = ratio(hits + 1, n + 2) - ratio(rest + 1, n_rest + 2)
    variance = search.share_variance(hits, n) / (n + 2) + search.share_variance(rest, n_rest) / (n_rest + 2)
    return search.lower_tail(_sign(both) * ratio(apart, np.sqrt(variance)))


def _of_means(both: pd.DataFrame) -> Floats:
    """The chance of a segment's mean as far for the worse beside the rest's."""
    mine, whole = _sums(both, ""), _sums(both, "_whole")
    told = welch(mine, whole.without(mine))
    half = told.p_value / 2
    return np.where(told.z * _sign(both) < 0, half, 1 - half)


def _sums(both: pd.DataFrame, suffix: str) -> Sums:
    """What a mean with its normal interval was made of: the interval's half is z standard errors."""
    value, n, lower, upper = (
        both[f"{name}{suffix}"].to_numpy(dtype=np.float64) for name in ("value", "n", "lower", "upper")
    )
    variance = ((upper - lower) / 2 / z_value()) ** 2 * n
    return sums_of(n, n * value, variance * (n - 1) + n * value**2)


def _sign(both: pd.DataFrame) -> Floats:
    return np.asarray(both["metric"].map(BETTER), dtype=np.float64)
