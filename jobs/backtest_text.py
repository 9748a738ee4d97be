"""A backtest in words and figures: for a terminal, as CSV, and as what its page shows."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from reports.backtest import BacktestView, FiredLine, RuleLine

if TYPE_CHECKING:
    from jobs.backtest import Backtest, RuleWorth, Shared
    from jobs.backtest_actions import Fired
    from jobs.methods.backtest import Score

DASH = "–"
SHOWN = 12
"""Labelled incidents that the table names."""


def table(done: Backtest) -> str:
    """The whole answer as a table for a terminal."""
    lines = [
        *_head(done),
        "",
        f"{'a week':>7}{'nights':>8}{'incid.':>8}  {'right':<10}{'found':<10}{'delay':>7}{'lead':>8}  rule",
    ]
    for one in sorted(done.rules, key=lambda rule: -rule.score.alarms):
        if _quiet(one):
            continue
        lines.append(_figures(one.score, f"{one.breaches:>8}{one.incidents:>8}") + f"  {one.name} ({one.severity})")
        lines += [f"{'':<60}→ {said}" for said in _said(one, done.budget)]
    if done.shared:
        lines += ["", *shared(done.shared, done.budget)]
    quiet = [one.name for one in done.rules if _quiet(one)]
    if quiet:
        lines += ["", f"never spoke: {'; '.join(quiet)}"]
    return "\n".join([*lines, "", *_actions(done)])


def _quiet(one: RuleWorth) -> bool:
    """Whether a rule neither spoke nor would speak at the bound suggested."""
    suggested = one.suggestion.score if one.suggestion else None
    return not one.breaches and not (suggested and suggested.alarms)


def shared(limit: Shared, budget: float) -> list[str]:
    """What the limit of all expected ranges would best be, in lines."""
    suggested, names = limit.suggestion, f"all {limit.rules} rules about expected ranges"
    if suggested.score is None:
        return [f"detection.limit is one for {names}; for {budget:g} a week each: {suggested.text}"]
    score, now = suggested.score, "as it is" if suggested.text == limit.bound else f"now {limit.bound}"
    worth = f", together {right(score)} right, {found(score)} found" if score.labelled else ""
    return [
        f"detection.limit is one for {names}; for {budget:g} a week each:",
        f"  {suggested.text} ({now}): at most {score.per_week:.2f} a week each{worth}",
    ]


def _head(done: Backtest) -> list[str]:
    every = done.incidents
    noun = "incident" if every.alarms == 1 else "incidents"
    then = f"the nights themselves opened {done.incidents_then}"
    opened = f"{every.alarms} {noun} ({every.per_week:.2f} a week); {then}"
    lines = [f"{done.model}, {done.period}: {len(done.period)} nights replayed, {opened}"]
    if done.truth is None:
        return [*lines, "held against nothing: give --truth FILE or --fell WORDS for precision, recall and lead time"]
    left = f" ({done.truth.left_out} outside the period left out)" if done.truth.left_out else ""
    lines.append(
        f"held against {len(done.truth.incidents)} {done.truth.words}{left}, known through {done.truth.through}"
    )
    lines += [f"  {one.start}..{one.end}  {one.note}" for one in done.truth.incidents[:SHOWN]]
    if len(done.truth.incidents) > SHOWN:
        lines.append(f"  and {len(done.truth.incidents) - SHOWN} more")
    lines.append(
        f"incidents: {right(every)} right, {found(every)} found, delay {_days(every.delay)}, lead {_days(every.lead)}"
    )
    return lines


def _figures(score: Score, between: str) -> str:
    return (
        f"{score.per_week:>7.2f}{between}  {right(score):<10}{found(score):<10}"
        f"{_days(score.delay):>7}{_days(score.lead):>8}"
    )


def right(score: Score) -> str:
    """How many of the alarms that can be judged were right.

    >>> from jobs.methods.backtest import Score
    >>> right(Score(alarms=4, per_week=0.1, right=3, wrong=1, labelled=2)), right(Score(alarms=4, per_week=0.1))
    ('3 of 4', '–')
    """
    return f"{score.right} of {score.right + score.wrong}" if score.labelled and score.right + score.wrong else DASH


def found(score: Score) -> str:
    """How many of the labelled incidents had an alarm."""
    return f"{score.found} of {score.labelled}" if score.labelled else DASH


def _days(value: float | None) -> str:
    return DASH if value is None else f"{value:g} d"


def _said(one: RuleWorth, budget: float) -> list[str]:
    """What a rule's lines say below its figures."""
    said = []
    if one.requested or one.held:
        said.append(f"{one.action}: {one.requested} requested, {one.held} held")
    if one.suggestion is not None:
        said.append(f"for {budget:g} a week: {suggestion(one)}")
    return said


def suggestion(one: RuleWorth) -> str:
    """A rule's suggested bound in words."""
    if one.suggestion is None:
        return "always on, without a bound"
    scored = one.suggestion.score
    if scored is None:
        return one.suggestion.text
    fires = f"; {one.action} requested {one.fires} times, now {one.requested}" if one.fires is not None else ""
    worth = f", {right(scored)} right, {found(scored)} found" if scored.labelled and scored.alarms else ""
    now = "as it is" if one.suggestion.text == one.bound else f"now {one.bound}"
    if one.kept and one.suggestion.text == one.bound:
        now += f"; none looser, as it asks for {one.action}"
    often = f"{scored.per_week:.2f} a week" if scored.alarms else "never spoke"
    return f"{one.suggestion.text} ({now}): {often}{worth}{fires}"


def _actions(done: Backtest) -> list[str]:
    if not done.fired:
        return ["Would it have fired? No rule asked for an action."]
    lines = ["Would it have fired?"]
    for one in done.fired:
        lines.append(f"  {one.night}  {_outcome(one):<40}{one.title}")
        lines.append(f"  {'':<12}{one.incident}; {', '.join(one.rules) or one.reason}")
        if one.outcome == "held":
            lines.append(f"  {'':<12}{one.reason}")
    return lines


def _outcome(one: Fired) -> str:
    if not one.outcome:
        return f"{one.action} not asked for ({one.then} then)"
    if not one.then:
        return f"{one.action} {one.outcome} (new)"
    if one.then != one.outcome:
        return f"{one.action} {one.outcome} ({one.then} then)"
    return f"{one.action} {one.outcome} ({'as then' if one.then_night == one.night else f'{one.then_night} then'})"


# CSV ------------------------------------------------------------------------------------------------------------

HEADER = (
    "rule", "severity", "action", "bound", "nights_judged", "nights_breached", "alarms", "alarms_per_week",
    "incidents", "incidents_per_week", "right", "wrong", "open", "precision", "found", "labelled", "recall",
    "delay_days", "lead_days", "requested", "held", "budget_per_week", "suggested_bound", "suggested_alarms_per_week",
    "suggested_precision", "suggested_recall", "suggested_requested",
)  # fmt: skip


def as_csv(done: Backtest) -> str:
    """One line a rule, and one for all of them together as incidents; what is not known is empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    weeks = len(done.period) / 7
    together = {"incidents": done.incidents.alarms, "incidents_per_week": f"{done.incidents.per_week:.4f}"}
    writer.writerow({"rule": "(incidents)"} | together | _scored(done.incidents))
    writer.writerows(_row(one, weeks, done.budget) for one in done.rules)
    return out.getvalue()


def _row(one: RuleWorth, weeks: float, budget: float) -> dict[str, object]:
    row: dict[str, object] = {
        "rule": one.name, "severity": one.severity, "action": one.action, "bound": one.bound,
        "nights_judged": one.judged, "nights_breached": one.breaches, "incidents": one.incidents,
        "incidents_per_week": f"{one.incidents / weeks:.4f}", "requested": one.requested, "held": one.held,
        "budget_per_week": budget,
    }  # fmt: skip
    if one.suggestion:
        row["suggested_bound"] = one.suggestion.text if one.suggestion.size is not None else ""
    if one.suggestion and (best := one.suggestion.score):
        row["suggested_alarms_per_week"] = f"{best.per_week:.4f}"
        row |= {"suggested_precision": _share(best.precision), "suggested_recall": _share(best.recall)}
    row["suggested_requested"] = one.fires
    return row | _scored(one.score)


def _scored(score: Score) -> dict[str, object]:
    counted: dict[str, object] = {"alarms": score.alarms, "alarms_per_week": f"{score.per_week:.4f}"}
    if not score.labelled:
        return counted
    return counted | {
        "right": score.right, "wrong": score.wrong, "open": score.open, "precision": _share(score.precision),
        "found": score.found, "labelled": score.labelled, "recall": _share(score.recall),
        "delay_days": score.delay, "lead_days": score.lead,
    }  # fmt: skip


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


# page -----------------------------------------------------------------------------------------------------------


def view(done: Backtest, asked: str) -> BacktestView:
    """What the page of a backtest shows; `asked`: the command."""
    truth = done.truth
    return BacktestView(
        model=done.model,
        period=done.period,
        budget=f"{done.budget:g}",
        asked=asked,
        held_against=f"{len(truth.incidents)} {truth.words}, known through {truth.through}" if truth else "",
        labelled=tuple((one.start, one.end, one.note) for one in truth.incidents) if truth else (),
        shared=" ".join(map(str.strip, shared(done.shared, done.budget))) if done.shared else "",
        opened=done.incidents.alarms,
        opened_then=done.incidents_then,
        per_week=f"{done.incidents.per_week:.2f}",
        right=right(done.incidents),
        found=found(done.incidents),
        delay=_days(done.incidents.delay),
        lead=_days(done.incidents.lead),
        rules=tuple(
            RuleLine(
                name=one.name, severity=one.severity, per_week=one.score.per_week, breaches=one.breaches,
                judged=one.judged, incidents=one.incidents, right=right(one.score), found=found(one.score),
                delay=_days(one.score.delay), lead=_days(one.score.lead), bound=suggestion(one),
            )
            for one in sorted(done.rules, key=lambda rule: -rule.score.alarms)
        ),
        fired=tuple(
            FiredLine(
                night=one.night, what=_outcome(one), incident=one.incident, title=one.title,
                rules=", ".join(one.rules), reason=one.reason if one.outcome in ("held", "") else "",
            )
            for one in done.fired
        ),
    )  # fmt: skip
