"""A candidate model: fitted on labelled rows, and measured against the champion on the same later rows.

The definitions are scikit-learn's. Same rows in, same model out: every random choice has a fixed seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

SEED = 20250301
"""Any number would do; it must only never change."""

MOST_CATEGORIES = 200
"""Values of a categorical feature told apart (scikit-learn's trees take 255); rarer ones go together."""


def split_by_day(days: pd.Series, later_share: float = 0.2) -> NDArray[np.bool_]:
    """True for the rows of the newest days that together hold at least `later_share` of all rows.

    `days`: shape (rows,), datetime64. Days are never cut, so no day is both learned from and compared on. All
    False when there is only one day.

    >>> split_by_day(pd.Series(pd.to_datetime(["2025-03-01", "2025-03-01", "2025-03-02", "2025-03-03"])))
    array([False, False, False,  True])
    """
    rows_per_day = days.value_counts().sort_index(ascending=False)
    if len(rows_per_day) < 2:
        return np.zeros(len(days), dtype=bool)
    reached = np.flatnonzero(rows_per_day.cumsum().to_numpy() >= later_share * len(days))[0]
    first_later = rows_per_day.index[min(int(reached), len(rows_per_day) - 2)]
    return np.asarray(days >= first_later)


def model_frame(rows: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]) -> pd.DataFrame:
    """The feature columns as the candidate reads them: numbers finite or NaN, categories text or NaN."""
    numbers = rows[list(numeric)].astype("float64").replace([np.inf, -np.inf], np.nan)
    words = rows[list(categorical)].astype("object")
    return pd.concat([numbers, words.where(words.notna(), np.nan)], axis=1)


def sampled(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most `most` of the rows, evenly spaced over them; always the same ones.

    >>> sampled(pd.DataFrame({"x": range(7)}), 3)["x"].tolist()
    [0, 2, 4]
    """
    if len(rows) <= most:
        return rows
    return rows.iloc[np.arange(most) * len(rows) // most]


def fit_candidate(
    rows: pd.DataFrame, label: NDArray[np.int_], numeric: Sequence[str], categorical: Sequence[str], rounds: int = 100
) -> Pipeline:
    """Gradient-boosted trees that take missing values and categories as they are.

    Source: scikit-learn's HistGradientBoostingClassifier. `rows`: shape (rows, columns); `label`: 0 or 1,
    shape (rows,). `rounds`: trees, the library's 100 where nothing is said.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,  # the trees read NaN as missing, which an unseen value is
        encoded_missing_value=np.nan,
        max_categories=MOST_CATEGORIES,
    )
    columns = ColumnTransformer(
        [("numeric", "passthrough", list(numeric)), ("categorical", encoder, list(categorical))],
        verbose_feature_names_out=False,
    )
    trees = HistGradientBoostingClassifier(
        categorical_features=[False] * len(numeric) + [True] * len(categorical), random_state=SEED, max_iter=rounds
    )
    return Pipeline([("columns", columns), ("trees", trees)]).fit(model_frame(rows, numeric, categorical), label)


def measure(
    label: NDArray[np.int_], score: NDArray[np.float64], decision: NDArray[np.int_]
) -> dict[str, float | int | None]:
    """Accuracy, recall, ROC AUC and log loss; None where undefined (no positives, only one class).

    Source: scikit-learn. All arrays: shape (rows,).

    >>> measure(np.array([1, 1, 0]), np.array([0.9, 0.4, 0.2]), np.array([1, 0, 0]))["recall"]
    0.5
    """
    from sklearn.metrics import accuracy_score, log_loss, recall_score, roc_auc_score

    both = len(np.unique(label)) == 2
    return {
        "n": len(label),
        "accuracy": float(accuracy_score(label, decision)) if len(label) else None,
        "recall": float(recall_score(label, decision)) if label.any() else None,
        "roc_auc": float(roc_auc_score(label, score)) if both else None,
        "log_loss": float(log_loss(label, np.clip(score, 0, 1), labels=[0, 1])) if len(label) else None,
    }
