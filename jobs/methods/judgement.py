"""What to do about two versions: keep the live one, promote or roll back to the other, or wait; and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["keep", "promote", "roll back", "not yet known"]

LEVEL = 0.01
"""A difference is taken for real below this p-value; stricter than 5 %, because every night looks again."""
ALIKE = 0.02
"""Versions whose accuracies differ by less than this, interval and all, are alike: a change would not pay."""

LABELLED = 0.8
"""Share of labels without which accuracy says nothing about a version."""


@dataclass(frozen=True)
class Difference:
    """A figure of the other version minus the live one's."""

    value: float
    lower: float
    upper: float
    p_value: float
    n: int

    @property
    def better(self) -> bool:
        return self.p_value < LEVEL and self.value > 0

    @property
    def worse(self) -> bool:
        return self.p_value < LEVEL and self.value < 0

    @property
    def alike(self) -> bool:
        return -ALIKE < self.lower <= self.upper < ALIKE

    def __str__(self) -> str:
        return f"{self.value * 100:+.1f} points ({self.lower * 100:+.1f} to {self.upper * 100:+.1f}, n = {self.n:,})"


@dataclass(frozen=True)
class Evidence:
    """What speaks for the other version or against it; None where nothing is known."""

    accuracy: Difference | None
    """On the same rows, or before the change and since."""
    business: Difference | None = None
    """Conversion before the change and since, where the other was live."""
    ranking: Difference | None = None
    """ROC AUC on the same rows."""
    coverage: float = 1.0
    """Share of the rows whose label is in."""
    was_live: bool = False
    """Whether the other version answered before: what tells promote from roll back."""


def verdict(  # noqa: PLR0911 - one return an answer
    live: str, other: str, evidence: Evidence, needed: int
) -> tuple[Verdict, str]:
    """The verdict and its reason in words.

    Labels that come early are not like the others, so accuracy speaks once most are in. Where it is certain of one
    thing and business or ranking of the contrary, nobody can tell yet, and a person must look. Where accuracies
    differ and the scores rank alike, it may be the threshold that should change, which the reason says.

    >>> better = Difference(0.04, 0.02, 0.06, 0.001, 900)
    >>> verdict("v1", "challenger:v2", Evidence(better), needed=30)
    ('promote', 'challenger:v2 is right more often: +4.0 points (+2.0 to +6.0, n = 900)')
    """
    model, money = (one if one and one.n >= needed else None for one in (evidence.accuracy, evidence.business))
    early = model is not None and evidence.coverage < LABELLED
    if early:
        model = None
    if model is None and not (money and (money.better or money.worse)):
        if early:
            share = f"{evidence.coverage:.0%} of the labels are in"
            return "not yet known", f"{share}, and early ones are not like the others: {LABELLED:.0%} needed"
        count = max((one.n for one in (evidence.accuracy, evidence.business) if one), default=0)
        return "not yet known", f"{count:,} rows with labels, {needed:,} needed"
    if conflict := _conflict(live, other, model, money, evidence.ranking):
        return "not yet known", conflict
    change: Verdict = "roll back" if evidence.was_live else "promote"
    if model and model.better:
        return change, f"{other} is right more often: {model}{_threshold(evidence.ranking)}"
    if money and money.better:
        return change, f"{other} converted more: {money}"
    if model and model.worse:
        return "keep", f"{live} is right more often: {other} has {model}{_threshold(evidence.ranking)}"
    if money and money.worse:
        return "keep", f"{live} converts more: {other} had {money}"
    if model and model.alike:
        return "keep", f"both are right equally often, within {ALIKE * 100:g} points: {model}"
    return "not yet known", f"the difference may be chance: {model}"


def _conflict(
    live: str, other: str, model: Difference | None, money: Difference | None, ranking: Difference | None
) -> str:
    """What contradicts a certain difference of accuracy; empty where nothing does."""
    if model is None or not (model.better or model.worse):
        return ""
    who, whom = (other, live) if model.better else (live, other)
    if money and (money.worse if model.better else money.better):
        return f"{who} is right more often ({model}), but {whom} converts more ({money})"
    if ranking and (ranking.worse if model.better else ranking.better):
        return (
            f"{who} is right more often ({model}), but {whom} ranks better (AUC {ranking}): "
            "compare their thresholds first"
        )
    return ""


def _threshold(ranking: Difference | None) -> str:
    return (
        f"; both rank alike (AUC {ranking}), so another threshold may do as much" if ranking and ranking.alike else ""
    )
