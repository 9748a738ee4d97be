"""How far predicted numbers lie from what came, from additive sums and logarithmic bins of the error; never from rows.

error = score - label. `bin` is 0 for no error, else sign(error) times (2000 + k), k being the error's bin of
`latency`, so that bins ascend with errors and the value told for one is within 1 % of any error in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods import latency
from jobs.methods.intervals import Estimate, estimate, mean, mean_interval, ratio

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

SHIFT = 2000
NOTHING = "no labels"
SUMS = ("error_sum", "absolute_sum", "square_sum", "ratio_sum", "label_sum", "label_square_sum")


def error_bin(error: ArrayLike) -> Counts:
    """The bin of each error, as `sql/statistics/error_statistics.sql` has it.

    >>> error_bin([-2.5, 0.0, 1.0]).tolist()
    [-2047, 0, 2000]
    """
    given = np.asarray(error, dtype=np.float64)
    sized = np.abs(given) >= 1e-15
    return np.where(
        sized, np.sign(given) * (SHIFT + latency.latency_bin(np.where(sized, np.abs(given), 1.0))), 0
    ).astype(np.int64)


def error_of_bin(bins: ArrayLike) -> Floats:
    """The error that stands for a bin, at most 1 % away from any in it.

    >>> error_of_bin([-2047, 0, 2000]).round(2)
    array([-2.51,  0.  ,  0.99])
    """
    number = np.asarray(bins, dtype=np.float64)
    return np.where(number == 0, 0.0, np.sign(number) * latency.value_of_bin(np.abs(number) - SHIFT))


@dataclass(frozen=True)
class Errors:
    """Labelled predictions of many groups: `table` is sorted by `group` and `bin`, with `n`, `n_nonzero` and `SUMS`."""

    table: pd.DataFrame
    groups: int

    def total(self, column: str) -> Floats:
        """The column's sum per group."""
        sums = np.bincount(self.table["group"], weights=self.table[column].astype(float), minlength=self.groups)
        return np.asarray(sums, dtype=np.float64)


def errors_of(score: ArrayLike, label: ArrayLike) -> Errors:
    """One group made of rows, for those who have rows.

    >>> bias(errors_of([1.0, 4.0], [2.0, 2.0])).value
    array([0.5])
    """
    y = np.asarray(label, dtype=np.float64)
    off = np.asarray(score, dtype=np.float64) - y
    rows = pd.DataFrame(
        {
            "group": 0,
            "bin": error_bin(off),
            "n": 1,
            "n_nonzero": (y != 0).astype(int),
            "error_sum": off,
            "absolute_sum": np.abs(off),
            "square_sum": off**2,
            "ratio_sum": np.nan_to_num(ratio(np.abs(off), np.abs(y))),
            "label_sum": y,
            "label_square_sum": y**2,
        }
    )
    return Errors(rows.groupby(["group", "bin"], as_index=False).sum(), 1)


def mae(of: Errors) -> Estimate:
    """Mean absolute error; exact, normal interval. Source: `sklearn.metrics.mean_absolute_error`.

    >>> mae(errors_of([1.0, 4.0], [2.0, 2.0])).value
    array([1.5])
    """
    return mean(of.total("n"), of.total("absolute_sum"), of.total("square_sum"), NOTHING)


def rmse(of: Errors) -> Estimate:
    """Root of the mean squared error; exact. Source: `sklearn.metrics.root_mean_squared_error`.

    Interval: the normal one of the mean squared error, rooted; its variance comes from the bins (within 4 %).

    >>> rmse(errors_of([1.0, 4.0], [2.0, 2.0])).value.round(4)
    array([1.5811])
    """
    n, squares = of.total("n"), of.total("square_sum")
    fourth = of.table["n"] * error_of_bin(of.table["bin"]) ** 4
    fourths = np.bincount(of.table["group"], weights=fourth, minlength=of.groups)
    lower, upper = mean_interval(n, squares, np.maximum(fourths, ratio(squares**2, n)))
    ends = np.sqrt(np.maximum(lower, 0)), np.sqrt(upper)
    return estimate(np.sqrt(np.maximum(ratio(squares, n), 0)), n, ends, {NOTHING: n == 0})


def bias(of: Errors) -> Estimate:
    """Mean of score - label; exact, normal interval. Above 0: predicted too high."""
    return mean(of.total("n"), of.total("error_sum"), of.total("square_sum"), NOTHING)


def mape(of: Errors) -> Estimate:
    """Mean of |error / label| over the labels that are not 0, n of them; exact. 0.1 is 10 %.

    Source: `sklearn.metrics.mean_absolute_percentage_error`, which divides by a tiny number where the label is 0.

    >>> mape(errors_of([1.0, 4.0, 7.0], [2.0, 2.0, 0.0])).value
    array([0.75])
    """
    n, n_all = of.total("n_nonzero"), of.total("n")
    return estimate(ratio(of.total("ratio_sum"), n), n, undefined={NOTHING: n_all == 0, "every label is 0": n == 0})


def r2(of: Errors) -> Estimate:
    """1 - squared errors / squared distances of the labels from their mean. Source: `sklearn.metrics.r2_score`.

    >>> r2(errors_of([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])).value
    array([0.5])
    """
    n, labels = of.total("n"), of.total("label_sum")
    spread = of.total("label_square_sum") - np.nan_to_num(ratio(labels**2, n))
    # labels that are all alike leave a rest of rounding
    alike = spread <= 1e-12 * of.total("label_square_sum")
    value = 1 - ratio(of.total("square_sum"), np.where(alike, 0, spread))
    return estimate(value, n, undefined={NOTHING: n == 0, "labels do not differ": alike})


def quantile(of: Errors, q: float) -> Estimate:
    """The q-quantile of score - label within 1 %, with the order statistics around it (`latency.quantile_of_rows`).

    >>> quantile(errors_of([1.0, 2.0, 9.0], [2.0, 2.0, 2.0]), 0.5).value
    array([0.])
    """
    table = of.table
    return latency.quantile_of_rows(table["group"], table["bin"], table["n"], of.groups, q, error_of_bin, NOTHING)
