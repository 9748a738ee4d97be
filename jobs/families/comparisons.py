"""A live version beside another: shadow and challenger on the same rows, and the version before on the days before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs.families import changes, earlier
from jobs.families.figures import ACCURACY, CONVERSION, VALUE
from jobs.methods import judgement, paired
from jobs.methods.contrasts import newcombe
from jobs.methods.intervals import ratio, z_value
from jobs.methods.means import paired_mean, sums_of, welch
from jobs.methods.search import lower_tail
from jobs.methods.windows import window_sums
from jobs.tables import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.engine.warehouse import Warehouse
    from jobs.families import Past, Watch
    from jobs.families.figures import Figure
    from jobs.methods.intervals import Floats, Interval

KEYS = ["version", "other"]
COUNTS = [
    "n",
    "n_agreed",
    "n_called",
    "n_other_called",
    "n_both_right",
    "n_only_live",
    "n_only_other",
    "n_both_wrong",
]
MEETINGS = [
    "n",
    "n_agreed",
    "n_judged",
    "n_both_right",
    "n_only_live",
    "n_only_other",
    "n_both_wrong",
    "absolute_sum",
    "other_absolute_sum",
    "gap_sum",
    "gap_square_sum",
]
RANKS = ["weight", "auc_sum", "other_auc_sum", "difference_sum", "variance_sum", "n_ranked"]
SERIES = ["day", "label_age", *KEYS]
SHOWN = ["difference", "lower", "upper", "p_value", "n", "value"]
NEEDED = 10
"""Times `min_rows` that a verdict needs: it moves a whole model."""


def comparisons(watch: Watch, past: Past, warehouse: Warehouse) -> pd.DataFrame:
    """Rows of table `comparisons` for the nights watched."""
    parts = [*_same_rows(watch, past, warehouse)]
    shadows = [part[SERIES].drop_duplicates() for part in parts if part["metric"].eq("agreement").all()]
    parts += _before_and_since(past, shadows)
    columns = list(BY_NAME["comparisons"].columns)
    full = [part for part in parts if len(part)]
    if not full:
        return pd.DataFrame(columns=columns)
    measured = pd.concat(full, ignore_index=True)
    verdicts = _verdicts(measured, past, NEEDED * watch.spec.min_rows)
    made = pd.concat([measured, verdicts], ignore_index=True).reindex(columns=columns)
    sure = made["p_value"] < judgement.LEVEL
    word = np.where(sure, np.where(made["difference"] > 0, "other is higher", "live is higher"), "may be chance")
    told = made["verdict"].fillna(pd.Series(word, index=made.index).where(made["p_value"].notna()))
    return made.assign(model=watch.spec.model, verdict=told, label_age=made["label_age"].astype("Int32"))


# on the same rows ---------------------------------------------------------------------------------------------


def _same_rows(watch: Watch, past: Past, warehouse: Warehouse) -> Iterator[pd.DataFrame]:
    """Rows that both answered, over the last `comparison_days`; days on which they did not meet are left out.

    How often they agree needs no labels.
    """
    spec, days = watch.spec, watch.spec.comparison_days
    if not past.version_ages or not spec.others:
        return
    binary = spec.task == "binary"
    sums = COUNTS if binary else MEETINGS
    joint = warehouse.query(f"metrics/{'pairs' if binary else 'meetings'}", ages=earlier(past.version_ages, days))
    for age in past.version_ages:
        mine = joint[joint["label_age"] == age.age]
        if mine.empty:
            continue
        met = mine.groupby(["day", *KEYS])[sums].sum().reset_index()
        today = met.loc[met["n"] > 0, ["day", *KEYS]]
        summed = window_sums(met, KEYS, sums, age.first, age.last, days).merge(today, on=["day", *KEYS])
        summed = summed.assign(label_age=age.age)
        if past.label_ages:
            yield _distances(summed) if past.main.mean else _accuracies(summed)
        yield from _agreement(summed, binary)
        if past.label_ages and binary:
            ranked = window_sums(_daily_ranks(mine), KEYS, RANKS, age.first, age.last, days)
            ranked = ranked.merge(today, on=["day", *KEYS])
            yield _ranking(ranked.assign(label_age=age.age))


def _accuracies(counts: pd.DataFrame) -> pd.DataFrame:
    b, c = counts["n_only_live"].to_numpy(), counts["n_only_other"].to_numpy()
    right = counts["n_both_right"].to_numpy()
    n = right + b + c + counts["n_both_wrong"].to_numpy()
    shares, interval = (ratio(right + b, n), ratio(right + c, n)), paired.paired_difference(c, b, n)
    return _rows("accuracy", counts, shares, n, interval, paired.mcnemar(b, c)).assign(coverage=ratio(n, counts["n"]))


def _distances(counts: pd.DataFrame) -> pd.DataFrame:
    """How far off both were; a difference below 0 is the other version's lead."""
    n = counts["n_judged"].to_numpy()
    told = paired_mean(sums_of(n, counts["gap_sum"], counts["gap_square_sum"]))
    values = ratio(counts["absolute_sum"], n), ratio(counts["other_absolute_sum"], n)
    return _rows("mae", counts, values, n, told.interval, told.p_value).assign(coverage=ratio(n, counts["n"]))


def _agreement(counts: pd.DataFrame, binary: bool) -> Iterator[pd.DataFrame]:
    served, nothing = counts["n"].to_numpy(), np.full(len(counts), np.nan)
    agreed = ratio(counts["n_agreed"], served)
    yield _rows("agreement", counts, (agreed, nothing), served, (nothing, nothing), nothing)
    if binary:
        shares = ratio(counts["n_called"], served), ratio(counts["n_other_called"], served)
        yield _rows("selection_rate", counts, shares, served, (nothing, nothing), nothing)


def _daily_ranks(joint: pd.DataFrame) -> pd.DataFrame:
    """Each day's paired AUCs, weighted by the pairs of a positive and a negative that they rest on, for sums over days.

    The weight P Q / (P + Q) does not depend on the scores, so that it cannot favour a version; a day with fewer than
    two of a class has no variance and takes no part. Rows of different days are never ranked against each other.
    """
    scored = joint[joint["score_bin"].notna() & joint["other_score_bin"].notna()]
    bins = ["day", *KEYS, "score_bin", "other_score_bin"]
    scored = scored.groupby(bins)[["n_positive", "n_negative"]].sum().reset_index()
    if scored.empty:
        return pd.DataFrame({name: [] for name in RANKS}).assign(day=pd.to_datetime([]), version="", other="")
    daily = paired.auc_differences(scored, ["day", *KEYS])
    usable = np.isfinite(daily["variance"])
    daily = daily[usable].reset_index(drop=True)
    weight = daily["n_positive"] * daily["n_negative"] / (daily["n_positive"] + daily["n_negative"])
    made: pd.DataFrame = daily[["day", *KEYS]].assign(
        weight=weight, auc_sum=weight * daily["auc"], other_auc_sum=weight * daily["other_auc"],
        difference_sum=weight * daily["difference"], variance_sum=weight**2 * daily["variance"],
        n_ranked=daily["n_positive"] + daily["n_negative"],
    )  # fmt: skip
    return made


def _ranking(sums: pd.DataFrame) -> pd.DataFrame:
    weight = sums["weight"].to_numpy(dtype=np.float64)
    value, other = ratio(sums["auc_sum"], weight), ratio(sums["other_auc_sum"], weight)
    difference, error = ratio(sums["difference_sum"], weight), np.sqrt(ratio(sums["variance_sum"], weight**2))
    half = z_value() * error
    p = np.where(error > 0, 2 * lower_tail(-np.abs(ratio(difference, error))), 1.0)
    n = sums["n_ranked"].to_numpy(dtype=np.float64)
    return _rows("roc_auc", sums, (value, other), n, (difference - half, difference + half), p)


# before and since ---------------------------------------------------------------------------------------------


def _before_and_since(past: Past, shadows: list[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """A new version since it began beside the 28 days before of the one it replaced; other rows, other days.

    What the business got needs no labels, and is also told beside the shadow or challenger of that former version;
    the task's figure is not, for that they have the same rows.
    """
    for age in past.version_ages if len(past.new) else ():
        if past.label_ages:
            yield _unpaired(past.main, age.age, changes.in_model(past, age))
        for figure, of in ((CONVERSION, changes.in_conversion), (VALUE, changes.in_value)):
            made = _unpaired(figure, age.age, of(past, age))
            if figure is VALUE:  # neither version earned anything, or nobody tells
                made = made[made[["value", "other_value"]].abs().sum(axis=1) > 0]
            yield made
            for met in shadows:
                beside = made.merge(met.assign(shadow=met["other"], other=_plain(met["other"])), on=SERIES)
                yield beside.assign(other=beside["shadow"]).drop(columns="shadow")


def _plain(versions: pd.Series[str]) -> pd.Series[str]:
    """`shadow:v1` -> `v1`."""
    return versions.str.split(":", n=1).str[-1]


def _unpaired(figure: Figure, age: int, both: pd.DataFrame) -> pd.DataFrame:
    """Interval and p-value are wider than independent rows would make them, by how unlike the days before were."""
    both = both.rename(columns={"former_version": "other"}).assign(label_age=age)
    new, old = changes.sides_of(both)
    times = both["times"].to_numpy()
    if figure.mean:
        told = welch(old, new, times)
        interval, p = told.interval, told.p_value
    else:
        lower, upper = newcombe(old.total, old.n, new.total, new.n)
        difference, wider = old.mean - new.mean, np.sqrt(times)
        interval = difference - (difference - lower) * wider, difference + (upper - difference) * wider
        p = 2 * lower_tail(-np.abs(changes.standardised(both, figure)))
    made = _rows(figure.metric, both, (new.mean, old.mean), both["n"].to_numpy(), interval, p)
    return made.assign(basis="before and since", other_n=both["former_n"].to_numpy(), coverage=both["coverage"])


def _rows(
    metric: str,
    keys: pd.DataFrame,
    values: tuple[Floats, Floats],
    n: Floats,
    interval: Interval,
    p_value: Floats,
) -> pd.DataFrame:
    """Rows of one metric; `values` are the live version's and the other's."""
    told = n > 0
    figures = {
        "value": values[0], "other_value": values[1], "difference": values[1] - values[0],
        "lower": interval[0], "upper": interval[1], "p_value": p_value,
    }  # fmt: skip
    shown = {name: np.where(told, column, np.nan) for name, column in figures.items()}
    return keys[SERIES].assign(metric=metric, basis="same rows", n=n, other_n=n, **shown)


# the verdict --------------------------------------------------------------------------------------------------


def _verdicts(measured: pd.DataFrame, past: Past, needed: int) -> pd.DataFrame:
    """One row per pair, day and age: metric `verdict`. A pair on the same rows is judged by these, and by business."""
    keyed = measured.assign(n=np.minimum(measured["n"], measured["other_n"]))
    sources = {"model": past.main.metric, "business": CONVERSION.metric, "value": VALUE.metric, "ranking": "roc_auc"}
    judged = _pairs(measured, past)
    for name, metric in sources.items():
        mine = keyed.loc[keyed["metric"] == metric, [*SERIES, *SHOWN, "coverage"]]
        named = {column: f"{column}_{name}" for column in (*SHOWN, "coverage")}
        judged = judged.merge(mine.rename(columns=named), how="left", on=SERIES)
    began = _plain(judged["other"]).map(past.first_days.set_index("version")["first_day"])
    judged["was_live"] = (began < judged["day"]).fillna(False)
    pairs: list[Any] = list(judged.itertuples(index=False))
    told = [
        judgement.verdict(
            row.version,
            row.other,
            judgement.Evidence(
                _difference(row, "model", past.main),
                _difference(row, "business", CONVERSION),
                _difference(row, "value", VALUE),
                _difference(row, "ranking", ACCURACY),
                row.coverage_model,
                row.was_live,
                row.coverage_business,
                row.coverage_value,
            ),
            needed,
        )
        for row in pairs
    ]
    n = judged["n_model"].fillna(judged["n_business"]).fillna(0)
    return judged[[*SERIES, "basis"]].assign(
        metric="verdict", n=n, verdict=[one for one, _ in told], reason=[why for _, why in told]
    )


def _pairs(measured: pd.DataFrame, past: Past) -> pd.DataFrame:
    """What is judged: each pair on the same rows, or by what came before and since."""
    told = measured[measured["metric"] != VALUE.metric]
    same = told.loc[told["metric"] == "agreement", [*SERIES, "basis"]]
    metric = past.main.metric if past.label_ages else CONVERSION.metric
    before = told.loc[(told["basis"] != "same rows") & (told["metric"] == metric), [*SERIES, "basis"]]
    return pd.concat([same, before]).drop_duplicates(SERIES).reset_index(drop=True)


def _difference(row: object, source: str, figure: Figure) -> judgement.Difference | None:
    value, lower, upper, p_value, n, live = (getattr(row, f"{name}_{source}") for name in SHOWN)
    if not np.isfinite(value) or not n > 0:
        return None
    return judgement.Difference(value, lower, upper, p_value, int(n), figure.better, live if figure.mean else None)
