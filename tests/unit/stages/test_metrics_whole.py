"""The metrics stage on twelve simulated days: scikit-learn's figures, equal sums, and one night as good as all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.methods.drift import reference_profile
from tests.unit.stages.given_statistics import LABELS, OUTCOMES, day, deliver, night, spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.spec import ModelSpec


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path, "shop", wait=5) as opened:
        yield opened


DAYS, COUNTRIES = 12, ("DE", "FR", "US")


def simulated(seed: int) -> pd.DataFrame:
    """Rows of twelve days, day 5 without any: score, decision, label with its age, country, version."""
    random = np.random.default_rng(seed)
    n = 900
    score = random.beta(2, 3, n)
    rows = pd.DataFrame(
        {
            "day": random.choice([number for number in range(1, DAYS + 1) if number != 5], n),
            "score": score,
            "decision": (score > 0.45).astype(int),
            "label": (random.random(n) < score).astype(int),
            "label_age": random.choice([0, 1, 2, 3, 5, 7, 9, 40], n),
            "country": random.choice(COUNTRIES, n, p=[0.6, 0.3, 0.1]),
            "version": random.choice(["v1", "v2"], n),
            "converted": random.integers(0, 2, n),
            "value": random.integers(0, 1000, n) / 8,
            "bin": random.integers(-2, 8, n),
            "latency": random.integers(100, 300, n),
        }
    )
    # a value that is there on some days only: nights without it must know its record as those with it do
    rows.loc[(rows["country"] == "US") & (rows["day"] % 3 > 0), "country"] = "FR"
    rows["segment"] = "country=" + rows["country"]
    rows["score_bin"] = np.floor(rows["score"] * 1000).astype(int)
    return rows


def in_all_groups(rows: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Each row once under every value of the keys that it counts for: its own and `all`."""
    for key in keys:
        rows = pd.concat([rows, rows.assign(**{key: "all"})])
    return rows


def count(warehouse: Warehouse, rows: pd.DataFrame) -> None:
    """The rows' statistics, counted with pandas and written as the statistics stage would."""
    rows = rows.assign(
        known_day=[day(number + age) for number, age in zip(rows["day"], rows["label_age"], strict=True)],
        day=[day(number) for number in rows["day"]],
        score_square=rows["score"] ** 2,
        value_square=rows["value"] ** 2,
        log_loss=-np.log(np.where(rows["label"] == 1, rows["score"], 1 - rows["score"])),
    )
    full = in_all_groups(rows, "version", "segment")
    sums = {"score_sum": ("score", "sum"), "score_square_sum": ("score_square", "sum")}
    values = {"value_sum": ("value", "sum"), "value_square_sum": ("value_square", "sum")}
    loss = {"log_loss_sum": ("log_loss", "sum")}
    size = {"n": ("score", "size")}
    decided = {"n_decided": ("score", "size"), "n_positive": ("decision", "sum")}

    def write(table: str, source: pd.DataFrame, keys: list[str], **aggregates: tuple[str, str]) -> None:
        warehouse.insert(table, source.groupby(keys).agg(**aggregates).reset_index())

    group, triangle = ["day", "version", "segment"], ["day", "known_day", "label_age", "version", "segment"]
    full["improper"] = 0
    scored = {"n_scored": ("score", "size"), "n_improper": ("improper", "sum")}
    write("prediction_statistics", full, group, **size, **scored, **decided, **sums)
    write("label_statistics", full, [*triangle, "score_bin", "decision", "label"], **size, **sums, **loss)
    tens = full.assign(score_bin=full["score_bin"] // 10 * 10)
    write("score_statistics", tens, [*group, "score_bin", "decision"], **size, score_sum=("score", "sum"))
    valued = {"n_unvalued": ("improper", "sum")}
    write("outcome_statistics", full, triangle, **size, n_converted=("converted", "sum"), **valued, **values)
    pooled = in_all_groups(rows, "version")
    write("feature_statistics", pooled.assign(feature="x"), ["day", "version", "feature", "bin"], **size, **values)
    write("latency_statistics", pooled.assign(bin=pooled["latency"]), ["day", "version", "bin"], **size)


@pytest.fixture
def world(warehouse: Warehouse) -> tuple[Warehouse, ModelSpec, pd.DataFrame]:
    rows = simulated(1)
    count(warehouse, rows)
    deliver(warehouse, *(number for number in range(1, 21) if number != 5))
    deliver(warehouse, 5, status="missing")
    reference = pd.DataFrame({"x": np.random.default_rng(2).normal(size=2000)})
    warehouse.insert("reference_bins", reference_profile(reference, {"x": "numeric"}, 8, 5, "all"))
    spec = spec_of(labels=LABELS, outcomes=OUTCOMES, features={"x": "numeric"}, segments=["country"])
    return warehouse, spec, rows


def written_by(world: tuple[Warehouse, ModelSpec, pd.DataFrame], nights: list[tuple[int, int]]) -> list[pd.DataFrame]:
    """What is there after these runs, from a stage that has never run before."""
    warehouse, spec, _ = world
    warehouse.reopen("metrics", None)
    for first, last in nights:
        night(warehouse, spec, first, last)
    return [warehouse.read("metrics"), warehouse.read("contributions")]


def beside(world: tuple[Warehouse, ModelSpec, pd.DataFrame]) -> list[pd.DataFrame]:
    """What the last run left in the tables beside metrics."""
    return [world[0].read(table) for table in ("reliability", "threshold_curve", "estimates", "estimator_card")]


def test_night_by_night_again_and_in_any_order_equals_the_whole_range(
    world: tuple[Warehouse, ModelSpec, pd.DataFrame],
) -> None:
    whole = written_by(world, [(1, 20)])
    assert len(whole[0]) > 1000
    assert len(whole[1]) > 300
    curves = beside(world)
    assert min(len(table) for table in curves) > 100
    each = [(number, number) for number in range(1, 21)]
    again = [each[place] for place in np.random.default_rng(3).permutation(20)]
    for nights in (each, each + again, [(1, 3), (4, 4), (5, 17), (9, 20)]):
        for expected, got in zip(whole, written_by(world, nights), strict=True):
            pd.testing.assert_frame_equal(expected, got, check_exact=True)
        for expected, got in zip(curves, beside(world), strict=True):
            pd.testing.assert_frame_equal(expected, got, check_exact=True)


def test_figures_of_every_version_and_segment_are_scikit_learns(
    world: tuple[Warehouse, ModelSpec, pd.DataFrame],
) -> None:
    written, _ = written_by(world, [(1, 20)])
    rows = in_all_groups(world[2], "version", "segment")
    group = ["day", "version", "segment"]
    truth = pd.concat(
        [
            rows[rows["label_age"] <= age].groupby(group).apply(scikit_learn_says).reset_index()
            .melt(group, var_name="metric", value_name="true").dropna().assign(label_age=age)
            for age in LABELS["ages"]
        ]
    )  # fmt: skip
    truth = truth.assign(day=pd.to_datetime(truth["day"].map(day)))
    both = truth.merge(written, how="left", on=[*group, "metric", "label_age"])
    assert len(both) > 1000
    np.testing.assert_allclose(both["value"], both["true"], rtol=0, atol=1e-9)  # sums have nine decimals


def scikit_learn_says(labelled: pd.DataFrame) -> pd.Series[float]:
    """What is defined of decisions, of scores, and of ranks (on the binned scores)."""
    label, decision, score = labelled["label"], labelled["decision"], labelled["score"]
    bins = labelled["score_bin"]
    share, mean = calibration_curve(label, score, n_bins=10)
    weight = np.bincount(np.minimum(score * 10, 9).astype(int), minlength=10)
    gap = np.abs(share - mean)
    parts = bins[label == 1], bins[label == 0]
    positives, called = label.any(), decision.any()
    return pd.Series(
        {
            "accuracy": sk.accuracy_score(label, decision),
            "precision": sk.precision_score(label, decision) if called else np.nan,
            "recall": sk.recall_score(label, decision) if positives else np.nan,
            "f1": sk.f1_score(label, decision) if positives or called else np.nan,
            "roc_auc": sk.roc_auc_score(label, labelled["score_bin"]) if label.nunique() == 2 else np.nan,
            "brier": sk.brier_score_loss(label, score),
            "log_loss": sk.log_loss(label, score, labels=[0, 1]),
            "calibration_in_the_large": score.mean() - label.mean(),
            "ece": np.average(gap, weights=weight[weight > 0]),
            "ece_unweighted": gap.mean(),
            "pr_auc": sk.average_precision_score(label, bins) if positives else np.nan,
            "score_ks": ks_2samp(*parts).statistic if label.nunique() == 2 else np.nan,
        }
    )


def test_coverage_is_labelled_over_predicted(world: tuple[Warehouse, ModelSpec, pd.DataFrame]) -> None:
    written, _ = written_by(world, [(1, 20)])
    rows = in_all_groups(world[2], "version", "segment")
    rows = rows.assign(day=pd.to_datetime(rows["day"].map(day)), known=rows["label_age"] <= 7)
    true = rows.groupby(["day", "version", "segment"])["known"].mean()
    found = written[(written["metric"] == "coverage") & (written["label_age"] == 7) & written["value"].notna()]
    found = found.set_index(["day", "version", "segment"])["value"].reindex(true.index)
    np.testing.assert_allclose(found, true, atol=1e-15)


def test_segments_make_the_whole_in_every_additive_figure(world: tuple[Warehouse, ModelSpec, pd.DataFrame]) -> None:
    written, _ = written_by(world, [(1, 20)])
    rates = ["coverage", "accuracy", "recall", "precision", "conversion"]
    with_rows = pd.to_datetime(world[2]["day"].unique(), unit="D", origin=pd.Timestamp(day(0)))
    judged = written[written["metric"].isin(rates) & written["day"].isin(with_rows)]
    judged = judged.assign(hits=judged["value"].fillna(0) * judged["n"], whole=judged["segment"] == "all")
    sums = judged.pivot_table(
        index=["metric", "day", "label_age", "version"], columns="whole", values=["hits", "n"], aggfunc="sum"
    )
    assert len(sums) > 250
    for counted in ("hits", "n"):
        np.testing.assert_allclose(sums[counted, True], sums[counted, False], rtol=1e-12)


def test_every_row_is_whole(world: tuple[Warehouse, ModelSpec, pd.DataFrame]) -> None:
    written, _ = written_by(world, [(1, 20)])
    assert set(written["state"]) == {"final", "not_evaluated"}
    assert (written["reason"].isna() == (written["state"] == "final")).all()
    assert written.loc[written["value"].isna(), "state"].eq("not_evaluated").all()
    assert not written.duplicated(["version", "day", "metric", "feature", "segment", "label_age"]).any()
    assert written[["model", "version", "day", "layer", "metric", "feature", "segment", "n"]].notna().all(axis=None)
    bounded = written.dropna(subset=["lower", "upper"])
    assert ((bounded["lower"] <= bounded["value"]) & (bounded["value"] <= bounded["upper"])).all()
