"""Turn additive statistics into metrics: numbers with meaning, each with its n, its interval and its state.

A row belongs to the night `day + label_age` and is made of statistics known by that night. A day without rows
keeps its place in every main series, as NULL with the reason that the deliveries give.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs import families
from jobs.families import business, comparisons, groups, reasons, worst
from jobs.methods import (
    estimator,
    measures,
    measures_data,
    measures_estimates,
    measures_outcomes,
    measures_scores,
    measures_service,
    measures_tasks,
)
from jobs.methods.definitions import DEFINITIONS
from jobs.methods.drift import bin_labels
from jobs.methods.estimation import FIGURES
from jobs.methods.parts import positions
from jobs.spec.named import NUMERIC_ONLY
from jobs.stages import Summary
from jobs.tables import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from jobs.engine.warehouse import Warehouse
    from jobs.periods import Period
    from jobs.spec import ModelSpec
    from jobs.spec.inputs import Reference

PSEUDO_FEATURES = ("score", "decision")
VALUES = ("value_per_prediction", "value")
BESIDE = (
    "reliability", "threshold_curve", "estimates", "estimator_card", "decompositions", "worst_segments", "comparisons",
)  # fmt: skip
"""What is written beside metrics and contributions."""
OF_TASK = {"multiclass": ("coverage", "accuracy"), "regression": ("coverage",)}
"""What a model that is not binary has of the metrics of labels."""
DRIFT = ("missing_rate", "psi", "psi_null_limit")


@dataclass(frozen=True)
class Age:
    """An age, and the prediction days that reach it on a night of the period."""

    age: int
    first: date
    last: date


@dataclass(frozen=True)
class Watch:
    """What the period's nights look at: days from `first` on, and what became of their deliveries."""

    spec: ModelSpec
    period: Period
    first: date
    deliveries: pd.DataFrame

    @property
    def begin(self) -> date:
        """The first watched day of the period; after its last where watching begins later."""
        return max(self.first, self.period.first)

    def ages(self, ages: Iterable[int]) -> list[Age]:
        """Those of the ages that a watched day reaches in the period."""
        reached = [
            Age(age, max(self.first, self.period.first - timedelta(age)), self.period.last - timedelta(age))
            for age in ages
        ]
        return [one for one in reached if one.first <= one.last]

    def lacking(self, known: pd.DataFrame) -> pd.Series[int]:
        """Per row: outcome deliveries from its day through its age that are missing or refused."""
        outcomes = self.deliveries[self.deliveries["source"] == "outcomes"]
        bad = np.sort(outcomes.loc[outcomes["status"] != "delivered", "day"].to_numpy())
        first, last = known["day"], known["day"] + pd.to_timedelta(known["label_age"], unit="D")
        count = np.searchsorted(bad, last.to_numpy(), "right") - np.searchsorted(bad, first.to_numpy(), "left")
        return pd.Series(count, index=known.index)


def run(spec: ModelSpec, period: Period, warehouse: Warehouse) -> Summary:
    """Measure every series of the period's nights."""
    watch = _watch(spec, period, warehouse)
    if watch is None:
        nothing = {"metrics": measures.together([]).assign(model=[]), "contributions": _no_contributions()}
        nothing |= {name: _empty(name) for name in BESIDE}
        note = f"no predictions were delivered by {period.last}"
        return Summary("metrics", period, warehouse.replace("metrics", period, nothing), (note,))
    reach = max((0, *spec.label_ages, *spec.outcome_ages))
    earliest = max(watch.first, period.first - timedelta(reach))
    served = warehouse.query("metrics/predictions", first=earliest, last=period.last)
    today = served[served["day"] >= pd.Timestamp(watch.begin)]
    binned, contributions = _features(watch, warehouse)
    beside = {name: _empty(name) for name in BESIDE}
    parts = [
        *measures.of_predictions(today, spec.min_rows),
        *([] if spec.task == "regression" else [measures.of_improper(today, spec.min_rows)]),
        *_silence(watch, warehouse),
        *binned,
        *_without_reference(spec, today, binned),
        *_distances(watch, warehouse),
        *_service(watch, warehouse),
        *_latency(watch, today, warehouse),
        *(labelled := _labels(watch, warehouse, beside)),
        *_estimates(watch, labelled, warehouse, beside),
        *_stability(watch, warehouse),
        *_outcomes(watch, warehouse),
        *_families(watch, warehouse, beside),
        *_gaps(watch, served, earliest),
    ]
    metrics = measures.together(parts).assign(model=spec.model)
    written = warehouse.replace("metrics", period, {"metrics": metrics, "contributions": contributions} | beside)
    return Summary("metrics", period, written)


def _watch(spec: ModelSpec, period: Period, warehouse: Warehouse) -> Watch | None:
    """None while nothing was ever delivered and the spec does not say when watching begins."""
    deliveries = warehouse.query("metrics/deliveries", through=period.last)
    came = deliveries[(deliveries["source"] == "predictions") & (deliveries["status"] != "missing")]
    if spec.start is None and came.empty:
        return None
    return Watch(spec, period, spec.start or came["day"].min().date(), deliveries)


def _silence(watch: Watch, warehouse: Warehouse) -> Iterator[pd.DataFrame]:
    """Volumes of segments that a delivered day has no row of."""
    if watch.spec.segments:
        since = watch.begin - timedelta(measures.KNOWN_DAYS)
        served = warehouse.query("metrics/predictions", first=since, last=watch.period.last)
        yield measures.of_silence(served, watch.begin, watch.spec.min_rows)


def _features(watch: Watch, warehouse: Warehouse) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Rows of missing rate, PSI and its limit; and the bins' contributions."""
    spec = watch.spec
    binned = warehouse.query("metrics/features", first=watch.begin, last=watch.period.last, past=_past(spec))
    if binned.empty:
        return [], _no_contributions()
    profile = warehouse.read("reference_bins").sort_values(["reference", "feature", "bin"], ignore_index=True)
    labels = profile[["reference", "feature", "bin"]].assign(label=bin_labels(profile))
    binned = binned.merge(labels, how="left", on=["reference", "feature", "bin"])
    binned["label"] = binned["label"].fillna(binned["bin"].map(measures.SPECIAL_BINS)).fillna("elsewhere")
    return measures.of_features(binned, spec.min_rows, spec.detection.error_rate)


def _past(spec: ModelSpec) -> Reference | None:
    """Where the reference's counts are those of past days: the spec's part that says which."""
    return spec.reference if spec.reference.rolling or spec.reference.weekdays else None


def _distances(watch: Watch, warehouse: Warehouse) -> Iterator[pd.DataFrame]:
    """Distances other than PSI, and what the features held, of all live versions or of each with its own reference."""
    spec = watch.spec
    parts = warehouse.query(
        "metrics/parts", first=watch.begin, last=watch.period.last, past=_past(spec), pooled=not spec.reference.versions
    )
    if parts.empty:
        return
    profile, bins = warehouse.read("reference_parts"), warehouse.read("reference_bins")
    known = profile.assign(position=positions(profile)).drop(columns=["n", "value_sum", "value_square_sum"])
    rare = bins.loc[bins["kind"] == "other", ["reference", "feature", "bin"]].assign(rare=True)
    parts = parts.merge(known, how="left", on=["reference", "feature", "bin", "part"])
    parts = parts.merge(rare, how="left", on=["reference", "feature", "bin"])
    told = {name: parts[name].eq(True) for name in ("beyond_range", "beyond_sigma", "rare")}  # NULL is no
    parts = parts.assign(**told).sort_values([*measures_data.KEYS, "bin", "part"], ignore_index=True)
    kinds = {name: feature.kind for name, feature in spec.features.items()}
    numeric, named = ([name for name, kind in kinds.items() if kind == one] for one in ("numeric", "categorical"))
    whole = [name for name in named if name not in set(rare["feature"])]
    weights = {name: feature.importance for name, feature in spec.features.items() if feature.importance}
    error_rate = spec.detection.error_rate
    yield from measures_data.of_distances(parts, [*numeric, "score"], spec.drift, spec.min_rows, error_rate)
    yield from measures_data.of_model_drift(parts, weights, spec.min_rows, error_rate)
    yield from measures_data.of_content(parts, numeric, whole, spec.min_rows)


def _service(watch: Watch, warehouse: Warehouse) -> Iterator[pd.DataFrame]:
    """How each source was delivered, how much was answered and how well, and on what machines."""
    spec, days = watch.spec, {"first": watch.begin, "last": watch.period.last}
    delivered = warehouse.query("metrics/delivered", **days)
    columns = warehouse.query("metrics/delivery_columns", **days)
    yield from measures_service.of_deliveries(delivered, columns, spec.min_rows)
    served = warehouse.query("metrics/service", **days)
    told = spec.predictions.columns.error is not None
    yield from measures_service.of_service(served, spec.timezone, told, spec.min_rows)
    if spec.prometheus:
        usage = warehouse.query("metrics/system", **days)
        yield from measures_service.of_system(usage, spec.prometheus.min_coverage)


def _without_reference(spec: ModelSpec, today: pd.DataFrame, binned: list[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Drift of live versions whose features are not counted, for want of a reference to count them by."""
    whole = _counted_by_reference(spec, today)
    numeric = [*(name for name, one in spec.features.items() if one.kind == "numeric"), "score"]
    keys = whole[["day", "version"]].merge(_watched_features(spec), how="cross")
    if binned:
        counted = binned[0][["day", "version", "feature"]]
        keys = keys.merge(counted, how="left", indicator=True)
        keys = keys[keys["_merge"] == "left_only"]
    for metric in (*DRIFT, *(one for one in spec.drift if one != "psi")):
        on = keys[keys["feature"].isin(numeric)] if metric in NUMERIC_ONLY else keys
        yield measures.undefined(metric, on, "no reference yet")


def _counted_by_reference(spec: ModelSpec, served: pd.DataFrame) -> pd.DataFrame:
    """Whole days of live versions, of all together where they have one reference."""
    whole = served[(served["segment"] == "all") & ~served["version"].str.contains(":", regex=False)]
    return whole[whole["version"] != "all"] if spec.reference.versions else whole


def _latency(watch: Watch, today: pd.DataFrame, warehouse: Warehouse) -> Iterator[pd.DataFrame]:
    """Latency quantiles; undefined where the spec names a latency column and no row of the day has one."""
    bins = warehouse.query("metrics/latency", first=watch.begin, last=watch.period.last)
    yield from measures.of_latency(bins, watch.spec.min_rows)
    if watch.spec.predictions.columns.latency_ms:
        whole = today[(today["segment"] == "all") & (today["version"] == "all")]
        timed = bins.loc[bins["version"] == "all", "day"]
        keys = whole.loc[~whole["day"].isin(timed), ["day", "version"]]
        for percent in measures.PERCENTS:
            yield measures.undefined(f"latency_p{percent}", keys, "no latencies")


def _labels(watch: Watch, warehouse: Warehouse, beside: dict[str, pd.DataFrame]) -> list[pd.DataFrame]:
    """What labels say at each age; puts the curves that belong to it into `beside`."""
    ages = watch.ages(watch.spec.label_ages)
    if not ages:
        return []
    known = warehouse.query("metrics/labels", ages=ages)
    if watch.spec.task == "multiclass":
        cells = warehouse.query("metrics/classes", ages=ages)
        return list(measures_tasks.of_classes(known, cells, watch.spec.min_rows))
    if watch.spec.task == "regression":
        errors = warehouse.query("metrics/errors", ages=ages)
        return list(measures_tasks.of_errors(known, errors, watch.spec.min_rows))
    scores = warehouse.query("metrics/scores", ages=ages)
    beside |= measures_scores.curves_of(known, scores)
    few = watch.spec.min_rows
    return measures.of_labels(known, scores, few) + measures_scores.of_scores(known, scores, few)


def _estimates(
    watch: Watch, labelled: list[pd.DataFrame], warehouse: Warehouse, beside: dict[str, pd.DataFrame]
) -> list[pd.DataFrame]:
    """What labels will say of the nights' own days; puts estimates and their score-card into `beside`."""
    spec, period = watch.spec, watch.period
    histograms = warehouse.query("metrics/score_histograms", first=watch.begin, last=period.last)
    if not spec.labels or spec.task != "binary" or histograms.empty:
        return []
    age = spec.labels.horizon
    days = {
        "age": age, "last": period.last - timedelta(age),
        "first": watch.begin - timedelta(age + measures_estimates.WINDOW_DAYS - 1),
    }  # fmt: skip
    mature = measures_estimates.Mature(
        warehouse.query("metrics/mature_labels", **days), warehouse.query("metrics/mature_decisions", **days), age
    )
    new = measures_estimates.estimates_of(histograms, mature, list(spec.segments))
    first = watch.begin - timedelta(age + estimator.SPAN_DAYS)
    past = warehouse.query("metrics/past_estimates", first=first, before=watch.begin)
    figures = warehouse.query(
        "metrics/mature_figures", first=first, before=period.first, age=age, metrics=list(FIGURES)
    )
    tonight = [one[_mature(one, age)] for one in labelled if one["metric"].isin(FIGURES).any()]
    figures = pd.concat([figures, *(one[list(figures)] for one in tonight)], ignore_index=True)
    beside["estimates"], beside["estimator_card"] = measures_estimates.judged(new, past, figures, age)
    return measures_estimates.of_estimates(beside["estimates"], beside["estimator_card"], age, spec.min_rows)


def _mature(rows: pd.DataFrame, age: int) -> pd.Series[bool]:
    """What labels said of whole days at the last age."""
    return (rows["segment"] == "all") & (rows["label_age"] == age) & (rows["state"] == "final")


def _stability(watch: Watch, warehouse: Warehouse) -> Iterator[pd.DataFrame]:
    """How steady scores are from day to day, and predictions for the same id."""
    spec, last = watch.spec, watch.period.last
    before = watch.begin - timedelta(measures_scores.SPREAD_DAYS - 1)
    served = warehouse.query("metrics/predictions", first=before, last=last)
    days, first = {"first": watch.begin - timedelta(1), "last": last}, pd.Timestamp(watch.begin)
    yield measures_scores.spread_of_means(served, first, spec.min_rows)
    if spec.task == "binary":
        bins = warehouse.query("metrics/score_bins", **days)
        yield measures_scores.shift_of_probabilities(bins, first, spec.min_rows)
    else:
        places, profile = warehouse.query("metrics/score_places", **days), warehouse.read("reference_bins")
        due = _counted_by_reference(spec, served[served["n_scored"] > 0])
        yield from measures_scores.shift_in_reference(places, profile, due, first, spec.min_rows)
    repeated = warehouse.query("metrics/repeats", first=watch.begin, last=last)
    yield from measures_scores.of_repeats(repeated, spec.min_rows)


def _outcomes(watch: Watch, warehouse: Warehouse) -> list[pd.DataFrame]:
    ages, source = watch.ages(watch.spec.outcome_ages), watch.spec.outcomes
    if not ages or source is None:
        return []
    known = warehouse.query("metrics/outcomes", ages=ages)
    known = known.assign(expected=known["label_age"] + 1, lacking=watch.lacking(known))
    return measures_outcomes.of_outcomes(known, source.per, source.columns.value is not None, watch.spec.min_rows)


def _families(watch: Watch, warehouse: Warehouse, beside: dict[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Groups, actions and versions; puts why figures changed, and versions side by side, into `beside`."""
    past = families.past_of(watch, warehouse)
    yield from groups.metrics_of(watch, past)
    yield from business.metrics_of(watch, past, warehouse)
    beside["decompositions"] = reasons.decompositions(watch, past, warehouse)
    beside["worst_segments"] = worst.worst_segments(watch, past, warehouse)
    beside["comparisons"] = comparisons.comparisons(watch, past, warehouse)


def _gaps(watch: Watch, served: pd.DataFrame, earliest: date) -> Iterator[pd.DataFrame]:
    """Each main series on days without rows: NULL, with what became of the delivery."""
    days = pd.date_range(earliest, watch.period.last, unit="us")
    rows = served.loc[served["version"] == "all", "day"]
    empty = pd.DataFrame({"day": days.difference(pd.DatetimeIndex(rows))})
    if empty.empty:
        return
    empty["reason"] = _absence(watch, empty["day"])
    tonight = empty[empty["day"] >= pd.Timestamp(watch.begin)]
    spec = watch.spec
    keys = {"predictions": tonight}
    if not spec.reference.versions:
        keys["features"] = tonight.merge(_watched_features(spec), how="cross")
    if spec.predictions.columns.latency_ms:
        keys["latency"] = tonight
    keys["labels"] = _reaching(empty, watch.ages(spec.label_ages))
    labelled = {"binary": "scores", "multiclass": "classes", "regression": "errors"}[spec.task]
    keys[labelled] = keys["labels"]
    if spec.task == "binary" and spec.labels:
        keys["estimates"] = tonight
    keys["outcomes"] = _reaching(empty, watch.ages(spec.outcome_ages))
    valued = spec.outcomes is not None and spec.outcomes.columns.value is not None
    for definition in DEFINITIONS:
        foreign = definition.needs == "labels" and definition.name not in OF_TASK.get(spec.task, (definition.name,))
        if definition.needs in keys and not foreign and (valued or definition.name not in VALUES):
            on = keys[definition.needs]
            yield measures.undefined(definition.name, on, on["reason"].to_numpy())


def _absence(watch: Watch, days: pd.Series[pd.Timestamp]) -> NDArray[np.object_]:
    """Why each day has no rows."""
    said = watch.deliveries[watch.deliveries["source"] == "predictions"].set_index("day").reindex(days)
    words = said["status"].map({"delivered": "the delivery had no rows", "refused": "the delivery was refused"})
    refused = (said["status"] == "refused") & said["reason"].notna()
    return words.fillna("no delivery").where(~refused, said["reason"]).to_numpy(dtype=object)


def _reaching(days: pd.DataFrame, ages: list[Age]) -> pd.DataFrame:
    """The days once for each age that they reach in the period."""
    parts = [
        days[days["day"].between(pd.Timestamp(one.first), pd.Timestamp(one.last))].assign(label_age=one.age)
        for one in ages
    ]
    return pd.concat(parts) if parts else days.head(0)


def _watched_features(spec: ModelSpec) -> pd.DataFrame:
    pseudo = PSEUDO_FEATURES[:1] if spec.task == "regression" else PSEUDO_FEATURES
    return pd.DataFrame({"feature": [*spec.features, *pseudo]})


def _no_contributions() -> pd.DataFrame:
    return _empty("contributions")


def _empty(table: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(BY_NAME[table].columns))
