"""Sentences: the night's verdict as a colleague would say it, and what each picture shows, for who cannot see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.language import join, say
from reports import formats
from reports.formats import long_day, number, plural, short_day
from reports.reasons import retold
from reports.series import Figure, Lines, Trend, severity_rank
from reports.text import listed, plain
from reports.words import feature_name, word

if TYPE_CHECKING:
    from reports.index import Key
    from reports.series import Span
    from reports.view import Incident, NightView, Reliability, Row
    from reports.words import Kind

STATES = {"critical": "Critical", "warning": "Warning", "info": "Note", "ok": "All well", "unknown": "Not judged"}
ICONS = {"critical": "▲", "warning": "◆", "info": "●", "ok": "✓", "unknown": "?"}
COUNTED = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def label(key: Key) -> str:
    """What a series is called, without its version, feature and segment.

    >>> from reports.index import Key
    >>> label(Key("accuracy", age=7)), label(Key("psi"))
    ('Accuracy at 7 days', 'PSI')
    """
    name = word(key.metric).name
    if key.age < 0:
        return name
    return say("{metric} at {days}", metric=name, days=plural(key.age, "day")) if key.age else same_day(name)


def same_day(metric: str) -> str:
    """A metric of labels that are known on the day of the predictions."""
    return say("{metric} same day", metric=metric)


def heading(shown: Trend | Lines, name: str = "") -> str:
    """What a picture is called: its own title where it has one, else `name`, else its series."""
    if shown.title:
        return say(shown.title)
    return name or (label(shown.figure.key) if isinstance(shown, Trend) else word(shown.metric).name)


def full_label(key: Key) -> str:
    """The same, with what it is limited to.

    >>> from reports.index import Key
    >>> full_label(Key("psi", feature="age")), full_label(Key("recall", "v2", "", "country=FR", 7))
    ('PSI of age', 'Recall at 7 days, country=FR, v2')
    """
    parts = [label(key)]
    if key.feature:
        parts = [say("{metric} of {feature}", metric=parts[0], feature=plain(feature_name(key.feature), 60))]
    parts += [plain(key.segment, 60)] if key.segment != "all" else []
    parts += [plain(key.version, 40)] if key.version != "all" else []
    return say(", ", context="clauses").join(parts)


def stated(state: str) -> str:
    """A night's state in words; what is no state we know, as it is."""
    return say(STATES.get(state, state))


def verdict(view: NightView) -> str:
    """The night in one sentence."""
    no_data = view.volume.value is None or view.volume.value == 0
    day = long_day(view.night)
    if view.incidents:
        unsaid = no_data and not any(_tells_of_no_data(incident, view) for incident in view.incidents)
        missing = say("no predictions arrived for {day}", day=short_day(view.night)) if unsaid else ""
        return clauses(_wrong(view), missing) + say(".")
    if no_data and not view.counts.judged:
        return say("No predictions arrived for {day}, so there was nothing to judge.", day=day)
    if no_data:
        checks = plural(view.counts.judged, "check")
        told = "No predictions arrived for {day}; {checks} of earlier days found nothing that is open."
        return say(told, day=day, checks=checks)
    if view.state == "unknown":
        came = plural(view.volume.value or 0, "prediction")
        return say("Nothing could be judged yet{why}; {predictions} came in.", why=_why(view), predictions=came)
    return _quiet(view) + say(".")


def clauses(*said: str) -> str:
    """Parts of one sentence."""
    return say("; ").join(one for one in said if one)


def _tells_of_no_data(incident: Incident, view: NightView) -> bool:
    """Whether the incident rests on the night's own missing volume."""
    return any(one.key.metric == "volume" and one.day == view.volume.day for one in incident.evidence)


def _wrong(view: NightView) -> str:
    """What is open, the worst first, and what was done about it."""
    first, n = view.incidents[0], len(view.incidents)
    title = unended(first.title)
    if n == 1:
        told, how_many = LEADS.get(view.state, "Good to know: {title}, {since}"), ""
    else:
        how_many = say(COUNTED[n]) if n < len(COUNTED) else f"{n}"
        told = MANY if severity_rank(view.state) > 1 else MANY_TO_KNOW
    return clauses(say(told, how_many=how_many, title=title, since=_since(first, view)), _done(view))


LEADS = {"critical": "This needs you today: {title}, {since}", "warning": "Worth a look: {title}, {since}"}
MANY = "{how_many} things need attention, first of all: {title}, {since}"
MANY_TO_KNOW = "{how_many} things are worth knowing, first of all: {title}, {since}"


def unended(title: str) -> str:
    """A title within a sentence, without a stop of its own."""
    return title.rstrip(".。")


def _since(incident: Incident, view: NightView) -> str:
    """`new tonight`, or since when."""
    if short_day(incident.opened) == short_day(view.night):
        return say("new tonight")
    return say("since {day}", day=short_day(incident.opened))


def _done(view: NightView) -> str:
    """What was asked for about the open incidents."""
    decisions = [decision for incident in view.incidents for decision in incident.decisions]
    asked = {decision.action: decision for decision in reversed(decisions) if decision.outcome == "requested"}
    tried = {decision.action for decision in decisions if decision.outcome == "dry_run"} - set(asked)
    held = sorted({decision.action for decision in decisions} - set(asked) - tried)
    dated = [(one.night, action) for action, one in asked.items()]
    if len(dated) == 1:
        said = [say("a {action} was requested on {day}", action=_noun(dated[0][1]), day=short_day(dated[0][0]))]
    else:
        names = [
            say("a {action} ({day})", action=_noun(action), day=short_day(night)) for night, action in sorted(dated)
        ]
        said = [say("{names} were requested", names=listed(names))] if names else []
    said += [say("a {action} would have been requested (dry run)", action=_noun(action)) for action in sorted(tried)]
    said += [say("a {action} is held back", action=_noun(action)) for action in held]
    return say(", ", context="clauses").join(said)


def _noun(action: str) -> str:
    """An action as a thing."""
    return say({"retrain": "retraining"}.get(action, action))


def _why(view: NightView) -> str:
    """The most frequent reason for which nothing could be judged."""
    if view.unjudged:
        return say(": {reason}", reason=unended(retold(view.unjudged[0].reason)))
    return say(", as no rule had anything to judge")


def _quiet(view: NightView) -> str:
    """Nothing is open: what was looked at, and the figures one would ask for first."""
    if view.resolved:
        over = listed([f"“{unended(incident.title)}”" for incident in view.resolved], 2)
        one = len(view.resolved) == 1
        start = say("All quiet again: {titles} is over" if one else "All quiet again: {titles} are over", titles=over)
    else:
        start = say("All quiet: {checks} made", checks=plural(view.counts.judged, "check"))
    if view.counts.breach:
        start += say(", {count} of them breached but not enough for an incident", count=view.counts.breach)
    facts = [plural(view.volume.value or 0, "prediction")]
    scores = (tile.figure for tile in view.tiles if tile.figure.key.metric == "accuracy")
    found = next((one for one in scores if one.value is not None and not one.thin), None)
    if found:
        days = plural(found.key.age, "day")
        facts.append(say("accuracy {value} at {days}", value=number(found.value, "share"), days=days))
    return clauses(start, say(", ", context="clauses").join(facts))


def describe(trend: Trend) -> str:
    """A trend's picture in words."""
    figure, kind = trend.figure, word(trend.figure.key.metric).kind
    places = np.flatnonzero(np.isfinite(trend.values))
    said = [say("{first} to {last}.", first=short_day(trend.first), last=short_day(trend.last))]
    if not len(places):
        return join([said[0], say("No figure on any day.")])
    values = trend.values[places]
    low, high, now = (places[values.argmin()], places[values.argmax()], places[-1])
    unit = figure.unit
    latest, day = number(trend.values[now], kind, unit), short_day(trend.first + now)
    said.append(say("Latest {value} on {day}.", value=latest, day=day))
    if figure.expected:
        said.append(say("Expected {range}.", range=formats.interval(*figure.expected, kind, unit)))
    ends = {"low": number(trend.values[low], kind, unit), "high": number(trend.values[high], kind, unit)}
    days = {"low_day": short_day(trend.first + low), "high_day": short_day(trend.first + high)}
    said.append(say("Lowest {low} on {low_day}, highest {high} on {high_day}.", **ends, **days))
    if n := int(trend.breached.sum()):
        said.append(say("{days} objected to by a rule.", days=plural(n, "day")))
    if thin := int(np.isfinite(trend.thin).sum()):
        said.append(say("{days} with too few rows.", days=plural(thin, "day")))
    if gaps := int(np.isnan(trend.values[places[0] : max(figure.day - trend.first + 1, places[0])]).sum()):
        said.append(say("{days} without a figure.", days=plural(gaps, "day")))
    said += [_covered(span) for span in trend.spans]
    said += [
        say("Version {version} from {day}.", version=plain(deploy.version, 40), day=short_day(deploy.day))
        for deploy in trend.deploys
    ]
    return join(said)


def _covered(span: Span) -> str:
    """Which days an incident covers."""
    told = "Incident {number} from {first} to {last}: {title}."
    past = "A past incident from {first} to {last}: {title}."
    gaps = {"first": short_day(span.first), "last": short_day(span.last), "title": unended(span.title)}
    return say(told, number=span.number, **gaps) if span.number else say(past, **gaps)


def describe_lines(lines: Lines) -> str:
    """The latest value of each line."""
    kind, said = word(lines.metric).kind, []
    for line in lines.lines:
        places = np.flatnonzero(np.isfinite(line.values))
        if len(places):
            latest = number(line.values[places[-1]], kind, lines.unit)
            day = short_day(lines.first + places[-1])
            said.append(say("{name}: {value} on {day}.", name=line.name, value=latest, day=day))
        else:
            said.append(say("{name}: no figure.", name=line.name))
    return join(said)


def performance_line(view: NightView) -> str:
    """How right the model was, and where it was not."""
    scores = [tile.figure for tile in view.tiles if tile.figure.key.metric in {"accuracy", "mae"}]
    found = next((one for one in scores if one.value is not None and not one.thin), None)
    if found is None or found.value is None:
        reason = next((explain(one) for one in scores if explain(one)), "")
        why = say(": {reason}", reason=reason) if reason else ""
        return say("No figure that needs labels could be made{why}.", why=why)
    kind = word(found.key.metric).kind
    said = say("{figure} is {value}", figure=label(found.key), value=number(found.value, kind))
    if found.usual is not None:
        said += _from_usual(found.value, found.usual, kind)
    worse = [row.name for row in view.segments.rows if _surely_worse(row)]
    many = "{names} do worse than everybody else, beyond what chance does among {count} segments"
    one = "{names} does worse than everybody else, beyond what chance does among {count} segments"
    told, names = one if len(worse) == 1 else many, listed(worse, 2)
    doubtless = say(told, names=names, count=view.segments.searched) if worse else ""
    return clauses(said, doubtless) + say(".")


def _from_usual(value: float, usual: float, kind: Kind) -> str:
    """Of a share in points; of an amount as a part of what is usual."""
    below = value < usual
    if kind == "share":
        points = round(abs(value - usual) * 100, 1)
        told = ", {points} points below the 28-day median" if below else ", {points} points above the 28-day median"
        return say(told, points=f"{points:.1f}") if points else say(", like the 28-day median")
    part = round(abs(value / usual - 1) * 100) if usual else 0
    told = ", {percent} % below the 28-day median" if below else ", {percent} % above the 28-day median"
    return say(told, percent=part) if part else say(", like the 28-day median")


def _surely_worse(row: Row) -> bool:
    """Whether the segment does worse than the rest of the day by test, and than the whole by 2 points or more."""
    heat = row.heat
    return row.worse and heat is not None and bool(heat.lead[-1] < -0.02)


def drift_line(view: NightView) -> str:
    """Which inputs have moved."""
    features = view.drift.features
    moved = [one for one in features if one.drifted]
    judged = [one for one in features if one.psi.value is not None and not one.psi.thin]
    if moved:
        named = [say("{name} (PSI {value})", name=one.name, value=number(one.psi.value, "index")) for one in moved]
        rest = len(judged) - len([one for one in moved if one in judged])
        others = say("no rule objects to the {count} others", count=rest) if rest > 1 else ""
        many, one = "{names} have left the reference", "{names} has left the reference"
        return clauses(say(one if len(moved) == 1 else many, names=listed(named, 3)), others) + say(".")
    if judged:
        top = max(judged, key=lambda one: (one.psi.value or 0.0, one.name))
        told = "No input has left its reference; the largest PSI is {value} ({name})."
        return say(told, value=number(top.psi.value, "index"), name=top.name)
    return say("No input could be held against a reference.")


def describe_heat(row: Row, first: int, last: int) -> str:
    """A row of the heat map in words."""
    heat = row.heat
    if heat is None:
        return row.name
    known = int(np.isfinite(heat.apart).sum())
    worse, better = (int((heat.sure & side).sum()) for side in (heat.lead < -0.02, heat.lead > 0.02))
    told = (
        "{name}, {first} to {last}: worse than the whole beyond its interval on {worse}, better on {better} of {days}"
    )
    return say(
        told, name=row.name, first=short_day(first), last=short_day(last), worse=worse, better=better,
        days=plural(known, "day"),
    )  # fmt: skip


def describe_reliability(shown: Reliability) -> str:
    """A reliability curve in words."""
    n = formats.count(sum(one.n for one in shown.bins))
    said = [say("{first} to {last}, {n} labels.", first=short_day(shown.first), last=short_day(shown.last), n=n)]
    said += [
        say(
            "Scores near {score} came true in {rate} of {n}.",
            score=number(one.score, "score"), rate=number(one.rate, "share"), n=formats.count(one.n),
        )
        for one in shown.bins
    ]  # fmt: skip
    return join(said)


def explain(figure: Figure) -> str:
    """Why there is no number, or none to rely on; nothing where there is one."""
    if figure.value is not None and not figure.thin:
        return ""
    if figure.reason:
        return retold(figure.reason)
    return say("not evaluated") if figure.state == "not_evaluated" else say("no figure")
