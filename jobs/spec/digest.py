"""What each stage depends on in a spec, as a digest: while it stays the same, finished nights stay valid."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from jobs.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.spec.model import ModelSpec


def stage_digest(spec: ModelSpec, stage: str) -> str:
    """SHA-256 (hex) of the parts of a spec that the stage and those before it depend on.

    A changed mail address changes nothing before incidents, a changed threshold every stage, the schedule
    none. Raises UsageError for a stage that there is not.
    """
    if stage not in _PARTS:
        raise UsageError(f"there is no stage '{stage}'; known: {', '.join(_PARTS)}")
    stages = list(_PARTS)
    parts = {name: _PARTS[name](spec) for name in stages[: stages.index(stage) + 1]}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=_plain).encode()).hexdigest()


def _ingest(spec: ModelSpec) -> dict[str, Any]:
    """What decides the rows of predictions, labels and outcomes."""
    return {
        "model": spec.model,
        "task": spec.task,
        "timezone": spec.timezone,
        "start": spec.start,
        "threshold": spec.threshold,
        "predictions": spec.predictions,
        "others": spec.others,
        "labels": spec.labels and spec.labels.model_dump(exclude={"ages"}),
        "outcomes": spec.outcomes and spec.outcomes.model_dump(exclude={"ages", "per", "unit"}),
        "features": {name: [feature.kind, feature.column or name] for name, feature in spec.features.items()},
        "segments": spec.segments,
    }


def _statistics(spec: ModelSpec) -> dict[str, Any]:
    """What decides the bins, and how long the triangles are."""
    horizons = [max(ages, default=None) for ages in (spec.label_ages, spec.outcome_ages)]
    reference = spec.reference.model_dump(exclude={"rolling", "weekdays"})
    return {"reference": reference, "horizons": horizons, "crossed": [spec.searched_pairs, spec.crossed]}


def _metrics(spec: ModelSpec) -> dict[str, Any]:
    return {
        "label_ages": spec.label_ages,
        "outcome_ages": spec.outcome_ages,
        "min_rows": spec.min_rows,
        "protected": [spec.protected, spec.fairness_days],
        "windows": [spec.comparison_days, spec.detection.recent_days, spec.detection.recent_gap],
        "error_rate": spec.detection.error_rate,
        "per": spec.outcomes and spec.outcomes.per,
        "drift": [spec.drift, spec.reference.rolling, spec.reference.weekdays],
        "prometheus": spec.prometheus,
        "importance": {name: feature.importance for name, feature in spec.features.items()},
    }


def _anomalies(spec: ModelSpec) -> dict[str, Any]:
    return {"rules": spec.all_rules, "detection": spec.detection, "language": spec.language}


def _incidents(spec: ModelSpec) -> dict[str, Any]:
    """What decides incidents, what is done about them, and the words in which they are told."""
    return {
        "incidents": spec.incidents,
        "actions": spec.actions,
        "mail": spec.mail.model_dump(mode="json", exclude={"attach"}),
        "channels": spec.channels,
        "mutes": spec.mutes,
        "markers": spec.markers,
        "owner": spec.owner,
        "description": spec.description,
        "unit": spec.outcomes and spec.outcomes.unit,
    }


def _report(_: ModelSpec) -> dict[str, Any]:
    """Nothing of its own: it shows what the stages before it found."""
    return {}


_PARTS: dict[str, Callable[[ModelSpec], dict[str, Any]]] = {
    "ingest": _ingest,
    "statistics": _statistics,
    "metrics": _metrics,
    "anomalies": _anomalies,
    "incidents": _incidents,
    "report": _report,
}


def _plain(value: Any) -> Any:
    """Spec classes, days and times as JSON knows them."""
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else str(value)
