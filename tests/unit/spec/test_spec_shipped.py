"""The specs of the real models say what their data sets say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from jobs.spec.checking import check_against_data
from jobs.spec.paths import PROJECT
from jobs.spec.reading import load_spec, load_specs

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.spec import ModelSpec

FOLDER = PROJECT / "dags" / "models"
REAL = {"hotel_cancellation": "hotel", "flight_delay": "flights"}
each = pytest.mark.parametrize("model", REAL)


def shipped(model: str, real_data: Path) -> tuple[ModelSpec, dict[str, Any]]:
    spec = load_spec(FOLDER / f"{model}.yaml", {"NIGHTJAR_DATA": str(real_data)})
    return spec, json.loads((real_data / REAL[model] / "dataset.json").read_text(encoding="utf-8"))


def test_every_shipped_spec_loads() -> None:
    assert {*REAL} <= {spec.model for spec in load_specs(FOLDER)}


@each
def test_every_column_it_names_is_in_the_real_files(model: str, real_data: Path) -> None:
    spec, described = shipped(model, real_data)
    notes = check_against_data(spec)
    left = ", ".join(described["not_features"])
    assert len(notes) == 1
    assert notes[0].startswith("note: predictions has columns that the spec does not watch")
    assert set(notes[0].rpartition(": ")[2].split(", ")) == set(left.split(", "))


@each
def test_features_and_segments_are_those_of_the_data_set(model: str, real_data: Path) -> None:
    spec, described = shipped(model, real_data)
    kinds = {name: feature.kind for name, feature in spec.features.items()}
    assert kinds == {name: kind for kind in ("numeric", "categorical") for name in described["features"][kind]}
    assert list(spec.segments) == described["segments"]


@each
def test_versions_have_their_own_references_and_v1_goes_on_as_shadow(model: str, real_data: Path) -> None:
    spec, described = shipped(model, real_data)
    assert set(spec.reference.versions or ()) == {one["model_version"] for one in described["models"]}
    assert [other.role for other in spec.others] == ["shadow"]
    assert str(spec.start) == described["models"][0]["live_from"]


@each
def test_the_horizon_is_that_of_the_labels(model: str, real_data: Path) -> None:
    spec, described = shipped(model, real_data)
    assert spec.label_ages == {"hotel": (7, 30, 90), "flights": (1, 2)}[REAL[model]]
    assert spec.label_ages[-1] == described["label"]["horizon_days"]


@each
def test_accuracy_floors_lie_under_what_each_version_was_validated_at(model: str, real_data: Path) -> None:
    """A floor of 0.8 would call for the fallback every night: v2 was validated at 0.738 (hotel), 0.767 (flights)."""
    spec, described = shipped(model, real_data)
    floors = [rule.below for rule in spec.all_rules if rule.metric == "accuracy" and rule.below is not None]
    lowest = min(one["validation"]["accuracy"] for one in described["models"])
    assert floors
    assert all(0.75 * lowest < floor < 0.95 * lowest for floor in floors)


@each
def test_recall_and_segments_are_judged(model: str, real_data: Path) -> None:
    spec, _ = shipped(model, real_data)
    assert any(rule.metric == "recall" and str(rule.drop) == "15%" for rule in spec.all_rules)
    assert any(rule.metric == "accuracy" and rule.segments == "each" for rule in spec.all_rules)


@each
def test_features_that_have_one_value_a_day_are_in_no_drift_rule(model: str, real_data: Path) -> None:
    """A day has one weekday: its PSI against a season's reference is above 3 on every day of both data sets."""
    spec, _ = shipped(model, real_data)
    judged = {name for rule in spec.all_rules if rule.metric == "psi" for name in rule.features or spec.features}
    assert judged
    assert not judged & {"dow", "booking_dow"}


def test_hotels_earn_euros_and_flights_nothing(real_data: Path) -> None:
    hotel, _ = shipped("hotel_cancellation", real_data)
    flights, _ = shipped("flight_delay", real_data)
    assert hotel.outcomes is not None
    assert (hotel.outcomes.columns.value, hotel.outcomes.unit) == ("revenue_eur", "EUR")
    assert flights.outcomes is not None
    assert (flights.outcomes.columns.value, flights.outcomes.unit) == (None, "")
    assert not any(rule.action == "rollback" for rule in flights.all_rules)
