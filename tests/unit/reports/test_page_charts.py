"""What a page's charts draw, and what they leave out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from jobs.methods.beside import segments_beside
from reports import page, sentence
from reports.charts import heat
from tests.unit.reports import reading_html, sample_night
from tests.unit.reports.rendered_page import rendered, rows_of, section, view

if TYPE_CHECKING:
    from reports.series import Trend
    from tests.unit.reports.reading_html import Element


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
    estimated = rows_of("metrics", day=days, layer="model", version="all", segment="all", feature="",
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
    off = rows_of("metrics", day=[pd.Timestamp(sample_night.END)], layer="model", version="all", segment="all", feature="",
                metric="accuracy_estimated", state="not_evaluated", value=0.9, lower=0.88, upper=0.92, n=900,
                reason="only 41 of the last 60 estimates held what labels said later")  # fmt: skip
    frames["metrics"] = pd.concat([frames["metrics"], off], ignore_index=True)
    frames["estimator_card"] = rows_of(
        "estimator_card", day=[pd.Timestamp(sample_night.END)], version="all", metric="accuracy", basis="scores",
        evaluated=60, bias=0.04, mean_absolute=0.05, inside_share=0.68, verdict="off",
    )  # fmt: skip
    assert next(one for one in view(frames).trends if one.figure.key.metric == "accuracy").estimate is None
    part = section(reading_html.read(rendered(frames)), "estimates")
    assert "only 41 of the last 60 estimates held" in part.text
    assert "60 days" in part.text
    assert "+4.0 pp" in part.text
    assert "◆ off" in part.text
