"""A segment is held against its usual share of the same day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jobs.methods import shares

DAYS = 100


def volumes(counts: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of segments s0, s1 ... and of whole days, from counts of shape (days, segments)."""
    number, segments = counts.shape
    days = pd.date_range("2025-01-01", periods=number, unit="us")
    chosen = pd.DataFrame(
        {
            "day": np.repeat(days, segments),
            "metric": "volume", "version": "all", "feature": "", "age": 0,
            "segment": np.tile([f"s{one}" for one in range(segments)], number),
            "value": counts.ravel().astype(float),
        }
    )  # fmt: skip
    whole = pd.DataFrame({"day": days, "version": "all", "value": counts.sum(axis=1).astype(float)})
    return chosen, whole


def counted(seed: int = 1, days: int = DAYS, segments: int = 10) -> np.ndarray:
    return np.random.default_rng(seed).poisson(100.0, (days, segments))


def usual(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected counts and spreads, shape (days, segments)."""
    told = shares.usual(*volumes(counts), days=56, gap=14)
    return told.expected.reshape(counts.shape), told.spread.reshape(counts.shape)


def test_half_a_delivery_is_no_news_of_any_segment() -> None:
    counts = counted()
    counts[-1] //= 2
    expected, spread = usual(counts)
    assert np.abs((counts[-1] - expected[-1]) / spread[-1]).max() < 4
    assert 40 < expected[-1].mean() < 60


def test_a_segment_that_fell_is_far_below_its_share_and_the_others_are_not_above() -> None:
    counts = counted()
    counts[-1, 3] = 20
    expected, spread = usual(counts)
    distance = (counts[-1] - expected[-1]) / spread[-1]
    assert distance[3] < -6
    assert np.abs(np.delete(distance, 3)).max() < 4
    assert abs(expected[-1, 3] - 100) < 15


def test_shares_of_a_weekday_are_those_of_the_weekday() -> None:
    counts = counted()
    counts[5::7, 0] *= 3
    expected, _ = usual(counts)
    saturday = 96  # 5 + 13 weeks
    assert expected[saturday, 0] > 2.5 * expected[saturday - 1, 0]


def test_a_storm_of_robots_in_the_past_does_not_raise_what_is_usual() -> None:
    counts = counted()
    counts[60:64, 2] *= 30
    expected, _ = usual(counts)
    assert abs(expected[-1, 2] - 100) < 15


def test_a_restless_segment_needs_more_to_be_odd() -> None:
    calm = counted()
    restless = calm.copy()
    restless[:, 0] = np.random.default_rng(2).poisson(100 * np.exp(np.random.default_rng(3).normal(0, 0.5, DAYS)))
    assert usual(restless)[1][-1, 0] > 3 * usual(calm)[1][-1, 0]


def test_nothing_is_usual_before_a_share_and_its_strayings_are_known() -> None:
    _, spread = usual(counted())
    first = int(np.flatnonzero(np.isfinite(spread[:, 0]))[0])
    # 14 days of a share, 14 days of gap, 14 nights that strayed from it.
    assert first == 14 + 14 + 14 - 1


def test_a_segment_without_rows_had_none_of_the_day() -> None:
    counts = counted()
    chosen, whole = volumes(counts)
    rare = chosen[(chosen["segment"] != "s4") | (chosen["day"].dt.day == 1)]
    told = shares.usual(rare, whole, days=56, gap=14)
    assert told.expected[(rare["segment"] == "s4").to_numpy()][-1] == 0


def test_a_day_is_judged_alike_whatever_comes_after_it() -> None:
    counts = counted()
    whole, part = usual(counts), usual(counts[:80])
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_array_equal(one[:80], other)


def test_the_whole_day_has_no_rest_to_be_held_against() -> None:
    _, spread = usual(counted(segments=1))
    assert np.isnan(spread).all()


@pytest.mark.parametrize("days", [7, 14, 27])
def test_a_short_window_looks_at_fourteen_days_and_knows_no_weekdays(days: int) -> None:
    chosen, whole = volumes(counted())
    told = shares.usual(chosen, whole, days=days, gap=3)
    assert np.isfinite(told.spread[-10:]).all()
    assert np.abs(told.expected[-10:] - 100).max() < 25
