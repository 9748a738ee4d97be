"""Replay a model's rules over its history, each night as of that night, and tell what they would have been worth.

Anomalies and incidents are pure functions of stored figures, so a replay is those two stages run over the published
history with any spec whose rules are to be tried. Nothing is sent, fired or kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from jobs.backtest_truth import from_file, from_labels
from jobs.errors import UsageError
from jobs.methods import backtest, backtest_bounds, evidence, expected, specificity
from jobs.periods import Period

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jobs.engine.warehouse import Warehouse
    from jobs.methods.backtest import Score
    from jobs.methods.backtest_bounds import Judge, Suggestion
    from jobs.methods.labelled import Truth
    from jobs.spec.model import ModelSpec, Rule

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
    """Incidents that it is evidence of."""
    requested: int
    held: int
    bound: str
    suggestion: Suggestion | None
    """None for rules without a bound."""


@dataclass(frozen=True)
class Fired:
    """What an incident would have asked for, and what the nights decided."""

    night: date
    """Of the request, or the first night on which it was held."""
    action: str
    incident: str
    title: str
    outcome: str
    reason: str
    rules: tuple[str, ...]
    then: str
    """The outcome that the nights themselves came to; empty where they decided nothing."""


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
    fired: tuple[Fired, ...]


@dataclass(frozen=True)
class _Replayed:
    """All that a replay wrote, as frames, and where it can be looked at again."""

    spec: ModelSpec
    history: Period
    period: Period
    verdicts: pd.DataFrame
    incidents: pd.DataFrame
    decisions: pd.DataFrame
    warehouse: Warehouse

    def within(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows[rows["night"].between(pd.Timestamp(self.period.first), pd.Timestamp(self.period.last))]


def run(spec: ModelSpec, asked: Asked, home: Path, step: Callable[[str], object] = lambda _: None) -> Backtest:
    """Replay and measure. `step` is told what is being done.

    Raises UsageError where the period has not been run, a rule is not known, the truth cannot be read, or the spec
    changes more than rules; WarehouseError where nothing is published.
    """
    from jobs.engine.replay import replaying

    with replaying(home, spec.model) as warehouse:
        history, period = _periods(spec, asked, warehouse)
        _same_figures(spec, warehouse)
        chosen = _chosen(spec, asked.rules)
        truth = from_file(asked.truth, period) if asked.truth else None
        if asked.fell:
            truth = from_labels(asked.fell, spec, history, period, warehouse)
        step("replay")
        replayed = replay(spec, history, period, warehouse)
        worths = [_worth(rule, replayed, truth, asked.budget, step) for rule in chosen]
        if not asked.rules:
            worths += [_delivered(name, replayed, truth) for name in DELIVERY]
        opened = _opened(replayed)
        return Backtest(
            model=spec.model,
            period=period,
            history=history,
            budget=asked.budget,
            truth=truth,
            incidents=backtest.score(backtest.joined(opened), truth, len(period)),
            incidents_then=_opened_then(warehouse, period),
            rules=tuple(worths),
            fired=tuple(_fired(replayed)),
        )


def replay(spec: ModelSpec, history: Period, period: Period, warehouse: Warehouse) -> _Replayed:
    """Judge and gather every night from the first one on, so that the period's first night finds its whole past."""
    from jobs.stages import anomalies, incidents

    anomalies.run(spec, history, warehouse)
    incidents.run(spec, history, warehouse)
    tables = {name: warehouse.read(name) for name in ("verdicts", "incidents", "decisions")}
    return _Replayed(spec=spec, history=history, period=period, warehouse=warehouse, **tables)


# what may be asked ----------------------------------------------------------------------------------------------


def _periods(spec: ModelSpec, asked: Asked, warehouse: Warehouse) -> tuple[Period, Period]:
    """The history through the period's end, and the period; by default all nights whose metrics are finished."""
    done, begun = warehouse.progress("metrics"), warehouse.progress("ingest")
    if done is None or begun is None:
        raise UsageError(
            f"{spec.model}: no night has metrics yet; run `nightjar run {spec.model} --from A --to B` first"
        )
    period = Period(asked.first or begun.first, asked.last or done.through)
    if period.first < begun.first or period.last > done.through:
        raise UsageError(
            f"{spec.model}: {period} is not all run yet: metrics are finished for {begun.first}..{done.through}; "
            f"give days within that, or run `nightjar run {spec.model} --from {period.first} --to {period.last}` first"
        )
    return Period(begun.first, period.last), period


def _same_figures(spec: ModelSpec, warehouse: Warehouse) -> None:
    """Whether the stored metrics are those that the spec asks for."""
    from jobs.engine.replay import FINISHED
    from jobs.pipeline import digest

    for stage in FINISHED:
        done = warehouse.progress(stage)
        if done is None or done.digest != digest(spec, stage):
            raise UsageError(
                f"{spec.model}: the stored {stage} were made with another spec or reference; a backtest may change "
                "rules, incidents, actions, mutes and detection (except recent_days, recent_gap and error_rate, on "
                f"which metrics depend); undo the rest, or run `nightjar run {spec.model}` with it first"
            )


def _chosen(spec: ModelSpec, names: Sequence[str]) -> list[Rule]:
    """The rules to report: those with these names, or all; with the info rules of watched series."""
    every = list(dict.fromkeys([*spec.all_rules, *expected.outside_rules(spec)]))
    known = {rule.name for rule in every}
    for name in names:
        if name not in known:
            from jobs.spec.complaints import meant

            raise UsageError(
                f"{spec.model}: there is no rule '{name}'{meant(name, known)}; known: {', '.join(sorted(known))}"
            )
    return [rule for rule in every if not names or rule.name in names]


# one rule -------------------------------------------------------------------------------------------------------


def _worth(
    rule: Rule, replayed: _Replayed, truth: Truth | None, budget: float, step: Callable[[str], object]
) -> RuleWorth:
    spec = replayed.spec
    step(rule.name)
    rivals = expected.outside_rules(spec) if rule.outside else [one for one in spec.all_rules if not one.outside]
    rows = replayed.verdicts[backtest.of_rule(rule, replayed.verdicts, rivals)]
    rate = backtest_bounds.rating(truth, _nights(replayed.period), spec.incidents.resolve_after)
    judge = backtest_bounds.judge_outside(rule, rows) if rule.outside else _judge(rule, rivals, replayed)
    tight = specificity.tightness({name: feature.importance for name, feature in spec.features.items()})
    seen = replayed.within(rows[rows["verdict"] != "not_evaluated"])
    worst = backtest.nightly_worst(seen["night"], backtest_bounds.figures_of(rule, seen, tight))
    asked_by = _asked_by(replayed)
    outcomes = asked_by[backtest.of_rule(rule, asked_by, ())].groupby("key")["outcome"].last()
    present = backtest_bounds.size(rule, spec.detection)
    return RuleWorth(
        name=told(rule, spec),
        severity=rule.severity,
        action=rule.action or "",
        judged=int(seen["night"].nunique()),
        breaches=int(seen.loc[seen["verdict"] == "breach", "night"].nunique()),
        score=rate(seen[seen["verdict"] == "breach"]),
        incidents=_incidents_of(replayed, lambda items: backtest.of_rule(rule, items, rivals)),
        requested=int(outcomes.isin(["requested", "dry_run"]).sum()),
        held=int((outcomes == "held").sum()),
        bound=backtest_bounds.told(rule, present),
        suggestion=backtest_bounds.suggest(rule, judge, worst, rate, budget, present),
    )


def _judge(rule: Rule, rivals: Sequence[Rule], replayed: _Replayed) -> Judge:
    from jobs.stages import anomalies

    figures, world = anomalies.looked_at(replayed.spec, [rule], replayed.history, replayed.warehouse)
    return backtest_bounds.judge_bounded(rule, figures, world, replayed.spec.detection, rivals)


def _delivered(name: str, replayed: _Replayed, truth: Truth | None) -> RuleWorth:
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
        incidents=_incidents_of(replayed, lambda items: items["rule"] == name),
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


# incidents and actions ------------------------------------------------------------------------------------------


def _incidents_of(replayed: _Replayed, mine: Callable[[pd.DataFrame], pd.Series[bool]]) -> int:
    """Incidents open in the period that hold evidence of a rule."""
    items = _items(replayed)
    return int(items.loc[mine(items), "incident"].nunique()) if len(items) else 0


def _items(replayed: _Replayed) -> pd.DataFrame:
    rows = replayed.within(replayed.incidents)
    last = rows.sort_values("night", kind="stable").groupby("incident").tail(1)
    pairs = zip(last["incident"], last["evidence"], strict=True)
    return pd.DataFrame([item | {"incident": name} for name, text in pairs for item in json.loads(text)])


def _opened(replayed: _Replayed) -> pd.DataFrame:
    """Incidents that opened in the period: `incident`, `opened`, `first_day`, `last_day` as last known in it."""
    rows = replayed.within(replayed.incidents).sort_values("night", kind="stable")
    last = rows.groupby("incident", as_index=False).tail(1)
    last = last[last["opened"] >= pd.Timestamp(replayed.period.first)]
    about = [evidence.days(json.loads(text)) for text in last["evidence"]]
    return pd.DataFrame(
        {
            "incident": last["incident"].to_numpy(),
            "opened": last["opened"].to_numpy(),
            "first_day": pd.to_datetime([one.first if one else None for one in about]),
            "last_day": pd.to_datetime([one.last if one else None for one in about]),
        }
    )


def _opened_then(warehouse: Warehouse, period: Period) -> int:
    from jobs.engine.replay import decided_then

    rows = decided_then(warehouse, "incidents", period)
    return int((rows["state"] == "opened").sum())


def _asked_by(replayed: _Replayed) -> pd.DataFrame:
    """The breaches that asked for an action, one row each: `key`, `action`, `outcome`, and the figure's own columns."""
    rows = replayed.within(replayed.decisions).sort_values("night", kind="stable")
    found = [
        {**item, "key": row.key, "action": row.action, "outcome": row.outcome}
        for row in rows.itertuples(index=False)
        for item in json.loads(row.payload)["audit"]["asked_by"]
    ]
    return pd.DataFrame(found, columns=["key", "action", "outcome", *ASKED])


ASKED = ("rule", "severity", "metric", "feature", "segment", "version", "label_age")


def _fired(replayed: _Replayed) -> list[Fired]:
    from jobs.engine.replay import decided_then

    then = decided_then(replayed.warehouse, "decisions", replayed.period).groupby("key")["outcome"].last().to_dict()
    rows = replayed.within(replayed.decisions).sort_values(["night", "key"], kind="stable")
    found = []
    for key, group in rows.groupby("key", sort=False):
        last = group.iloc[-1]
        payload: dict[str, Any] = json.loads(last["payload"])
        done = last["outcome"] != "held"
        found.append(
            Fired(
                night=(last if done else group.iloc[0])["night"].date(),
                action=str(last["action"]),
                incident=str(last["incident"]),
                title=str(payload["reason"]),
                outcome=str(last["outcome"]),
                reason=str(last["reason"]),
                rules=tuple(sorted({str(one["rule"]) for one in payload["audit"]["asked_by"]})),
                then=str(then.get(key, "")),
            )
        )
    gone = {key: outcome for key, outcome in then.items() if key not in set(rows["key"])}
    return found + _gone(replayed, gone)


def _gone(replayed: _Replayed, gone: dict[str, str]) -> list[Fired]:
    """What the nights decided and the replay does not."""
    from jobs.engine.replay import decided_then

    stored = decided_then(replayed.warehouse, "decisions", replayed.period)
    last = stored[stored["key"].isin(list(gone))].sort_values("night", kind="stable").groupby("key").tail(1)
    return [
        Fired(
            night=row.night.date(), action=row.action, incident=row.incident,
            title=json.loads(row.payload)["reason"], outcome="", reason="no rule asks for it any more",
            rules=(), then=row.outcome,
        )
        for row in last.itertuples(index=False)
    ]  # fmt: skip
