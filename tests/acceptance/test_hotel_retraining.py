"""On sixteen months of real bookings: which rows are learned from, what the champion is worth, and who stays out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jobs.engine.registry import open_registry
from jobs.periods import Period
from jobs.pipeline import STAGE_NAMES, run
from jobs.retraining import pipeline
from jobs.retraining.folder import Outcome, folder_of, read_notes
from jobs.retraining.request import Request
from jobs.spec.reading import load_spec

PROJECT = Path(__file__).resolve().parents[2]
NIGHT = date(2017, 8, 26)
MATURE = NIGHT - timedelta(days=90)
"""The last day whose labels are complete: a stay is known up to 90 days after its booking, a cancellation sooner."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def retrained(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, dict[str, Any], Path]:
    home = tmp_path_factory.mktemp("hotel")
    spec = load_spec(PROJECT / "dags" / "models" / "hotel_cancellation.yaml", {"NIGHTJAR_DATA": str(real_data)})
    list(run(spec, Period(date(2016, 5, 1), date(2017, 8, 31)), home, STAGE_NAMES[:2]))
    request = Request(spec.model, "a test", "hotel-test", NIGHT)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NIGHTJAR_REGISTRY", raising=False)
        outcome = pipeline.run(spec, request, home, open_registry(home), datetime(2017, 8, 27, tzinfo=UTC))
    return outcome, read_notes(folder_of(home, request)), home


def labelled(real_data: Path) -> pd.DataFrame:
    """Every booking of a complete day with its label, from the raw files alone."""
    hotel = real_data / "hotel"
    read = [
        pd.concat(map(pd.read_parquet, sorted((hotel / one).rglob("*.parquet")))) for one in ("predictions", "labels")
    ]
    made = read[0].merge(read[1][["request_id", "label"]], on="request_id")
    made["day"] = made["ts"].dt.normalize().dt.date
    return made[made["day"] <= MATURE]


def test_only_days_with_complete_labels_are_learned_from_and_the_champion_is_worth_what_the_raw_files_say(
    retrained: tuple[Outcome, dict[str, Any], Path], real_data: Path
) -> None:
    _, notes, _ = retrained
    rows = labelled(real_data)
    later = rows[rows["day"] >= date.fromisoformat(notes["compared"]["first"])]
    assert notes["compared"]["last"] == str(MATURE)
    assert (notes["trained"]["n"] + notes["compared"]["n"], notes["compared"]["n"]) == (len(rows), len(later))
    assert notes["champion"]["accuracy"] == pytest.approx((later["predicted_label"] == later["label"]).mean())
    positive = later[later["label"] == 1]
    assert notes["champion"]["recall"] == pytest.approx(positive["predicted_label"].mean())


def test_a_candidate_that_ranks_better_and_loses_the_group_bookings_stays_out(
    retrained: tuple[Outcome, dict[str, Any], Path],
) -> None:
    outcome, notes, home = retrained
    assert (outcome.stage, outcome.state) == ("evaluate", "refused")
    assert notes["candidate"]["roc_auc"] > notes["champion"]["roc_auc"]
    worse = {(one["segment"], one["metric"]) for one in notes["comparisons"] if one["verdict"] == "worse"}
    assert ("market_segment=Groups", "accuracy") in worse
    assert open_registry(home).versions("hotel_cancellation") == []


def test_no_feature_of_the_bookings_gives_the_label_away(retrained: tuple[Outcome, dict[str, Any], Path]) -> None:
    """The data's own README leaves out what is known only after the fact, such as the reservation's status."""
    _, notes, _ = retrained
    (leak,) = [gate for gate in notes["gates"] if gate["name"] == "leak"]
    assert leak["passed"]
    assert notes["importances"][0]["feature"] == "lead_time"
