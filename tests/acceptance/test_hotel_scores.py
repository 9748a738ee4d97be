"""The hotel's real year: scores against scikit-learn every day, and estimates against what labels said 90 days later.

Data: Antonio, de Almeida, Nunes (2019), Data in Brief 22, CC BY 4.0.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss

from jobs.engine.warehouse import open_warehouse
from jobs.periods import Period
from jobs.pipeline import STAGE_NAMES, run
from jobs.spec.reading import load_spec

pytestmark = pytest.mark.slow

YEAR = Period(date(2016, 5, 1), date(2017, 6, 2))
SPEC = Path(__file__).resolve().parents[2] / "dags" / "models" / "hotel_cancellation.yaml"


@pytest.fixture(scope="module")
def written(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    spec, home = load_spec(SPEC, {"NIGHTJAR_DATA": str(real_data)}), tmp_path_factory.mktemp("hotel")
    list(run(spec, YEAR, home, STAGE_NAMES[:3]))
    with open_warehouse(home, spec.model) as warehouse:
        return {name: warehouse.read(name) for name in ("metrics", "estimates", "estimator_card", "reliability")}


@pytest.fixture(scope="module")
def bookings(real_data: Path) -> pd.DataFrame:
    def read(folder: str) -> pd.DataFrame:
        paths = sorted((real_data / "hotel" / folder).glob("dt=*/part-0.parquet"))
        parts = [pd.read_parquet(path, partitioning=None).assign(delivered=path.parent.name[3:]) for path in paths]
        return pd.concat(parts, ignore_index=True).assign(delivered=lambda rows: pd.to_datetime(rows["delivered"]))

    labels = read("labels")[["request_id", "label", "delivered"]].rename(columns={"delivered": "known"})
    rows = read("predictions").drop(columns="delivered").merge(labels, on="request_id")
    return rows.assign(day=rows["ts"].dt.normalize())


def series(written: dict[str, pd.DataFrame], metric: str, age: int, segment: str) -> pd.Series[float]:
    rows = written["metrics"]
    rows = rows[(rows["metric"] == metric) & (rows["label_age"] == age) & (rows["version"] == "all")]
    return rows[rows["segment"] == segment].set_index("day")["value"].dropna().sort_index()


@pytest.mark.parametrize("age", [7, 90])
@pytest.mark.parametrize("segment", ["all", "market_segment=Online TA"])
def test_losses_agree_with_scikit_learn_on_every_day(
    written: dict[str, pd.DataFrame], bookings: pd.DataFrame, age: int, segment: str
) -> None:
    known = bookings[bookings["known"] - bookings["day"] <= timedelta(days=age)]
    known = known[known["day"] + timedelta(days=age) <= pd.Timestamp(YEAR.last)]
    if segment != "all":
        known = known[known["market_segment"] == segment.split("=")[1]]
    days = known.groupby("day")[["label", "score"]]
    brier = days.apply(lambda rows: brier_score_loss(rows["label"], rows["score"]))
    loss = days.apply(lambda rows: log_loss(rows["label"], rows["score"], labels=[0, 1]))
    assert len(brier) > 250
    for metric, witness in (("brier", brier), ("log_loss", loss)):
        found = series(written, metric, age, segment)
        assert list(found.index) == list(witness.index)
        np.testing.assert_allclose(found, witness, rtol=0, atol=1e-9)


def test_average_precision_agrees_with_scikit_learn_on_binned_scores(
    written: dict[str, pd.DataFrame], bookings: pd.DataFrame
) -> None:
    last = bookings["day"] + timedelta(days=90) <= pd.Timestamp(YEAR.last)
    known = bookings[last & bookings.groupby("day")["label"].transform("any")]
    known = known[known["known"] - known["day"] <= timedelta(days=90)].assign(
        tied=lambda rows: np.floor(rows["score"] * 1000)
    )
    witness = known.groupby("day")[["label", "tied"]].apply(
        lambda rows: average_precision_score(rows["label"], rows["tied"])
    )
    np.testing.assert_allclose(series(written, "pr_auc", 90, "all"), witness, rtol=0, atol=1e-9)


def said_later(written: dict[str, pd.DataFrame], metric: str) -> pd.DataFrame:
    """Whole-day estimates that had a calibration, with what labels said at age 90."""
    rows = written["metrics"]
    final = rows[(rows["label_age"] == 90) & (rows["segment"] == "all") & (rows["state"] == "final")]
    made = written["estimates"]
    made = made[(made["segment"] == "all") & (made["basis"] == "scores") & (made["metric"] == metric)]
    both = made.merge(
        final[["day", "version", "metric", "value"]], on=["day", "version", "metric"], suffixes=("", "_said")
    )
    both = both[(both["version"] == "all") & (both["n_known"] >= 300)]
    return both.assign(inside=both["value_said"].between(both["lower"], both["upper"]))


def test_estimates_of_accuracy_hold_what_labels_said_90_days_later(written: dict[str, pd.DataFrame]) -> None:
    """The figures of docs/metrics.md."""
    both = said_later(written, "accuracy")
    off = both["value"] - both["value_said"]
    assert len(both) > 100
    assert abs(off.mean()) < 0.02
    assert off.abs().mean() < 0.7 * both["value_said"].std(), "it tells good days from bad ones"
    assert both["inside"].mean() > 0.9


def test_no_night_shows_an_estimate_as_proven_before_labels_have_proved_it(written: dict[str, pd.DataFrame]) -> None:
    rows, card = written["metrics"], written["estimator_card"]
    shown = rows[(rows["state"] == "estimated") & (rows["segment"] == "all")]
    assert len(shown) > 100
    assert shown["day"].min() >= pd.Timestamp(YEAR.first) + timedelta(days=90 + 90 + 20 - 1)
    direct = shown[shown["feature"] == ""].assign(metric=lambda some: some["metric"].str.removesuffix("_estimated"))
    judged = direct.merge(card[card["basis"] == "scores"], on=["day", "version", "metric"])
    assert len(judged) == len(direct)
    assert (judged["verdict"] == "trusted").all()


def test_a_version_without_mature_labels_says_so(written: dict[str, pd.DataFrame]) -> None:
    rows = written["metrics"]
    fresh = rows[(rows["version"] == "v2") & (rows["metric"] == "accuracy_estimated") & (rows["segment"] == "all")]
    first = fresh[fresh["day"] < pd.Timestamp(2017, 1, 29)].dropna(subset="value")
    assert len(first) > 60
    assert (first["state"] == "not_evaluated").all()
    assert first["reason"].str.contains("labels of age 90 known, 300 needed|needed$").all()
