"""What a retraining, a rollback or a fallback is asked for with, checked before anything is done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jobs.errors import UsageError
from jobs.periods import parse_day

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

PAYLOAD_VERSION = 1
_KEY = re.compile(r"[A-Za-z0-9_~:+-][A-Za-z0-9_.~:+-]{0,200}")
_NEEDED = ("model", "reason", "key")
_KNOWN = ("version", *_NEEDED, "action", "incident", "night", "metrics", "days", "versions")


@dataclass(frozen=True)
class Request:
    """What was asked for, and why. The incident's evidence is kept beside the candidate."""

    model: str
    reason: str
    key: str
    night: date | None = None
    """Labels known after it are not used; absent: the newest day on which one became known."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """`incident`, `metrics` (one mapping each), `days` (`first`, `last`) and `versions` (`current`, `previous`)."""


def parse_request(payload: Mapping[str, Any], action: str = "retrain") -> Request:
    """A payload as a decision carries it, checked. Raises UsageError naming every fault.

    >>> parse_request({"version": 1, "model": "shop", "reason": "drift", "key": "shop-7"}).key
    'shop-7'
    """
    if not isinstance(payload, Mapping):
        raise UsageError(f"the payload is {payload!r:.80}; a mapping is needed, as a decision carries it")
    if faults := list(_faults(payload, action)):
        name = "retraining" if action == "retrain" else action
        raise UsageError(f"the {name} was asked for with a payload it cannot use: {'; '.join(faults)}")
    return Request(
        model=payload["model"],
        reason=payload["reason"],
        key=payload["key"],
        night=parse_day(payload["night"]) if payload.get("night") else None,
        evidence={name: payload.get(name) for name in ("incident", "metrics", "days", "versions")},
    )


def _faults(payload: Mapping[str, Any], action: str) -> Iterator[str]:
    for name in sorted(set(payload) - set(_KNOWN)):
        yield f"'{name}' is unknown; known: {', '.join(_KNOWN)}"
    if payload.get("version") != PAYLOAD_VERSION:
        yield f"version is {payload.get('version')!r}; this consumer understands {PAYLOAD_VERSION}"
    for name in _NEEDED:
        if not isinstance(payload.get(name), str) or not payload[name].strip():
            yield f"{name} is {payload.get(name)!r}; a text is needed"
    if isinstance(key := payload.get("key"), str) and key and not _KEY.fullmatch(key):
        yield f"key {key!r} cannot name a folder; use letters, digits and _ . ~ : + -"
    if payload.get("action", action) != action:
        yield f"action is {payload['action']!r}; only {action} is done here"
    metrics = payload.get("metrics") or []
    if not isinstance(metrics, list | tuple) or not all(isinstance(one, Mapping) for one in metrics):
        yield f"metrics is {metrics!r}; a list of mappings is needed"
    if (night := payload.get("night")) and not isinstance(night, str):
        yield f"night is {night!r}; a day written as YYYY-MM-DD is needed"
    for name in ("days", "versions"):
        if not isinstance(payload.get(name) or {}, Mapping):
            yield f"{name} is {payload[name]!r}; a mapping is needed"
