"""What scores and repeated predictions of a binary model are measured by; part of `jobs.methods.definitions`."""

from __future__ import annotations

from jobs.methods.definition import Definition

SCORES: tuple[Definition, ...] = (
    Definition(
        "brier", "model", "Mean squared distance between score and label; 0 is perfect. Exact.",
        harm="up", scale="rate", interval="normal", n="scored labels",
        source="sklearn.metrics.brier_score_loss", needs="scores", witness="scikit-learn",
    ),
    Definition(
        "log_loss", "model", "Mean of -ln(the score of what happened); 0 is perfect. Exact.",
        harm="up", scale="positive", interval="normal", n="scored labels",
        source="sklearn.metrics.log_loss", needs="scores", witness="scikit-learn",
    ),
    Definition(
        "calibration_in_the_large", "model", "Mean score minus share of positive labels; 0 is right on the whole.",
        harm="both", scale="real", interval="normal", n="scored labels",
        source="Steyerberg (2010), as a difference", needs="scores", witness="statsmodels zconfint_mean",
    ),
    Definition(
        "ece", "model",
        "Expected calibration error: gap between mean score and positive share in tenths of the score, weighted by "
        "rows. Few rows make it large by chance.",
        harm="up", scale="rate", interval="", n="scored labels",
        source="Naeini, Cooper, Hauskrecht (2015)", needs="scores", witness="sklearn.calibration.calibration_curve",
    ),
    Definition(
        "ece_unweighted", "model", "The same gap with every occupied tenth counting alike.",
        harm="up", scale="rate", interval="", n="scored labels",
        source="Naeini, Cooper, Hauskrecht (2015), unweighted", needs="scores",
        witness="sklearn.calibration.calibration_curve",
    ),
    Definition(
        "pr_auc", "model",
        "Average precision: area under the precision-recall curve, from score bins in which rows tie.",
        harm="down", scale="rate", interval="logit", n="positive labels",
        source="sklearn.metrics.average_precision_score; Boyd et al. (2013)", needs="scores",
        witness="scikit-learn on binned scores",
    ),
    Definition(
        "score_ks", "model", "Largest distance between the score distributions of positives and negatives.",
        harm="down", scale="rate", interval="", n="scored labels",
        source="scipy.stats.ks_2samp", needs="scores", witness="scipy on binned scores; on raw ones within the bound",
    ),
    Definition(
        "precision_at_10", "model",
        "Share of positives among the tenth of the labelled predictions with the highest scores.",
        harm="down", scale="rate", interval="Wilson", n="highest scores",
        source="Manning, Raghavan, Schütze (2008), chapter 8", needs="scores",
        witness="by sorting rows, within the bound",
    ),
    Definition(
        "recall_at_10", "model", "Share of the positive labels found in the tenth with the highest scores.",
        harm="down", scale="rate", interval="Wilson", n="positive labels",
        source="Manning, Raghavan, Schütze (2008), chapter 8", needs="scores",
        witness="by sorting rows, within the bound",
    ),
)  # fmt: skip

STABILITY: tuple[Definition, ...] = (
    Definition(
        "score_shift", "model",
        "Jensen-Shannon distance (base 2) between the day's scores and those of the day before, in bins of 0.05; of "
        "several classes and of numbers in the reference's bins.",
        harm="up", scale="rate", interval="", n="rows of the smaller day",
        source="scipy.spatial.distance.jensenshannon", needs="stability", witness="scipy",
    ),
    Definition(
        "score_mean_spread", "model",
        "Standard deviation of the daily mean score over the last seven days, of which four must have scores.",
        harm="up", scale="positive", interval="chi-square", n="rows of those days",
        source="numpy.std, ddof 1", needs="stability", witness="numpy",
    ),
    Definition(
        "repeat_flip_rate", "model",
        "Of the predictions for an id that was predicted within 28 days before: share whose decision changed.",
        harm="up", scale="rate", interval="Wilson", n="repeated predictions", source="a proportion",
        needs="repeats", witness="by hand",
    ),
    Definition(
        "repeat_score_gap", "model",
        "Of the predictions for an id that was predicted within 28 days before: mean distance to its former score.",
        harm="up", scale="positive", interval="normal", n="repeated predictions", source="the mean",
        needs="repeats", witness="by hand",
    ),
)  # fmt: skip
