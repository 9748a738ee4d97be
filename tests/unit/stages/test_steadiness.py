"""From files to metrics: how steady scores are, and a spec that has nothing but a score and a label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon

from tests.kiosk import Kiosk, day, days

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
