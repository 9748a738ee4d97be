"""Threshold rules: which figures are beyond a bound that someone finds worth having, and by more than chance.

Figures are rows of `metrics` for the nights judged and the past that rules look back on, one row per series and day:
`day` (datetime64), `age` (int, 0 where there is none), `night` = day + age, version, metric, feature, segment,
label_age, value, n, lower, upper, state, reason. Everything is computed for all nights and series at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods import scale, shares, specificity, versions
from jobs.methods.definitions import BY_NAME
from jobs.methods.verdicts import SERIES, Text, reasons

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import numpy.typing as npt

    from jobs.methods.scale import Floats
    from jobs.spec.judging import Detection, Rule

RECENT_NEEDED = 14
"""Evaluated days in the recent window, below which nothing is called usual."""

BOUNDED_BY_CHANCE = ("psi", "js", "wasserstein", "wasserstein_units", "chi2", "l_infinity", "hellinger", "model_drift")
CHANCE = {**{one: f"{one}_null_limit" for one in BOUNDED_BY_CHANCE}, "ks": "ks_p"}
"""Distances from the reference, and the metric that tells what chance alone explains of each."""

GRACE_DAYS = 27
"""Days without judgement that a row of consecutive nights may span in all."""


@dataclass(frozen=True)
class World:
    """What rules look at besides the figures."""

    reference: pd.DataFrame
    """`version`, `feature`, `value` (missing rate), `n`: the reference that each version is held against."""
    first_days: pd.DataFrame
    """`version`, `first_day`: live versions and the day each first answered."""
    tightness: Mapping[str, float] = field(default_factory=dict)
    """By feature, what a general limit is multiplied by; see `jobs.methods.specificity.tightness`."""


def lookback(rule: Rule, detection: Detection) -> int:
    """Nights before the judged one whose figures the rule needs."""
    window = max(detection.recent_days + detection.recent_gap, 2 * versions.WINDOW + 1)
    if rule.against == "share":
        window = shares.lookback(detection.recent_days, detection.recent_gap)
    return window + (rule.nights - 1 + GRACE_DAYS if rule.nights > 1 else 0)


def select(rule: Rule, figures: pd.DataFrame, rivals: Iterable[Rule] = ()) -> pd.DataFrame:
    """The rows of `figures` that the rule is about; live versions together, or each where they are not summed.

    `rivals`: all rules; a figure that a more specific one of them is about is left to that one.
    """
    chosen = figures["metric"] == rule.metric
    if isinstance(rule.segments, str):
        chosen &= (figures["segment"] == "all") == (rule.segments == "all")
    chosen &= specificity.named(rule, figures) & ~specificity.taken(rule, rivals, figures)
    found = figures[chosen]
    if rule.against == "previous_version":
        return found[found["version"] != "all"].reset_index(drop=True)
    if rule.versions is not None:
        return found.reset_index(drop=True)
    summed = (
        (found["version"] == "all")
        .groupby([found[key] for key in ("day", "feature", "segment", "age")])
        .transform("any")
    )
    return found[(found["version"] == "all") | ~summed].reset_index(drop=True)


def judge(
    rule: Rule, figures: pd.DataFrame, world: World, detection: Detection, first: date, rivals: Iterable[Rule] = ()
) -> pd.DataFrame:
    """Verdicts of one rule with a bound for the nights from `first` on; columns as `verdicts.COLUMNS` says.

    `rivals`: all rules of the spec, of which the most specific one judges a figure.

    Raises ValueError for a rule without a bound of its own (`outside: expected`).
    """
    chosen = _with_former(rule, select(rule, figures, rivals), figures, world, detection)
    if chosen.empty:
        return chosen
    chosen = _beyond(rule, chosen, figures, detection.error_rate, world.tightness)
    chosen["streak"] = streak(chosen, rule.nights)
    told = chosen[chosen["night"] >= pd.Timestamp(first)].reset_index(drop=True)
    return _verdicts(rule, told)


# what a figure is held against ----------------------------------------------------------------------------------


def _with_former(
    rule: Rule, chosen: pd.DataFrame, figures: pd.DataFrame, world: World, detection: Detection
) -> pd.DataFrame:
    """Adds `former`, `former_n`, and `why` nothing is known to compare with (else empty)."""
    chosen = chosen.assign(why=np.where(_told(chosen), "", chosen["reason"].fillna("no value")), former_version="")
    few = (chosen["why"] == "") & (chosen["n"] < rule.min_n) & BY_NAME[rule.metric].guarded
    if rule.against != "previous_version":
        chosen = _too_few(chosen, few, rule.min_n)
    if rule.above is not None or rule.below is not None:
        return chosen.assign(former=np.nan, former_n=np.inf)
    match rule.against:
        case "recent":
            return _recently(chosen, detection)
        case "reference":
            return _in_reference(rule, chosen, figures, world.reference)
        case "share":
            return _by_share(chosen, figures, detection)
        case "previous_version":
            pooled = versions.against_previous(chosen, figures, world.first_days)
            return _too_few(pooled, (pooled["why"] == "") & (pooled["n"] < rule.min_n), rule.min_n)


def _told(chosen: pd.DataFrame) -> pd.Series[bool]:
    return chosen["value"].notna() & (chosen["state"] != "not_evaluated")


def _too_few(chosen: pd.DataFrame, few: pd.Series[bool], needed: int) -> pd.DataFrame:
    text = chosen["n"].fillna(0).astype("int64").astype(str) + f" rows, rule needs {needed}"
    return chosen.assign(why=chosen["why"].where(~few, text))


def _recently(chosen: pd.DataFrame, detection: Detection) -> pd.DataFrame:
    """The median of the series at the same age over the window that ends `recent_gap` days before the day."""
    series = chosen.groupby(list(SERIES), sort=True, dropna=False).ngroup().to_numpy()
    start = chosen["day"].min() if len(chosen) else pd.Timestamp(0)
    offset = (chosen["day"] - start).dt.days.to_numpy()
    shape = (int(offset.max(initial=-1)) + 1, int(series.max(initial=-1)) + 1)
    told = _told(chosen).to_numpy()
    table, rows = np.full(shape, np.nan), np.zeros(shape)
    table[offset[told], series[told]] = chosen["value"].to_numpy()[told]
    rows[offset[told], series[told]] = chosen["n"].to_numpy()[told]
    days, gap = detection.recent_days, detection.recent_gap
    median = pd.DataFrame(table).rolling(days, min_periods=min(RECENT_NEEDED, days)).median().shift(gap).to_numpy()
    known = pd.DataFrame(np.isfinite(table) * 1.0).rolling(days, min_periods=1).sum().shift(gap).fillna(0).to_numpy()
    pooled = pd.DataFrame(rows).rolling(days, min_periods=1).sum().shift(gap).to_numpy()
    former = median[offset, series]
    nights = pd.Series(known[offset, series], index=chosen.index).astype("int64").astype(str)
    short = (chosen["why"] == "") & ~np.isfinite(former)
    text = "only " + nights + f" nights of history in the recent window, {min(RECENT_NEEDED, days)} needed"
    return chosen.assign(former=former, former_n=pooled[offset, series], why=chosen["why"].where(~short, text))


def _by_share(chosen: pd.DataFrame, figures: pd.DataFrame, detection: Detection) -> pd.DataFrame:
    """What the segment's usual share makes of the day's rows; adds `spread`, how far that strays."""
    whole = figures[(figures["metric"] == "volume") & (figures["segment"] == "all") & _told(figures)]
    usual = shares.usual(chosen, whole, detection.recent_days, detection.recent_gap)
    short = (chosen["why"] == "") & ~np.isfinite(usual.spread)
    nights = pd.Series(usual.nights, index=chosen.index).astype("int64").astype(str)
    text = "only " + nights + f" nights of history of its share, {shares.NEEDED} needed"
    text = text.where(usual.nights < shares.NEEDED, "there is no rest of the day to hold it against")
    why = chosen["why"].where(~short, text)
    return chosen.assign(former=usual.expected, former_n=np.inf, spread=usual.spread, why=why)


def _in_reference(rule: Rule, chosen: pd.DataFrame, figures: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """The reference's own rate of missing values; judged, and told, only where PSI too has a reference that night.

    `reference` is the profile as it is now: a night before it was complete did not know it, also when it is run again.
    """
    if rule.metric != "missing_rate":
        why = chosen["why"].where(chosen["why"] != "", f"the reference keeps no {rule.metric}")
        return chosen.assign(former=np.nan, former_n=np.nan, why=why)
    keys = ["day", "version", "feature"]
    drift = figures[(figures["metric"] == "psi") & (figures["segment"] == "all")]
    drift = drift[[*keys, "value", "reason"]].rename(columns={"value": "psi", "reason": "psi_reason"})
    known = reference.rename(columns={"value": "former", "n": "former_n"})
    merged = chosen.merge(drift, how="left", on=keys).merge(known, how="left", on=["version", "feature"])
    then = np.isfinite(merged["psi"]) & np.isfinite(merged["former"])
    gone = (merged["why"] == "") & ~then
    why = merged["why"].where(~gone, merged["psi_reason"].fillna("no reference for this feature yet"))
    former, former_n = merged["former"].where(then), merged["former_n"].where(then)
    return merged.drop(columns=["psi", "psi_reason"]).assign(why=why, former=former, former_n=former_n)


# beyond the bound, and by more than chance ----------------------------------------------------------------------


def _beyond(
    rule: Rule, chosen: pd.DataFrame, figures: pd.DataFrame, error_rate: float, tightness: Mapping[str, float]
) -> pd.DataFrame:
    """Adds `bound`, `distance`, `past_bound` (what the rule calls worth having) and `beyond` (and not chance).

    And `factor`, by which a feature's importance moved the bound.
    """
    judged = (chosen["why"] == "").to_numpy()
    value, former = chosen["value"].to_numpy(dtype=float), chosen["former"].to_numpy(dtype=float)
    falling = rule.below is not None or rule.drop is not None
    factors = specificity.factors(rule, chosen["feature"], tightness)
    bound = _bound(rule, chosen, figures, factors)
    crossed = (value < bound) if falling else (value > bound)
    crossed &= specificity.large_enough(rule.min_effect, value, np.where(np.isfinite(former), former, bound))
    share = np.asarray(chosen["night"].map(chosen.loc[judged, "night"].value_counts()), dtype=np.float64)
    if rule.metric in CHANCE and rule.above is not None:
        distance = value / bound
        certain = np.ones(len(chosen), dtype=bool)  # the bound is never below what chance alone explains
        if rule.metric == "ks":
            certain = _beside(chosen, figures, "ks_p") < error_rate / share
    else:
        base = np.where(np.isfinite(former), former, bound)
        with np.errstate(invalid="ignore", divide="ignore"):
            stray = chosen["spread"] if "spread" in chosen else _standard_error(rule.metric, chosen, base)
            distance = (value - base) / np.asarray(stray, dtype=np.float64)
        critical = _quantile(error_rate, share, rule.nights)
        certain = (-distance if falling else distance) > critical
    return chosen.assign(
        bound=bound,
        factor=factors,
        distance=np.where(judged & np.isfinite(distance), distance, np.nan),
        past_bound=judged & crossed,
        beyond=judged & crossed & certain,
    )


def _bound(rule: Rule, chosen: pd.DataFrame, figures: pd.DataFrame, factors: Floats) -> Floats:
    former = chosen["former"].to_numpy(dtype=float)
    if rule.above is not None and rule.metric in CHANCE:
        least = rule.above * factors
        null = _beside(chosen, figures, CHANCE[rule.metric]) if rule.metric != "ks" else least
        return np.asarray(np.fmax(null, least), dtype=np.float64)
    if rule.above is not None or rule.below is not None:
        return np.full(len(chosen), rule.above if rule.above is not None else rule.below, dtype=float)
    change = rule.drop or rule.rise
    if change is None:
        raise ValueError(f"rule '{rule.name}' has no bound of its own; it is judged by its expected range")
    step = factors * (change.amount if change.unit == "pp" else np.abs(former) * change.amount)
    return np.asarray(former - step if rule.drop else former + step)


def _beside(chosen: pd.DataFrame, figures: pd.DataFrame, metric: str) -> Floats:
    """Another metric of the same days, versions, features and segments; NaN where it has no row."""
    keys = ["day", "version", "feature", "segment", "age"]
    rows = figures.loc[figures["metric"] == metric, [*keys, "value"]]
    return chosen[keys].merge(rows, how="left", on=keys)["value"].to_numpy(dtype=float)


def _standard_error(metric: str, chosen: pd.DataFrame, base: Floats) -> Floats:
    """Of the difference between a figure and what it is held against, if nothing had changed.

    Proportions: pooled two-sample form (a fixed bound has no error of its own). Counts: Poisson. Others: from the
    figure's interval, 0 where it has none, so that the bound alone decides.
    """
    value, n = chosen["value"].to_numpy(dtype=float), chosen["n"].to_numpy(dtype=float)
    former_n = chosen["former_n"].to_numpy(dtype=float)
    if metric == "volume":
        return np.asarray(np.sqrt(np.maximum(base, 1.0)), dtype=np.float64)
    if metric in scale.PROPORTIONS:
        with np.errstate(invalid="ignore"):
            pooled = np.where(np.isfinite(former_n), (n * value + former_n * base) / (n + former_n), base)
        pooled = np.clip(pooled, 0.0, 1.0)
        return np.asarray(np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / former_n)))
    error = scale.standard_error(metric, chosen["lower"].to_numpy(dtype=float), chosen["upper"].to_numpy(dtype=float))
    return np.asarray(np.nan_to_num(error, nan=0.0))


def _quantile(error_rate: float, figures: Floats, nights: int) -> Floats:
    """One-sided normal quantile of each figure's share of the night's error rate.

    A rule that waits for several nights looks at as many independent samples: all of them beyond chance is as rare
    as the product of their levels, so each night's level is the root of the share.

    >>> _quantile(0.01, np.array([1.0, 10.0]), nights=1).round(2), _quantile(0.01, np.array([1.0]), nights=2).round(2)
    (array([2.33, 3.09]), array([1.28]))
    """
    answers = np.full(figures.shape, np.inf)
    for count in np.unique(figures[np.isfinite(figures)]):
        answers[figures == count] = NormalDist().inv_cdf(1 - (error_rate / count) ** (1 / nights))
    return answers


def streak(chosen: pd.DataFrame, nights: int) -> npt.NDArray[np.int64]:
    """How many judged nights in a row, this one included and at most `nights`, were beyond the bound.

    Nights that were not judged neither count nor break the row, unless it would span more than `nights` + 27 days.
    Needs `night`, `why`, `beyond` and the series' columns; answers in the order of the rows, 0 where not judged.
    """
    answer = np.zeros(len(chosen), dtype=np.int64)
    judged = chosen[chosen["why"] == ""].sort_values([*SERIES, "day"], kind="stable")
    if judged.empty:
        return answer
    series = judged.groupby(list(SERIES), sort=False, dropna=False).ngroup().to_numpy()
    night = judged["night"].to_numpy().astype("datetime64[D]").astype(np.int64)
    beyond = judged["beyond"].to_numpy()
    running, count = beyond.copy(), beyond.astype(np.int64)
    for back in range(1, nights):
        before = np.zeros(len(judged), dtype=bool)
        before[back:] = (
            beyond[:-back] & (series[back:] == series[:-back]) & (night[back:] - night[:-back] < nights + GRACE_DAYS)
        )
        running &= before
        count += running
    answer[judged.index.to_numpy()] = count
    return answer


# verdicts -------------------------------------------------------------------------------------------------------


def _verdicts(rule: Rule, told: pd.DataFrame) -> pd.DataFrame:
    breach = told["beyond"] & (told["streak"] >= rule.nights)
    verdict = np.select([told["why"] != "", breach], ["not_evaluated", "breach"], "ok")
    falling = rule.below is not None or rule.drop is not None
    detector = "bound" if rule.above is not None or rule.below is not None else rule.against
    return told.assign(
        rule=rule.name,
        verdict=verdict,
        severity=rule.severity,
        action=rule.action,
        detector=detector,
        expected=told["former"],
        lower=told["bound"] if falling else np.nan,
        upper=np.nan if falling else told["bound"],
        reason=reasons(rule, told.assign(verdict=verdict, detector=detector), Text(falling=falling)),
    )
