"""How figures, reasons and incidents are told: the words of a colleague, numbers in their own units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from jobs.language import say
from jobs.methods.definitions import BY_NAME
from jobs.methods.distances import SHAPES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    Evidence = Mapping[str, Any]

NAMES = {
    "missing_rate": "missing values",
    "score_mean": "mean score",
    "latency_p50": "median latency",
    "latency_p95": "latency p95",
    "latency_p99": "latency p99",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "psi": "PSI",
    "value_per_prediction": "value per prediction",
    "js": "Jensen-Shannon distance",
    "ks": "Kolmogorov-Smirnov D",
    "wasserstein": "Wasserstein distance",
    "chi2": "chi-square",
    "l_infinity": "largest change of a share",
    "hellinger": "Hellinger distance",
    "wasserstein_units": "Wasserstein distance in units",
    "improper_score_rate": "scores that are no probability",
    "mean_shift": "shift of the mean",
    "ks_p": "Kolmogorov-Smirnov p",
    "chi2_p": "chi-square p",
    "class_f1": "class F1",
    "f1_reweighted": "F1 reweighted",
    "cpu_cores_peak": "peak of CPU cores",
    "memory_mb_peak": "peak of memory in MB",
    "model_change_z": "change of the model in standard errors",
    "business_change_z": "change of the business in standard errors",
}


def name(metric: str) -> str:
    """A metric's name in a sentence.

    >>> name("latency_p95"), name("accuracy")
    ('latency p95', 'accuracy')
    """
    return say(NAMES.get(metric, metric.replace("_", " ")))


def of_part(metric: str) -> bool:
    """Whether a metric tells of one class, or by the mix of one segment, which column `feature` then names.

    >>> of_part("class_recall"), of_part("psi")
    (True, False)
    """
    definition = BY_NAME.get(metric)
    return definition is not None and definition.needs in ("class", "reweighting")


def subject_of(item: Evidence) -> str:
    """What a sentence about a figure begins with: the metric, and the part that it is of.

    >>> subject_of({"metric": "class_recall", "feature": "pear"}), subject_of({"metric": "psi", "feature": "price"})
    ('class recall (pear)', 'PSI')
    """
    metric, feature = item["metric"], item.get("feature")
    if not feature or not of_part(metric):
        return name(metric)
    return say("{metric} ({feature})", metric=name(metric), feature=feature)


def number(metric: str, value: float | None) -> str:
    """A value in the metric's unit.

    >>> number("accuracy", 0.8312), number("volume", 12345.0), number("latency_p95", 310.4), number("psi", 1.239)
    ('83.1 %', '12,345', '310 ms', '1.24')
    >>> number("accuracy", None)
    'unknown'
    """
    if value is None or not math.isfinite(value):
        return say("unknown")
    definition = BY_NAME.get(metric)
    if metric.startswith("latency"):
        return f"{value:,.0f} ms"
    if metric in ("f1", "roc_auc", "score_mean"):
        return f"{value:.3f}"
    if definition is not None and definition.scale == "rate" and metric not in SHAPES:
        return _percent(value)
    if definition is not None and definition.scale == "count":
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"


def _percent(share: float) -> str:
    """One decimal, more where it would hide that a rate is not quite 0 or 1.

    >>> _percent(0.831), _percent(0.0004), _percent(0.9996)
    ('83.1 %', '0.04 %', '99.96 %')
    """
    if 0 < share < 0.001:
        return f"{share * 100:.2g}{say(' %')}"
    return f"{share * 100:.{2 if 0.999 < share < 1 else 1}f}{say(' %')}"


AGAINST = {
    "recent": "recently {value}",
    "reference": "in the reference {value}",
    "share": "by its usual share {value}",
    "previous_version": "{former}: {value}",
}
"""What a figure is told against, by the detector that spoke."""


def against(item: Evidence) -> str:
    """What a figure is told against; empty where there is nothing.

    >>> against({"metric": "accuracy", "expected": 0.95}), against({"metric": "coverage", "lower": 0.4})
    ('expected 95.0 %', 'bound 40.0 %')
    """
    metric, expected = item["metric"], item.get("expected")
    if expected is None or not math.isfinite(expected):
        bounds = [item.get("lower"), item.get("upper")]
        told = [number(metric, bound) for bound in bounds if bound is not None and math.isfinite(bound)]
        return say("bound {value}", value=told[0]) if told else ""
    lead = AGAINST.get(item.get("detector", ""), "expected {value}")
    return say(lead, value=number(metric, expected), former=item.get("former_version") or say("the version before"))


def compared(item: Evidence) -> str:
    """The same within a sentence.

    >>> compared({"metric": "conversion", "expected": 0.225, "detector": "previous_version", "former_version": "v1"})
    'v1 had 22.5 %'
    """
    if item.get("detector") != "previous_version" or item.get("expected") is None:
        return against(item)
    former = item.get("former_version") or say("the version before")
    return say("{former} had {value}", former=former, value=number(item["metric"], item["expected"]))


def figure(item: Evidence) -> str:
    """One piece of evidence as part of a title.

    >>> figure({"metric": "psi", "feature": "browsing_minutes", "value": 1.2391})
    'browsing_minutes drifted (PSI 1.24)'
    >>> figure({"metric": "accuracy", "segment": "customer=new", "value": 0.802, "expected": 0.951})
    'accuracy 80.2 % for customer=new (expected 95.1 %)'
    """
    metric, value, rule = item["metric"], item.get("value"), item.get("rule", "")
    if rule == "no data":
        return say("no predictions for {day}", day=item["day"])
    if metric in ("delivery", "odd_night") or rule == "stuck":
        return str(item["reason"])
    feature, segment = item.get("feature", ""), item.get("segment", "all")
    gaps = {"metric": name(metric), "feature": feature, "value": number(metric, value), "segment": segment}
    if metric in SHAPES and feature:
        told = say("{feature} drifted ({metric} {value})", **gaps)
        return told if segment == "all" else say("{told} for {segment}", told=told, segment=segment)
    told = say("{metric} of {feature} {value}" if feature else "{metric} {value}", **gaps)
    if segment != "all":
        told = say("{told} for {segment}", told=told, segment=segment)
    held = against(item)
    return say("{told} ({held})", told=told, held=held) if held else told


def since(day: date, days: int) -> str:
    """How long something has lasted.

    >>> from datetime import date
    >>> since(date(2025, 3, 1), 3)
    'since 2025-03-01 (3 days)'
    """
    return say("since {day} ({days})", day=day, days=days_text(days))


def stuck(metric: str, value: float, begun: date, days: int) -> str:
    """A series that stands still.

    >>> from datetime import date
    >>> stuck("score_mean", 0.3124, date(2025, 3, 1), 5)
    'mean score stuck at 0.312 since 2025-03-01 (5 days)'
    """
    told = {"metric": name(metric), "value": number(metric, value), "since": since(begun, days)}
    return say("{metric} stuck at {value} {since}", **told)


def amount(value: float | None) -> str:
    """A feature's value, in its own unit: as many digits as say something.

    >>> amount(2.0312), amount(12345.6), amount(0.00123), amount(None)
    ('2.03', '12,346', '0.00123', 'unknown')
    """
    if value is None or not math.isfinite(value):
        return say("unknown")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def bin_name(told: Evidence) -> str:
    """A bin of a reference as the subject of a sentence.

    >>> bin_name({"kind": "interval", "lower": None, "upper": 3.2}), bin_name({"kind": "category", "category": "FR"})
    ('Values up to 3.2', 'FR')
    """
    kind, lower, upper = told["kind"], told.get("lower"), told.get("upper")
    if kind == "category":
        return str(told["category"])
    if kind == "interval":
        if lower is None:
            return say("Values up to {upper}", upper=amount(upper))
        if upper is None:
            return say("Values above {lower}", lower=amount(lower))
        if amount(lower) == amount(upper):
            return say("Values of {upper}", upper=amount(upper))
        return say("Values from {lower} to {upper}", lower=amount(lower), upper=amount(upper))
    named = {"missing": "Missing values", "unseen": "Values never seen before", "infinite": "Infinite values"}
    return say(named.get(kind, "The rarer values"))


def days_text(count: int) -> str:
    """`1 day`, `7 days`."""
    return say("{count} day" if count == 1 else "{count} days", count=count)


def nights_text(count: int) -> str:
    """`1 night`, `3 nights`."""
    return say("{count} night" if count == 1 else "{count} nights", count=count)
