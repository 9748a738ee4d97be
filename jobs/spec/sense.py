"""What is wrong with a spec whose words are right: names that clash, rules that can never speak."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from jobs.spec.complaints import meant
from jobs.spec.inputs import RESERVED
from jobs.spec.named import FAMILY, ODD_DAYS
from jobs.spec.sense_rules import PSEUDO_FEATURES, lacking, of_rule, of_segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.spec.document import KeyPath
    from jobs.spec.model import ModelSpec
    from jobs.spec.sense_rules import Fault


def faults(spec: ModelSpec) -> Iterator[Fault]:
    """Every fault as (path, sentence); nothing for a spec that makes sense."""
    yield from _names(spec)
    yield from _sources(spec)
    yield from _reference(spec)
    for position, rule in enumerate(spec.rules):
        for key, sentence in of_rule(spec, rule):
            yield ("rules", position, *key), sentence
        if rule in spec.rules[:position]:
            yield ("rules", position), f"says the same as rules[{spec.rules.index(rule)}]; keep one"
    yield from _detection(spec)
    for position, address in enumerate(spec.mail.to):
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            yield ("mail", "to", position), f"'{address}' is not a mail address"
    if not spec.retraining.metrics:
        yield ("retraining", "metrics"), "is an empty list; a candidate must be compared in something"
    if spec.protected and spec.task != "binary":
        said = f"is compared with task binary only, and this model's is {spec.task}; leave it out"
        yield ("protected",), said
    yield from _mutes(spec)


def _mutes(spec: ModelSpec) -> Iterator[Fault]:
    """A mute of what does not exist silences nothing, and nobody would know."""
    known = dict.fromkeys([*spec.features, *PSEUDO_FEATURES])
    for position, mute in enumerate(spec.mutes):
        where = ("mutes", position)
        holds = FAMILY[mute.metric].holds if mute.metric else "feature"
        if mute.feature is not None and mute.feature not in known and holds in ("", "feature"):
            said = f"'{mute.feature}' is no feature; known: {', '.join(known)}{meant(mute.feature, known)}"
            yield (*where, "feature"), said
        if mute.segment not in (None, "all"):
            yield from (((*where, "segment"), said) for said in of_segment(spec, str(mute.segment)))
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
            if lack := lacking(spec, metric) or _no_range(metric):
                yield ("detection", "metrics", position), f"'{metric}' {lack}"
    if detection.max_history < detection.min_history:
        yield (
            ("detection", "max_history"),
            f"is {detection.max_history}, less than min_history {detection.min_history}",
        )


def _no_range(metric: str) -> str | None:
    """What keeps a metric from having an expected range."""
    if metric in ODD_DAYS:
        return "has rows on odd days only, so nothing can be expected of it; write a rule with above: 0"
    if FAMILY[metric].segments in ("groups", "gaps"):
        return "is told of groups, and expected ranges are found for whole days; write a rule with a bound"
    return None
