"""Specs: `dags/models/<model>.yaml` -> a frozen, validated `ModelSpec`."""

from jobs.spec.deliveries import LabelSource, OutcomeSource, PredictionSource
from jobs.spec.inputs import Feature
from jobs.spec.judging import Action, Rule, Severity
from jobs.spec.model import ModelSpec
from jobs.spec.named import MetricName
from jobs.spec.notation import Change

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
