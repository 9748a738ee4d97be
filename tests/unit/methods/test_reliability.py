"""The reliability curve against scikit-learn, and that a range of nights counts what single nights count."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve

from jobs.methods.reliability import WINDOW_DAYS, reliability

FIRST, DAYS, AGE = date(2025, 1, 1), 60, 7
NIGHTS = [FIRST + timedelta(days=k) for k in range(40, 60)]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    random = np.random.default_rng(3)
    score = random.beta(2, 3, 6000)
    day = pd.Timestamp(FIRST) + pd.to_timedelta(random.integers(0, DAYS, 6000), unit="D")
    return pd.DataFrame({"day": day, "score": score, "label": (random.random(6000) < score**1.3).astype(int)})


@pytest.fixture(scope="module")
def daily(rows: pd.DataFrame) -> pd.DataFrame:
    counted = rows.assign(
        bin=(rows["score"] * 10).astype(int), score_nanos=(rows["score"] * 1e9).round().astype("int64")
    )
    return counted.groupby(["day", "bin"], as_index=False).agg(
        n=("label", "size"), n_positive=("label", "sum"), score_nanos=("score_nanos", "sum")
    )


def test_it_is_the_curve_of_scikit_learn(rows: pd.DataFrame, daily: pd.DataFrame) -> None:
    night = NIGHTS[-1]
    last = pd.Timestamp(night - timedelta(days=AGE))
    window = rows[(rows["day"] <= last) & (rows["day"] > last - pd.Timedelta(days=WINDOW_DAYS))]
    rate, score = calibration_curve(window["label"], window["score"], n_bins=10, strategy="uniform")
    found = reliability(daily, [night], AGE)
    assert found["n"].sum() == len(window)
    np.testing.assert_allclose(found["rate"], rate, rtol=1e-12)
    np.testing.assert_allclose(found["score"], score, rtol=1e-8)


def test_one_night_and_a_range_count_the_same_to_the_last_digit(daily: pd.DataFrame) -> None:
    whole = reliability(daily, NIGHTS, AGE)
    single = pd.concat([reliability(daily.sample(frac=1, random_state=1), [night], AGE) for night in NIGHTS])
    pd.testing.assert_frame_equal(whole, single.reset_index(drop=True), check_exact=True)


def test_without_labels_there_is_no_curve(daily: pd.DataFrame) -> None:
    assert reliability(daily.head(0), NIGHTS, AGE).empty
    assert reliability(daily, [FIRST], AGE).empty
