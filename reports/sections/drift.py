"""Drift: which inputs have left the reference, and in which bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from jobs.language import say
from reports.history import TREND_DAYS, Known
from reports.index import Array, Key
from reports.sections.figures import figure, trend
from reports.series import Deploy, severity_rank
from reports.text import plain
from reports.view import Bin, Drift, DriftPanel, Incident

if TYPE_CHECKING:
    from collections.abc import Sequence

FEATURES_MOST = 50
BINNED_MOST = 50
"""Features whose bins are told; the drifted come first."""
CHARTED_MOST = 8
BINS_MOST = 25
STRIP_DAYS = 60
PSEUDO = {"score": "Score", "decision": "Decision"}


Limits = Mapping[str, tuple[float, ...]]
"""The thresholds of the rules on a feature's PSI, ascending; a feature that no rule is about is not in it."""


def family_of(known: Known) -> list[Key]:
    """The PSI series of all live versions together; where each version has its own reference, those of each."""
    together = _in_view(known, "all")
    if together:
        return together
    each = {version: _in_view(known, version) for version in known.versions()}
    answering = [keys for keys in each.values() if any(_tonight(known, key) for key in keys)]
    return [key for keys in (answering or each.values()) for key in keys]


def _in_view(known: Known, version: str) -> list[Key]:
    """A version's PSI series that have a row in view."""
    family = known.family("psi", version)
    return [key for key in family if key.feature and key.segment == "all" and len(known.figures(key).day)]


def _tonight(known: Known, key: Key) -> bool:
    """Whether the series has a row for the night's own day."""
    return int(known.figures(key).day[-1]) == known.night


def drift_of(
    known: Known,
    importances: Mapping[str, float],
    limits: Limits,
    incidents: tuple[Incident, ...] = (),
    deploys: tuple[Deploy, ...] = (),
) -> DriftPanel:
    """Features by PSI times importance, the breached ones first."""
    last, first = known.night, known.night - STRIP_DAYS + 1
    features = [_drift(known, key, importances, limits.get(key.feature, ()), (first, last)) for key in family_of(known)]
    features.sort(key=_worry)
    bins = _bins(known, [one.psi.key for one in features[:BINNED_MOST]])
    told = [replace(one, bins=bins.get(one.psi.key, ())) for one in features[:FEATURES_MOST]]
    charted = [one.psi.key for one in told if one.drifted][:CHARTED_MOST]
    return DriftPanel(
        features=tuple(
            replace(one, trend=trend(known, one.psi.key, incidents, deploys)) if one.psi.key in charted else one
            for one in told
        ),
        left_out=max(len(features) - FEATURES_MOST, 0),
        limits=next(iter(limits.values())) if len(set(limits.values())) == 1 else (),
        first=first,
        last=last,
        weighted=bool(importances),
        reference=_reference(known) if bins else "",
    )


def _drift(
    known: Known, key: Key, importances: Mapping[str, float], limits: Sequence[float], days: tuple[int, int]
) -> Drift:
    """One feature, its bins not yet read. A PSI that chance explains is no drift, however large."""
    psi = figure(known, key)
    missing = figure(known, key._replace(metric="missing_rate"))
    importance = importances.get(key.feature)
    name = say(PSEUDO[key.feature]) if key.feature in PSEUDO else plain(key.feature, 60)
    chance = known.figures(key._replace(metric="psi_null_limit"))
    values, by_chance = (series.dense(*days, "judged") for series in (known.figures(key), chance))
    explained = np.where(values <= by_chance, 0.0, values)
    strip = levels(explained, limits)
    return Drift(
        name=name if key.version == "all" else say(", ", context="clauses").join((name, plain(key.version, 30))),
        pseudo=key.feature in PSEUDO,
        importance=importance,
        psi=psi,
        chance=float(by_chance[-1]) if np.isfinite(by_chance[-1]) else None,
        missing=None if missing.state == "absent" else missing,
        limits=tuple(limits),
        strip=strip,
        bins=(),
        weight=(0.0 if psi.thin else psi.value or 0.0) * (importance or _usual_importance(importances)),
        drifted=bool(psi.severity) or bool(strip[-1] >= 2),
    )


def _usual_importance(importances: Mapping[str, float]) -> float:
    """What a feature of unknown importance is given: the mean of the known ones."""
    return sum(importances.values()) / len(importances) if importances else 1.0


def levels(values: Array, limits: Sequence[float]) -> Array:
    """0 calm, 1 past half the first limit, 2 past the first, 3 past the second; NaN without a value.

    >>> levels(np.array([0.05, 0.15, 0.25, 0.4, np.nan]), (0.2, 0.3)).tolist()
    [0.0, 1.0, 2.0, 3.0, nan]
    """
    edges = (limits[0] / 2, *limits[:2]) if limits else ()
    return np.where(np.isfinite(values), np.searchsorted(edges, values, side="right").astype(float), np.nan)


def _worry(one: Drift) -> tuple[int, bool, bool, float, str]:
    """Sort key: breached, then past its limit, then by weight; those that no rule is about at the end."""
    return (-severity_rank(one.psi.severity), not one.drifted, not one.limits, -one.weight, one.name)


def _bins(known: Known, keys: Sequence[Key]) -> dict[Key, tuple[Bin, ...]]:
    """Tonight's bins of these series."""
    rows = known.tonight("contributions")
    names = ("version", "feature", "label", "expected", "observed", "contribution")
    out: dict[Key, list[Bin]] = {key: [] for key in keys}
    for version, feature, label, *numbers in zip(*(rows[name].tolist() for name in names), strict=True):
        found = out.get(Key("psi", version or "all", feature or ""))
        if found is not None:
            found.append(Bin(bin_name(plain(label, 40)), *(float(one or 0.0) for one in numbers)))
    return {key: shared(bins) for key, bins in out.items() if bins}


BINS = frozenset({"missing", "unseen", "other", "infinite"})
"""Bins that are no interval and no category."""


def bin_name(label: str) -> str:
    """A bin as it is spoken; intervals and categories are as they are.

    >>> bin_name("missing"), bin_name("<= 3.2"), bin_name("FR")
    ('missing', '<= 3.2', 'FR')
    """
    return say(label, context="bin") if label in BINS else label


def shared(bins: list[Bin]) -> tuple[Bin, ...]:
    """Bins as shares of the whole; beyond BINS_MOST the ones that add least are told together.

    >>> [(b.expected, b.observed) for b in shared([Bin("a", 1, 30, 0.1), Bin("b", 3, 10, 0.1)])]
    [(0.25, 0.75), (0.75, 0.25)]
    """
    expected = float(np.nansum([one.expected for one in bins])) or 1.0
    observed = float(np.nansum([one.observed for one in bins])) or 1.0
    whole = [Bin(b.label, b.expected / expected, b.observed / observed, b.contribution) for b in bins]
    if len(whole) <= BINS_MOST:
        return tuple(whole)
    kept = set(sorted(range(len(whole)), key=lambda place: -abs(whole[place].contribution))[: BINS_MOST - 1])
    rest = [one for place, one in enumerate(whole) if place not in kept]
    together = Bin(
        say("{count} more bins", count=len(rest)),
        sum(one.expected for one in rest),
        sum(one.observed for one in rest),
        sum(one.contribution for one in rest),
    )
    return (*(one for place, one in enumerate(whole) if place in kept), together)


def largest(known: Known, keys: Sequence[Key]) -> Array:
    """The largest PSI of these series on each of the trend's days, NaN where none was found. Shape (TREND_DAYS,)."""
    first, last = known.night - TREND_DAYS + 1, known.night
    out = np.full(TREND_DAYS, np.nan)
    for key in keys:
        out = np.fmax(out, known.figures(key).dense(first, last, "judged"))
    return out


def _reference(known: Known) -> str:
    """How many rows the reference has that bins are measured against; asked for only once there are bins.

    A file keeps no day on which its reference was made, so before that a report must not look at it.
    """
    rows = known.history.reference_rows
    return say("{count} rows", count=f"{rows:,}") if rows else ""
