"""Sums over windows of days, for every day and series at once, the same whichever range of days is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray


def window_sums(
    counts: pd.DataFrame,
    keys: Sequence[str],
    sums: Sequence[str],
    first: date,
    last: date,
    days: int,
    gap: int = 0,
) -> pd.DataFrame:
    """For each day from `first` to `last` the sums over the `days` days that end `gap` days before it.

    `counts`: one row per `day` and `keys`, and the columns `sums`. Answers rows of all series and days that have any
    row in their window, sorted by day and keys: `day`, keys, sums, and `days` (those that had a row).
    The days are added in their order, so that a range and a single night round alike.

    >>> counts = pd.DataFrame({"day": pd.to_datetime(["2025-01-01", "2025-01-03"]), "k": "a", "n": [1, 2]})
    >>> window_sums(counts, ["k"], ["n"], pd.Timestamp("2025-01-02"), pd.Timestamp("2025-01-03"), days=2)["n"].tolist()
    [1, 2]
    """
    start = pd.Timestamp(first) - pd.Timedelta(days + gap - 1, "D")
    near = counts[(counts["day"] >= start) & (counts["day"] <= pd.Timestamp(last) - pd.Timedelta(gap, "D"))]
    grouped = near.groupby(list(keys), sort=True)
    series = grouped.ngroup().to_numpy()
    names = grouped.size().index.to_frame(index=False)
    targets = (pd.Timestamp(last) - pd.Timestamp(first)).days + 1
    table: NDArray[Any] = np.zeros((targets + days - 1, len(names), len(sums) + 1), dtype=_kind(near, sums))
    offset = (near["day"] - start).dt.days.to_numpy()
    table[offset, series, :-1] = near[list(sums)].to_numpy()
    table[offset, series, -1] = 1
    total = np.zeros((targets, *table.shape[1:]), dtype=table.dtype)
    for back in range(days):
        total += table[back : back + targets]
    place, which = np.nonzero(total[:, :, -1])
    made = names.iloc[which].reset_index(drop=True)
    made.insert(0, "day", pd.Timestamp(first).as_unit("us") + pd.to_timedelta(place, unit="D").as_unit("us"))
    picked = total[place, which]
    return made.assign(**{name: picked[:, number] for number, name in enumerate([*sums, "days"])})


def _kind(counts: pd.DataFrame, sums: Sequence[str]) -> type:
    return np.int64 if all(pd.api.types.is_integer_dtype(counts[name]) for name in sums) else np.float64
