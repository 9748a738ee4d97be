"""The requests that a night offers: to the spec's webhooks and commands, to Airflow, to a person who must approve.

Only the newest closed day asks. What is due, and what is too late, `jobs.requested` says.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jobs import consumers, ledger, requested
from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.errors import DeliveryError
from jobs.methods import actions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date
    from pathlib import Path

    from jobs.spec.model import ModelSpec


def retrain_due(spec: ModelSpec, night: date, home: Path, newest_closed: date) -> dict[str, Any] | None:
    """The payload of a retraining that the newest closed night requested and nobody has started, if any."""
    return action_due(spec, "retrain", night, home, newest_closed)


def action_due(spec: ModelSpec, action: str, night: date, home: Path, newest_closed: date) -> dict[str, Any] | None:
    """The payload of an action that the newest closed night requested and nobody has started, with its `run_id`."""
    if night != newest_closed:
        return None
    with open_warehouse(home, spec.model) as warehouse:
        return unstarted(spec, action, night, warehouse)


def request_due(spec: ModelSpec, action: str, night: date, home: Path) -> tuple[dict[str, Any] | None, str]:
    """A request that a night offers and nobody has started, with its `run_id`, and what was answered to it.

    That is approved, rejected or ''. One that is not the night's own is noted as offered by this night, so that no
    later one asks a person for it again. What the newest night knows to be too late is not offered: see `given_up`.
    """
    with open_warehouse(home, spec.model) as warehouse:
        one = _offer(spec, action, night, warehouse)
        if one is None:
            return None, ""
        key = one.row["key"]
        answer, _ = ledger.answers(warehouse, "approved", "rejected").get(key, ("", ""))
        if not one.own and not answer:
            ledger.record(warehouse, f"{key}-offered", "offer", night, datetime.now(UTC), "offered for approval")
    return _payload(one), answer


def given_up(spec: ModelSpec, action: str, night: date, home: Path) -> str:
    """Give up what a night asked for and came too late, as a late approval may; says why, empty where nothing did."""
    with open_warehouse(home, spec.model) as warehouse:
        late = requested.requests(spec, warehouse, night, known=_newest(warehouse, night))
        mine = [one for one in late if one.row["channel"] == action and one.gone and (one.own or one.offered == night)]
        return "; ".join(consumers.give_up(warehouse, one) for one in mine)


def answer_request(spec: ModelSpec, action: str, night: date, home: Path, person: str, *, approved: bool) -> None:
    """Write down what a person said about a night's request."""
    with open_warehouse(home, spec.model) as warehouse:
        found = requested.requests(spec, warehouse, night, known=_newest(warehouse, night))
        mine = [one for one in found if one.row["channel"] == action and not one.gone]
        asked = [one for one in mine if one.offered == night] or [one for one in mine if one.own]
        said = "approved" if approved else "rejected"
        for one in asked[:1]:
            ledger.answer(warehouse, one.row["key"], said, person, datetime.now(UTC))


def to_announce(
    spec: ModelSpec, night: date, home: Path, now: datetime, asked: Collection[str]
) -> list[dict[str, Any]]:
    """Payloads of a night's requests for the actions `asked` that nobody was told of as an event.

    Those that wait for approval are left out.
    """
    with open_warehouse(home, spec.model) as warehouse:
        found = requested.requests(spec, warehouse, night, taken=True, known=_newest(warehouse, night))
        due = [
            one.row
            for one in found
            if not one.gone and not one.waits and (one.own or one.asked) and one.row["channel"] in asked
        ]
        free = [
            one["payload"]
            for one in due
            if not ledger.sent(warehouse, f"{one['key']}-event")
            and not consumers.waiting(getattr(spec.actions, one["channel"]), one["key"], warehouse)
        ]
        for one in free:
            ledger.record(warehouse, f"{one['key']}-event", "event", night, now, "announced")
    return free


def hand_to_consumers(spec: ModelSpec, night: date, home: Path, newest_closed: date) -> str:
    """Hand requests to the webhooks and commands of the spec; says what was done."""
    if night != newest_closed:
        return silent(spec, night, newest_closed)
    with open_warehouse(home, spec.model) as warehouse:
        ledger.begin(warehouse, night, datetime.now(UTC))
        done, faults = consumers.request(spec, warehouse, night, _newest(warehouse, night))
    if faults:
        raise DeliveryError(f"{spec.model}: {'; '.join(faults)}")
    return "; ".join(done) or f"{spec.model}: no request waits for a webhook or a command"


def newest_spoken(spec: ModelSpec, home: Path) -> date | None:
    """The newest night that began to speak, whoever started it; waits for the model's file."""
    with open_warehouse(home, spec.model) as warehouse:
        return ledger.newest_spoken(warehouse)


def record(spec: ModelSpec, home: Path, key: str, channel: str, night: date, sent_at: datetime, answer: str) -> None:
    """Note in the ledger that a key was handed over; noting it twice keeps the first note.

    The cool-down counts from the newest finished night: a person may have approved it long after `night` asked.
    """
    with open_warehouse(home, spec.model) as warehouse:
        ledger.record(warehouse, key, channel, _newest(warehouse, night), sent_at, answer)


def silent(spec: ModelSpec, night: date, newest_closed: date) -> str:
    """Why an older night says and asks nothing."""
    return f"{spec.model}: {night} is not the newest closed day ({newest_closed}), so nothing is sent"


def unstarted(spec: ModelSpec, action: str, night: date, warehouse: Warehouse) -> dict[str, Any] | None:
    """A request that nobody has started, unless the spec's own webhook or command is to get it."""
    ledger.finished(warehouse, night)
    if getattr(spec.actions, action).consumer in ("webhook", "command"):
        return None
    one = _offer(spec, action, night, warehouse)
    return _payload(one) if one else None


def left(spec: ModelSpec, action: str, payload: Mapping[str, Any], warehouse: Warehouse) -> str:
    """What is to be done about a request that this command hands to nobody."""
    policy = getattr(spec.actions, action)
    if wait := consumers.waiting(policy, payload["key"], warehouse):
        return f"{action} {wait}"
    by_hand = f"or carry it out: nightjar {action} {spec.model}"
    if actions.consumer(action, policy):
        how = f"Airflow starts the DAG {policy.dag or action}; here name a webhook or a command, {by_hand}"
    else:
        how = f"nobody takes it: name a webhook, a command or a DAG in actions.{action} of the spec, {by_hand}"
    return f"{action} is due, {payload['reason']} ({how})"


def _offer(spec: ModelSpec, action: str, night: date, warehouse: Warehouse) -> requested.Request | None:
    """The request to offer on a night, its own or what an older one could not get rid of; gives up what that replaces.

    A person is asked once: what an older night has asked for approval, or what was rejected, is not offered again. What
    was approved is, because the answer may have been given elsewhere than where that night waits for it.
    """
    waits = getattr(spec.actions, action).approval
    known = _newest(warehouse, night) if waits else None
    found = [one for one in requested.requests(spec, warehouse, night, known=known) if one.row["channel"] == action]
    for one in found:
        told_there = waits and (one.own or one.offered == night)  # `given_up` says it
        if one.late and one.gone.startswith(requested.SUPERSEDED) and not told_there:
            consumers.give_up(warehouse, one)
    answered = {key: said for key, (said, _) in ledger.answers(warehouse, "approved", "rejected").items()}
    offered = [one for one in found if one.due and _offers(one, answered.get(one.row["key"], ""), night, waits=waits)]
    return max(offered, key=lambda one: one.weight, default=None)


def _offers(one: requested.Request, said: str, night: date, *, waits: bool) -> bool:
    """Whether a night offers what is due; `said`: what was answered to it, `waits`: whether a person must."""
    if one.own or said == "approved":
        return True
    asked_before = waits and ((one.tried and not one.rested) or one.offered not in (None, night))
    return not said and not asked_before


def _payload(one: requested.Request) -> dict[str, Any]:
    return {**one.row["payload"], "run_id": one.row["key"]}


def _newest(warehouse: Warehouse, night: date) -> date:
    """The newest night that is finished; a person may answer long after the night that asked."""
    done = warehouse.progress("report")
    return max(night, done.through) if done else night
