"""From files to metrics: how steady scores are, and a spec that has nothing but a score and a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon

from jobs.methods import measures_scores
from tests.kiosk import Kiosk, day, days
from tests.unit.stages import given_tasks

if TYPE_CHECKING:
    from pathlib import Path

STAGES = ("ingest", "statistics", "metrics")


def figure(kiosk: Kiosk, metric: str, number: int, version: str = "all") -> tuple[object, ...]:
    """Value, n and reason of a whole day's figure."""
    found = kiosk.rows(
        f"SELECT value, n, reason FROM metrics WHERE metric = '{metric}' AND day = DATE '{day(number)}' "
        f"AND version = '{version}' AND segment = 'all'"
    )
    assert len(found) == 1
    return found[0]


def test_an_id_predicted_again_tells_whether_the_decision_changed_and_how_far_the_score_moved(kiosk: Kiosk) -> None:
    kiosk.changes["min_rows"] = 1
    kiosk.predict(1, ["a", "b", "c", "d"], score=[0.9, 0.8, 0.2, 0.5], decision=[1, 1, 0, 1])
    kiosk.predict(3, ["a", "b", "c", "e"], score=[0.9, 0.4, 0.3, 0.5], decision=[1, 0, 0, 1])
    kiosk.predict(4, ["a"], score=[0.7], decision=[1], model_version="v2")
    kiosk.predict(40, ["a"], score=[0.1], decision=[0])
    kiosk.run(days(1, 40), *STAGES)
    value, n, reason = figure(kiosk, "repeat_flip_rate", 3)
    assert (value, n, reason) == (pytest.approx(1 / 3), 3, None)
    assert figure(kiosk, "repeat_score_gap", 3)[0] == pytest.approx((0 + 0.4 + 0.1) / 3)
    assert figure(kiosk, "repeat_score_gap", 4, "v2")[:2] == (pytest.approx(0.2), 1)
    later = kiosk.rows(f"SELECT COUNT(*) FROM repeat_statistics WHERE day = DATE '{day(40)}'")
    assert later == [(0,)], "36 days are not within 28"


def test_the_shift_of_scores_is_told_against_the_day_before_and_against_no_other(kiosk: Kiosk) -> None:
    kiosk.changes["min_rows"] = 1
    random = np.random.default_rng(8)
    given = {number: random.beta(2, number + 1, 300).round(4) for number in (1, 2, 4)}
    for number, score in given.items():
        kiosk.predict(
            number, [f"{number}-{place}" for place in range(300)], score=score, decision=(score > 0.5).astype(int)
        )
    kiosk.run(days(1, 4), *STAGES)
    left, right = (np.bincount((given[number] * 20).astype(int), minlength=20) for number in (1, 2))
    value, n, _ = figure(kiosk, "score_shift", 2)
    assert (value, n) == (pytest.approx(jensenshannon(left, right, base=2)), 300)
    assert figure(kiosk, "score_shift", 4)[2] == "no scores the day before"


def test_the_spread_of_the_daily_mean_is_that_of_a_week(kiosk: Kiosk) -> None:
    kiosk.changes["min_rows"] = 1
    means = [0.50, 0.52, 0.47, 0.55, 0.49, 0.51, 0.50, 0.60]
    for number, mean in enumerate(means, 1):
        kiosk.predict(number, [f"{number}a", f"{number}b"], score=[mean - 0.1, mean + 0.1])
    kiosk.run(days(1, 8), *STAGES)
    assert figure(kiosk, "score_mean_spread", 7)[0] == pytest.approx(np.std(means[:7], ddof=1))
    assert figure(kiosk, "score_mean_spread", 8)[0] == pytest.approx(np.std(means[1:], ddof=1))
    assert figure(kiosk, "score_mean_spread", 3)[2] == "scores on fewer than 4 of 7 days"


def test_numbers_and_classes_have_both_figures_of_steady_scores(tmp_path: Path) -> None:
    """Scores of numbers have no range of their own: they are counted in the reference's bins, here of 40 rows."""
    rows = given_tasks.rows_of("regression")
    rows = rows.assign(said=rows["said"] + np.where(rows["number"] == 9, 12.0, 0.0))
    kiosk = given_tasks.a_kiosk(tmp_path, "regression", rows)
    kiosk.run(days(1, given_tasks.LAST), *STAGES)
    bins = kiosk.table("reference_bins").query("feature == 'score' and bin >= 0").sort_values("bin")
    edges = bins["upper"].to_numpy(dtype=float)[:-1]
    for number in (6, 9, 10):
        left, right = (
            np.bincount(np.searchsorted(edges, rows.loc[rows["number"] == one, "said"]), minlength=len(bins))
            for one in (number, number - 1)
        )
        value, n, reason = figure(kiosk, "score_shift", number)
        assert (value, n, reason) == (
            pytest.approx(jensenshannon(left, right, base=2)),
            min(left.sum(), right.sum()),
            None,
        )
        means = rows[rows["number"].between(number - 6, number)].groupby("number")["said"].mean()
        assert figure(kiosk, "score_mean_spread", number)[0] == pytest.approx(np.std(means, ddof=1))
    assert figure(kiosk, "score_shift", 1)[2] == "no scores counted the day before"
    shadows = kiosk.rows("SELECT DISTINCT metric FROM metrics WHERE version LIKE 'shadow:%' AND metric LIKE 'score_%'")
    assert ("score_mean_spread",) in shadows
    assert ("score_shift",) not in shadows


def test_a_model_of_numbers_without_reference_says_that_its_scores_were_not_counted(tmp_path: Path) -> None:
    rows = given_tasks.rows_of("regression")
    window = {"window": {"first": day(6), "last": day(8)}}
    kiosk = given_tasks.a_kiosk(tmp_path, "regression", rows, reference=window)
    kiosk.run(days(1, 5), *STAGES)
    assert figure(kiosk, "score_shift", 5)[2] == "no reference yet"
    assert figure(kiosk, "score_mean_spread", 5)[0] is not None


@pytest.mark.parametrize("scored", [True, False])
def test_classes_have_them_where_there_is_a_score(tmp_path: Path, scored: bool) -> None:
    kiosk = given_tasks.a_kiosk(tmp_path, "multiclass", given_tasks.rows_of("multiclass"))
    for number in range(1, 5):
        path = kiosk.root / "predictions" / f"{day(number)}.csv"
        given = pd.read_csv(path)
        score = np.where(np.arange(len(given)) < len(given) // 2, 0.2, 0.8 if number == 3 else 0.2)
        given.assign(score=score if scored else np.nan).to_csv(path, index=False)
    kiosk.run(days(1, 4), *STAGES)
    if not scored:
        told = kiosk.rows("SELECT COUNT(*) FROM metrics WHERE metric LIKE 'score_%' AND value IS NOT NULL")
        assert told == [(0,)]
        return
    size = len(pd.read_csv(kiosk.root / "predictions" / f"{day(3)}.csv"))
    moved = jensenshannon([1, 0], [size // 2, size - size // 2], base=2)
    assert figure(kiosk, "score_shift", 3)[0] == pytest.approx(moved), "the reference's bins are of 0.25 and 0.75"
    assert figure(kiosk, "score_shift", 2)[0] == 0
    mean = 0.2 + 0.6 * (size - size // 2) / size
    assert figure(kiosk, "score_mean_spread", 4)[0] == pytest.approx(np.std([0.2, 0.2, mean, 0.2], ddof=1))


def test_means_near_a_billion_keep_the_spread_of_thousandths() -> None:
    """Sums about 0 divided by n would be rounded to 1e-7; means are told apart from whole numbers near them."""
    near = np.array([0.001, -0.002, 0.0, 0.003, 0.001, -0.001, 0.002])
    about = 1e9 + np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    served = pd.DataFrame(
        {"day": pd.date_range("2025-01-01", periods=7), "version": "all", "segment": "all", "n_scored": 100,
         "score_about": about, "score_near_sum": 100 * (near - (about - 1e9))}
    )  # fmt: skip
    told = measures_scores.spread_of_means(served, pd.Timestamp("2025-01-07"), 30)
    assert told["value"].to_list() == [pytest.approx(np.std(near, ddof=1), rel=1e-9)]


def test_a_spec_of_a_score_and_a_label_only_gets_every_figure_of_scores(kiosk: Kiosk) -> None:
    kiosk.changes = {
        "features": {}, "segments": [], "reference": {}, "outcomes": None, "min_rows": 5,
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv"},
    }  # fmt: skip
    random = np.random.default_rng(9)
    for number in range(1, 41):
        ids, score = [f"{number}-{place}" for place in range(60)], random.random(60).round(3)
        frame = pd.DataFrame({"request_id": ids, "ts": f"{day(number)} 10:00:00", "score": score})
        kiosk.write("predictions", number, frame)
        kiosk.label(number, dict(zip(ids, (random.random(60) < score).astype(int), strict=True)))
    kiosk.run(days(1, 42), *STAGES)
    for metric in ("brier", "log_loss", "ece", "pr_auc", "score_ks", "precision_at_10", "roc_auc", "accuracy"):
        found = kiosk.rows(f"SELECT DISTINCT state FROM metrics WHERE metric = '{metric}' AND value IS NOT NULL")
        assert found == [("final",)], metric
    told = kiosk.rows(
        "SELECT state, COUNT(*) FROM metrics WHERE metric = 'accuracy_estimated' AND version = 'all' "
        f"AND value IS NOT NULL AND day > DATE '{day(32)}' GROUP BY state"
    )
    assert told == [("estimated", 8)]


def test_an_estimate_is_written_on_the_night_of_its_day_and_says_what_it_lacks(kiosk: Kiosk) -> None:
    kiosk.changes["min_rows"] = 1
    kiosk.predict(1, ["a", "b"], score=[0.9, 0.2], decision=[1, 0])
    kiosk.run(days(1, 1), *STAGES)
    value, n, reason = figure(kiosk, "accuracy_estimated", 1)
    assert (value, n) == (pytest.approx((0.905 + 0.795) / 2), 2)
    assert reason == "0 labels of age 3 known, 300 needed"
    assert figure(kiosk, "precision_estimated", 1)[0] == pytest.approx(0.905)
