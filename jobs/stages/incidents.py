"""Gather breaches into incidents, decide what is done about them, and write the messages that tell of it.

Nights are walked one by one, because tonight's incidents are last night's with what has happened since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from jobs import tables
from jobs.methods import actions, evidence, grouping, messages, mutes, particulars, specificity, versions
from jobs.methods.answering import Answering
from jobs.methods.definitions import BY_NAME
from jobs.methods.grouping import Breach, Incident, Night
from jobs.stages import Summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jobs.engine.warehouse import Warehouse
    from jobs.methods.answering import Serving
    from jobs.methods.grouping import Told
    from jobs.periods import Period
    from jobs.spec import ModelSpec

WRITTEN = ("incidents", "decisions", "outbox")


def run(spec: ModelSpec, period: Period, warehouse: Warehouse) -> Summary:
    """Walk the period's nights from the incidents of the night before it."""
    nights = _nights(spec, period, warehouse)
    known = _standing(spec, period, warehouse)
    requested = _requested(period, warehouse)
    heard = _heard(period, warehouse)
    held = set(warehouse.query("incidents/held", before=period.first)["key"])
    rows: dict[str, list[Mapping[str, Any]]] = {name: [] for name in WRITTEN}
    for tonight, moment in nights:
        told = grouping.advance(spec.model, tonight, known, spec.incidents.resolve_after)
        decided = _decided(told, moment, spec, tonight.night, requested)
        rows["incidents"] += [grouping.as_row(one, tonight.night, _text) for one in told if one.news]
        rows["decisions"] += decided
        audience = messages.Audience(
            model=spec.model,
            night=tonight.night,
            owner=spec.owner,
            channels=spec.channels,
            mutes=mutes.active(spec.mutes, tonight.night),
            heard=heard,
            held=held,
        )
        rows["outbox"] += messages.compose(told, decided, moment.news, audience)
        known = [one.incident for one in told]
    written = warehouse.replace("incidents", period, {name: _frame(name, rows[name], spec.model) for name in WRITTEN})
    opened = [f"{row['night']} {row['title']}" for row in rows["incidents"] if row["state"] == "opened"]
    return Summary("incidents", period, written, tuple(opened))


@dataclass(frozen=True)
class _Moment:
    """What a night's decisions look at besides incidents."""

    fresh_labels: int
    serving: Serving
    news: tuple[evidence.Item, ...]
    """Figures of severity info that were fine the night before."""

    def situation(
        self, spec: ModelSpec, night: date, requested: list[actions.Requested], unresolved: frozenset[str]
    ) -> actions.Situation:
        return actions.Situation(
            model=spec.model,
            night=night,
            history=requested,
            fresh_labels=self.fresh_labels,
            policies={name: getattr(spec.actions, name) for name in actions.ORDER},
            serving=self.serving,
            unresolved=unresolved,
            mutes=mutes.active(spec.mutes, night),
        )


@dataclass(frozen=True)
class _Background:
    """What breaches are told with."""

    shares: Mapping[str, float]
    former: Mapping[str, str]
    changes: list[dict[str, Any]]
    particulars: particulars.Particulars
    answering: Answering


def _decided(
    told: Sequence[Told], moment: _Moment, spec: ModelSpec, night: date, requested: list[actions.Requested]
) -> list[dict[str, Any]]:
    """Rows of `decisions` of one night; `requested`, before tonight, grows by what is requested."""
    decided = []
    unresolved = frozenset(one.incident.incident for one in told if one.incident.is_open)
    for action in actions.ORDER:
        for one in actions.in_turn(told, action, requested):
            new = actions.decide(one, moment.situation(spec, night, requested, unresolved), [action])
            decided += new
            requested += [actions.Requested.of(row, night) for row in new if row["outcome"] != "held"]
    return decided


# reading --------------------------------------------------------------------------------------------------------


def _nights(spec: ModelSpec, period: Period, warehouse: Warehouse) -> list[tuple[Night, _Moment]]:
    """Every night of the period with its breaches, what it could judge, and what decisions look at."""
    found = warehouse.query("incidents/breaches", first=period.first - timedelta(days=1), last=period.last)
    found["nights"] = specificity.nights(spec.all_rules, found)
    judged = warehouse.query("incidents/judged", first=period.first, last=period.last)
    volumes = warehouse.query("incidents/version_volumes", last=period.last)
    since = period.first - timedelta(days=actions.FRESH_DAYS)
    arrivals = warehouse.query("anomalies/label_arrivals", first=since, last=period.last)
    labels = arrivals.set_index("known_day")["n"]
    first_days = volumes.groupby("version")["day"].min().rename("first_day").reset_index()
    changed = versions.changes(volumes, first_days)
    former = dict(zip(changed["version"], changed["former_version"], strict=True))
    background = _Background(
        shares=evidence.importances({name: feature.importance for name, feature in spec.features.items()}),
        former=former,
        changes=[row | {"first_day": row["first_day"].date()} for row in _records(changed)],
        particulars=_particulars(spec, period, warehouse, found),
        answering=Answering.of(volumes),
    )
    by_night = dict(iter(found.groupby("night")))
    tried = dict(iter(judged.groupby("night")))
    nights = []
    for day in period:
        stamp = pd.Timestamp(day)
        breaches = _records(by_night[stamp]) if stamp in by_night else []
        seen = tried.get(stamp, judged.iloc[:0])
        pairs = list(zip(seen["metric"], seen["segment"], seen["judged"] > 0, strict=True))
        tonight = Night(
            night=day,
            breaches=tuple(_breach(row, day, spec, background) for row in breaches),
            judged=frozenset((metric, segment) for metric, segment, yes in pairs if yes),
            present=frozenset((metric, segment) for metric, segment, _ in pairs),
        )
        fresh = labels.loc[stamp - pd.Timedelta(actions.FRESH_DAYS - 1, "D") : stamp].sum()
        before = by_night.get(stamp - pd.Timedelta(1, "D"))
        news = _news(tonight, _records(before) if before is not None else [])
        nights.append((tonight, _Moment(int(fresh), background.answering.serving(day, background.former), news)))
    return nights


def _news(tonight: Night, before: list[dict[str, Any]]) -> tuple[evidence.Item, ...]:
    """Figures of severity info that did not breach the night before."""
    names = ("metric", "feature", "segment", "version")
    known = {tuple(row[name] for name in names) for row in before}
    items = [breach.items[-1] for breach in tonight.breaches if breach.severity == "info"]
    new = {tuple(item[name] for name in names): item for item in items}
    return tuple(item for key, item in new.items() if key not in known)


def _particulars(spec: ModelSpec, period: Period, warehouse: Warehouse, found: pd.DataFrame) -> particulars.Particulars:
    """Bins of the features that breached, and segments of the rates that did."""
    days, gap = spec.detection.recent_days, spec.detection.recent_gap
    oldest = max((0, *spec.label_ages, *spec.outcome_ages))
    rates = {metric for metric in found["metric"] if (known := BY_NAME.get(metric)) and known.scale == "rate"}
    return particulars.Particulars.of(
        warehouse.query("incidents/profiles", first=period.first, last=period.last),
        warehouse.query(
            "incidents/parts",
            metrics=sorted(rates - {"missing_rate"}) or [""],
            first=period.first - timedelta(days=days + gap + oldest),
            last=period.last,
        ),
        days,
        gap,
    )


def _breach(row: Mapping[str, Any], night: date, spec: ModelSpec, background: _Background) -> Breach:
    day = row["day"].date()
    item = evidence.item(row, background.shares, background.former)
    item |= background.particulars.of_item(item)
    nights = int(row["nights"])
    if nights > 1:
        item["in_a_row"] = nights
    quiet = mutes.mute_of(item, mutes.active(spec.mutes, night))
    if quiet:
        item["muted"] = str(quiet.until)
    told_by = "former_version" in item
    markers = [(one.day, one.what) for one in spec.markers]
    told_with_notes = row["detector"] != "delivery" and row["severity"] != "info" and not told_by
    noted = evidence.notes(item, background.changes, markers) if told_with_notes else []
    ages = spec.outcome_ages if row["metric"] in ("conversion", "value", "value_per_prediction") else spec.label_ages
    return Breach(
        base=evidence.scope_of(row),
        segment=row["segment"],
        severity=row["severity"],
        action=None if quiet else row["action"] or None,
        day=day,
        retold=item["label_age"] is not None and item["label_age"] > min(ages, default=0),
        late=day < night,
        items=(*([evidence.new_version(item)] if told_by else noted), item),
        replaced=background.answering.replaced(row["action"], str(row["version"]), day, nights, night)
        if row["action"]
        else "",
    )


def _standing(spec: ModelSpec, period: Period, warehouse: Warehouse) -> list[Incident]:
    """Open incidents, and those resolved so lately that a late figure may still tell of their days."""
    oldest = max((0, *spec.label_ages, *spec.outcome_ages))
    since = period.first - timedelta(days=oldest + 1) - evidence.LATER
    rows = warehouse.query("incidents/standing", since=since, before=period.first)
    return [
        Incident(
            incident=row["incident"],
            scope=row["scope"],
            opened=row["opened"].date(),
            state=row["state"],
            severity=row["severity"],
            last_breach=row["last_breach"].date(),
            quiet_nights=int(row["quiet_nights"]),
            evidence=tuple(json.loads(row["evidence"])),
            reopened=None if pd.isna(row["reopened"]) else row["reopened"].date(),
        )
        for row in _records(rows)
    ]


def _requested(period: Period, warehouse: Warehouse) -> list[actions.Requested]:
    rows = warehouse.query("incidents/requested", before=period.first)
    return [
        actions.Requested.of(row | {"payload": json.loads(row["payload"])}, row["night"].date())
        for row in _records(rows)
    ]


def _heard(period: Period, warehouse: Warehouse) -> dict[str, set[str]]:
    """Which channels have been told of which incident before the period."""
    answer: dict[str, set[str]] = {}
    for row in _records(warehouse.query("incidents/heard", before=period.first)):
        answer.setdefault(row["incident"], set()).add(row["channel"])
    return answer


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


# writing --------------------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _frame(table: str, rows: list[Mapping[str, Any]], model: str) -> pd.DataFrame:
    columns = list(tables.BY_NAME[table].columns)
    frame = pd.DataFrame([dict(row) for row in rows], columns=columns).assign(model=model)
    if "payload" in columns:
        frame["payload"] = [_text(payload) for payload in frame["payload"]]
    return frame
