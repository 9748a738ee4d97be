"""Which of many segments fell more than chance and more than everybody else, with the number of looks taken into
account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.intervals import ratio

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from jobs.methods.intervals import Floats


def overdispersion(hits: ArrayLike, n: ArrayLike, squares: ArrayLike, days: ArrayLike) -> Floats:
    """How many times more a daily share varies than independent rows would make it; at least 1.

    `squares` is the sum of hits^2 / n over the `days` that have rows. Rows of a day are alike: a storm delays every
    flight, a group cancels together. Source: Pearson's chi-square over its degrees of freedom (McCullagh and Nelder
    1989, 4.5).

    >>> overdispersion([100], [200], [80**2 / 100 + 20**2 / 100], [2]).round(1)  # 80 of 100, then 20 of 100
    array([72.])
    """
    k, rows = np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64)
    share = (k + 1) / (rows + 2)
    spread = np.asarray(squares, dtype=np.float64) - ratio(k**2, rows)
    freedom = np.asarray(days, dtype=np.float64) - 1
    return np.where(freedom > 0, np.fmax(ratio(spread, share * (1 - share) * freedom), 1.0), 1.0)


def overdispersion_of_gaps(
    variances: tuple[ArrayLike, ArrayLike], parts: tuple[ArrayLike, ArrayLike], sums: tuple[ArrayLike, ...]
) -> Floats:
    """How many times more the daily gap between a segment and the rest varies than independent rows would make it.

    What happens to both on a day, or from a day on, is no part of their gap, and widens nothing. `variances` of one row
    of the segment and of the rest; `parts`: sums over the days of the other side's share of the rows, r / (s + r) and
    s / (s + r); `sums` over the days: weight s r / (s + r), weight x gap, weight x gap^2, and days with both. At least
    1. Source: Cochran's Q of the daily gaps over its degrees of freedom (Cochran 1954, Biometrics 10, 101-129).

    >>> sums = [100.0], [0.0], [100 * 0.1**2], [2]  # 100 rows of each on two days, 0.1 apart one way and the other
    >>> overdispersion_of_gaps(([0.25], [0.25]), ([1.0], [1.0]), sums).round(1)
    array([4.])
    """
    weight, gap, squares, days = (np.asarray(one, dtype=np.float64) for one in sums)
    spread = squares - np.nan_to_num(ratio(gap**2, weight))
    row = sum(np.asarray(one) * np.asarray(part) for one, part in zip(variances, parts, strict=True))
    by_chance = ratio(row * (days - 1), days)
    return np.where(days > 1, np.fmax(ratio(spread, by_chance), 1.0), 1.0)


def share_variance(hits: ArrayLike, n: ArrayLike) -> Floats:
    """Of one row, with a hit and a miss more (Agresti and Caffo 2000).

    >>> share_variance([0], [2])
    array([0.1875])
    """
    share = (np.asarray(hits, dtype=np.float64) + 1) / (np.asarray(n, dtype=np.float64) + 2)
    return np.asarray(share * (1 - share))


def excess_z(
    hits: ArrayLike,
    n: ArrayLike,
    whole_hits: ArrayLike,
    whole_n: ArrayLike,
    times: tuple[ArrayLike, ArrayLike] = (1, 1),
) -> Floats:
    """Standardised excess change of segments: theirs, less that of everybody else.

    Each argument has shape (2, segments): the reference window, then now; `whole_*` count the segment too. NaN where
    a segment is everybody. Source: Wald's test of a difference of differences; one hit and one miss are added to each
    of the four groups (Agresti and Caffo 2000), without which it is far too sure of itself when nearly all rows are
    hits. `times`: the `overdispersion` of the segments and of the whole, by which the variances grow.

    >>> round(float(excess_z([[90], [30]], [[100], [50]], [[900], [430]], [[1000], [500]])[0]), 2)
    -3.7
    """
    a, n_a = np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64)
    b, n_b = np.asarray(whole_hits, dtype=np.float64) - a, np.asarray(whole_n, dtype=np.float64) - n_a
    shares, variances = [], []
    for k, rows in ((a, n_a), (b, n_b)):
        share = (k + 1) / (rows + 2)
        shares.append(share)
        variances.append((share * (1 - share) / (rows + 2)).sum(axis=0))
    change = (shares[0][1] - shares[0][0]) - (shares[1][1] - shares[1][0])
    told = ((n_a > 0) & (n_b > 0)).all(axis=0)
    return np.where(told, ratio(change, np.sqrt(variances[0] * times[0] + variances[1] * times[1])), np.nan)


def q_values(p: ArrayLike, group: ArrayLike) -> Floats:
    """Benjamini and Hochberg's q within each group: the false discovery rate at which a row would be found.

    Source: Benjamini and Hochberg (1995), JRSS B 57, 289-300, adjusted as in
    `statsmodels.stats.multitest.multipletests`.

    >>> q_values([0.01, 0.04, 0.03, 0.5], [0, 0, 0, 0]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    frame = pd.DataFrame({"group": np.asarray(group), "p": np.asarray(p, dtype=np.float64)})
    down = frame.sort_values(["group", "p"], ascending=[True, False], kind="stable")
    size = down.groupby("group")["p"].transform("size")
    rank = size - down.groupby("group").cumcount()
    down["q"] = (down["p"] * size / rank).groupby(down["group"]).cummin().clip(upper=1.0)
    return down["q"].reindex(frame.index).to_numpy(dtype=np.float64)


def lower_tail(z: ArrayLike) -> Floats:
    """Chance of a standard normal value of z or less.

    >>> lower_tail([-1.96, 0.0]).round(3)
    array([0.025, 0.5  ])
    """
    from scipy.special import ndtr

    return np.asarray(ndtr(np.asarray(z, dtype=np.float64)))
