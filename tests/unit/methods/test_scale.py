"""The scales that metrics are judged on."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from jobs.methods import scale
from jobs.methods.definitions import DEFINITIONS
from jobs.methods.intervals import mean_interval
from jobs.methods.scale import Scale
from jobs.spec.named import MetricName

NONE = np.array([np.nan])


def test_every_metric_a_rule_may_name_has_a_scale() -> None:
    assert set(get_args(MetricName)) == set(scale.KINDS)
    assert set(scale.KINDS) <= {definition.name for definition in DEFINITIONS}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("rate", [0.02, 0.5, 0.97]),
        ("count", [0.0, 12.0, 80_000.0]),
        ("latency", [0.5, 120.0, 9_000.0]),
        ("psi", [0.0, 0.2, 4.8]),
        ("amount", [-35.0, 0.0, 1e6]),
        ("level", [-1.0, 0.0, 0.3]),
    ],
)
def test_a_value_comes_back_from_its_scale(kind: scale.Kind, values: list[float]) -> None:
    given, endless = np.array(values), np.full(3, np.inf)
    there = scale.forward(Scale(kind, 10.0), given, endless)
    assert np.isfinite(there).all()
    assert (np.diff(there) > 0).all()
    assert scale.backward(Scale(kind, 10.0), there) == pytest.approx(given, rel=1e-9, abs=1e-9)


def test_twelve_right_answers_of_twelve_are_less_sure_than_a_thousand_of_a_thousand() -> None:
    few, many = scale.forward(Scale("rate"), np.array([1.0, 1.0]), np.array([12.0, 1000.0]))
    assert np.isfinite([few, many]).all()
    assert few < many


def test_a_range_never_leaves_the_bounds_of_its_metric() -> None:
    far = np.array([-1e4, 1e4])
    assert scale.backward(Scale("rate"), far) == pytest.approx([0.0, 1.0], abs=1e-300)
    assert scale.backward(Scale("count"), far)[0] == 0.0
    assert scale.backward(Scale("psi"), far)[0] == 0.0
    assert np.isfinite(scale.backward(Scale("latency"), far)).all()


def test_sampling_error_of_a_rate_is_that_of_simulated_counts() -> None:
    """Source: 200,000 binomial draws; the delta method is within 3 % at n = 400, p = 0.9."""
    rng = np.random.default_rng(1)
    drawn = rng.binomial(400, 0.9, 200_000) / 400
    spread = scale.forward(Scale("rate"), drawn, np.full(drawn.shape, 400.0)).std()
    told = scale.sampling_variance(Scale("rate"), np.array([0.9]), np.array([400.0]), NONE)[0] ** 0.5
    assert told == pytest.approx(spread, rel=0.03)


def test_sampling_error_of_a_psi_is_that_of_simulated_counts() -> None:
    """Source: 20,000 multinomial days of 2,000 rows over 12 bins, half of them 1.5 times as full as the others."""
    rng = np.random.default_rng(2)
    share = np.r_[np.full(6, 1.0), np.full(6, 1.5)] / 15
    drawn = rng.multinomial(2000, share, 20_000) / 2000
    psi = ((drawn - 1 / 12) * np.log(drawn * 12)).sum(axis=1)
    true = float(((share - 1 / 12) * np.log(share * 12)).sum())
    spread = scale.forward(Scale("psi"), psi, np.full(psi.shape, 2000.0)).std()
    told = scale.sampling_variance(Scale("psi"), np.array([true]), np.array([2000.0]), NONE)[0] ** 0.5
    assert told == pytest.approx(spread, rel=0.15)


def test_standard_error_is_read_back_from_the_stored_interval() -> None:
    values = np.array([3.0, 4.0, 8.0, 9.0])
    lower, upper = mean_interval(4, values.sum(), (values**2).sum())
    told = scale.standard_error("score_mean", np.array([lower]), np.array([upper]))
    assert told == pytest.approx([values.std(ddof=1) / 2])


def test_half_of_the_residuals_may_be_outliers_without_widening_the_range() -> None:
    rng = np.random.default_rng(3)
    good = rng.normal(size=1000)
    spoilt = np.r_[good, rng.normal(50, 1, 400)]
    assert scale.spread_about(good) == pytest.approx(1.0, rel=0.1)
    assert scale.spread_about(spoilt) < 2.0


def test_a_biweight_of_few_residuals_is_as_sure_as_the_classical_spread_of_nine_tenths_of_them() -> None:
    """Relative variance of a spread estimate is 1 / (2 x worth); Lax 1985 has efficiencies of 86 to 92 % at 20."""
    rng = np.random.default_rng(4)
    for count in (14, 28, 60):
        told = np.array([scale.biweight(rng.normal(0, 2, count)) for _ in range(4000)])
        assert told.mean() == pytest.approx(2, rel=0.02)
        assert 1 / (2 * np.var(told / told.mean())) == pytest.approx(scale.SURE * count, rel=0.08)


def test_a_biweight_by_hand() -> None:
    """Four residuals of one median deviation and a wild one: u^2 is 1/81, so 4.4721 x (80/81)^2 / (4 x 80/81 x 76/81)."""
    told = scale.biweight(np.array([-1.0, 1.0, -1.0, 1.0, 50.0]))
    assert told == pytest.approx(np.sqrt(20) * (80 / 81) ** 2 / (4 * (80 / 81) * (76 / 81)))


def test_past_faults_do_not_widen_a_biweight() -> None:
    good = np.random.default_rng(5).normal(0, 1, 160)
    assert scale.biweight(np.r_[good, np.full(20, 30.0)]) == pytest.approx(scale.biweight(good), rel=0.15)
    assert scale.biweight(np.zeros(20)) == 0
