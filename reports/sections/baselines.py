"""What figures are held against, in words: a page tells several baselines, and each word stands for one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.language import join, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.view import Evidence, Incident

NAMES = {
    "recent": "recently",
    "reference": "in the reference",
    "share": "by its usual share",
    "previous_version": "the version before",
    "bound": "fixed bound",
}
"""By the detector that spoke; all others have an expected range."""

MEANT = {
    "recent": "“recently” is the median of the same figure over the {days} days that ended {gap} days before;",
    "reference": "“in the reference” is the accepted behaviour that drift is measured against;",
    "share": "“by its usual share” is what the segment's share of the {days} days that ended {gap} days before makes "
    "of the day's volume;",
    "previous_version": "a version's name stands for its last 28 days before it was replaced;",
    "expected": "“expected” is what the series' own past makes likely for that very day, weekday and trend included;",
}
"""What each word of the incidents' texts stands for."""


def against(detector: str, expected: float | None) -> str:
    """What a piece of evidence is held against, as a word; empty where it is held against nothing."""
    if detector in NAMES:
        return say(NAMES[detector])
    return say("expected") if expected is not None else ""


def explained(incidents: Iterable[Incident], days: int, gap: int) -> str:
    """What the words of the shown incidents stand for, and what key figures are held against; empty without any.

    `days`, `gap`: the recent window of the spec.
    """
    told: dict[str, None] = {}
    for incident in incidents:
        for one in incident.evidence:
            if kind := _kind(one):
                told.setdefault(kind)
    if not told:
        return ""
    sentences = [say(MEANT[kind], days=days, gap=gap) for kind in MEANT if kind in told]
    other = say("the change of a key figure below is from the median of the 28 days before.")
    return join([say("What figures are held against:"), *sentences, other])


def _kind(one: Evidence) -> str:
    if one.detector in MEANT:
        return one.detector
    return "expected" if one.expected is not None and one.detector not in NAMES else ""
