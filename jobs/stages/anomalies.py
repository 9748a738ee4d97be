"""Judge every figure of the period's nights: expected ranges, rules with a bound, and what was delivered.

A night is judged by figures and verdicts of the nights before it, and by nothing later.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from jobs import fits
from jobs.methods import (
    accumulating,
    crew,
    deliveries,
    expected,
    forecast,
    odd_nights,
    recurring,
    rules,
    specificity,
    stuck,
    verdicts,
)
from jobs.stages import Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jobs.engine.warehouse import Warehouse
    from jobs.methods.forecast import Fit, Judged, Series
    from jobs.periods import Period
    from jobs.spec import ModelSpec, Rule
    from jobs.spec.judging import Detection


class _Wanted(NamedTuple):
    """Metrics of whole days or of segments, and the first night whose figures are looked at."""

    first: date
    metrics: list[str]
    whole: bool


WORTH_PROCESSES = 1500
"""Fits (0.025 s each) from which two processes repay their start, an import of several seconds."""

PROCESSES = 2

ALWAYS = date.max.toordinal()
"""Days before a night that hold all there are."""


def run(spec: ModelSpec, period: Period, warehouse: Warehouse) -> Summary:
    """Write one verdict per night, rule and figure of the period."""
    far = _far_back(spec, period, warehouse)
    found = verdicts.frame(
        [
            *_outside_expected(spec, far, period, warehouse),
            *_beyond_bounds(spec, period, warehouse),
            *_delivered(spec, period, warehouse),
            *_stuck(spec, far, period),
        ],
        spec.model,
    )
    found = verdicts.frame([found, _odd_nights(found, period, warehouse)], spec.model)
    written = warehouse.replace("anomalies", period, {"verdicts": found})
    breaches = found[found["verdict"] == "breach"]
    note = f"{len(breaches):,} breaches on {breaches['night'].nunique()} of {len(period)} nights"
    return Summary("anomalies", period, written, (note, *_without_prophet(found)))


def _without_prophet(found: pd.DataFrame) -> list[str]:
    """A note where the fallback had to speak; the verdicts name it, and the log should too."""
    failed = found[found["reason"].str.contains(forecast.FAILED, regex=False)]
    if failed.empty:
        return []
    why = failed["reason"].iloc[0].partition(f"{forecast.FAILED} (")[2].rpartition(");")[0]
    return [f"{forecast.FAILED} for {len(failed):,} figures ({why}); the seasonal median judged them"]


def _far_back(spec: ModelSpec, period: Period, warehouse: Warehouse) -> pd.DataFrame:
    """Figures with an expected range, for as long as they are learnt from, and all there are of those that move."""
    asked = expected.outside_rules(spec)
    learnt = (period.first - _learnt_since(asked, period, spec.detection, _oldest(spec))).days if asked else 0
    back: dict[tuple[str, bool], int] = {(rule.metric, rule.segments == "all"): learnt for rule in asked}
    return _figures(spec, back | {(name, True): ALWAYS for name in _moving(spec)}, period, warehouse)


def _learnt_since(asked: Sequence[Rule], period: Period, detection: Detection, oldest: int) -> date:
    """The first night whose figures expected ranges are made of."""
    # The forecast of a Monday looks back at max_history days before it, and each of those at the nights before it.
    # A rule that waits for nights in a row, or that leans on others, looks back on them, too; a streak needs its first,
    # and how far one of them had to go, the history before it.
    leaning = expected.lookback(asked, oldest)
    back = leaning + max(detection.max_history, leaning) + recurring.NEEDED + accumulating.NEEDED + 1
    return forecast.monday_of(period.first) - timedelta(days=back)


def _outside_expected(spec: ModelSpec, far: pd.DataFrame, period: Period, warehouse: Warehouse) -> list[pd.DataFrame]:
    """Verdicts on series that have an expected range."""
    asked, detection = expected.outside_rules(spec), spec.detection
    if not asked:
        return []
    since = _learnt_since(asked, period, detection, _oldest(spec))
    figures = far[far["night"] >= pd.Timestamp(since)]
    chosen = pd.concat([rules.select(rule, figures) for rule in asked]).drop_duplicates(expected.PAST)
    past = _with_age(warehouse.query("anomalies/expected", first=since, before=period.first))
    with fits.remembered(warehouse.fits) as fit:
        judge_all = partial(_judge_all, period=period, detection=detection, fit=fit)
        told = expected.budgeted(expected.expect(chosen, past, judge_all), asked, detection, period.first)
    told = expected.leant(told, asked, detection, period.first)
    return [expected.judge(rule, told, detection, period.first, asked) for rule in asked]


def _judge_all(series: Sequence[Series], period: Period, detection: Detection, fit: Fit) -> list[Judged]:
    """Each series judged, with progress on a terminal; where it takes long by two processes, which keep no fits."""
    from tqdm import tqdm

    many = len(series) * (len(period) // 7 + 1) >= WORTH_PROCESSES
    work = partial(forecast.judge, period=period, detection=detection)
    answers = crew.in_order(work, series, PROCESSES) if many else map(partial(work, fit=fit), series)
    # A bar that would be over at once is not shown.
    return list(tqdm(answers, desc="series judged", total=len(series), disable=None, leave=False, delay=1.0))


def _beyond_bounds(spec: ModelSpec, period: Period, warehouse: Warehouse) -> list[pd.DataFrame]:
    """Verdicts of the rules that have a bound of their own."""
    bounded = [rule for rule in spec.all_rules if not rule.outside]
    if not bounded:
        return []
    figures, world = looked_at(spec, bounded, period, warehouse)
    return [rules.judge(rule, figures, world, spec.detection, period.first, bounded) for rule in bounded]


def looked_at(
    spec: ModelSpec, bounded: Sequence[Rule], period: Period, warehouse: Warehouse
) -> tuple[pd.DataFrame, rules.World]:
    """The figures that rules with a bound judge in the period's nights, with their past, and what else they look at."""
    figures = _figures(spec, _looked_back(spec, bounded), period, warehouse)
    world = rules.World(
        reference=_reference(warehouse, figures),
        first_days=warehouse.query("anomalies/first_days", last=period.last),
        tightness=specificity.tightness({name: feature.importance for name, feature in spec.features.items()}),
    )
    return figures, world


def _looked_back(spec: ModelSpec, bounded: Iterable[Rule]) -> dict[tuple[str, bool], int]:
    """By metric, and whether of whole days, how many nights before a judged one rules look at it.

    Of their own figures they compare those of one label age. Volumes have none, and tell of days as old as labels are.
    """
    back: dict[tuple[str, bool], int] = {}
    for rule in bounded:
        nights, whole = rules.lookback(rule, spec.detection), rule.segments == "all"
        seen: set[tuple[str, bool]] = {(rule.metric, whole)}
        if rule.metric in rules.CHANCE:
            seen.add((rules.CHANCE[rule.metric], True))
        if rule.against == "reference":
            seen.add(("psi", True))
        if rule.against in ("share", "previous_version"):
            seen.add(("volume", True))
            nights += _oldest(spec)
        back |= {one: max(nights, back.get(one, 0)) for one in seen}
    return back


def _figures(
    spec: ModelSpec, back: Mapping[tuple[str, bool], int], period: Period, warehouse: Warehouse
) -> pd.DataFrame:
    """Figures of the period's nights and, of each metric, of so many nights before."""
    together: dict[tuple[bool, int], list[str]] = {}
    for (metric, whole), nights in sorted(back.items()):
        together.setdefault((whole, nights), []).append(metric)
    wanted = [_Wanted(_before(period.first, nights), names, whole) for (whole, nights), names in together.items()]
    first_day = _before(min(one.first for one in wanted), _oldest(spec))
    return _with_age(warehouse.query("anomalies/figures", wanted=wanted, first_day=first_day, last=period.last))


def _oldest(spec: ModelSpec) -> int:
    """The greatest age that a figure may have."""
    return max((0, *spec.label_ages, *spec.outcome_ages))


def _before(day: date, days: int) -> date:
    """So many days before, or the first day there is."""
    return date.fromordinal(max(day.toordinal() - days, 1))


def _with_age(rows: pd.DataFrame) -> pd.DataFrame:
    age = rows["label_age"].fillna(0).astype("int64")
    return rows.assign(age=age, night=rows["day"] + pd.to_timedelta(age, unit="D"))


def _reference(warehouse: Warehouse, figures: pd.DataFrame) -> pd.DataFrame:
    """Missing values in the reference that each version is held against: its own, else the one for all."""
    known = warehouse.query("anomalies/missing_in_reference")
    own = set(known["reference"])
    held = pd.DataFrame({"version": figures["version"].unique()})
    held["reference"] = held["version"].where(held["version"].isin(own), "all")
    return held.merge(known, on="reference").drop(columns="reference")


def _delivered(spec: ModelSpec, period: Period, warehouse: Warehouse) -> list[pd.DataFrame]:
    """Verdicts on what was delivered, and what was not."""
    came = warehouse.query("anomalies/deliveries", first=period.first, last=period.last)
    parts = [deliveries.no_data(came), deliveries.refused(came)]
    if spec.labels:
        arrivals = warehouse.query("anomalies/label_arrivals", first=date.min, last=period.last)
        parts.append(deliveries.no_labels(arrivals, period, _labels_expected(spec, period, warehouse)))
    return parts


def _labels_expected(spec: ModelSpec, period: Period, warehouse: Warehouse) -> date | None:
    """When labels of the first predictions reached the smallest age; None where there are no predictions."""
    began = warehouse.query("anomalies/first_days", last=period.last)["first_day"]
    return None if began.empty else began.min().date() + timedelta(days=min(spec.label_ages, default=0))


def _moving(spec: ModelSpec) -> set[str]:
    """The figures that are expected to move."""
    return {*spec.detection.metrics, "volume", "score_mean"}


def _stuck(spec: ModelSpec, far: pd.DataFrame, period: Period) -> list[pd.DataFrame]:
    """Verdicts on whole-day series that have stopped moving."""
    return [stuck.judge(far[far["metric"].isin(_moving(spec)) & (far["segment"] == "all")], period)]


def _odd_nights(found: pd.DataFrame, period: Period, warehouse: Warehouse) -> pd.DataFrame:
    """Verdicts on nights as a whole; `found`: those of the period's nights on single figures."""
    since = forecast.monday_of(period.first) - timedelta(days=odd_nights.WINDOW)
    past = warehouse.query("anomalies/distances", first=since, before=period.first)
    return odd_nights.judge(pd.concat([past, odd_nights.of_verdicts(found)], ignore_index=True), period)
