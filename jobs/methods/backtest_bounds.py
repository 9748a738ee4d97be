"""Which bound a rule needs to stay within an alarm budget: history judged again at one bound after another.

Each bound is judged by the very function that judges a night, so nights in a row, minimum n, minimum effect, importance
and chance count as they do at night. The bounds tried are quantiles of each night's worst figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods import backtest, rules, specificity
from jobs.methods.definitions import BY_NAME
from jobs.spec.notation import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jobs.methods.backtest import Score
    from jobs.methods.labelled import Truth
    from jobs.methods.rules import World
    from jobs.methods.scale import Floats
    from jobs.spec.judging import Detection, Rule

    Judge = Callable[[float], pd.DataFrame]
    """A bound -> the rule's breaches of the period at it."""
    Rate = Callable[[pd.DataFrame], Score]

TRIED = 24
"""Bounds tried at most."""

LOOSEST = 0.5
"""The loosest one: half of the nights have a worse figure."""

NEEDED = 14
"""Judged nights below which no bound is suggested."""

BESIDE = ("volume", "psi", "psi_null_limit")


@dataclass(frozen=True)
class Suggestion:
    """The most sensitive bound that meets the budget, and what it would have brought; None: there is none."""

    size: float | None
    text: str
    """The bound as the spec says it, or why there is none."""
    score: Score | None = None


def kind(rule: Rule) -> str:
    """Which bound a rule has: above, below, drop, rise or outside."""
    return specificity.bound_of(rule)[0]


def size(rule: Rule, detection: Detection) -> float:
    """The bound's present size; shares for changes, deviations for an expected range."""
    given = detection.limit if rule.outside else getattr(rule, kind(rule))
    return float(given.amount if isinstance(given, Change) else given)


def with_size(rule: Rule, bound: float) -> Rule:
    """The same rule with another bound of the same kind.

    >>> from jobs.spec.judging import Rule
    >>> with_size(Rule(metric="accuracy", drop="10%"), 0.075).name
    'accuracy drop 7.5%'
    """
    name = kind(rule)
    given = getattr(rule, name)
    new = Change(amount=bound, unit=given.unit) if isinstance(given, Change) else float(bound)
    return rule.model_copy(update={name: new})


def told(rule: Rule, bound: float) -> str:
    """A bound as the spec says it."""
    if rule.outside:
        return f"detection.limit {bound:g}"
    given = getattr(rule, kind(rule))
    text = str(Change(amount=bound, unit=given.unit)) if isinstance(given, Change) else f"{bound:g}"
    return f"{kind(rule)} {text}"


def figures_of(rule: Rule, judged: pd.DataFrame, tightness: dict[str, float]) -> Floats:
    """What is compared with the bound, of each judged verdict; larger is worse (`below`: negative values).

    `judged`: `value`, `expected`, `distance`, `feature`.
    """
    value, former = judged["value"].to_numpy(dtype=float), judged["expected"].to_numpy(dtype=float)
    factors = specificity.factors(rule, judged["feature"], tightness)
    match kind(rule):
        case "outside":
            side = {"up": 1.0, "down": -1.0, "both": 0.0}[BY_NAME[rule.metric].harm]
            distance = judged["distance"].to_numpy(dtype=float)
            return np.abs(distance) if side == 0 else side * distance
        case "above":
            return value / factors if rule.metric == "psi" else value
        case "below":
            return -value
        case name:
            step = (former - value if name == "drop" else value - former) / factors
            change = rule.drop or rule.rise
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(step / np.abs(former) if change and change.unit == "%" else step)


def candidates(worst: Floats, *, falling: bool, sign: float) -> list[float]:
    """Bounds to try, the strictest first, which no night goes beyond.

    `worst`: each night's worst figure, ascending, negative for `falling`; `sign`: of the bounds that make sense, 0 any.

    >>> candidates(np.array([0.1, 0.2, 0.35, 0.6]), falling=False, sign=1)
    [0.6, 0.35]
    """
    worst = worst[np.isfinite(worst)]
    if not worst.size:
        return []
    levels = 1 - np.geomspace(LOOSEST, 1 / len(worst), TRIED) if len(worst) > 1 else np.array([1.0])
    chosen = [float(worst[-1]), *np.quantile(worst, levels, method="higher")[::-1].tolist()]
    rounded = dict.fromkeys(_stricter(figure) for figure in chosen)
    bounds = [-figure + 0.0 if falling else figure for figure in rounded]
    return [bound for bound in bounds if not sign or bound * sign > 0]


def _stricter(figure: float) -> float:
    """Three digits, never below the figure.

    >>> _stricter(0.21349), _stricter(-0.83449), _stricter(0.3)
    (0.214, -0.834, 0.3)
    """
    if figure == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(figure))) - 2)
    return float(f"{math.ceil(round(figure / step, 6)) * step:.12g}")


def judge_bounded(
    rule: Rule, figures: pd.DataFrame, world: World, detection: Detection, rivals: Iterable[Rule]
) -> Judge:
    """How a rule with a bound of its own judges the figures at another bound; breaches of all their nights."""
    needed = figures[figures["metric"].isin({rule.metric, *BESIDE})].reset_index(drop=True)
    first = needed["night"].min().date() if len(needed) else pd.Timestamp(0).date()
    everyone = list(rivals)

    def judge(bound: float) -> pd.DataFrame:
        rows = rules.judge(with_size(rule, bound), needed, world, detection, first, everyone)
        return rows[rows["verdict"] == "breach"] if len(rows) else rows

    return judge


def judge_outside(rule: Rule, rows: pd.DataFrame) -> Judge:
    """How a rule about expected ranges judges at another limit, from its verdicts with what was expected then.

    `rows`: all its verdicts, columns of the table. What is expected is left as it was, though a forecast learns a
    little less from days beyond the limit; the night's budget, nights together and what recurs are not counted again.
    """
    known = rows.assign(
        why=np.where(rows["verdict"] == "not_evaluated", "not judged", ""),
        age=rows["label_age"].fillna(0).astype("int64"),
    ).reset_index(drop=True)
    figure = figures_of(rule, known, {})
    value, expected = known["value"].to_numpy(dtype=float), known["expected"].to_numpy(dtype=float)
    able = (known["why"] == "").to_numpy() & specificity.large_enough(rule.min_effect, value, expected)

    def judge(bound: float) -> pd.DataFrame:
        now = known.assign(beyond=able & (figure > bound))
        return now[now["beyond"] & (rules.streak(now, rule.nights) >= rule.nights)]

    return judge


def suggest(
    rule: Rule, judge: Judge, worst: Floats, rate: Rate, budget: float, present: float, *, loosen: bool = True
) -> Suggestion:
    """The best bound that meets the budget together with every stricter one that is tried.

    Where incidents are labelled, the best is, of the bounds that are right at least as often as wrong, the one that
    finds most of them, then is wrong least often, then is earliest. Where none are, it is the most sensitive one. The
    present bound stays where it is as good, else the one nearest to it; a rule that never spoke is left alone.

    `worst`: as `candidates` takes it; `rate`: breaches -> what they would have been worth; `budget`: alarms a week;
    `present`: the bound as it is; `loosen`: whether a looser one may be suggested.
    """
    if len(worst) < NEEDED:
        return Suggestion(None, f"{len(worst)} nights judged, {NEEDED} needed for a suggestion")
    now = rate(judge(present))
    if not now.alarms:
        return Suggestion(None, "it never spoke, so no other bound is suggested")
    falling = kind(rule) == "below"
    tried = candidates(worst, falling=falling, sign=float(np.sign(present)))
    if not loosen:
        tried = [bound for bound in tried if (bound < present if falling else bound > present)]
    fitting: list[tuple[float, Score]] = []
    for bound in sorted({*tried, present}, reverse=not falling):
        scored = now if bound == present else rate(judge(bound))
        if scored.per_week > budget:
            if not any(one.alarms for _, one in fitting):
                often = f"{scored.per_week:.2g} times a week"
                return Suggestion(None, f"none: at {told(rule, bound)} it speaks {often}, at a stricter bound never")
            break
        fitting.append((bound, scored))
    bound, scored = fitting[-1]
    if now.labelled:
        fitting = [one for one in fitting if one[1].right and one[1].right >= one[1].wrong]
        if not fitting:
            return Suggestion(
                None, f"none is right as often as wrong; {told(rule, bound)} would stay within the budget"
            )
        scored = max((one for _, one in fitting), key=_worth)
    alike = [one for one in fitting if _worth(one[1]) == _worth(scored)]
    bound, scored = min(alike, key=lambda one: abs(one[0] - present))
    return Suggestion(bound, told(rule, bound), scored)


def _worth(score: Score) -> tuple[float, float, float]:
    """What tells bounds apart: where incidents are labelled what they are worth, else how often they speak."""
    if not score.labelled:
        return float(score.alarms), 0.0, 0.0
    return float(score.found), -float(score.wrong), -float(score.delay or 0.0)


def rating(truth: Truth | None, period_nights: pd.Series[pd.Timestamp], apart: int) -> Rate:
    """Breaches -> their worth over the nights of a period."""
    return partial(_rate, truth=truth, nights=period_nights, apart=apart)


def _rate(breaches: pd.DataFrame, truth: Truth | None, nights: pd.Series[pd.Timestamp], apart: int) -> Score:
    if len(breaches):
        breaches = breaches[breaches["night"].isin(nights)]
    return backtest.score(backtest.episodes(breaches, apart), truth, len(nights))
