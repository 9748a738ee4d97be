"""Business: clicks, what acting brings, and new versions that are right more often and earn less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.families import changes
from jobs.families.figures import CONVERSION
from jobs.methods.contrasts import katz, newcombe
from jobs.methods.intervals import estimate, ratio
from jobs.methods.measures import rows
from jobs.methods.measures_outcomes import of_clicks, silence_told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.engine.warehouse import Warehouse
    from jobs.families import Past, Watch


def metrics_of(watch: Watch, past: Past, warehouse: Warehouse) -> Iterator[pd.DataFrame]:
    """Rows of click-through and lift by outcome age, and of changes of version by label age."""
    source, spec = watch.spec.outcomes, watch.spec
    if source is None or not past.outcome_ages:
        return
    counts = warehouse.query("metrics/actions", ages=past.outcome_ages)
    counts["n"] = counts["n_known" if source.per == "known" else "n_predicted"]
    made = [*_lift(counts, spec.min_rows)]
    if source.columns.clicked:
        sums = ["n", "n_known", "n_clicked", "n_clicked_known"]
        whole = counts.groupby(["day", "label_age", "version"], sort=True)[sums].sum().reset_index()
        made.append(of_clicks(whole, source.per, spec.min_rows))
    for part in made:
        told = part[["day", "label_age"]].assign(expected=part["label_age"] + 1)
        yield silence_told(part, told.assign(lacking=watch.lacking(told))) if source.per == "prediction" else part
    yield from _changes(watch, past)


def _lift(counts: pd.DataFrame, min_rows: int) -> Iterator[pd.DataFrame]:
    """Conversion of answers acted on against that of the others; n is the smaller side's."""
    keys = ["day", "label_age", "version"]
    sides = counts[counts["decision"].notna()].pivot_table(
        index=keys, columns="decision", values=["n", "n_converted"], aggfunc="sum", fill_value=0
    )
    if sides.empty:
        return
    k, n, other_k, other_n = (
        (sides[name, side] if (name, side) in sides else pd.Series(0, index=sides.index)).to_numpy(dtype=np.int64)
        for side in (1, 0)
        for name in ("n_converted", "n")
    )
    acted, others = ratio(k, n), ratio(other_k, other_n)
    none = {"no outcomes of answers acted on": n == 0, "no outcomes of other answers": other_n == 0}
    smaller, on = np.minimum(n, other_n), sides.index.to_frame(index=False)
    yield rows("lift", on, estimate(acted - others, smaller, newcombe(k, n, other_k, other_n), none), min_rows)
    nothing = none | {"no conversion without acting": other_k == 0}
    times = estimate(ratio(acted, others), smaller, katz(k, n, other_k, other_n), nothing)
    yield rows("lift_ratio", on, times, min_rows)


def _changes(watch: Watch, past: Past) -> Iterator[pd.DataFrame]:
    """How far a new version is from the one before, in the task's figure and in conversion, and both against each
    other."""
    for age in past.version_ages if len(past.new) else ():
        parts = {"model": (changes.in_model(past, age), past.main)} if past.label_ages else {}
        parts["business"] = changes.in_conversion(past, age), CONVERSION
        told = [
            part.assign(
                **{f"z_{side}": changes.standardised(part, figure)},
                **{f"size_{side}": np.minimum(part["n"], part["former_n"])},
            )[[*changes.KEYS, f"z_{side}", f"size_{side}"]]
            for side, (part, figure) in parts.items()
        ]
        both = told[0] if len(told) == 1 else told[0].merge(told[1], how="outer", on=changes.KEYS)
        yield from _against(both.assign(label_age=age.age), list(parts), watch.spec.min_rows)


def _against(both: pd.DataFrame, sides: list[str], min_rows: int) -> Iterator[pd.DataFrame]:
    """Each side where it is known by this age, and the two against each other where both are."""
    if both.empty:
        return
    for side in sides:
        known = both[both[f"size_{side}"].notna()]
        yield _rows(f"{side}_change_z", known, known[f"z_{side}"], known[f"size_{side}"], min_rows)
    if "model" in sides:
        known = both.dropna(subset=["size_model", "size_business"])
        few = known[["size_model", "size_business"]].min(axis=1)
        for sign, metric in ((1, "model_up_business_down"), (-1, "model_down_business_up")):
            smaller = (sign * known[["z_model"]]).assign(business=-sign * known["z_business"]).min(axis=1, skipna=False)
            yield _rows(metric, known, smaller, few, min_rows)


def _rows(metric: str, keys: pd.DataFrame, z: pd.Series[float], sizes: pd.Series[float], min_rows: int) -> pd.DataFrame:
    value, size = z.to_numpy(dtype=np.float64), sizes.to_numpy(dtype=np.int64)
    nothing = {"no labels or outcomes of one of the versions": (size == 0) | ~np.isfinite(value)}
    return rows(metric, keys, estimate(value, size, undefined=nothing), min_rows)
