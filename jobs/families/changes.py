"""New live versions since they began, beside the 28 days before of those they replaced: other rows, on other days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods import versions
from jobs.methods.contrasts import pooled_z
from jobs.methods.intervals import ratio
from jobs.methods.search import overdispersion

if TYPE_CHECKING:
    from jobs.families import Past, Reached
    from jobs.methods.intervals import Floats

KEYS = ["day", "version", "former_version"]


def in_accuracy(past: Past, age: Reached) -> pd.DataFrame:
    """Right decisions (`hits`) of the labelled ones (`n`), as `pooled` answers."""
    known = past.labels[past.labels["label_age"] == age.age]
    hits = known["n_true_positive"] + known["n_true_negative"]
    decided = hits + known["n_false_positive"] + known["n_false_negative"]
    return _judged(pooled(past, known.assign(hits=hits, asked=known["n"], n=decided)), age)


def in_conversion(past: Past, age: Reached) -> pd.DataFrame:
    """Conversions (`hits`) by the last outcome age that the label age has reached; no rows before the first."""
    ages = [one.age for one in past.outcome_ages if one.age <= age.age]
    known = past.outcomes[past.outcomes["label_age"] == max(ages, default=-1)]
    return _judged(pooled(past, known.assign(hits=known["n_converted"], asked=known["n"], n=known["n_counted"])), age)


def pooled(past: Past, counts: pd.DataFrame) -> pd.DataFrame:
    """Sums of both versions on each day of a new one.

    `counts`: day, version, segment, hits, n, asked (predictions). Answers `KEYS`, `hits`, `n`, `former_hits`,
    `former_n`, `coverage` (the lesser n / asked of both) and `times`: how many times more than by chance the former
    version's share varied from day to day. Days differ in more than the version, so chance is that much larger.
    """
    new, sums = past.new, ["hits", "n", "asked"]
    daily = counts.loc[counts["segment"] == "all", ["day", "version", *sums]]
    mine = daily.merge(new, on="version")
    mine = mine[(mine["day"] >= mine["first_day"]) & (mine["day"] <= mine["until"])].sort_values(["version", "day"])
    mine[sums] = mine.groupby("version")[sums].cumsum()
    squares = np.nan_to_num(ratio(daily["hits"] ** 2, daily["n"]))
    old = daily.assign(squares=squares, told=(daily["n"] > 0).astype("int64")).rename(
        columns={"version": "former_version"}
    )
    old = old.merge(new, on="former_version")
    start = old["first_day"] - pd.Timedelta(versions.WINDOW, "D")
    old = old[(old["day"] < old["first_day"]) & (old["day"] >= start)].sort_values(["version", "day"])
    before = old.groupby("version")[[*sums, "squares", "told"]].sum().add_prefix("former_").reset_index()
    both = mine.merge(before, on="version")
    covered = ratio(both["n"], both["asked"]), ratio(both["former_n"], both["former_asked"])
    spread = (both[f"former_{name}"] for name in ("hits", "n", "squares", "told"))
    both = both.assign(coverage=np.minimum(*covered), times=overdispersion(*spread))
    return both[[*KEYS, "hits", "n", "former_hits", "former_n", "coverage", "times"]]


def standardised(both: pd.DataFrame) -> Floats:
    """How many standard errors the new version's share lies above the former's, days being as unlike as they were."""
    four = (both[name].to_numpy() for name in ("hits", "n", "former_hits", "former_n"))
    return np.asarray(pooled_z(*four) / np.sqrt(both["times"].to_numpy()))


def _judged(both: pd.DataFrame, age: Reached) -> pd.DataFrame:
    return both[both["day"].between(pd.Timestamp(age.first), pd.Timestamp(age.last))].reset_index(drop=True)
