"""Whether labelled rows can be learned from: enough, complete, like the reference, and nothing gives the label away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods.candidate import fit_candidate, model_frame, sampled
from jobs.methods.gates import Gate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

GIVEAWAY = 0.98
"""A feature that alone ranks the later labels this well (ROC AUC) is taken for one that knows them."""
MOST_ROWS = 20_000
"""Rows that each single feature is fitted and tried on."""


def enough(rows: pd.DataFrame, later: NDArray[np.bool_], needed: int) -> Gate:
    """Enough labelled rows, of more than one day, with both classes on either side of the split."""

    def refused(reason: str) -> Gate:
        return Gate("rows", False, reason)

    if len(rows) < max(2, needed):
        return refused(f"{len(rows):,} labelled rows; actions.retrain.min_labels asks for {max(2, needed):,}")
    if not later.any():
        return refused("all labelled rows are of one day; a candidate is compared on later days")
    for part, name in ((rows[~later], "older"), (rows[later], "newest")):
        if part["label"].nunique() < 2:
            return refused(f"the {name} labelled days have one class only; nothing to learn or compare")
    share = float(rows["label"].mean())
    return Gate("rows", True, f"{len(rows):,} labelled rows, {share:.1%} positive, {int(later.sum()):,} of them later")


def known_by(rows: pd.DataFrame, night: object) -> Gate:
    """No label that became known after the night: it would be the future's."""
    late = rows["known_day"] > pd.Timestamp(night)  # type: ignore[arg-type]
    if late.any():
        return Gate("labels", False, f"{int(late.sum())} labels became known after {night}")
    newest = rows["known_day"].max()
    return Gate(
        "labels", True, f"every label was known by {night}, the last on {newest.date()}" if len(rows) else "none"
    )


def filled(
    rows: pd.DataFrame, later: NDArray[np.bool_], features: Sequence[str], reference: Mapping[str, float], most: float
) -> Gate:
    """No feature is empty in the older rows, nor missing far more often than in the reference.

    `reference`: feature -> share missing; a feature that it does not know is only checked for being empty.
    """
    faults = []
    for name in features:
        learned, share = rows.loc[~later, name], float(rows[name].isna().mean())
        accepted = reference.get(name)
        if learned.isna().all():
            faults.append(f"{name} is empty")
        elif accepted is not None and share > accepted + most:
            faults.append(f"{name} is missing in {share:.1%} of the rows, in the reference in {accepted:.1%}")
    if faults:
        return Gate("features", False, "; ".join(faults))
    against = "" if reference else "; there is no reference to hold the missing shares against"
    return Gate("features", True, f"{len(features)} features, none empty or missing too often{against}")


def giveaways(
    rows: pd.DataFrame, later: NDArray[np.bool_], numeric: Sequence[str], categorical: Sequence[str]
) -> dict[str, float]:
    """Feature -> ROC AUC of a model that knows this feature alone, fitted on the older rows, tried on the later ones.

    It sees what a correlation does not: a label hidden in missing values, in a category or in both tails.
    """
    from sklearn.metrics import roc_auc_score
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    learned, tried = sampled(rows[~later], MOST_ROWS), sampled(rows[later], MOST_ROWS)
    label, truth = (part["label"].to_numpy(dtype=int) for part in (learned, tried))
    if len(np.unique(label)) < 2 or len(np.unique(truth)) < 2:
        return {}
    found = {}
    with threadpool_limits(1):  # so small a fit costs more with many threads, and much more on a busy machine
        for name in (*numeric, *categorical):
            one = ([name], []) if name in numeric else ([], [name])
            model = fit_candidate(learned, label, *one, rounds=20)
            found[name] = float(roc_auc_score(truth, model.predict_proba(model_frame(tried, *one))[:, 1]))
    return found


def no_giveaway(found: Mapping[str, float]) -> Gate:
    """No single feature knows the label."""
    guilty = sorted((name for name, auc in found.items() if auc >= GIVEAWAY), key=lambda name: -found[name])
    if guilty:
        said = "; ".join(f"{name} alone ranks the later labels with ROC AUC {found[name]:.3f}" for name in guilty)
        return Gate("leak", False, f"{said}: it is most likely known only after the fact; take it out of the features")
    best = max(found, key=lambda name: found[name], default="")
    return Gate(
        "leak", True, f"no feature alone knows the label (the best, {best}, has ROC AUC {found.get(best, 0):.3f})"
    )
