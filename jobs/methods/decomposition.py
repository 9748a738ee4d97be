"""Why a rate changed: who came, which of them count, which labels are in, and how well each part does.

A rate is hits / base, summed over parts. A part's weight in it is its share of the predictions (mix) times the share of
them that is labelled (coverage) times the share of those that the rate counts (base: of recall the positive ones).
All arrays have the parts on the last axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from jobs.methods.intervals import ratio

if TYPE_CHECKING:
    from jobs.methods.intervals import Floats

_SHAPLEY = {0: 1 / 3, 1: 1 / 6, 2: 1 / 3}
"""Weight of a factor's step by how many of the two others were taken before it."""


@dataclass(frozen=True)
class Counts:
    """A rate's counts: shape (..., parts)."""

    n: Floats
    """Predictions."""
    labelled: Floats
    """Those whose label or outcome is in."""
    base: Floats
    """Those of the labelled that the rate counts."""
    hits: Floats
    """Those of the base that the rate counts as hits."""


@dataclass(frozen=True)
class Split:
    """What each part adds to the change through each cause: shape (..., parts)."""

    mix: Floats
    coverage: Floats
    base: Floats
    rate: Floats

    @property
    def total(self) -> Floats:
        return self.mix + self.coverage + self.base + self.rate


def split(now: Counts, former: Counts) -> Split:
    """Split rate(now) - rate(former) exactly; NaN where either rate is undefined.

    Source: Kitagawa (1955), JASA 50, 1168-1194, in her symmetric form: a part's rate effect is its change at its mean
    weight, the weight effect its change of weight at its mean rate, less the mean of both rates of the whole (which
    adds up to nothing, and tells a part that grew by whether it does better than the whole). The change of weight is
    split between mix, coverage and base by the mean over all orders of taking them (Das Gupta 1993; Shapley's value),
    which is exact too. A part that is new or gone has no other rate: it counts as its own, so that only its weight
    changed. Where the causes cannot be told apart (a mixture of both sides has nobody in it), the whole change of
    weight counts as mix.

    >>> one = lambda *figures: np.array(figures, dtype=float)
    >>> now = Counts(one(50, 50), one(50, 50), one(50, 50), one(45, 25))
    >>> former = Counts(one(80, 20), one(80, 20), one(80, 20), one(72, 10))
    >>> parts = split(now, former)  # 0.82 -> 0.70: only who came has changed
    >>> parts.mix.round(3), parts.rate, round(float(parts.total.sum()), 3)
    (array([-0.042, -0.078]), array([0., 0.]), -0.12)
    """
    shares = [_factors(one, other) for one, other in ((former, now), (now, former))]
    weights = {chosen: _weights(*(shares[side][name] for name, side in enumerate(chosen))) for chosen in _CHOICES}
    was, now_is = weights[0, 0, 0], weights[1, 1, 1]
    moved = now_is - was
    told = np.all([np.isfinite(one).all(axis=-1) for one in weights.values()], axis=0)[..., None]
    steps = [np.where(told, _step(weights, factor), moved if factor == 0 else 0.0) for factor in range(3)]
    rates = [_rate(one, other) for one, other in ((former, now), (now, former))]
    middle = (_whole(former) + _whole(now))[..., None] / 2
    level = (rates[0] + rates[1]) / 2 - middle
    return Split(steps[0] * level, steps[1] * level, steps[2] * level, (was + now_is) / 2 * (rates[1] - rates[0]))


def ordered_sum(values: Floats) -> Floats:
    """Sum over the last axis, one after the other: parts that are 0 change nothing, not even the last digit.

    >>> float(ordered_sum(np.array([0.1, 0.0, 0.2]))) == 0.1 + 0.2
    True
    """
    return np.asarray(np.cumsum(values, axis=-1)[..., -1])


_CHOICES = tuple(product((0, 1), repeat=3))


def _factors(one: Counts, other: Counts) -> tuple[Floats, Floats, Floats]:
    """Share of the predictions, labelled share and counted share; the other side's where there is no own."""
    return (
        ratio(one.n, ordered_sum(one.n)[..., None]),
        _own(ratio(one.labelled, one.n), ratio(other.labelled, other.n), 1.0),
        _own(ratio(one.base, one.labelled), ratio(other.base, other.labelled), 1.0),
    )


def _rate(one: Counts, other: Counts) -> Floats:
    return _own(ratio(one.hits, one.base), ratio(other.hits, other.base), 0.0)


def _own(own: Floats, other: Floats, neither: float) -> Floats:
    return np.where(np.isfinite(own), own, np.where(np.isfinite(other), other, neither))


def _whole(counts: Counts) -> Floats:
    return ratio(ordered_sum(counts.hits), ordered_sum(counts.base))


def _weights(mix: Floats, coverage: Floats, base: Floats) -> Floats:
    raw = mix * coverage * base
    return ratio(raw, ordered_sum(raw)[..., None])


def _step(weights: dict[tuple[int, ...], Floats], factor: int) -> Floats:
    """The mean change of weight when this factor goes from then to now, over all orders of the three."""
    total = np.zeros_like(weights[0, 0, 0])
    for chosen in _CHOICES:
        if chosen[factor] == 0:
            after = tuple(1 if place == factor else side for place, side in enumerate(chosen))
            total = total + _SHAPLEY[sum(chosen)] * (weights[after] - weights[chosen])
    return total
