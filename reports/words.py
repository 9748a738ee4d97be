"""What each metric is called, and how its numbers are written. What it means comes with the view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "share", "index", "score", "milliseconds", "amount"]


@dataclass(frozen=True)
class Word:
    """A metric's name and the nature of its numbers."""

    name: str
    kind: Kind


WORDS: dict[str, Word] = {
    "volume": Word("Predictions", "count"),
    "accuracy": Word("Accuracy", "share"),
    "precision": Word("Precision", "share"),
    "recall": Word("Recall", "share"),
    "f1": Word("F1", "score"),
    "roc_auc": Word("ROC AUC", "score"),
    "log_loss": Word("Log loss", "score"),
    "brier": Word("Brier score", "score"),
    "coverage": Word("Label coverage", "share"),
    "psi": Word("PSI", "index"),
    "psi_null_limit": Word("PSI by chance", "index"),
    "missing_rate": Word("Missing values", "share"),
    "score_mean": Word("Mean score", "score"),
    "conversion": Word("Conversion", "share"),
    "value_per_prediction": Word("Value per prediction", "amount"),
    "value": Word("Value", "amount"),
    "latency_p50": Word("Latency p50", "milliseconds"),
    "latency_p95": Word("Latency p95", "milliseconds"),
    "latency_p99": Word("Latency p99", "milliseconds"),
}


def word(metric: str) -> Word:
    """What is known of a metric; one that nobody described yet is shown by its own name.

    >>> word("roc_auc").name, word("gini_index").name
    ('ROC AUC', 'Gini index')
    """
    return WORDS.get(metric) or Word(metric.replace("_", " ").capitalize(), "score")


def rank(metric: str) -> int:
    """The order in which metrics are told."""
    return list(WORDS).index(metric) if metric in WORDS else len(WORDS)
