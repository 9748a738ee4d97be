"""What each metric is called, and how its numbers are written. What it means comes with the view."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from jobs.language import SOURCE, say, spoken

Kind = Literal["count", "share", "points", "index", "score", "milliseconds", "amount"]


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
    "pr_auc": Word("Average precision", "score"),
    "log_loss": Word("Log loss", "score"),
    "brier": Word("Brier score", "score"),
    "calibration_in_the_large": Word("Calibration in the large", "score"),
    "ece": Word("Calibration error", "score"),
    "ece_unweighted": Word("Calibration error, unweighted", "score"),
    "score_ks": Word("KS of scores", "score"),
    "precision_at_10": Word("Precision in the top tenth", "share"),
    "recall_at_10": Word("Recall in the top tenth", "share"),
    "class_precision": Word("Precision", "share"),
    "class_recall": Word("Recall", "share"),
    "class_f1": Word("F1", "score"),
    "precision_macro": Word("Precision, macro", "share"),
    "recall_macro": Word("Recall, macro", "share"),
    "f1_macro": Word("F1, macro", "score"),
    "precision_weighted": Word("Precision, weighted", "share"),
    "recall_weighted": Word("Recall, weighted", "share"),
    "f1_weighted": Word("F1, weighted", "score"),
    "mae": Word("Mean absolute error", "amount"),
    "rmse": Word("Root mean squared error", "amount"),
    "mape": Word("Mean absolute error in %", "share"),
    "r2": Word("R²", "score"),
    "bias": Word("Bias", "amount"),
    "error_p05": Word("Error p5", "amount"),
    "error_p50": Word("Median error", "amount"),
    "error_p95": Word("Error p95", "amount"),
    "coverage": Word("Label coverage", "share"),
    "accuracy_estimated": Word("Accuracy, estimated", "share"),
    "precision_estimated": Word("Precision, estimated", "share"),
    "recall_estimated": Word("Recall, estimated", "share"),
    "f1_estimated": Word("F1, estimated", "score"),
    "roc_auc_estimated": Word("ROC AUC, estimated", "score"),
    "accuracy_reweighted": Word("Accuracy, by mix", "share"),
    "precision_reweighted": Word("Precision, by mix", "share"),
    "recall_reweighted": Word("Recall, by mix", "share"),
    "f1_reweighted": Word("F1, by mix", "score"),
    "psi": Word("PSI", "index"),
    "psi_null_limit": Word("PSI by chance", "index"),
    "js": Word("Jensen-Shannon", "index"),
    "js_null_limit": Word("Jensen-Shannon by chance", "index"),
    "ks": Word("Kolmogorov-Smirnov D", "index"),
    "ks_p": Word("Kolmogorov-Smirnov p", "score"),
    "wasserstein": Word("Wasserstein, in sd", "index"),
    "wasserstein_null_limit": Word("Wasserstein by chance", "index"),
    "wasserstein_units": Word("Wasserstein, in units", "amount"),
    "wasserstein_units_null_limit": Word("Wasserstein by chance, in units", "amount"),
    "chi2": Word("Chi-square", "amount"),
    "chi2_p": Word("Chi-square p", "score"),
    "chi2_null_limit": Word("Chi-square by chance", "amount"),
    "l_infinity": Word("L-infinity", "index"),
    "l_infinity_null_limit": Word("L-infinity by chance", "index"),
    "hellinger": Word("Hellinger", "index"),
    "hellinger_null_limit": Word("Hellinger by chance", "index"),
    "mean_shift": Word("Shift of the mean, in sd", "index"),
    "model_drift": Word("Drift of the model's inputs", "index"),
    "model_drift_null_limit": Word("Drift of the inputs by chance", "index"),
    "missing_rate": Word("Missing values", "share"),
    "outlier_rate": Word("Beyond 3 sigma", "share"),
    "out_of_range_rate": Word("Out of the usual range", "share"),
    "unseen_rate": Word("Unseen categories", "share"),
    "constant_columns": Word("Constant columns", "count"),
    "constant_column": Word("Constant column", "count"),
    "empty_columns": Word("Empty columns", "count"),
    "empty_column": Word("Empty column", "count"),
    "duplicate_rate": Word("Duplicates", "share"),
    "misdated_rate": Word("Misdated rows", "share"),
    "delivery_age": Word("Days since a delivery", "count"),
    "schema_changes": Word("Changed columns", "count"),
    "column_new": Word("New column", "count"),
    "column_gone": Word("Column gone", "count"),
    "column_retyped": Word("Column of another kind", "count"),
    "score_mean": Word("Mean score", "score"),
    "improper_score_rate": Word("Scores not between 0 and 1", "share"),
    "score_shift": Word("Change of scores since the day before", "index"),
    "score_mean_spread": Word("Spread of daily mean scores", "score"),
    "repeat_flip_rate": Word("Repeated ids decided otherwise", "share"),
    "repeat_score_gap": Word("Score gap of repeated ids", "score"),
    "selection_rate": Word("Selection rate", "share"),
    "true_positive_rate": Word("True positive rate", "share"),
    "false_positive_rate": Word("False positive rate", "share"),
    "positive_predictive_value": Word("Precision", "share"),
    "demographic_parity_difference": Word("Demographic parity, gap", "share"),
    "demographic_parity_ratio": Word("Demographic parity, ratio", "score"),
    "equal_opportunity_difference": Word("Equal opportunity, gap", "share"),
    "equal_opportunity_ratio": Word("Equal opportunity, ratio", "score"),
    "predictive_equality_difference": Word("False positive rates, gap", "share"),
    "predictive_equality_ratio": Word("False positive rates, ratio", "score"),
    "equalized_odds_difference": Word("Equalized odds, gap", "share"),
    "equalized_odds_ratio": Word("Equalized odds, ratio", "score"),
    "predictive_parity_difference": Word("Predictive parity, gap", "share"),
    "predictive_parity_ratio": Word("Predictive parity, ratio", "score"),
    "conversion": Word("Conversion", "share"),
    "click_through": Word("Click-through", "share"),
    "lift": Word("Lift of acting", "points"),
    "lift_ratio": Word("Lift of acting, as a multiple", "score"),
    "model_change_z": Word("Model, in standard errors", "score"),
    "business_change_z": Word("Business, in standard errors", "score"),
    "model_up_business_down": Word("Model up, business down", "score"),
    "model_down_business_up": Word("Model down, business up", "score"),
    "value_per_prediction": Word("Value per prediction", "amount"),
    "value": Word("Value", "amount"),
    "latency_p50": Word("Latency p50", "milliseconds"),
    "latency_p95": Word("Latency p95", "milliseconds"),
    "latency_p99": Word("Latency p99", "milliseconds"),
    "error_rate": Word("Failed requests", "share"),
    "throughput": Word("Predictions per second", "amount"),
    "peak_per_minute": Word("Busiest minute", "count"),
    "freshness_hours": Word("Hours since the newest prediction", "amount"),
    "cpu_cores": Word("CPU cores", "amount"),
    "cpu_cores_peak": Word("CPU cores, busiest five minutes", "amount"),
    "memory_mb": Word("Memory, MB", "count"),
    "memory_mb_peak": Word("Memory at most, MB", "count"),
}


ERRORS = frozenset({"mae", "rmse", "mape"})
"""Of which less is better, in tables that tell worse from better."""
OWN = frozenset({"score", "decision"})
"""What is watched like a feature and is none."""
RANKS = {metric: place for place, metric in enumerate(WORDS)}


def word(metric: str) -> Word:
    """What is known of a metric, its name as it is spoken; one that nobody described yet is shown by its own name.

    >>> word("roc_auc").name, word("gini_index").name
    ('ROC AUC', 'Gini index')
    """
    found = WORDS.get(metric) or Word(metric.replace("_", " ").capitalize(), "score")
    return found if spoken() == SOURCE else replace(found, name=say(found.name, context="metric"))


def better(metric: str) -> int:
    """1 where more of a figure is better, -1 where less is.

    >>> better("accuracy"), better("mae")
    (1, -1)
    """
    return -1 if metric in ERRORS else 1


def feature_name(feature: str) -> str:
    """A feature as it is shown: its own name, but for what is the model's own.

    >>> feature_name("score"), feature_name("age")
    ('score', 'age')
    """
    return say(feature, context="feature") if feature in OWN else feature


def rank(metric: str) -> int:
    """The order in which metrics are told."""
    return RANKS.get(metric, len(RANKS))
