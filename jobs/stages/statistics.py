"""Rows -> the waist: everything after this stage reads small additive counts and never the rows again."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from jobs.engine import profiles
from jobs.engine.told import told
from jobs.methods.drift import reference_profile
from jobs.methods.parts import reference_parts
from jobs.periods import Period
from jobs.stages import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from jobs.engine.warehouse import Select, Warehouse
    from jobs.spec.model import ModelSpec


ROW_COUNTS = (
    "prediction_statistics", "latency_statistics", "service_statistics", "arrival_statistics", "score_statistics",
)  # fmt: skip
TRIANGLES = {"binary": "label_statistics", "multiclass": "class_statistics", "regression": "error_statistics"}
"""Where the labels of each task are counted; the other two hold nothing, and joining labels to say so costs."""
MET = {"binary": "pair_statistics", "multiclass": "meeting_statistics", "regression": "meeting_statistics"}
"""Where rows that two versions answered are counted."""
LABELS_AT_ONCE = 150_000
"""Labels that are counted in one statement: its memory holds several rows for each of them, however long the period."""
ROWS_AT_ONCE = 4_000_000
"""Predictions, labels and outcomes that any other statement looks through: joins by id hold them in memory."""
REPEAT_DAYS = 28
"""An id predicted again within so many days tells how steady its predictions are."""


def run(spec: ModelSpec, period: Period, warehouse: Warehouse) -> Summary:
    """Reduce the period's predictions, and the labels and outcomes that became known in it."""
    dated = {
        "labels_dated": spec.labels is not None and spec.labels.dated,
        "outcomes_dated": spec.outcomes is not None and spec.outcomes.dated,
    }
    with told(period, warehouse, **dated), warehouse.transaction():
        counted = _row_counts(spec, period, warehouse, dated) | _features(spec, period, warehouse)
        rows = warehouse.replace("statistics", period, counted)
    return Summary("statistics", period, rows)


def _row_counts(
    spec: ModelSpec, period: Period, warehouse: Warehouse, dated: dict[str, bool]
) -> dict[str, Select | list[Select]]:
    """The statements of each table that counts rows, by stretches of nights whose rows memory can hold."""
    segments: dict[str, str | tuple[str, str]] = {
        f"segment {place}": name for place, name in enumerate(spec.segments, 1)
    }
    segments |= {f"pair {position}": pair for position, pair in enumerate(spec.crossed or (), 1)}
    label_horizon = max(spec.label_ages, default=0)
    outcome_horizon = max(spec.outcome_ages, default=0)
    horizons: dict[str, Any] = {"label_horizon": label_horizon, "outcome_horizon": outcome_horizon}
    rows = {table: _arrived(table, period, warehouse) for table in ("predictions", "labels", "outcomes")}
    stretches = list(period.stretches(sum(rows.values(), Counter()), ROWS_AT_ONCE))

    def counted_by(name: str, back: int, nights_of: Sequence[Period] = stretches, **given: Any) -> list[Select]:
        """A statement for each stretch of nights, which looks `back` so many days before it."""
        return [
            warehouse.select(
                f"statistics/{name}", period=nights, horizon_start=nights.first - timedelta(days=back), **given, **dated
            )
            for nights in nights_of
        ]

    longest = max(horizons.values())
    pairs = {f"pair {position}": pair for position, pair in enumerate(spec.searched_pairs, 1)}
    labels_at_once = list(period.stretches(rows["labels"], LABELS_AT_ONCE))
    counted: dict[str, Select | list[Select]] = {
        **{name: counted_by(name, longest, segments=segments, task=spec.task) for name in ROW_COUNTS},
        "repeat_statistics": counted_by("repeat_statistics", REPEAT_DAYS, task=spec.task, window_days=REPEAT_DAYS),
        **{name: warehouse.nothing(name) for task, name in TRIANGLES.items() if task != spec.task},
        TRIANGLES[spec.task]: counted_by(
            TRIANGLES[spec.task], label_horizon, labels_at_once, segments=segments, horizon=label_horizon
        ),
        "outcome_statistics": counted_by(
            "outcome_statistics", outcome_horizon, segments=segments, horizon=outcome_horizon
        ),
        "action_statistics": counted_by("action_statistics", longest, **horizons),
        "crossed_statistics": counted_by(
            "crossed_statistics",
            longest,
            pairs=pairs,
            task=spec.task,
            all_dated=all(source.dated for source in (spec.labels, spec.outcomes) if source),
            **horizons,
        ),
        "missing_statistics": warehouse.select(
            "statistics/missing_statistics", period=period, segments=segments, features=list(spec.features)
        ),
        **{name: warehouse.nothing(name) for name in MET.values()},
    }
    if _beside_live(warehouse):
        counted[MET[spec.task]] = counted_by(MET[spec.task], longest, task=spec.task, **horizons)
    return counted


def _arrived(table: str, period: Period, warehouse: Warehouse) -> Counter[date]:
    """How many rows of a table are of each day of the period that has any."""
    day = "day" if table == "predictions" else "known_day"
    counts = f"SELECT {day}, COUNT(*) FROM {table} WHERE {day} BETWEEN ? AND ? GROUP BY {day}"
    return Counter(dict(warehouse.execute(counts, [period.first, period.last]).fetchall()))


def _beside_live(warehouse: Warehouse) -> bool:
    """Whether a shadow or challenger has ever answered; joining versions to say that there are none costs."""
    return warehouse.execute("SELECT 1 FROM predictions WHERE role <> 'live' LIMIT 1").fetchone() is not None


def _features(spec: ModelSpec, period: Period, warehouse: Warehouse) -> dict[str, Select | list[Select]]:
    """The features' counts against the reference; none before a reference window has ended."""
    ingested, done = warehouse.progress("ingest"), warehouse.progress("statistics")
    start = ingested.first if ingested else period.first
    window = profiles.window_of(spec, start)
    judged = period
    if window and period.first <= window.last:
        if period.last <= window.last:
            return _counted(period, warehouse.select("statistics/no_feature_statistics"), warehouse)
        judged = Period(window.last + timedelta(days=1), period.last)
    known = warehouse.read("reference_bins")
    if done is None or known.empty or judged != period:
        known, parts = _profile(spec, start, warehouse)
        for table, rows in (("reference_bins", known), ("reference_parts", parts)):
            warehouse.execute(f"DELETE FROM {table}")
            warehouse.insert(table, rows)
    plans = profiles.plans(known, warehouse.read("reference_parts"), spec.task)
    pooled = spec.reference.versions is None
    parts_counted = warehouse.select("statistics/feature_parts", period=judged, features=plans, pooled=pooled)
    return _counted(judged, parts_counted, warehouse)


def _counted(period: Period, parts: Select, warehouse: Warehouse) -> dict[str, Select | list[Select]]:
    """The features' parts, and then the bins that they add up to."""
    return {
        "feature_parts": parts,
        "feature_statistics": warehouse.select("statistics/feature_statistics", period=period),
    }


def _profile(spec: ModelSpec, start: date, warehouse: Warehouse) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of `reference_bins` and `reference_parts`: each reference's features, score and decision."""
    kinds, bins, categories = profiles.kinds_of(spec), spec.reference.bins, spec.reference.categories
    references = profiles.reference_rows(spec, start, warehouse).items()
    known = pd.concat([reference_profile(rows, kinds, bins, categories, name) for name, rows in references])
    parts = pd.concat([reference_parts(rows, kinds, bins, known, name) for name, rows in references])
    return known, parts
