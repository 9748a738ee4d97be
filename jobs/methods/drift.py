"""Drift: how far the shape of a feature is from its reference, in the reference's own bins.

Counts have shape (bins,) or (groups, bins) and are >= 0. Groups with fewer bins are padded with zeros: a bin
that is empty on both sides is no bin, so padding changes nothing, to the last digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods import two_bins

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

SMOOTHING = 0.5
MISSING, UNSEEN, INFINITE = -1, -2, -3
"""The bin numbers that every feature may have beside its ordinary ones, which count from 0."""
SUM_LIMIT = 1e29
"""What DECIMAL(38,9) can hold."""
COLUMNS = [
    "reference",
    "feature",
    "bin",
    "kind",
    "lower",
    "upper",
    "category",
    "n",
    "value_sum",
    "value_square_sum",
]


def psi_contributions(reference: ArrayLike, current: ArrayLike, smoothing: float = SMOOTHING) -> Floats:
    """What each bin adds to the PSI: (a - e) ln(a / e), of the shape both counts broadcast to.

    e and a are shares: `smoothing` is added to each side's count of every bin that is not empty on both
    sides, then each side is divided by its sum. So the volume of either side matters only as far as half a
    row matters in a bin.

    >>> psi_contributions([50, 50, 0], [80, 20, 0], smoothing=0).round(3)
    array([0.141, 0.275, 0.   ])
    """
    before, after = np.broadcast_arrays(np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64))
    occupied = before + after > 0
    expected, observed = _shares(before, occupied, smoothing), _shares(after, occupied, smoothing)
    with np.errstate(divide="ignore", invalid="ignore"):
        added = (observed - expected) * np.log(observed / expected)
    known = (_total(before) > 0) & (_total(after) > 0)
    return np.where(known, np.where(occupied, added, 0.0), np.nan)


def psi(reference: ArrayLike, current: ArrayLike, smoothing: float = SMOOTHING) -> Any:
    """Population stability index (natural log): 0 when the shapes agree, NaN where a side has no rows.

    (bins,) -> float; (groups, bins) -> (groups,). Without smoothing it is symmetric, depends on shapes only,
    and is infinite where one side of a bin is empty. Source: Siddiqi (2006), Credit Risk Scorecards.

    >>> float(psi([40, 30, 20, 10], [20, 40, 30, 10], smoothing=0))
    0.2079441541679836
    """
    return _total(psi_contributions(reference, current, smoothing))[..., 0][()]


def occupied_bins(reference: ArrayLike, current: ArrayLike) -> Any:
    """k: the bins that have rows on either side, per group.

    >>> int(occupied_bins([5, 0, 0], [4, 1, 0]))
    2
    """
    return ((np.asarray(reference) + np.asarray(current)) > 0).sum(axis=-1)


def psi_null_limit(k: ArrayLike, n: ArrayLike, reference_n: ArrayLike, alpha: ArrayLike = 0.01) -> Floats:
    """What the PSI of k bins stays under with probability 1 - alpha while nothing changes; shape (groups,).

    (1/n + 1/N) times the 1 - alpha quantile of chi-square with k - 1 degrees of freedom; 0 for one bin, NaN
    without rows. Source: Yurdakul (2018), Statistical Properties of Population Stability Index.

    >>> float(psi_null_limit(10, 50, 10_000).round(3))
    0.435
    """
    from scipy.special import chdtri

    bins, rows = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    others = np.asarray(reference_n, dtype=np.float64)
    known = (rows > 0) & (others > 0)
    width = 1 / np.where(known, rows, np.nan) + 1 / np.where(known, others, np.nan)
    return np.where(bins > 1, width * chdtri(np.maximum(bins - 1, 1), alpha), 0 * width)


def psi_limit(reference: ArrayLike, current: ArrayLike, alpha: ArrayLike = 0.01) -> Any:
    """What the PSI of these counts stays under by chance: `psi_null_limit`, and exact for two bins.

    >>> float(psi_limit([9800, 200], [198, 2]).round(3)), float(psi_null_limit(2, 200, 10_000).round(3))
    (0.038, 0.034)
    """
    rows, others = (np.asarray(counts).sum(axis=-1) for counts in (current, reference))
    smooth = psi_null_limit(occupied_bins(reference, current), rows, others, alpha)
    smooth = np.maximum(smooth, _empty_bin(reference, current, alpha))  # NaN stays NaN
    return two_bins.held(psi, reference, current, alpha, smooth)[()]


def _empty_bin(reference: ArrayLike, current: ArrayLike, alpha: ArrayLike) -> Floats:
    """PSI of counts as usual but for the rarest bin that is empty by chance with more than its part of alpha.

    Where a bin of e rows is expected, it is empty with probability exp(-e) (Poisson's law): a step that chi-square,
    which is smooth, does not see. 0 where there is no such bin.
    """
    before, after = (np.asarray(counts, dtype=np.float64) for counts in (reference, current))
    n, m = _total(after), _total(before)
    bins = np.maximum((before + after > 0).sum(axis=-1, keepdims=True), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (before + after) / (n + m)
        often = (share > 0) & (np.exp(-share * n) >= np.expand_dims(np.asarray(alpha), -1) / bins)
        empty = SMOOTHING / (n + SMOOTHING * bins)
        added = np.where(often, (empty - share) * np.log(empty / share), 0.0).max(axis=-1)
        usual = ((1 / n + 1 / m) * np.maximum(bins - 2, 0))[..., 0]
        return np.asarray(np.where(added > 0, added + usual, 0.0))


def quantile_edges(values: ArrayLike, bins: int) -> Floats:
    """Ascending cut points of right-closed bins with open ends: (-inf, c0], (c0, c1], ... (last, inf).

    The cuts are quantiles that occur in the data, ties merged. A value v with at least 1/bins of the rows
    gets the bin (nextafter(v, -inf), v] for itself. NaN and infinities are left out; nothing finite: no cuts.
    How far away an outlier lies does not matter.

    >>> quantile_edges([1, 2, 3, 4], 2), len(quantile_edges([7.0] * 5, 10)), len(quantile_edges([np.nan], 10))
    (array([2.]), 2, 0)
    """
    finite = _finite_sorted(values)
    n = len(finite)
    if n == 0:
        return np.empty(0)
    ranks = np.ceil(np.arange(1, bins) * n / bins).astype(np.int64) - 1
    distinct, count = np.unique(finite, return_counts=True)
    # A single row is no point mass among others: a handful of rows would then make a bin of each.
    mass = distinct[(count * bins >= n) & ((count > 1) | (len(distinct) == 1))]
    with np.errstate(over="ignore"):  # nothing finite is below the lowest double
        cuts = np.unique(np.concatenate((finite[ranks], mass, np.nextafter(mass, -np.inf))))
    cuts = cuts[np.isfinite(cuts)]
    # The largest value needs a cut only as a point mass; otherwise the bin beyond it could never hold a row.
    return np.asarray(cuts[(cuts < distinct[-1]) | np.isin(cuts, mass)])


def reference_profile(
    frame: pd.DataFrame,
    kinds: Mapping[str, Literal["numeric", "categorical"]],
    bins: int,
    categories: int,
    reference: str,
) -> pd.DataFrame:
    """The bins of each feature with the counts that are expected, as rows of table `reference_bins`.

    `kinds` names the columns of `frame`. Numeric: bins of `quantile_edges`, and `infinite`. Categorical: the
    most frequent values, ties by name, then one bin `other` where there are more than `categories`. Both:
    `missing` and `unseen` (of a numeric feature without any finite value, everything that comes later). Sums
    are of the finite values of interval bins, NULL where DECIMAL(38,9) cannot hold them and for categories.
    """
    parts = [
        _numeric_bins(frame[feature], bins) if kind == "numeric" else _categorical_bins(frame[feature], categories)
        for feature, kind in kinds.items()
    ]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    profile = pd.concat(parts, keys=list(kinds), names=["feature", None]).reset_index("feature").reset_index(drop=True)
    return profile.assign(reference=reference)[COLUMNS]


def bin_labels(profile: pd.DataFrame) -> pd.Series[Any]:
    """What people call each row of `reference_bins`; rows in bin order within reference and feature.

    >>> rows = pd.DataFrame({"x": [0, 0, 3, 4]})
    >>> bin_labels(reference_profile(rows, {"x": "numeric"}, bins=2, categories=2, reference="all")).tolist()
    ['< 0', '= 0', '> 0', 'missing', 'unseen', 'infinite']
    """
    if profile.empty:
        return pd.Series(index=profile.index, dtype="str")
    interval = profile["kind"] == "interval"
    with np.errstate(over="ignore"):
        point = interval & (np.nextafter(profile["upper"], -np.inf) == profile["lower"])
    below_point = interval & point.shift(-1, fill_value=False) & profile["upper"].eq(profile["lower"].shift(-1))
    upper = profile["upper"].where(~below_point, profile["upper"].shift(-1))
    lower_text, upper_text = profile["lower"].map("{:g}".format), upper.map("{:g}".format)
    closing = below_point.map({True: ")", False: "]"})
    bounded = "(" + lower_text + ", " + upper_text + closing
    open_below = below_point.map({True: "< ", False: "<= "}) + upper_text
    has_lower, has_upper = profile["lower"].notna(), profile["upper"].notna()
    text = profile["kind"].astype("object").where(profile["category"].isna(), profile["category"])
    text = text.where(~interval, bounded.where(has_lower & has_upper, open_below))
    text = text.where(~(interval & has_lower & ~has_upper), "> " + lower_text)
    text = text.where(~(interval & ~has_lower & ~has_upper), "any value")
    return text.where(~point, "= " + upper_text)


def _total(counts: Floats) -> Floats:
    """Sums over bins, kept as an axis; added one by one, so that zeros anywhere change no last digit."""
    if counts.shape[-1] == 0:
        return np.zeros((*counts.shape[:-1], 1))
    return np.cumsum(counts, axis=-1)[..., -1:]


def _shares(counts: Floats, occupied: NDArray[np.bool_], smoothing: float) -> Floats:
    smoothed = np.where(occupied, counts + smoothing, 0.0)
    total = _total(smoothed)
    return smoothed / np.where(total > 0, total, np.nan)


def _finite_sorted(values: ArrayLike) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    return np.sort(numbers[np.isfinite(numbers)]) + 0.0  # -0.0 becomes 0.0


def _rows(**columns: Any) -> pd.DataFrame:
    """Profile rows; columns not given are empty."""
    empty = {
        "lower": np.nan,
        "upper": np.nan,
        "category": None,
        "value_sum": np.nan,
        "value_square_sum": np.nan,
    }
    return pd.DataFrame(empty | columns).astype({"category": "str"})


def _special(**counts: int) -> pd.DataFrame:
    numbers = {"missing": MISSING, "unseen": UNSEEN, "infinite": INFINITE}
    return _rows(bin=[numbers[kind] for kind in counts], kind=list(counts), n=list(counts.values()))


def _numeric_bins(column: pd.Series[Any], bins: int) -> pd.DataFrame:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    special = _special(missing=int(np.isnan(numbers).sum()), unseen=0, infinite=int(np.isinf(numbers).sum()))
    # Sorted, so that the sums do not depend on the order in which the rows were read.
    finite = _finite_sorted(numbers)
    if len(finite) == 0:
        return special
    cuts = quantile_edges(finite, bins)
    place = np.searchsorted(cuts, finite, side="left")
    with np.errstate(over="ignore"):
        sums = [np.bincount(place, weights=finite**power, minlength=len(cuts) + 1) for power in (1, 2)]
    total, squares = (np.where(np.abs(added) < SUM_LIMIT, added, np.nan) for added in sums)
    intervals = _rows(
        bin=np.arange(len(cuts) + 1),
        kind="interval",
        lower=np.concatenate(([np.nan], cuts)),
        upper=np.concatenate((cuts, [np.nan])),
        n=np.bincount(place, minlength=len(cuts) + 1),
        value_sum=total,
        value_square_sum=squares,
    )
    return pd.concat([intervals, special])


def _categorical_bins(column: pd.Series[Any], categories: int) -> pd.DataFrame:
    names = _text(column)
    counts = names.value_counts().rename_axis("category").reset_index(name="n")
    counts = counts.sort_values(["n", "category"], ascending=[False, True], ignore_index=True)
    top, rest = counts.iloc[:categories], counts.iloc[categories:]
    parts = [_rows(bin=np.arange(len(top)), kind="category", category=top["category"], n=top["n"])]
    if len(rest):
        parts.append(_rows(bin=[len(top)], kind="other", n=[int(rest["n"].sum())]))
    parts.append(_special(missing=int(names.isna().sum()), unseen=0))
    return pd.concat([part for part in parts if len(part)])


def _text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Categories as the warehouse spells them: true, and 1 where whole numbers beside a NULL became 1.0."""
    if pd.api.types.is_bool_dtype(column):
        return column.astype("string").str.lower()
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        return column.astype("Int64").astype("string")
    return column.astype("string")
