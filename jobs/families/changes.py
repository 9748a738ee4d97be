"""New live versions since they began, beside the 28 days before of those they replaced: other rows, on other days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.families.figures import CONVERSION, VALUE
from jobs.methods import versions
from jobs.methods.contrasts import pooled_z
from jobs.methods.intervals import ratio
from jobs.methods.means import overdispersion_of_means, sums_of, welch
from jobs.methods.search import overdispersion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.families import Past, Reached
    from jobs.families.figures import Figure
    from jobs.methods.intervals import Floats
    from jobs.methods.means import Sums

KEYS = ["day", "version", "former_version"]


FIGURES = ["hits", "n", "asked", "squares"]


def in_model(past: Past, age: Reached) -> pd.DataFrame:
    """The figure of the task (`hits` of the judged `n`) by the last label age that the age has reached, as `pooled`."""
    known = _by(past.labels, past.label_ages, age)
    counts = known.assign(
        hits=known["figure_sum"], squares=known["figure_square_sum"], asked=known["n"], n=known["n_judged"]
    )
    return _judged(pooled(past, counts, past.main), age)


def in_conversion(past: Past, age: Reached) -> pd.DataFrame:
    """Conversions (`hits`) by the last outcome age that the age has reached; no rows before the first."""
    known = _by(past.outcomes, past.outcome_ages, age)
    hits = known["n_converted"]
    counts = known.assign(hits=hits, squares=hits, asked=known["n"], n=known["n_counted"])
    return _judged(pooled(past, counts, CONVERSION), age)


def in_value(past: Past, age: Reached) -> pd.DataFrame:
    """The sum of values (`hits`) by the last outcome age that the age has reached; no rows before the first."""
    known = _by(past.outcomes, past.outcome_ages, age)
    counts = known.assign(
        hits=known["value_sum"], squares=known["value_square_sum"], asked=known["n"], n=known["n_worth"]
    )
    return _judged(pooled(past, counts, VALUE), age)


def pooled(past: Past, counts: pd.DataFrame, figure: Figure) -> pd.DataFrame:
    """Sums of both versions on each day of a new one.

    `counts`: day, version, segment, hits, squares, n, asked (predictions). Answers `KEYS`, `hits`, `squares`, `n`,
    the same with `former_`, `coverage` (the lesser n / asked of both) and `times`: how many times more than by chance
    the former version's figure varied from day to day. Days differ in more than the version, so chance is that much
    larger.
    """
    new = past.new
    daily = counts.loc[counts["segment"] == "all", ["day", "version", *FIGURES]]
    mine = daily.merge(new, on="version")
    mine = mine[(mine["day"] >= mine["first_day"]) & (mine["day"] <= mine["until"])].sort_values(["version", "day"])
    mine[FIGURES] = mine.groupby("version")[FIGURES].cumsum()
    spread = np.nan_to_num(ratio(daily["hits"] ** 2, daily["n"]))
    old = daily.assign(spread=spread, told=(daily["n"] > 0).astype("int64")).rename(
        columns={"version": "former_version"}
    )
    old = old.merge(new, on="former_version")
    start = old["first_day"] - pd.Timedelta(versions.WINDOW, "D")
    old = old[(old["day"] < old["first_day"]) & (old["day"] >= start)].sort_values(["version", "day"])
    before = old.groupby("version")[[*FIGURES, "spread", "told"]].sum().add_prefix("former_").reset_index()
    both = mine.merge(before, on="version")
    covered = ratio(both["n"], both["asked"]), ratio(both["former_n"], both["former_asked"])
    if figure.mean:
        sums = sums_of(both["former_n"], both["former_hits"], both["former_squares"])
        times = overdispersion_of_means(sums, both["former_spread"], both["former_told"])
    else:
        times = overdispersion(*(both[f"former_{name}"] for name in ("hits", "n", "spread", "told")))
    both = both.assign(coverage=np.minimum(*covered), times=times)
    return both[[*KEYS, "hits", "n", "squares", "former_hits", "former_n", "former_squares", "coverage", "times"]]


def standardised(both: pd.DataFrame, figure: Figure) -> Floats:
    """How many standard errors the new version does better than the former, days being as unlike as they were."""
    if figure.mean:
        return figure.better * welch(*sides_of(both), both["times"].to_numpy()).z
    four = (both[name].to_numpy() for name in ("hits", "n", "former_hits", "former_n"))
    return np.asarray(figure.better * pooled_z(*four) / np.sqrt(both["times"].to_numpy()))


def sides_of(both: pd.DataFrame) -> tuple[Sums, Sums]:
    """The new version's sums, and the former's."""
    new, old = (sums_of(*(both[f"{side}{name}"] for name in ("n", "hits", "squares"))) for side in ("", "former_"))
    return new, old


def _by(counts: pd.DataFrame, ages: Sequence[Reached], age: Reached) -> pd.DataFrame:
    """What was known by the last of its own ages that the age has reached; no rows before the first."""
    reached = max((one.age for one in ages if one.age <= age.age), default=-1)
    return counts[counts["label_age"] == reached]


def _judged(both: pd.DataFrame, age: Reached) -> pd.DataFrame:
    return both[both["day"].between(pd.Timestamp(age.first), pd.Timestamp(age.last))].reset_index(drop=True)
