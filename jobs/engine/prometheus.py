"""What a Prometheus server measured of a model's service on one business day: mean and peak of CPU and memory.

The day is asked for in windows of five minutes. A window counts only where it was measured as often as others are, so
that a server that was down for half of the day changes the coverage and not the figure: `rate(x[1d])` would divide a
morning's CPU seconds by the whole day.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from jobs.engine.sources import first_line
from jobs.errors import DataError

if TYPE_CHECKING:
    from datetime import date

    from jobs.engine.warehouse import Warehouse
    from jobs.periods import Period
    from jobs.spec.inputs import Prometheus
    from jobs.spec.model import ModelSpec

WINDOW = 300
"""Seconds. A scrape interval of up to two minutes leaves two samples in each window, which `increase` needs."""
TIMEOUT = 10.0
MEASURED = 0.75
"""Of the samples that a window of the day usually has; with fewer, only a part of it was measured."""
LATER_STAGES = ("metrics", "anomalies", "incidents", "report")
QUERIES = {
    "cpu": ("sum(increase({0}[{1}s])) / {1}", "sum(increase({0}[{1}s])) / {1}"),
    "memory": ("sum(avg_over_time({0}[{1}s]))", "sum(max_over_time({0}[{1}s]))"),
}
"""Per resource: what a window's mean and its peak are."""


@dataclass(frozen=True)
class Usage:
    """One resource on one day: cores or bytes, over `windows` of the `expected` ones."""

    mean: float
    peak: float
    windows: int
    expected: int


def take_usage(spec: ModelSpec, period: Period, warehouse: Warehouse) -> list[str]:
    """Ask for every day of the period that is not known yet, and keep what is; returns notes on what failed.

    A figure once known is kept: Prometheus forgets after weeks, and a night that is run again must find the same.
    A day that could not be asked for is recorded with the reason, and asked for again when its night is run again;
    what is known only then reopens the metrics of its day, and the other days of which something is not known are
    asked for, too: else each night of a backfill over them would have all newer ones made again. After one failure to
    connect, no further day is asked for.
    """
    server = spec.prometheus
    if server is None:
        return []
    asked = {resource: text for resource in QUERIES if (text := getattr(server, resource))}
    before = {
        (day, resource): reason
        for day, resource, text, reason in warehouse.execute(
            "SELECT day, resource, asked, reason FROM system_usage"
        ).fetchall()
        if text == asked.get(resource)
    }
    rows: list[tuple[Any, ...]] = []
    failed: dict[str, list[date]] = {}
    unreachable: str | None = None
    done, healed = warehouse.progress("ingest"), False
    others = {day for (day, _), reason in before.items() if reason and done and done.first <= day <= done.through}
    for day in (*period, *sorted(others.difference(period))):
        if day not in period and not healed:
            break
        for resource, selector in asked.items():
            if (day, resource) in before and before[day, resource] is None:
                continue
            found, reason, unreachable = _one(server, resource, selector, day, spec.timezone, unreachable)
            rows.append(_row(day, resource, selector, found, reason))
            if reason:
                failed.setdefault(f"{resource} is not known: {reason}", []).append(day)
            elif (day, resource) in before:
                healed = True
                for stage in LATER_STAGES:
                    warehouse.reopen(stage, day)
    if rows:
        with warehouse.transaction():
            for row in rows:
                warehouse.execute("DELETE FROM system_usage WHERE day = ? AND resource = ?", list(row[:2]))
            warehouse.insert("system_usage", pd.DataFrame(rows, columns=_COLUMNS))
    return [f"{told} ({len(on)} days, {on[0]} to {on[-1]})" for told, on in failed.items()]


_COLUMNS = ["day", "resource", "asked", "mean", "peak", "windows", "expected", "reason"]


def _row(day: date, resource: str, selector: str, found: Usage | None, reason: str | None) -> tuple[Any, ...]:
    if found is None:
        return day, resource, selector, None, None, 0, 0, reason
    return day, resource, selector, found.mean, found.peak, found.windows, found.expected, None


def _one(
    server: Prometheus, resource: str, selector: str, day: date, zone: str, unreachable: str | None
) -> tuple[Usage | None, str | None, str | None]:
    """The usage, else why not, and whether it is the server that cannot be reached."""
    if unreachable:
        return None, unreachable, unreachable
    try:
        return usage(server.url, resource, selector, day, zone), None, None
    except DataError as error:
        return None, str(error), str(error) if isinstance(error.__cause__, OSError | HTTPException) else None


def usage(url: str, resource: str, selector: str, day: date, zone: str) -> Usage:
    """Mean and peak of a resource (cores, bytes) on a business day; DataError where there is no answer or no sample."""
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()
    after = day + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone)).timestamp()
    ends = np.arange(start + WINDOW, end + 1, WINDOW)
    mean_query, peak_query = (text.format(selector, WINDOW) for text in QUERIES[resource])
    asked = {"mean": mean_query, "peak": peak_query}
    asked["samples"] = f"max(count_over_time({selector}[{WINDOW}s]))"
    series = {name: query_range(url, text, ends[0], ends[-1], WINDOW) for name, text in asked.items()}
    samples = np.array([series["samples"].get(int(moment), 0.0) for moment in ends])
    if not samples.any():
        raise DataError(f"{url} has no samples of {selector} on {day}")
    measured = samples >= MEASURED * np.median(samples[samples > 0])
    values = {name: np.array([series[name].get(int(moment), math.nan) for moment in ends]) for name in ("mean", "peak")}
    known = measured & np.isfinite(values["mean"]) & np.isfinite(values["peak"])
    if not known.any():
        raise DataError(f"{url} has too few samples of {selector} on {day}; two in five minutes are needed")
    return Usage(float(values["mean"][known].mean()), float(values["peak"][known].max()), int(known.sum()), len(ends))


def query_range(url: str, query: str, start: float, end: float, step: int) -> dict[int, float]:
    """The one series of a range query as {moment: value}; empty without data. DataError where there is no answer."""
    asked = urlencode({"query": query, "start": start, "end": end, "step": step})
    try:
        with urlopen(f"{url.rstrip('/')}/api/v1/query_range?{asked}", timeout=TIMEOUT) as answer:  # noqa: S310 - the spec holds it to http(s)
            told = json.load(answer)
        result = told["data"]["result"]
        return {int(float(moment)): float(value) for moment, value in result[0]["values"]} if result else {}
    except HTTPError as error:
        raise DataError(f"{url} refuses `{query}`: {_refusal(error)}") from None
    except (URLError, HTTPException, OSError) as error:
        raise DataError(f"{url} cannot be reached: {getattr(error, 'reason', error)}") from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(
            f"{url} does not answer as Prometheus does: {first_line(error) if str(error) else error!r}"
        ) from None


def _refusal(error: HTTPError) -> str:
    """What the server says is wrong with the query."""
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"HTTP {error.code}"
