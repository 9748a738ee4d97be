"""What each task is judged by: the one figure of a model, and of a business, that is a sum over its rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A figure that is a mean over rows."""

    metric: str
    mean: bool
    """Of numbers, whose squares are counted too; else a share of rows."""
    better: int
    """1 where more is better, -1 where less is."""


ACCURACY = Figure("accuracy", mean=False, better=1)
MAE = Figure("mae", mean=True, better=-1)
CONVERSION = Figure("conversion", mean=False, better=1)
VALUE = Figure("value_per_prediction", mean=True, better=1)
MAIN = {"binary": ACCURACY, "multiclass": ACCURACY, "regression": MAE}
BY_NAME = {figure.metric: figure for figure in (ACCURACY, MAE, CONVERSION, VALUE)}


def is_mean(metric: str) -> bool:
    """Whether its values are numbers; else they are shares of rows.

    >>> is_mean("mae"), is_mean("recall")
    (True, False)
    """
    return metric in BY_NAME and BY_NAME[metric].mean


def better(metric: str) -> int:
    """1 where more of it is better, as of every rate that is split; -1 where less is."""
    return BY_NAME[metric].better if metric in BY_NAME else 1
