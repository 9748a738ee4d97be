"""From what was delivered, answered and measured on each day to rows of metrics: one function per family."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from jobs.methods.intervals import estimate, proportion, ratio
from jobs.methods.measures import rows, undefined

if TYPE_CHECKING:
    from collections.abc import Iterator

RESOURCES = {"cpu": ("cpu_cores", 1.0), "memory": ("memory_mb", 1e-6)}
"""Per resource: its metric, and the factor from what is stored to the metric's unit."""


def of_deliveries(delivered: pd.DataFrame, columns: pd.DataFrame, min_rows: int) -> Iterator[pd.DataFrame]:
    """Duplicates, misdated rows, age and changed columns of each source's deliveries.

    `delivered`: one row per day and source; `columns`: one per column, with its kind and that of the delivery before.
    Predictions are told under segment `all`, another source as `source=labels`.
    """
    every = delivered.assign(segment=_segment(delivered["source"]))
    came = every[every["status"] == "delivered"]
    n = came["n_rows"] + came["n_duplicates"]
    yield rows("duplicate_rate", came[["day", "segment"]], proportion(came["n_duplicates"], n, "no rows"), min_rows)
    served = ~came["source"].isin(["labels", "outcomes"])
    misdated = proportion(came["n_misdated"][served], n[served], "no rows")
    yield rows("misdated_rate", came.loc[served, ["day", "segment"]], misdated, min_rows)
    age = (every["day"] - every["newest"]).dt.days
    never = {"never delivered yet": every["newest"].isna()}
    yield rows("delivery_age", every[["day", "segment"]], estimate(age, every["n_delivered"], undefined=never), 0)
    yield from _schema(every, columns)


def _segment(source: pd.Series[str]) -> pd.Series[str]:
    return ("source=" + source).where(source != "predictions", "all")


def _schema(every: pd.DataFrame, columns: pd.DataFrame) -> Iterator[pd.DataFrame]:
    opened = every["opened"].to_numpy(dtype=bool)
    yield undefined("schema_changes", every[~opened], _not_opened(every[~opened]))
    first = opened & every["former_day"].isna().to_numpy()
    yield undefined("schema_changes", every[first], "the first delivery, nothing to compare with")
    told = columns.assign(
        segment=_segment(columns["source"]),
        new=columns["former_kind"].isna(),
        gone=columns["kind"].isna(),
    )
    told["retyped"] = ~told["new"] & ~told["gone"] & (told["kind"] != told["former_kind"])
    told["changed"] = told["new"] | told["gone"] | told["retyped"]
    days = told.groupby(["day", "segment"], as_index=False).agg(changed=("changed", "sum"), n=("kind", "count"))
    yield rows("schema_changes", days, estimate(days["changed"], days["n"]), 0)
    for change in ("new", "gone", "retyped"):
        these = told[told[change]].rename(columns={"name": "feature"})
        yield rows(f"column_{change}", these, estimate(np.ones(len(these)), np.ones(len(these))), 0)


def _not_opened(days: pd.DataFrame) -> pd.Series[str]:
    told = days["reason"].astype("object").where(days["status"] == "refused", "no delivery")
    return told.fillna("the delivery was refused")


def of_service(served: pd.DataFrame, timezone: str, with_errors: bool, min_rows: int) -> Iterator[pd.DataFrame]:
    """Throughput, the busiest minute and the newest answer of all live versions; the error rate of every version."""
    whole = served[served["version"] == "all"]
    keys, n = whole[["day", "version"]], whole["n"]
    yield rows("throughput", keys, estimate(ratio(n, _seconds(whole["day"], timezone)), n), 0)
    untimed = {"no timestamps": whole["newest"].isna()}
    yield rows("peak_per_minute", keys, estimate(whole["peak"].astype("float64"), n, undefined=untimed), 0)
    hours = (whole["day"] + pd.Timedelta(days=1) - whole["newest"]).dt.total_seconds() / 3600
    yield rows("freshness_hours", keys, estimate(hours, n, undefined=untimed), 0)
    if with_errors:
        told = proportion(served["n_error"], served["n_told"], "no row says whether it failed")
        yield rows("error_rate", served[["day", "version"]], told, min_rows)


def _seconds(days: pd.Series[pd.Timestamp], timezone: str) -> pd.Series[float]:
    """The length of each business day; one look-up a distinct day."""
    length = {day: day_seconds(day.date(), timezone) for day in days.unique()}
    return days.map(length).astype("float64")


def day_seconds(day: date, timezone: str) -> float:
    """How long a business day is.

    >>> day_seconds(date(2025, 3, 30), "Europe/Berlin") / 3600
    23.0
    """
    zone = ZoneInfo(timezone)
    start, end = (datetime.combine(one, datetime.min.time(), zone) for one in (day, day + timedelta(days=1)))
    return end.timestamp() - start.timestamp()


def of_system(usage: pd.DataFrame, min_coverage: float) -> Iterator[pd.DataFrame]:
    """CPU and memory; a day measured in less than `min_coverage` of its windows keeps its value and is not judged."""
    for resource, (metric, factor) in RESOURCES.items():
        days = usage[usage["resource"] == resource]
        unknown = days["reason"].notna().to_numpy()
        if unknown.any():
            for name in (metric, f"{metric}_peak"):
                yield undefined(name, days[unknown], days["reason"].to_numpy()[unknown])
        seen = days[~unknown]
        covered = ratio(seen["windows"], seen["expected"])
        told = [f"measured for {share:.0%} of the day, {min_coverage:.0%} needed" for share in covered]
        for name, column in ((metric, "mean"), (f"{metric}_peak", "peak")):
            made = rows(name, seen[["day"]], estimate(factor * seen[column], seen["windows"]), 0)
            short = covered < min_coverage
            yield made.assign(
                state=made["state"].where(~short, "not_evaluated"),
                reason=made["reason"].where(~short, np.array(told, dtype=object)),
            )
