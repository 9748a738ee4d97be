"""Two versions on the same rows: statsmodels' McNemar, scikit-learn's AUC, DeLong pair by pair."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from jobs.methods.paired import auc_differences, mcnemar, paired_difference


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 9), (12, 12), (3, 17), (240, 300), (1500, 1400)])
def test_mcnemar_agrees_with_statsmodels(b: int, c: int) -> None:
    expected = statsmodels_mcnemar([[50, b], [c, 20]], exact=True).pvalue if b + c else 1.0
    assert float(mcnemar(b, c)) == pytest.approx(expected, abs=1e-12)


def test_bonett_and_prices_interval_holds_the_true_difference() -> None:
    """Their claim: near 95 % for small samples too. True difference 0.15 - 0.05."""
    random = np.random.default_rng(2)
    for n in (30, 200):
        b, c, _ = random.multinomial(n, [0.15, 0.05, 0.8], 20000).T
        lower, upper = paired_difference(b, c, n)
        assert 0.94 <= ((lower <= 0.1) & (upper >= 0.1)).mean() <= 0.985


def test_no_rows_have_no_interval() -> None:
    assert np.isnan(paired_difference(0, 0, 0)).all()


def delong(label: np.ndarray, one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Difference and variance by the definition: every positive against every negative, structural components."""
    components = []
    for score in (one, other):
        p, q = score[label == 1][:, None], score[label == 0][None, :]
        wins = (p > q) + 0.5 * (p == q)
        components.append((wins.mean(axis=1), wins.mean(axis=0), wins.mean()))
    v10 = np.cov(components[0][0], components[1][0])
    v01 = np.cov(components[0][1], components[1][1])
    covariance = v10 / (label == 1).sum() + v01 / (label == 0).sum()
    return components[1][2] - components[0][2], covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]


def test_joint_bins_give_the_aucs_and_delongs_variance_of_the_rows() -> None:
    random = np.random.default_rng(7)
    rows = pd.DataFrame({"day": random.integers(0, 3, 600), "label": random.integers(0, 2, 600)})
    rows["score_bin"] = 10 * np.clip(random.normal(45 + 12 * rows["label"], 20), 0, 99).astype(int)
    rows["other_score_bin"] = 10 * np.clip(random.normal(40, 15) + 0.4 * rows["score_bin"] / 10, 0, 99).astype(int)
    counted = rows.assign(n_positive=rows["label"], n_negative=1 - rows["label"])
    counted = counted.groupby(["day", "score_bin", "other_score_bin"])[["n_positive", "n_negative"]].sum().reset_index()
    made = auc_differences(counted, ["day"]).set_index("day")
    for day, part in rows.groupby("day"):
        label, one, other = (part[name].to_numpy() for name in ("label", "score_bin", "other_score_bin"))
        assert made.loc[day, "auc"] == pytest.approx(roc_auc_score(label, one), abs=1e-12)
        assert made.loc[day, "other_auc"] == pytest.approx(roc_auc_score(label, other), abs=1e-12)
        assert made.loc[day, ["difference", "variance"]].tolist() == pytest.approx(delong(label, one, other), abs=1e-12)


def test_a_class_of_one_has_no_variance_and_a_lone_class_no_auc() -> None:
    counts = pd.DataFrame(
        {
            "day": [1, 1, 1, 2],
            "score_bin": [10, 500, 700, 10],
            "other_score_bin": [20, 500, 300, 10],
            "n_positive": [0, 0, 1, 4],
            "n_negative": [1, 1, 0, 0],
        }
    )
    made = auc_differences(counts, ["day"])
    assert made["difference"].iloc[0] == -0.5
    assert np.isnan(made["variance"]).all()
    assert np.isnan(made["auc"].iloc[1])
