"""Performance of a model with several classes, from the counts of decided and true class; never from rows.

Definitions follow scikit-learn with `zero_division=nan`: a class of which a figure is undefined is left out of
the mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.intervals import Estimate, estimate, mapped_wilson, ratio, wilson, z_value
from jobs.methods.performance import f1_of_jaccard

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]


@dataclass(frozen=True)
class PerClass:
    """Each class of each group, sorted by group and class; arrays of shape (entries,), but `total` has (groups,) and
    the last three have (cells,)."""

    group: Counts
    name: NDArray[np.object_]
    hits: Counts
    called: Counts
    """Decided as this class."""
    true: Counts
    """Labelled as this class."""
    total: Counts
    """Labelled and decided, of each group."""
    cells: Counts
    """Rows of each pair of a decided and a true class."""
    decided_as: Counts
    """The entry of the class that a cell was decided as, ..."""
    labelled_as: Counts
    """... and of the one that it was labelled as."""

    def sums(self, entries: ArrayLike) -> Floats:
        """Per group."""
        sums = np.bincount(self.group, weights=np.asarray(entries, dtype=np.float64), minlength=len(self.total))
        return np.asarray(sums, dtype=np.float64)


def per_class(cells: pd.DataFrame, groups: int) -> PerClass:
    """From counts: group, decision, label (texts), n; classes with no row left are none.

    >>> cells = pd.DataFrame({"group": 0, "decision": ["a", "a", "b"], "label": ["a", "b", "b"], "n": [5, 2, 3]})
    >>> per_class(cells, 1).hits.tolist()
    [5, 3]
    """
    decided = cells[cells["decision"].notna() & (cells["n"] != 0)]
    right = decided["n"].where(decided["decision"] == decided["label"], 0)
    sides = [
        pd.DataFrame({"group": decided["group"], "name": decided["decision"], "called": decided["n"], "hits": right}),
        pd.DataFrame({"group": decided["group"], "name": decided["label"], "true": decided["n"]}),
    ]
    table = pd.concat(sides).fillna({"called": 0, "hits": 0, "true": 0})
    table = table.groupby(["group", "name"], as_index=False)[["hits", "called", "true"]].sum()
    table = table[(table["called"] > 0) | (table["true"] > 0)]
    total = np.bincount(decided["group"].astype(np.int64), weights=decided["n"], minlength=groups)
    hits, called, true = (table[name].to_numpy().astype(np.int64) for name in ("hits", "called", "true"))
    group = table["group"].to_numpy(dtype=np.int64)
    entries = pd.MultiIndex.from_arrays([group, table["name"]])
    decided_as, labelled_as = (
        entries.get_indexer(pd.MultiIndex.from_arrays([decided["group"], decided[name]])).astype(np.int64)
        for name in ("decision", "label")
    )
    return PerClass(
        group=group, name=table["name"].to_numpy(dtype=object), hits=hits, called=called, true=true,
        total=total.astype(np.int64), cells=decided["n"].to_numpy().astype(np.int64),
        decided_as=decided_as, labelled_as=labelled_as,
    )  # fmt: skip


def accuracy(of: PerClass) -> Estimate:
    """Share of right decisions; Wilson interval. Source: `sklearn.metrics.accuracy_score`."""
    hits = of.sums(of.hits)
    return estimate(ratio(hits, of.total), of.total, wilson(hits, of.total), {"no labels": of.total == 0})


def precision_of_class(of: PerClass) -> Estimate:
    """Per class: hits / decided as it; Wilson interval. Source: `sklearn.metrics.precision_score(average=None)`."""
    return estimate(ratio(of.hits, of.called), of.called, wilson(of.hits, of.called), {"never decided": of.called == 0})


def recall_of_class(of: PerClass) -> Estimate:
    """Per class: hits / labelled as it; Wilson interval. Source: `sklearn.metrics.recall_score(average=None)`."""
    return estimate(ratio(of.hits, of.true), of.true, wilson(of.hits, of.true), {"no such labels": of.true == 0})


def f1_of_class(of: PerClass) -> Estimate:
    """Per class: harmonic mean of precision and recall; interval as `performance.f1`."""
    n = of.called + of.true - of.hits
    return estimate(
        ratio(2 * of.hits, of.called + of.true), n, mapped_wilson(of.hits, n, f1_of_jaccard), {"no labels": n == 0}
    )


def averaged(of: PerClass, figure: Callable[[PerClass], Estimate], weighted: bool) -> Estimate:
    """Mean of a figure over the classes of each group that have it: alike, or weighted by their labels.

    Interval of the plain mean: normal, as of shares of different rows (half a hit added to either side), which recalls
    and precisions of classes are and F1 is not (`f1_macro`); none of the weighted one. Source: scikit-learn,
    `average="macro"` and `"weighted"`.

    >>> cells = pd.DataFrame({"group": 0, "decision": ["a", "a", "b"], "label": ["a", "b", "b"], "n": [5, 2, 3]})
    >>> averaged(per_class(cells, 1), recall_of_class, weighted=False).value
    array([0.8])
    """
    each = figure(of)
    told = ~np.isnan(each.value)
    weight = np.where(told, of.true if weighted else 1, 0)
    value = ratio(of.sums(weight * np.nan_to_num(each.value)), of.sums(weight))
    undefined = {"no labels": of.total == 0, "no class has it": of.sums(weight) == 0}
    if weighted:
        return estimate(value, of.total, undefined=undefined)
    n = np.maximum(each.n, 1)
    share = (np.nan_to_num(each.value) * n + 0.5) / (n + 1)
    half = z_value() * ratio(np.sqrt(of.sums(told * share * (1 - share) / n)), of.sums(told))
    return estimate(value, of.total, (np.maximum(value - half, 0), np.minimum(value + half, 1)), undefined)


def f1_macro(of: PerClass) -> Estimate:
    """Mean of F1 over the classes of each group. Source: scikit-learn, `average="macro"`.

    Interval: the delta method over the cells of the confusion matrix, for an error takes from two classes' F1 at once
    and F1 is no share of rows. With s_i the rows decided as or labelled class i (both: two), F_i = 2 n_ii / s_i and C
    classes, a row in cell ij moves the mean by g_ij = (2 [i = j] / s_i - F_i / s_i - F_j / s_j) / C, and as the sum of
    n_ij g_ij is 0 the variance is the sum of n_ij g_ij^2. One row, spread evenly over the C^2 cells, is added to them,
    else a day without an error would have no interval. Source: Takahashi et al. (2022), Applied Intelligence 52,
    4961-4972.

    >>> cells = pd.DataFrame({"group": 0, "decision": ["a", "a", "b"], "label": ["a", "b", "b"], "n": [5, 2, 3]})
    >>> told = f1_macro(per_class(cells, 1))
    >>> told.value.round(4), told.lower.round(2), told.upper.round(2)
    (array([0.7917]), array([0.54]), array([1.]))
    """
    mean = averaged(of, f1_of_class, weighted=False)
    half = z_value() * np.sqrt(_f1_variance(of))
    return replace(mean, lower=np.maximum(mean.value - half, 0), upper=np.minimum(mean.value + half, 1))


def _f1_variance(of: PerClass) -> Floats:
    """Of the mean F1 of each group; NaN where there is no class."""
    classes = of.sums(np.ones(len(of.group)))
    own = classes[of.group]
    added = ratio(1, own**2)
    size = of.called + of.true + 2 * added * own
    slope = ratio(2 * (of.hits + added), size**2)  # F_i / s_i
    moved = slope[of.decided_as] + slope[of.labelled_as]
    right = np.where(of.decided_as == of.labelled_as, ratio(2, size)[of.decided_as], 0.0)
    observed = np.bincount(of.group[of.decided_as], weights=of.cells * (right - moved) ** 2, minlength=len(of.total))
    # Over all C^2 cells, (slope_i + slope_j)^2 adds up to 2 C sum slope^2 + 2 (sum slope)^2; on the diagonal each
    # cell differs from it by what a right row gives.
    diagonal = of.sums((ratio(2, size) - 2 * slope) ** 2 - (2 * slope) ** 2)
    everywhere = 2 * classes * of.sums(slope**2) + 2 * of.sums(slope) ** 2 + diagonal
    return ratio(observed + ratio(everywhere, classes**2), classes**2)
