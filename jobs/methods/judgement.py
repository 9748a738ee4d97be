"""What to do about two versions: keep the live one, promote or roll back to the other, look, or wait; and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["keep", "promote", "roll back", "contradictory", "not yet known"]

LEVEL = 0.0002
"""A difference is taken for real below this p-value; every night looks again, at windows that overlap.

Of two versions that are right equally often, judged for a year of nights over windows of 28 days (5,000 simulated years
of 20 to 250 rows a day that 10 to 30 % are judged differently): at 0.01, 22 to 27 % of years have a false promotion and
39 to 48 % any false difference; at 0.001, 3 to 4 % and 6 to 8 %; at 0.0002, 0.5 to 1 % and 1 to 2 %. With more rows
equal versions are `ALIKE`. The price is power: a difference is found four times of five if it is 1.3 times as large as
at 0.01, 6.5 points instead of 4.9 on 1,000 rows that a fifth are judged differently.
"""
ALIKE = 0.02
"""Versions whose accuracies differ by less than this, interval and all, are alike: a change would not pay. Of errors it
is the share of the live version's."""

LABELLED = 0.8
"""Share of labels, or of outcomes, without which they say nothing about a version."""


@dataclass(frozen=True)
class Difference:
    """A figure of the other version minus the live one's."""

    value: float
    lower: float
    upper: float
    p_value: float
    n: int
    sign: int = 1
    """-1 of a figure of which less is better, as an error."""
    live: float | None = None
    """The live version's own figure where it is a number; None of a share, whose differences are points."""

    @property
    def better(self) -> bool:
        return self.p_value < LEVEL and self.value * self.sign > 0

    @property
    def worse(self) -> bool:
        return self.p_value < LEVEL and self.value * self.sign < 0

    @property
    def alike(self) -> bool:
        least = ALIKE if self.live is None else ALIKE * abs(self.live)
        return -least < self.lower <= self.upper < least

    def __str__(self) -> str:
        """In points, or in the figure's own unit.

        >>> str(Difference(-2.5, -3.0, -2.0, 0.001, 900, sign=-1, live=20.0))
        '-2.5 (-3 to -2, n = 900)'
        """
        if self.live is not None:
            return f"{self.value:+,.4g} ({self.lower:+,.4g} to {self.upper:+,.4g}, n = {self.n:,})"
        return f"{self.value * 100:+.1f} points ({self.lower * 100:+.1f} to {self.upper * 100:+.1f}, n = {self.n:,})"


@dataclass(frozen=True)
class Evidence:
    """What speaks for the other version or against it; None where nothing is known."""

    model: Difference | None
    """Accuracy, or of numbers the mean absolute error; on the same rows, or before the change and since."""
    business: Difference | None = None
    """Conversion before the change and since, where the other was live."""
    value: Difference | None = None
    """Value per prediction, likewise; it speaks where conversion says nothing certain."""
    ranking: Difference | None = None
    """ROC AUC on the same rows."""
    coverage: float = 1.0
    """Share of the rows whose label is in."""
    was_live: bool = False
    """Whether the other version answered before: what tells promote from roll back."""
    outcomes: float = 1.0
    """Share of the rows whose outcome is in."""
    values: float = 1.0
    """Share of the rows whose value is known."""


def verdict(  # noqa: PLR0911 - one return an answer
    live: str, other: str, evidence: Evidence, needed: int
) -> tuple[Verdict, str]:
    """The verdict and its reason in words.

    Labels and outcomes that come early are not like the others, so each speaks once most are in. Where it is certain
    of one thing and business or ranking of the contrary, no figure can tell, and a person must look (`contradictory`);
    so where conversion and value contradict each other. A difference that is certain and too small to pay for a change
    decides nothing. Where accuracies differ and the scores rank alike, it may be the threshold that should change,
    which the reason says. Without labels the business speaks alone.

    >>> better = Difference(0.04, 0.02, 0.06, 0.0001, 900)
    >>> verdict("v1", "challenger:v2", Evidence(better), needed=30)
    ('promote', 'challenger:v2 is right more often: +4.0 points (+2.0 to +6.0, n = 900)')
    """
    model, converted, earned = (
        one if one and one.n >= needed else None for one in (evidence.model, evidence.business, evidence.value)
    )
    early = model is not None and evidence.coverage < LABELLED
    if early:
        model = None
    if evidence.outcomes < LABELLED:
        converted = earned = None
    earned = None if evidence.values < LABELLED else earned
    if converted and earned and ((converted.better and earned.worse) or (converted.worse and earned.better)):
        who, whom = (other, live) if converted.better else (live, other)
        return "contradictory", f"{who} converts more ({converted}), but {whom} earns more ({earned})"
    money = next((one for one in (converted, earned) if one and (one.better or one.worse)), None)
    more = ("converts", "converted") if money is converted else ("earns", "earned")
    if model is None and money is None:
        if converted and converted.alike and evidence.model is None:
            return "keep", f"both convert equally often, within {ALIKE * 100:g} points: {converted}"
        return "not yet known", _unknown(evidence, early, converted, needed)
    leads = None if model is None or model.alike else model
    if conflict := _conflict(live, other, leads, money, more[0], evidence.ranking):
        return "contradictory", conflict
    change: Verdict = "roll back" if evidence.was_live else "promote"
    if leads and leads.better:
        return change, f"{other} {_does(leads)}: {leads}{_threshold(evidence.ranking)}"
    if money and money.better:
        return change, f"{other} {more[1]} more: {money}"
    if leads and leads.worse:
        return "keep", f"{live} {_does(leads)}: {other} has {leads}{_threshold(evidence.ranking)}"
    if money:
        return "keep", f"{live} {more[0]} more: {other} had {money}"
    if model and model.alike:
        if model.live is not None:
            return "keep", f"both are equally far off, within {ALIKE:.0%} of the error: {model}"
        return "keep", f"both are right equally often, within {ALIKE * 100:g} points: {model}"
    return "not yet known", f"the difference may be chance: {model}"


def _unknown(evidence: Evidence, early: bool, converted: Difference | None, needed: int) -> str:
    """Why neither labels nor business say anything."""
    if early:
        share = f"{evidence.coverage:.0%} of the labels are in"
        return f"{share}, and early ones are not like the others: {LABELLED:.0%} needed"
    if converted:
        return f"the difference may be chance: {converted}"
    known = [one.n for one in (evidence.model, evidence.business, evidence.value) if one]
    count = max(known, default=0)
    if count >= needed and evidence.outcomes < LABELLED:
        share = f"{evidence.outcomes:.0%} of the outcomes are in"
        return f"{share}, and early ones are not like the others: {LABELLED:.0%} needed"
    return f"{count:,} rows with labels or outcomes, {needed:,} needed"


def _does(model: Difference) -> str:
    return "is right more often" if model.live is None else "is closer to the truth"


def _conflict(
    live: str, other: str, model: Difference | None, money: Difference | None, more: str, ranking: Difference | None
) -> str:
    """What contradicts a certain difference of the model's figure; empty where nothing does."""
    if model is None or not (model.better or model.worse):
        return ""
    who, whom = (other, live) if model.better else (live, other)
    if money and (money.worse if model.better else money.better):
        return f"{who} {_does(model)} ({model}), but {whom} {more} more ({money})"
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
