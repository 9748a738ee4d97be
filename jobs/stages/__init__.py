"""The six stages of a night. Each is a module with one function, `run(spec, period, warehouse) -> Summary`.

A stage reads its inputs, computes, and replaces exactly the rows of its period in one transaction. A stage never
imports another stage; `jobs.pipeline` holds their order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jobs.engine.warehouse import Warehouse
    from jobs.periods import Period
    from jobs.spec import ModelSpec


@dataclass(frozen=True)
class Summary:
    """What a stage did: rows written per table, and notes a person should read."""

    stage: str
    period: Period
    rows: dict[str, int]
    notes: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        written = ", ".join(f"{n:,} {table}" for table, n in self.rows.items()) or "nothing to write"
        return f"{self.stage} {self.period}: {written}"


class Stage(Protocol):
    """The one signature of all stages."""

    def __call__(self, spec: ModelSpec, period: Period, warehouse: Warehouse) -> Summary: ...
