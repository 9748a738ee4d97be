"""A model whose drift asks for a retraining, night by night, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs import answers, delivery
from jobs.engine.warehouse import open_warehouse
from jobs.stages import incidents
from tests.unit.methods.given_breaches import day
from tests.unit.stages.test_incidents import RETRAIN, drift, fill, nights, spec_of

if TYPE_CHECKING:
    from pathlib import Path

FIRST = 5
"""The night on which something is found; what is found lasts as long as a test says."""
INCIDENT = "shop-2025-03-06-behaviour"
KEY = f"{INCIDENT}-retrain"
SECOND = "shop-2025-03-11-behaviour-retrain"


def model(**given: Any) -> Any:
    """A spec that retrains by webhook and tells critical incidents to a pager."""
    usual: dict[str, Any] = {
        "actions": {"retrain": {"webhook": "${SWITCH}"}}, "channels": {"critical": ["${PAGER}"], "warning": []},
    }  # fmt: skip
    return spec_of(**usual | given)


def live(home: Path, spec: Any, last: int, until: int = FIRST) -> None:
    """Run the nights through `last`; drift asks for a retraining from FIRST on, through `until`."""
    with open_warehouse(home, "shop", wait=5) as warehouse:
        for table in ("incidents", "decisions", "outbox"):
            warehouse.execute(f"DELETE FROM {table}")
        fill(warehouse, {number: [drift(number, **RETRAIN)] for number in range(FIRST, until + 1)})
        incidents.run(spec, nights(0, last), warehouse)
        warehouse.finish("report", nights(0, last))


def speak(home: Path, spec: Any, number: int) -> str:
    return str(delivery.dispatch(spec, day(number), home, day(number)))


def approve(home: Path, spec: Any, person: str = "Ada") -> str:
    return answers.decide(spec, home, KEY, person, approved=True)


def waiting(**given: Any) -> Any:
    return model(actions={"retrain": {"webhook": "${SWITCH}", "approval": True} | given})


def two_needs(home: Path, spec: Any, last: int, until: int = FIRST + 19) -> None:
    """Drift of the whole day asks on FIRST; when it is over, a graver fall asks from FIRST + 5 on, in the cool-down."""
    with open_warehouse(home, "shop", wait=5) as warehouse:
        for table in ("incidents", "decisions", "outbox"):
            warehouse.execute(f"DELETE FROM {table}")
        found = {FIRST: [drift(FIRST, **RETRAIN)]}
        found |= {n: [drift(n, feature="age", **RETRAIN)] for n in range(FIRST + 5, until + 1)}
        fill(warehouse, found)
        incidents.run(spec, nights(0, last), warehouse)
        warehouse.finish("report", nights(0, last))


def outcomes(home: Path) -> list[str]:
    with open_warehouse(home, "shop", wait=5) as warehouse:
        return [row[0] for row in warehouse.execute("SELECT outcome FROM decisions ORDER BY night").fetchall()]
