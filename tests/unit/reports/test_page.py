"""What a reader finds on a night's page: the verdict, incidents, tiles, trends, segments, drift."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from jobs.spec import Rule
from reports.days import day_of
from reports.history import History, history_days
from reports.night import psi_limits, view_of
from tests.unit.reports import sample_night
from tests.unit.reports.rendered_page import section, view

if TYPE_CHECKING:
    from tests.unit.reports.reading_html import Element


def test_the_verdict_is_one_sentence_with_what_is_worst_and_what_was_done(tree: Element) -> None:
    heading, *others = tree.all("h1")
    assert len(others) == 2, "each view says in one sentence what it found"
    assert heading.text == (
        "Two things need attention, first of all: browsing_time has drifted far from its reference, since 28 Feb; "
        "a retraining was requested on 28 Feb."
    )
    assert "Critical" in tree.all("header", class_="hero")[0].text, "the state is said in words, not by colour alone"


def test_what_is_wrong_comes_before_every_figure(text: str) -> None:
    order = [
        text.index(f'<section id="{name}"') for name in ("wrong", "figures", "trends", "method", "segments", "drift")
    ]
    assert order == sorted(order)


def test_an_incident_shows_its_evidence_and_what_was_decided(tree: Element) -> None:
    first, second = section(tree, "wrong").all("article", class_="incident")
    assert "Retrain requested" in first.text
    assert "PSI of browsing_time" in first.text
    assert "0.628" in first.text
    assert "Retrain held 12 Mar a retrain was requested 8 nights ago" in second.text


def test_an_incident_that_is_over_is_told_apart_and_shaded_without_a_number(tree: Element) -> None:
    assert "Answers were slow" in section(tree, "wrong").all("details")[-1].text
    latency = section(tree, "service").all("svg", class_="chart")[0]
    assert latency.all("rect", class_="sv-over")
    assert not latency.all("circle", class_="no")


def test_a_tile_has_value_change_interval_and_n(tree: Element) -> None:
    tiles = {tile.all("h3")[0].text: tile.text for tile in section(tree, "figures").all("article", class_="tile")}
    assert list(tiles)[:3] == ["Predictions", "Accuracy at 7 days", "Accuracy at 30 days"]
    assert re.search(r"pp from \d\d\.\d.% .* n 9,667 · 5 Mar", tiles["Accuracy at 7 days"])
    assert "browsing_time" in tiles["Largest PSI"]


def test_a_trend_draws_expected_range_breaches_incident_deploy_and_days_without_labels(tree: Element) -> None:
    cards = {card.all("h3")[0].text: card for card in section(tree, "trends").all("article")}
    chart = cards["Accuracy at 7 days"].all("svg", class_="chart")[0]
    for what in ("bd", "ex", "br", "dp"):
        assert chart.all("path", class_=what), what
    assert chart.all("rect", class_="sv-warning")
    assert chart.all("rect", class_="aw")
    assert "v2" in chart.text
    assert "Last 14 days as a table" in cards["Accuracy at 7 days"].text


def test_a_version_that_comes_back_after_a_rollback_is_marked_again() -> None:
    frames = sample_night.frames()
    metrics = frames["metrics"]
    back = pd.Timestamp(sample_night.END - timedelta(days=25))
    away = (metrics["version"] == "v1") & metrics["day"].between(pd.Timestamp(sample_night.V2), back, inclusive="left")
    frames["metrics"] = metrics[~away]
    marked = [(deploy.version, day_of(deploy.day)) for deploy in view(frames).trends[0].deploys]
    assert marked == [("v2", sample_night.V2), ("v1", back.date())]


def test_a_day_without_data_is_no_deploy() -> None:
    assert [deploy.version for deploy in view(sample_night.frames()).trends[0].deploys] == ["v2"]


def test_new_customers_lead_the_segments_and_eight_rows_of_tablets_prove_nothing(tree: Element) -> None:
    rows = section(tree, "segments").all("tbody")[0].all("tr")
    assert rows[0].text.startswith("customer=new")
    assert not [row for row in rows if row.text.startswith("device=tablet")]
    assert "too few rows: device=tablet ." in section(tree, "segments").text


def test_drift_ranks_by_psi_times_importance_and_shows_the_drifted_features_bins(tree: Element) -> None:
    drift = section(tree, "drift")
    names = [row.all("th")[0].text for row in drift.all("tbody")[0].all("tr")]
    assert names[0] == "browsing_time"
    assert {"Score model's own", "Decision model's own"} < set(names)
    [card] = drift.all("div", class_="stack")[0].all("article")
    assert "28.0 %" in card.text
    contributions = [float(row.all("td")[-1].text) for row in card.all("tbody")[0].all("tr")]
    shown = float(card.all("span", class_="soft")[0].text.removeprefix("PSI "))
    assert sum(contributions) == pytest.approx(0.857, abs=0.002), "(a - e) ln(a / e) over the ten bins, by hand"
    assert shown > 0.3


def test_a_feature_is_held_against_the_rules_about_it_and_one_in_no_rule_never_drifts() -> None:
    given = (
        {"metric": "psi", "above": 0.5, "features": ["browsing_time"]},
        {"metric": "psi", "above": 0.01, "features": ["pages"]},
    )
    spec = sample_night.spec().model_copy(update={"rules": tuple(map(Rule.model_validate, given))})
    assert psi_limits(spec) == {"browsing_time": (0.5,), "pages": (0.01,)}
    frames = sample_night.frames() | {"verdicts": sample_night.empty()["verdicts"]}
    seen = view_of(History.of(frames, history_days(sample_night.AGES)).at(sample_night.END), spec).drift.features
    assert {one.name for one in seen if one.drifted} == {"browsing_time", "pages"}


def test_a_psi_that_chance_explains_is_no_drift() -> None:
    frames = sample_night.frames() | {"verdicts": sample_night.empty()["verdicts"]}
    metrics = frames["metrics"]
    frames["metrics"] = metrics.assign(value=metrics["value"].mask(metrics["metric"] == "psi_null_limit", 0.9))
    assert not [one.name for one in view(frames).drift.features if one.drifted]


def test_a_shadow_stands_beside_the_live_versions(tree: Element) -> None:
    rows = section(tree, "versions").all("tbody")[0].all("tr")
    assert [row.all("th")[0].text for row in rows] == ["all live", "v1", "v2", "v3 shadow"]


def test_definitions_are_those_of_the_metrics_in_view(tree: Element) -> None:
    model, data = (
        [term.text for term in section(tree, name).all("dt")] for name in ("method-performance", "method-inputs")
    )
    assert model == ["Accuracy"], "this model has no F1"
    assert data == ["PSI"]
