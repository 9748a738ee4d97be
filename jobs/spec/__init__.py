"""Specs: `dags/models/<model>.yaml` -> a frozen, validated `ModelSpec`."""

from jobs.spec.model import (
    Action,
    Change,
    Feature,
    LabelSource,
    MetricName,
    ModelSpec,
    OutcomeSource,
    PredictionSource,
    Rule,
    Severity,
)

__all__ = [
    "Action",
    "Change",
    "Feature",
    "LabelSource",
    "MetricName",
    "ModelSpec",
    "OutcomeSource",
    "PredictionSource",
    "Rule",
    "Severity",
]
