"""A spec or a reference that changes while a night is under way leaves no row behind that the old one made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from jobs.errors import OrderError
from jobs.pipeline import STAGE_NAMES, run_stage
from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from pathlib import Path

LAST = 5
COMPARED = (
    "prediction_statistics", "feature_statistics", "label_statistics", "reference_bins", "metrics", "contributions",
    "verdicts", "incidents", "decisions", "outbox",
)  # fmt: skip
RULES = {"rules": [{"metric": "psi", "above": 0.05}, {"metric": "missing_rate", "above": 0.5}], "outcomes": None}
"""Of bounds alone, so that no expected range needs a fit."""
SPEC: dict[str, dict[str, Any]] = {
    "ingest": {"segments": ["country", "colour"]},
    "statistics": {"reference": {"window": {"first": day(1), "last": day(2)}}},
    "metrics": {"min_rows": 7},
    "anomalies": {"rules": [{"metric": "psi", "above": 0.01}]},
    "incidents": {"owner": "somebody else"},
}
"""Per stage: a change of what it is the first to depend on."""


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kiosk = Kiosk(tmp_path_factory.mktemp("kiosk"))
    kiosk.reference()
    for number in range(1, LAST + 1):
        ids = [f"{number}-{row}" for row in range(40)]
        price = [row % 4 + number % 3 for row in range(40)]
        kiosk.predict(number, ids, price=price, colour=["red", "blue"] * 20, country=list("abcd") * 10)
        kiosk.label(number, {f"{number - 1}-{row}": row % 2 for row in range(40)})
    return kiosk.root


def tables(kiosk: Kiosk) -> dict[str, pd.DataFrame]:
    return {name: kiosk.table(name) for name in COMPARED}


def assert_same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name in COMPARED:
        pd.testing.assert_frame_equal(one[name], other[name], check_exact=True)


def kiosk_at(deliveries: Path, house: Path, **changes: Any) -> Kiosk:
    return Kiosk(deliveries, house=house, changes=RULES | changes)


@pytest.mark.parametrize("changed", SPEC)
def test_a_spec_that_changes_before_any_stage_of_a_night_ends_as_if_it_had_always_been_so(
    tmp_path: Path, deliveries: Path, changed: str
) -> None:
    """The stage that the change comes too late for must not hand on what it made with the former spec."""
    kiosk = kiosk_at(deliveries, tmp_path / "interrupted")
    late = STAGE_NAMES[STAGE_NAMES.index(changed) + 1 :]
    kiosk.run(days(1, LAST - 2), *STAGE_NAMES)
    kiosk.changes |= SPEC[changed]
    for stage in late[:1]:
        with pytest.raises(
            OrderError,
            match=f"needs {changed}, which was made with another spec or reference than there is now; run {changed} "
            rf"and what follows again \(in Airflow: clear from {changed} on\)",
        ):
            run_stage(kiosk.spec, stage, days(LAST - 2, LAST - 2), kiosk.home)
    for number in (LAST - 1, LAST):
        kiosk.run(days(number, number), *STAGE_NAMES)
    always = kiosk_at(deliveries, tmp_path / "always", **SPEC[changed])
    always.run(days(1, LAST), *STAGE_NAMES)
    assert_same(tables(kiosk), tables(always))


@pytest.mark.parametrize("stage", STAGE_NAMES[2:])
def test_a_stage_names_the_oldest_one_that_a_changed_reference_outdates(
    tmp_path: Path, deliveries: Path, stage: str
) -> None:
    kiosk = kiosk_at(deliveries, tmp_path)
    kiosk.run(days(1, 1), *STAGE_NAMES[: STAGE_NAMES.index(stage)])
    reference = deliveries / "reference.csv"
    kept = reference.read_text()
    try:
        kiosk.reference(price=[5.0, 6.0, 7.0, 8.0] * 10)
        with pytest.raises(OrderError, match="run statistics and what follows again"):
            run_stage(kiosk.spec, stage, days(1, 1), kiosk.home)
    finally:
        reference.write_text(kept)
