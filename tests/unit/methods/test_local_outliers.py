"""The local outlier factor, beside scikit-learn's, which is what it must answer."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor

from jobs.methods.local_outliers import Crowd


@pytest.mark.parametrize(("nights", "series"), [(60, 5), (90, 30), (365, 51)])
def test_factors_are_those_of_scikit_learn(nights: int, series: int) -> None:
    draw = np.random.default_rng(nights)
    points, tonight = draw.normal(size=(nights, series)), draw.normal(size=(3, series)) * [[1], [2], [6]]
    known = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(points)
    crowd = Crowd.of(points, 20)
    assert crowd.factors == pytest.approx(-known.negative_outlier_factor_, rel=1e-9)
    assert crowd.factors_of(tonight) == pytest.approx(-known.score_samples(tonight), rel=1e-9)


def test_a_point_among_equal_ones_is_like_them() -> None:
    crowd = Crowd.of(np.zeros((30, 4)), 5)
    assert crowd.factors.tolist() == [1.0] * 30
    assert crowd.factors_of(np.zeros((1, 4))).tolist() == [1.0]


def test_a_point_far_from_all_stands_out() -> None:
    points = np.random.default_rng(1).normal(size=(100, 6))
    assert Crowd.of(points, 20).factors_of(np.full((1, 6), 9.0))[0] > 3
