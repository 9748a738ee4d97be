"""How differently a model treats groups: gaps and ratios of a rate between the groups of one segment.

Definitions are fairlearn's: the difference is the largest minus the smallest group's rate, the ratio the smallest
over the largest. Groups with too few rows take no part, and with fewer than two groups nothing can be said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.contrasts import katz, newcombe, shared_confidence
from jobs.methods.intervals import Estimate, estimate, ratio

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from jobs.methods.intervals import Floats


@dataclass(frozen=True)
class Gaps:
    """Of one rate, per series: shape (series,)."""

    difference: Floats
    difference_lower: Floats
    difference_upper: Floats
    ratio: Floats
    ratio_lower: Floats
    ratio_upper: Floats
    smallest: Floats
    """Rows of the smallest group that takes part; NaN where fewer than two do."""
    reason: np.ndarray
    """Why there is no difference, else None; a ratio is also undefined where every group's rate is 0."""


def gaps(
    series: ArrayLike, hits: ArrayLike, n: ArrayLike, count: int, min_rows: int, what: str, measures: int = 1
) -> Gaps:
    """The gaps of one rate between groups; one entry per group, `series` (0..count-1) says which series it is of.

    `what` names the rows, for the reason. Every ordered pair of groups is held against each other, Newcombe for the
    difference and Katz for the ratio; the pairs (times `measures`, where several rates are looked at together) share
    the 95 %, so that the interval holds the gap of whichever groups are furthest apart.

    >>> made = gaps([0, 0, 0], [50, 30, 1], [100, 100, 4], 1, min_rows=30, what="decisions")
    >>> made.difference.round(3), made.ratio.round(3), made.smallest
    (array([0.2]), array([0.6]), array([100.]))
    """
    frame = pd.DataFrame({"series": np.asarray(series), "k": np.asarray(hits), "n": np.asarray(n)})
    enough = frame[(frame["n"] >= min_rows) & (frame["n"] > 0)].reset_index(names="row")
    judged = np.bincount(enough["series"], minlength=count)
    known = np.bincount(frame["series"], minlength=count)
    pairs = enough.merge(enough, on="series", suffixes=("", "_other"))
    pairs = pairs[pairs["row"] != pairs["row_other"]]
    number = pairs["series"].to_numpy()
    groups = judged[number]
    confidence = shared_confidence(measures * groups * (groups - 1) / 2)
    k, rows, k_other, n_other = (pairs[name].to_numpy(dtype=np.float64) for name in ("k", "n", "k_other", "n_other"))
    share, other = ratio(k, rows), ratio(k_other, n_other)
    lower, upper = newcombe(k, rows, k_other, n_other, confidence)
    ratio_lower, ratio_upper = katz(k, rows, k_other, n_other, confidence)
    some = other > 0
    table = pd.DataFrame(
        {
            "difference": share - other, "lower": lower, "upper": upper,
            "ratio": np.where(some, ratio(share, other), np.nan),
            "ratio_lower": np.where(some, ratio_lower, np.nan), "ratio_upper": np.where(some, ratio_upper, np.nan),
        }
    ).groupby(number)  # fmt: skip
    most, least = table.max().reindex(range(count)), table.min().reindex(range(count))
    smallest = enough.groupby("series")["n"].min().reindex(range(count)).to_numpy(dtype=np.float64)
    few = judged < 2
    return Gaps(
        difference=most["difference"].to_numpy(), difference_lower=most["lower"].clip(lower=0).to_numpy(),
        difference_upper=most["upper"].to_numpy(), ratio=least["ratio"].to_numpy(),
        ratio_lower=least["ratio_lower"].to_numpy(), ratio_upper=least["ratio_upper"].clip(upper=1).to_numpy(),
        smallest=np.where(few, np.nan, smallest), reason=_few(few, judged, known, min_rows, what),
    )  # fmt: skip


def worst(one: Gaps, other: Gaps) -> Gaps:
    """Equalized odds: the larger of two differences, the smaller of two ratios; both must be known."""
    return Gaps(
        difference=np.maximum(one.difference, other.difference),
        difference_lower=np.maximum(one.difference_lower, other.difference_lower),
        difference_upper=np.maximum(one.difference_upper, other.difference_upper),
        ratio=np.minimum(one.ratio, other.ratio),
        ratio_lower=np.minimum(one.ratio_lower, other.ratio_lower),
        ratio_upper=np.minimum(one.ratio_upper, other.ratio_upper),
        smallest=np.minimum(one.smallest, other.smallest),
        reason=np.where(pd.isna(one.reason), other.reason, one.reason),
    )


def difference(of: Gaps) -> Estimate:
    """The difference as an estimate, with its reason where there is none."""
    return _told(of.difference, (of.difference_lower, of.difference_upper), of)


def quotient(of: Gaps) -> Estimate:
    """The ratio as an estimate, with its reason where there is none."""
    return _told(of.ratio, (of.ratio_lower, of.ratio_upper), of, "the rate of every group is 0")


def _told(value: Floats, interval: tuple[Floats, Floats], of: Gaps, nothing: str = "") -> Estimate:
    reason = of.reason.copy()
    reason[pd.isna(reason) & np.isnan(value)] = nothing
    made = estimate(value, np.nan_to_num(of.smallest), interval, {"": ~pd.isna(reason)})
    made.reason[:] = reason
    return made


def _few(few: np.ndarray, judged: np.ndarray, known: np.ndarray, min_rows: int, what: str) -> np.ndarray:
    reason = np.full(len(few), None, dtype=object)
    for one, of in {(int(one), int(of)) for one, of in zip(judged[few], known[few], strict=True)}:
        text = f"{one} of {of} groups {'has' if one == 1 else 'have'} {min_rows} {what}, two are needed"
        reason[few & (judged == one) & (known == of)] = text
    return reason
