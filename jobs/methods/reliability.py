"""How often a score came true: labelled predictions by score, over a window of days that moves with the night."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

WINDOW_DAYS = 28
BINS = 10
COLUMNS = ("night", "bin", "n", "n_positive", "score", "rate", "lower", "upper")


def reliability(daily: pd.DataFrame, nights: Sequence[date], age: int) -> pd.DataFrame:
    """One row per night and score bin with labels: of the WINDOW_DAYS days whose labels have reached `age` by then.

    `daily`: day, bin, n, n_positive, score_nanos (the sum of scores, in billionths: whole numbers add up alike in any
    order). `score` is the mean score, `rate` the share of label 1, with its Wilson interval.
    Source: the reliability curve of scikit-learn's `calibration_curve(strategy="uniform")`.

    >>> from datetime import date
    >>> day = pd.Timestamp("2025-03-01")
    >>> daily = pd.DataFrame({"day": [day], "bin": [7], "n": [4], "n_positive": [3], "score_nanos": [3_000_000_000]})
    >>> reliability(daily, [date(2025, 3, 8)], age=7)[["bin", "n", "score", "rate"]].values.tolist()
    [[7.0, 4.0, 0.75, 0.75]]
    >>> len(reliability(daily, [date(2025, 3, 7)], age=7))
    0
    """
    stamps = np.array([np.datetime64(night, "D") for night in nights]).astype("int64") - age
    if not len(stamps) or daily.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    first = int(stamps.min()) - WINDOW_DAYS
    sums = _running(daily, first, int(stamps.max()))
    window = sums[stamps - first] - sums[stamps - first - WINDOW_DAYS]
    place, bins = np.nonzero(window[:, :, 0] > 0)
    n, positive, nanos = window[place, bins].T
    lower, upper = wilson(positive, n)
    return pd.DataFrame(
        {
            "night": pd.to_datetime((stamps[place] + age).astype("datetime64[D]")),
            "bin": bins, "n": n, "n_positive": positive, "score": nanos / n / 1e9, "rate": positive / n,
            "lower": lower, "upper": upper,
        }
    )  # fmt: skip


def _running(daily: pd.DataFrame, first: int, last: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.int64]]:
    """Sums of n, n_positive and score_nanos over the days from `first` on. Shape (days, BINS, 3)."""
    number = daily["day"].to_numpy().astype("datetime64[D]").astype("int64")
    inside = (number > first) & (number <= last)
    out = np.zeros((last - first + 1, BINS, 3), dtype=np.int64)
    bins = np.clip(daily["bin"].to_numpy(dtype=np.int64)[inside], 0, BINS - 1)
    counted = daily[["n", "n_positive", "score_nanos"]].to_numpy(dtype=np.int64)[inside]
    np.add.at(out, (number[inside] - first, bins), counted)
    return np.asarray(out.cumsum(axis=0))
