"""The world's rows as tables, and the tables as daily files."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.csv import write_csv

from jobs.world.stories import PERIOD
from jobs.world.visits import CHANNELS, COUNTRIES, CUSTOMERS, DEVICES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jobs.world.arrivals import Arrivals, LabelArrivals
    from jobs.world.truth import Truth
    from jobs.world.visits import Integers, Visits


def request_ids(prefix: str, n: int) -> pa.Array:
    """Ids of n visits.

    >>> request_ids("s", 2).to_pylist()
    ['s-000001', 's-000002']
    """
    digits = pc.utf8_lpad(pa.array(np.arange(1, n + 1)).cast(pa.string()), 6, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), digits, "-")


def prediction_table(ids: pa.Array, visits: Visits) -> pa.Table:
    """What the shop logs of each answer. Moments carry their zone, which is UTC."""
    moments = visits.ts.tz_localize(None).to_numpy().astype("datetime64[us]")
    columns = {
        "request_id": ids,
        "ts": pa.array(moments).cast(pa.timestamp("us", "UTC")),
        "model_version": _names(visits.second_version.astype(np.int64), ("v1", "v2")),
        "score": visits.score,
        "latency_ms": visits.latency_ms,
        "customer": _names(visits.customer, CUSTOMERS),
        "country": _names(visits.country, COUNTRIES[0]),
        "device": _names(visits.device, DEVICES[0]),
        "channel": _names(visits.channel, CHANNELS[0]),
        "browsing_minutes": visits.browsing_minutes,
        "pages_viewed": pa.array(visits.pages_viewed, from_pandas=True),  # NaN is written as NULL
        "basket_value": visits.basket_value,
        "days_since_last_visit": visits.days_since_last_visit,
        "discount": visits.discount,
        "hour": visits.hour.astype(np.int32),
    }
    return pa.table(columns)


def label_table(ids: pa.Array, arrivals: LabelArrivals) -> pa.Table:
    """Labels as delivered."""
    return pa.table({
        "request_id": ids.take(pa.array(arrivals.row)),
        "label": arrivals.label.astype(np.int8),
    })  # fmt: skip


def outcome_table(ids: pa.Array, truth: Truth, arrivals: Arrivals) -> pa.Table:
    """Outcomes as delivered."""
    return pa.table({
        "request_id": ids,
        "converted": truth.converted.astype(np.int8),
        "revenue_eur": truth.revenue,
    }).take(pa.array(arrivals.row))  # fmt: skip


def reference_table(ids: pa.Array, visits: Visits, truth: Truth) -> pa.Table:
    """Answers with what became of them."""
    known = {
        "label": truth.label.astype(np.int8),
        "converted": truth.converted.astype(np.int8),
        "revenue_eur": truth.revenue,
    }
    table = prediction_table(ids, visits)
    return pa.table({name: table[name] for name in table.column_names} | known)


def write_parquet(table: pa.Table, path: Path) -> None:
    """One Parquet file."""
    pq.write_table(table, path)


def write_daily_parquet(folder: Path, day: Integers, table: pa.Table) -> None:
    """`dt=<day>/part-0.parquet` for each day with rows. day: shape (rows,), ascending numbers of days."""
    _write_daily(folder, day, table, lambda rows, path: write_parquet(rows, path / "part-0.parquet"))


def write_daily_csv(folder: Path, day: Integers, table: pa.Table) -> None:
    """The same as `dt=<day>/part-0.csv`."""
    _write_daily(folder, day, table, lambda rows, path: write_csv(rows, path / "part-0.csv"))


def _write_daily(folder: Path, day: Integers, table: pa.Table, write: Callable[[pa.Table, Path], None]) -> None:
    numbers, begins, counts = np.unique(day, return_index=True, return_counts=True)
    for number, begin, count in zip(numbers.tolist(), begins.tolist(), counts.tolist(), strict=True):
        path = folder / f"dt={PERIOD.first + timedelta(days=number)}"
        path.mkdir(parents=True)
        write(table.slice(begin, count), path)


def _names(codes: Integers, names: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), list(names)).cast(pa.string())
