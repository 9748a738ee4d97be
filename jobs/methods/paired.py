"""Two versions on the same rows: who is right where they differ, and whose scores rank better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.intervals import CONFIDENCE, ratio, z_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from jobs.methods.intervals import Floats, Interval


def mcnemar(only_one: ArrayLike, only_other: ArrayLike) -> Floats:
    """Two-sided exact p-value that two versions are right equally often, from the rows where only one of them is.

    Source: McNemar (1947), Psychometrika 12, 153-157, exact by the binomial law for every number of rows, as
    `statsmodels.stats.contingency_tables.mcnemar(exact=True)`; 1 where they never differ.

    >>> mcnemar([1, 0], [9, 0]).round(4)
    array([0.0215, 1.    ])
    """
    from scipy.special import bdtr

    b, c = np.broadcast_arrays(np.asarray(only_one, dtype=np.float64), np.asarray(only_other, dtype=np.float64))
    tail = np.where(b + c > 0, bdtr(np.minimum(b, c), (b + c).astype(np.int64), 0.5), 1.0)
    return np.asarray(np.minimum(2 * tail, 1.0), dtype=np.float64)


def paired_difference(
    only_one: ArrayLike, only_other: ArrayLike, n: ArrayLike, confidence: float = CONFIDENCE
) -> Interval:
    """Interval of the difference (only_one - only_other) / n of two proportions of the same n rows.

    Source: Bonett and Price (2012), J. Educational and Behavioral Statistics 37, 479-488: Wald's interval with one row
    added to both kinds of difference. It may not hold the raw difference where there are few rows. NaN where n is 0.

    >>> lower, upper = paired_difference(9, 1, 100)
    >>> round(float(lower), 3), round(float(upper), 3)
    (0.014, 0.143)
    """
    b, c, rows = (np.asarray(counts, dtype=np.float64) for counts in np.broadcast_arrays(only_one, only_other, n))
    p, q, size = (b + 1) / (rows + 2), (c + 1) / (rows + 2), np.where(rows > 0, rows + 2, np.nan)
    half = z_value(confidence) * np.sqrt((p + q - (p - q) ** 2) / size)
    return np.maximum(p - q - half, -1.0), np.minimum(p - q + half, 1.0)


def auc_differences(counts: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Paired difference of two AUCs with DeLong's variance, from joint counts of both scores' bins.

    `counts`: one row per `keys`, `score_bin`, `other_score_bin`, with `n_positive` and `n_negative`. Answers one row
    per keys: `auc`, `other_auc`, `difference` (other - first), `variance` (NaN for a class of one), `n_positive`,
    `n_negative`. Ties within a bin count half, as in `roc_auc_score` of the binned scores. A row's placement depends
    on its bin only, so the covariance of both AUCs, which needs the rows, is a sum over the joint bins.

    Source: DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    group = counts.groupby(list(keys), sort=True).ngroup()
    totals = counts.groupby(group)[["n_positive", "n_negative"]].sum()
    p, q = (totals[name].reindex(group).to_numpy(dtype=np.float64) for name in ("n_positive", "n_negative"))
    places = [_placements(group, counts, name, p, q) for name in ("score_bin", "other_score_bin")]
    positive, negative = (counts[name].to_numpy(dtype=np.float64) for name in ("n_positive", "n_negative"))
    number = group.to_numpy()

    def summed(values: Floats) -> Floats:
        return np.bincount(number, weights=np.nan_to_num(values), minlength=len(totals)).astype(np.float64)

    n_p, n_q = (totals[name].to_numpy(dtype=np.float64) for name in ("n_positive", "n_negative"))
    aucs = [np.where(n_q > 0, ratio(summed(positive * above), n_p), np.nan) for above, _ in places]
    difference = aucs[1] - aucs[0]
    (one_above, one_below), (other_above, other_below) = places
    spread_p = summed(positive * (other_above - one_above - difference[number]) ** 2)
    spread_q = summed(negative * (other_below - one_below - difference[number]) ** 2)
    variance = ratio(spread_p, n_p * (n_p - 1)) + ratio(spread_q, n_q * (n_q - 1))
    made = counts[list(keys)].groupby(group).first().reset_index(drop=True)
    return made.assign(
        auc=aucs[0],
        other_auc=aucs[1],
        difference=difference,
        variance=variance,
        n_positive=n_p,
        n_negative=n_q,
    )


def _placements(group: pd.Series[int], counts: pd.DataFrame, bins: str, p: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Per row: the share of negatives that a positive of its bin is above, and of positives that a negative is
    below."""
    frame = pd.DataFrame({"group": group, "bin": counts[bins], "p": counts["n_positive"], "q": counts["n_negative"]})
    margin = frame.groupby(["group", "bin"], sort=True)[["p", "q"]].sum()
    before = margin.groupby(level="group").cumsum() - margin
    at = pd.MultiIndex.from_frame(frame[["group", "bin"]])
    below_q = (before["q"] + margin["q"] / 2).reindex(at).to_numpy(dtype=np.float64)
    below_p = (before["p"] + margin["p"] / 2).reindex(at).to_numpy(dtype=np.float64)
    return ratio(below_q, q), 1 - ratio(below_p, p)
