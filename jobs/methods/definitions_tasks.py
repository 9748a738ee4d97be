"""How models with several classes, or with numbers, are measured; part of `jobs.methods.definitions`."""

from __future__ import annotations

from jobs.methods.definition import Definition

_FIGURES = {"precision": "the share of right ones among its decisions", "recall": "the share found of its labels",
            "f1": "the harmonic mean of both"}  # fmt: skip
_COUNTED = {"precision": "decisions for it", "recall": "labels of it", "f1": "labels or decisions of it"}
_MEANT = {"precision": "normal", "recall": "normal", "f1": "delta method"}

CLASSES: tuple[Definition, ...] = (
    *(
        Definition(
            f"class_{figure}", "model", f"Of one class (column feature): {words}.",
            harm="down", scale="rate", interval="Wilson" + (", mapped" if figure == "f1" else ""), n=_COUNTED[figure],
            source=f"sklearn.metrics.{figure}_score, average None", needs="class", witness="scikit-learn",
        )
        for figure, words in _FIGURES.items()
    ),
    *(
        Definition(
            f"{figure}_{average}", "model",
            f"Mean over the classes, {'each counting alike' if average == 'macro' else 'weighted by their labels'}, of "
            f"{words}; classes that have none are left out.",
            harm="down", scale="rate", interval=_MEANT[figure] if average == "macro" else "", n="labelled decisions",
            source=f"sklearn.metrics.{figure}_score, average {average}, zero_division nan", needs="classes",
            witness="scikit-learn",
        )
        for figure, words in _FIGURES.items() for average in ("macro", "weighted")
    ),
)  # fmt: skip

ERRORS: tuple[Definition, ...] = (
    Definition(
        "mae", "model", "Mean distance of prediction and label. Exact.",
        harm="up", scale="positive", interval="normal", n="labels",
        source="sklearn.metrics.mean_absolute_error", needs="errors", witness="scikit-learn",
    ),
    Definition(
        "rmse", "model", "Root of the mean squared distance of prediction and label. Exact.",
        harm="up", scale="positive", interval="normal of the mean square, rooted", n="labels",
        source="sklearn.metrics.root_mean_squared_error", needs="errors", witness="scikit-learn",
    ),
    Definition(
        "mape", "model", "Mean of |error / label| over labels that are not 0; 0.1 is 10 %. Exact.",
        harm="up", scale="positive", interval="", n="labels that are not 0",
        source="sklearn.metrics.mean_absolute_percentage_error, without labels of 0", needs="errors",
        witness="scikit-learn",
    ),
    Definition(
        "r2", "model", "Share of the labels' variance that the predictions explain; can be below 0. Exact.",
        harm="down", scale="real", interval="", n="labels",
        source="sklearn.metrics.r2_score", needs="errors", witness="scikit-learn",
    ),
    Definition(
        "bias", "model", "Mean of prediction minus label; above 0 is predicted too high. Exact.",
        harm="both", scale="real", interval="normal", n="labels",
        source="the mean", needs="errors", witness="statsmodels zconfint_mean",
    ),
    *(
        Definition(
            f"error_p{percent:02}", "model",
            f"Prediction minus label that {percent} % of the day's errors stay at or below (relative error at most "
            "1 %).",
            harm="both", scale="real", interval="order statistics", n="labels",
            source="DDSketch (2019); numpy.quantile, inverted_cdf", needs="errors", witness="numpy.quantile",
        )
        for percent in (5, 50, 95)
    ),
)  # fmt: skip
