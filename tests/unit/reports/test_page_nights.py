"""Pages of thin and odd nights, and of nights looked at again later."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from reports import sentence
from reports.formats import short_day
from reports.history import history_days
from tests.unit.reports import reading_html, sample_night
from tests.unit.reports.rendered_page import rendered, section, view


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
