"""On which scale a metric is judged, and how far chance alone moves it.

A rate near 1 cannot rise as far as it can fall, and latency doubles more easily than it halves; so residuals are
taken on a scale where both sides are alike: logit for rates, log for counts and latency.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Kind = Literal["rate", "count", "latency", "psi", "amount", "level"]
KINDS: dict[str, Kind] = {
    "volume": "count",
    "missing_rate": "rate",
    "psi": "psi",
    "score_mean": "level",
    **dict.fromkeys(("latency_p50", "latency_p95", "latency_p99"), "latency"),
    "coverage": "rate",
    "accuracy": "rate",
    "precision": "rate",
    "recall": "rate",
    "f1": "rate",
    "roc_auc": "rate",
    "conversion": "rate",
    "value_per_prediction": "amount",
    "value": "amount",
    **dict.fromkeys(("outlier_rate", "out_of_range_rate", "unseen_rate", "duplicate_rate", "misdated_rate"), "rate"),
    "improper_score_rate": "rate",
    **dict.fromkeys(("error_rate", "model_drift", "js", "ks", "l_infinity", "hellinger"), "rate"),
    **dict.fromkeys(("wasserstein", "wasserstein_units", "chi2"), "amount"),
    **dict.fromkeys(("constant_columns", "empty_columns", "schema_changes"), "count"),
    **dict.fromkeys(("constant_column", "empty_column", "column_new", "column_gone", "column_retyped"), "count"),
    **dict.fromkeys(("delivery_age", "peak_per_minute"), "count"),
    **dict.fromkeys(("throughput", "freshness_hours", "cpu_cores", "memory_mb"), "amount"),
    **dict.fromkeys(("cpu_cores_peak", "memory_mb_peak"), "amount"),
    **dict.fromkeys(
        ("brier", "ece", "ece_unweighted", "pr_auc", "score_ks", "precision_at_10", "recall_at_10"), "rate"
    ),
    **dict.fromkeys(("score_shift", "repeat_flip_rate", "accuracy_estimated", "precision_estimated"), "rate"),
    **dict.fromkeys(("recall_estimated", "f1_estimated", "roc_auc_estimated"), "rate"),
    **dict.fromkeys(("accuracy_reweighted", "precision_reweighted", "recall_reweighted", "f1_reweighted"), "rate"),
    **dict.fromkeys(("class_precision", "class_recall", "class_f1", "ks_p", "chi2_p"), "rate"),
    **dict.fromkeys(("selection_rate", "true_positive_rate", "false_positive_rate"), "rate"),
    "positive_predictive_value": "rate",
    **dict.fromkeys(("precision_macro", "recall_macro", "f1_macro"), "rate"),
    "click_through": "rate",
    **dict.fromkeys(("lift", "demographic_parity_difference", "equal_opportunity_difference"), "level"),
    **dict.fromkeys(("equalized_odds_difference", "predictive_parity_difference"), "level"),
    "predictive_equality_difference": "level",
    **dict.fromkeys(("equal_opportunity_ratio", "predictive_equality_ratio", "predictive_parity_ratio"), "amount"),
    **dict.fromkeys(("model_up_business_down", "model_down_business_up"), "level"),
    **dict.fromkeys(("model_change_z", "business_change_z", "mean_shift"), "level"),
    **dict.fromkeys(("lift_ratio", "demographic_parity_ratio", "equalized_odds_ratio"), "amount"),
    **dict.fromkeys(("precision_weighted", "recall_weighted", "f1_weighted"), "rate"),
    **dict.fromkeys(("calibration_in_the_large", "score_mean_spread", "repeat_score_gap", "r2"), "level"),
    **dict.fromkeys(("log_loss", "mae", "rmse", "mape", "bias", "error_p05", "error_p50", "error_p95"), "amount"),
}

PROPORTIONS = frozenset(
    {"missing_rate", "coverage", "accuracy", "precision", "recall", "conversion", "outlier_rate", "out_of_range_rate"}
    | {"unseen_rate", "improper_score_rate", "duplicate_rate", "misdated_rate", "error_rate", "click_through"}
    | {"precision_at_10", "recall_at_10", "repeat_flip_rate", "class_precision", "class_recall"}
    | {"selection_rate", "true_positive_rate", "false_positive_rate", "positive_predictive_value"}
)
"""Rates that are k of n, so that n alone gives their sampling error."""

INTERVAL_Z = 1.959963984540054
"""The intervals in `metrics` hold 95 %."""

MAD_TO_SD = 1.4826022185056018
"""The median of |x| of a normal x is 0.6745 standard deviations."""

MEAN_TO_SD = 1.2533141373155001
"""The mean of |x| of a normal x is 0.7979 standard deviations."""

TIED = 0.05
"""Of the spread that the mean tells, what the median's must reach; less means that most residuals are the same."""

BIWEIGHT = 9.0
"""Median deviations from which a residual does not count in a spread."""

SURE = 0.9
"""Efficiency of the biweight's spread at a normal law, of its many residuals (Lax 1985)."""

CAREFUL = 4 / 3
"""How many residuals one of a young series is worth: points left out one by one stray farther than the next one will.
With this young series raise hardly more alarms than old ones (docs/detection.md)."""

LIMIT = 4.0
"""The distance at which few residuals are made as rare as many: what `detection.limit` usually is."""

LEVEL_SHARE = 0.1
"""Of how far a level's past values stray about their median, week and all, what a good day has at least."""

PSI_OFFSET = 1e-3
PSI_BINS = 12
"""Bins that a PSI has about: ten of values, one each for missing and unseen."""


class Scale(NamedTuple):
    """A kind of metric and, for amounts, the size up to which their scale is nearly straight."""

    kind: Kind
    unit: float = 1.0


def scale_of(kind: Kind, values: Floats) -> Scale:
    """The scale of a series, its unit taken from past values only.

    >>> scale_of("amount", np.array([90.0, 100.0, 110.0]))
    Scale(kind='amount', unit=100.0)
    """
    if kind != "amount":
        return Scale(kind)
    typical = float(np.median(np.abs(values))) if values.size else 0.0
    return Scale(kind, typical if typical > 0 else 1.0)


def forward(scale: Scale, values: Floats, n: Floats) -> Floats:
    """Values on the scale they are judged on; both arrays of shape (points,).

    Rates get Anscombe's half count at each end, so that 12 of 12 is not infinitely good; amounts, which may be
    negative, get asinh: a log away from zero and a line around it.

    >>> forward(Scale("rate"), np.array([0.5, 1.0]), np.array([10.0, 10.0])).round(2)
    array([0.  , 3.04])
    """
    match scale.kind:
        case "rate":
            # Without n (NaN, or inf for an expected rate) the rate is taken as it is, a hair inside its bounds.
            trials = np.where(np.isfinite(n), n, 1e12)
            share = (values * trials + 0.5) / (trials + 1)
            return np.asarray(np.log(share) - np.log1p(-share))
        case "count":
            return np.asarray(np.log(values + 0.5))
        case "latency":
            return np.asarray(np.log(np.maximum(values, 1e-6)))
        case "psi":
            return np.asarray(np.log(np.maximum(values, 0.0) + PSI_OFFSET))
        case "amount":
            return np.asarray(np.arcsinh(values / scale.unit))
        case "level":
            return values + 0.0


def backward(scale: Scale, judged: Floats) -> Floats:
    """Back to the metric's own scale, within its bounds.

    >>> backward(Scale("rate"), np.array([0.0, 40.0]))
    array([0.5, 1. ])
    """
    match scale.kind:
        case "rate":
            return np.asarray(1 / (1 + np.exp(-np.clip(judged, -700, 700))))
        case "count":
            return np.asarray(np.maximum(np.exp(np.minimum(judged, 700)) - 0.5, 0.0))
        case "latency":
            return np.asarray(np.exp(np.minimum(judged, 700)))
        case "psi":
            return np.asarray(np.maximum(np.exp(np.minimum(judged, 700)) - PSI_OFFSET, 0.0))
        case "amount":
            return np.asarray(np.sinh(np.clip(judged, -700, 700)) * scale.unit)
        case "level":
            return judged + 0.0


def sampling_variance(scale: Scale, expected: Floats, n: Floats, error: Floats) -> Floats:
    """Variance that counting n rows alone gives a value, on the judged scale (delta method).

    `expected` is on the metric's own scale, `error` is what `relative_error` says (NaN: unknown). A rate's variance
    is taken at the expected rate: 12 right answers of 12 are no proof of certainty.

    >>> sampling_variance(Scale("rate"), np.array([0.5]), np.array([100.0]), np.array([np.nan]))
    array([0.04])
    """
    rows = np.where(np.isfinite(n), np.maximum(n, 1.0), np.inf)
    known = np.where(np.isfinite(error), error, 0.0) ** 2
    match scale.kind:
        case "rate":
            share = np.clip(expected, 0.5 / (rows + 1), 1 - 0.5 / (rows + 1))
            return np.asarray(np.where(known > 0, known, 1 / (rows * share * (1 - share))))
        case "count":
            return np.asarray(1 / (expected + 0.5))
        case "psi":
            # A noncentral chi-squared over n: of a true size d it is d + (bins - 1) / n in the mean, which is what is
            # expected here, and varies by 4 d / n + 2 (bins - 1) / n^2; of no true size, by 2 / n of its mean.
            noise = np.maximum(4 * expected / rows - 2 * (PSI_BINS - 1) / rows**2, 2 * expected / rows)
            return np.asarray(noise / (expected + PSI_OFFSET) ** 2)
        case _:
            return np.asarray(known)


def relative_error(scale: Scale, values: Floats, error: Floats, expected: Floats) -> Floats:
    """Standard errors on the judged scale, from those on the metric's own, at the observed values.

    Of rates at the expected ones: near 0 and 1 the logit is so steep that a collapse to 0 would pass for uncertainty.

    >>> relative_error(Scale("latency"), np.array([200.0]), np.array([10.0]), np.array([100.0]))
    array([0.05])
    >>> relative_error(Scale("rate"), np.array([0.0]), np.array([0.02]), np.array([0.5]))
    array([0.08])
    """
    match scale.kind:
        case "rate":
            return np.asarray(error / np.maximum(expected * (1 - expected), 1e-9))
        case "latency":
            return np.asarray(error / np.maximum(values, 1e-6))
        case "amount":
            return np.asarray(error / np.hypot(values, scale.unit))
        case _:
            return error


def smallest_spread(scale: Scale, values: Floats) -> float:
    """The least standard deviation a series is credited with, on the judged scale, however calm its past.

    Half a percent of a count, latency or amount; two hundredths of a logit, which is a tenth of a point at 95 %. Of a
    level half a percent too, or less where it varies by little: an offset is no reason to see nothing.

    >>> smallest_spread(Scale("level"), np.array([10.0, 10.0, 10.0]))
    0.05
    >>> round(smallest_spread(Scale("level"), 1e6 + np.array([-1.0, 1.0, -1.0, 1.0, -1.0, 1.0])), 3)
    0.148
    """
    match scale.kind:
        case "rate":
            return 0.02
        case "psi":
            return 0.05
        case "level":
            return _least_of_level(values) if values.size else 1e-9
        case _:
            return 0.005


def _least_of_level(values: Floats) -> float:
    centre = float(np.median(values))
    of_level, varies = 0.005 * abs(centre), LEVEL_SHARE * spread_about(values, centre)
    # What is smaller than the last digits of the level is rounding.
    return max(min(of_level, varies) if varies > 1e-9 * abs(centre) else of_level, 1e-9)


def spread_about(residuals: Floats, centre: float = 0.0) -> float:
    """Standard deviation that the median of |residual - centre| stands for; half of them may be outliers.

    Where most residuals are the same, as of rare counts, that median says nothing; then it is the mean that does.

    >>> round(spread_about(np.array([-1.0, 1.0, -1.0, 1.0, 50.0])), 3)
    1.483
    >>> round(spread_about(np.array([0.0, 0.0, 0.0, 1.0, 0.0])), 3)
    0.251
    """
    away = np.abs(residuals - centre)
    robust, mean = MAD_TO_SD * float(np.median(away)), MEAN_TO_SD * float(np.mean(away))
    return mean if robust < TIED * mean else robust


def biweight(residuals: Floats) -> float:
    """Standard deviation about zero by Tukey's biweight: of few residuals nearly as sure as the classical one.

    The root of the biweight midvariance with c = 9 (Mosteller and Tukey 1977, Data Analysis and Regression, chapter
    10; Lax 1985, JASA 80, 736-741), whose start is `spread_about`. Residuals beyond six standard deviations, such as
    past faults, do not count at all; heavy tails within count for more than the median deviation sees of them.

    >>> round(biweight(np.array([-1.0, 1.0, -1.0, 1.0, 50.0])), 2)
    1.18
    >>> biweight(np.zeros(5))
    0.0
    """
    start = spread_about(residuals)
    if start == 0:
        return 0.0
    # c = 9 is meant in median deviations, which are 1.48 times smaller than the standard deviation of `start`.
    u = (residuals / (BIWEIGHT / MAD_TO_SD * start)) ** 2
    within = u < 1
    near, u = residuals[within], u[within]
    slope = abs(float(((1 - u) * (1 - 5 * u)).sum()))
    if slope < TIED * len(residuals):  # hardly any residual is near: they say nothing together
        return start
    return float(np.sqrt(len(residuals) * (near**2 * (1 - u) ** 4).sum()) / slope)


def small_sample(residuals: int) -> float:
    """By how much a spread of so few residuals is widened, so that LIMIT of them is as rare as LIMIT of the true one.

    A `biweight` of so many independent residuals is as sure as the classical spread of SURE of them, and they are
    CAREFUL besides, so a distance is Student's t with as many degrees of freedom; the quantile is that of Wallace
    (1959), Annals of Mathematical Statistics 30, 1121-1123.

    >>> [round(small_sample(count), 2) for count in (14, 21, 28, 60, 180)]
    [1.32, 1.2, 1.14, 1.06, 1.02]
    """
    freedom = max(SURE * CAREFUL * residuals, 3.0)
    normal = LIMIT * (8 * freedom + 3) / (8 * freedom + 1)
    return float(np.sqrt(freedom * np.expm1(normal**2 / freedom)) / LIMIT)


def standard_error(metric: str, lower: Floats, upper: Floats) -> Floats:
    """Standard error on the metric's own scale, from its interval; NaN where n alone tells it, or nothing does."""
    if metric in PROPORTIONS or metric == "volume":
        return np.full(lower.shape, np.nan)
    return np.asarray((upper - lower) / (2 * INTERVAL_Z))
