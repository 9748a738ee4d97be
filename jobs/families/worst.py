"""The segments, and pairs of them, that did worse against their own recent window than everybody else did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.families import counted, earlier, rightly
from jobs.families.figures import better, is_mean
from jobs.families.reasons import SERIES, label_rates, nights_of, now_and_former, outcome_rates, rates_of, table_of
from jobs.methods import search
from jobs.methods.intervals import ratio
from jobs.methods.means import excess_of_means, sums_of
from jobs.methods.windows import window_sums

if TYPE_CHECKING:
    from jobs.engine.warehouse import Warehouse
    from jobs.families import Past, Watch
    from jobs.methods.intervals import Floats

SEARCHED = ("accuracy", "recall", "precision", "conversion", "mae")
"""Figures whose worst segments are looked for."""
COUNTED = ("base", "hits", "squares")
MOST = 5
"""Worst segments kept of each figure and night."""


def worst_segments(watch: Watch, past: Past, warehouse: Warehouse) -> pd.DataFrame:
    """Rows of table `worst_segments` for the nights watched."""
    crossed = _crossed(watch, past, warehouse)
    rates = [*label_rates(watch, past), *outcome_rates(watch, past)]
    return table_of("worst_segments", [_searched(one, crossed, watch) for one in rates], watch.spec)


def _crossed(watch: Watch, past: Past, warehouse: Warehouse) -> pd.DataFrame:
    """The searched pairs of segments; no rows where none are."""
    spec = watch.spec
    ages = {one.age: one for one in (*past.label_ages, *past.outcome_ages)}
    if not ages or not spec.searched_pairs:
        return pd.DataFrame()
    back = spec.detection.recent_days + spec.detection.recent_gap
    counts = warehouse.query("metrics/crossed", ages=earlier(ages.values(), back))
    # right ones of a binary model are in its cells, whichever release counted them
    told = rightly(counts.drop(columns="n_judged")) if spec.task == "binary" else counts
    return counted(told, watch).assign(dimension="crossed")


def _searched(single: pd.DataFrame, crossed: pd.DataFrame, watch: Watch) -> pd.DataFrame:
    """The segments and pairs that changed for the worse most beside everybody else, on each judged night."""
    spec = watch.spec
    single = single[(single["dimension"] != "version") & single["metric"].isin(SEARCHED)]
    if single.empty:
        return single
    parts = [single]
    if len(crossed):
        mine = crossed[crossed["label_age"] == single["label_age"].iloc[0]]
        parts.append(rates_of(mine, list(single["metric"].unique())))
    every = pd.concat(parts, ignore_index=True).drop_duplicates(["night", "metric", "segment"])
    every = _judged_ever(every, watch)
    both = now_and_former(every, SERIES, watch)
    both = both.merge(_spread(every, watch), how="left", on=["night", "metric", "segment"])
    whole = both[both["segment"] == "all"].drop(columns=["segment", "feature", "label_age"])
    both = both[both["segment"] != "all"].merge(whole, on=["night", "metric"], suffixes=("", "_whole"))
    both = both[(both["base"] >= spec.min_rows) & (both["former_base"] >= spec.min_rows)].reset_index(drop=True)
    return _ranked(both, spec.detection.error_rate) if len(both) else both


def _judged_ever(counts: pd.DataFrame, watch: Watch) -> pd.DataFrame:
    """Only the segments that have enough rows on a judged night: the others need no past."""
    first, last = nights_of(watch)
    enough = counts["night"].between(pd.Timestamp(first), pd.Timestamp(last)) & (counts["base"] >= watch.spec.min_rows)
    return counts[counts["segment"].isin(counts.loc[enough, "segment"].unique()) | (counts["segment"] == "all")]


def _ranked(both: pd.DataFrame, error_rate: float) -> pd.DataFrame:
    """The most certain of those that did worse; z below 0 is a fall of the figure, `worse` one for the worse."""
    z, p = np.full(len(both), np.nan), np.full(len(both), np.nan)
    sign = both["metric"].map({name: better(name) for name in both["metric"].unique()}).to_numpy(dtype=np.float64)
    for metric in both["metric"].unique():
        mine = (both["metric"] == metric).to_numpy()
        z[mine], p[mine] = (_of_means if is_mean(metric) else _of_shares)(both[mine], sign[mine])
    both = both.assign(z=z, p_value=p, worse=z * sign)[np.isfinite(z)]
    looked = both.groupby(["night", "metric"])
    both["q_value"] = search.q_values(both["p_value"], looked.ngroup())
    both["searched"] = looked["segment"].transform("size")
    both = both[both["worse"] < 0].sort_values(["night", "metric", "worse", "segment"], ignore_index=True)
    both["rank"] = both.groupby(["night", "metric"]).cumcount() + 1
    both = both[both["rank"] <= MOST].reset_index(drop=True)
    value, former = ratio(both["hits"], both["base"]), ratio(both["former_hits"], both["former_base"])
    weight = (ratio(both["base"], both["base_whole"]) + ratio(both["former_base"], both["former_base_whole"])) / 2
    return both.assign(
        value=value, former=former, n=both["base"], former_n=both["former_base"], found=both["q_value"] <= error_rate,
        contribution=weight * (value - former),
    )  # fmt: skip


def _of_shares(both: pd.DataFrame, sign: Floats) -> tuple[Floats, Floats]:
    """z, and the chance of a change as much for the worse."""
    hits, base, whole_hits, whole_base = (
        np.stack([both[f"former_{name}{suffix}"], both[f"{name}{suffix}"]])
        for suffix in ("", "_whole")
        for name in ("hits", "base")
    )
    times = both["times"].to_numpy(), both["times"].to_numpy()
    z = search.excess_z(hits, base, whole_hits, whole_base, times)
    return z, search.lower_tail(z * sign)


def _of_means(both: pd.DataFrame, sign: Floats) -> tuple[Floats, Floats]:
    """z, and the chance of a change as much for the worse."""
    now, former, whole_now, whole_former = (
        sums_of(*(both[f"{side}{name}{suffix}"] for name in ("base", "hits", "squares")))
        for suffix in ("", "_whole")
        for side in ("", "former_")
    )
    times = both["times"].to_numpy(), both["times"].to_numpy()
    told = excess_of_means(now, former, whole_now, whole_former, times)
    half = told.p_value / 2
    return told.z, np.where(told.z * sign < 0, half, 1 - half)


def _spread(counts: pd.DataFrame, watch: Watch) -> pd.DataFrame:
    """How many times more than by chance each segment's gap to the rest varied from day to day in its recent window.

    Of the gap and not of each side: a new version moves both, and must not make the search deaf for weeks.
    """
    whole = counts.loc[counts["segment"] == "all", ["night", "metric", *COUNTED]]
    both = counts[counts["segment"] != "all"].merge(whole, on=["night", "metric"], suffixes=("", "_whole"))
    rest = {f"{name}_rest": both[f"{name}_whole"] - both[name] for name in COUNTED}
    both = both.rename(columns={"night": "day"}).assign(**rest)
    size = both["base"] + both["base_rest"]
    weight = np.nan_to_num(ratio(both["base"] * both["base_rest"], size))
    gap = np.nan_to_num(ratio(both["hits"], both["base"]) - ratio(both["hits_rest"], both["base_rest"]))
    met = weight > 0
    both = both.assign(
        part=np.where(met, ratio(both["base_rest"], size), 0.0),
        part_rest=np.where(met, ratio(both["base"], size), 0.0),
        weight=weight, gap=weight * gap, spread=weight * gap**2, told=met.astype("int64"),
    )  # fmt: skip
    sides = [[f"{name}{suffix}" for name in (*COUNTED, "part")] for suffix in ("", "_rest")]
    daily = ["weight", "gap", "spread", "told"]
    detection, keys = watch.spec.detection, ["metric", "segment"]
    summed = window_sums(
        both, keys, [*sides[0], *sides[1], *daily], *nights_of(watch), detection.recent_days, detection.recent_gap
    )
    means = summed["metric"].map(is_mean).to_numpy(dtype=bool)
    mine, other = (
        np.where(
            means,
            sums_of(summed[base], summed[hits], summed[squares]).variance,
            search.share_variance(summed[hits], summed[base]),
        )
        for base, hits, squares, _ in sides
    )
    parts = summed["part"].to_numpy(), summed["part_rest"].to_numpy()
    times = search.overdispersion_of_gaps((mine, other), parts, tuple(summed[name] for name in daily))
    return summed[["day", *keys]].assign(times=times).rename(columns={"day": "night"})
