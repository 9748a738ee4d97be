"""What really becomes of the visitors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.world.visits import sigmoid

if TYPE_CHECKING:
    from jobs.world.effects import Effects
    from jobs.world.visits import Floats, Integers, Stream, Visits

PURCHASE_RATE = 0.225
ORDERED_IF_BOUGHT = 0.97  # the others order by telephone
ORDERED_IF_NOT = 0.01  # orders that are never paid


@dataclass(frozen=True)
class Truth:
    """What became of each visit. Every array: shape (rows,)."""

    label: Integers
    """1: bought and paid."""
    converted: Integers
    """1: ordered in the shop."""
    revenue: Floats
    """EUR, 0 without an order."""


def happen(visits: Visits, effects: Effects, stream: Stream) -> Truth:
    """Who buys, who orders and for how much. Each effect: shape (days,)."""
    n, effect = len(visits), effects.rows(visits.day)
    new = visits.customer == 1
    follows_score = stream("purchase").random(n) < sigmoid(visits.truth * np.where(new, 1.0, effect.sharpness))
    by_chance = stream("chance").random(n) < PURCHASE_RATE
    redrawn = stream("redrawn").random(n) < effect.redrawn + np.where(new, effect.redrawn_new, 0.0)
    bought = np.where(redrawn, by_chance, follows_score)
    ordered = stream("order").random(n) < np.where(bought, ORDERED_IF_BOUGHT, ORDERED_IF_NOT)
    price = np.round(visits.basket_paid * (1.0 - visits.discount / 100.0), 2)
    return Truth(bought.astype(np.int64), ordered.astype(np.int64), np.where(ordered, price, 0.0))
