"""What a reader finds on a night's page, and what never happens on it."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from jobs import tables
from jobs.methods.beside import segments_beside
from jobs.methods.definitions import DEFINITIONS
from jobs.spec import Rule
from reports import page, sentence
from reports.charts import heat
from reports.days import day_of
from reports.formats import short_day
from reports.history import History, history_days
from reports.night import psi_limits, view_of
from reports.view import NightView, Term
from reports.words import WORDS
from tests.unit.reports import reading_html, sample_night

if TYPE_CHECKING:
    from reports.series import Trend
    from tests.unit.reports.reading_html import Element

TERMS = (
    Term("accuracy", "Share of right decisions.", "Wilson", "labels", "sklearn", "model"),
    Term("psi", "How far the shape moved.", layer="data"),
    Term("f1", "Never in view.", layer="model"),
)


def view(frames: dict[str, pd.DataFrame], day=sample_night.END) -> NightView:
    history = History.of(frames, history_days(sample_night.AGES))
    return view_of(history.at(day), sample_night.spec(), TERMS)


def rendered(frames: dict[str, pd.DataFrame], day=sample_night.END) -> str:
    return page.render(view(frames, day))


@pytest.fixture(scope="module")
def text() -> str:
    return rendered(sample_night.frames())


@pytest.fixture(scope="module")
def tree(text: str) -> Element:
    return reading_html.read(text)


def section(tree: Element, name: str) -> Element:
    [found] = tree.all("section", id=name)
    return found


# what is on it -------------------------------------------------------------------------------------------------


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


# how it is made ------------------------------------------------------------------------------------------------


def test_the_page_needs_nothing_but_itself(text: str, tree: Element) -> None:
    assert not tree.all("link")
    around = ("#", "../index.html#n2025-03-12", "../../index.html", "../2025-03-11/index.html")
    assert all(link.attributes["href"].startswith(around) for link in tree.all("a"))
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "url(" not in text
    assert "@import" not in text


def test_its_one_script_is_the_one_its_policy_names(text: str, tree: Element) -> None:
    [script] = re.findall(r"<script[^>]*>(.*?)</script>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    [policy] = [one.attributes["content"] for one in tree.all("meta") if "http-equiv" in one.attributes]
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "'unsafe-inline'" not in policy.split("script-src")[1]


def test_a_page_that_is_sent_away_leads_to_no_other_page() -> None:
    tree = reading_html.read(page.render(view(sample_night.frames()), site=False))
    assert all(link.attributes["href"].startswith("#") for link in tree.all("a"))


def test_the_first_night_leads_to_no_night_before() -> None:
    history = History.of(sample_night.frames(), history_days(sample_night.AGES))
    first = view_of(history.at(sample_night.END), sample_night.spec(), TERMS, sample_night.END)
    assert "Night before" not in page.render(first)
    assert "Night before" in rendered(sample_night.frames())


def told_of(trend: Trend) -> list[float | None]:
    return [float(one) if np.isfinite(one) else None for one in trend.values]  # noqa: PD011 - an array of ours


def test_a_chart_carries_its_days_values_for_who_points_at_it(tree: Element) -> None:
    seen = view(sample_night.frames()).trends[0]
    [chart] = [one for one in section(tree, "trends").all("svg") if one.text.startswith("Predictions")]
    assert chart.attributes["data-f"] == str(seen.first)
    told = chart.attributes["data-v"].split("|")[0].split(",")
    assert [float(one) if one else None for one in told] == told_of(seen)
    assert chart.attributes["data-s"].split("|")[0] == "Value"


def test_the_heat_map_tells_sure_from_maybe_and_a_day_without_rows_is_empty() -> None:
    row = view(sample_night.frames()).segments.rows[0]
    assert row.name == "customer=new"
    assert row.heat is not None
    assert row.heat.apart[-1] == pytest.approx(-0.145, abs=0.03), "80 % beside 94.5 %, both 9 points down"
    assert row.heat.sure[-1]
    picture = heat.row(row.heat, 20000, "new customers")
    assert 'class="h3"' in picture or 'class="h2"' in picture
    gap = (sample_night.GAP - sample_night.END).days - 1
    assert row.heat.apart[gap + 7] != row.heat.apart[gap + 7], "the day without data"


def test_the_performance_line_names_a_segment_by_its_test_and_not_by_its_own_interval() -> None:
    frames = sample_night.frames()
    assert "worse than" not in sentence.performance_line(view(frames)), (
        "no test, no accusation, whatever the heat map shows"
    )
    mine = frames["metrics"][(frames["metrics"]["version"] == "all") & (frames["metrics"]["label_age"] == 7)]
    seen = view(frames | {"segments_beside": segments_beside(mine, 0.01)})
    assert [row.name for row in seen.segments.rows if row.worse] == ["customer=new"]
    said = sentence.performance_line(seen)
    assert said.endswith("customer=new does worse than everybody else, beyond what chance does among 11 segments.")
    assert "each cell is one look" in page.render(seen)


def test_calibration_is_drawn_beside_that_of_the_weeks_before() -> None:
    nights = pd.to_datetime([sample_night.END] * 2 + [sample_night.END - timedelta(days=28)])
    curve = pd.DataFrame(
        {"night": nights, "bin": [1, 8, 8], "n": [300, 100, 90], "score": [0.15, 0.85, 0.85], "rate": [0.15, 0.65, 0.85],
         "lower": [0.1, 0.55, 0.8], "upper": [0.2, 0.75, 0.9]}
    )  # fmt: skip
    tree = reading_html.read(rendered(sample_night.frames() | {"score_curve": curve}))
    part = section(tree, "calibration")
    assert "0.050" in part.all("b")[0].text, "a quarter of the rows is 0.2 off"
    assert "0.000 over the 28 days before" in part.text
    assert "Scores near 0.850 came true in 65.0 % of 100." in part.text
    assert "−20.0 pp" in part.all("tbody")[0].all("tr")[1].text


def test_estimates_are_drawn_up_to_the_night_itself_beside_what_labels_said() -> None:
    frames = sample_night.frames()
    days = pd.date_range(sample_night.END - timedelta(days=30), sample_night.END)
    estimated = _rows("metrics", day=days, layer="model", version="all", segment="all", feature="",
                      metric="accuracy_estimated", state="estimated", value=0.9, lower=0.88, upper=0.92)  # fmt: skip
    frames["metrics"] = pd.concat([frames["metrics"], estimated], ignore_index=True)
    [trend] = [one for one in view(frames).trends if one.figure.key.metric == "accuracy"]
    assert trend.estimate is not None
    assert trend.estimate[-1] == 0.9
    assert trend.figure.day == trend.last - 7
    part = section(reading_html.read(rendered(frames)), "trends")
    assert "estimated without labels" in part.text
    assert part.all("path", class_="es")


def test_an_estimator_that_was_off_is_not_drawn_and_its_record_says_why() -> None:
    frames = dict(sample_night.frames())
    off = _rows("metrics", day=[pd.Timestamp(sample_night.END)], layer="model", version="all", segment="all", feature="",
                metric="accuracy_estimated", state="not_evaluated", value=0.9, lower=0.88, upper=0.92, n=900,
                reason="only 41 of the last 60 estimates held what labels said later")  # fmt: skip
    frames["metrics"] = pd.concat([frames["metrics"], off], ignore_index=True)
    frames["estimator_card"] = _rows(
        "estimator_card", day=[pd.Timestamp(sample_night.END)], version="all", metric="accuracy", basis="scores",
        evaluated=60, bias=0.04, mean_absolute=0.05, inside_share=0.68, verdict="off",
    )  # fmt: skip
    assert next(one for one in view(frames).trends if one.figure.key.metric == "accuracy").estimate is None
    part = section(reading_html.read(rendered(frames)), "estimates")
    assert "only 41 of the last 60 estimates held" in part.text
    assert "60 days" in part.text
    assert "+4.0 pp" in part.text
    assert "◆ off" in part.text


def _rows(table: str, **columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns).reindex(columns=list(tables.BY_NAME[table].columns))


def _night(age: int) -> pd.Timestamp:
    """The day whose figures at an age belong to the last night."""
    return pd.Timestamp(sample_night.END - timedelta(days=age))


def test_why_a_rate_changed_is_told_along_the_dimension_that_explains_it_best() -> None:
    """Both dimensions add up to the same -6.0 points; only `customer` has a part that carries more than its share."""
    told = {"metric": "accuracy", "label_age": 7, "day": _night(7), "value": 0.88, "former": 0.94, "base": 0.0}
    parts = _rows(
        "decompositions", **told,
        dimension=["country", "country", "country", "customer", "customer", "customer"],
        segment=["all", "country=DE", "country=FR", "all", "customer=new", "customer=old"],
        share=[1.0, 0.5, 0.5, 1.0, 0.3, 0.7], change=[-0.06, -0.03, -0.03, -0.06, -0.06, 0.0],
        mix=[-0.015, -0.005, -0.01, -0.015, -0.02, 0.005], rate=[-0.04, -0.02, -0.02, -0.04, -0.04, 0.0],
        coverage=[-0.005, -0.005, 0.0, -0.005, 0.0, -0.005],
    )  # fmt: skip
    part = section(reading_html.read(rendered(sample_night.frames() | {"decompositions": parts})), "changes")
    assert "Accuracy at 7 days −6.0 pp, from 94.0 % to 88.0 %, by customer" in part.all("h3")[0].text
    assert part.all("tbody")[0].all("tr")[0].text.startswith("customer=new")
    assert "−2.0 pp ±0.0 pp −4.0 pp −6.0 pp" in part.all("tbody")[0].all("tr")[0].text


def test_each_baseline_on_the_page_is_named_and_explained() -> None:
    """The incident tells accuracy against a recent window, the tile against 28 days: both say which."""
    frames = sample_night.frames()
    known = frames["incidents"]["evidence"].str.replace(
        '"metric": "accuracy"', '"detector": "recent", "metric": "accuracy"'
    )
    told = frames["incidents"].assign(evidence=known)
    page = reading_html.read(rendered(frames | {"incidents": told}))
    wrong = section(page, "wrong")
    assert "Held against" in wrong.text
    assert "What figures are held against:" in wrong.text
    assert "“recently” is the median of the same figure over the 56 days that ended 14 days before;" in wrong.text
    assert "the change of a key figure below is from the median of the 28 days before." in wrong.text
    assert "median of the 28 days before" in section(page, "figures").text


@pytest.mark.parametrize(("share", "told"), [((0.98, 0.02), 1), ((0.3, 0.7), 2), ((0.0, 1.0), 2)])
def test_a_version_that_took_over_in_the_window_is_told_besides(share: tuple[float, float], told: int) -> None:
    """v1 answered all of the window; v2 answers tonight with a share, and `customer` explains more than it."""
    versions, carried = ["version=v1", "version=v2"], [-0.06, -0.06 * share[0], -0.06 * share[1]]
    parts = _rows(
        "decompositions", metric="accuracy", label_age=7, day=_night(7), base=0.0, coverage=0.0,
        dimension=["customer"] * 3 + ["version"] * 3, segment=["all", "customer=new", "customer=old", "all", *versions],
        value=[0.88, 0.6, 0.95, 0.88, 0.94, 0.85], former=[0.94, 0.8, 0.96, 0.94, 0.94, np.nan],
        share=[1.0, 0.3, 0.7, 1.0, *share], former_share=[1.0, 0.3, 0.7, 1.0, 1.0, 0.0],
        change=[-0.06, -0.06, 0.0, *carried], mix=[0.0, 0.0, 0.0, *carried],
        rate=[-0.06, -0.06, 0.0, 0.0, 0.0, 0.0],
    )  # fmt: skip
    part = section(reading_html.read(rendered(sample_night.frames() | {"decompositions": parts})), "changes")
    heads = [head.text for head in part.all("h3") if "Accuracy" in head.text]
    assert [head.rpartition("by ")[2] for head in heads] == ["customer", "version"][:told]
    if told == 2:
        assert part.all("tbody")[1].all("tr")[0].text.startswith("version=v2")


def _switched(*dimensions: str) -> Element:
    """v1 answered all of the window and v2 all of tonight, 6 points worse with every customer alike."""
    told = {"customer": ["customer=new", "customer=old"], "version": ["version=v1", "version=v2"]}
    size = 3 * len(dimensions)
    carried = {"customer": ([0.0, 0.0, 0.0], [-0.06, -0.02, -0.04]), "version": ([-0.06, 0.0, -0.06], [0.0] * 3)}
    of = {"customer": ([1.0, 0.3, 0.7], [1.0, 0.3, 0.7]), "version": ([1.0, 0.0, 1.0], [1.0, 1.0, 0.0])}
    mix, rate, share, former = (
        [one for name in dimensions for one in table[name][place]]
        for table, place in ((carried, 0), (carried, 1), (of, 0), (of, 1))
    )
    parts = _rows(
        "decompositions", metric="accuracy", label_age=7, day=_night(7), base=0.0, coverage=0.0,
        dimension=[name for name in dimensions for _ in range(3)],
        segment=[one for name in dimensions for one in ("all", *told[name])],
        value=[0.88] * size, former=[0.94] * size, share=share, former_share=former,
        change=[a + b for a, b in zip(mix, rate, strict=True)], mix=mix, rate=rate,
    )  # fmt: skip
    return section(reading_html.read(rendered(sample_night.frames() | {"decompositions": parts})), "changes")


def test_after_a_full_switch_who_came_is_not_blamed_and_the_version_is_told_besides() -> None:
    part = _switched("customer", "version")
    heads = [head.text for head in part.all("h3") if "Accuracy" in head.text]
    assert [head.rpartition("by ")[2] for head in heads] == ["customer", "version"]
    customers, versions = part.all("table")[:2]
    assert "Before Now Mix Coverage Rate" in customers.text
    assert "Before Now Which version answered Coverage Rate" in versions.text
    assert "Mix" not in versions.text
    assert "±0.0 pp ±0.0 pp −4.0 pp −4.0 pp" in customers.all("tbody")[0].all("tr")[0].text
    new = next(row.text for row in versions.all("tr") if row.text.startswith("version=v2"))
    assert "−6.0 pp ±0.0 pp ±0.0 pp −6.0 pp" in new


def test_a_switch_without_segments_is_told_by_version_alone() -> None:
    part = _switched("version")
    assert [head.text.rpartition("by ")[2] for head in part.all("h3") if "Accuracy" in head.text] == ["version"]
    assert "Which version answered" in part.all("table")[0].text


def test_segments_that_fell_beyond_chance_are_marked_and_how_many_were_searched_is_said() -> None:
    fell = _rows(
        "worst_segments", metric="accuracy", label_age=7, day=_night(7), rank=[1, 2], value=[0.7, 0.9], n=[400, 300],
        former=[0.93, 0.92], q_value=[0.0002, 0.61], found=[True, False], searched=27,
        segment=["customer=new,country=DE", "device=tablet"],
    )  # fmt: skip
    part = section(reading_html.read(rendered(sample_night.frames() | {"worst_segments": fell})), "changes")
    first, second = part.all("tbody")[-1].all("tr")
    assert "warning" in first.text
    assert "−23.0 pp" in first.text
    assert "warning" not in second.text
    assert "Searched: 27 segments and pairs of segments for Accuracy at 7 days." in part.text


def test_a_shadow_beside_the_live_version_is_told_with_what_to_do_about_it() -> None:
    both = _rows(
        "comparisons", day=_night(30), label_age=30, version="v2", other="shadow:v3", basis="same rows",
        metric=["accuracy", "verdict"], value=[0.91, np.nan], other_value=[0.93, np.nan], n=[4000, 4000],
        difference=[0.02, np.nan], lower=[0.01, np.nan], upper=[0.03, np.nan], p_value=[0.0004, np.nan],
        verdict=["other is higher", "promote"], reason=[None, "v3 is right more often"],
    )  # fmt: skip
    early = both.assign(day=_night(7), label_age=7, verdict=["may be chance", "not yet known"])
    frames = sample_night.frames() | {"comparisons": pd.concat([early, both], ignore_index=True)}
    [shown] = view(frames).comparisons
    assert (shown.version, shown.other, shown.role, shown.age) == ("v2", "v3", "shadow", 30)
    part = section(reading_html.read(rendered(frames)), "versions")
    assert "v2 beside v3 shadow ◆ promote" in part.text
    assert "+2.0 pp +1.0 pp to +3.0 pp · n 4,000" in part.text


def test_what_contradicts_itself_is_not_hidden_behind_a_younger_age_that_knew_less() -> None:
    """At two days v3 is right more often; at seven the business says the contrary, and a person must look."""
    both = _rows(
        "comparisons", version="v2", other="shadow:v3", day=[_night(2)] * 2 + [_night(7)] * 3, label_age=[2, 2, 7, 7, 7],
        basis=["same rows", "same rows", "same rows", "same rows", "before and since"], n=4000,
        metric=["accuracy", "verdict", "accuracy", "verdict", "conversion"], value=[0.91, np.nan, 0.91, np.nan, 0.3],
        other_value=[0.93, np.nan, 0.93, np.nan, 0.2], difference=[0.02, np.nan, 0.02, np.nan, -0.1],
        verdict=["other is higher", "promote", "other is higher", "contradictory", "live is higher"],
        reason=[None, "v3 is right more often", None, "v3 is right more often (a), but v2 converts more (b)", None],
    )  # fmt: skip
    frames = sample_night.frames() | {"comparisons": both}
    [shown] = view(frames).comparisons
    assert (shown.verdict, shown.age) == ("contradictory", 7)
    assert [one.metric for one in shown.differences] == ["accuracy", "conversion"]
    part = section(reading_html.read(rendered(frames)), "versions")
    assert "◆ contradictory" in part.text
    assert "Since and before at 7 days" in part.text
    early = both.assign(verdict=both["verdict"].replace("contradictory", "not yet known"))
    [shown] = view(frames | {"comparisons": early}).comparisons
    assert (shown.verdict, shown.age) == ("promote", 2)
    assert [(one.metric, one.age) for one in shown.differences] == [("accuracy", 2), ("conversion", 7)]


def test_the_groups_of_a_protected_segment_and_the_gaps_between_them_are_told() -> None:
    frames, spec = dict(sample_night.frames()), sample_night.spec().model_copy(update={"protected": ("customer",)})
    rates = _rows(
        "metrics", day=[pd.Timestamp(sample_night.END)] * 3, layer="model", version="all", feature="", state="final",
        segment=["customer=new", "customer=old", "customer=*"], n=[300, 700, 300],
        metric=["selection_rate", "selection_rate", "demographic_parity_ratio"],
        value=[0.2, 0.4, 0.5], lower=[0.16, 0.36, 0.4], upper=[0.25, 0.44, 0.62],
    )  # fmt: skip
    frames["metrics"] = pd.concat([frames["metrics"], rates], ignore_index=True)
    history = History.of(frames, history_days(sample_night.AGES))
    part = section(reading_html.read(page.render(view_of(history.at(sample_night.END), spec, TERMS))), "fairness")
    groups, gaps = part.all("tbody")
    assert [row.all("th")[0].text for row in groups.all("tr")] == ["new", "old"]
    assert "Demographic parity, ratio 0.500 0.400–0.620 · n 300" in gaps.text


def test_other_distances_stand_beside_what_chance_reaches() -> None:
    frames = dict(sample_night.frames())
    js = _rows(
        "metrics", day=[pd.Timestamp(sample_night.END)] * 4, layer="data", version="all", segment="all", state="final",
        feature=["browsing_time", "browsing_time", "pages", "pages"], n=9000,
        metric=["js", "js_null_limit", "js", "js_null_limit"], value=[0.4, 0.05, 0.03, 0.05],
    )  # fmt: skip
    frames["metrics"] = pd.concat([frames["metrics"], js], ignore_index=True)
    shapes = view(frames).shapes
    assert shapes is not None
    beyond = {name: one.beyond for name, (one,) in shapes.rows if one}
    assert beyond == {"browsing_time": True, "pages": False}
    assert "chance 0.050" in section(reading_html.read(rendered(frames)), "shapes").text


def test_other_thresholds_are_told_for_the_youngest_label_age() -> None:
    curve = _rows(
        "threshold_curve", version=["all", "all", "v1"], day=_night(7), label_age=7, threshold=[0.4, 0.5, 0.5], n=900,
        precision=[0.6, 0.7, 0.1], recall=[0.9, 0.8, 0.1], flagged_share=[0.3, 0.2, 0.1],
    )  # fmt: skip
    told = view(sample_night.frames() | {"threshold_curve": curve}).thresholds
    assert [(one.threshold, one.flagged, one.precision, one.recall) for one in told] == [
        (0.4, 0.3, 0.6, 0.9), (0.5, 0.2, 0.7, 0.8),
    ]  # fmt: skip


def test_odd_columns_and_outliers_are_named() -> None:
    frames = dict(sample_night.frames())
    odd = _rows(
        "metrics", day=[pd.Timestamp(sample_night.END)] * 3, layer="data", version="all", segment="all", state="final",
        feature=["discount", "basket_value", "colour"], n=9000,
        metric=["constant_column", "outlier_rate", "column_gone"], value=[1.0, 0.2, 1.0],
    )  # fmt: skip
    frames["metrics"] = pd.concat([frames["metrics"], odd], ignore_index=True)
    part = section(reading_html.read(rendered(frames)), "quality")
    assert "Constant column discount" in part.text
    assert "Column gone colour" in part.text
    assert "basket_value 20.0 %" in part.text


def test_every_defined_metric_has_a_name_and_a_kind_of_number() -> None:
    assert set(WORDS) == {one.name for one in DEFINITIONS}


def test_every_picture_has_a_text_equivalent_or_is_hidden(tree: Element) -> None:
    ids = {element.attributes["id"]: element for element in tree.all() if "id" in element.attributes}
    for svg in tree.all("svg"):
        if svg.attributes.get("aria-hidden") == "true":
            continue
        assert svg.attributes["role"] == "img"
        assert svg.attributes.get("aria-label") or svg.all("title")[0].text
        if "chart" in svg.attributes["class"].split():
            assert ids[svg.attributes["aria-labelledby"]].text
            assert len(ids[svg.attributes["aria-describedby"]].text) > 20


def test_no_id_is_there_twice_and_every_link_and_label_leads_somewhere(tree: Element) -> None:
    ids = [element.attributes["id"] for element in tree.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    wanted = [link.attributes["href"][1:] for link in tree.all("a") if link.attributes["href"].startswith("#")]
    wanted += [value for element in tree.all() for key, value in element.attributes.items() if key == "aria-labelledby"]
    assert set(wanted) <= set(ids)


def test_every_svg_is_well_formed_xml(text: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(pictures) > 40
    for picture in pictures:
        ET.fromstring(picture)  # noqa: S314 - our own output


def test_nothing_reads_nan_or_none(tree: Element, text: str) -> None:
    assert not re.search(r"\b(nan|None|NaT|inf)\b", tree.text)
    assert not re.search(r'[ "ML](nan|inf)', text)


def test_headings_go_down_one_step_at_a_time(tree: Element) -> None:
    levels = [int(element.tag[1]) for element in tree.all() if re.fullmatch("h[1-6]", element.tag)]
    assert levels[0] == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))


def test_the_page_stays_small(text: str) -> None:
    assert len(text.encode()) < 300_000


def test_fifty_features_eighty_segments_and_twelve_versions_stay_under_a_megabyte() -> None:
    frames = sample_night.frames()
    metrics = frames["metrics"]
    psi = metrics[metrics["feature"] == "browsing_time"]
    part = metrics[metrics["segment"] == "customer=new"]
    whole = metrics[(metrics["version"] == "v1")]
    more = [psi.assign(feature=f"feature_{k}") for k in range(50)]
    more += [part.assign(segment=f"city=number {k}") for k in range(80)]
    more += [whole.assign(version=f"v{k}") for k in range(10, 20)]
    bins = frames["contributions"]
    browsing = bins[bins["feature"] == "browsing_time"]
    frames["metrics"] = pd.concat([metrics, *more], ignore_index=True)
    frames["contributions"] = pd.concat([bins, *(browsing.assign(feature=f"feature_{k}") for k in range(50))])
    text = rendered(frames)
    assert len(text.encode()) < 900_000
    tree = reading_html.read(text)
    assert "10 more features moved less than these." in section(tree, "drift").text
    assert "71 more segments did better than these." in section(tree, "segments").text
    assert "6 more are not shown." in section(tree, "versions").text


# what was known ------------------------------------------------------------------------------------------------


def known_by(frames: dict[str, pd.DataFrame], day: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The rows whose night is no later than `day`."""
    nights = {
        "metrics": lambda f: f["day"] + pd.to_timedelta(f["label_age"].fillna(0).astype("int64"), unit="D"),
        "verdicts": lambda f: f["night"], "incidents": lambda f: f["night"], "decisions": lambda f: f["night"],
        "arrival_statistics": lambda f: f["known_day"], "contributions": lambda f: f["day"],
        "deliveries": lambda f: f["day"],
    }  # fmt: skip
    return {name: frame[nights[name](frame) <= day] if name in nights else frame for name, frame in frames.items()}


def test_what_became_known_later_changes_no_older_page() -> None:
    frames, day = sample_night.frames(), sample_night.END - timedelta(days=9)
    assert rendered(frames, day) == rendered(known_by(frames, pd.Timestamp(day)), day)


def test_what_lies_before_the_window_changes_nothing() -> None:
    frames = sample_night.frames(days=400)
    begin = pd.Timestamp(sample_night.END - timedelta(days=history_days(sample_night.AGES)))
    frames["verdicts"] = frames["verdicts"].sample(frac=1, random_state=1)
    recent = {
        name: frame[frame[column] >= begin] if (column := {"verdicts": "night"}.get(name)) else frame
        for name, frame in frames.items()
    }
    metrics = frames["metrics"]
    night = metrics["day"] + pd.to_timedelta(metrics["label_age"].fillna(0).astype("int64"), unit="D")
    recent["metrics"] = metrics[night >= begin]
    assert rendered(frames) == rendered(recent)


def test_rows_in_another_order_give_the_same_bytes() -> None:
    frames = sample_night.frames()
    mixed = {name: frame.sample(frac=1, random_state=3) for name, frame in frames.items()}
    assert rendered(frames) == rendered(mixed)


def test_accuracy_of_yesterday_is_not_shown_before_its_labels_are_a_week_old() -> None:
    figures = {tile.figure.key.age: tile.figure for tile in view(sample_night.frames()).tiles}
    assert figures[7].day == figures[-1].day - 7
    assert figures[30].day == figures[-1].day - 30


# thin and odd nights -------------------------------------------------------------------------------------------


def test_the_first_night_with_nothing_still_renders_and_says_so() -> None:
    tree = reading_html.read(rendered(sample_night.empty()))
    assert tree.all("h1")[0].text == "No predictions arrived for 12 March 2025, so there was nothing to judge."
    assert "Not judged" in tree.text
    assert not tree.all("svg", class_="chart")


def test_a_day_without_data_says_so_and_keeps_its_trends() -> None:
    tree = reading_html.read(rendered(sample_night.frames(), sample_night.GAP))
    assert tree.all("h1")[0].text.startswith("No predictions arrived for 19 February 2025; 17 checks of earlier days")
    assert "Not judged" in tree.all("header", class_="hero")[0].text
    assert "no file for this day" in section(tree, "quality").text
    assert "no figure" in section(tree, "figures").text
    assert section(tree, "trends").all("svg", class_="chart")


def test_missing_data_that_an_incident_tells_of_is_said_once() -> None:
    frames = sample_night.frames()
    gap = str(sample_night.GAP)
    evidence = f'[{{"role": "cause", "metric": "volume", "day": "{gap}", "rule": "no data", "severity": "critical"}}]'
    night = pd.Timestamp(sample_night.GAP)
    one = frames["incidents"].head(1).assign(night=night, opened=night, last_breach=night, evidence=evidence)
    frames["incidents"] = one.assign(state="opened", severity="critical", title=f"no predictions for {gap}")
    said = sentence.verdict(view(frames, sample_night.GAP))
    assert said.startswith(f"This needs you today: no predictions for {short_day(sample_night.GAP)}, new tonight")
    assert said.count("no predictions") == 1


def test_one_row_is_drawn_as_one_dot() -> None:
    frames = sample_night.empty()
    metrics = sample_night.frames()["metrics"]
    last = metrics[(metrics["metric"] == "volume") & (metrics["version"] == "all")].tail(1)
    text = rendered(frames | {"metrics": last})
    tree = reading_html.read(text)
    [chart] = section(tree, "trends").all("svg", class_="chart")
    assert chart.all("path", class_="ln")[0].attributes["d"].endswith("h0")


@pytest.mark.parametrize("table", ["metrics", "verdicts", "incidents", "decisions", "deliveries", "contributions"])
def test_a_table_whose_columns_are_all_null_but_its_keys_still_renders(table: str) -> None:
    frames = sample_night.frames()
    keys = {"day", "night", "metric", "label_age", "feature", "segment", "version", "incident", "source"}
    frames[table] = frames[table].assign(**dict.fromkeys(set(frames[table]) - keys))
    reading_html.read(rendered(frames))


@pytest.mark.parametrize("table", list(sample_night.empty()))
def test_a_missing_table_costs_its_own_part_only(table: str) -> None:
    tree = reading_html.read(rendered(sample_night.frames() | {table: sample_night.empty()[table]}))
    assert tree.all("section", id="quality")


def test_a_figure_that_was_not_evaluated_says_why() -> None:
    frames = sample_night.frames()
    metrics = frames["metrics"]
    thin = (metrics["metric"] == "recall") & (metrics["segment"] == "all") & (metrics["label_age"] == 7)
    frames["metrics"] = metrics.assign(
        value=metrics["value"].mask(thin),
        state=metrics["state"].mask(thin, "not_evaluated"),
        reason=metrics["reason"].mask(thin, "12 positive labels, 30 are needed"),
    )
    tree = reading_html.read(rendered(frames))
    assert "12 positive labels, 30 are needed" in section(tree, "figures").text


def test_a_value_of_too_few_rows_is_told_but_neither_drawn_in_the_line_nor_compared() -> None:
    frames = sample_night.frames()
    metrics = frames["metrics"]
    few = (
        (metrics["metric"] == "accuracy")
        & (metrics["segment"].isin(["all", "country=FR"]))
        & (metrics["label_age"] == 7)
    )
    last = few & (metrics["day"] == pd.Timestamp(sample_night.END - timedelta(days=7)))
    told = {"value": metrics["value"].mask(last, 0.2), "n": metrics["n"].mask(last, 4)}
    why = {
        "state": metrics["state"].mask(last, "not_evaluated"),
        "reason": metrics["reason"].mask(last, "4 rows, 30 needed"),
    }
    frames["metrics"] = metrics.assign(**told, **why)
    tree = reading_html.read(rendered(frames))
    [tile] = [one for one in section(tree, "figures").all("article") if one.all("h3")[0].text == "Accuracy at 7 days"]
    assert "20.0 %" in tile.text
    assert "4 rows, 30 needed" in tile.text
    assert "from" not in tile.text
    [chart] = [one for one in section(tree, "trends").all("svg") if one.text.startswith("Accuracy at 7 days")]
    assert chart.all("path", class_="th")[0].attributes["d"].count("M") == 1
    assert "1 day with too few rows." in chart.text
    assert not section(tree, "segments").all("tbody"), "there is no whole to compare with"
    assert "country=FR" in section(tree, "segments").text


def test_without_an_open_incident_the_night_is_quiet_and_says_what_was_looked_at() -> None:
    frames = sample_night.frames() | {"incidents": sample_night.empty()["incidents"]}
    seen = view(frames)
    assert seen.state == "ok"
    assert re.match(r"All quiet: \d+ checks made, 2 of them breached", sentence.verdict(seen)), sentence.verdict(seen)


def test_a_card_writes_all_its_days_alike_and_its_scope_in_words() -> None:
    frames = sample_night.frames()
    told = {"title": "no predictions for 2025-03-10", "text": "Open since 2025-03-08.", "scope": "behaviour:plan=new"}
    frames["incidents"] = frames["incidents"].assign(**told)
    text = reading_html.read(rendered(frames)).text
    assert "no predictions for 10 Mar" in text
    assert "Open since 8 Mar." in text
    assert "the model's behaviour for plan=new" in text
    assert "2025-03-10" not in text


def test_a_dry_run_is_not_told_as_held_back() -> None:
    frames = sample_night.frames()
    frames["decisions"] = frames["decisions"].assign(outcome="dry_run")
    seen = view(frames)
    assert "a retraining would have been requested (dry run)" in sentence.verdict(seen)
    assert "held back" not in sentence.verdict(seen)
    assert {one.told for incident in seen.incidents for one in incident.decisions} == {"dry run"}


def test_the_night_an_incident_is_resolved_says_so_once() -> None:
    frames = sample_night.frames()
    incidents = frames["incidents"]
    frames["incidents"] = incidents[incidents["incident"] == "slow"]
    resolved = sample_night.END - timedelta(days=55)
    assert "All quiet again: “Answers were slow” is over" in sentence.verdict(view(frames, resolved))
    assert not view(frames, resolved + timedelta(days=1)).resolved


HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "مرحبا\u202eevil\u202c",
    "🦇👩‍💻 中文",
    "x" * 10_000,
    "a\nb\x00c\x1b[31m",
    "</title></svg><b>",
)


def hostile(name: str) -> dict[str, pd.DataFrame]:
    """The story with that name wherever a name comes from data."""
    frames = sample_night.frames()
    swap = {"browsing_time": name, "customer=new": f"customer={name}", "v2": name, "labels": name}
    for table in ("metrics", "contributions", "verdicts", "deliveries", "arrival_statistics"):
        columns = set(frames[table]) & {"feature", "segment", "version", "source"}
        frames[table] = frames[table].assign(**{c: frames[table][c].replace(swap) for c in columns})
    bins = frames["contributions"]
    frames["contributions"] = bins.assign(label=bins["label"].replace({"≤ 1.5": name}))
    frames["incidents"] = frames["incidents"].assign(title=name, scope=name)
    frames["decisions"] = frames["decisions"].assign(reason=name, action=name)
    frames["verdicts"] = frames["verdicts"].assign(reason=name, rule=name)
    return frames


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:24])
def test_hostile_names_are_shown_as_text_and_shortened(name: str) -> None:
    text = rendered(hostile(name))
    tree = reading_html.read(text)
    assert len(text.encode()) < 330_000
    assert len(tree.all("script")) == 1
    assert not tree.all("img")
    assert not [element for element in tree.all() if any(key.startswith("on") for key in element.attributes)]
    assert "49" not in tree.all("h1")[0].text
    assert not set("\u202e\u202c\x00\x1b") & set(text)
    for picture in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL):
        ET.fromstring(picture)  # noqa: S314 - our own output


def test_of_many_incidents_the_worst_eight_are_open_and_the_rest_one_click_away() -> None:
    frames = sample_night.frames()
    incidents = frames["incidents"]
    newest = incidents[incidents["night"] == incidents["night"].max()].head(1)
    many = [newest.assign(incident=f"more {k}", title=f"more {k}", severity="info") for k in range(12)]
    tree = reading_html.read(rendered(frames | {"incidents": pd.concat([incidents, *many])}))
    part = section(tree, "wrong")
    assert len(part.all("article", class_="incident")) == 14
    [rest] = [one for one in part.all("details") if one.all("summary")[0].text == "6 more open incidents"]
    assert len(rest.all("article", class_="incident")) == 6
    assert tree.all("h1")[0].text.startswith("14 things need attention")


def test_evidence_that_is_no_json_is_left_out_and_the_incident_stays() -> None:
    frames = sample_night.frames()
    frames["incidents"] = frames["incidents"].assign(evidence="{broken")
    tree = reading_html.read(rendered(frames))
    assert len(section(tree, "wrong").all("article", class_="incident")) == 2
