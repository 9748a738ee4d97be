"""Sentences: the night's verdict as a colleague would say it, and what each picture shows, for who cannot see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reports import formats
from reports.formats import long_day, number, plural, short_day
from reports.series import Figure, Lines, Trend, severity_rank
from reports.text import listed, plain
from reports.words import word

if TYPE_CHECKING:
    from reports.index import Key
    from reports.view import Incident, NightView, Reliability, Row

STATES = {"critical": "Critical", "warning": "Warning", "info": "Note", "ok": "All well", "unknown": "Not judged"}
ICONS = {"critical": "▲", "warning": "◆", "info": "●", "ok": "✓", "unknown": "?"}
COUNTED = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def label(key: Key) -> str:
    """What a series is called, without its version, feature and segment.

    >>> from reports.index import Key
    >>> label(Key("accuracy", age=7)), label(Key("psi"))
    ('Accuracy at 7 days', 'PSI')
    """
    age = {-1: "", 0: " same day", 1: " at 1 day"}.get(key.age, f" at {key.age} days")
    return word(key.metric).name + age


def full_label(key: Key) -> str:
    """The same, with what it is limited to.

    >>> from reports.index import Key
    >>> full_label(Key("psi", feature="age")), full_label(Key("recall", "v2", "", "country=FR", 7))
    ('PSI of age', 'Recall at 7 days, country=FR, v2')
    """
    parts = [label(key) + (f" of {plain(key.feature, 60)}" if key.feature else "")]
    parts += [plain(key.segment, 60)] if key.segment != "all" else []
    parts += [plain(key.version, 40)] if key.version != "all" else []
    return ", ".join(parts)


def verdict(view: NightView) -> str:
    """The night in one sentence."""
    no_data = view.volume.value is None or view.volume.value == 0
    day = long_day(view.night)
    if view.incidents:
        unsaid = no_data and not any(_tells_of_no_data(incident, view) for incident in view.incidents)
        return _wrong(view) + (f"; no predictions arrived for {short_day(view.night)}" if unsaid else "") + "."
    if no_data and not view.counts.judged:
        return f"No predictions arrived for {day}, so there was nothing to judge."
    if no_data:
        older = f"{plural(view.counts.judged, 'check')} of earlier days"
        return f"No predictions arrived for {day}; {older} found nothing that is open."
    if view.state == "unknown":
        return f"Nothing could be judged{_why(view)}; {plural(view.volume.value or 0, 'prediction')} came in."
    return _quiet(view) + "."


def _tells_of_no_data(incident: Incident, view: NightView) -> bool:
    """Whether the incident rests on the night's own missing volume."""
    return any(one.key.metric == "volume" and one.day == view.volume.day for one in incident.evidence)


def _wrong(view: NightView) -> str:
    """What is open, the worst first, and what was done about it."""
    first, n = view.incidents[0], len(view.incidents)
    title = first.title.rstrip(".")
    if n == 1:
        text = f"{_lead(view.state)}: {title}, {_since(first, view)}"
    else:
        how_many = COUNTED[n] if n < len(COUNTED) else f"{n}"
        verb = "need attention" if severity_rank(view.state) > 1 else "are worth knowing"
        text = f"{how_many} things {verb}, first of all: {title}, {_since(first, view)}"
    return text + _done(view)


def _lead(state: str) -> str:
    return {"critical": "This needs you today", "warning": "Worth a look"}.get(state, "Good to know")


def _since(incident: Incident, view: NightView) -> str:
    """`new tonight`, or since when."""
    if short_day(incident.opened) == short_day(view.night):
        return "new tonight"
    return f"since {short_day(incident.opened)}"


def _done(view: NightView) -> str:
    """What was asked for about the open incidents."""
    decisions = [decision for incident in view.incidents for decision in incident.decisions]
    asked = {decision.action: decision for decision in reversed(decisions) if decision.outcome == "requested"}
    held = sorted({decision.action for decision in decisions} - set(asked))
    dated = [(one.night, action) for action, one in asked.items()]
    if len(dated) == 1:
        said = [f"a {dated[0][1]} was requested on {short_day(dated[0][0])}"]
    else:
        names = [f"a {action} ({short_day(night)})" for night, action in sorted(dated)]
        said = [f"{listed(names)} were requested"] if names else []
    said += [f"a {action} is held back" for action in held]
    return f"; {', '.join(said)}" if said else ""


def _why(view: NightView) -> str:
    """The most frequent reason for which nothing could be judged."""
    return f" yet: {view.unjudged[0].reason.rstrip('.')}" if view.unjudged else " yet, as no rule had anything to judge"


def _quiet(view: NightView) -> str:
    """Nothing is open: what was looked at, and the figures one would ask for first."""
    if view.resolved:
        over = listed([f"“{incident.title.rstrip('.')}”" for incident in view.resolved], 2)
        start = f"All quiet again: {over} {'is' if len(view.resolved) == 1 else 'are'} over"
    else:
        start = f"All quiet: {plural(view.counts.judged, 'check')} made"
    if view.counts.breach:
        start += f", {view.counts.breach} of them breached but not enough for an incident"
    facts = [plural(view.volume.value or 0, "prediction")]
    scores = (tile.figure for tile in view.tiles if tile.figure.key.metric == "accuracy")
    found = next((one for one in scores if one.value is not None and not one.thin), None)
    if found:
        facts.append(f"accuracy {number(found.value, 'share')} at {plural(found.key.age, 'day')}")
    return f"{start}; {', '.join(facts)}"


def describe(trend: Trend) -> str:
    """A trend's picture in words."""
    figure, kind = trend.figure, word(trend.figure.key.metric).kind
    places = np.flatnonzero(np.isfinite(trend.values))
    said = [f"{short_day(trend.first)} to {short_day(trend.last)}."]
    if not len(places):
        return f"{said[0]} No figure on any day."
    values = trend.values[places]
    low, high, now = (places[values.argmin()], places[values.argmax()], places[-1])
    unit = figure.unit
    said.append(f"Latest {number(trend.values[now], kind, unit)} on {short_day(trend.first + now)}.")
    if figure.expected:
        said.append(f"Expected {formats.interval(*figure.expected, kind, unit)}.")
    said.append(
        f"Lowest {number(trend.values[low], kind, unit)} on {short_day(trend.first + low)}, "
        f"highest {number(trend.values[high], kind, unit)} on {short_day(trend.first + high)}."
    )
    if n := int(trend.breached.sum()):
        said.append(f"{plural(n, 'day')} objected to by a rule.")
    if thin := int(np.isfinite(trend.thin).sum()):
        said.append(f"{plural(thin, 'day')} with too few rows.")
    if gaps := int(np.isnan(trend.values[places[0] : max(figure.day - trend.first + 1, places[0])]).sum()):
        said.append(f"{plural(gaps, 'day')} without a figure.")
    said += [
        f"{f'Incident {span.number}' if span.number else 'A past incident'} from {short_day(span.first)} to "
        f"{short_day(span.last)}: {span.title.rstrip('.')}."
        for span in trend.spans
    ]
    said += [f"Version {plain(deploy.version, 40)} from {short_day(deploy.day)}." for deploy in trend.deploys]
    return " ".join(said)


def describe_lines(lines: Lines) -> str:
    """The latest value of each line."""
    kind, said = word(lines.metric).kind, []
    for line in lines.lines:
        places = np.flatnonzero(np.isfinite(line.values))
        if len(places):
            latest = number(line.values[places[-1]], kind, lines.unit)
            said.append(f"{line.name}: {latest} on {short_day(lines.first + places[-1])}.")
        else:
            said.append(f"{line.name}: no figure.")
    return " ".join(said)


def performance_line(view: NightView) -> str:
    """How right the model was, and where it was not."""
    scores = [tile.figure for tile in view.tiles if tile.figure.key.metric == "accuracy"]
    found = next((one for one in scores if one.value is not None and not one.thin), None)
    if found is None or found.value is None:
        reason = next((explain(one) for one in scores if explain(one)), "")
        return f"No figure that needs labels could be made{f': {reason}' if reason else ''}."
    said = f"{label(found.key)} is {number(found.value, 'share')}"
    if found.usual is not None:
        points = round(abs(found.value - found.usual) * 100, 1)
        side = "below" if found.value < found.usual else "above"
        said += f", {points:.1f} points {side} usual" if points else ", as usual"
    worse = [row.name for row in view.segments.rows if _surely_worse(row)]
    if worse:
        told = listed(worse, 2)
        said += f"; {told} {'does' if len(worse) == 1 else 'do'} worse than the whole beyond doubt"
    return said + "."


def _surely_worse(row: Row) -> bool:
    """Whether the segment's whole interval lies below the whole's value by 2 points or more on the newest day."""
    heat = row.heat
    return heat is not None and bool(heat.sure[-1]) and bool(heat.apart[-1] < -0.02)


def drift_line(view: NightView) -> str:
    """Which inputs have moved."""
    features = view.drift.features
    moved = [one for one in features if one.drifted]
    judged = [one for one in features if one.psi.value is not None and not one.psi.thin]
    if moved:
        named = [f"{one.name} (PSI {number(one.psi.value, 'index')})" for one in moved]
        rest = len(judged) - len([one for one in moved if one in judged])
        others = f"; no rule objects to the {rest} others" if rest > 1 else ""
        return f"{listed(named, 3)} {'has' if len(moved) == 1 else 'have'} left the reference{others}."
    if judged:
        top = max(judged, key=lambda one: (one.psi.value or 0.0, one.name))
        return f"No input has left its reference; the largest PSI is {number(top.psi.value, 'index')} ({top.name})."
    return "No input could be held against a reference."


def describe_heat(row: Row, first: int, last: int) -> str:
    """A row of the heat map in words."""
    heat = row.heat
    if heat is None:
        return row.name
    known = int(np.isfinite(heat.apart).sum())
    worse, better = (int((heat.sure & side).sum()) for side in (heat.apart < -0.02, heat.apart > 0.02))
    days = f"{short_day(first)} to {short_day(last)}"
    of = plural(known, "day")
    return f"{row.name}, {days}: surely worse than the whole on {worse} and surely better on {better} of {of}"


def describe_reliability(shown: Reliability) -> str:
    """A reliability curve in words."""
    n = formats.count(sum(one.n for one in shown.bins))
    said = [f"{short_day(shown.first)} to {short_day(shown.last)}, {n} labels."]
    said += [
        f"Scores near {number(one.score, 'score')} came true in {number(one.rate, 'share')} of {formats.count(one.n)}."
        for one in shown.bins
    ]
    return " ".join(said)


def explain(figure: Figure) -> str:
    """Why there is no number, or none to rely on; nothing where there is one."""
    if figure.value is not None and not figure.thin:
        return ""
    return figure.reason or ("not evaluated" if figure.state == "not_evaluated" else "no figure")
