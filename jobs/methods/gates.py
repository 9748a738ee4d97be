"""What a candidate must show on the champion's own rows before it may replace it.

Each metric is compared on the same rows, pair by pair. Two errors matter here: to let in what is worse, and to keep out
what is equal because one of many segments fell by chance. So a loss counts where its one-sided p-value stays below the
limit after Holm's correction, over the metrics of all rows, and apart from those over all segments.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs.methods.intervals import wilson
from jobs.methods.paired import auc_differences, mcnemar, paired_difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

ALPHA = 0.05
"""Chance that a family of comparisons refuses a candidate that is as good as the champion in all of them."""
SMALL = "(small)"
"""The value under which a segment's small values are judged together."""


@dataclass(frozen=True)
class Comparison:
    """One metric of candidate and champion on the same rows; `difference` is candidate - champion."""

    rival: str
    metric: str
    segment: str
    n: int
    champion: float | None
    candidate: float | None
    lower: float | None
    upper: float | None
    p_worse: float | None
    """One-sided, after Holm's correction within its family."""
    verdict: str
    """ok, worse or not_evaluated."""
    reason: str = ""

    @property
    def sentence(self) -> str:
        """The figures as a person reads them."""
        if self.champion is None or self.candidate is None or self.lower is None or self.upper is None:
            return f"{self.metric} of {self.segment}: {self.reason}"
        return (
            f"{self.metric} of {self.segment} {self.candidate:.3f} against {self.champion:.3f} of {self.rival} "
            f"({100 * self.lower:+.1f} to {100 * self.upper:+.1f} points, n {self.n:,}, {_p(self.p_worse)})"
        )


@dataclass(frozen=True)
class Gate:
    """One condition: passed or not, and why in a sentence."""

    name: str
    passed: bool
    reason: str

    def row(self) -> dict[str, Any]:
        """As it is written down."""
        return asdict(self)


def holm(p_values: ArrayLike) -> Floats:
    """Holm's step-down adjusted p-values of one family; NaN stays NaN and does not count.

    Source: Holm (1979), Scandinavian J. of Statistics 6, 65-70; as statsmodels' `multipletests(method="holm")`.

    >>> holm([0.01, 0.04, 0.03]).round(3)
    array([0.03, 0.06, 0.06])
    """
    given = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(len(given), np.nan)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    steps = given[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def compare(rows: pd.DataFrame, rival: str, metrics: Sequence[str]) -> list[Comparison]:
    """All rows: accuracy and recall by McNemar's exact test, ROC AUC by DeLong's.

    `rows`: `label`, `champion`, `candidate` (decisions 0 or 1), `champion_score`, `candidate_score`.
    """
    found = [
        _auc(rows) if metric == "roc_auc" else _paired(rows, np.zeros(len(rows), dtype=int), metric, ["all"])
        for metric in metrics
    ]
    return _judged(pd.concat(found, ignore_index=True), rival) if found else []


def compare_segments(
    rows: pd.DataFrame, values: pd.DataFrame, rival: str, metrics: Sequence[str], segments: Sequence[Sequence[str]],
    min_rows: int,
) -> list[Comparison]:  # fmt: skip
    """Every value of every segment; values with fewer than `min_rows` rows together, as `segment=(small)`.

    `rows`: as `compare` reads them; `values`: the same rows' segments, a column each, without missing values.
    `segments`: names of these columns, or pairs of them. Of recall, the rows are the positive ones.
    """
    found = []
    for metric in (name for name in metrics if name != "roc_auc"):
        kept = rows[rows["label"] == 1] if metric == "recall" else rows
        for columns in segments:
            names, number = _pooled(values.loc[kept.index], columns, min_rows)
            found.append(_paired(kept, number, metric, names))
    return _judged(pd.concat(found, ignore_index=True), rival) if found else []


def _pooled(values: pd.DataFrame, columns: Sequence[str], min_rows: int) -> tuple[list[str], NDArray[np.int_]]:
    """Names of the values, and each row's; the small ones share one."""
    name = values[columns[0]].map(lambda value: f"{columns[0]}={value}").astype(object)
    for column in columns[1:]:
        name = name + "," + values[column].map(lambda value, column=column: f"{column}={value}").astype(object)
    small = name.map(name.value_counts()) < min_rows
    name = name.where(~small, f"{','.join(columns)}={SMALL}")
    number, names = pd.factorize(name, sort=True)
    return list(names), np.asarray(number)


def _paired(rows: pd.DataFrame, group: NDArray[np.int_], metric: str, names: Sequence[str]) -> pd.DataFrame:
    """One row a group: how often each is right, the interval of the difference, the one-sided p-value.

    However few rows there are: the test is exact, so few of them accuse nobody, and a collapse shows all the same.
    """
    if metric == "recall":
        keep = rows["label"].to_numpy() == 1
        rows, group = rows[keep], group[keep]
    label = rows["label"].to_numpy()
    one, other = (rows[name].to_numpy() == label for name in ("champion", "candidate"))

    def counted(hits: NDArray[np.bool_]) -> Floats:
        return np.bincount(group[hits], minlength=len(names)).astype(np.float64)

    n, lost, won = counted(np.ones(len(rows), dtype=bool)), counted(one & ~other), counted(other & ~one)
    lower, upper = paired_difference(won, lost, n)
    p = np.where(lost > won, mcnemar(lost, won) / 2, 1.0)
    with np.errstate(invalid="ignore"):
        shares = counted(one) / n, counted(other) / n
    return pd.DataFrame(
        {
            "metric": metric, "segment": list(names), "n": n.astype(int), "champion": shares[0],
            "candidate": shares[1], "lower": lower, "upper": upper, "p": np.where(n > 0, p, np.nan),
        }
    )  # fmt: skip


def _auc(rows: pd.DataFrame) -> pd.DataFrame:
    """DeLong's paired test; a score's rank is its bin, so that no two different scores tie."""
    ranks = {
        name: rows[column].rank(method="dense").astype(int)
        for name, column in (("score_bin", "champion_score"), ("other_score_bin", "candidate_score"))
    }
    counts = pd.DataFrame(ranks).assign(all=0, n_positive=rows["label"] == 1, n_negative=rows["label"] == 0)
    counts = counts.groupby(["all", *ranks], as_index=False)[["n_positive", "n_negative"]].sum()
    found = auc_differences(counts, ["all"]).iloc[0]
    error = float(np.sqrt(found["variance"]))
    z = found["difference"] / error if error > 0 else 0.0
    half = NormalDist().inv_cdf(0.975) * error
    p = NormalDist().cdf(z) if np.isfinite(found["variance"]) else np.nan
    return pd.DataFrame(
        {
            "metric": ["roc_auc"], "segment": ["all"], "n": [len(rows)], "champion": [found["auc"]],
            "candidate": [found["other_auc"]], "lower": [found["difference"] - half],
            "upper": [found["difference"] + half], "p": [p],
        }
    )  # fmt: skip


def _judged(found: pd.DataFrame, rival: str) -> list[Comparison]:
    found = found.assign(adjusted=holm(found["p"]))
    return [_one(row, rival) for row in found.to_dict("records")]


def _one(row: Mapping[Any, Any], rival: str) -> Comparison:
    p = row["adjusted"]
    verdict = "not_evaluated" if np.isnan(p) else "worse" if p <= ALPHA else "ok"
    reason = f"{row['n']} rows are too few to judge" if verdict == "not_evaluated" else ""
    figures = {name: _number(row[name]) for name in ("champion", "candidate", "lower", "upper")}
    return Comparison(
        rival, row["metric"], row["segment"], int(row["n"]), **figures, p_worse=_number(p), verdict=verdict,
        reason=reason,
    )  # fmt: skip


def _p(value: float | None) -> str:
    return "not judged" if value is None else "p < 0.001" if value < 0.001 else f"p {value:.3f}"


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def gate_of(name: str, comparisons: Sequence[Comparison]) -> Gate:
    """Passed where none is worse; the reason names the worst ones, or the figures that passed."""
    worse = sorted((one for one in comparisons if one.verdict == "worse"), key=lambda one: one.p_worse or 0.0)
    if worse:
        more = f"; and {len(worse) - 3} more" if len(worse) > 3 else ""
        return Gate(name, False, f"worse beyond chance: {'; '.join(one.sentence for one in worse[:3])}{more}")
    judged = [one for one in comparisons if one.verdict == "ok"]
    silent = len(comparisons) - len(judged)
    said = "; ".join(one.sentence for one in judged) if len(judged) <= 3 else f"{len(judged)} comparisons, none worse"
    rest = f"; {silent} with too few rows to judge" if silent else ""
    return Gate(name, True, f"{said or 'nothing to judge'}{rest}")


def rules_out_loss(comparisons: Sequence[Comparison], max_loss: float) -> Gate:
    """Whether the accuracy's interval lies above -max_loss: a comparison on few rows proves nothing (non-inferiority).

    Source: the confidence interval approach of ICH E9 (1998), section 3.3.2.
    """
    accuracy = [one for one in comparisons if one.metric == "accuracy" and one.lower is not None]
    unsure = [one for one in accuracy if (one.lower or 0.0) < -max_loss]
    for one in unsure:
        return Gate(
            "loss ruled out", False,
            f"a loss of up to {-100 * (one.lower or 0):.1f} points of accuracy is possible, {100 * max_loss:g} are "
            f"allowed: {one.sentence}; more labelled rows would tell",
        )  # fmt: skip
    return Gate("loss ruled out", True, f"no loss of more than {100 * max_loss:g} points of accuracy is possible")


def reaches(accuracy: float, n: int, floor: float | None) -> Gate:
    """Whether the accuracy is at least the spec's floor."""
    lower, upper = wilson(accuracy * n, n)
    said = f"accuracy {accuracy:.3f} on {n:,} rows ({float(lower):.3f} to {float(upper):.3f})"
    if floor is None:
        return Gate("floor", True, f"{said}; the spec names no floor")
    return Gate("floor", accuracy >= floor, f"{said}, {floor:g} is needed")


def learned_something(label: NDArray[np.int_], score: Floats) -> Gate:
    """Whether the scores rank better than chance: the null of Mann and Whitney's U, one-sided.

    Source: Mann and Whitney (1947), Annals of Mathematical Statistics 18, 50-60; `scipy.stats.mannwhitneyu`.
    """
    from scipy.stats import mannwhitneyu

    positive, negative = score[label == 1], score[label == 0]
    if not len(positive) or not len(negative):
        return Gate("skill", False, "the later days have one class only")
    test = mannwhitneyu(positive, negative, alternative="greater")
    auc = float(test.statistic) / (len(positive) * len(negative))
    said = f"ROC AUC {auc:.3f} on {len(label):,} later rows"
    if test.pvalue > ALPHA:
        return Gate("skill", False, f"{said}: no better than chance, so nothing was learned")
    return Gate("skill", True, said)
