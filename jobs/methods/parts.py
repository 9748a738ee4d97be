"""The parts of the reference's bins: finer counts, for distances that need more than ten bins, and for outliers.

PSI wants few bins, Kolmogorov and Wasserstein many; so a numeric bin is cut into parts, which add up to it. The cuts
are quantiles of the reference too, its 0.1 % and 99.9 % values and mean -+ 3 sigma; beyond these are outliers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs.methods.drift import SUM_LIMIT, quantile_edges

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

PARTS = 40
"""Quantile parts of a numeric feature, at least; a multiple of its bins."""
RANGE = 0.001
"""Beyond the reference's quantiles of this and of 1 - this, a value is out of range."""
TAILS = (0.005, 0.01, 0.99, 0.995)
"""More cuts near both ends, where a part of a fortieth is wide."""
SIGMAS = 3.0
COLUMNS = [
    "reference", "feature", "bin", "part", "lower", "upper", "n", "value_sum", "value_square_sum", "beyond_range",
    "beyond_sigma",
]  # fmt: skip


def reference_parts(
    frame: pd.DataFrame,
    kinds: Mapping[str, Literal["numeric", "categorical"]],
    bins: int,
    profile: pd.DataFrame,
    reference: str,
) -> pd.DataFrame:
    """Rows of table `reference_parts` of one reference, from the rows it is made of and its profile.

    Bins that are no intervals (categories, missing, unseen, infinite) are one part, number 0.
    """
    mine = profile[profile["reference"] == reference]
    whole = mine[mine["kind"] != "interval"].assign(part=0, beyond_range=mine["kind"] == "infinite")
    whole = whole.assign(beyond_sigma=whole["beyond_range"])
    split = [
        numeric_parts(frame[name].to_numpy(dtype=np.float64, na_value=np.nan), bins).assign(feature=name)
        for name, kind in kinds.items()
        if kind == "numeric"
    ]
    made = pd.concat([part for part in (*split, whole) if len(part)]) if len(whole) or split else whole
    return made.assign(reference=reference)[COLUMNS].reset_index(drop=True)


def numeric_parts(values: ArrayLike, bins: int) -> pd.DataFrame:
    """Bin, part, edges, count, sums and whether outside of each part; right-closed, ascending, nothing finite: none.

    >>> made = numeric_parts(np.arange(1.0, 1001.0), bins=10)
    >>> made.loc[made["beyond_range"], "n"].tolist()  # under 1, over 999, and 3 sigma away
    [0, 0, 1, 0]
    >>> len(made), int(made["n"].sum()), int(made["bin"].nunique())
    (48, 1000, 10)
    """
    numbers = np.asarray(values, dtype=np.float64)
    finite = np.sort(numbers[np.isfinite(numbers)]) + 0.0  # -0.0 becomes 0.0
    if len(finite) == 0:
        return pd.DataFrame(columns=COLUMNS)
    coarse, within, ordinary = quantile_edges(finite, bins), _range_cuts(finite), _sigma_cuts(finite)
    fine = quantile_edges(finite, bins * max(1, -(-PARTS // bins)))
    tails = finite[np.ceil(np.array(TAILS) * len(finite)).astype(np.int64) - 1]
    cuts = np.unique(np.concatenate((coarse, fine, tails, within, ordinary)))
    cuts = cuts[np.isfinite(cuts)]
    place = np.searchsorted(cuts, finite, side="left")
    with np.errstate(over="ignore"):
        sums = [np.bincount(place, weights=finite**power, minlength=len(cuts) + 1) for power in (1, 2)]
    total, squares = (np.where(np.abs(added) < SUM_LIMIT, added, np.nan) for added in sums)
    lower, upper = np.concatenate(([np.nan], cuts)), np.concatenate((cuts, [np.nan]))
    number = np.searchsorted(coarse, np.append(cuts, np.inf), side="left")
    first = np.searchsorted(number, number, side="left")
    return pd.DataFrame(
        {
            "bin": number,
            "part": np.arange(len(number)) - first,
            "lower": lower,
            "upper": upper,
            "n": np.bincount(place, minlength=len(cuts) + 1),
            "value_sum": total,
            "value_square_sum": squares,
            "beyond_range": _beyond(lower, upper, within),
            "beyond_sigma": _beyond(lower, upper, ordinary),
        }
    )


def positions(parts: pd.DataFrame) -> Floats:
    """Where the rows of each part stand: at the reference's mean in it, and beyond the range at the range's edge.

    So no outlier has weight, on either side. A part without reference rows stands in its middle; NaN where there is
    no edge. Columns reference, feature, lower, upper, n, value_sum, beyond_range.
    """
    lower, upper, n, total = (parts[name].to_numpy(dtype=np.float64) for name in ("lower", "upper", "n", "value_sum"))
    mean = np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
    mean = np.where(np.isfinite(mean), mean, lower / 2 + upper / 2)
    mean = np.minimum(np.maximum(mean, lower), upper)
    inside = parts.assign(lower=lower, upper=upper)[~parts["beyond_range"].to_numpy(dtype=bool)]
    ends = inside.groupby(["reference", "feature"]).agg(least=("lower", "min"), greatest=("upper", "max"))
    ends = parts[["reference", "feature"]].merge(ends, how="left", left_on=["reference", "feature"], right_index=True)
    least, greatest = ends["least"].to_numpy(), ends["greatest"].to_numpy()
    held = np.minimum(np.maximum(mean, least), greatest)
    below, above = upper <= least, lower >= greatest
    return np.asarray(np.where(below, least, np.where(above, greatest, held)))


def _range_cuts(finite: Floats) -> Floats:
    """Two cuts: values up to the first and values above the second are out of range. `finite` is sorted."""
    n = len(finite)
    least, greatest = (finite[max(int(np.ceil(share * n)) - 1, 0)] for share in (RANGE, 1 - RANGE))
    return np.array([_just_below(least), greatest])


def _sigma_cuts(finite: Floats) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = (finite.mean(), finite.std()) if finite[0] < finite[-1] else (finite[0], 0.0)
        cuts = np.array([_just_below(mean - SIGMAS * spread), mean + SIGMAS * spread])
    return cuts if np.isfinite(cuts).all() else np.array([-np.inf, np.inf])


def _just_below(value: float) -> float:
    """The next smaller number; -inf below the least one."""
    with np.errstate(over="ignore"):
        return float(np.nextafter(value, -np.inf))


def _beyond(lower: Floats, upper: Floats, cuts: Floats) -> NDArray[np.bool_]:
    return np.asarray((upper <= cuts[0]) | (lower >= cuts[1]))


def contiguous(frame: pd.DataFrame, keys: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], pd.DataFrame]:
    """Per row of a frame sorted by `keys`: its series' number and its place therein; and the series' keys.

    >>> contiguous(pd.DataFrame({"day": [1, 1, 2]}), ["day"])[:2]
    (array([0, 0, 1]), array([0, 1, 0]))
    """
    row = frame.groupby(keys, sort=False).ngroup().to_numpy().astype(np.int64)
    first: Any = np.flatnonzero(np.diff(row, prepend=-1))
    return (
        row,
        np.asarray(np.arange(len(row)) - first[row], dtype=np.int64),
        frame[keys].iloc[first].reset_index(drop=True),
    )
