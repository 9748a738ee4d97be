"""Calibration and ranking of scores against scikit-learn, scipy and sorted rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp
from sklearn import metrics as sk
from statsmodels.stats.weightstats import DescrStatsW

from jobs.methods import calibration, ranking
from jobs.methods.calibration import cells_of
from jobs.methods.measures_scores import jensen_shannon

RANDOM = np.random.default_rng(11)
SCORE = RANDOM.beta(2, 3, 4000)
LABEL = (RANDOM.random(4000) < SCORE**1.3).astype(int)
FINE, COARSE = cells_of(SCORE, LABEL), cells_of(SCORE, LABEL, bins=100)


@pytest.mark.parametrize("of", [FINE, COARSE], ids=["whole days", "segments"])
def test_losses_are_exact_whatever_the_bins(of: calibration.Cells) -> None:
    assert calibration.brier(of).value[0] == pytest.approx(sk.brier_score_loss(LABEL, SCORE), abs=1e-12)
    assert calibration.log_loss(of).value[0] == pytest.approx(sk.log_loss(LABEL, SCORE), abs=1e-12)
    assert calibration.in_the_large(of).value[0] == pytest.approx(SCORE.mean() - LABEL.mean(), abs=1e-12)


@pytest.mark.parametrize(
    ("figure", "rows"),
    [
        (calibration.brier, (SCORE - LABEL) ** 2),
        (calibration.log_loss, -np.log(np.where(LABEL == 1, SCORE, 1 - SCORE))),
        (calibration.in_the_large, SCORE - LABEL),
    ],
)
def test_their_intervals_are_those_of_the_rows(figure, rows: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    made = figure(FINE)
    lower, upper = DescrStatsW(rows).zconfint_mean()
    width = upper - lower
    assert (made.lower[0], made.upper[0]) == pytest.approx((lower, upper), abs=0.01 * width)


def test_a_certain_and_wrong_score_costs_what_scikit_learn_says() -> None:
    score, label = np.array([0.0, 1.0, 0.5]), np.array([1, 0, 1])
    assert calibration.log_loss(cells_of(score, label)).value[0] == pytest.approx(sk.log_loss(label, score))


def test_a_calibrated_model_has_about_the_error_that_chance_gives() -> None:
    sizes = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        score = random.beta(2, 3, 500)
        of = cells_of(score, (random.random(500) < score).astype(int))
        sizes.append(calibration.ece(of).value[0] / calibration.chance_ece(of)[0])
    assert np.mean(sizes) == pytest.approx(1, abs=0.1)


def test_ranks_are_scikit_learns_on_the_bins_and_raw_ones_lie_within_the_bounds() -> None:
    for of, bins in ((FINE, 1000), (COARSE, 100)):
        tied = np.floor(SCORE * bins)
        assert ranking.average_precision(of).value[0] == pytest.approx(sk.average_precision_score(LABEL, tied))
        assert ranking.score_ks(of).value[0] == pytest.approx(ks_2samp(tied[LABEL == 1], tied[LABEL == 0]).statistic)
        raw = ks_2samp(SCORE[LABEL == 1], SCORE[LABEL == 0]).statistic
        assert 0 <= raw - ranking.score_ks(of).value[0] + 1e-12 <= ranking.score_ks_bound(of)[0]


@pytest.mark.parametrize("share", [0.05, 0.1, 0.37])
def test_hits_among_the_highest_scores_lie_within_what_the_cut_bin_allows(share: float) -> None:
    k = int(np.ceil(len(SCORE) * share))
    hits = LABEL[np.argsort(-SCORE)[:k]].sum()
    found, expected, least, most = (one[0] for one in ranking.hits_at_top(COARSE, share))
    assert found == k
    assert least <= hits <= most
    assert least <= expected <= most
    assert most - least < 0.05 * k
    assert ranking.precision_at_top(FINE, share).value[0] == pytest.approx(hits / k, abs=0.01)
    assert ranking.recall_at_top(FINE, share).value[0] == pytest.approx(hits / LABEL.sum(), abs=0.01)


def test_the_threshold_curve_is_that_of_the_rows() -> None:
    curve = ranking.threshold_curve(COARSE)
    for row in curve.itertuples():
        flagged = row.threshold <= SCORE
        assert row.flagged_share == pytest.approx(flagged.mean())
        assert row.recall == pytest.approx(sk.recall_score(LABEL, flagged))
        expected = sk.precision_score(LABEL, flagged) if flagged.any() else np.nan
        assert row.precision == pytest.approx(expected, nan_ok=True)
    assert len(curve) == 19


def test_the_interval_of_average_precision_holds_the_truth() -> None:
    """Boyd, Eng, Page (2013) find their logit interval close to nominal; the truth is that of 400,000 rows."""
    random = np.random.default_rng(5)
    big = random.beta(2, 3, 400_000)
    truth = sk.average_precision_score(random.random(400_000) < big, big)
    held = 0
    for _ in range(200):
        score = random.beta(2, 3, 400)
        made = ranking.average_precision(cells_of(score, (random.random(400) < score).astype(int)))
        held += made.lower[0] <= truth <= made.upper[0]
    assert held / 200 > 0.9


def test_the_shift_of_scores_is_scipys_distance() -> None:
    left, right = RANDOM.integers(0, 50, (2, 5, 20)).astype(float)
    expected = [jensenshannon(a, b, base=2) for a, b in zip(left, right, strict=True)]
    np.testing.assert_allclose(jensen_shannon(left, right), expected, atol=1e-12)


def test_labels_of_one_kind_say_what_is_missing() -> None:
    of = cells_of([0.2, 0.7], [0, 0])
    assert ranking.average_precision(of).reason[0] == "no positive labels"
    assert ranking.score_ks(of).reason[0] == "no positive labels"
    assert calibration.brier(of).reason[0] is None
