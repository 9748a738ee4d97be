"""Replay a model's rules over its history, each night as of that night, and tell what they would have been worth.

Anomalies and incidents are pure functions of stored figures, so a replay is those two stages run over the published
history with any spec whose rules are to be tried. Nothing is sent, fired or kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from jobs.backtest_actions import Fired, fired, outcomes_of, requests_at
from jobs.backtest_incidents import incidents_of, opened_then, told_of
from jobs.backtest_replay import Replayed, periods, replay, same_figures
from jobs.backtest_truth import from_file, from_labels
from jobs.errors import UsageError
from jobs.methods import backtest, backtest_bounds, backtest_shared, expected, specificity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from jobs.methods.backtest import Score
    from jobs.methods.backtest_bounds import Judge, Suggestion
    from jobs.methods.labelled import Truth
    from jobs.methods.scale import Floats
    from jobs.periods import Period
    from jobs.spec.judging import Rule
    from jobs.spec.model import ModelSpec

DELIVERY = ("no data", "refused delivery", "no labels", "stuck")
"""Rules that are always on; they have no bound of their own."""


@dataclass(frozen=True)
class Asked:
    """What a backtest is asked for; `truth` a file, `fell` words, at most one of them."""

    first: date | None = None
    last: date | None = None
    truth: Path | None = None
    fell: str = ""
    budget: float = 0.5
    """Alarms a week that each rule may raise."""
    rules: tuple[str, ...] = ()
    """Only these, by name; none: all."""
    loosen: bool = False
    """Whether rules that ask for an action may be suggested a looser bound."""


@dataclass(frozen=True)
class RuleWorth:
    """What one rule would have been worth."""

    name: str
    severity: str
    action: str
    judged: int
    """Nights on which it judged any figure."""
    breaches: int
    """Nights on which it breached."""
    score: Score
    incidents: int
    """Incidents in which it breached on any night."""
    requested: int
    held: int
    bound: str
    suggestion: Suggestion | None
    """None for rules without a bound."""
    fires: int | None = None
    """How often its action would be requested at the suggested bound; None where the rule has none or it stays."""
    kept: bool = False
    """Whether no looser bound was looked for, as the rule asks for an action."""


@dataclass(frozen=True)
class Shared:
    """The one limit of all rules about expected ranges."""

    rules: int
    bound: str
    suggestion: Suggestion
    """Its score is of all of them together, and a week of the one that speaks most often."""


@dataclass(frozen=True)
class Backtest:
    """The answer."""

    model: str
    period: Period
    history: Period
    budget: float
    truth: Truth | None
    incidents: Score
    incidents_then: int
    """Incidents that the nights themselves opened in the period."""
    rules: tuple[RuleWorth, ...]
    shared: Shared | None
    """None where no rule about expected ranges is reported."""
    fired: tuple[Fired, ...]


def run(spec: ModelSpec, asked: Asked, home: Path, step: Callable[[str], object] = lambda _: None) -> Backtest:
    """Replay and measure. `step` is told what is being done.

    Raises UsageError where the period has not been run, a rule is not known, the truth cannot be read, or the spec
    changes more than rules; WarehouseError where nothing is published.
    """
    from jobs.engine.replay import replaying

    with replaying(home, spec.model) as warehouse:
        history, period = periods(spec, asked.first, asked.last, warehouse)
        same_figures(spec, warehouse)
        chosen = _chosen(spec, asked.rules)
        truth = from_file(asked.truth, period) if asked.truth else None
        if asked.fell:
            truth = from_labels(asked.fell, spec, history, period, warehouse)
        step("replay")
        replayed = replay(spec, history, period, warehouse)
        shared = _shared(replayed, truth, asked) if any(rule.outside for rule in chosen) else None
        worths = [_worth(rule, replayed, truth, asked, shared, step) for rule in chosen]
        worths += [_delivered(name, replayed, truth) for name in DELIVERY if not asked.rules or name in asked.rules]
        return Backtest(
            model=spec.model,
            period=period,
            history=history,
            budget=asked.budget,
            truth=truth,
            incidents=backtest.score(backtest.joined(told_of(replayed)), truth, len(period)),
            incidents_then=opened_then(warehouse, period),
            rules=tuple(worths),
            shared=shared,
            fired=tuple(fired(replayed)),
        )


# what may be asked ----------------------------------------------------------------------------------------------


def _chosen(spec: ModelSpec, names: Sequence[str]) -> list[Rule]:
    """The rules to report: those with these names, or all; with the info rules of watched series."""
    every = list(dict.fromkeys([*spec.all_rules, *expected.outside_rules(spec)]))
    known = {rule.name for rule in every} | set(DELIVERY)
    for name in names:
        if name not in known:
            from jobs.spec.complaints import meant

            raise UsageError(
                f"{spec.model}: there is no rule '{name}'{meant(name, known)}; known: {', '.join(sorted(known))}"
            )
    return [rule for rule in every if not names or rule.name in names]


# one rule -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Looked:
    """A rule's verdicts, and how it would have judged at another bound."""

    rule: Rule
    rows: pd.DataFrame
    seen: pd.DataFrame
    """Those of the period that judged something."""
    judge: Judge
    worst: Floats


def _look(rule: Rule, replayed: Replayed) -> _Looked:
    spec = replayed.spec
    rivals = _rivals(rule, spec)
    rows = replayed.verdicts[specificity.of_rule(rule, replayed.verdicts, rivals)]
    tight = specificity.tightness({name: feature.importance for name, feature in spec.features.items()})
    seen = replayed.within(rows[rows["verdict"] != "not_evaluated"])
    return _Looked(
        rule=rule,
        rows=rows,
        seen=seen,
        judge=backtest_bounds.judge_outside(rule, rows) if rule.outside else _judge(rule, rivals, replayed),
        worst=backtest.nightly_worst(seen["night"], backtest_bounds.figures_of(rule, seen, tight)),
    )


def _rivals(rule: Rule, spec: ModelSpec) -> list[Rule]:
    return expected.outside_rules(spec) if rule.outside else [one for one in spec.all_rules if not one.outside]


def _shared(replayed: Replayed, truth: Truth | None, asked: Asked) -> Shared | None:
    """The limit that all rules about expected ranges share, whichever of them are reported."""
    rules = expected.outside_rules(replayed.spec)
    looked = [_look(rule, replayed) for rule in rules]
    if not looked:
        return None
    present = backtest_bounds.size(rules[0], replayed.spec.detection)
    seen = pd.concat([one.seen.assign(figure=_figures(one)) for one in looked])
    suggested = backtest_bounds.suggest(
        rules[0],
        backtest_shared.judging([one.judge for one in looked]),
        backtest.nightly_worst(seen["night"], seen["figure"].to_numpy(dtype=float)),
        backtest_shared.rating(truth, _nights(replayed.period), replayed.spec.incidents.resolve_after),
        asked.budget,
        present,
        loosen=asked.loosen or not any(rule.action for rule in rules),
    )
    return Shared(len(rules), backtest_bounds.told(rules[0], present), suggested)


def _figures(one: _Looked) -> Floats:
    return backtest_bounds.figures_of(one.rule, one.seen, {})


def _worth(
    rule: Rule,
    replayed: Replayed,
    truth: Truth | None,
    asked: Asked,
    shared: Shared | None,
    step: Callable[[str], object],
) -> RuleWorth:
    spec = replayed.spec
    step(rule.name)
    looked = _look(rule, replayed)
    seen = looked.seen
    rate = backtest_bounds.rating(truth, _nights(replayed.period), spec.incidents.resolve_after)
    present = backtest_bounds.size(rule, spec.detection)
    kept = bool(rule.action) and not asked.loosen
    if rule.outside and shared:
        suggested = shared.suggestion
        if suggested.size is not None:
            suggested = replace(suggested, score=rate(looked.judge(suggested.size)))
    else:
        suggested = backtest_bounds.suggest(
            rule, looked.judge, looked.worst, rate, asked.budget, present, loosen=not kept
        )
    moved = rule.action and suggested.size not in (None, present)
    requested, held = outcomes_of(rule, replayed)
    return RuleWorth(
        name=told(rule, spec),
        severity=rule.severity,
        action=rule.action or "",
        judged=int(seen["night"].nunique()),
        breaches=int(seen.loc[seen["verdict"] == "breach", "night"].nunique()),
        score=rate(seen[seen["verdict"] == "breach"]),
        incidents=incidents_of(replayed, seen[seen["verdict"] == "breach"]),
        requested=requested,
        held=held,
        bound=backtest_bounds.told(rule, present),
        suggestion=suggested,
        fires=requests_at(rule, suggested.size, replayed) if moved and suggested.size is not None else None,
        kept=kept,
    )


def _judge(rule: Rule, rivals: Sequence[Rule], replayed: Replayed) -> Judge:
    from jobs.stages import anomalies

    figures, world = anomalies.looked_at(replayed.spec, [rule], replayed.history, replayed.warehouse)
    return backtest_bounds.judge_bounded(rule, figures, world, replayed.spec.detection, rivals)


def _delivered(name: str, replayed: Replayed, truth: Truth | None) -> RuleWorth:
    rows = replayed.within(replayed.verdicts[replayed.verdicts["rule"] == name])
    rate = backtest_bounds.rating(truth, _nights(replayed.period), replayed.spec.incidents.resolve_after)
    bad = rows[rows["verdict"] == "breach"]
    return RuleWorth(
        name=name,
        severity=str(rows["severity"].dropna().max()) if rows["severity"].notna().any() else "",
        action="",
        judged=int(rows.loc[rows["verdict"] != "not_evaluated", "night"].nunique()),
        breaches=int(bad["night"].nunique()),
        score=rate(bad),
        incidents=incidents_of(replayed, bad),
        requested=0,
        held=0,
        bound="",
        suggestion=None,
    )


def told(rule: Rule, spec: ModelSpec) -> str:
    """A rule's name with what it says besides: nights, ages, versions, features."""
    parts = [rule.name]
    if rule.features:
        few = len(rule.features) <= 2
        parts.append(f"of {', '.join(rule.features)}" if few else f"of {len(rule.features)} features")
    if rule.ages and set(rule.ages) != set(spec.label_ages):
        parts.append(f"at age {', '.join(map(str, rule.ages))}")
    if rule.versions:
        parts.append(f"in {', '.join(rule.versions)}")
    if rule.nights > 1:
        parts.append(f"{rule.nights} nights")
    return ", ".join([" ".join(parts[: -1 if rule.nights > 1 else None]), *([parts[-1]] if rule.nights > 1 else [])])


def _nights(period: Period) -> pd.Series[pd.Timestamp]:
    return pd.Series(pd.date_range(period.first, period.last))
