"""Performance of a model with several classes, from the counts of decided and true class; never from rows.

Definitions follow scikit-learn with `zero_division=nan`: a class of which a figure is undefined is left out of
the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """Each class of each group, sorted by group and class; arrays of shape (entries,) but for `total`, (groups,)."""

    group: Counts
    name: NDArray[np.object_]
    hits: Counts
    called: Counts
    """Decided as this class."""
    true: Counts
    """Labelled as this class."""
    total: Counts
    """Labelled and decided, of each group."""

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
    return PerClass(group, table["name"].to_numpy(dtype=object), hits, called, true, total.astype(np.int64))


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

    Interval of the plain mean: normal, as of independent shares (half a hit added to either side); none of the
    weighted one. Source: scikit-learn, `average="macro"` and `"weighted"`.

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
