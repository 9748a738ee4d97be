"""Why a figure changed against its recent window: split into causes, part by part."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs.families import dimension_of
from jobs.families.figures import BY_NAME as FIGURES
from jobs.families.figures import is_mean
from jobs.methods.contrasts import pooled_z
from jobs.methods.decomposition import Counts, ordered_sum, split
from jobs.methods.intervals import ratio
from jobs.methods.windows import window_sums
from jobs.tables import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from jobs.engine.warehouse import Warehouse
    from jobs.families import Past, Watch
    from jobs.spec import ModelSpec

LABEL_RATES = {
    "binary": ("accuracy", "recall", "precision", "coverage"),
    "multiclass": ("accuracy", "coverage"),
    "regression": ("mae", "coverage"),
}
PARTS = ["n", "labelled", "base", "hits", "squares"]
"""Of a mean, `hits` is the sum of its values and `squares` of their squares; of a rate both are the hits."""
BOTH = [*PARTS, *(f"former_{name}" for name in PARTS)]
WHOLE = [name for name in BOTH if not name.endswith(("hits", "squares"))]
SUMMED = ("n", "former_n", "change", "mix", "base", "coverage", "rate")
"""What adds up over the parts of a dimension."""
SERIES = ["metric", "feature", "label_age"]
"""What a rate is; `label_age` is -1 where it has none."""
TELLING = 2.0
"""Standard errors that a feature's missing rate has to have moved to be split; the main rates are split every night."""


def decompositions(watch: Watch, past: Past, warehouse: Warehouse) -> pd.DataFrame:
    """Rows of table `decompositions` for the nights watched."""
    rates = [*label_rates(watch, past), *outcome_rates(watch, past), *_missing_rates(watch, past, warehouse)]
    parts = []
    for one in rates:
        both = now_and_former(one[one["dimension"] != ""], [*SERIES, "dimension"], watch)
        if len(both):
            parts.append(_told(both, watch.spec.min_rows))
    told = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["dimension"])
    return table_of("decompositions", [_split(rows) for _, rows in told.groupby("dimension", sort=True)], watch.spec)


# what is looked at: rates of one age a frame, `night` being the day on which the age is reached -------------------


def label_rates(watch: Watch, past: Past) -> Iterator[pd.DataFrame]:
    """What labels say, a frame an age."""
    known = _by_dimension(past.labels, watch.spec)
    for age in past.label_ages:
        yield rates_of(known[known["label_age"] == age.age], LABEL_RATES[watch.spec.task])


def outcome_rates(watch: Watch, past: Past) -> Iterator[pd.DataFrame]:
    """What outcomes say, a frame an age."""
    known = _by_dimension(past.outcomes, watch.spec)
    for age in past.outcome_ages:
        yield rates_of(known[known["label_age"] == age.age], ["conversion"])


def _missing_rates(watch: Watch, past: Past, warehouse: Warehouse) -> Iterator[pd.DataFrame]:
    """Features that lack values on a judged day or in the recent window."""
    detection = watch.spec.detection
    # of what awaits no labels nothing older is looked at
    since = watch.begin - timedelta(detection.recent_days + detection.recent_gap)
    missing = _by_dimension(warehouse.query("metrics/missing", first=since, last=watch.period.last), watch.spec)
    served = past.served[past.served["day"] >= pd.Timestamp(since)]
    served = _by_dimension(served, watch.spec)[["day", "dimension", "segment", "n"]]
    counts = served.merge(missing[["feature"]].drop_duplicates(), how="cross")
    keys = ["day", "dimension", "segment", "feature"]
    counts = counts.merge(missing[[*keys, "n_missing"]], how="left", on=keys)
    hits = counts["n_missing"].fillna(0).astype("int64")
    counts = counts.assign(labelled=counts["n"], base=counts["n"], hits=hits, squares=hits)
    counts = counts.assign(metric="missing_rate", label_age=-1)
    yield counts.assign(night=counts["day"])[["night", *SERIES, "dimension", "segment", *PARTS]]


def _by_dimension(counts: pd.DataFrame, spec: ModelSpec) -> pd.DataFrame:
    """Rows of all versions by segment, and of the whole by version, each with its dimension; the whole has ''."""
    whole = counts["segment"] == "all"
    pooled = counts["version"] == "all"
    by_segment = counts[pooled].assign(dimension=dimension_of(counts.loc[pooled, "segment"], spec))
    by_version = counts[whole & ~pooled]
    by_version = by_version.assign(dimension="version", segment="version=" + by_version["version"])
    return pd.concat([by_segment, by_version], ignore_index=True)


def rates_of(counts: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """What each rate counts: predictions, those with label, those of its base, and hits."""
    night = counts["day"] + pd.to_timedelta(counts["label_age"], unit="D").dt.as_unit("us")
    kept = counts[["label_age", "dimension", "segment", "n"]].assign(night=night, feature="")
    parts = []
    for metric in metrics:
        labelled, base, hits = _counted(counts, metric)
        squares = counts["figure_square_sum"] if is_mean(metric) else hits
        parts.append(kept.assign(metric=metric, labelled=labelled, base=base, hits=hits, squares=squares))
    return pd.concat(parts, ignore_index=True)


def _counted(counts: pd.DataFrame, metric: str) -> tuple[pd.Series[int], pd.Series[int], pd.Series[Any]]:
    if metric == "conversion":
        return counts["n_counted"], counts["n_counted"], counts["n_converted"]
    if metric == "coverage":
        return counts["n"], counts["n"], counts["n_labelled"]
    if metric in FIGURES:
        return counts["n_judged"], counts["n_judged"], counts["figure_sum"]
    tp, fp, fn, tn = (counts[f"n_{name}"] for name in CELLS)
    base, hits = {"recall": (tp + fn, tp), "precision": (tp + fp, tp)}[metric]
    return tp + fp + fn + tn, base, hits


CELLS = ("true_positive", "false_positive", "false_negative", "true_negative")


def now_and_former(counts: pd.DataFrame, keys: list[str], watch: Watch) -> pd.DataFrame:
    """Counts of each judged night beside those of its recent window; 0 where a part is on one side only."""
    keys = [*keys, "segment"]
    first, last = nights_of(watch)
    slim = counts[["night", *keys, *PARTS]].rename(columns={"night": "day"})
    now = slim[slim["day"].between(pd.Timestamp(first), pd.Timestamp(last))]
    detection = watch.spec.detection
    former = window_sums(slim, keys, PARTS, first, last, detection.recent_days, detection.recent_gap)
    former = former[former["day"].isin(now["day"].unique())].drop(columns="days")
    both = now.merge(former, how="outer", on=["day", *keys], suffixes=("", "_then"))
    both = both.rename(columns={f"{name}_then": f"former_{name}" for name in PARTS})
    return both.fillna(dict.fromkeys(BOTH, 0)).astype(dict.fromkeys(WHOLE, "int64")).rename(columns={"day": "night"})


def nights_of(watch: Watch) -> tuple[date, date]:
    """The first and the last night that is judged."""
    return watch.begin, watch.period.last


# the split ----------------------------------------------------------------------------------------------------


def _told(both: pd.DataFrame, min_rows: int) -> pd.DataFrame:
    """Nights on which the rate, and its recent one, rest on `min_rows`; of missing rates only those that moved."""
    whole = both.groupby(["night", *SERIES, "dimension"])[BOTH].transform("sum")
    enough = (whole["base"] >= min_rows) & (whole["former_base"] >= min_rows)
    z = pooled_z(whole["hits"], whole["base"], whole["former_hits"], whole["former_base"])
    return both[enough & ((both["metric"] != "missing_rate") | (np.abs(z) >= TELLING))]


def _split(rows: pd.DataFrame) -> pd.DataFrame:
    """One dimension on all its nights: dense arrays of series by parts, then a row per part and one for the whole."""
    grouped = rows.groupby(["night", *SERIES], sort=True)
    keys, place = grouped.size().index.to_frame(index=False), grouped.ngroup().to_numpy()
    names, part = np.unique(rows["segment"].to_numpy(dtype=object), return_inverse=True)
    cube = np.zeros((len(BOTH), len(keys), len(names)))
    cube[:, place, part] = rows[BOTH].to_numpy(dtype=np.float64).T
    now, former = Counts(*cube[:4]), Counts(*cube[5:9])
    causes = split(now, former)
    figures = {
        "value": ratio(now.hits, now.base), "n": now.base, "former": ratio(former.hits, former.base),
        "former_n": former.base, "share": ratio(now.base, ordered_sum(now.base)[:, None]),
        "former_share": ratio(former.base, ordered_sum(former.base)[:, None]), "change": causes.total,
        "mix": causes.mix, "base": causes.base, "coverage": causes.coverage, "rate": causes.rate,
    }  # fmt: skip
    each = pd.DataFrame({name: values[place, part] for name, values in figures.items()})
    each = pd.concat([keys.iloc[place].reset_index(drop=True), each.assign(segment=names[part])], axis=1)
    whole = pd.DataFrame({name: ordered_sum(figures[name]) for name in SUMMED})
    value, past = ratio(ordered_sum(now.hits), whole["n"]), ratio(ordered_sum(former.hits), whole["former_n"])
    whole = pd.concat([keys, whole], axis=1).assign(
        segment="all", value=value, former=past, share=1.0, former_share=1.0
    )
    return pd.concat([whole, each], ignore_index=True).assign(dimension=rows["dimension"].iloc[0])


def table_of(name: str, parts: Iterable[pd.DataFrame], spec: ModelSpec) -> pd.DataFrame:
    """All rows in the table's columns; none of none."""
    columns = list(BY_NAME[name].columns)
    full = [part for part in parts if len(part)]
    if not full:
        return pd.DataFrame(columns=columns)
    made = pd.concat(full, ignore_index=True)
    day = made["night"] - pd.to_timedelta(made["label_age"].clip(lower=0), unit="D").dt.as_unit("us")
    age = made["label_age"].astype("Int32")
    return made.assign(day=day, label_age=age.mask(age < 0), model=spec.model)[columns]
