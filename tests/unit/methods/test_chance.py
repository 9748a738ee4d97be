"""How often undrifted samples pass the limits of their distances: at most 1.5 % at 1 %, from two bins to twelve.

Source of the figures: simulation, 20,000 draws of both sides with a fixed seed; one standard error is 0.07 %.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from jobs.methods import chance, distances, drift
from jobs.methods.two_bins import exact_limit

DRAWS = 20_000
MEASURED = {
    "psi": (drift.psi, drift.psi_limit),
    "js": (distances.js_distance, chance.js_null_limit),
    "hellinger": (distances.hellinger, chance.hellinger_null_limit),
    "chi2": (distances.chi_square, chance.chi2_null_limit),
}
SHAPES = {f"two values, the rarer {share:g}": [1 - share, share] for share in (0.002, 0.005, 0.01, 0.02, 0.1, 0.5)}
SHAPES |= {f"{bins} even bins": [1 / bins] * bins for bins in (3, 5, 12)}
SHAPES |= {
    f"{bins} bins, all but one {share:g}": [1 - share * (bins - 1)] + [share] * (bins - 1)
    for bins in (3, 5, 12)
    for share in (0.003, 0.012, 0.03)
}


@pytest.mark.parametrize("n", [50, 200, 1000, 5000])
@pytest.mark.parametrize("shape", SHAPES)
def test_undrifted_samples_of_two_to_twelve_bins_pass_no_limit_in_more_than_1_5_percent(shape: str, n: int) -> None:
    for reference_n in (500, 10_000):
        random = np.random.default_rng([n, reference_n])
        e, a = (random.multinomial(rows, SHAPES[shape], DRAWS) for rows in (reference_n, n))
        pairs, times = np.unique(np.hstack([e, a]), axis=0, return_counts=True)  # few bins, few different draws
        before, after = pairs[:, : e.shape[1]], pairs[:, e.shape[1] :]
        alpha = np.full(len(pairs), 0.01)
        for name, (distance, limit) in MEASURED.items():
            passed = (distance(before, after) > limit(before, after, alpha)) @ times / DRAWS
            assert passed <= 0.015, (name, reference_n)


def test_the_exact_limit_of_two_bins_is_fishers() -> None:
    """Of 12 rare rows in 1,050: what lies beyond the limit has no more than 1 % by scipy's hypergeometric law."""
    before, after = np.array([[990, 10]]), np.array([[48, 2]])
    limit = exact_limit(distances.chi_square, before, after, 0.01)[0]
    drawn = np.arange(13)
    law = stats.hypergeom(1050, 12, 50).pmf(drawn)
    tables = np.stack([1000 - 12 + drawn, 12 - drawn], axis=-1), np.stack([50 - drawn, drawn], axis=-1)
    statistic = distances.chi_square(*tables)
    assert law[statistic > limit].sum() <= 0.01
    step = statistic[statistic > limit].min()
    assert law[statistic >= 0.999 * limit].sum() > 0.01  # and with the step itself it would be more
    assert step > limit


def test_limits_of_two_bins_do_not_care_for_empty_bins_beside_them() -> None:
    for distance, limit in MEASURED.values():
        padded = limit([[0, 9900, 0, 100]], [[0, 190, 0, 10]], [0.01])
        assert padded == pytest.approx(limit([[9900, 100]], [[190, 10]], [0.01]), rel=1e-12)
        assert distance([9900, 100], [190, 10]) > padded[0]


def test_a_real_change_of_a_rare_value_passes_every_limit() -> None:
    """1 % become 8 % of 200 rows."""
    for distance, limit in MEASURED.values():
        assert distance([9900, 100], [184, 16]) > limit([[9900, 100]], [[184, 16]], [0.001])[0]
