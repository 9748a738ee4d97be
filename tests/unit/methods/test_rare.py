"""Rare events: the first burst of them is found, and chance is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm, poisson

from jobs.methods import forecast, rare
from jobs.methods.scale import Scale
from jobs.spec.judging import Detection
from tests.unit.methods.given_series import nights, series


def judged(value: np.ndarray, n: float, kind: str) -> forecast.Judged:
    return forecast.judge(series(value, n, kind), nights(0, len(value) - 1), Detection())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("usual", "n", "kind", "burst"),
    [
        (0.0, 1000, "rate", 0.05), (0.0, 1000, "rate", 0.10), (0.0005, 5000, "rate", 0.01),
        (0.0, 100_000, "rate", 0.001), (1.0, 1000, "rate", 0.95), (0.0, np.nan, "count", 10.0),
    ],
)  # fmt: skip
def test_a_burst_where_hardly_anything_ever_happened_is_found(usual: float, n: float, kind: str, burst: float) -> None:
    value = np.full(90, usual)
    value[80] = burst
    found = judged(value, n, kind)
    assert abs(found.distance[80]) > 4
    assert not found.lower[80] <= burst <= found.upper[80]


@pytest.mark.parametrize(("share", "n"), [(0.0005, 5000), (0.002, 1000), (0.999, 2000)])
def test_chance_alone_raises_nothing(share: float, n: int) -> None:
    alarms = 0
    for seed in range(4):
        value = np.random.default_rng(seed).binomial(n, share, 150) / n
        alarms += int((np.abs(np.nan_to_num(judged(value, n, "rate").distance)) > 4).sum())
    assert alarms == 0  # of 540 judged nights


def test_a_day_without_rows_is_not_judged() -> None:
    one = series(np.full(60, 0.001), 1000.0, "rate")
    one.n[50], one.value[50] = 0.0, np.nan
    found = forecast.judge(one, nights(0, 59), Detection())
    assert np.isnan(found.distance[50])
    assert np.isfinite(found.distance[51])


def test_the_distance_by_chance_is_the_normal_one_of_the_same_tail() -> None:
    """scipy.stats.binom and poisson, with half of the value itself."""
    k, n, p = np.array([0.0, 3.0, 9.0]), 500.0, 0.006
    tail = binom.sf(k, n, p) + binom.pmf(k, n, p) / 2
    np.testing.assert_allclose(
        rare.by_chance(Scale("rate"), k / n, np.full(3, p), np.full(3, n)), norm.isf(tail), atol=1e-6
    )
    tail = poisson.sf(k, 4.0) + poisson.pmf(k, 4.0) / 2
    np.testing.assert_allclose(
        rare.by_chance(Scale("count"), k, np.full(3, 4.0), np.full(3, np.nan)), norm.isf(tail), atol=1e-6
    )


def test_the_range_ends_where_the_distance_passes_the_limit() -> None:
    scale, expected, n = Scale("rate"), np.array([0.002]), np.array([1000.0])
    centre, own = np.log(expected / (1 - expected)), np.array([0.1])
    lower, upper = rare.bounds(scale, expected, centre, n, own, 4.0)

    def far(value: float) -> float:
        return float(rare.distance(scale, np.array([value]), expected, centre, n, own)[0])

    assert lower[0] == 0.0
    assert far(upper[0]) <= 4.0 < far(upper[0] + 0.001)
