"""From counts per part of a bin to rows of metrics: distances, outliers, unseen values, constant and empty columns.

Frames have one row per day, version, feature, bin and part, sorted so; `reference_n` and `n` are the two sides' counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs.methods import chance, distances
from jobs.methods.drift import MISSING, UNSEEN, occupied_bins
from jobs.methods.intervals import Estimate, estimate, proportion, ratio, z_value
from jobs.methods.measures import rows
from jobs.methods.parts import contiguous

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KEYS = ["day", "version", "feature"]


@dataclass(frozen=True)
class Counts:
    """Both sides of many series: keys (series), counts and positions (series, bins); padded with empty bins."""

    keys: pd.DataFrame
    reference: Floats
    current: Floats
    positions: Floats

    @property
    def n(self) -> Floats:
        return np.asarray(self.current.sum(axis=1))

    @property
    def reference_n(self) -> Floats:
        return np.asarray(self.reference.sum(axis=1))

    def shared(self, error_rate: float, min_rows: int) -> Floats:
        """Each series' part of the night's error rate: all that are judged on a day have the same (Bonferroni)."""
        judged = pd.Series((self.n >= min_rows) & (self.reference_n > 0))
        count = judged.groupby(self.keys["day"].to_numpy()).transform("sum").to_numpy()
        return np.asarray(error_rate / np.maximum(count, 1))

    def told(self, value: Any, interval: tuple[Floats, Floats] | None = None, **reasons: Any) -> Estimate:
        """An estimate with this n; without rows on a side, the reason."""
        undefined = {"no rows": self.n == 0, "no reference yet": self.reference_n == 0}
        return estimate(
            value, self.n, interval, undefined | {text.replace("_", " "): on for text, on in reasons.items()}
        )


def counts_of(frame: pd.DataFrame) -> Counts:
    """The series of a frame; column `position` where there is one."""
    row, place, keys = contiguous(frame, KEYS)
    shape = len(keys), int(place.max(initial=-1)) + 1
    reference, current = np.zeros((2, *shape))
    positions = np.full(shape, np.nan)
    reference[row, place], current[row, place] = frame["reference_n"], frame["n"]
    if "position" in frame:
        positions[row, place] = frame["position"]
    return Counts(keys, reference, current, positions)


def of_distances(
    parts: pd.DataFrame, ordered: Collection[str], wanted: Collection[str], min_rows: int, error_rate: float
) -> Iterator[pd.DataFrame]:
    """Rows of the wanted distances, with what each reaches by chance. `ordered` names the numeric features.

    PSI is not among them (`measures.of_features` has it). Jensen-Shannon, chi-square, L-infinity and Hellinger look at
    the bins, Kolmogorov-Smirnov and Wasserstein at their parts, and the latter only where values are finite.
    """
    by_bin = parts.groupby([*KEYS, "bin"], sort=True, as_index=False)[["reference_n", "n"]].sum()
    numeric = parts[parts["feature"].isin(list(ordered))]
    finite = numeric[numeric["bin"] >= 0]
    for source, family in ((by_bin, _of_bins), (numeric, _of_order), (finite, _of_values)):
        if len(source):
            counts = counts_of(source)
            made = family(counts, wanted, counts.shared(error_rate, min_rows))
            for metric, measured in made.items():
                yield rows(metric, counts.keys, measured, min_rows)


def _of_bins(counts: Counts, wanted: Collection[str], alpha: Floats) -> dict[str, Estimate]:
    both, made = (counts.reference, counts.current), {}
    if "js" in wanted:
        made["js"] = counts.told(distances.js_distance(*both))
        made["js_null_limit"] = counts.told(chance.js_null_limit(*both, alpha))
    if "hellinger" in wanted:
        made["hellinger"] = counts.told(distances.hellinger(*both))
        made["hellinger_null_limit"] = counts.told(chance.hellinger_null_limit(*both, alpha))
    if "l_infinity" in wanted:
        made["l_infinity"] = counts.told(distances.l_infinity(*both))
        made["l_infinity_null_limit"] = counts.told(chance.l_infinity_null_limit(*both, alpha))
    if "chi2" in wanted:
        statistic = distances.chi_square(*both)
        made["chi2"] = counts.told(statistic)
        made["chi2_p"] = counts.told(distances.chi_square_p(statistic, occupied_bins(*both)))
        made["chi2_null_limit"] = counts.told(chance.chi2_null_limit(*both, alpha))
    return made


def _of_order(counts: Counts, wanted: Collection[str], _: Floats) -> dict[str, Estimate]:
    if "ks" not in wanted:
        return {}
    at_edges, at_most = distances.ks(counts.reference, counts.current)
    chances = distances.ks_p(at_edges, counts.n, counts.reference_n)
    return {"ks": counts.told(at_edges, (at_edges, at_most)), "ks_p": counts.told(chances)}


def _of_values(counts: Counts, wanted: Collection[str], alpha: Floats) -> dict[str, Estimate]:
    made = {}
    both, place = (counts.reference, counts.current), counts.positions
    mean, spread = distances.moments(counts.reference, place)
    flat = spread == 0
    scale = np.where(flat, np.nan, spread)
    if {"wasserstein", "wasserstein_units"} & set(wanted):
        units = distances.wasserstein(*both, place)
        limit = chance.wasserstein_null_limit(*both, place, alpha)
        if "wasserstein" in wanted:
            made["wasserstein"] = counts.told(units / scale, the_reference_is_constant=flat)
            made["wasserstein_null_limit"] = counts.told(limit / scale, the_reference_is_constant=flat)
        if "wasserstein_units" in wanted:
            made["wasserstein_units"] = counts.told(units)
            made["wasserstein_units_null_limit"] = counts.told(limit)
    if "mean_shift" in wanted:
        own_mean, own_spread = distances.moments(counts.current, place)
        shift = (own_mean - mean) / scale
        n, reference_n = distances.known(counts.n), distances.known(counts.reference_n)
        half = z_value() * np.sqrt(own_spread**2 / n + spread**2 / reference_n) / scale
        interval = np.asarray(shift - half), np.asarray(shift + half)
        made["mean_shift"] = counts.told(shift, interval, the_reference_is_constant=flat)
    return made


def of_model_drift(
    parts: pd.DataFrame, importance: Mapping[str, float], min_rows: int, error_rate: float
) -> Iterator[pd.DataFrame]:
    """The features' Jensen-Shannon distances, weighted by importance, and the same mean of their limits."""
    weighted = parts[parts["feature"].isin(list(importance))]
    if weighted.empty:
        return
    counts = counts_of(weighted.groupby([*KEYS, "bin"], sort=True, as_index=False)[["reference_n", "n"]].sum())
    weight = counts.keys["feature"].map(importance).to_numpy(dtype=np.float64)
    both = counts.reference, counts.current
    alpha = counts.shared(error_rate, min_rows)
    found = counts.keys.assign(
        weight=weight, n=counts.n, reference_n=counts.reference_n,
        js=weight * distances.js_distance(*both), limit=weight * chance.js_null_limit(*both, alpha),
    )  # fmt: skip
    days = found.groupby(["day", "version"], sort=True)
    total = days[["js", "limit", "weight"]].sum(min_count=1)
    n, reference_n = days["n"].max().to_numpy(), days["reference_n"].min().to_numpy()
    nothing = {"no rows": n == 0, "no reference yet": reference_n == 0}
    keys = total.index.to_frame(index=False)
    for metric, column in (("model_drift", "js"), ("model_drift_null_limit", "limit")):
        yield rows(metric, keys, estimate(ratio(total[column], total["weight"]), n, undefined=nothing), min_rows)


def of_content(
    parts: pd.DataFrame, numeric: Collection[str], categorical: Collection[str], min_rows: int
) -> Iterator[pd.DataFrame]:
    """Outliers of the numeric features, unseen values of the categorical ones, constant and empty columns of all.

    `categorical` names those whose every category the reference keeps: only there an unseen one can be told from a
    rare one. Needs the columns beyond_range, beyond_sigma, rare (the bin of rare categories), value_min, value_max.
    """
    measured = parts[parts["feature"].isin(list(numeric)) & (parts["bin"] != MISSING)]
    beyond = {"outlier_rate": "beyond_sigma", "out_of_range_rate": "beyond_range"}
    if len(measured):
        sums = _sums(measured, {metric: measured[column] for metric, column in beyond.items()})
        for metric in beyond:
            yield rows(metric, sums, proportion(sums[metric], sums["n"], "no values"), min_rows)
    named = parts[parts["feature"].isin(list(categorical))]
    if len(named):
        sums = _sums(named, {"unseen": named["bin"] == UNSEEN})
        yield rows("unseen_rate", sums, proportion(sums["unseen"], sums["n"]), min_rows)
    yield from _columns(parts, min_rows)


def _sums(frame: pd.DataFrame, chosen: Mapping[str, pd.Series[bool]]) -> pd.DataFrame:
    """Per series: n, and n where each condition holds."""
    counted = {name: frame["n"].where(holds, 0) for name, holds in chosen.items()}
    return frame[[*KEYS, "n"]].assign(**counted).groupby(KEYS, sort=True, as_index=False).sum()


def _columns(parts: pd.DataFrame, min_rows: int) -> Iterator[pd.DataFrame]:
    filled = parts["bin"] != MISSING
    held = parts[filled & (parts["n"] > 0)]
    one_bin = held.groupby(KEYS)["bin"].agg(["min", "max"])
    values = held.groupby(KEYS)[["value_min", "value_max"]].agg({"value_min": "min", "value_max": "max"})
    by_value = values["value_min"] == values["value_max"]
    by_name = values["value_min"].isna() & (one_bin["min"] == one_bin["max"]) & (one_bin["min"] >= 0)
    rare = held[held["rare"]].set_index(KEYS).index
    constant = by_value | (by_name & ~values.index.isin(rare))
    found = _sums(parts, {"filled": filled}).set_index(KEYS)
    found = found.assign(constant=constant.reindex(found.index, fill_value=False), empty=found["filled"] == 0)
    found = found[found["n"] > 0].reset_index()
    days = found.groupby(["day", "version"], as_index=False).agg(
        n=("n", "max"), constant=("constant", "sum"), empty=("empty", "sum")
    )
    for name in ("constant", "empty"):
        yield rows(f"{name}_columns", days, estimate(days[name], days["n"]), min_rows)
        these = found[found[name]]
        yield rows(f"{name}_column", these, estimate(np.ones(len(these)), these["n"]), min_rows)
