"""Scores that are no probabilities: counted and told, and no figure of scores is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from pathlib import Path

N = 200
WILD = [-3.0, 1.5, 1e300, np.inf, -np.inf, 42.0]


def figures(kiosk: Kiosk, number: int, version: str = "all") -> pd.DataFrame:
    metrics = kiosk.table("metrics")
    told = metrics[(metrics["day"] == pd.Timestamp(day(number))) & (metrics["segment"] == "all")]
    return told[told["version"] == version].set_index("metric")


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory) -> tuple[Kiosk, np.ndarray, np.ndarray]:
    """Day 1: six wild scores among 200. Day 2: log-odds only. Day 3: a hair beyond 0 and 1."""
    kiosk, random = Kiosk(tmp_path_factory.mktemp("wild")), np.random.default_rng(3)
    kiosk.changes = {
        "outcomes": None,
        "labels": {"path": f"{kiosk.root}/labels/{{day}}.csv", "ages": [0]},
        "rules": [{"metric": "psi", "above": 50.0}, {"metric": "accuracy", "below": 0.1}],
    }
    kiosk.reference()
    score, label = random.random(N).round(3), (random.random(N) < 0.5).astype(int)
    score[: len(WILD)] = WILD
    day_scores = {1: score, 2: random.normal(-9, 1, N), 3: np.where(label == 1, 1 + 1e-9, -1e-9)}
    for number, scores in day_scores.items():
        ids = [f"{number}-{row}" for row in range(N)]
        kiosk.predict(number, ids, score=scores, decision=label)
        kiosk.label(number, dict(zip(ids, label, strict=True)))
    kiosk.run(days(1, 3), *STAGE_NAMES)
    return kiosk, score, label


def test_wild_scores_are_counted_and_a_rule_tells_them(wild: tuple[Kiosk, np.ndarray, np.ndarray]) -> None:
    kiosk, _, _ = wild
    told = figures(kiosk, 1).loc["improper_score_rate"]
    assert (told["value"], told["n"]) == (pytest.approx(len(WILD) / N), N)
    assert figures(kiosk, 2).loc["improper_score_rate", "value"] == 1.0
    verdicts = kiosk.table("verdicts").query("metric == 'improper_score_rate'").sort_values("night")
    assert verdicts["verdict"].tolist() == ["breach", "breach", "ok"]
    assert "scores that are no probability 3.0 % is above 0.1 %" in verdicts["reason"].iloc[0]


def test_figures_of_scores_are_scikit_learns_on_the_proper_ones(wild: tuple[Kiosk, np.ndarray, np.ndarray]) -> None:
    kiosk, score, label = wild
    proper, told = (score >= 0) & (score <= 1), figures(kiosk, 1)
    truth, given = label[proper], score[proper]
    expected = {
        "brier": sk.brier_score_loss(truth, given), "log_loss": sk.log_loss(truth, given), "score_mean": given.mean(),
    }  # fmt: skip
    for metric, value in expected.items():
        assert told.loc[metric, "value"] == pytest.approx(value, abs=1e-8)
        assert told.loc[metric, "lower"] < value < told.loc[metric, "upper"]
        assert told.loc[metric, "n"] == proper.sum()
    assert told.loc["roc_auc", "value"] == pytest.approx(sk.roc_auc_score(truth, given), abs=0.01)


def test_decisions_count_whatever_the_score(wild: tuple[Kiosk, np.ndarray, np.ndarray]) -> None:
    kiosk, _, _ = wild
    for number in (1, 2, 3):
        assert figures(kiosk, number).loc["accuracy", ["value", "n"]].tolist() == [1.0, N]


def test_a_day_of_log_odds_says_why_there_is_no_brier_score(wild: tuple[Kiosk, np.ndarray, np.ndarray]) -> None:
    kiosk, _, _ = wild
    told = figures(kiosk, 2)
    for metric in ("brier", "ece", "roc_auc", "pr_auc"):
        assert np.isnan(told.loc[metric, "value"])
        assert told.loc[metric, "reason"] == "no labelled prediction has a score between 0 and 1"


def test_a_rounding_error_beyond_0_or_1_is_none(wild: tuple[Kiosk, np.ndarray, np.ndarray]) -> None:
    kiosk, _, _ = wild
    told = figures(kiosk, 3)
    assert told.loc["improper_score_rate", "value"] == 0.0
    assert told.loc[["brier", "log_loss"], "value"].tolist() == pytest.approx([0.0, 0.0], abs=1e-8)


def test_a_predicted_number_is_no_probability_and_nobody_asks_it_to_be(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path)
    columns = {"columns": {"version": "model_version"}}
    kiosk.changes = {
        "task": "regression", "outcomes": None, "labels": None,
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv"} | columns,
    }  # fmt: skip
    kiosk.reference(score=np.arange(40) + 100.0)
    kiosk.predict(1, [str(row) for row in range(60)], score=120.0)
    kiosk.run(days(1, 1), "ingest", "statistics", "metrics")
    told = figures(kiosk, 1)
    assert told.loc["score_mean", "value"] == 120.0
    assert "improper_score_rate" not in told.index
