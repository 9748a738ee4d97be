"""Which versions answered a day, and whether what was found on it still speaks of those that answer now.

An action moves what answers now: the fault of a version that has been replaced since is no reason to roll back or
retrain the one that came after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from jobs.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RULE_ENGINE = "rules"
"""Who answers after a fallback: no model, so what a model did wrong before it still asks for a retraining."""

LEAST = 0.01
"""A version that answers less of a day than this is on its way out, or a try."""

HALF = 0.5
"""A figure of all versions speaks of those that answer now where the two days' mixes overlap by this much."""


@dataclass(frozen=True)
class Answering:
    """Who answered which day; without any version known nothing is ever replaced."""

    shares: Mapping[date, Mapping[str, float]] = field(default_factory=dict)
    """Day -> version -> its share of the day's answers; days without answers are left out."""

    @classmethod
    def of(cls, volumes: pd.DataFrame) -> Answering:
        """From `day`, `version`, `value`: how much each live version answered, above 0.

        >>> days = pd.to_datetime(["2025-03-01", "2025-03-01"])
        >>> Answering.of(pd.DataFrame({"day": days, "version": ["v1", "v2"], "value": [30.0, 10.0]})).shares
        {datetime.date(2025, 3, 1): {'v1': 0.75, 'v2': 0.25}}
        """
        parts = volumes.assign(share=volumes["value"] / volumes.groupby("day")["value"].transform("sum"))
        found: dict[date, dict[str, float]] = {}
        for day, version, share in zip(parts["day"], parts["version"], parts["share"], strict=True):
            found.setdefault(pd.Timestamp(day).date(), {})[str(version)] = float(share)
        return cls(dict(sorted(found.items())))

    def live(self, night: date) -> Mapping[str, float]:
        """Versions that answered the newest day with answers as of a night, with their shares; empty before any."""
        newest = max((day for day in self.shares if day <= night), default=None)
        return {} if newest is None else {name: part for name, part in self.shares[newest].items() if part >= LEAST}

    def replaced(self, action: str, version: str, day: date, nights: int, night: date) -> str:
        """Why a figure of `day`, and of the nights in a row before it, says nothing of what answers on `night`.

        `version`: the figure's own, or `all`. Empty where it does say something, or nobody knows who answered.
        """
        now = self.live(night)
        if not now or _resting(action, now):
            return ""
        if version not in ("", "all"):
            return "" if version in now else _told(version, day, now, self.since(night))
        for back in reversed(range(nights)):
            then = self.shares.get(day - timedelta(days=back))
            if then and not _half_alike(then, now):
                return _told(
                    max(sorted(then), key=then.__getitem__), day - timedelta(days=back), now, self.since(night)
                )
        return ""

    def gone(self, action: str, version: str | None, night: date) -> bool:
        """Whether the version that a request is about answers no more on a night."""
        now = self.live(night)
        if not now or version is None or _resting(action, now):
            return False
        return version not in now

    def passed(self, action: str, versions: Iterable[str], asked: date, night: date) -> bool:
        """Whether none of the figures that asked for an action on one night speaks of who answers on a later one.

        `versions`: what each figure is of; one of `all` versions speaks as long as the mix of answers is still half
        the same, so a try beside the main version may come and go.
        """
        return all(
            self._moved(action, asked, night) if version in ("", "all") else self.gone(action, version, night)
            for version in versions
        )

    def _moved(self, action: str, asked: date, night: date) -> bool:
        """Whether the mix of who answers has changed by more than half since a night."""
        then, now = self.live(asked), self.live(night)
        return bool(then) and not _resting(action, now) and not _half_alike(then, now)

    def serving(self, night: date, former: Mapping[str, str]) -> Serving:
        """Who answers as of a night; `former`: version -> the one that it replaced."""
        first: dict[str, date] = {}
        for day, parts in self.shares.items():
            first |= {name: day for name in parts if name not in first}
        return Serving(self.live(night), first, former)

    def since(self, night: date) -> date:
        """The first day from which on, through a night, those that answer then have answered most."""
        now, begun = self.live(night), night
        for day in sorted((one for one in self.shares if one <= night), reverse=True):
            if sum(part for name, part in self.shares[day].items() if name in now) < HALF:
                break
            begun = day
        return begun


@dataclass(frozen=True)
class Serving:
    """Who answers as of one night, and which version an action is about."""

    shares: Mapping[str, float] = field(default_factory=dict)
    """Version -> its share of the answers."""
    begun: Mapping[str, date] = field(default_factory=dict)
    """Version -> its first day."""
    former: Mapping[str, str] = field(default_factory=dict)
    """Version -> the one that it replaced."""

    def about(self, action: str, versions: Iterable[str]) -> dict[str, str | None]:
        """`current`, the version that an action is about, and `previous`, the one it replaced; None where none is.

        `versions`: of the figures that ask. Where they name versions, it is that with most answers among them. Figures
        of `all` versions are about the one that answers most, the newest on ties; only a rollback, which undoes the
        last change, is then about the version that began last.

        >>> first = {"v1": date(2025, 3, 1), "v2": date(2025, 3, 9)}
        >>> live = Serving({"v1": 0.97, "v2": 0.03}, first, {"v2": "v1"})
        >>> live.about("retrain", ["all"])
        {'current': 'v1', 'previous': None}
        >>> live.about("rollback", ["all"]) == live.about("retrain", ["v2"]) == {"current": "v2", "previous": "v1"}
        True
        """
        named = set(versions) - {"", "all"} if not {"", "all"} & set(versions) else set()
        least = date.min

        def rank(name: str) -> tuple[float, date, str]:
            share = 0.0 if action == "rollback" and not named else self.shares.get(name, 0.0)
            return share, self.begun.get(name, least), name

        current = max(named or self.shares, key=rank, default=None)
        return {"current": current, "previous": self.former.get(current) if current else None}


def _resting(action: str, now: Mapping[str, float]) -> bool:
    """Whether the rule engine answers, while the model that a retraining is for only rests."""
    return action == "retrain" and RULE_ENGINE in now


def _half_alike(then: Mapping[str, float], now: Mapping[str, float]) -> bool:
    """Whether at least half of the answers come from the same versions on both days, by shares of a day's answers."""
    return sum(min(part, then.get(name, 0.0)) for name, part in now.items()) >= HALF


def _told(version: str, day: date, now: Mapping[str, float], since: date) -> str:
    newest = max(sorted(now), key=now.__getitem__)
    return say(
        "{former} answered on {day}, and {version} has answered since {since}",
        former=version, day=day, version=newest, since=since,
    )  # fmt: skip
