"""A new version against the one before it: the days of both pooled, so that a small drop shows within nights."""

from __future__ import annotations

import numpy as np
import pandas as pd

from jobs.methods import scale

WINDOW = 28
"""Days of the version before that count, and days for which a version is new."""


def changes(volume: pd.DataFrame, first_days: pd.DataFrame) -> pd.DataFrame:
    """Which live version was new on which day, and which one it replaced.

    `volume`: `day`, `version`, `value` of live versions; `first_days`: `version`, `first_day`. Answers one row per
    change: `version`, `first_day`, `until` and `former_version`. `until` is the last night on which it counts as
    new, the 28th or the one before the next change; the former version is the one with most answers in the 28 days
    before. The model's first version replaces none and has no row.

    >>> days = pd.date_range("2025-01-01", periods=4)
    >>> volume = pd.DataFrame({"day": days, "version": ["a", "a", "b", "b"], "value": 10.0})
    >>> first = volume.groupby("version")["day"].min().rename("first_day").reset_index()
    >>> changes(volume, first)[["version", "former_version"]].to_numpy().tolist()
    [['b', 'a']]
    """
    known = first_days.sort_values(["first_day", "version"], ignore_index=True)
    length = pd.Timedelta(WINDOW, "D")
    pairs = known.merge(volume.rename(columns={"version": "former_version"}), how="cross")
    pairs = pairs[
        (pairs["day"] < pairs["first_day"])
        & (pairs["day"] >= pairs["first_day"] - length)
        & (pairs["former_version"] != pairs["version"])
    ]
    served = pairs.groupby(["version", "former_version"])["value"].sum().reset_index()
    served = served.sort_values(["version", "value", "former_version"], ascending=[True, False, True])
    former = served.drop_duplicates("version")[["version", "former_version"]]
    last_new = known["first_day"] + length - pd.Timedelta(1, "D")
    next_change = known["first_day"].map(
        lambda day: known.loc[known["first_day"] > day, "first_day"].min() - pd.Timedelta(1, "D")
    )
    known = known.assign(until=np.where(next_change.notna() & (next_change < last_new), next_change, last_new))
    return known.merge(former, on="version")


def against_previous(chosen: pd.DataFrame, figures: pd.DataFrame, first_days: pd.DataFrame) -> pd.DataFrame:
    """The figures of new versions, each pooled from the version's first day on, with the former version's 28 days.

    `chosen`: rows of one metric, versions apart, with `why`. Answers rows of new versions only, `value`, `n`, `lower`,
    `upper` pooled; adds `former`, `former_n`, `former_version`. A day that was not evaluated adds nothing to the pool.
    """
    volume = figures[(figures["metric"] == "volume") & (figures["segment"] == "all") & (figures["version"] != "all")]
    new = changes(volume[["day", "version", "value"]], first_days)
    sums = chosen.assign(told=(chosen["why"] == "") & np.isfinite(chosen["value"]))
    error = scale.standard_error("", sums["lower"].to_numpy(dtype=float), sums["upper"].to_numpy(dtype=float))
    sums["rows"] = sums["n"].where(sums["told"], 0).astype(float)
    sums["total"] = (sums["value"] * sums["rows"]).where(sums["told"], 0.0)
    sums["squares"] = pd.Series((error * sums["rows"]) ** 2, index=sums.index).where(sums["told"], 0.0)
    mine = sums.drop(columns=["former_version"]).merge(new, on="version")
    mine = mine[(mine["day"] >= mine["first_day"]) & (mine["night"] <= mine["until"])].sort_values("day", kind="stable")
    series = ["version", "feature", "segment", "age"]
    pooled = mine.groupby(series, sort=False)[["rows", "total", "squares"]].cumsum()
    before = _before(sums, new, series)
    mine = mine.merge(before, how="left", on=series)
    rows, total, squares = (pooled[name].to_numpy() for name in ("rows", "total", "squares"))
    with np.errstate(invalid="ignore", divide="ignore"):
        value, half = total / rows, scale.INTERVAL_Z * np.sqrt(squares) / rows
    why = np.where(rows > 0, np.where(mine["former_n"] > 0, "", "the version before has no such figure"), mine["why"])
    return mine.drop(columns=["told", "rows", "total", "squares", "first_day", "until"]).assign(
        value=value, n=rows, lower=value - half, upper=value + half, why=why
    ).reset_index(drop=True)  # fmt: skip


def _before(sums: pd.DataFrame, new: pd.DataFrame, series: list[str]) -> pd.DataFrame:
    """The former version's pooled figure over the 28 days before the change, by the new version's series."""
    old = sums.drop(columns=["former_version"]).rename(columns={"version": "former_version"})
    old = old.merge(new, on="former_version")
    old = old[(old["day"] < old["first_day"]) & (old["day"] >= old["first_day"] - pd.Timedelta(WINDOW, "D"))]
    summed = old.sort_values("day", kind="stable").groupby(series, as_index=False)[["rows", "total"]].sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        summed["former"] = summed["total"] / summed["rows"]
    return summed.rename(columns={"rows": "former_n"})[[*series, "former", "former_n"]]
