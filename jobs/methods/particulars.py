"""What makes a piece of evidence telling: values before and after, bins, the segments that carry it, label coverage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs.methods.definitions import BY_NAME
from jobs.methods.distances import SHAPES
from jobs.methods.drift import psi_contributions
from jobs.methods.evidence import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.methods.scale import Floats

BINS = 2
"""The most telling bins that are told of a drifted feature."""

SEGMENTS = 2
"""Segments that are told of a change."""

LEAST_PART, LEAST_LIFT, LEAST_ROWS = 0.3, 1.5, 30
"""A segment carries a change that is at least this part of it, this much more than its share of rows (or whose share
grew), from this n."""


@dataclass(frozen=True)
class Particulars:
    """Looks up what goes with a breach."""

    profiles: Mapping[tuple[str, str, str], pd.DataFrame] = field(default_factory=dict)
    """(day, version, feature) -> its bins beside the reference's."""
    parts: Mapping[tuple[str, int], pd.DataFrame] = field(default_factory=dict)
    """(metric, label age or -1) -> day, segment, value, n; coverage under segment `all`."""
    recent_days: int = 56
    recent_gap: int = 14

    @classmethod
    def of(cls, profiles: pd.DataFrame, parts: pd.DataFrame, recent_days: int, recent_gap: int) -> Particulars:
        """From the rows of `incidents/profiles` and `incidents/parts`."""
        bins = {
            (str(day)[:10], str(version), str(feature)): rows
            for (day, version, feature), rows in profiles.groupby(["day", "version", "feature"], sort=False)
        }
        ages = parts.assign(age=parts["label_age"].fillna(-1).astype(int))
        series = {
            (str(metric), int(str(age))): rows for (metric, age), rows in ages.groupby(["metric", "age"], sort=False)
        }
        return cls(bins, series, recent_days, recent_gap)

    def of_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """What is to be added to a piece of evidence; empty where nothing is known."""
        told: dict[str, Any] = {}
        rows = self.profiles.get((item["day"], item["version"], item["feature"]))
        if item["metric"] in (*SHAPES, "missing_rate") and rows is not None:
            told |= shift(rows)
        age = -1 if item["label_age"] is None else item["label_age"]
        definition = BY_NAME.get(item["metric"])
        if definition is None or definition.scale != "rate" or item["segment"] != "all" or item["version"] != "all":
            return told
        if (parts := self.parts.get((item["metric"], age))) is not None and item["metric"] != "coverage":
            told["carried"] = self._carried(parts, pd.Timestamp(item["day"]))
        if definition.needs == "labels" and (known := self.parts.get(("coverage", age))) is not None:
            told |= self._coverage(known[known["segment"] == "all"], pd.Timestamp(item["day"]))
        return {name: value for name, value in told.items() if value}

    def _before(self, rows: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
        last = day - pd.Timedelta(self.recent_gap, "D")
        return rows[rows["day"].between(last - pd.Timedelta(self.recent_days - 1, "D"), last)]

    def _carried(self, rows: pd.DataFrame, day: pd.Timestamp) -> list[dict[str, Any]]:
        after, before = rows[rows["day"] == day], self._before(rows, day)
        if after.empty or before.empty:
            return []
        pooled = before.assign(total=before["value"] * before["n"]).groupby("segment")[["total", "n"]].sum()
        both = after.set_index("segment")[["value", "n"]].join(pooled.rename(columns={"n": "before_n"}), how="inner")
        return carriers(both.assign(before=both["total"] / both["before_n"]))

    def _coverage(self, rows: pd.DataFrame, day: pd.Timestamp) -> dict[str, Any]:
        now, before = rows.loc[rows["day"] == day, "value"], self._before(rows, day)["value"]
        if now.empty or before.empty:
            return {}
        return {"coverage": rounded(now.iloc[0]), "usual_coverage": rounded(before.median())}


def shift(rows: pd.DataFrame) -> dict[str, Any]:
    """A feature before and after in its own units, and the bins that tell it best.

    `rows`: `bin`, `kind`, `lower`, `upper`, `category`, `reference_n`, `reference_sum`, `n`, `value_sum`.
    """
    before, after = rows["reference_n"].to_numpy(dtype=float), rows["n"].to_numpy(dtype=float)
    if before.sum() == 0 or after.sum() == 0:
        return {}
    told: dict[str, Any] = {}
    if (rows["kind"] == "interval").any():
        told["before"] = _middle(rows, before, rows["reference_sum"].to_numpy(dtype=float))
        told["after"] = _middle(rows, after, rows["value_sum"].to_numpy(dtype=float))
    heavy = np.argsort(-psi_contributions(before, after), kind="stable")[:BINS]
    told["bins"] = [
        {
            "kind": str(rows["kind"].iloc[place]),
            "lower": rounded(rows["lower"].iloc[place]),
            "upper": rounded(rows["upper"].iloc[place]),
            "category": None if pd.isna(rows["category"].iloc[place]) else str(rows["category"].iloc[place]),
            "expected": rounded(before[place] / before.sum()),
            "observed": rounded(after[place] / after.sum()),
        }
        for place in heavy
    ]
    return told


def _middle(rows: pd.DataFrame, counts: Floats, sums: Floats) -> dict[str, Any]:
    """Mean, and the median as the bins tell it, of the ordinary values; empty where there are none."""
    ordinary = (rows["kind"] == "interval").to_numpy() & (counts > 0)
    n, total = counts[ordinary], np.nan_to_num(sums[ordinary])
    if n.sum() == 0:
        return {}
    bounds = rows.loc[ordinary, ["lower", "upper"]].to_numpy(dtype=float)
    return {"mean": rounded(total.sum() / n.sum()), "median": rounded(median(n, total, bounds)), "n": int(n.sum())}


def median(counts: Floats, sums: Floats, bounds: np.ndarray) -> float:
    """The median that binned values have, even within the bin it falls into; of an open bin, its mean.

    >>> median(np.array([4.0, 4.0]), np.array([2.0, 6.0]), np.array([[0.0, 1.0], [1.0, 2.0]]))
    1.0
    """
    reached = counts.cumsum()
    place = int(np.searchsorted(reached, counts.sum() / 2))
    lower, upper = bounds[place]
    if not (np.isfinite(lower) and np.isfinite(upper)):
        return float(sums[place] / counts[place])
    within = (counts.sum() / 2 - (reached[place] - counts[place])) / counts[place]
    return float(lower + within * (upper - lower))


def carriers(both: pd.DataFrame) -> list[dict[str, Any]]:
    """The segments that carry a change of a rate, by their own rate or by their share of the rows.

    `both`: index `column=value`; `value`, `n` of the day, `before`, `before_n` pooled before it. Source: Kitagawa
    (1955), with mid-point weights; the parts of one column's segments add up to the change.

    >>> rows = {"value": [0.6, 0.9], "n": [50, 50], "before": [0.9, 0.9], "before_n": [500, 500]}
    >>> [one] = carriers(pd.DataFrame(rows, index=["plan=new", "plan=old"]))
    >>> one["segment"], one["part"], one["kind"]
    ('plan=new', 1.0, 'rate')
    """
    plain = both[~both.index.astype(str).str.contains(",", regex=False)]  # crossed segments repeat what their parts say
    if plain.empty:  # every value of the day is new, as after a renaming
        return []
    column = plain.index.str.partition("=").get_level_values(0)
    share = plain["n"] / plain.groupby(column)["n"].transform("sum")
    share_before = plain["before_n"] / plain.groupby(column)["before_n"].transform("sum")
    whole = (share * plain["value"]).groupby(column).transform("sum")
    whole_before = (share_before * plain["before"]).groupby(column).transform("sum")
    rate = (share + share_before) / 2 * (plain["value"] - plain["before"])
    mix = (share - share_before) * ((plain["value"] + plain["before"]) / 2 - (whole + whole_before) / 2)
    change = (whole - whole_before).where(lambda moved: moved.abs() > 1e-9)
    told = plain.assign(
        part=(rate + mix) / change, kind=np.where(rate.abs() >= mix.abs(), "rate", "mix"), share=share,
        share_before=share_before, column=column,
    )  # fmt: skip
    told = told[
        (told["part"] >= LEAST_PART)
        & (
            (told["part"] >= LEAST_LIFT * told[["share", "share_before"]].max(axis=1))
            | ((told["kind"] == "mix") & (told["share"] > told["share_before"]))  # who grew is told, not who shrank
        )
        & (told["n"] >= LEAST_ROWS)
    ]
    best = told.sort_values("part", ascending=False, kind="stable").drop_duplicates("column")[:SEGMENTS]
    return [
        {
            "segment": str(name), "part": rounded(row["part"]), "kind": str(row["kind"]), "n": int(row["n"]),
            "value": rounded(row["value"]), "before": rounded(row["before"]),
            "share": rounded(row["share"]), "share_before": rounded(row["share_before"]),
        }
        for name, row in zip(best.index, best.to_dict("records"), strict=True)
    ]  # fmt: skip
