"""Models with several classes, or with numbers: from frames of additive counts to rows of `metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.methods import classes, regression
from jobs.methods.intervals import proportion
from jobs.methods.measures import rows, undefined

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

GROUP = ["day", "version", "segment", "label_age"]
AVERAGED = {
    "precision": classes.precision_of_class,
    "recall": classes.recall_of_class,
    "f1": classes.f1_of_class,
}
QUANTILES = (5, 50, 95)


def of_classes(known: pd.DataFrame, cells: pd.DataFrame, min_rows: int) -> Iterator[pd.DataFrame]:
    """Coverage, accuracy, and precision, recall and F1 of each class and over all.

    `cells.series` is the place in `known`.
    """
    keys = known[GROUP]
    labelled = np.bincount(cells["series"].astype(np.int64), weights=cells["n"], minlength=len(known))
    yield rows("coverage", keys, proportion(labelled, known["n"]), min_rows)
    of = classes.per_class(cells.rename(columns={"series": "group"}), len(known))
    yield rows("accuracy", keys, classes.accuracy(of), min_rows)
    for name, figure in AVERAGED.items():
        macro = classes.f1_macro(of) if name == "f1" else classes.averaged(of, figure, weighted=False)
        yield rows(f"{name}_macro", keys, macro, min_rows)
        yield rows(f"{name}_weighted", keys, classes.averaged(of, figure, weighted=True), min_rows)
    each = keys.iloc[of.group].reset_index(drop=True).assign(feature=of.name)
    for name, figure in AVERAGED.items():
        yield rows(f"class_{name}", each, figure(of), min_rows)
    whole = keys[(keys["segment"] == "all") & (keys["version"] == "all")]
    for metric in ("log_loss", "roc_auc"):
        yield undefined(metric, whole, "the files have no score for each class")


def of_errors(known: pd.DataFrame, errors: pd.DataFrame, min_rows: int) -> Iterator[pd.DataFrame]:
    """Coverage, and how far predicted numbers lie from what came; `errors.series` is the place in `known`."""
    keys = known[GROUP]
    labelled = np.bincount(errors["series"].astype(np.int64), weights=errors["n"], minlength=len(known))
    yield rows("coverage", keys, proportion(labelled, known["n"]), min_rows)
    sized = errors[errors["bin"].notna() & (errors["n"] != 0)].rename(columns={"series": "group"})
    of = regression.Errors(
        sized.assign(bin=sized["bin"].astype(np.int64), group=sized["group"].astype(np.int64)), len(known)
    )
    measured = {
        "mae": regression.mae(of),
        "rmse": regression.rmse(of),
        "mape": regression.mape(of),
        "r2": regression.r2(of),
        "bias": regression.bias(of),
    } | {f"error_p{percent:02}": regression.quantile(of, percent / 100) for percent in QUANTILES}
    for metric, one in measured.items():
        yield rows(metric, keys, one, min_rows)
