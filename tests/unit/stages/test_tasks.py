"""Models with several classes and models of numbers, from files to metrics, against scikit-learn on the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn import metrics as sk
from statsmodels.stats.weightstats import DescrStatsW

from tests.kiosk import Kiosk, day, days

DAYS, EACH, AGES = 6, 60, (1, 3)
FRUIT = np.array(["apple", "pear", "plum", "1"])
STAGES = ("ingest", "statistics", "metrics")


def in_all_groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Each row under its own version and segment, and under `all`."""
    for key in ("version", "segment"):
        rows = pd.concat([rows, rows.assign(**{key: "all"})])
    return rows


def deliver(kiosk: Kiosk, rows: pd.DataFrame, **columns: str) -> None:
    """Predictions on their days; labels on the days they became known; each tenth label is corrected a day later."""
    for number, part in rows.groupby("day"):
        given = {name: part[column].to_numpy() for name, column in columns.items()}
        kiosk.predict(
            int(number),
            part["id"].tolist(),
            model_version=part["version"].to_numpy(),
            country=part["country"].to_numpy(),
            **given,
        )
    known = rows[["id", "known", "first_label"]].rename(columns={"first_label": "label"})
    corrected = rows.loc[rows["corrected"], ["id", "known", "label"]]
    arrived = pd.concat([known, corrected.assign(known=corrected["known"] + 1)])
    for number, part in arrived.groupby("known"):
        kiosk.label(int(number), dict(zip(part["id"], part["label"], strict=True)))


def made(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    n = DAYS * EACH
    rows = pd.DataFrame({"id": [f"r{number}" for number in range(n)], "day": np.repeat(np.arange(1, DAYS + 1), EACH)})
    rows["known"] = rows["day"] + random.choice([0, 1, 2, 3, 5], n)
    rows["corrected"] = random.random(n) < 0.1
    rows["version"], rows["country"] = random.choice(["v1", "v2"], n), random.choice(["FR", "US"], n)
    return rows.assign(segment="country=" + rows["country"])


def known_by(rows: pd.DataFrame, age: int) -> pd.DataFrame:
    """What was labelled within the age, with the label believed then."""
    seen = rows[rows["known"] - rows["day"] <= age]
    late = seen["corrected"] & (seen["known"] + 1 - seen["day"] > age)
    return seen.assign(believed=seen["first_label"].where(late | ~seen["corrected"], seen["label"]))


@pytest.fixture(scope="module")
def fruit(tmp_path_factory: pytest.TempPathFactory) -> tuple[Kiosk, pd.DataFrame]:
    kiosk, rows = Kiosk(tmp_path_factory.mktemp("fruit")), made(1)
    random = np.random.default_rng(2)
    rows["label"] = random.choice(FRUIT, len(rows), p=[0.5, 0.3, 0.15, 0.05])
    rows["first_label"] = np.where(rows["corrected"], random.choice(FRUIT, len(rows)), rows["label"])
    rows["decision"] = np.where(random.random(len(rows)) < 0.6, rows["label"], random.choice(FRUIT, len(rows)))
    columns = {"columns": {"version": "model_version", "decision": "decision"}}
    kiosk.changes = {
        "task": "multiclass", "min_rows": 1, "outcomes": None,
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv"} | columns,
        "labels": {"path": f"{kiosk.root}/labels/{{day}}.csv", "ages": list(AGES)},
    }  # fmt: skip
    kiosk.reference(decision=["apple", "pear"] * 20)
    deliver(kiosk, rows, decision="decision")
    kiosk.run(days(1, 12), *STAGES)
    return kiosk, rows


def of_classes(part: pd.DataFrame) -> dict[tuple[str, str], float]:
    """What scikit-learn says, by metric and class."""
    truth, said = part["believed"], part["decision"]
    names = sorted(set(truth) | set(said))
    found = {("accuracy", ""): sk.accuracy_score(truth, said)}
    for name, score in {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}.items():
        for average in ("macro", "weighted"):
            found[f"{name}_{average}", ""] = score(truth, said, average=average, zero_division=np.nan)
        each = score(truth, said, labels=names, average=None, zero_division=np.nan)
        found |= {(f"class_{name}", one): value for one, value in zip(names, each, strict=True)}
    return found


def compare(kiosk: Kiosk, rows: pd.DataFrame, says: Any, tolerance: float = 1e-9) -> int:
    """Every figure of every day, version, segment and age; returns how many were compared."""
    written = kiosk.table("metrics").set_index(["day", "version", "segment", "label_age", "metric", "feature"])["value"]
    assert written.index.is_unique
    compared = 0
    for age in AGES:
        for (number, version, segment), part in in_all_groups(known_by(rows, age)).groupby(
            ["day", "version", "segment"]
        ):
            for (metric, feature), value in says(part).items():
                found = written[pd.Timestamp(day(int(number))), version, segment, age, metric, feature]
                assert found == pytest.approx(value, rel=tolerance, abs=1e-9, nan_ok=True), (metric, feature)
                compared += 1
    return compared


def test_every_figure_of_every_class_is_scikit_learns(fruit: tuple[Kiosk, pd.DataFrame]) -> None:
    kiosk, rows = fruit
    assert compare(kiosk, rows, of_classes) > 1500


def test_classes_without_scores_say_why_there_is_no_log_loss(fruit: tuple[Kiosk, pd.DataFrame]) -> None:
    kiosk, _ = fruit
    told = kiosk.table("metrics").query("metric in ('log_loss', 'roc_auc')")
    told = told[told["day"] == pd.Timestamp(day(1))]
    assert set(told["reason"]) == {"the files have no score for each class"}
    assert set(told["state"]) == {"not_evaluated"}


def test_a_class_the_reference_never_saw_is_drift_of_the_decision(fruit: tuple[Kiosk, pd.DataFrame]) -> None:
    kiosk, rows = fruit
    unseen = kiosk.rows(
        "SELECT SUM(n) FROM feature_statistics WHERE feature = 'decision' AND bin = -2 AND version = 'all'"
    )
    assert unseen == [((~rows["decision"].isin(["apple", "pear"])).sum(),)]


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> tuple[Kiosk, pd.DataFrame]:
    kiosk, rows = Kiosk(tmp_path_factory.mktemp("prices")), made(3)
    kiosk.reference()
    random = np.random.default_rng(4)
    rows["label"] = np.where(random.random(len(rows)) < 0.1, 0.0, random.lognormal(12, 0.5, len(rows)).round(2))
    rows["first_label"] = np.where(rows["corrected"], random.lognormal(12, 0.5, len(rows)).round(2), rows["label"])
    rows["score"] = (rows["label"] * random.normal(1.02, 0.1, len(rows)) + random.normal(0, 500, len(rows))).round(3)
    kiosk.changes = {
        "task": "regression", "min_rows": 1, "outcomes": None,
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv", "columns": {"version": "model_version"}},
        "labels": {"path": f"{kiosk.root}/labels/{{day}}.csv", "ages": list(AGES)},
    }  # fmt: skip
    deliver(kiosk, rows, score="score")
    kiosk.run(days(1, 12), *STAGES)
    return kiosk, rows


def of_numbers(part: pd.DataFrame) -> dict[tuple[str, str], float]:
    truth, said = part["believed"], part["score"]
    some = truth != 0
    return {
        ("mae", ""): sk.mean_absolute_error(truth, said),
        ("rmse", ""): sk.root_mean_squared_error(truth, said),
        ("mape", ""): sk.mean_absolute_percentage_error(truth[some], said[some]) if some.any() else np.nan,
        ("r2", ""): sk.r2_score(truth, said) if (truth != truth.iloc[0]).any() else np.nan,
        ("bias", ""): float((said - truth).mean()),
    }


def quantiles(part: pd.DataFrame) -> dict[tuple[str, str], float]:
    off = part["score"] - part["believed"]
    return {
        (f"error_p{percent:02}", ""): float(np.quantile(off, percent / 100, method="inverted_cdf"))
        for percent in (5, 50, 95)
    }


def test_errors_are_scikit_learns_and_quantiles_within_one_percent(prices: tuple[Kiosk, pd.DataFrame]) -> None:
    kiosk, rows = prices
    assert compare(kiosk, rows, of_numbers, 1e-8) > 400
    assert compare(kiosk, rows, quantiles, 0.01) > 250


@pytest.mark.parametrize("world", ["fruit", "prices"])
def test_coverage_counts_the_labels_of_every_task(world: str, request: pytest.FixtureRequest) -> None:
    kiosk, rows = request.getfixturevalue(world)
    written = kiosk.table("metrics").query("metric == 'coverage' and version == 'all' and segment == 'all'")
    for age in AGES:
        share = known_by(rows, age).groupby("day").size() / EACH
        found = written[written["label_age"] == age].sort_values("day").head(DAYS)["value"]
        np.testing.assert_allclose(found, share)


@pytest.mark.parametrize("world", ["fruit", "prices"])
def test_nights_in_any_order_write_what_the_whole_range_writes(
    world: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    kiosk, _ = request.getfixturevalue(world)
    other = Kiosk(kiosk.root, kiosk.changes, tmp_path / "nights")
    for number in (2, 1, 5, 4, 9, 9, 7, 12):
        other.run(days(number, number), *STAGES)
    for table in ("class_statistics", "error_statistics", "metrics"):
        pd.testing.assert_frame_equal(kiosk.table(table), other.table(table), check_exact=True)


def test_a_spec_says_what_its_task_needs() -> None:
    for task, columns, text in (("multiclass", {}, "decided class"), ("regression", {"decision": "d"}, "leave")):
        with pytest.raises(ValidationError, match=text):
            Kiosk(Path(), {"task": task, "predictions": {"path": "x", "columns": columns}}).spec  # noqa: B018


def test_numbers_near_a_thousand_million_keep_their_small_spread(tmp_path: Path) -> None:
    """Labels around 1e9 that differ by a few units: scikit-learn's R2 to 1e-9, and statsmodels' interval of the mean."""
    kiosk, rows, random = Kiosk(tmp_path), made(5), np.random.default_rng(6)
    kiosk.reference()
    rows["label"] = 1e9 + random.normal(0, 3, len(rows)).round(2)
    rows["first_label"] = np.where(rows["corrected"], rows["label"] + 5.25, rows["label"])
    rows["score"] = rows["label"] + random.normal(0.1, 1, len(rows)).round(2)
    kiosk.changes = {
        "task": "regression", "min_rows": 1, "outcomes": None,
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv", "columns": {"version": "model_version"}},
        "labels": {"path": f"{kiosk.root}/labels/{{day}}.csv", "ages": list(AGES)},
    }  # fmt: skip
    deliver(kiosk, rows, score="score")
    kiosk.run(days(1, 10), *STAGES)

    def r2(part: pd.DataFrame) -> dict[tuple[str, str], float]:
        """Of ten rows or more: two labels 0.07 apart differ by no more than a thousand roundings of sums to 1e-9."""
        return {("r2", ""): sk.r2_score(part["believed"], part["score"])} if len(part) >= 10 else {}

    assert compare(kiosk, rows, r2) > 70
    table = kiosk.table("metrics").query("metric == 'score_mean' and version == 'all' and segment == 'all'")
    for number, part in rows.groupby("day"):
        row = table[table["day"] == pd.Timestamp(day(int(number)))].iloc[0]
        lower, upper = DescrStatsW(part["score"] - 1e9).zconfint_mean()
        assert (row["lower"] - 1e9, row["upper"] - 1e9) == pytest.approx((lower, upper), abs=1e-6)
