"""The hotel's real year, every night, against scikit-learn and pandas that know nothing of Nightjar.

Data: Antonio, de Almeida, Nunes (2019), Data in Brief 22, CC BY 4.0.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from jobs.engine.warehouse import open_warehouse
from jobs.periods import Period
from jobs.pipeline import STAGE_NAMES, run
from jobs.spec.reading import load_spec

if TYPE_CHECKING:
    from jobs.spec.model import ModelSpec

pytestmark = pytest.mark.slow

YEAR = Period(date(2016, 5, 1), date(2017, 6, 2))
SPEC = Path(__file__).resolve().parents[2] / "dags" / "models" / "hotel_cancellation.yaml"
SCORES = {"accuracy": accuracy_score, "precision": precision_score, "recall": recall_score, "f1": f1_score}
DEFINED_BY = {"accuracy": "request_id", "precision": "predicted_label", "recall": "label", "f1": None}


def read(folder: Path) -> pd.DataFrame:
    parts = []
    for path in sorted(folder.glob("dt=*/part-0.parquet")):
        part = pd.read_parquet(path, partitioning=None)
        parts.append(part.assign(delivered=pd.Timestamp(path.parent.name[3:])))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def spec(real_data: Path) -> ModelSpec:
    return load_spec(SPEC, {"NIGHTJAR_DATA": str(real_data)})


@pytest.fixture(scope="module")
def metrics(spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    home = tmp_path_factory.mktemp("hotel")
    done = list(run(spec, YEAR, home, STAGE_NAMES[:3]))
    assert [summary.period for summary in done] == [YEAR] * 3
    with open_warehouse(home, spec.model) as warehouse:
        return warehouse.read("metrics")


@pytest.fixture(scope="module")
def bookings(real_data: Path) -> pd.DataFrame:
    """Every booking with its label and outcome and the days on which they became known."""
    hotel = real_data / "hotel"
    made = read(hotel / "predictions").drop(columns="delivered")
    labels = read(hotel / "labels")[["request_id", "label", "delivered"]].rename(columns={"delivered": "label_day"})
    outcomes = read(hotel / "outcomes")[["request_id", "converted", "revenue_eur", "delivered"]]
    made["day"] = made["ts"].dt.normalize()
    return made.merge(labels, on="request_id", how="left").merge(outcomes, on="request_id", how="left")


def ours(
    metrics: pd.DataFrame, metric: str, *, age: int | None, version: str = "all", segment: str = "all"
) -> pd.Series[Any]:
    rows = metrics[(metrics["metric"] == metric) & (metrics["version"] == version) & (metrics["segment"] == segment)]
    rows = rows[rows["label_age"] == age] if age is not None else rows[rows["label_age"].isna()]
    return rows.set_index("day")["value"].dropna()


def known(bookings: pd.DataFrame, age: int, which: str = "label_day") -> pd.DataFrame:
    """What was known of each day's bookings `age` days later, for the nights of the year."""
    day, last = bookings["day"], pd.Timestamp(YEAR.last)
    return bookings[(bookings[which] - day <= timedelta(days=age)) & (day + timedelta(days=age) <= last)]


def by_day(rows: pd.DataFrame, score: Any) -> pd.Series[Any]:
    return rows.groupby("day")[list(rows.columns)].apply(score)


def assert_agree(found: pd.Series[Any], expected: pd.Series[Any], least: int) -> None:
    expected = expected.dropna()
    assert len(expected) >= least, "the witness has too few days to prove anything"
    assert set(found.index) == set(expected.index)
    np.testing.assert_allclose(found.sort_index(), expected.sort_index(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("age", [7, 30, 90])
@pytest.mark.parametrize("metric", list(SCORES))
def test_label_metrics_agree_with_scikit_learn_at_every_age(
    metrics: pd.DataFrame, bookings: pd.DataFrame, metric: str, age: int
) -> None:
    def score(rows: pd.DataFrame) -> float:
        by = DEFINED_BY[metric]
        some = (rows["label"] | rows["predicted_label"]).any() if by is None else by == "request_id" or rows[by].any()
        return float(SCORES[metric](rows["label"], rows["predicted_label"])) if some else np.nan

    assert_agree(ours(metrics, metric, age=age), by_day(known(bookings, age), score), least=250)


@pytest.mark.parametrize("age", [7, 30, 90])
@pytest.mark.parametrize("column", ["hotel", "market_segment"])
def test_recall_by_segment_agrees_with_scikit_learn(
    metrics: pd.DataFrame, bookings: pd.DataFrame, column: str, age: int
) -> None:
    rows = known(bookings, age)
    compared = 0
    for value, part in rows.groupby(column):
        witness = by_day(
            part, lambda day: recall_score(day["label"], day["predicted_label"]) if day["label"].any() else np.nan
        )
        assert_agree(ours(metrics, "recall", age=age, segment=f"{column}={value}"), witness, least=0)
        compared += witness.notna().sum()
    assert compared > 500


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_accuracy_by_version_agrees(metrics: pd.DataFrame, bookings: pd.DataFrame, version: str) -> None:
    rows = known(bookings[bookings["model_version"] == version], 30)
    witness = by_day(rows, lambda day: accuracy_score(day["label"], day["predicted_label"]))
    assert_agree(ours(metrics, "accuracy", age=30, version=version), witness, least=150)


@pytest.mark.parametrize("age", [7, 30, 90])
def test_the_area_under_the_curve_is_exact_on_binned_scores_and_within_its_bound_on_raw_ones(
    metrics: pd.DataFrame, bookings: pd.DataFrame, age: int
) -> None:
    rows = known(bookings, age)
    both = rows.groupby("day")["label"].transform("nunique") == 2
    rows = rows[both].assign(binned=lambda frame: np.minimum(np.floor(frame["score"] * 1000), 999))
    found = ours(metrics, "roc_auc", age=age).sort_index()
    assert_agree(found, by_day(rows, lambda day: roc_auc_score(day["label"], day["binned"])), least=250)
    raw = by_day(rows, lambda day: roc_auc_score(day["label"], day["score"])).sort_index()
    counts = rows.groupby(["day", "binned"])["label"].agg(["sum", "size"])
    ties = (counts["sum"] * (counts["size"] - counts["sum"])).groupby("day").sum()
    positives = rows.groupby("day")["label"].sum()
    pairs = positives * (rows.groupby("day").size() - positives)
    assert ((found - raw).abs() <= (ties / pairs / 2).sort_index() + 1e-12).all()


@pytest.mark.parametrize("age", [7, 30, 90])
def test_conversion_and_value_agree_with_pandas(metrics: pd.DataFrame, bookings: pd.DataFrame, age: int) -> None:
    rows = known(bookings, age, "delivered").groupby("day")
    assert_agree(ours(metrics, "conversion", age=age), rows["converted"].mean(), least=300)
    assert_agree(ours(metrics, "value_per_prediction", age=age), rows["revenue_eur"].mean(), least=300)


def test_coverage_is_labelled_over_predicted(metrics: pd.DataFrame, bookings: pd.DataFrame) -> None:
    witness = known(bookings, 30).groupby("day").size() / bookings.groupby("day").size()
    assert_agree(ours(metrics, "coverage", age=30), witness, least=300)


def test_psi_agrees_with_a_calculation_by_hand(metrics: pd.DataFrame, bookings: pd.DataFrame, real_data: Path) -> None:
    """market_segment of v1: PSI = sum((a - e) ln(a / e)) over the reference's values and `unseen`, each count + 0.5."""
    reference = pd.read_parquet(real_data / "hotel" / "reference.parquet")["market_segment"].value_counts()
    rows = bookings[bookings["model_version"] == "v1"]
    found = metrics[
        (metrics["metric"] == "psi") & (metrics["feature"] == "market_segment") & (metrics["version"] == "v1")
    ]
    found = found.set_index("day")["value"].dropna()
    assert len(found) > 150
    for day, part in rows.groupby("day"):
        counts = part["market_segment"].value_counts()
        unseen = counts[~counts.index.isin(reference.index)].sum()
        actual = np.append(counts.reindex(reference.index, fill_value=0), unseen).astype(float)
        expected = np.append(reference, 0).astype(float)
        kept = (actual + expected) > 0
        a, e = ((side[kept] + 0.5) / (side[kept] + 0.5).sum() for side in (actual, expected))
        assert found[day] == pytest.approx(float(((a - e) * np.log(a / e)).sum()), abs=1e-9)


def test_the_shadow_stands_beside_the_live_version(metrics: pd.DataFrame, real_data: Path) -> None:
    shadow = read(real_data / "hotel" / "shadow")
    witness = shadow.groupby(shadow["ts"].dt.normalize()).size().astype(float)
    assert_agree(ours(metrics, "volume", age=None, version="shadow:v1"), witness, least=200)


@pytest.fixture
def fortnight(spec: ModelSpec, tmp_path: Path) -> tuple[ModelSpec, Path]:
    """A stretch over the change of versions."""
    return spec.model_copy(update={"start": date(2016, 10, 20)}), tmp_path


def test_nights_one_by_one_shuffled_and_twice_equal_one_range(fortnight: tuple[ModelSpec, Path]) -> None:
    spec, folder = fortnight
    period = Period(date(2016, 10, 20), date(2016, 12, 3))
    list(run(spec, period, folder / "range", STAGE_NAMES))
    nights = list(period)
    np.random.default_rng(3).shuffle(nights)
    for night in [*nights, *nights[:5]]:
        list(run(spec, Period.of(night), folder / "nights", STAGE_NAMES))
    for table in ("metrics", "contributions", "verdicts", "incidents", "decisions", "outbox"):
        frames = []
        for home in ("range", "nights"):
            with open_warehouse(folder / home, spec.model) as warehouse:
                frames.append(warehouse.read(table))
        assert table in ("decisions", "outbox", "incidents") or len(frames[0])
        pd.testing.assert_frame_equal(*frames, check_exact=True)
    for page in sorted((folder / "range" / "reports").rglob("*.html")):
        assert page.read_bytes() == (folder / "nights" / page.relative_to(folder / "range")).read_bytes()
