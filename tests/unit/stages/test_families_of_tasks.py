"""Why figures of classes and numbers changed, and versions side by side, against the raw rows, scipy and statsmodels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, mean_absolute_error
from statsmodels.stats.contingency_tables import mcnemar

from jobs.families import version_ages_of
from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days
from tests.unit.stages.given_tasks import BROKEN, CHANGE, LAST, a_kiosk, known_by, rows_of
from tests.unit.stages.test_families import one, window

if TYPE_CHECKING:
    from pathlib import Path

STAGES = ("ingest", "statistics", "metrics")
TABLES = ("crossed_statistics", "meeting_statistics", "metrics", "decompositions", "worst_segments", "comparisons")
TASKS = {"multiclass": "accuracy", "regression": "mae"}
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module", params=TASKS)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def rows(task: str) -> pd.DataFrame:
    return rows_of(task)


def everything(kiosk: Kiosk) -> Tables:
    with kiosk.warehouse() as warehouse:
        return {name: warehouse.read(name) for name in TABLES}


@pytest.fixture(scope="module")
def written(task: str, rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    kiosk = a_kiosk(tmp_path_factory.mktemp("kiosk"), task, rows)
    kiosk.run(days(1, LAST), *STAGES)
    return everything(kiosk)


def figure(task: str, known: pd.DataFrame, said: str = "said") -> float:
    return (accuracy_score if task == "multiclass" else mean_absolute_error)(known["label"], known[said])


def test_nights_in_any_order_and_twice_write_what_one_range_writes(
    task: str, rows: pd.DataFrame, written: Tables, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kiosk = a_kiosk(tmp_path_factory.mktemp("kiosk"), task, rows)
    for number in (3, 1, 7, 6, 9, 8, 12, 10, 11):
        kiosk.run(days(number, number), *STAGES)
    again = everything(kiosk)
    for name in TABLES:
        assert len(written[name]), name
        pd.testing.assert_frame_equal(again[name], written[name], check_exact=True)


def test_causes_sum_over_the_parts_to_the_change(task: str, written: Tables) -> None:
    table = written["decompositions"].assign(label_age=lambda frame: frame["label_age"].fillna(-1))
    keys = ["day", "label_age", "metric", "feature", "dimension"]
    whole = table[table["segment"] == "all"].set_index(keys)
    parts = table[table["segment"] != "all"].groupby(keys)[["change", "mix", "base", "coverage", "rate"]].sum()
    assert set(whole.index.get_level_values("metric")) == {TASKS[task], "coverage", "conversion"}
    assert set(whole.index.get_level_values("dimension")) == {"country", "device", "version"}
    pd.testing.assert_frame_equal(whole[parts.columns].sort_index(), parts.sort_index(), rtol=1e-12, atol=1e-12)
    assert (whole["change"] - (whole["value"] - whole["former"])).abs().max() < 1e-11
    causes = whole["mix"] + whole["base"] + whole["coverage"] + whole["rate"]
    assert (whole["change"] - causes).abs().max() < 1e-11


def test_a_part_is_what_scikit_learn_says_of_its_rows_now_and_before(
    task: str, rows: pd.DataFrame, written: Tables
) -> None:
    known = known_by(rows, 1)
    known = known[known["country"] == "FR"]
    keys = {"day": day(10), "metric": TASKS[task], "label_age": 1, "dimension": "country", "segment": "country=FR"}
    row = one(written["decompositions"], **keys)
    assert row["value"] == pytest.approx(figure(task, known[known["number"] == 10]))
    past = window(known, 10 - 1, 7)
    assert (row["former"], row["former_n"]) == (pytest.approx(figure(task, past)), len(past))


def test_a_pair_that_fails_is_found_first(task: str, written: Tables) -> None:
    """The direction of harm is a fall of accuracy, and a rise of the error."""
    found = written["worst_segments"]
    first = one(found, day=day(BROKEN), label_age=1, metric=TASKS[task], rank=1)
    assert first["segment"] == "country=FR,device=phone"
    assert first["found"]
    assert (first["z"] < 0) == (task == "multiclass")
    quiet = found[(found["day"] == pd.Timestamp(day(BROKEN - 1))) & (found["metric"] == TASKS[task])]
    assert not quiet["found"].any()
    worse = found["z"] * np.where(found["metric"] == "mae", -1, 1)
    assert (worse < 0).all()


def test_pairs_of_segments_are_counted_as_the_rows_are(task: str, rows: pd.DataFrame, written: Tables) -> None:
    crossed = written["crossed_statistics"]
    known = known_by(rows, 1)
    mine = known[(known["number"] == 5) & (known["country"] == "DE") & (known["device"] == "desk")]
    told = crossed[
        (crossed["day"] == pd.Timestamp(day(5)))
        & (crossed["segment"] == "country=DE,device=desk")
        & (crossed["label_age"] <= 1)
    ]
    sums = told[["n_judged", "figure_sum", "figure_square_sum"]].sum()
    right = (mine["said"] == mine["label"]).astype(float)
    values = right if task == "multiclass" else (mine["said"] - mine["label"]).abs()
    assert tuple(sums) == pytest.approx((len(mine), values.sum(), (values**2).sum()))


def met_on(rows: pd.DataFrame, number: int) -> pd.DataFrame:
    known = known_by(rows, 1)
    return known[known["number"].between(max(CHANGE, number - 2), number)]


def test_versions_on_the_same_rows_are_held_against_each_other_as_the_textbook_does(
    task: str, rows: pd.DataFrame, written: Tables
) -> None:
    """statsmodels' exact McNemar of right and wrong; scipy's paired t-test of how far off both were."""
    known = met_on(rows, 10)
    keys = {"day": day(10), "label_age": 1, "other": "shadow:v1", "basis": "same rows"}
    row = one(written["comparisons"], metric=TASKS[task], **keys)
    assert row["value"] == pytest.approx(figure(task, known))
    assert row["other_value"] == pytest.approx(figure(task, known, "other_said"))
    assert row["n"] == len(known)
    if task == "multiclass":
        live, other = (known[name] == known["label"] for name in ("said", "other_said"))
        table = [[(live & other).sum(), (live & ~other).sum()], [(~live & other).sum(), (~live & ~other).sum()]]
        assert row["p_value"] == pytest.approx(mcnemar(table, exact=True).pvalue)
    else:
        live, other = ((known[name] - known["label"]).abs() for name in ("said", "other_said"))
        told = stats.ttest_rel(other, live)
        assert row["p_value"] == pytest.approx(told.pvalue)
        interval = told.confidence_interval(0.95)
        assert (row["lower"], row["upper"]) == pytest.approx((interval.low, interval.high))
    agreed = one(written["comparisons"], metric="agreement", **keys)
    met = rows[rows["number"].between(8, 10)]
    assert agreed["value"] == pytest.approx((met["said"] == met["other_said"]).mean())


def test_the_verdict_keeps_the_version_that_does_better(task: str, written: Tables) -> None:
    table = written["comparisons"]
    row = one(table, day=day(10), label_age=1, other="shadow:v1", metric="verdict")
    assert row["verdict"] == "keep"
    does = "is right more often" if task == "multiclass" else "is closer to the truth"
    assert row["reason"].startswith(f"v2 {does}: shadow:v1 has ")
    assert ("points" in row["reason"]) == (task == "multiclass")


def test_a_new_version_is_held_against_the_days_before_it(task: str, rows: pd.DataFrame, written: Tables) -> None:
    """scipy's Welch test on the rows; days were alike, so nothing is widened, or by the ratio of mean squares."""
    known = known_by(rows, 1)
    new, old = known[known["number"].between(CHANGE, 9)], known[known["number"] < CHANGE]
    row = one(written["comparisons"], day=day(9), metric=TASKS[task], basis="before and since", other="v1")
    assert (row["value"], row["other_value"]) == pytest.approx((figure(task, new), figure(task, old)))
    z = one(written["metrics"], day=day(9), label_age=1, version="v2", metric="model_change_z")["value"]
    if task == "regression":
        off = [(part["said"] - part["label"]).abs() for part in (old, new)]
        daily = off[0].groupby(old["number"]).agg(["sum", "count"])
        spread = (daily["sum"] ** 2 / daily["count"]).sum() - off[0].sum() ** 2 / len(old)
        times = max(1.0, spread / off[0].var() / (len(daily) - 1))
        told = stats.ttest_ind(*off, equal_var=False)
        assert z == pytest.approx(told.statistic / np.sqrt(times)), "above 0: the new version is closer"
        assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(z), told.df))


def test_value_is_compared_as_conversion_is(task: str, rows: pd.DataFrame, written: Tables) -> None:
    new, old = rows[rows["number"].between(CHANGE, 9)], rows[rows["number"] < CHANGE]
    row = one(written["comparisons"], day=day(9), metric="value_per_prediction", other="v1")
    assert (row["value"], row["other_value"]) == pytest.approx((new["revenue"].mean(), old["revenue"].mean()))
    assert row["lower"] < row["difference"] < row["upper"]


def test_a_new_version_that_earns_nothing_is_compared_by_value_too(tmp_path: Path) -> None:
    """It converts more and earns nothing; one that nobody pays for has no value to compare."""
    rows = rows_of("multiclass")
    rows["revenue"] = rows["revenue"].where(rows["number"] < CHANGE, 0.0)
    kiosk = a_kiosk(tmp_path / "earns", "multiclass", rows, labels=None)
    kiosk.run(days(1, 10), *STAGES)
    row = one(kiosk.table("comparisons"), day=day(10), metric="value_per_prediction", other="v1")
    before = rows.loc[rows["number"] < CHANGE, "revenue"].mean()
    assert (row["value"], row["other_value"]) == (0, pytest.approx(before))
    assert row["p_value"] < 0.01
    verdict = one(kiosk.table("comparisons"), day=day(10), metric="verdict", other="v1")
    assert verdict["verdict"] == "contradictory"
    assert "v2 converts more" in verdict["reason"]
    assert "but v1 earns more" in verdict["reason"]
    free = a_kiosk(tmp_path / "free", "multiclass", rows.assign(revenue=0.0), labels=None)
    free.run(days(1, 10), *STAGES)
    assert "value_per_prediction" not in set(free.table("comparisons")["metric"])


def test_outcomes_that_are_not_yet_in_are_what_a_verdict_waits_for(tmp_path: Path) -> None:
    """60 % of what users did is known, of hundreds of rows: too early, and not `0 rows`."""
    rows = rows_of("multiclass")
    kiosk = a_kiosk(tmp_path, "multiclass", rows, labels=None)
    known = rows[rows.groupby("number").cumcount() % 5 < 3].rename(columns={"id": "request_id"})
    for number, today in known.groupby("number"):
        kiosk.write("outcomes", int(number), today[["request_id", "converted", "revenue"]])
    kiosk.run(days(1, 10), *STAGES)
    verdict = one(kiosk.table("comparisons"), day=day(10), metric="verdict", other="v1")
    assert (verdict["verdict"], verdict["n"] > 300) == ("not yet known", True)
    assert verdict["reason"] == "60% of the outcomes are in, and early ones are not like the others: 80% needed"


def test_a_model_without_labels_is_compared_by_what_the_business_got(
    task: str, rows: pd.DataFrame, tmp_path: Path
) -> None:
    kiosk = a_kiosk(tmp_path, task, rows, labels=None)
    kiosk.run(days(1, LAST), *STAGES)
    table = kiosk.table("comparisons")
    assert set(table["label_age"]) == {0}
    assert set(table["metric"]) == {"agreement", "conversion", "value_per_prediction", "verdict"}
    verdict = one(table, day=day(LAST), metric="verdict", other="v1")
    assert verdict["verdict"] == "keep", "v2 converts 45 % where v1 had 30 %"
    assert verdict["reason"].startswith("v2 converts more: v1 had -1")
    beside = one(table, day=day(LAST), metric="verdict", other="shadow:v1")
    assert beside["verdict"] == "keep", "what users did tells of the shadow's version when it was live"
    z = kiosk.table("metrics")
    assert len(z[z["metric"] == "business_change_z"])
    assert z[z["metric"].isin(["model_change_z", "model_up_business_down"])].empty
    alone = a_kiosk(tmp_path / "nights", task, rows, labels=None)
    for number in (2, 1, 9, 8, 12):
        alone.run(days(number, number), *STAGES)
    again = alone.table("comparisons")
    mine = table[table["day"].isin(again["day"].unique())].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, mine, check_exact=True)


def test_outcomes_that_come_after_the_last_labels_have_nights_of_their_own(tmp_path: Path) -> None:
    """Labels by day 1, outcomes by day 3: at day 3 both are told, and one night alone tells what a range tells."""
    rows = rows_of("multiclass")
    outcomes = {"path": f"{tmp_path}/range/outcomes/{{day}}.csv", "columns": {"value": "revenue"}, "ages": [0, 3]}
    kiosk = a_kiosk(tmp_path / "range", "multiclass", rows, outcomes=outcomes)
    assert version_ages_of(kiosk.spec) == [1, 3]
    kiosk.run(days(1, LAST), *STAGES)
    table = kiosk.table("comparisons")
    late = table[(table["label_age"] == 3) & (table["other"] == "v1")]
    assert {"accuracy", "conversion", "verdict"} <= set(late["metric"])
    first = a_kiosk(tmp_path / "first", "multiclass", rows, outcomes=outcomes | {"ages": [3]})
    first.run(days(1, 10), *STAGES)
    told = first.table("metrics").groupby("metric")["label_age"].agg(set)
    assert told["model_change_z"] == {1, 3}, "labels speak before there are outcomes"
    assert told["business_change_z"] == told["model_up_business_down"] == {3}
    alone = a_kiosk(tmp_path / "nights", "multiclass", rows, outcomes=outcomes)
    for number in range(1, LAST + 1):
        alone.run(days(number, number), *STAGES)
    pd.testing.assert_frame_equal(alone.table("comparisons"), table, check_exact=True)
    pd.testing.assert_frame_equal(alone.table("metrics"), kiosk.table("metrics"), check_exact=True)


def test_the_page_tells_the_figure_of_the_task_why_it_changed_and_who_got_worse(
    task: str, rows: pd.DataFrame, tmp_path: Path
) -> None:
    kiosk = a_kiosk(tmp_path, task, rows[rows["number"] <= BROKEN])
    kiosk.run(days(BROKEN + 1, BROKEN + 1), *STAGE_NAMES)
    page = kiosk.page(BROKEN + 1)
    name = {"multiclass": "Accuracy", "regression": "Mean absolute error"}[task]
    assert f"{name} at 1 day is " in page
    assert "No figure that needs labels could be made" not in page
    why = page[page.index('id="changes"') : page.index('id="versions"')]
    assert f"{name} at 1 day" in why
    assert "country=FR,device=phone" in why
    assert ("pp" in why[: why.index("</h3>")]) == (task == "multiclass"), "errors move in their own unit"
