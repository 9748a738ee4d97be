"""Specs: `dags/models/<model>.yaml` -> a frozen, validated `ModelSpec`."""

from jobs.spec.model import (
    Action,
    Change,
    Feature,
    LabelSource,
    ModelSpec,
    OutcomeSource,
    PredictionSource,
    Rule,
    Severity,
)
from jobs.spec.named import MetricName

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
