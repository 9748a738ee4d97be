"""What a metric's definition says; `jobs.methods.definitions` gathers them all, one module a theme holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layer = Literal["data", "model", "service", "business", "system"]
Harm = Literal["up", "down", "both"]
Scale = Literal["rate", "count", "positive", "real"]
Needs = Literal[
    "predictions", "features", "latency", "labels", "outcomes", "scores", "classes", "class", "errors", "estimates",
    "reweighting", "stability", "repeats",
    "distances", "deliveries", "service", "system", "groups", "actions", "changes",
]  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """One metric."""

    name: str
    layer: Layer
    words: str
    harm: Harm
    """The direction in which a change hurts."""
    scale: Scale
    """rate: 0 to 1; count: 0, 1, 2 ...; positive: 0 or more; real: any number."""
    interval: str
    """Of what kind the 95 % interval is; empty where there is none."""
    n: str
    """What n counts."""
    source: str
    needs: Needs = "predictions"
    """Without which it has no rows. `labels` and `scores` are a binary model's, `classes` and `errors` the others'."""
    witness: str = ""
    """What it is tested against."""
    additive: bool = False
    """Whether the metric itself adds up over days and segments; all are made from statistics that do."""
    guarded: bool = True
    """Whether fewer than `min_rows` makes it not_evaluated; a total of few rows is still that total."""
