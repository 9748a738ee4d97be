"""What keeps a rule from ever speaking, or from saying what was meant: its metric, where it looks, its bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.spec.complaints import meant
from jobs.spec.named import FAMILIES, FAMILY, NUMERIC_ONLY, ODD_DAYS, is_share, named_of
from jobs.spec.notation import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.spec.document import KeyPath
    from jobs.spec.judging import Rule
    from jobs.spec.model import ModelSpec
    from jobs.spec.named import Family, Holds

Fault = tuple["KeyPath", str]
"""A path and the sentence that follows it."""

PSEUDO_FEATURES = ("score", "decision")
"""Drift of the answers themselves is told as that of these."""
COLUMN_OF = {
    "value": "outcomes.columns.value, the column of the value",
    "value_per_prediction": "outcomes.columns.value, the column of the value",
    "click_through": "outcomes.columns.clicked, the column of what was clicked",
    "error_rate": "predictions.columns.error, the column of failed requests",
    **dict.fromkeys(
        ("latency_p50", "latency_p95", "latency_p99"), "predictions.columns.latency_ms, the column of the latency"
    ),
    **dict.fromkeys(
        ("model_change_z", "business_change_z", "model_up_business_down", "model_down_business_up"),
        "predictions.columns.version, the column of the version",
    ),
    **dict.fromkeys(("cpu_cores", "cpu_cores_peak"), "prometheus.cpu, what to ask the server for"),
    **dict.fromkeys(("memory_mb", "memory_mb_peak"), "prometheus.memory, what to ask the server for"),
}
"""What a metric needs that stands at one place of a spec, and what that is."""
NAMED_BY: dict[Holds, str] = {"feature": "features", "column": "features", "segment": "features", "class": "classes"}
"""The key of a rule that says which of a metric's series it is about."""
CHANCE_OF = {"ks_p": "ks", "chi2_p": "chi2"}


def lacking(spec: ModelSpec, metric: str) -> str | None:
    """What this spec lacks to have a metric at all."""
    family = FAMILY[metric]
    if spec.task not in family.tasks:
        return _other_task(spec, family)
    for need in family.needs:
        if getattr(spec, need) is None:
            return f"needs {need}, and the spec has none"
    if metric in COLUMN_OF and _at(spec, COLUMN_OF[metric].partition(",")[0]) is None:
        return f"needs {COLUMN_OF[metric]}"
    return _lack_of_segments(spec, family) or _lack_of_features(spec, metric)


def _lack_of_segments(spec: ModelSpec, family: Family) -> str | None:
    if family.segments in ("groups", "gaps") and not spec.protected:
        return "needs protected, the segments whose groups are compared"
    return "needs segments, and the spec has none" if family.holds == "segment" and not spec.segments else None


def _other_task(spec: ModelSpec, family: Family) -> str:
    """That a metric is not of this kind of model, and which of its like are."""
    about = (family.needs, family.segments)
    alike = [one for one in FAMILIES if spec.task in one.tasks and (one.needs, one.segments) == about]
    tasks = " or ".join(family.tasks)
    possible = f"; possible are {', '.join(named_of(alike))}" if alike else ""
    return f"is measured with task {tasks}, and this model's is {spec.task}{possible}"


def _at(spec: ModelSpec, path: str) -> object:
    """What stands at a path like `outcomes.columns.value`; None where nothing does."""
    found: object = spec
    for key in path.split("."):
        found = getattr(found, key, None)
    return found


def _lack_of_features(spec: ModelSpec, metric: str) -> str | None:
    distances = {"psi", "js", "ks", "wasserstein", "wasserstein_units", "chi2", "l_infinity", "hellinger", "mean_shift"}
    made_by = CHANCE_OF.get(metric, metric)
    if made_by in distances - {"psi"} and made_by not in spec.drift:
        return f"is not computed; add {made_by} to drift, which has {_listed(spec.drift)}"
    if metric in ("missing_rate", "outlier_rate", "out_of_range_rate", "unseen_rate") and not spec.features:
        return "needs features, and the spec has none"
    kinds = {feature.kind for feature in spec.features.values()}
    if metric == "unseen_rate" and "categorical" not in kinds:
        return "needs a categorical feature, and the spec has none"
    if metric in ("outlier_rate", "out_of_range_rate") and "numeric" not in kinds:
        return "needs a numeric feature, and the spec has none"
    if metric == "model_drift" and not any(feature.importance for feature in spec.features.values()):
        return "needs the importance of at least one feature"
    return None


def of_rule(spec: ModelSpec, rule: Rule) -> Iterator[Fault]:
    """Every fault of one rule, the path beginning within it."""
    if lack := lacking(spec, rule.metric):
        yield ("metric",), f"'{rule.metric}' {lack}"
        return
    if rule.action is not None and rule.severity == "info":
        yield ("action",), "is never asked for by a rule of severity info; make it warning or critical, or leave it out"
    yield from _series(spec, rule)
    yield from _segments(spec, rule)
    yield from _ages(spec, rule)
    yield from _bound(spec, rule)
    yield from _against(spec, rule)


# which series ---------------------------------------------------------------------------------------------------


def _series(spec: ModelSpec, rule: Rule) -> Iterator[Fault]:
    """Features and classes must be such as the metric is told of."""
    for key, names in (("features", rule.features), ("classes", rule.classes)):
        if names is None:
            continue
        if NAMED_BY.get(FAMILY[rule.metric].holds) != key:
            others = [name for name, family in FAMILY.items() if NAMED_BY.get(family.holds) == key]
            possible = [name for name in others if lacking(spec, name) is None]
            yield (key,), f"mean nothing for {rule.metric}; they do for {_listed(possible) or 'none of this model'}"
        elif not names:
            yield (key,), "is an empty list; name at least one, or leave the key out"
        elif key == "features":
            yield from _known_features(spec, rule.metric, names)


def _known_features(spec: ModelSpec, metric: str, names: tuple[str, ...]) -> Iterator[Fault]:
    holds = FAMILY[metric].holds
    if holds == "column":
        return  # of files that may still come, with columns that nobody knows
    known, what = list(spec.segments), "segment"
    if holds == "feature":
        known, what = _features_of(spec, metric), "feature"
    for position, name in enumerate(names):
        if name in spec.features and name not in known:
            kind = "numeric" if spec.features[name].kind == "categorical" else "categorical"
            yield ("features", position), f"'{name}' is {spec.features[name].kind}, and {metric} is of {kind} features"
        elif name not in known:
            yield ("features", position), f"'{name}' is no {what}; known: {', '.join(known)}{meant(name, known)}"


def _features_of(spec: ModelSpec, metric: str) -> list[str]:
    """What a metric is told of: features of a kind, and for distances the answers themselves."""
    kinds = {"numeric"} if metric in NUMERIC_ONLY else {"categorical"} if metric == "unseen_rate" else None
    known = [name for name, feature in spec.features.items() if kinds is None or feature.kind in kinds]
    if metric in ("missing_rate", "outlier_rate", "out_of_range_rate", "unseen_rate"):
        return known
    answers = PSEUDO_FEATURES[:1] if metric in NUMERIC_ONLY or spec.task == "regression" else PSEUDO_FEATURES
    return list(dict.fromkeys([*known, *answers]))


def _segments(spec: ModelSpec, rule: Rule) -> Iterator[Fault]:
    told, metric = FAMILY[rule.metric].segments, rule.metric
    if rule.segments == "all":
        if told == "gaps":
            yield ("segments",), f"'all' means nothing for {metric}, a gap between groups; write segments: each"
        elif told == "groups":
            yield ("segments",), f"'all' means nothing for {metric}, the rate of a group; write segments: each"
        return
    if told == "whole" or (told == "sources" and metric in ("misdated_rate", "freshness_hours")):
        said = "'each' means" if rule.segments == "each" else "segments mean"
        yield ("segments",), f"{said} nothing for {metric}, which is computed for whole days"
    elif rule.segments == "each":
        if told == "any" and not spec.segments:
            yield ("segments",), "'each' needs segments, and the spec has none"
    elif not rule.segments:
        yield ("segments",), "is an empty list; name at least one, or leave the key out"
    else:
        for position, segment in enumerate(rule.segments):
            yield from ((("segments", position), said) for said in _named(spec, metric, segment))


def _named(spec: ModelSpec, metric: str, segment: str) -> Iterator[str]:
    """What keeps a text from naming a segment that the metric is told of."""
    told, column = FAMILY[metric].segments, segment.partition("=")[0]
    if told == "sources":
        known = [f"source={name}" for name in _sources(spec)]
        if segment not in known:
            yield f"'{segment}' is no source; known: {', '.join(known) or 'none'}{meant(segment, known)}"
    elif told in ("groups", "gaps") and column in spec.segments and column not in spec.protected:
        yield f"'{column}' is not among the protected segments; protected: {', '.join(spec.protected)}"
    elif told == "gaps" and segment != f"{column}=*" and column in spec.protected:
        yield f"'{segment}' is one group, and {metric} a gap between groups; write {column}=*"
    elif faults := list(of_segment(spec, segment)):
        yield from faults
    elif told != "gaps":
        yield from _never_told(spec, metric, segment)


def _never_told(spec: ModelSpec, metric: str, segment: str) -> Iterator[str]:
    """What keeps a text that names known segments from naming one that has figures of its own."""
    of_groups = FAMILY[metric].segments == "groups"
    parts = parts_of(segment)
    columns = [column for column, _ in parts]
    if any(value == "*" for _, value in parts):
        if of_groups:
            yield f"'{segment}' is no group; write one of them, for example {columns[0]}=x, or each"
        else:
            yield f"'{segment}' names all of them; write segments: each, or one, for example {columns[0]}=x"
    elif len(columns) > 1 and of_groups:
        yield f"'{segment}' is a pair, and {metric} is told of the groups of one segment"
    elif len(columns) > 1 and tuple(columns) not in (spec.crossed or ()):
        near = [pair for pair in spec.crossed or () if set(pair) == set(columns)]
        known = f"crossed: {','.join(near[0])}" if near else f"add [{', '.join(columns)}] to crossed"
        if len(columns) > 2:
            known = "only pairs are"
        yield f"'{segment}' is of {'a pair' if len(columns) == 2 else 'a cross'} that is not watched as one; {known}"


def _sources(spec: ModelSpec) -> Iterator[str]:
    """Sources besides predictions, by the names that deliveries have."""
    yield from (name for name in ("labels", "outcomes") if getattr(spec, name) is not None)
    roles = [source.role for source in spec.others]
    for position, role in enumerate(roles):
        number = roles[: position + 1].count(role)
        yield role if number == 1 else f"{role} {number}"


def of_segment(spec: ModelSpec, segment: str) -> Iterator[str]:
    """What keeps a text from naming a segment; crossed ones read `a=x,b=y`."""
    for column, value in parts_of(segment):
        if not value:
            yield f"'{segment}' is no segment; write column=value, for example customer=new"
        elif column not in spec.segments:
            known = ", ".join(spec.segments) or "none"
            yield f"'{column}' is no segment of this spec; known: {known}{meant(column, spec.segments)}"


def _ages(spec: ModelSpec, rule: Rule) -> Iterator[Fault]:
    source = FAMILY[rule.metric].ages
    if rule.ages is None:
        return
    if not source:
        yield ("ages",), f"mean nothing for {rule.metric}, which waits for no label"
        return
    if not rule.ages:
        yield ("ages",), "is an empty list; name at least one, or leave the key out"
    ages = {"labels": spec.label_ages, "outcomes": spec.outcome_ages, "versions": spec.version_ages}[source]
    for position, age in enumerate(rule.ages):
        if age not in ages:
            known = ", ".join(map(str, ages))
            yield ("ages", position), f"{age} is not among the ages of {source}; known: {known}"


# its bound ------------------------------------------------------------------------------------------------------


def _bound(spec: ModelSpec, rule: Rule) -> Iterator[Fault]:
    share = is_share(rule.metric, spec.task)
    for bound in ("above", "below"):
        limit = getattr(rule, bound)
        if limit is not None and share and not 0 <= limit <= 1:
            hint = f"; did you mean {limit / 100:g}?" if 1 < limit <= 100 else ""
            yield (bound,), f"{limit:g} is no share; {rule.metric} lies between 0 and 1{hint}"
    for bound in ("drop", "rise", "min_effect"):
        change = getattr(rule, bound)
        if change is not None and change.unit == "pp" and not share:
            yield (bound,), f"'{change}' is in percentage points, but {rule.metric} is no share; write it in %"
    if rule.metric in ODD_DAYS and rule.above is None:
        key = next(key for key in ("below", "drop", "rise", "outside") if getattr(rule, key) is not None)
        yield (key,), f"means nothing for {rule.metric}, which is 1 on odd days and absent on others; write above: 0"
    elif rule.outside and rule.metric not in spec.detection.metrics:
        yield ("outside",), f"needs an expected range; add {rule.metric} to detection.metrics"
    if rule.outside and rule.segments != "all":
        said = "'each' has" if rule.segments == "each" else "named segments have"
        yield ("segments",), f"{said} no expected ranges; they are found for whole days of all live versions"


def _against(spec: ModelSpec, rule: Rule) -> Iterator[Fault]:
    changes = rule.drop is not None or rule.rise is not None
    versioned = spec.predictions.columns.version is not None
    if rule.versions is not None and not versioned:
        yield ("versions",), "needs predictions.columns.version, the column of the version"
    elif rule.versions is not None and (rule.outside or rule.against == "previous_version"):
        yield ("versions",), "mean nothing here; expected ranges are of all versions, previous_version of the newest"
    if "against" in rule.model_fields_set and not changes:
        yield ("against",), "counts only with drop or rise"
    if changes and rule.against == "previous_version" and not versioned:
        yield ("against",), "'previous_version' needs predictions.columns.version, the column of the version"
    if changes and rule.against == "reference" and rule.metric != "missing_rate":
        yield ("against",), f"'reference' keeps no {rule.metric}, only missing_rate; write recent, or above or below"
    if rule.against == "share" and (rule.metric != "volume" or rule.segments == "all"):
        said = "'share' is a segment's share of the day's volume; it needs metric volume and segments: each"
        yield ("against",), said


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
