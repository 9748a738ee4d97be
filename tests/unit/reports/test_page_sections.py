"""What a page's sections tell: falls searched for, shadows, estimates, groups, distances, odd columns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reports import page
from reports.history import History, history_days
from reports.night import view_of
from tests.unit.reports import reading_html, sample_night
from tests.unit.reports.rendered_page import TERMS, day_at_age, rendered, rows_of, section, view


def test_segments_that_fell_beyond_chance_are_marked_and_how_many_were_searched_is_said() -> None:
    fell = rows_of(
        "worst_segments", metric="accuracy", label_age=7, day=day_at_age(7), rank=[1, 2], value=[0.7, 0.9], n=[400, 300],
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
    both = rows_of(
        "comparisons", day=day_at_age(30), label_age=30, version="v2", other="shadow:v3", basis="same rows",
        metric=["accuracy", "verdict"], value=[0.91, np.nan], other_value=[0.93, np.nan], n=[4000, 4000],
        difference=[0.02, np.nan], lower=[0.01, np.nan], upper=[0.03, np.nan], p_value=[0.0004, np.nan],
        verdict=["other is higher", "promote"], reason=[None, "v3 is right more often"],
    )  # fmt: skip
    early = both.assign(day=day_at_age(7), label_age=7, verdict=["may be chance", "not yet known"])
    frames = sample_night.frames() | {"comparisons": pd.concat([early, both], ignore_index=True)}
    [shown] = view(frames).comparisons
    assert (shown.version, shown.other, shown.role, shown.age) == ("v2", "v3", "shadow", 30)
    part = section(reading_html.read(rendered(frames)), "versions")
    assert "v2 beside v3 shadow ◆ promote" in part.text
    assert "+2.0 pp +1.0 pp to +3.0 pp · n 4,000" in part.text


def test_what_contradicts_itself_is_not_hidden_behind_a_younger_age_that_knew_less() -> None:
    """At two days v3 is right more often; at seven the business says the contrary, and a person must look."""
    both = rows_of(
        "comparisons", version="v2", other="shadow:v3", day=[day_at_age(2)] * 2 + [day_at_age(7)] * 3, label_age=[2, 2, 7, 7, 7],
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
    rates = rows_of(
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
    js = rows_of(
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
    curve = rows_of(
        "threshold_curve", version=["all", "all", "v1"], day=day_at_age(7), label_age=7, threshold=[0.4, 0.5, 0.5], n=900,
        precision=[0.6, 0.7, 0.1], recall=[0.9, 0.8, 0.1], flagged_share=[0.3, 0.2, 0.1],
    )  # fmt: skip
    told = view(sample_night.frames() | {"threshold_curve": curve}).thresholds
    assert [(one.threshold, one.flagged, one.precision, one.recall) for one in told] == [
        (0.4, 0.3, 0.6, 0.9), (0.5, 0.2, 0.7, 0.8),
    ]  # fmt: skip


def test_odd_columns_and_outliers_are_named() -> None:
    frames = dict(sample_night.frames())
    odd = rows_of(
        "metrics", day=[pd.Timestamp(sample_night.END)] * 3, layer="data", version="all", segment="all", state="final",
        feature=["discount", "basket_value", "colour"], n=9000,
        metric=["constant_column", "outlier_rate", "column_gone"], value=[1.0, 0.2, 1.0],
    )  # fmt: skip
    frames["metrics"] = pd.concat([frames["metrics"], odd], ignore_index=True)
    part = section(reading_html.read(rendered(frames)), "quality")
    assert "Constant column discount" in part.text
    assert "Column gone colour" in part.text
    assert "basket_value 20.0 %" in part.text
