"""Estimates before labels: the calibration against scikit-learn, the figures and intervals against simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from jobs.methods import estimation, estimator
from jobs.methods.estimation import BINS, PRIOR, calibrate, expected_figures, reweighted_figures

MIDDLE = (np.arange(BINS) + 0.5) / BINS


def chance_of(score: np.ndarray) -> np.ndarray:
    """A model that is too sure of itself."""
    return 0.1 + 0.7 * score**1.5


def counted(score: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return np.bincount(np.minimum((score[kept] * BINS).astype(int), BINS - 1), minlength=BINS).astype(float)


def test_calibration_is_scikit_learns_isotonic_regression() -> None:
    random = np.random.default_rng(1)
    n = random.integers(0, 60, (40, BINS)) * (random.random((40, BINS)) < 0.6)
    hits = random.binomial(n, chance_of(MIDDLE))
    made = calibrate(hits, n)
    for night in range(40):
        weight = n[night] + PRIOR
        share = (hits[night] + PRIOR * MIDDLE) / weight
        expected = IsotonicRegression().fit_transform(np.arange(BINS), share, sample_weight=weight)
        np.testing.assert_allclose(made.chance[night], expected, atol=1e-9)


def test_figures_of_known_chances_are_scikit_learns_on_many_labels() -> None:
    random = np.random.default_rng(2)
    score = np.repeat(MIDDLE, 4000)
    decision = score > 0.55
    label = random.random(len(score)) < chance_of(score)
    maps = calibrate(chance_of(MIDDLE)[None] * 1e9, np.full((1, BINS), 1e9))
    made = expected_figures(counted(score, decision)[None], counted(score, ~decision)[None], maps, np.array([0]))
    truth = {
        "accuracy": sk.accuracy_score(label, decision),
        "precision": sk.precision_score(label, decision),
        "recall": sk.recall_score(label, decision),
        "f1": sk.f1_score(label, decision),
        "roc_auc": sk.roc_auc_score(label, score),
    }
    for name, value in truth.items():
        assert made[name].value[0] == pytest.approx(value, abs=0.004), name


def test_deviations_are_those_of_simulated_days_and_calibrations() -> None:
    """300 times: a calibration from 2,000 labels, a day of 300 predictions, and what its labels then say."""
    random = np.random.default_rng(3)
    off: dict[str, list[float]] = {name: [] for name in estimation.FIGURES}
    told: dict[str, list[float]] = {name: [] for name in estimation.FIGURES}
    for _ in range(300):
        old, score = random.beta(2, 2, 2000), random.beta(2, 2, 300)
        hits = random.random(2000) < chance_of(old)
        maps = calibrate(counted(old, hits)[None], counted(old, old >= 0)[None])
        decision, label = score > 0.5, random.random(300) < chance_of(score)
        made = expected_figures(counted(score, decision)[None], counted(score, ~decision)[None], maps, np.array([0]))
        said = {
            "accuracy": sk.accuracy_score(label, decision),
            "precision": sk.precision_score(label, decision),
            "recall": sk.recall_score(label, decision),
            "f1": sk.f1_score(label, decision),
            "roc_auc": sk.roc_auc_score(label, score),
        }
        for name, value in said.items():
            off[name].append(value - made[name].value[0])
            told[name].append(made[name].deviation[0])
    for name in estimation.FIGURES:
        assert np.std(off[name]) == pytest.approx(np.mean(told[name]), rel=0.13), name
        assert abs(np.mean(off[name])) < 0.25 * np.std(off[name]), name
        inside = np.mean(np.abs(off[name]) <= 1.96 * np.array(told[name]))
        assert 0.92 <= inside <= 0.98, name


def test_all_versions_together_are_the_sum_of_their_expected_confusions() -> None:
    random = np.random.default_rng(4)
    flagged, passed = random.integers(0, 9, (2, 2, BINS)).astype(float)
    maps = calibrate(random.integers(0, 20, (2, BINS)), np.full((2, BINS), 20))
    together = expected_figures(flagged, passed, maps, np.array([0, 0]))
    apart = expected_figures(flagged, passed, maps, np.array([0, 1]))
    n = (flagged + passed).sum(axis=1)
    assert together["accuracy"].value[0] == pytest.approx(np.average(apart["accuracy"].value, weights=n))
    assert together["precision"].value[0] == pytest.approx(
        np.average(apart["precision"].value, weights=flagged.sum(axis=1))
    )


def test_days_that_share_a_fate_widen_the_deviation() -> None:
    """Each day all chances move together by a normal with sd 0.1: the dispersion is known by algebra."""
    random = np.random.default_rng(5)
    n, days = 500, 56
    rows = np.zeros((4, 1, days, BINS))
    chance = np.full((1, BINS), 0.5)
    moved = np.clip(0.5 + 0.1 * random.normal(size=days), 0, 1)
    rows[0, 0, :, 50] = n
    rows[2, 0, :, 50] = random.binomial(n, moved)
    made = estimation.dispersion(rows, chance)["precision"][0]
    assert made == pytest.approx(np.sqrt(1 + n * 0.1**2 / 0.25), rel=0.25)
    rows[2, 0, :, 50] = random.binomial(n, 0.5, days)
    assert estimation.dispersion(rows, chance)["precision"][0] == pytest.approx(1, abs=0.25)


def test_reweighting_keeps_each_segments_record_and_takes_the_days_mix() -> None:
    """By hand: 30 rows of a segment that is right 9 times in 10, 10 of one that is right half of the time."""
    past = 1e9 * np.array([[0.45, 0.05, 0.05, 0.45], [0.25, 0.25, 0.25, 0.25]])
    made = reweighted_figures(np.array([30.0, 10]), past, np.tile(past.sum(axis=0), (2, 1)), np.array([0, 0]))
    assert made["accuracy"].value[0] == pytest.approx((30 * 0.9 + 10 * 0.5) / 40)
    assert made["precision"].value[0] == pytest.approx((13.5 + 2.5) / 20)
    assert made["accuracy"].deviation[0] == pytest.approx(np.sqrt(30 * 0.09 + 10 * 0.25) / 40, rel=1e-6)
    assert made["accuracy"].n[0] == 40


# the estimator judged by what labels said ---------------------------------------------------------------------------


def series(said: np.ndarray, deviation: float = 0.02) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One figure estimated at 0.8 on every day, and what labels said of each day."""
    days = pd.date_range("2025-01-01", periods=len(said))
    keys = {"day": days, "version": "all", "metric": "accuracy"}
    estimates = pd.DataFrame(keys | {"basis": "scores", "value": 0.8, "deviation": deviation, "n_known": 5000})
    return estimates, pd.DataFrame(keys | {"value": said})


def judged(said: np.ndarray, age: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    estimates, figures = series(said)
    known = estimator.evaluated(estimates, figures)
    made = estimator.with_interval(estimates, estimator.widening(estimates, known, age))
    return made, estimator.card(made, estimator.evaluated(made, figures), age)


def test_an_estimator_that_holds_its_intervals_is_trusted_once_it_has_proved_itself() -> None:
    made, card = judged(np.random.default_rng(6).normal(0.8, 0.02, 200), 7)
    assert (card["verdict"][:26] == "unproven").all()
    assert (card["evaluated"][:8] == [0] * 7 + [1]).all()
    assert (card["verdict"][60:] == "trusted").mean() > 0.95
    assert card["evaluated"].max() == 60
    assert made["widening"].max() < 1.4


def test_past_misses_widen_the_interval_and_only_those_known_by_then() -> None:
    said = np.where(np.arange(120) < 60, 0.8, 0.9)
    made, _ = judged(said, 7)
    assert (made["widening"][:67] == 1).all()
    # five deviations off on 9 and on 53 of the 60 days that nights 75 and 119 know
    assert made["widening"][75] == pytest.approx(np.sqrt(9 / 60 * 25))
    assert made["widening"][119] == pytest.approx(np.sqrt(53 / 60 * 25))


def test_an_estimator_that_was_off_says_so_and_with_figures() -> None:
    _, card = judged(np.where(np.arange(120) < 80, 0.8, 0.95), 7)
    night = card.iloc[110]
    assert night["verdict"] == "off"
    assert night["bias"] < -0.05
    doubt = estimator.doubts(card)
    assert doubt[110].endswith("of the last 60 estimates held what labels said later")
    assert doubt[5] == "checked against labels on 0 days so far, 20 needed"
    assert doubt[80] is None


def test_labels_of_later_days_change_no_earlier_night() -> None:
    said = np.random.default_rng(7).normal(0.8, 0.05, 150)
    whole, whole_card = judged(said, 30)
    part, part_card = judged(said[:110], 30)
    pd.testing.assert_frame_equal(whole.iloc[:110], part)
    pd.testing.assert_frame_equal(whole_card.iloc[:110], part_card)
