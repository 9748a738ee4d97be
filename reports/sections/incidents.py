"""Incidents as they stand tonight, what they rest on, and what was decided."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jobs.language import say
from reports.days import parse_number
from reports.formats import with_days
from reports.index import Array, Key
from reports.reasons import rule_name
from reports.sections.figures import number
from reports.series import SEVERITIES, severity_rank
from reports.text import plain
from reports.view import Counts, Decision, Evidence, Incident, Unjudged
from reports.words import feature_name

if TYPE_CHECKING:
    from reports.history import Known

EVIDENCE_MOST = 8
PAST_MOST = 8
TITLE_MOST = 240
"""More than `jobs.methods.wording` writes but for very long names: a title is not cut again."""
UNJUDGED_MOST = 12


@lru_cache(maxsize=4096)
def read_evidence(text: str | None) -> tuple[Evidence, ...]:
    """The figures in an incident's JSON: a list of objects, or an object with such a list in it; in their own order.

    >>> [row] = read_evidence('[{"metric": "psi", "feature": "age", "value": 0.4, "day": "2025-03-01"}]')
    >>> row.key.feature, row.value, row.day
    ('age', 0.4, 20148)
    >>> read_evidence("not json"), read_evidence(None)
    ((), ())
    """
    try:
        content = json.loads(text) if text else []
    except ValueError:
        return ()
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list)]
        content = lists[0] if lists else [content]
    return tuple(_evidence(item) for item in content if isinstance(item, dict) and item.get("metric"))


def _evidence(item: dict[str, Any]) -> Evidence:
    """One object of the JSON."""
    age = number(item.get("label_age"))
    key = Key(
        metric=str(item["metric"]),
        version=str(item.get("version") or "all"),
        feature=str(item.get("feature") or ""),
        segment=str(item.get("segment") or "all"),
        age=-1 if age is None else int(age),
    )
    numbers = (number(item.get(name)) for name in ("value", "n", "expected", "lower", "upper"))
    value, n, expected, lower, upper = numbers
    return Evidence(
        key=key,
        rule=plain(item.get("rule")),
        day=_day(item.get("day")),
        value=value,
        n=n,
        expected=expected,
        lower=lower,
        upper=upper,
        severity=_severity(item.get("severity")),
        reason=plain(item.get("reason"), 240),
        role=plain(item.get("role")),
        days=_days(item.get("first_day"), item.get("last_day")),
        detector=plain(item.get("detector")),
    )


def _severity(given: object) -> str:
    """A severity there is; anything else is only worth a note."""
    return str(given) if given in SEVERITIES else "info"


def _day(given: object) -> int | None:
    """A day's number from its text; None for anything else."""
    try:
        return parse_number(str(given)[:10])
    except ValueError:
        return None


def _days(first: object, last: object) -> tuple[int, int] | None:
    begin, end = _day(first), _day(last)
    return (begin, end) if begin is not None and end is not None and begin <= end else None


def incidents_in_view(known: Known) -> tuple[list[Incident], list[Incident], list[Incident]]:
    """Open tonight (the worst and oldest first), resolved tonight, and over by an earlier night."""
    rows = known.past("incidents")
    latest = {name: place for place, name in enumerate(rows["incident"])}
    open_before = {
        name
        for name, state, night in zip(rows["incident"], rows["state"], rows["night"], strict=True)
        if night == known.night - 1 and state != "resolved"
    }
    decisions = _decisions(known)
    found = [_incident(rows, place, decisions, known.night) for place in latest.values()]
    tonight = {str(name) for name in known.tonight("incidents")["incident"]}
    current = [incident for incident in found if incident.state != "resolved" and incident.id in tonight]
    current.sort(key=lambda incident: (-severity_rank(incident.severity), incident.opened, incident.id))
    over = [incident for incident in found if incident not in current]
    over.sort(key=lambda incident: (-incident.last_breach, incident.id))
    numbered = [Incident(**{**vars(one), "number": place}) for place, one in enumerate(current, start=1)]
    resolved = [one for one in over if one.id in tonight and one.id in open_before]
    return numbered, resolved, [one for one in over if one not in resolved]


def _incident(rows: dict[str, Array], place: int, decisions: dict[str, list[Decision]], tonight: int) -> Incident:
    """The incident of one row, not yet numbered; its days are written as the page of `tonight` writes them."""
    name = str(rows["incident"][place])
    evidence = read_evidence(rows["evidence"][place])
    night, opened, last = (int(rows[column][place]) for column in ("night", "opened", "last_breach"))
    return Incident(
        id=name,
        number=0,
        title=with_days(plain(rows["title"][place], TITLE_MOST), tonight) or plain(name) or say("unnamed incident"),
        severity=_severity(rows["severity"][place]),
        state=rows["state"][place] or "ongoing",
        scope=plain(rows["scope"][place], 120),
        opened=opened if opened > 0 else night,
        last_breach=last if last > 0 else night,
        quiet_nights=int(number(rows["quiet_nights"][place]) or 0),
        evidence=evidence[:EVIDENCE_MOST],
        more_evidence=max(len(evidence) - EVIDENCE_MOST, 0),
        decisions=tuple(decisions.get(name, ())),
        text=with_days(plain(rows["text"][place], 1200), tonight) if "text" in rows else "",
    )


def _decisions(known: Known) -> dict[str, list[Decision]]:
    """Decisions in view by incident, the newest first; a decision repeated night after night is told once."""
    rows = known.past("decisions")
    out: dict[str, list[Decision]] = {}
    told: set[tuple[str, str, str, str]] = set()
    columns = (rows[name] for name in ("night", "incident", "action", "outcome", "reason"))
    for night, incident, action, outcome, reason in zip(*(column[::-1] for column in columns), strict=True):
        decision = Decision(
            int(night), plain(action), plain(outcome), with_days(plain(reason, 320), known.night), str(incident or "")
        )
        same = (decision.incident, decision.action, decision.outcome, decision.reason)
        if same not in told:
            told.add(same)
            out.setdefault(decision.incident, []).append(decision)
    return out


def counts_of(known: Known) -> Counts:
    """How tonight's checks ended."""
    verdicts = known.tonight("verdicts")["verdict"].tolist()
    return Counts(*(verdicts.count(name) for name in ("ok", "breach", "not_evaluated")))


def unjudged_of(known: Known) -> tuple[Unjudged, ...]:
    """The checks that could not be made, by reason; the most frequent reasons first."""
    rows = known.tonight("verdicts")
    groups: dict[str, list[str]] = {}
    names = (rows[name] for name in ("verdict", "reason", "rule", "feature", "segment"))
    for verdict, reason, rule, feature, segment in zip(*names, strict=True):
        if verdict == "not_evaluated":
            where = feature or (segment if segment not in {None, "all"} else "")
            named = rule_name(plain(rule, 60))
            example = say("{rule} ({where})", rule=named, where=plain(feature_name(where), 40)) if where else named
            groups.setdefault(plain(reason, 160) or say("no reason was given"), []).append(example)
    ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    told = [Unjudged(why, len(which), tuple(dict.fromkeys(which))[:3]) for why, which in ranked[:UNJUDGED_MOST]]
    rest = sum(len(which) for _, which in ranked[UNJUDGED_MOST:])
    return (*told, Unjudged(say("other reasons"), rest, ())) if rest else tuple(told)
