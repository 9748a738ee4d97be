"""What is wrong with a spec whose words are right: names that clash, rules that can never speak."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from jobs.spec.complaints import meant
from jobs.spec.model import RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.spec.document import KeyPath
    from jobs.spec.model import ModelSpec, Rule

Fault = tuple["KeyPath", str]
"""A path and the sentence that follows it."""

OF_SHAPES = {"psi", "js", "ks", "wasserstein", "chi2", "l_infinity", "hellinger"}
"""Distances from the reference, which score and decision have too."""
OF_FEATURES = OF_SHAPES | {"missing_rate", "outlier_rate", "out_of_range_rate", "unseen_rate"}
OF_USAGE = {"cpu_cores": "cpu", "memory_mb": "memory"}
OF_DELIVERIES = {"duplicate_rate", "misdated_rate", "delivery_age", "schema_changes", "freshness_hours"}
OF_COLUMNS = {"constant_columns", "empty_columns", "model_drift"}
OF_LABELS = {"coverage", "accuracy", "precision", "recall", "f1", "roc_auc"}
OF_OUTCOMES = {"conversion", "value_per_prediction", "value"}
OF_VALUES = {"value_per_prediction", "value"}
OF_SERVICE = {"latency_p95", "error_rate", "throughput", "peak_per_minute"}
SHARES = {"score_mean", "conversion", "error_rate", "duplicate_rate", "misdated_rate"} | OF_LABELS
SHARES |= OF_FEATURES - {"psi", "chi2", "wasserstein"}
OF_GROUPS = {"demographic_parity_difference", "demographic_parity_ratio", "equal_opportunity_difference"}
OF_GROUPS |= {"equalized_odds_difference", "equalized_odds_ratio", "predictive_parity_difference"}
"""Gaps between the values of a protected segment, so whole days have none."""
WHOLE_DAY_ONLY = OF_FEATURES | OF_SERVICE | OF_DELIVERIES | OF_COLUMNS | set(OF_USAGE)
PSEUDO_FEATURES = ("score", "decision")
"""Drift of the answers themselves is told as that of these."""


def faults(spec: ModelSpec) -> Iterator[Fault]:
    """Every fault as (path, sentence); nothing for a spec that makes sense."""
    yield from _names(spec)
    yield from _sources(spec)
    yield from _reference(spec)
    for position, rule in enumerate(spec.rules):
        for key, sentence in _rule(spec, rule):
            yield ("rules", position, *key), sentence
        if rule in spec.rules[:position]:
            yield ("rules", position), f"says the same as rules[{spec.rules.index(rule)}]; keep one"
    yield from _detection(spec)
    for position, address in enumerate(spec.mail.to):
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            yield ("mail", "to", position), f"'{address}' is not a mail address"
    if not spec.retraining.metrics:
        yield ("retraining", "metrics"), "is an empty list; a candidate must be compared in something"
    yield from _mutes(spec)


def _mutes(spec: ModelSpec) -> Iterator[Fault]:
    """A mute of what does not exist silences nothing, and nobody would know."""
    known = dict.fromkeys([*spec.features, *PSEUDO_FEATURES])
    for position, mute in enumerate(spec.mutes):
        where = ("mutes", position)
        if mute.feature is not None and mute.feature not in known:
            said = f"'{mute.feature}' is no feature; known: {', '.join(known)}{meant(mute.feature, known)}"
            yield (*where, "feature"), said
        if mute.segment not in (None, "all"):
            yield from (((*where, "segment"), said) for said in _of_segment(spec, str(mute.segment)))
        if mute.incident is not None and not mute.incident.startswith(f"{spec.model}-"):
            said = f"'{mute.incident}' is no incident of {spec.model}; `nightjar ack {spec.model}` lists the open ones"
            yield (*where, "incident"), said


def _names(spec: ModelSpec) -> Iterator[Fault]:
    """Features and segments are columns of one table, whose names do not care for capitals."""
    stored: dict[str, dict[str, str]] = defaultdict(dict)
    given = [("features", name, feature.column or name) for name, feature in spec.features.items()]
    given += [("segments", name, column) for name, column in spec.segments.items()]
    for group, name, column in given:
        path = (group, name)
        if name.lower() in RESERVED:
            how = f"column: {name}" if group == "features" else f"another_name: {column}"
            yield path, f"is a name that every prediction has; give it another one and say `{how}`"
        if not name.strip() or re.search(r"[=,]", name):
            yield path, "cannot be a name; it may not be empty or hold = or , (segments read column=value)"
        for other, other_column in stored[name.lower()].items():
            if other != name:
                yield path, f"differs from '{other}' only in capitals; the database takes both for one column"
            elif other_column != column:
                yield (
                    path,
                    f"is read from '{column}', as a feature from '{other_column}'; rename one",
                )
        stored[name.lower()][name] = column
        if group == "segments" and name in spec.features and spec.features[name].kind == "numeric":
            yield (
                path,
                "is also a numeric feature; segments are text: make it categorical, or rename the segment",
            )


def _sources(spec: ModelSpec) -> Iterator[Fault]:
    if spec.predictions.role != "live":
        yield ("predictions", "role"), f"is {spec.predictions.role}; live answers go here, these under others"
    for position, source in enumerate(spec.others):
        if source.role == "live":
            yield (
                ("others", position, "role"),
                "must be shadow or challenger; live answers go under predictions",
            )
    for name, arriving in (("labels", spec.labels), ("outcomes", spec.outcomes)):
        if arriving is not None and "{day}" not in arriving.path and arriving.columns.timestamp is None:
            yield (
                (name, "path"),
                f"has no {{day}}, so {name}.columns.timestamp must name the column of when each became known",
            )
    if spec.outcomes is not None and spec.outcomes.unit and spec.outcomes.columns.value is None:
        yield ("outcomes", "unit"), "counts a value, but outcomes.columns.value names no column"
    for path, text in paths_of(spec):
        for brace in re.findall(r"(?<!\$)\{([^}]*)\}", re.sub(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", "", text)):
            if brace != "day":
                yield path, f"has {{{brace}}}; only {{day}} is known, which becomes YYYY-MM-DD"


def paths_of(spec: ModelSpec) -> Iterator[tuple[KeyPath, str]]:
    """Every file pattern of a spec, with where it stands."""
    yield ("predictions", "path"), spec.predictions.path
    for position, source in enumerate(spec.others):
        yield ("others", position, "path"), source.path
    for name, arriving in (("labels", spec.labels), ("outcomes", spec.outcomes)):
        if arriving is not None:
            yield (name, "path"), arriving.path
    if spec.reference.file is not None:
        yield ("reference", "file"), spec.reference.file
    for version, text in (spec.reference.versions or {}).items():
        yield ("reference", "versions", version), text


def _reference(spec: ModelSpec) -> Iterator[Fault]:
    reference = spec.reference
    if reference.versions is not None and not reference.versions:
        yield ("reference", "versions"), "is empty; name a file for at least one version"
    if reference.versions and spec.predictions.columns.version is None:
        yield (
            ("reference", "versions"),
            "needs predictions.columns.version, the column that says which version answered",
        )
    for path, text in paths_of(spec):
        if path[0] == "reference" and "{day}" in text:
            yield path, "has {day}; a reference is one file (or a * pattern), or a window of days"
    if reference.window and spec.start and reference.window.first < spec.start:
        yield (
            ("reference", "window", "first"),
            f"is {reference.window.first}, before the first day watched, start: {spec.start}",
        )


def _detection(spec: ModelSpec) -> Iterator[Fault]:
    detection = spec.detection
    if "metrics" in detection.model_fields_set:  # of the defaults, those that cannot exist are left out silently
        for position, metric in enumerate(detection.metrics):
            if lack := lacking(spec, metric):
                yield ("detection", "metrics", position), f"'{metric}' {lack}"
    if detection.max_history < detection.min_history:
        yield (
            ("detection", "max_history"),
            f"is {detection.max_history}, less than min_history {detection.min_history}",
        )


def lacking(spec: ModelSpec, metric: str) -> str | None:
    """What this spec lacks to have a metric at all."""
    if metric in OF_LABELS and spec.labels is None:
        return "needs labels, and the spec has none"
    if metric in OF_OUTCOMES and spec.outcomes is None:
        return "needs outcomes, and the spec has none"
    if metric in OF_VALUES and spec.outcomes is not None and spec.outcomes.columns.value is None:
        return "needs outcomes.columns.value, the column of the value"
    if metric in OF_GROUPS and not spec.protected:
        return "needs protected, the segments whose groups are compared"
    if metric in OF_FEATURES | OF_COLUMNS:
        return _lack_of_features(spec, metric)
    return _lack_of_service(spec, metric)


def _lack_of_features(spec: ModelSpec, metric: str) -> str | None:
    if metric in OF_SHAPES - {"psi"} and metric not in spec.drift:
        return f"is not computed; add {metric} to drift, which has {_listed(spec.drift)}"
    if metric in OF_FEATURES - OF_SHAPES and not spec.features:
        return "needs features, and the spec has none"
    if metric == "unseen_rate" and all(feature.kind == "numeric" for feature in spec.features.values()):
        return "needs a categorical feature, and the spec has none"
    if metric == "model_drift" and not any(feature.importance for feature in spec.features.values()):
        return "needs the importance of at least one feature"
    return None


def _lack_of_service(spec: ModelSpec, metric: str) -> str | None:
    if metric == "latency_p95" and spec.predictions.columns.latency_ms is None:
        return "needs predictions.columns.latency_ms, the column of the latency"
    if metric == "error_rate" and spec.predictions.columns.error is None:
        return "needs predictions.columns.error, the column of failed requests"
    resource = OF_USAGE.get(metric)
    if resource and getattr(spec.prometheus, resource, None) is None:
        return f"needs prometheus.{resource}, what to ask the server for"
    return None


def _rule(spec: ModelSpec, rule: Rule) -> Iterator[Fault]:
    """What keeps a rule from ever speaking, or from saying what was meant."""
    if lack := lacking(spec, rule.metric):
        yield ("metric",), f"'{rule.metric}' {lack}"
        return
    if rule.action is not None and rule.severity == "info":
        yield ("action",), "is never asked for by a rule of severity info; make it warning or critical, or leave it out"
    yield from _rule_scope(spec, rule)
    yield from _rule_ages(spec, rule)
    yield from _rule_bound(spec, rule)


def _rule_scope(spec: ModelSpec, rule: Rule) -> Iterator[Fault]:
    if rule.features is not None and rule.metric not in OF_FEATURES:
        yield ("features",), f"mean nothing for {rule.metric}; they do for {_listed(OF_FEATURES)}"
    elif rule.features is not None:
        if not rule.features:
            yield ("features",), "is an empty list; name at least one, or leave the key out"
        known = dict.fromkeys([*spec.features, *(PSEUDO_FEATURES if rule.metric in OF_SHAPES else ())])
        for position, name in enumerate(rule.features):
            if name not in known:
                yield (
                    ("features", position),
                    f"'{name}' is no feature; known: {', '.join(known)}{meant(name, known)}",
                )
    if rule.segments != "all" and rule.metric in WHOLE_DAY_ONLY:
        said = "'each' means" if rule.segments == "each" else "segments mean"
        yield ("segments",), f"{said} nothing for {rule.metric}, which is computed for whole days"
    elif not isinstance(rule.segments, str):
        yield from _named_segments(spec, rule.segments)
    elif rule.segments == "all" and rule.metric in OF_GROUPS:
        yield ("segments",), f"'all' means nothing for {rule.metric}, a gap between groups; write segments: each"
    elif rule.segments == "each" and not spec.segments:
        yield ("segments",), "'each' needs segments, and the spec has none"


def _named_segments(spec: ModelSpec, named: tuple[str, ...]) -> Iterator[Fault]:
    """Every segment must be one that the spec computes; crossed ones read `a=x,b=y`."""
    if not named:
        yield ("segments",), "is an empty list; name at least one, or leave the key out"
    for position, segment in enumerate(named):
        yield from ((("segments", position), said) for said in _of_segment(spec, segment))


def _of_segment(spec: ModelSpec, segment: str) -> Iterator[str]:
    """What keeps a text from naming a segment."""
    for part in segment.split(","):
        column, equals, value = part.partition("=")
        if not equals or not value:
            yield f"'{segment}' is no segment; write column=value, for example customer=new"
        elif column not in spec.segments:
            known = ", ".join(spec.segments) or "none"
            yield f"'{column}' is no segment of this spec; known: {known}{meant(column, spec.segments)}"


def _rule_ages(spec: ModelSpec, rule: Rule) -> Iterator[Fault]:
    if rule.ages is None:
        return
    if rule.metric not in OF_LABELS | OF_OUTCOMES:
        yield ("ages",), f"mean nothing for {rule.metric}, which waits for no label"
        return
    if not rule.ages:
        yield ("ages",), "is an empty list; name at least one, or leave the key out"
    source, ages = ("labels", spec.label_ages) if rule.metric in OF_LABELS else ("outcomes", spec.outcome_ages)
    for position, age in enumerate(rule.ages):
        if age not in ages:
            known = ", ".join(map(str, ages))
            yield ("ages", position), f"{age} is not among the ages of {source}; known: {known}"


def _rule_bound(spec: ModelSpec, rule: Rule) -> Iterator[Fault]:
    for bound in ("above", "below"):
        limit = getattr(rule, bound)
        if limit is not None and rule.metric in SHARES and not 0 <= limit <= 1:
            hint = f"; did you mean {limit / 100:g}?" if 1 < limit <= 100 else ""
            yield (bound,), f"{limit:g} is no share; {rule.metric} lies between 0 and 1{hint}"
    for bound in ("drop", "rise", "min_effect"):
        change = getattr(rule, bound)
        if change is not None and change.unit == "pp" and rule.metric not in SHARES:
            yield (
                (bound,),
                f"'{change}' is in percentage points, but {rule.metric} is no share; write it in %",
            )
    changes = rule.drop is not None or rule.rise is not None
    if rule.versions is not None and spec.predictions.columns.version is None:
        yield ("versions",), "needs predictions.columns.version, the column of the version"
    elif rule.versions is not None and (rule.outside or rule.against == "previous_version"):
        yield ("versions",), "mean nothing here; expected ranges are of all versions, previous_version of the newest"
    if "against" in rule.model_fields_set and not changes:
        yield ("against",), "counts only with drop or rise"
    if changes and rule.against == "previous_version" and spec.predictions.columns.version is None:
        yield ("against",), "'previous_version' needs predictions.columns.version, the column of the version"
    if rule.against == "share" and (rule.metric != "volume" or rule.segments == "all"):
        yield (
            ("against",),
            "'share' is a segment's share of the day's volume; it needs metric volume and segments: each",
        )
    if rule.outside and rule.metric not in spec.detection.metrics:
        yield ("outside",), f"needs an expected range; add {rule.metric} to detection.metrics"
    if rule.outside and rule.segments != "all":
        said = "'each' has" if rule.segments == "each" else "named segments have"
        yield (
            ("segments",),
            f"{said} no expected ranges; they are found for whole days of all live versions",
        )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
