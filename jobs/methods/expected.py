"""Verdicts of `outside: expected`: figures against what Prophet, or the seasonal median, expects of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.language import say
from jobs.methods import budget, forecast, recurring, rules, scale, specificity, wording
from jobs.methods.definitions import BY_NAME
from jobs.methods.verdicts import SERIES
from jobs.spec.judging import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    import numpy.typing as npt

    from jobs.methods.forecast import Judged, Series
    from jobs.spec.judging import Detection
    from jobs.spec.model import ModelSpec

    JudgeAll = Callable[[Sequence[Series]], list[Judged]]

PAST = ["metric", "version", "feature", "segment", "age", "day"]


def outside_rules(spec: ModelSpec) -> list[Rule]:
    """The spec's rules about expected ranges; a watched series without one gets it as information."""
    given = [rule for rule in spec.all_rules if rule.outside]
    named = {rule.metric for rule in given if rule.segments == "all"}
    return given + [
        Rule(metric=metric, outside="expected", severity="info")
        for metric in spec.detection.metrics
        if metric not in named
    ]


def expect(figures: pd.DataFrame, past: pd.DataFrame, judge_all: JudgeAll) -> pd.DataFrame:
    """The figures of some series with `expected`, `lower`, `upper`, `distance`, `detector`, `note` filled in.

    `figures`: rows of all series, as `jobs.methods.rules` has them; `past`: what earlier nights expected, columns
    PAST with `expected` and `distance`. `judge_all` judges a list of series.
    """
    known = figures.merge(past[[*PAST, "expected", "distance"]], how="left", on=PAST).sort_values(
        [*SERIES, "day"], kind="stable", ignore_index=True
    )
    groups = [group for _, group in known.groupby(list(SERIES), sort=False)]
    if not groups:
        return known
    judged = judge_all([_series(group) for group in groups])
    told = [
        group.drop(columns=["lower", "upper"]).assign(
            expected=one.expected, lower=one.lower, upper=one.upper, distance=one.distance, reach=one.reach,
            detector=one.detector, note=one.note,
        )
        for group, one in zip(groups, judged, strict=True)
    ]  # fmt: skip
    return pd.concat(told, ignore_index=True)


def budgeted(told: pd.DataFrame, asked: Sequence[Rule], detection: Detection, first: date) -> pd.DataFrame:
    """Adds `harmful`, how far each figure reaches on the side that hurts, and `limit`, beyond which it is an alarm.

    All series of a night share the model's budget; `leaning`: another figure of the day lowers the limit, see `leant`.
    A series that often leaves its range must go `farther`, and `comparable` is how far it then reaches as others do.
    Nights from `first` on are judged with it.
    """
    if told.empty:
        return told
    side = told["metric"].map({metric: SIDES[BY_NAME[metric].harm] for metric in told["metric"].unique()})
    reach = told["reach"].to_numpy(dtype=float)
    harmful = np.where(side == 0, np.abs(reach), side * reach)
    nights = told["night"].to_numpy().astype("datetime64[D]")
    since = first - timedelta(days=lookback(asked, int(told["age"].max())))
    farther = _farther(told.assign(harmful=harmful), asked, detection, np.datetime64(since))
    comparable = recurring.comparable(harmful, farther, detection.limit)
    limit = budget.limits(nights, comparable, detection.false_alarms, detection.limit * (1 - budget.TOGETHER))
    better = -side.to_numpy() * reach > detection.limit
    return told.assign(
        harmful=harmful, farther=farther, comparable=comparable, better=better, limit=limit, leaning=False
    )


def _farther(
    told: pd.DataFrame, asked: Sequence[Rule], detection: Detection, since: np.datetime64
) -> npt.NDArray[np.float64]:
    """Of each figure how many times the limit it must reach; what no rule would have told is no time it was outside."""
    answer = np.ones(len(told))
    days, nights = (told[name].to_numpy().astype("datetime64[D]") for name in ("day", "night"))
    harmful, n = (told[name].to_numpy(dtype=float, na_value=np.nan) for name in ("harmful", "n"))
    metrics = told["metric"].to_numpy()
    for rows in told.groupby(list(SERIES), sort=False).indices.values():
        metric = str(metrics[rows[0]])
        about = [rule for rule in asked if rule.metric == metric]
        in_a_row = min((rule.nights for rule in about), default=1)
        least = min((rule.min_n for rule in about), default=0) if BY_NAME[metric].guarded else 0
        seen = np.where(n[rows] < least, np.nan, harmful[rows])
        answer[rows] = recurring.farther(days[rows], nights[rows], seen, detection, in_a_row, since)
    return answer


def leant(told: pd.DataFrame, asked: Sequence[Rule], detection: Detection, first: date) -> pd.DataFrame:
    """`told`, as `budgeted` answers it, with lower limits on days of which somebody is told by another figure anyway.

    Only a breach of a rule that wakes somebody counts, not information, too few rows, or a night that waits for more.
    Nights from `first` on are looked at, less what their oldest figures look back to.
    """
    if told.empty:
        return told
    since = first - timedelta(days=lookback(asked, int(told["age"].max())))
    out = np.zeros(len(told), dtype=bool)
    for rule in asked:
        if rule.severity != "info":
            out |= _breaching(rule, told, detection, since, asked)
    named = told.groupby([name for name in SERIES if name != "age"], sort=False).ngroup().to_numpy()
    alone = told.groupby(list(SERIES), sort=False).ngroup().to_numpy()
    days, nights = (told[name].to_numpy().astype("datetime64[D]") for name in ("day", "night"))
    near = budget.beside(alone, named, days, nights, out)
    limit = told["limit"].to_numpy()
    lower = np.where(near, np.minimum(limit, detection.limit * (1 - budget.BESIDE)), limit)
    return told.assign(limit=lower, leaning=near & ~(told["comparable"].to_numpy() > limit))


def lookback(asked: Sequence[Rule], oldest: int) -> int:
    """Nights before a judged one whose verdicts say whether it leans on another figure; ages are at most `oldest`.

    A rule that waits for nights in a row looks back on them, and they may have leant. What another figure of the same
    day was, it was on a night of its own, as much earlier as it is younger; and whether anew, its weeks before say.
    """
    streak = max((rule.nights for rule in asked), default=0) + rules.GRACE_DAYS
    return streak + oldest + int(budget.QUIET.astype(int)) + 1


def _breaching(
    rule: Rule, told: pd.DataFrame, detection: Detection, since: date, rivals: Sequence[Rule]
) -> npt.NDArray[np.bool_]:
    """Which rows of `told` the rule breaches by themselves, from the night `since` on."""
    verdicts = judge(rule, told.assign(row=np.arange(len(told))), detection, since, rivals)
    out = np.zeros(len(told), dtype=bool)
    if not verdicts.empty:
        out[verdicts.loc[verdicts["verdict"] == "breach", "row"].to_numpy()] = True
    return out


SIDES = {"up": 1.0, "down": -1.0, "both": 0.0}
"""Sign of the side that hurts."""


def _series(group: pd.DataFrame) -> Series:
    metric = str(group["metric"].iloc[0])
    lower, upper = (group[side].to_numpy(dtype=float) for side in ("lower", "upper"))
    value = group["value"].where(group["state"] != "not_evaluated").to_numpy(dtype=float)
    return forecast.Series(
        kind=scale.KINDS[metric],
        age=int(group["age"].iloc[0]),
        days=group["day"].to_numpy().astype("datetime64[D]"),
        value=value,
        n=group["n"].to_numpy(dtype=float, na_value=np.nan),
        error=scale.standard_error(metric, lower, upper),
        expected=group["expected"].to_numpy(dtype=float),
        distance=group["distance"].to_numpy(dtype=float),
    )


def judge(
    rule: Rule, told: pd.DataFrame, detection: Detection, first: date, rivals: Sequence[Rule] = ()
) -> pd.DataFrame:
    """Verdicts of one rule for the nights from `first` on; `told` as `budgeted` answers it."""
    chosen = rules.select(rule, told, rivals)
    if chosen.empty:
        return chosen
    chosen["why"] = _why_not(rule, chosen)
    effect = specificity.large_enough(
        rule.min_effect, chosen["value"].to_numpy(dtype=float), chosen["expected"].to_numpy(dtype=float)
    )
    chosen["beyond"] = (chosen["why"] == "") & (chosen["comparable"] > chosen["limit"]) & effect
    chosen["streak"] = rules.streak(chosen, rule.nights)
    now = chosen[chosen["night"] >= pd.Timestamp(first)].reset_index(drop=True)
    better = (now["why"] == "") & now["better"]
    unsaid = (now["why"] == "") & (now["comparable"] <= now["limit"]) & (now["harmful"] > detection.limit)
    usual = unsaid & (now["farther"] > 1)
    needed = recurring.needed(now["limit"].to_numpy(), now["farther"].to_numpy(), detection.limit)
    breach = now["beyond"] & (now["streak"] >= rule.nights)
    verdict = np.select([now["why"] != "", breach], ["not_evaluated", "breach"], "ok")
    return now.assign(
        rule=rule.name,
        verdict=verdict,
        severity=rule.severity,
        action=rule.action,
        reason=_reasons(
            rule, now.assign(breach=breach, better=better, chance=unsaid & ~usual, usual=usual, needed=needed)
        ),
    )


def _why_not(rule: Rule, chosen: pd.DataFrame) -> pd.Series[str]:
    """Why a figure is not judged; empty where it is."""
    few = (chosen["n"] < rule.min_n).fillna(False) & BY_NAME[rule.metric].guarded
    rows = chosen["n"].fillna(0).astype("int64").astype(str) + f" rows, rule needs {rule.min_n}"
    why = rows.where(few, "")
    why = chosen["note"].where(~np.isfinite(chosen["distance"]), why)
    empty = ~np.isfinite(chosen["value"]) | (chosen["state"] == "not_evaluated")
    return chosen["reason"].fillna("no value").where(empty, why)


def _reasons(rule: Rule, now: pd.DataFrame) -> np.ndarray:
    answer = np.full(len(now), say("within the expected range"), dtype=object)
    unknown = now["why"] != ""
    answer[unknown] = now.loc[unknown, "why"]
    answer[now["chance"]] = say("outside the expected range, which chance explains over all series of the night")
    answer[now["usual"]] = [
        say(USUAL if abs(distance) >= reach else USUAL_TOGETHER, reach=f"{reach:.1f}", needed=f"{needed:.1f}")
        for distance, reach, needed in now.loc[now["usual"], ["distance", "harmful", "needed"]].itertuples(index=False)
    ]
    waiting = now["beyond"] & ~now["breach"]
    answer[waiting] = [
        say("outside the expected range {streak} of {nights} nights", streak=streak, nights=rule.nights)
        for streak in now.loc[waiting, "streak"]
    ]
    figures = ["value", "expected", "lower", "upper", "distance", "detector"]
    for chosen in (now["breach"], now["better"]):
        answer[chosen] = [
            _sentence(rule.metric, tuple(row[:4]), row[4], row[5])
            for row in now.loc[chosen, figures].itertuples(index=False)
        ]
    leaning = now["breach"] & now["leaning"]
    answer[leaning] = [say("{told}, {more}", told=told, more=say(LEANING)) for told in answer[leaning]]
    answer[now["better"]] = [say("better than expected: {told}", told=told) for told in answer[now["better"]]]
    noted = ~unknown & (now["note"] != "")
    answer[noted] = answer[noted] + "; " + now.loc[noted, "note"]
    return answer


TOGETHER = {
    "ewma": "and so were the nights before it, together more than chance explains",
    "scatter": "and the nights before it scatter more than they should",
}
"""What is added where one night alone would not have been told."""

USUAL = "outside the expected range, as several times before: {reach} deviations away, of {needed} it would be told"
USUAL_TOGETHER = "with the nights before it outside, as several times before: as rare as {reach} deviations"
"""What is said of a figure that leaves its range again and again, alone and together with other nights."""

LEANING = "on a day on which other figures left their range"
"""What is added where the figure alone would not have been told."""


def _sentence(metric: str, figures: tuple[float, float, float, float], distance: float, detector: str) -> str:
    """How far a figure is from what was expected.

    `figures`: the value, what was expected, and both ends of the range.

    >>> _sentence("accuracy", (0.831, 0.95, 0.93, 0.96), -9.13, "prophet")
    'accuracy 83.1 % is below the expected 95.0 % (93.0 % to 96.0 %), 9.1 deviations away'
    """
    shown = [wording.number(metric, figure) for figure in figures]
    gaps = dict(zip(("value", "expected", "lower", "upper"), shown, strict=True))
    told = say(
        "{metric} {value} is below the expected {expected} ({lower} to {upper}), {distance} deviations away"
        if distance < 0
        else "{metric} {value} is above the expected {expected} ({lower} to {upper}), {distance} deviations away",
        metric=wording.name(metric), distance=f"{abs(distance):.1f}", **gaps,
    )  # fmt: skip
    return say("{told}, {more}", told=told, more=say(TOGETHER[detector])) if detector in TOGETHER else told
