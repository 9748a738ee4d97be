"""What a candidate's features are worth, measured on rows it was not fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.candidate import SEED, model_frame, sampled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sklearn.pipeline import Pipeline

MOST_ROWS = 20_000
REPEATS = 5
LEAST = 0.001
"""The share of a feature whose shuffling costs nothing: a spec wants importances above 0."""


def importances(
    model: Pipeline, rows: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str]
) -> pd.DataFrame:
    """Permutation importance: how far ROC AUC falls when one feature's values are shuffled, mean of five shuffles.

    Source: Breiman (2001), Machine Learning 45, 5-32; `sklearn.inspection.permutation_importance`. `rows`: the later
    rows. Answers `feature`, `drop`, `deviation`, and `share` (drops that are above 0, summing to 1), heaviest first.
    Features that tell the same share their importance: shuffling one of them costs little.
    """
    from sklearn.inspection import permutation_importance
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    kept = sampled(rows, MOST_ROWS)
    frame = model_frame(kept, numeric, categorical)
    label = kept["label"].to_numpy(dtype=int)
    with threadpool_limits(1):  # each of many small predictions costs more with many threads
        found = permutation_importance(model, frame, label, scoring="roc_auc", n_repeats=REPEATS, random_state=SEED)
    drop = found["importances_mean"]
    positive = np.maximum(drop, 0.0)
    share = positive / positive.sum() if positive.sum() > 0 else np.full(len(drop), 1 / len(drop))
    made = pd.DataFrame(
        {"feature": list(frame.columns), "drop": drop, "deviation": found["importances_std"], "share": share}
    )
    return made.sort_values(["share", "feature"], ascending=[False, True], ignore_index=True)


def as_spec(shares: Mapping[str, float], kinds: Mapping[str, tuple[str, str | None]]) -> str:
    """The `features:` of a spec with these importances, to be copied by a person.

    `kinds`: feature -> its kind and its column in the files (None: its own name), in the spec's order.

    >>> print(as_spec({"x": 0.25}, {"x": ("numeric", None)}))
    features:
      x: {kind: numeric, importance: 0.250}
    """
    lines = [
        f"  {name}: {{kind: {kind}{f', column: {column}' if column else ''}, "
        f"importance: {max(shares.get(name, 0.0), LEAST):.3f}}}"
        for name, (kind, column) in kinds.items()
    ]
    return "\n".join(["features:", *lines])
