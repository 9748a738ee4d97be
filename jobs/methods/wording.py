"""How figures, reasons and incidents are told: the words of a colleague, numbers in their own units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from jobs.language import join, say
from jobs.methods.definitions import BY_NAME
from jobs.methods.distances import SHAPES

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


TITLE_MOST = 150
"""Letters of a title; what does not fit is counted, never cut in the middle of a figure."""


def title(evidence: Sequence[Evidence]) -> str:
    """What happened and what it did, from evidence sorted by weight: causes, an arrow, effects.

    At most two causes and two effects, fewer where they would be longer than TITLE_MOST, each metric once; the rest is
    in the evidence. Information only tells where nothing else does.

    >>> title([
    ...     {"role": "cause", "metric": "psi", "feature": "browsing_minutes", "value": 1.2391},
    ...     {"role": "effect", "metric": "accuracy", "value": 0.831, "expected": 0.95},
    ... ])
    'browsing_minutes drifted (PSI 1.24) → accuracy 83.1 % (expected 95.0 %)'
    """
    evidence = [item for item in evidence if item["role"] != "context"]
    causes: dict[tuple[str, str], str] = {}
    for item in evidence:
        if item["role"] == "cause":  # a feature once, though every version has a figure of it
            told = _cause(item)
            causes.setdefault((item["metric"], item.get("feature") or told), told)
    effects: dict[str, str] = {}
    for item in evidence:
        if item["role"] == "effect" and item.get("severity") != "info":
            effects.setdefault(item["metric"], figure(item))
    if not causes and not effects:
        return figure(evidence[0]) if evidence else say("nothing is known")
    sides = list(causes.values()), list(effects.values())
    for most in ((2, 2), (2, 1), (1, 2), (1, 1)):
        told = " → ".join(_list(side, shown) for side, shown in zip(sides, most, strict=True) if side)
        if len(told) <= TITLE_MOST:
            break
    return told


def _cause(item: Evidence) -> str:
    return say("new version {version}", version=item["version"]) if item["metric"] == "version" else figure(item)


def _list(texts: Sequence[str], most: int = 2) -> str:
    """Names, the overflow counted.

    >>> _list(["a", "b", "c", "d"])
    'a, b and 2 more'
    """
    shown, rest = texts[:most], len(texts) - most
    if rest > 0:
        return say("{names} and {count} more", names=say(", ").join(shown), count=rest)
    return say(" and ").join(shown)


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


SENTENCES = {
    "took over": "Version {version} took over from {former} on {first_day}.",
    "no data": "No predictions were delivered for {day}.",
    "missing": "{feature} is missing in {value} of the rows of {day} ({against}).",
    "drifted": "{feature} has drifted since {first_day}: its {metric} on {day} was {value}, the bound is {bound}.",
    "numbers drifted": (
        "{feature} has drifted since {first_day}: on {day} its mean was {mean_after}, before {mean_before}; "
        "its median {median_after}, before {median_before} ({metric} {value}, the bound is {bound})."
    ),
    "bin": "{values} made up {observed} of the rows, in the reference {expected}.",
    "figure": "{metric} of {day} was {value}, {against} (n {n}).",
    "figure at age": "{metric} of {day}, as known after {days}, was {value}, {against} (n {n}).",
    "figure of segment": "{metric} of {day} for {segment} was {value}, {against} (n {n}).",
    "figure at age of segment": (
        "{metric} of {day} for {segment}, as known after {days}, was {value}, {against} (n {n})."
    ),
    "figure and bound": "{metric} of {day} was {value}, the bound is {bound} (n {n}).",
    "figure and bound at age": ("{metric} of {day}, as known after {days}, was {value}, the bound is {bound} (n {n})."),
    "figure and bound of segment": "{metric} of {day} for {segment} was {value}, the bound is {bound} (n {n}).",
    "figure and bound at age of segment": (
        "{metric} of {day} for {segment}, as known after {days}, was {value}, the bound is {bound} (n {n})."
    ),
    "carried by rate": "{part} of that comes from {segment}: {value} there, before {before}.",
    "carried by mix": "{part} of that comes from the share of {segment}: {share} of the rows, before {share_before}.",
    "coverage": "{coverage} of that day's labels were known, as usual.",
    "coverage differs": "Only part of the truth is in: {coverage} of that day's labels were known, usually {usual}.",
    "coverage higher": "More of that day's labels were known than usual: {coverage}, usually {usual}.",
    "began": "Version {version} began to answer on {day}.",
    "marker": "On {day}: {what}.",
    "more": "{count} more figures belong to it; the report has them.",
    "one more": "One more figure belongs to it; the report has it.",
    "state opened": "This is new tonight.",
    "state ongoing": "It has been open since {opened}.",
    "state escalated": "It has been open since {opened} and is now {severity}.",
    "state resolved": "It is over: it lasted {nights}, from {opened} to {last}, and {quiet} since were quiet.",
    "again ongoing": "It was opened on {opened} and has been open again since {reopened}.",
    "again escalated": "It was over; late figures show that it was worse than known: open again, now {severity}.",
    "again resolved": (
        "It is over again: reopened on {reopened}, it lasted {nights} more, to {last}, and {quiet} since were quiet."
    ),
    "decision waiting": (
        "A {action} has been requested and waits for approval: nightjar approve {model} {key} --by NAME."
    ),
    "decision requested": "A {action} has been requested.",
    "decision held": "A {action} is held back: {reason}.",
    "decision dry_run": "A {action} would have been requested; the spec says dry_run.",
    "owner": "Owner: {owner}.",
    "subject opened": "[{severity}] {model}: {title}",
    "subject ongoing": "[{severity}] {model}, still open: {title}",
    "subject escalated": "[{severity}] {model}, worse: {title}",
    "subject reopened": "[{severity}] {model}, open again: {title}",
    "subject grown": "[{severity}] {model}, more of it: {title}",
    "subject decided": "[{severity}] {model}, decided: {title}",
    "subject resolved": "[resolved] {model}, after {nights}: {title}",
    "note": "[info] {model}: {title}",
    "notes": "[info] {model}: {title} and {count} more",
}
"""Whole sentences with named gaps, so that another language can put the gaps where it needs them."""


def sentence(words: str) -> str:
    """Words as a sentence of their own.

    >>> sentence("no labels arrive")
    'No labels arrive.'
    """
    return f"{words[:1].upper()}{words[1:]}" + ("" if words.endswith((".", "。")) else say("."))


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


def subject(state: str, severity: str, model: str, title: str, nights: str) -> str:
    """The first line of a message about an incident."""
    return say(SENTENCES[f"subject {state}"], severity=say(severity), model=model, title=title, nights=nights)


def note(model: str, lines: Sequence[str], count: int) -> str:
    """The first line of a note about figures that wake nobody."""
    return say(SENTENCES["notes" if count > 1 else "note"], model=model, title=lines[0], count=count - 1)


NOUNS = {"retrain": "retraining"}
"""What an action is called after an article."""


def action_noun(action: str) -> str:
    """An action as a thing.

    >>> action_noun("retrain"), action_noun("rollback")
    ('retraining', 'rollback')
    """
    return say(NOUNS.get(action, action))


def decision(row: Mapping[str, Any]) -> str:
    """What was decided: a row of `decisions`."""
    payload = row.get("payload") or {}
    waiting = row["outcome"] == "requested" and payload.get("audit", {}).get("guards", {}).get("approval")
    told = SENTENCES["decision waiting" if waiting else f"decision {row['outcome']}"]
    return say(
        told, action=action_noun(row["action"]), reason=row["reason"], model=payload.get("model", ""), key=row["key"]
    )


def owner(name: str) -> str:
    """Who is asked; empty where the spec names nobody."""
    return say(SENTENCES["owner"], owner=name) if name else ""


def paragraph(sentences: list[str]) -> str:
    """Sentences, without the empty ones."""
    return join(sentences)
