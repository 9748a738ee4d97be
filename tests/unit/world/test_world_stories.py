"""Each story is in the delivered files, measured with pandas alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from jobs.periods import Period
from jobs.spec.paths import PROJECT
from jobs.world import PERIOD, Story, stories
from jobs.world.stories import BROWSING_FALLS, LATE, LATE_ARRIVAL, WRONG_CORRECTED

if TYPE_CHECKING:
    from jobs.world import World
    from tests.unit.world.conftest import Delivered


def story(name: str) -> Story:
    return next(story for story in stories() if story.name == name)


def days(story: Story) -> pd.DatetimeIndex:
    return pd.date_range(story.first, story.last)


def during(series: pd.Series[float], story: Story) -> pd.Series[float]:
    return series.reindex(days(story))


def before(series: pd.Series[float], story: Story) -> float:
    """The mean of the 12 days before, which are quiet."""
    return float(series.loc[pd.Timestamp(story.first) - pd.Timedelta(days=12) :].iloc[:12].mean())


def test_the_world_tells_the_stories_of_its_calendar(world: World) -> None:
    assert world.stories == stories()
    assert world.period == PERIOD


def test_every_story_lies_in_the_world_and_is_found_while_it_can_be_seen() -> None:
    for told in stories():
        assert PERIOD.first <= told.first <= told.last <= told.seen_until <= PERIOD.last
        assert told.first <= told.found_by <= told.seen_until
        assert told.action not in told.may


def test_browsing_falls_from_ten_minutes_to_two_in_three_days_and_comes_back(
    delivered: Delivered,
) -> None:
    drift = story("browsing drift")
    minutes = delivered.predictions.groupby("day")["browsing_minutes"].mean()
    assert before(minutes, drift) == pytest.approx(10, abs=0.2)
    assert during(minutes, drift).iloc[:BROWSING_FALLS].is_monotonic_decreasing
    assert during(minutes, drift).iloc[BROWSING_FALLS - 1 :].between(1.8, 2.2).all()
    assert minutes[pd.Timestamp(drift.last + timedelta(days=1))] == pytest.approx(10, abs=1)


def test_browsing_drift_passes_the_retraining_limit_two_nights_in_a_row_in_time(delivered: Delivered) -> None:
    drift = story("browsing drift")
    psi = [delivered.psi("browsing_minutes", day) for day in Period(drift.first, drift.found_by)]
    assert min(psi[-2:]) > 0.3
    assert max(delivered.psi("basket_value", day) for day in Period(drift.first, drift.last)) < 0.1


def test_browsing_drift_costs_ten_points_of_accuracy_but_no_purchases(delivered: Delivered) -> None:
    drift = story("browsing drift")
    assert 0.82 < during(delivered.accuracy(7), drift).iloc[BROWSING_FALLS:].mean() < 0.86
    assert during(delivered.conversion(), drift).mean() == pytest.approx(0.225, abs=0.015)


def test_browsing_drift_never_stays_below_the_fallback_limit_for_two_nights(
    delivered: Delivered,
) -> None:
    for age in (1, 7):
        low = during(delivered.accuracy(age), story("browsing drift")) < 0.8
        assert not (low & low.shift(fill_value=False)).any()


def test_the_bad_version_is_right_more_often_and_sells_a_quarter_less(delivered: Delivered) -> None:
    bad = story("bad version")
    version = delivered.predictions.groupby("day")["model_version"].unique()
    assert all(list(version[day]) == ["v2"] for day in days(bad))
    assert all(list(v) == ["v1"] for day, v in version.items() if day not in days(bad))
    assert during(delivered.accuracy(7), bad).mean() > before(delivered.accuracy(7), bad) + 0.003
    ratio = during(delivered.conversion(), bad).mean() / before(delivered.conversion(), bad)
    assert 0.70 < ratio < 0.75


def test_the_bad_version_is_no_drift(delivered: Delivered) -> None:
    bad = Period(story("bad version").first, story("bad version").last)
    assert max(delivered.psi("score", day) for day in bad) < 0.2
    assert max(delivered.psi("browsing_minutes", day) for day in bad) < 0.05


def test_new_customers_are_at_80_percent_under_an_overall_of_nearly_95(delivered: Delivered) -> None:
    told = story("new customers")
    new = during(delivered.accuracy(7, "customer", "new"), told)
    assert new.mean() == pytest.approx(0.80, abs=0.02)
    assert during(delivered.accuracy(7), told).mean() == pytest.approx(0.945, abs=0.006)


def test_the_fault_of_new_customers_shows_in_their_segment_only(
    delivered: Delivered,
) -> None:
    told = story("new customers")
    for age in (1, 7):
        assert during(delivered.accuracy(age), told).min() > 0.95 * 0.95
    early = during(delivered.accuracy(1, "customer", "new"), told)
    assert (early.loc[: pd.Timestamp(told.found_by - timedelta(days=1))] < 0.9 * 0.95).any()
    for column, value in (("device", "mobile"), ("country", "DE"), ("customer", "returning")):
        assert during(delivered.accuracy(7, column, value), told).min() > 0.9 * 0.95


def test_accuracy_slides_one_point_a_day_and_is_restored(delivered: Delivered) -> None:
    slide = story("slow slide")
    accuracy = during(delivered.accuracy(7), slide)
    slope = np.polyfit(np.arange(len(accuracy)), accuracy, 1)[0]
    assert slope == pytest.approx(-0.01, abs=0.0015)
    assert accuracy.iloc[-3:].mean() == pytest.approx(0.76, abs=0.03)
    after = delivered.accuracy(7).loc[pd.Timestamp(slide.last) + pd.Timedelta(days=1) :].iloc[:10]
    assert after.mean() == pytest.approx(0.95, abs=0.008)


def test_the_slide_has_lost_a_tenth_when_it_must_have_been_found(delivered: Delivered) -> None:
    slide = story("slow slide")
    known = during(delivered.accuracy(1), slide).loc[: pd.Timestamp(slide.found_by - timedelta(days=1))]
    assert (known < 0.9 * 0.95).any()


def test_the_slide_gives_two_nights_in_a_row_below_the_fallback_limit(delivered: Delivered) -> None:
    low = during(delivered.accuracy(1), story("slow slide")) < 0.8
    assert (low & low.shift(fill_value=False)).any()


def test_the_slide_shows_in_labels_only(delivered: Delivered) -> None:
    slide = story("slow slide")
    for feature in ("browsing_minutes", "pages_viewed", "score"):
        assert max(delivered.psi(feature, day) for day in Period(slide.first, slide.last)) < 0.051
    assert during(delivered.conversion(), slide).mean() == pytest.approx(0.22, abs=0.015)


def test_on_the_day_of_silence_no_source_has_a_file_and_nothing_is_lost(world: World, delivered: Delivered) -> None:
    silent = story("silence").first
    for source in ("predictions", "labels", "outcomes"):
        assert not (world.folder / source / f"dt={silent}").exists()
    assert pd.Timestamp(silent) not in set(delivered.predictions["day"])
    served = delivered.predictions["day"].between(
        pd.Timestamp(silent - timedelta(days=7)), pd.Timestamp(silent + timedelta(days=7))
    )
    ids = delivered.predictions.loc[served, "request_id"]
    assert ids.isin(delivered.labels["request_id"]).all()
    assert ids.isin(delivered.outcomes["request_id"]).all()


def test_labels_of_three_days_come_together_on_the_fourth(world: World, delivered: Delivered) -> None:
    assert [(world.folder / "labels" / f"dt={day}").exists() for day in LATE] == [False] * 3
    per_day = delivered.labels.groupby("delivered").size()
    assert per_day[pd.Timestamp(LATE_ARRIVAL)] == pytest.approx(4 * per_day.median(), rel=0.15)
    assert delivered.labels.loc[delivered.labels["delivered"] == pd.Timestamp(LATE_ARRIVAL), "age"].max() == 10


def test_late_labels_leave_the_first_night_with_less_than_two_fifths_of_them(
    delivered: Delivered,
) -> None:
    late = story("late labels")
    known = delivered.labels[delivered.labels["age"] <= 1].groupby("day").size()
    coverage = known / delivered.predictions.groupby("day").size()
    before_first = pd.Timestamp(late.first - timedelta(days=1))  # judged on the first night without a file
    assert coverage[before_first] < 0.4
    assert coverage.reindex(pd.date_range(late.first, periods=2)).isna().all()
    assert coverage.loc[: before_first - pd.Timedelta(days=30)].min() > 0.5


def test_a_third_of_one_days_first_labels_is_wrong_and_corrected_later(
    delivered: Delivered,
) -> None:
    day = pd.Timestamp(story("wrong labels").first)
    labels = delivered.labels[delivered.labels["day"] == day]
    twice = labels[labels.duplicated("request_id", keep=False)].sort_values("delivered", kind="stable")
    first, second = (twice.drop_duplicates("request_id", keep=which) for which in ("first", "last"))
    assert (second["delivered"] == pd.Timestamp(WRONG_CORRECTED)).all()
    assert (first["age"] <= 1).all()
    corrected = first.merge(second, on="request_id")
    assert (corrected["label_x"] == 1 - corrected["label_y"]).all()
    assert len(first) / (labels["age"] <= 1).sum() == pytest.approx(0.35, abs=0.05)
    assert WRONG_CORRECTED - (day.date() + timedelta(days=1)) == timedelta(days=3)


def test_no_other_label_comes_twice(delivered: Delivered) -> None:
    other = delivered.labels[delivered.labels["day"] != pd.Timestamp(story("wrong labels").first)]
    assert other["request_id"].is_unique


def test_the_wrong_day_is_low_at_age_1_and_right_at_age_7(delivered: Delivered) -> None:
    day = pd.Timestamp(story("wrong labels").first)
    # 35 % of the labels turned round: 0.65 * 0.95 + 0.35 * 0.05 = 0.635
    assert delivered.accuracy(1)[day] == pytest.approx(0.635, abs=0.08)
    assert delivered.accuracy(7)[day] == pytest.approx(0.95, abs=0.03)


def test_latency_doubles_for_five_days(delivered: Delivered) -> None:
    latency = story("latency")
    p95 = delivered.predictions.groupby("day")["latency_ms"].quantile(0.95)
    assert len(days(latency)) == 5
    assert during(p95, latency).between(215, 265).all()
    assert before(p95, latency) == pytest.approx(120, rel=0.04)


def test_the_world_ends_in_a_small_drift_of_the_basket(delivered: Delivered) -> None:
    basket = story("basket drift")
    assert basket.last == PERIOD.last
    assert min(delivered.psi("basket_value", day) for day in Period(basket.first, basket.last)) > 0.3
    assert during(delivered.accuracy(1), basket).min() > 0.92
    value = delivered.outcomes.groupby("day")["revenue_eur"].mean()
    assert during(value, basket).iloc[:3].mean() == pytest.approx(before(value, basket), rel=0.15)


def test_the_page_of_the_world_tells_every_story_with_its_days() -> None:
    page = (PROJECT / "docs" / "world.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for told in stories():
        row = next((line for line in rows if line.startswith(f"| {told.name} |")), "")
        assert f"| {told.first} | {told.last} | {told.seen_until} |" in row, told.name
        found = told.finding
        for part in (found.metric, found.feature, found.segment.replace("all", ""), str(told.found_by)):
            assert part in row, (told.name, part)
        assert (told.action or "none") in row
