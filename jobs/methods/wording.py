"""How figures, reasons and incidents are told: the words of a colleague, numbers in their own units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from jobs.methods.definitions import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
}


def name(metric: str) -> str:
    """A metric's name in a sentence.

    >>> name("latency_p95"), name("accuracy")
    ('latency p95', 'accuracy')
    """
    return NAMES.get(metric, metric)


def number(metric: str, value: float | None) -> str:
    """A value in the metric's unit.

    >>> number("accuracy", 0.8312), number("volume", 12345.0), number("latency_p95", 310.4), number("psi", 1.239)
    ('83.1 %', '12,345', '310 ms', '1.24')
    >>> number("accuracy", None)
    'unknown'
    """
    if value is None or not math.isfinite(value):
        return "unknown"
    definition = BY_NAME.get(metric)
    if metric.startswith("latency"):
        return f"{value:,.0f} ms"
    if metric in ("f1", "roc_auc", "score_mean"):
        return f"{value:.3f}"
    if definition is not None and definition.scale == "rate":
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
        return f"{share * 100:.2g} %"
    return f"{share * 100:.{2 if 0.999 < share < 1 else 1}f} %"


def against(item: Evidence) -> str:
    """What a figure is told against; empty where there is nothing.

    >>> against({"metric": "accuracy", "expected": 0.95}), against({"metric": "coverage", "lower": 0.4})
    ('expected 95.0 %', 'bound 40.0 %')
    """
    metric, expected = item["metric"], item.get("expected")
    if expected is None or not math.isfinite(expected):
        bounds = [item.get("lower"), item.get("upper")]
        told = [number(metric, bound) for bound in bounds if bound is not None and math.isfinite(bound)]
        return f"bound {told[0]}" if told else ""
    lead = {
        "recent": "recently",
        "reference": "in the reference",
        "previous_version": f"{item.get('former_version') or 'the version before'}:",
    }.get(item.get("detector", ""), "expected")
    return f"{lead} {number(metric, expected)}"


def figure(item: Evidence) -> str:
    """One piece of evidence as part of a title.

    >>> figure({"metric": "psi", "feature": "browsing_minutes", "value": 1.2391})
    'browsing_minutes drifted (PSI 1.24)'
    >>> figure({"metric": "accuracy", "segment": "customer=new", "value": 0.802, "expected": 0.951})
    'accuracy 80.2 % for customer=new (expected 95.1 %)'
    """
    metric, value, rule = item["metric"], item.get("value"), item.get("rule", "")
    if rule == "no data":
        return f"no predictions for {item['day']}"
    if metric == "delivery":
        return str(item["reason"])
    feature = item.get("feature", "")
    where = "" if item.get("segment", "all") == "all" else f" for {item['segment']}"
    if metric == "psi":
        return f"{feature} drifted (PSI {number('psi', value)}){where}"
    subject = f"{name(metric)} of {feature}" if feature else name(metric)
    told = against(item)
    return f"{subject} {number(metric, value)}{where}" + (f" ({told})" if told else "")


def title(evidence: Sequence[Evidence]) -> str:
    """What happened and what it did, from evidence sorted by weight: causes, an arrow, effects.

    At most two causes and two effects, each metric once; the rest is in the evidence. Information only tells where
    nothing else does.

    >>> title([
    ...     {"role": "cause", "metric": "psi", "feature": "browsing_minutes", "value": 1.2391},
    ...     {"role": "effect", "metric": "accuracy", "value": 0.831, "expected": 0.95},
    ... ])
    'browsing_minutes drifted (PSI 1.24) → accuracy 83.1 % (expected 95.0 %)'
    """
    causes = [_cause(item) for item in evidence if item["role"] == "cause"]
    effects: dict[str, str] = {}
    for item in evidence:
        if item["role"] == "effect" and item.get("severity") != "info":
            effects.setdefault(item["metric"], figure(item))
    if not causes and not effects:
        return figure(evidence[0]) if evidence else "nothing is known"
    sides = [_list(list(dict.fromkeys(causes))), _list(list(effects.values()))]
    return " → ".join(side for side in sides if side)


def _cause(item: Evidence) -> str:
    return f"new version {item['version']}" if item["metric"] == "version" else figure(item)


def _list(texts: Sequence[str], most: int = 2) -> str:
    """Names, the overflow counted.

    >>> _list(["a", "b", "c", "d"])
    'a, b and 2 more'
    """
    shown, rest = texts[:most], len(texts) - most
    return f"{', '.join(shown)} and {rest} more" if rest > 0 else " and ".join(shown)


def since(day: date, days: int) -> str:
    """How long something has lasted.

    >>> from datetime import date
    >>> since(date(2025, 3, 1), 3)
    'since 2025-03-01 (3 days)'
    """
    return f"since {day} ({days} day{'s' if days != 1 else ''})"
