"""Every metric that a spec may name: what a model must have for it, and over what it is told.

The names are those of `jobs.methods.definitions`, which stands a floor above and says what each one means; a test holds
both together. What chance alone explains (`psi_null_limit` and its like) belongs to its distance and has no rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable

Task = Literal["binary", "multiclass", "regression"]
Segments = Literal["any", "whole", "groups", "gaps", "sources"]
"""`any`: whole days and every segment; `whole`: whole days; `groups`: values of protected segments; `gaps`: between
those, as `customer=*`; `sources`: whole days of predictions, and other sources as `source=labels`."""
Holds = Literal["", "feature", "class", "column", "segment"]

OfDay = Literal["volume", "score_mean"]
OfShapes = Literal["psi", "js", "ks", "wasserstein", "chi2", "l_infinity", "hellinger"]
OfDistances = Literal["wasserstein_units", "mean_shift", "ks_p", "chi2_p"]
OfFeatures = Literal["missing_rate", "outlier_rate", "out_of_range_rate", "unseen_rate"]
OfScores = Literal["improper_score_rate"]
OfColumns = Literal["constant_columns", "empty_columns", "model_drift"]
OfOddColumns = Literal["constant_column", "empty_column"]
OfDeliveries = Literal["duplicate_rate", "misdated_rate", "delivery_age", "schema_changes", "freshness_hours"]
OfDeliveredColumns = Literal["column_new", "column_gone", "column_retyped"]
OfService = Literal[
    "latency_p50", "latency_p95", "latency_p99", "error_rate", "throughput", "peak_per_minute",
    "cpu_cores", "cpu_cores_peak", "memory_mb", "memory_mb_peak",
]  # fmt: skip
OfLabels = Literal["coverage"]
OfDecisions = Literal["accuracy"]
OfBinary = Literal[
    "precision", "recall", "f1", "roc_auc", "brier", "log_loss", "calibration_in_the_large", "ece", "ece_unweighted",
    "pr_auc", "score_ks", "precision_at_10", "recall_at_10",
]  # fmt: skip
OfClasses = Literal[
    "precision_macro", "recall_macro", "f1_macro", "precision_weighted", "recall_weighted", "f1_weighted"
]
OfOneClass = Literal["class_precision", "class_recall", "class_f1"]
OfNumbers = Literal["mae", "rmse", "mape", "r2", "bias", "error_p05", "error_p50", "error_p95"]
OfEstimates = Literal[
    "accuracy_estimated", "precision_estimated", "recall_estimated", "f1_estimated", "roc_auc_estimated"
]
OfMix = Literal["accuracy_reweighted", "precision_reweighted", "recall_reweighted", "f1_reweighted"]
OfStability = Literal["score_shift", "score_mean_spread"]
OfRepeats = Literal["repeat_score_gap"]
OfRepeatedDecisions = Literal["repeat_flip_rate"]
OfSelection = Literal["selection_rate"]
OfGroups = Literal["true_positive_rate", "false_positive_rate", "positive_predictive_value"]
OfSelectionGaps = Literal["demographic_parity_difference", "demographic_parity_ratio"]
OfGaps = Literal[
    "equal_opportunity_difference", "equal_opportunity_ratio",
    "predictive_equality_difference", "predictive_equality_ratio", "equalized_odds_difference", "equalized_odds_ratio",
    "predictive_parity_difference", "predictive_parity_ratio",
]  # fmt: skip
OfOutcomes = Literal["conversion", "value_per_prediction", "value"]
OfOffers = Literal["click_through"]
OfActions = Literal["lift", "lift_ratio"]
OfChanges = Literal["model_change_z", "model_up_business_down", "model_down_business_up"]
OfBusinessChanges = Literal["business_change_z"]

MetricName = Literal[
    OfDay, OfLabels, OfDecisions, OfBinary, OfClasses, OfOneClass, OfNumbers, OfEstimates, OfMix, OfShapes, OfDistances,
    OfFeatures, OfScores, OfColumns, OfOddColumns, OfDeliveries, OfDeliveredColumns, OfService, OfStability, OfRepeats,
    OfRepeatedDecisions, OfOutcomes, OfOffers, OfActions, OfChanges, OfBusinessChanges, OfSelection,
    OfSelectionGaps, OfGroups, OfGaps,
]  # fmt: skip
"""What a rule, a mute and `detection.metrics` may name."""


class Family(NamedTuple):
    """Metrics that need the same and are told over the same."""

    names: Any
    """A `Literal` of their names."""
    needs: tuple[Literal["labels", "outcomes"], ...] = ()
    ages: Literal["", "labels", "outcomes", "versions"] = ""
    """Whose ages it is told at; `versions`: those at which versions are compared."""
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    segments: Segments = "whole"
    holds: Holds = ""
    """What column `feature` holds."""


_LABELLED: dict[str, Any] = {"needs": ("labels",), "ages": "labels"}
_SERVED: dict[str, Any] = {"needs": ("outcomes",), "ages": "outcomes"}
_BINARY: dict[str, Any] = {"tasks": ("binary",)}

FAMILIES: tuple[Family, ...] = (
    Family(OfDay, segments="any"),
    Family(OfShapes, holds="feature"),
    Family(OfDistances, holds="feature"),
    Family(OfFeatures, holds="feature"),
    Family(OfScores, tasks=("binary", "multiclass")),
    Family(OfColumns),
    Family(OfOddColumns, holds="feature"),
    Family(OfDeliveries, segments="sources"),
    Family(OfDeliveredColumns, segments="sources", holds="column"),
    Family(OfService),
    Family(OfLabels, **_LABELLED, segments="any"),
    Family(OfDecisions, **_LABELLED, segments="any", tasks=("binary", "multiclass")),
    Family(OfBinary, **_LABELLED, **_BINARY, segments="any"),
    Family(OfClasses, **_LABELLED, segments="any", tasks=("multiclass",)),
    Family(OfOneClass, **_LABELLED, segments="any", tasks=("multiclass",), holds="class"),
    Family(OfNumbers, **_LABELLED, segments="any", tasks=("regression",)),
    Family(OfEstimates, ("labels",), **_BINARY, segments="any"),
    Family(OfMix, ("labels",), **_BINARY, holds="segment"),
    Family(OfStability),
    Family(OfRepeats),
    Family(OfRepeatedDecisions, tasks=("binary", "multiclass")),
    Family(OfSelection, **_BINARY, segments="groups"),
    Family(OfGroups, **_LABELLED, **_BINARY, segments="groups"),
    Family(OfSelectionGaps, **_BINARY, segments="gaps"),
    Family(OfGaps, **_LABELLED, **_BINARY, segments="gaps"),
    Family(OfOutcomes, **_SERVED, segments="any"),
    Family(OfOffers, **_SERVED),
    Family(OfActions, **_SERVED, **_BINARY),
    Family(OfChanges, ("labels", "outcomes"), "versions"),
    Family(OfBusinessChanges, ("outcomes",), "versions"),
)

FAMILY: dict[str, Family] = {name: family for family in FAMILIES for name in get_args(family.names)}
"""By metric."""

SHAPES: frozenset[str] = frozenset(get_args(OfShapes))
"""Distances from the reference, which score and decision have too."""
NUMERIC_ONLY = frozenset(
    {"ks", "ks_p", "wasserstein", "wasserstein_units", "mean_shift", "outlier_rate", "out_of_range_rate"}
)
ODD_DAYS: frozenset[str] = frozenset((*get_args(OfOddColumns), *get_args(OfDeliveredColumns)))
"""1 on the days of which they are true, and without a row on all others."""
NO_SHARES: frozenset[str] = frozenset(
    {"volume", "psi", "wasserstein", "wasserstein_units", "chi2", "mean_shift", "log_loss", "calibration_in_the_large"}
    | {"constant_columns", "empty_columns", *ODD_DAYS, "delivery_age", "schema_changes", "freshness_hours"}
    | {name for name in get_args(OfService) if name != "error_rate"}
    | {"score_mean_spread", "repeat_score_gap", "value", "value_per_prediction", *get_args(OfActions)}
    | {*get_args(OfNumbers), *get_args(OfChanges), *get_args(OfBusinessChanges)}
)
"""Metrics that do not lie between 0 and 1."""


def is_share(metric: str, task: str) -> bool:
    """Whether a metric lies between 0 and 1; the score of a regression is the predicted number.

    >>> is_share("recall", "binary"), is_share("score_mean", "regression")
    (True, False)
    """
    return metric not in NO_SHARES and not (metric == "score_mean" and task == "regression")


def named_of(families: Iterable[Family]) -> list[str]:
    """The names of families, in their order."""
    return [name for family in families for name in get_args(family.names)]
