"""Hand requests for an action to their consumer outside Airflow: a webhook or a command that the spec names.

At least once: a process that dies between the consumer's answer and the ledger repeats it, with the same key.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jobs import ledger, requested
from jobs.engine import chat
from jobs.errors import DeliveryError
from jobs.telling import address, fault_of

if TYPE_CHECKING:
    from datetime import date

    from jobs.engine.warehouse import Warehouse
    from jobs.spec.acting import ActionPolicy
    from jobs.spec.model import ModelSpec

TIMEOUT = 600
"""Seconds a command may take; long work belongs into a job that it starts."""

GIVEN_UP = "not handed over: {why}"
"""What the ledger says of a request that came too late."""


def request(
    spec: ModelSpec, warehouse: Warehouse, night: date, known: date | None = None
) -> tuple[list[str], list[str]]:
    """Hand over every request due on a night that has a webhook or a command and, where asked for, an approval.

    One that could not be handed over while its incident lasted, or in whose place another goes, is given up, and the
    ledger says so; `known`: the newest night, which may know that. Returns what was done, and the faults, both as
    sentences.
    """
    faults = []
    found = [one for one in requested.requests(spec, warehouse, night, known=known) if _takes(spec, one)]
    said = [give_up(warehouse, one) for one in found if one.late]
    said += [f"{one.row['channel']} waits: {one.waits}" for one in found if one.own and one.waits and not one.gone]
    for one in found:
        if not one.due:
            continue
        row = one.row
        policy: ActionPolicy = getattr(spec.actions, row["channel"])
        if wait := waiting(policy, row["key"], warehouse):
            said.append(f"{row['channel']} {wait}")
            continue
        now = datetime.now(UTC)
        try:
            answer = _hand_over(row, policy)
        except Exception as error:
            faults.append(f"{row['channel']}: {fault_of(error)}")
            continue
        ledger.record(warehouse, row["key"], row["channel"], known or night, now, answer)
        said.append(f"{row['channel']} handed over: {answer}")
    return said, faults


def _takes(spec: ModelSpec, one: requested.Request) -> bool:
    """Whether a webhook or a command carries a request out."""
    return getattr(spec.actions, one.row["channel"]).consumer in ("webhook", "command")


def give_up(warehouse: Warehouse, one: requested.Request) -> str:
    """Note in the ledger that a request goes out no more, and why; says so."""
    row, told = one.row, GIVEN_UP.format(why=one.gone)
    ledger.record(warehouse, row["key"], row["channel"], row["night"], datetime.now(UTC), told)
    return f"{row['channel']} {told} ({row['incident']})"


def waiting(policy: ActionPolicy, key: str, warehouse: Warehouse) -> str:
    """Why a request may not go out yet; empty where it may."""
    if not policy.approval:
        return ""
    answer, person = ledger.answers(warehouse, "approved", "rejected").get(key, ("", ""))
    if answer == "rejected":
        return f"was rejected by {person}"
    return "" if answer == "approved" else f"waits for approval: nightjar approve {warehouse.model} {key}"


def _hand_over(row: dict[str, Any], policy: ActionPolicy) -> str:
    if policy.webhook is not None:
        return chat.post(address(policy.webhook), row["payload"], row["key"], f"webhook of {row['channel']}")
    command = list(policy.command or ())
    known = {"NIGHTJAR_KEY": row["key"], "NIGHTJAR_ACTION": row["channel"], "NIGHTJAR_MODEL": row["payload"]["model"]}
    try:
        done = subprocess.run(  # noqa: S603 - the spec's own command, as a list, without a shell
            command, input=json.dumps(row["payload"]), env={**os.environ, **known}, text=True, timeout=TIMEOUT,
            capture_output=True, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeliveryError(f"the command {command[0]} could not be run: {error}") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
        raise DeliveryError(f"the command {command[0]} ended with {done.returncode}: {last[0][:300]}")
    said = done.stdout.strip().splitlines()[-1:]
    return f"{command[0]} ended with 0" + (f": {said[0][:300]}" if said else "")
