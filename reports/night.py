"""One night, seen: from what was known to everything the report says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.language import say
from reports.days import day_of
from reports.history import TREND_DAYS, Known
from reports.index import Key
from reports.sections import drift
from reports.sections.ages import ages_of, classes_of
from reports.sections.baselines import explained
from reports.sections.calibration import calibration_of, thresholds_of
from reports.sections.changes import changes_of, fallen_of
from reports.sections.comparisons import comparisons_of
from reports.sections.estimates import estimator_of
from reports.sections.fairness import fairness_of
from reports.sections.figures import deploys_of, figure, spans_of, trend, usual
from reports.sections.incidents import counts_of, incidents_in_view, unjudged_of
from reports.sections.nights import leads_of, states_of
from reports.sections.quality import quality_of
from reports.sections.segments import segments_of
from reports.sections.shapes import shapes_of
from reports.sections.versions import business_of, lines_of, percentiles_of, versions_of
from reports.series import Deploy, Figure, Lines, Trend, severity_rank
from reports.text import plain
from reports.view import Counts, Incident, NightView, Term
from reports.words import rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from jobs.spec import ModelSpec

PAST_MOST = 10
TILE_AGES_MOST = 3
SERVICE = ("latency_p95", "error_rate", "throughput", "peak_per_minute", "freshness_hours", "cpu_cores", "memory_mb")
EVALUATED = ("final", "estimated")


def view_of(known: Known, spec: ModelSpec, terms: Iterable[Term] = (), first_night: date | None = None) -> NightView:
    """The view of the night `known` stands on; `terms` are the definitions of all metrics there may be.

    `first_night` is the first one that has a report: it has no night before to lead to.
    """
    open_now, resolved, past = incidents_in_view(known)
    shown = (*open_now, *resolved, *past)
    deploys = deploys_of(known)
    unit = spec.outcomes.unit if spec.outcomes else ""
    counts, volume = counts_of(known), figure(known, Key("volume"))
    importances = {name: one.importance for name, one in spec.features.items() if one.importance is not None}
    inputs = drift.drift_of(known, importances, psi_limits(spec), shown, deploys)
    return NightView(
        model=spec.model,
        description=plain(spec.description, 240),
        owner=plain(spec.owner, 80),
        timezone=spec.timezone,
        night=day_of(known.night),
        state=state_of(open_now, counts, volume),
        counts=counts,
        incidents=tuple(open_now),
        resolved=tuple(resolved),
        past=tuple(past[:PAST_MOST]),
        tiles=_tiles(known, spec, shown, deploys, unit),
        trends=_trends(known, spec, shown, deploys, unit),
        ages=ages_of(known, spec.label_ages, deploys),
        segments=segments_of(known, spec.label_ages, spec.outcome_ages),
        drift=inputs,
        business=business_of(known, spec.outcome_ages, unit),
        business_charts=_charts(known, [Key(m, age=a) for a in spec.outcome_ages[:1] for m in _SUMMED], deploys, unit),
        versions=versions_of(known, spec.label_ages, spec.outcome_ages),
        version_charts=_charts(
            known,
            [
                *(Key(m, age=a) for a in spec.label_ages[:1] for m in ("accuracy", "mae")),
                Key("score_mean"),
                Key("volume"),
            ],
            deploys,
        ),
        quality=quality_of(known),
        service=_present(known, [Key(metric) for metric in SERVICE], shown, deploys),
        service_charts=(*percentiles_of(known, deploys), *_charts(known, [Key("latency_p95")], deploys)),
        unjudged=unjudged_of(known),
        baselines=explained(open_now, spec.detection.recent_days, spec.detection.recent_gap),
        terms=_terms(known, terms),
        volume=volume,
        calibration=calibration_of(known, spec.label_ages),
        changes=changes_of(known, spec.label_ages, spec.outcome_ages),
        thresholds=thresholds_of(known, spec.label_ages),
        fallen=fallen_of(known, spec.label_ages, spec.outcome_ages),
        estimator=estimator_of(known),
        fairness=fairness_of(known, spec.protected, spec.label_ages),
        comparisons=comparisons_of(known),
        classes=classes_of(known, spec.label_ages),
        quality_trends=_present(known, _scores(spec.label_ages), shown, deploys),
        shapes=shapes_of(known, ((one.name, one.psi.key) for one in inputs.features)),
        input_trends=_present(known, [Key("model_drift")], shown, deploys),
        first_night=first_night,
        states=states_of(known),
        leads=leads_of(known, open_now, deploys, unit),
    )


_EARNED = ("conversion", "value_per_prediction")
_SUMMED = (*_EARNED, "value")


def _scores(ages: Sequence[int]) -> list[Key]:
    """How good and how steady scores are, over the days."""
    steady = ("score_shift", "repeat_flip_rate")
    return [*(Key(m, age=age) for age in ages[:1] for m in ("brier", "ece")), *(Key(metric) for metric in steady)]


def state_of(incidents: list[Incident], counts: Counts, volume: Figure) -> str:
    """The worst open severity; without incidents ok, or unknown when the day has no rows or nothing could be judged."""
    if incidents:
        worst = max(incidents, key=lambda one: severity_rank(one.severity)).severity
        return worst if severity_rank(worst) else "info"
    return "ok" if counts.judged and volume.value else "unknown"


def psi_limits(spec: ModelSpec) -> dict[str, tuple[float, ...]]:
    """The thresholds of the rules on each feature's PSI, ascending; features that no rule is about are left out."""
    rules = [(rule.features, rule.above) for rule in spec.all_rules if rule.metric == "psi" and rule.above is not None]
    features = (*spec.features, *drift.PSEUDO)
    found = {name: {above for named, above in rules if named is None or name in named} for name in features}
    return {name: tuple(sorted(limits)) for name, limits in found.items() if limits}


def _terms(known: Known, terms: Iterable[Term]) -> tuple[Term, ...]:
    """The definitions of the metrics in view, in the order they are told."""
    here = set(known.metrics())
    return tuple(sorted((term for term in terms if term.metric in here), key=lambda term: rank(term.metric)))


def _tiles(
    known: Known, spec: ModelSpec, incidents: tuple[Incident, ...], deploys: tuple[Deploy, ...], unit: str
) -> tuple[Trend, ...]:
    """The key figures, always in the same order."""
    ages, outcome_ages = spec.label_ages, spec.outcome_ages
    keys = [
        Key("volume"),
        *(Key(metric, age=age) for metric in ("accuracy", "mae") for age in ages[:TILE_AGES_MOST]),
        *(Key("r2", age=age) for age in ages[:1]),
        *(Key("recall", age=age) for age in ages[:1]),
        *(Key(metric, age=age) for age in outcome_ages[:1] for metric in ("conversion", "value")),
    ]
    tiles = _present(known, keys, incidents, deploys, unit)
    service = _present(known, [Key("latency_p95")], incidents, deploys)
    return (*tiles, *_largest_psi(known, spec, incidents, deploys), *service)


def _trends(
    known: Known, spec: ModelSpec, incidents: tuple[Incident, ...], deploys: tuple[Deploy, ...], unit: str
) -> tuple[Trend, ...]:
    """The main series, always in the same order."""
    ages, outcome_ages = spec.label_ages[:1], spec.outcome_ages[:1]
    label = [
        Key(metric, age=age) for age in ages for metric in ("accuracy", "mae", "recall", "precision", "roc_auc", "bias")
    ]
    earned = [Key(metric, age=age) for age in outcome_ages for metric in _EARNED]
    first = _present(known, [Key("volume"), *label, *earned, Key("score_mean")], incidents, deploys, unit)
    return (*first, *_largest_psi(known, spec, incidents, deploys))


def _present(
    known: Known, keys: list[Key], incidents: tuple[Incident, ...], deploys: tuple[Deploy, ...], unit: str = ""
) -> tuple[Trend, ...]:
    """The trends of the series that have a row in view."""
    return tuple(trend(known, key, incidents, deploys, unit) for key in keys if len(known.figures(key).day))


def _charts(known: Known, keys: list[Key], deploys: tuple[Deploy, ...], unit: str = "") -> tuple[Lines, ...]:
    """The charts by version that have at least two versions."""
    return tuple(lines for key in keys if (lines := lines_of(known, key, deploys, unit=unit)))


def _largest_psi(
    known: Known, spec: ModelSpec, incidents: tuple[Incident, ...], deploys: tuple[Deploy, ...]
) -> tuple[Trend, ...]:
    """The largest PSI of the features that rules are about, as one series; nothing where no PSI was ever found."""
    limits = psi_limits(spec)
    keys = [key for key in drift.family_of(known) if not limits or key.feature in limits]
    values = drift.largest(known, keys)
    if not np.isfinite(values).any():
        return ()
    found = [one for key in keys if (one := figure(known, key)).state in EVALUATED]
    top = max(found, key=lambda one: (one.value or 0.0, one.key.feature), default=None)
    worst = max((one.severity for one in found), key=severity_rank, default="")
    name = plain(top.key.feature, 40) if top else ""
    key, first, blank = Key("psi"), known.night - TREND_DAYS + 1, np.full(TREND_DAYS, np.nan)
    told = Figure(
        key=key, day=known.night, value=top.value if top else None, n=top.n if top else None,
        state=top.state if top else "absent", reason=name or say("no feature could be judged that day"),
        usual=usual(values), severity=worst,
    )  # fmt: skip
    trend_ = Trend(
        figure=told, first=first, last=known.night, values=values, thin=blank, n=blank,
        interval=(blank, blank), expected=blank, lower=blank, upper=blank,
        breached=np.zeros(TREND_DAYS, dtype=bool), estimated=np.zeros(TREND_DAYS, dtype=bool),
        spans=spans_of(incidents, key, first, known.night),
        deploys=tuple(one for one in deploys if first <= one.day), title="Largest PSI",
    )  # fmt: skip
    return (trend_,)
