"""The estimator judged by what labels said later: how wide its intervals must be, and whether it may be believed.

A series is one version's figure on one basis (`scores`, or the segment whose mix is reweighted). Night t knows the
labels of days up to t minus the last label age, and looks at the last 60 of those within 120 days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.intervals import CONFIDENCE, ratio, wilson, z_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

SERIES = ["version", "metric", "basis"]
EVALUATED_MOST = 60
"""Evaluated days that a night looks at, ..."""
SPAN_DAYS = 120
"""... none of them older than this before the newest that could be evaluated."""
EVALUATED_LEAST = 20
"""Below it the estimator has not proved itself."""
LABELS_LEAST = 300
"""Labels that a calibration needs; an estimate made of fewer proves nothing and alarms nobody."""
DAY = pd.Timedelta(1, "D")


def evaluated(estimates: pd.DataFrame, figures: pd.DataFrame) -> pd.DataFrame:
    """Whole-day estimates whose labels are in: day, the series' columns, value, deviation, `said` (what labels said).

    Sorted by series and day.
    """
    told = figures.rename(columns={"value": "said"})[["day", "version", "metric", "said"]]
    known = estimates[(estimates["n_known"] >= LABELS_LEAST) & estimates["value"].notna()]
    both = known.merge(told, on=["day", "version", "metric"])
    return both.sort_values([*SERIES, "day"], ignore_index=True)


def recent(days: NDArray[np.int64], values: Floats, nights: NDArray[np.int64], age: int) -> Floats:
    """Per night the last evaluated values that it knows, shape (nights, 60), NaN where there are fewer.

    >>> days = np.array([1, 2, 9])
    >>> recent(days, np.array([0.1, 0.2, 0.9]), np.array([9, 16]), 7)[:, -2:]
    array([[0.1, 0.2],
           [0.2, 0.9]])
    """
    newest = nights - age
    end = np.searchsorted(days, newest, side="right")
    place = end[:, None] - EVALUATED_MOST + np.arange(EVALUATED_MOST)
    # one entry that no night may look at, so that there always is one
    days, values = np.append(days, np.iinfo(np.int64).min), np.append(values, np.nan)
    there = (place >= 0) & (days[np.maximum(place, 0)] > (newest - SPAN_DAYS)[:, None])
    return np.where(there, values[np.maximum(place, 0)], np.nan)


def widening(estimates: pd.DataFrame, known: pd.DataFrame, age: int) -> Floats:
    """By how much the deviation of each row of `estimates` fell short in the past, at least 1; shape (rows,).

    The root mean square of (said - value) / deviation over the last evaluated days: a bias and whatever days have in
    common count with it. 1 while fewer than 20 days are evaluated.
    """
    wide = np.ones(len(estimates))
    far = ratio(known["said"] - known["value"], known["deviation"])
    for rows, days, place in _by_series(estimates, known):
        past = recent(days, far[place], _ordinal(estimates["day"].iloc[rows]), age)
        count = (~np.isnan(past)).sum(axis=1)
        square = np.sqrt(ratio(np.nansum(past**2, axis=1), count))
        wide[rows] = np.where(count >= EVALUATED_LEAST, np.maximum(square, 1.0), 1.0)
    return wide


def with_interval(estimates: pd.DataFrame, widened: Floats) -> pd.DataFrame:
    """The estimates with `widening`, `lower` and `upper`, within 0..1."""
    half = z_value() * widened * estimates["deviation"].to_numpy()
    value = estimates["value"].to_numpy()
    return estimates.assign(widening=widened, lower=np.maximum(value - half, 0), upper=np.minimum(value + half, 1))


def card(estimates: pd.DataFrame, known: pd.DataFrame, age: int) -> pd.DataFrame:
    """The rows of `estimator_card` of each row of `estimates` (whole days): bias, inside share, verdict.

    `known` has `lower` and `upper` as the estimates' own nights told them. The verdict is `unproven` below 20
    evaluated days, `off` where even the upper end of the inside share's Wilson interval is below 95 %, else `trusted`.
    """
    error = (known["value"] - known["said"]).to_numpy()
    inside = ((known["lower"] <= known["said"]) & (known["said"] <= known["upper"])).to_numpy().astype(float)
    figures = np.full((len(estimates), 4), np.nan)
    figures[:, 0] = 0
    for rows, days, place in _by_series(estimates, known):
        nights = _ordinal(estimates["day"].iloc[rows])
        off, held = recent(days, error[place], nights, age), recent(days, inside[place], nights, age)
        count = (~np.isnan(off)).sum(axis=1)
        sums = [np.nansum(one, axis=1) for one in (off, np.abs(off), held)]
        figures[rows] = np.column_stack([count, *(ratio(one, count) for one in sums)])
    count, bias, absolute, share = figures.T
    lower, upper = wilson(np.where(count > 0, np.rint(share * count), 0), count)
    verdict = np.where(count < EVALUATED_LEAST, "unproven", np.where(upper < CONFIDENCE, "off", "trusted"))
    return estimates[["day", *SERIES]].assign(
        evaluated=count.astype(np.int64), bias=bias, mean_absolute=absolute, inside_share=share,
        inside_lower=lower, inside_upper=upper, verdict=verdict,
    )  # fmt: skip


def doubts(card_rows: pd.DataFrame) -> NDArray[np.object_]:
    """Why nobody should act on an estimate, per row of the card; None where it is trusted."""
    count, held = card_rows["evaluated"], (card_rows["inside_share"] * card_rows["evaluated"]).round()
    unproven = "checked against labels on " + count.astype("str") + f" days so far, {EVALUATED_LEAST} needed"
    held_text = held.fillna(0).astype("int64").astype("str")
    off = "only " + held_text + " of the last " + count.astype("str") + " estimates held what labels said later"
    told = unproven.where(card_rows["verdict"] == "unproven", off).astype(object)
    return told.where(card_rows["verdict"] != "trusted", None).to_numpy(dtype=object)


def _by_series(estimates: pd.DataFrame, known: pd.DataFrame) -> Iterator[tuple[Places, Places, Places]]:
    """Per series of `estimates`: its rows, and the days and places of what is known of it."""
    places = known.groupby(SERIES, sort=False).indices
    for series, rows in estimates.groupby(SERIES, sort=False).indices.items():
        place = places.get(series, np.zeros(0, dtype=np.int64))
        yield np.asarray(rows), _ordinal(known["day"].iloc[place]), np.asarray(place)


def _ordinal(days: pd.Series[pd.Timestamp]) -> NDArray[np.int64]:
    """Days as whole numbers."""
    return np.asarray((days - pd.Timestamp("1970-01-01")) // DAY, dtype=np.int64)
