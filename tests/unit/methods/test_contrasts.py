"""Two proportions against each other, against statsmodels and published examples."""

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from jobs.methods.contrasts import katz, newcombe, pooled_z, shared_confidence

CASES = [(56, 70, 48, 80), (9, 10, 3, 10), (5, 56, 1, 29), (400, 1000, 380, 900)]


def test_newcombes_own_examples() -> None:
    """Newcombe (1998), table II, method 10: 56/70 - 48/80, and 0/10 - 0/10."""
    assert np.round(newcombe(56, 70, 48, 80), 4).tolist() == [0.0524, 0.3339]
    assert np.round(newcombe(0, 10, 0, 10), 4).tolist() == [-0.2775, 0.2775]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.995])
def test_intervals_agree_with_statsmodels(case: tuple[int, int, int, int], confidence: float) -> None:
    alpha = 1 - confidence
    expected = confint_proportions_2indep(*case, method="newcomb", compare="diff", alpha=alpha)
    np.testing.assert_allclose(newcombe(*case, confidence), expected, atol=1e-10)
    expected = confint_proportions_2indep(*case, method="log", compare="ratio", alpha=alpha)
    np.testing.assert_allclose(katz(*case, confidence), expected, rtol=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_z_agrees_with_statsmodels(case: tuple[int, int, int, int]) -> None:
    a, n, b, m = case
    assert float(pooled_z(*case)) == pytest.approx(proportions_ztest([a, b], [n, m])[0], abs=1e-12)


def test_every_comparison_may_have_its_own_confidence() -> None:
    lower, upper = newcombe([56, 56], [70, 70], [48, 48], [80, 80], [0.9, 0.99])
    for place, confidence in enumerate((0.9, 0.99)):
        np.testing.assert_allclose((lower[place], upper[place]), newcombe(56, 70, 48, 80, confidence))


def test_a_group_without_hits_still_has_a_ratio_interval() -> None:
    lower, upper = katz(0, 50, 20, 50)
    assert 0 < lower < upper < 1


def test_no_rows_say_nothing_and_equal_rows_differ_by_nothing() -> None:
    assert np.isnan([*newcombe(0, 0, 1, 2), *katz(0, 0, 1, 2), pooled_z(0, 0, 1, 2)]).all()
    assert float(pooled_z(5, 5, 9, 9)) == 0


def test_intervals_that_share_the_confidence_hold_together() -> None:
    """Three pairs of three equal groups: the widest of the shared intervals holds 0 in at least 95 % of samples."""
    random = np.random.default_rng(3)
    hits = random.binomial(60, 0.3, (4000, 3))
    level = shared_confidence([3])
    held = np.ones(len(hits), dtype=bool)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        lower, upper = newcombe(hits[:, one], 60, hits[:, other], 60, level)
        held &= (lower <= 0) & (upper >= 0)
    assert 0.95 <= held.mean() <= 0.99
