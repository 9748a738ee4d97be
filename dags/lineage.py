"""What a model's nights read and write, as Airflow's assets: lineage, and events that other DAGs may be scheduled on.

What is read is named by inlets, which emit nothing. What is written is emitted under an alias, and only by a night that
may speak: an outlet proper would emit for every night of a backfill, and so start what is scheduled on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Asset, AssetAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from typing import Any

    from jobs.spec import ModelSpec

WRITTEN = ("metrics", "report")


def asset(model: str, what: str) -> Asset:
    """What other DAGs may be scheduled on, or name as their outlet."""
    return Asset(name=f"nightjar_{model}_{what}", uri=f"nightjar://{model}/{what}")


def reads(spec: ModelSpec) -> list[Asset]:
    """Deliveries of a model that its spec names; they come from outside, so Nightjar emits nothing for them."""
    given = {"predictions": spec.predictions, "labels": spec.labels, "outcomes": spec.outcomes}
    return [asset(spec.model, what) for what, source in given.items() if source is not None]


def written(model: str) -> AssetAlias:
    """Under which the metrics and the report of a night are emitted."""
    return AssetAlias(f"nightjar_{model}_nights")


def tell_written(model: str, day: date, context: Mapping[str, Any]) -> None:
    """Emit one event for each of WRITTEN, with the business day."""
    for what in WRITTEN:
        context["outlet_events"][written(model)].add(asset(model, what), extra={"day": str(day)})
