"""Where nothing is planted nothing can be found: what the nights between the stories look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from jobs.world import PERIOD, quiet_periods, stories
from jobs.world.arrivals import BOUGHT_AGES, NOT_BOUGHT_AGES

if TYPE_CHECKING:
    from tests.unit.world.conftest import Delivered

NUMERIC = (
    "browsing_minutes",
    "pages_viewed",
    "basket_value",
    "days_since_last_visit",
    "discount",
    "hour",
    "score",
)


@pytest.fixture(scope="module")
def nights() -> pd.DatetimeIndex:
    """The quiet nights."""
    return pd.DatetimeIndex([day for quiet in quiet_periods() for day in quiet])


def judged(series: pd.Series[float], nights: pd.DatetimeIndex, age: int) -> pd.Series[float]:
    """The figures that quiet nights judge: those of `age` days before."""
    return series.reindex(nights - pd.Timedelta(days=age)).loc[pd.Timestamp(PERIOD.first) :]


def test_twelve_quiet_nights_stand_before_every_story_and_sixty_days_before_the_first() -> None:
    assert len(quiet_periods()) == len(stories())
    assert min(len(quiet) for quiet in quiet_periods()) >= 12
    assert len(quiet_periods()[0]) >= 60


def test_the_scores_are_calibrated(delivered: Delivered) -> None:
    rows = delivered.labelled(7)
    rows = rows[rows["day"] < pd.Timestamp(stories()[0].first)]
    bins = rows.groupby(np.floor(rows["score"] * 10)).agg(
        score=("score", "mean"), bought=("label", "mean"), n=("label", "size")
    )
    deviation = (bins["bought"] - bins["score"]) / np.sqrt(bins["score"] * (1 - bins["score"]) / bins["n"])
    assert len(bins) == 10
    assert deviation.abs().max() < 3.5  # standard errors; ten bins


def test_the_model_is_right_in_19_of_20_cases(delivered: Delivered, nights: pd.DatetimeIndex) -> None:
    rows = delivered.labelled(7)
    rows = rows[rows["day"].isin(nights)]
    assert accuracy_score(rows["label"], rows["decision"]) == pytest.approx(0.95, abs=0.003)
    assert roc_auc_score(rows["label"], rows["score"]) > 0.97
    assert 0.20 < rows["label"].mean() < 0.25


@pytest.mark.parametrize("age", [1, 7])
def test_no_quiet_night_sees_accuracy_leave_its_noise(delivered: Delivered, nights: pd.DatetimeIndex, age: int) -> None:
    accuracy = judged(delivered.accuracy(age), nights, age)
    noise = np.sqrt(0.95 * 0.05 / (430 if age == 1 else 750))  # binomial, at the usual number of labels
    assert (accuracy - 0.95).abs().max() < 4 * noise


@pytest.mark.parametrize("column", ["customer", "country", "device"])
@pytest.mark.parametrize("age", [1, 7])
def test_no_quiet_night_sees_a_segment_with_50_labels_fall_by_a_tenth(
    delivered: Delivered, nights: pd.DatetimeIndex, column: str, age: int
) -> None:
    rows = delivered.labelled(age)
    for value, n in rows.groupby([column, "day"]).size().groupby(level=column):
        enough = n.droplevel(column) >= 50
        accuracy = judged(delivered.accuracy(age, column, value)[enough], nights, age).dropna()
        assert accuracy.empty == (value == "LU")
        assert (accuracy > 0.9 * accuracy.median()).all(), f"{column}={value}"


@pytest.mark.parametrize("feature", NUMERIC)
def test_no_quiet_day_has_drift(delivered: Delivered, nights: pd.DatetimeIndex, feature: str) -> None:
    # without drift PSI is (1/n + 1/N) chi2(9): for n = 700, N = 10,000 the 99.99 % limit is 0.051
    assert max(delivered.psi(feature, night.date()) for night in nights) < 0.051


def test_conversion_latency_and_volume_stay_in_their_noise(delivered: Delivered, nights: pd.DatetimeIndex) -> None:
    conversion = delivered.conversion().reindex(nights)
    assert (conversion - conversion.mean()).abs().max() < 4 * np.sqrt(0.225 * 0.775 / 750)
    p95 = delivered.predictions.groupby("day")["latency_ms"].quantile(0.95).reindex(nights)
    assert p95.between(105, 135).all()
    volume = delivered.predictions.groupby("day").size().reindex(nights)
    usual = volume.groupby(volume.index.day_of_week).transform("mean")
    assert ((volume - usual) / np.sqrt(usual)).abs().max() < 4  # Poisson


def test_the_week_has_a_season(delivered: Delivered) -> None:
    volume = delivered.predictions.groupby("day").size()
    by_weekday = volume.groupby(volume.index.day_of_week).mean()
    assert by_weekday.idxmax() == 5  # Saturday
    assert by_weekday.max() / by_weekday.min() > 1.15


def test_labels_come_within_a_week_and_purchases_sooner(delivered: Delivered) -> None:
    labels = delivered.labels[delivered.labels["day"] < pd.Timestamp(stories()[0].first)]
    assert labels["age"].between(0, 7).all()
    for label, shares in ((1, BOUGHT_AGES), (0, NOT_BOUGHT_AGES)):
        ages = labels.loc[labels["label"] == label, "age"]
        observed = ages.value_counts(normalize=True).sort_index()
        assert observed.to_numpy() == pytest.approx(shares, abs=4 * 0.5 / np.sqrt(len(ages)))
    assert BOUGHT_AGES[:2].sum() > NOT_BOUGHT_AGES[:2].sum()


def test_outcomes_come_on_the_day_or_the_next_and_revenue_only_with_an_order(delivered: Delivered) -> None:
    outcomes = delivered.outcomes[delivered.outcomes["day"] < pd.Timestamp(stories()[0].first)]
    assert set(outcomes["age"]) == {0, 1}
    assert ((outcomes["revenue_eur"] > 0) == (outcomes["converted"] == 1)).all()


def test_one_visitor_in_a_hundred_has_no_page_count(delivered: Delivered) -> None:
    missing = delivered.predictions.isna().mean()
    assert missing["pages_viewed"] == pytest.approx(0.01, abs=0.001)
    assert missing.drop("pages_viewed").max() == 0
