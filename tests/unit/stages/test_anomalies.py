"""The anomalies stage on a real DuckDB file, from metrics drawn with a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from jobs.engine.warehouse import Warehouse, open_warehouse
from jobs.methods import forecast, weekly_fit
from jobs.periods import Period
from jobs.spec.model import ModelSpec
from jobs.stages import anomalies
from tests.unit.methods.given_figures import FIRST, day, figures, together

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAYS = 100
BAD = 80
"""The day on which everything goes wrong."""


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(tmp_path, "shop", wait=5) as opened:
        yield opened


def spec_of(**changes: Any) -> ModelSpec:
    given: dict[str, Any] = {
        "model": "shop",
        "predictions": {"path": "p/{day}.csv"},
        "labels": {"path": "l/{day}.csv", "ages": [1, 7]},
        "features": {"age": "numeric"},
        "segments": ["plan"],
    }
    return ModelSpec.model_validate(given | changes)


def world() -> pd.DataFrame:
    """A hundred days; on day 80 half of the rows, accuracy 60 %, drift, missing values, and one segment at 50 %."""
    rng = np.random.default_rng(20)
    volume = rng.poisson(1000, DAYS).astype(float)
    volume[BAD] = 500
    right = rng.binomial(900, 0.95, DAYS) / 900
    right[BAD] = 0.6
    part = rng.binomial(300, 0.95, DAYS) / 300
    part[BAD] = 0.5
    drifted = np.abs(rng.normal(0.02, 0.005, DAYS))
    drifted[[BAD, BAD + 1]] = 0.9
    gone = np.full(DAYS, 0.01)
    gone[BAD] = 0.3
    return together(
        figures("volume", volume, volume.astype(int).tolist()),
        figures("volume", volume, volume.astype(int).tolist(), version="v1"),
        *(figures("accuracy", right, 900, age=age) for age in (1, 7)),
        figures("accuracy", right, 900, age=1, version="shadow:v2"),
        figures("accuracy", part, 300, age=1, segment="plan=new"),
        figures("psi", drifted, 1000, feature="age"),
        figures("psi_null_limit", 0.03, 1000, feature="age"),
        figures("missing_rate", gone, 1000, feature="age"),
    )


def fill(warehouse: Warehouse, metrics: pd.DataFrame, silent: tuple[int, ...] = ()) -> None:
    warehouse.insert("metrics", metrics.assign(model="shop", layer="model"))
    numbers = [number for number in range(DAYS) if number not in silent]
    sources = [(number, source) for number in range(DAYS) for source in ("predictions", "labels")]
    warehouse.insert(
        "deliveries",
        pd.DataFrame(
            {
                "day": [day(number) for number, _ in sources],
                "source": [source for _, source in sources],
                "status": ["delivered" if number in numbers else "missing" for number, _ in sources],
                "files": 1, "rows": [1000 if number in numbers else 0 for number, _ in sources],
                "duplicates": 0, "misdated": 0, "fingerprint": "",
                "reason": [None if number in numbers else "no file matches p/{day}.csv" for number, _ in sources],
            }
        ),
    )  # fmt: skip
    warehouse.insert(
        "arrival_statistics",
        pd.DataFrame(
            {
                "known_day": [day(number) for number in numbers],
                "source": "labels",
                "n": 900,
                "n_corrected": 0,
                "n_unknown": 0,
            }
        ),
    )
    warehouse.insert(
        "reference_bins",
        pd.DataFrame(
            {
                "reference": "all", "feature": "age", "bin": [0, 1, -1], "kind": ["interval", "interval", "missing"],
                "lower": [None, 30.0, None], "upper": [30.0, None, None], "category": None, "n": [4950, 4950, 100],
                "value_sum": None, "value_square_sum": None,
            }
        ),
    )  # fmt: skip


def nights(first: int, last: int) -> Period:
    return Period(day(first), day(last))


def breaches(warehouse: Warehouse) -> set[tuple[int, str, str]]:
    """(number of the night, rule, segment)."""
    rows = warehouse.read("verdicts").query("verdict == 'breach'")
    return {
        ((night.date() - FIRST).days, rule, segment)
        for night, rule, segment in rows[["night", "rule", "segment"]].itertuples(index=False)
    }


def test_the_bad_day_is_found_by_every_rule_on_its_night_and_nothing_else_is(warehouse: Warehouse) -> None:
    fill(warehouse, world())
    summary = anomalies.run(spec_of(), nights(0, DAYS - 1), warehouse)
    accuracy = [
        (BAD + age, rule, "all")
        for age in (1, 7)
        for rule in ("accuracy drop 10%", "accuracy drop 20%", "accuracy outside expected")
    ]
    assert breaches(warehouse) == {
        *accuracy,
        (BAD + 1, "accuracy drop 10% by segment", "plan=new"),
        (BAD, "volume outside expected", "all"),
        (BAD, "missing_rate rise 5pp on reference", "all"),
        (BAD + 1, "psi above 0.2", "all"),
        (BAD + 1, "psi above 0.3", "all"),
    }
    assert summary.rows["verdicts"] == len(warehouse.read("verdicts"))


def test_figures_of_shadow_versions_are_not_judged(warehouse: Warehouse) -> None:
    fill(warehouse, world())
    anomalies.run(spec_of(), nights(0, DAYS - 1), warehouse)
    assert set(warehouse.read("verdicts")["version"]) == {"all"}


def test_nights_one_by_one_in_any_order_and_twice_write_what_a_range_writes(warehouse: Warehouse) -> None:
    fill(warehouse, world(), silent=(60,))
    spec = spec_of()
    anomalies.run(spec, nights(0, DAYS - 1), warehouse)
    whole = warehouse.execute("SELECT * FROM verdicts ORDER BY ALL").df()
    warehouse.reopen("anomalies", None)
    warehouse.execute("DELETE FROM verdicts")
    # Days that are finished are a prefix of history; within it, any night may be asked for again.
    anomalies.run(spec, nights(0, 70), warehouse)
    for number in (71, 72, 40, 73, 12, 73):
        anomalies.run(spec, nights(number, number), warehouse)
    anomalies.run(spec, nights(74, 86), warehouse)
    for number in (87, 80, 88):
        anomalies.run(spec, nights(number, number), warehouse)
    anomalies.run(spec, nights(65, DAYS - 1), warehouse)
    pd.testing.assert_frame_equal(warehouse.execute("SELECT * FROM verdicts ORDER BY ALL").df(), whole)


def test_later_nights_change_no_earlier_verdict(warehouse: Warehouse) -> None:
    fill(warehouse, world())
    spec = spec_of()
    anomalies.run(spec, nights(0, 60), warehouse)
    before = warehouse.execute("SELECT * FROM verdicts ORDER BY ALL").df()
    anomalies.run(spec, nights(0, DAYS - 1), warehouse)
    again = warehouse.execute("SELECT * FROM verdicts WHERE night <= ? ORDER BY ALL", [day(60)]).df()
    pd.testing.assert_frame_equal(again, before)


def test_every_evaluated_day_has_its_expected_range_for_the_report(warehouse: Warehouse) -> None:
    fill(warehouse, world())
    anomalies.run(spec_of(), nights(0, DAYS - 1), warehouse)
    rows = warehouse.read("verdicts").query("rule == 'volume outside expected'").sort_values("day")
    assert len(rows) == DAYS
    assert rows["expected"].notna().sum() == DAYS - 14
    assert rows["detector"].iloc[-1] == "prophet"
    judged = rows.iloc[30:]
    assert ((judged["lower"] < judged["expected"]) & (judged["expected"] < judged["upper"])).all()


def test_a_first_night_without_history_says_what_it_lacks(warehouse: Warehouse) -> None:
    fill(warehouse, world())
    anomalies.run(spec_of(), nights(0, 0), warehouse)
    rows = warehouse.read("verdicts").set_index("rule")
    assert rows.loc["volume outside expected", "reason"] == "only 0 nights of history, 14 needed"
    assert rows.loc["no data", "verdict"] == "ok"


def test_a_night_with_nothing_at_all_is_a_breach_of_the_delivery(warehouse: Warehouse) -> None:
    fill(warehouse, world().query("day < '2025-03-02'"), silent=(60,))
    anomalies.run(spec_of(), nights(0, 60), warehouse)
    assert (60, "no data", "all") in breaches(warehouse)
    (row,) = warehouse.read("verdicts").query("rule == 'no data' and verdict == 'breach'").itertuples()
    assert (row.severity, row.metric, row.day) == ("critical", "volume", pd.Timestamp(day(60)))
    assert pd.isna(row.value)


def test_an_empty_warehouse_is_judged_without_error(warehouse: Warehouse) -> None:
    summary = anomalies.run(spec_of(), nights(0, 3), warehouse)
    rows = warehouse.read("verdicts")
    assert set(rows["rule"]) == {"no labels", "odd night", "stuck"}
    assert set(rows["verdict"]) == {"not_evaluated"}
    assert summary.rows == {"verdicts": 12}


def test_a_spec_without_labels_or_rules_about_them_runs(warehouse: Warehouse) -> None:
    fill(warehouse, world().query("metric != 'accuracy'"))
    anomalies.run(spec_of(labels=None), nights(0, DAYS - 1), warehouse)
    assert "no labels" not in set(warehouse.read("verdicts")["rule"])
    assert (BAD, "volume outside expected", "all") in breaches(warehouse)


def test_a_series_watched_without_a_rule_is_told_as_information(warehouse: Warehouse) -> None:
    score = np.full(DAYS, 0.3) + np.random.default_rng(2).normal(0, 0.003, DAYS)
    score[BAD] = 0.6
    fill(warehouse, figures("score_mean", score, 1000, spread=0.01))
    anomalies.run(spec_of(), nights(0, DAYS - 1), warehouse)
    (row,) = warehouse.read("verdicts").query("verdict == 'breach'").itertuples()
    assert (row.rule, row.severity, row.night) == ("score_mean outside expected", "info", pd.Timestamp(day(BAD)))


def test_better_than_expected_is_told_and_is_no_breach(warehouse: Warehouse) -> None:
    rng = np.random.default_rng(6)
    right = rng.binomial(900, 0.85, DAYS) / 900
    right[BAD] = 0.97
    fill(warehouse, figures("accuracy", right, 900, age=1))
    anomalies.run(spec_of(), nights(0, DAYS - 1), warehouse)
    told = warehouse.read("verdicts").query("rule == 'accuracy outside expected'")
    (row,) = told[told["reason"].str.startswith("better")].itertuples()
    assert (row.verdict, row.night) == ("ok", pd.Timestamp(day(BAD + 1)))
    assert breaches(warehouse) == set()


def test_an_expected_range_may_be_asked_for_by_segment_and_for_two_nights(warehouse: Warehouse) -> None:
    rng = np.random.default_rng(8)
    parts = []
    for name in ("new", "old"):
        value = rng.binomial(2000, 0.3, DAYS) / 2000
        if name == "new":
            value[BAD : BAD + 3] = 0.15
        parts.append(figures("conversion", value, 2000, age=1, segment=f"plan={name}"))
    fill(warehouse, together(*parts))
    rule = {"metric": "conversion", "outside": "expected", "segments": "each", "nights": 2}
    anomalies.run(spec_of(rules=[rule]), nights(0, DAYS - 1), warehouse)
    assert breaches(warehouse) == {
        (BAD + 2, "conversion outside expected by segment", "plan=new"),
        (BAD + 3, "conversion outside expected by segment", "plan=new"),
    }


def test_few_rows_keep_their_range_but_are_not_judged(warehouse: Warehouse) -> None:
    rng = np.random.default_rng(9)
    n = [900] * DAYS
    n[BAD] = 40
    right = rng.binomial(900, 0.95, DAYS) / 900
    right[BAD] = 0.1
    fill(warehouse, figures("accuracy", right, n, age=1))
    anomalies.run(spec_of(), nights(0, DAYS - 1), warehouse)
    night = day(BAD + 1)
    (row,) = warehouse.read("verdicts", Period.of(night)).query("rule == 'accuracy outside expected'").itertuples()
    assert (row.verdict, row.reason) == ("not_evaluated", "40 rows, rule needs 50")
    assert row.expected == pytest.approx(0.95, abs=0.02)


def test_a_range_fits_each_week_of_a_series_once(warehouse: Warehouse) -> None:
    """Prophet's fit is the price of a range: a night more in the same week costs none."""
    volume = np.random.default_rng(13).poisson(800, DAYS).astype(float)
    fill(warehouse, figures("volume", volume, 800))
    before = weekly_fit._fit.cache_info().misses
    anomalies.run(spec_of(), nights(0, DAYS - 1), warehouse)
    rows = warehouse.read("verdicts").query("detector == 'prophet'")
    mondays = {forecast.monday_of(night.date()) for night in rows["night"]}
    assert weekly_fit._fit.cache_info().misses - before == len(mondays)


def slightly_odd() -> pd.DataFrame:
    """Ten features whose PSI is steady and far below its bound; on day 90 the root of each is 2.5 deviations up."""
    roots = np.random.default_rng(4).normal(0.15, 0.02, (DAYS, 10))
    roots[90] = 0.15 + 2.5 * 0.02
    features = [f"f{number}" for number in range(10)]
    return together(
        *(figures("psi", roots[:, place] ** 2, 1000, feature=name) for place, name in enumerate(features)),
        *(figures("psi_null_limit", 0.02, 1000, feature=name) for name in features),
    )


def test_a_night_on_which_ten_features_drift_a_little_is_told_as_information_and_names_them(
    warehouse: Warehouse,
) -> None:
    fill(warehouse, slightly_odd())
    anomalies.run(spec_of(), nights(0, DAYS - 1), warehouse)
    assert breaches(warehouse) == {(90, "odd night", "all")}
    row = warehouse.read("verdicts").query("rule == 'odd night' and verdict == 'breach'").iloc[0]
    assert (row["severity"], row["metric"], row["detector"], row["n"]) == ("info", "odd_night", "lof", 10)
    assert row["reason"].count("PSI of f") == 10


def test_an_odd_night_is_the_same_alone_and_in_a_range(warehouse: Warehouse, tmp_path: Path) -> None:
    fill(warehouse, slightly_odd())
    anomalies.run(spec_of(), nights(0, DAYS - 1), warehouse)
    with open_warehouse(tmp_path / "nightly", "shop", wait=5) as nightly:
        fill(nightly, slightly_odd())
        anomalies.run(spec_of(), nights(0, 87), nightly)
        for number in (88, 89, 90, 91, 90):
            anomalies.run(spec_of(), nights(number, number), nightly)
        anomalies.run(spec_of(), nights(92, DAYS - 1), nightly)
        ordered = "SELECT * FROM verdicts ORDER BY ALL"
        assert nightly.execute(ordered).fetchall() == warehouse.execute(ordered).fetchall()


def test_a_night_judges_a_long_silence_and_a_long_standstill_as_the_whole_range_does(warehouse: Warehouse) -> None:
    """Labels stop on day 15 and the scores on day 20; both are told on each night since, and by each night alone."""
    score = np.random.default_rng(3).uniform(0.2, 0.4, DAYS)
    score[20:] = 0.3
    fill(warehouse, together(world().query("metric == 'volume'"), figures("score_mean", score, 1000)))
    warehouse.execute("DELETE FROM arrival_statistics WHERE known_day >= ?", [day(15)])
    anomalies.run(spec_of(rules=[]), nights(0, DAYS - 1), warehouse)
    whole = warehouse.read("verdicts").query("rule in ('no labels', 'stuck')").reset_index(drop=True)
    told = {(number, rule) for number, rule, _ in breaches(warehouse)}
    assert told >= {(number, "no labels") for number in range(17, DAYS)}
    assert told >= {(number, "stuck") for number in range(23, DAYS)}
    for number in (22, 23, 70, DAYS - 1):
        anomalies.run(spec_of(rules=[]), nights(number, number), warehouse)
    again = warehouse.read("verdicts").query("rule in ('no labels', 'stuck')").reset_index(drop=True)
    pd.testing.assert_frame_equal(again, whole, check_exact=True)


def test_labels_that_never_came_are_told_from_the_36th_day_that_could_have_had_some(warehouse: Warehouse) -> None:
    fill(warehouse, world().query("metric == 'volume' and version == 'v1'"))
    warehouse.execute("DELETE FROM arrival_statistics")
    anomalies.run(spec_of(rules=[]), nights(0, 60), warehouse)
    told = sorted(number for number, rule, _ in breaches(warehouse) if rule == "no labels")
    assert told == list(range(36, 61))  # the first, of age 1, were due on day 1
