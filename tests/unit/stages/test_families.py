"""Groups, actions, causes and versions on ten made days, against the raw rows, pandas, scikit-learn and statsmodels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, precision_score, recall_score, roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

from tests.kiosk import Kiosk, day, days
from tests.unit.stages.given_kiosk import AGES, CHANGE, LAST, SILENT, a_kiosk, known_by, rows_of

if TYPE_CHECKING:
    from pathlib import Path

STAGES = ("ingest", "statistics", "metrics")
TABLES = (
    "action_statistics", "crossed_statistics", "missing_statistics", "pair_statistics",
    "metrics", "decompositions", "worst_segments", "comparisons",
)  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return rows_of()


@pytest.fixture(scope="module")
def written(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """All tables after one run over the range."""
    kiosk = a_kiosk(tmp_path_factory.mktemp("kiosk"), rows)
    kiosk.run(days(1, LAST), *STAGES)
    return everything(kiosk)


def everything(kiosk: Kiosk) -> dict[str, pd.DataFrame]:
    waist = ("prediction_statistics", "label_statistics", "outcome_statistics")
    with kiosk.warehouse() as warehouse:
        return {name: warehouse.read(name) for name in (*TABLES, *waist)}


def one(table: pd.DataFrame, **keys: object) -> pd.Series:
    for name, value in keys.items():
        table = table[table[name] == (pd.Timestamp(str(value)) if name == "day" else value)]
    assert len(table) == 1, f"{keys}: {len(table)} rows"
    return table.iloc[0]


def window(rows: pd.DataFrame, last: int, length: int) -> pd.DataFrame:
    return rows[rows["number"].between(last - length + 1, last)]


# a night is a pure function ------------------------------------------------------------------------------------


def test_nights_in_any_order_and_twice_write_what_one_range_writes(
    rows: pd.DataFrame, written: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> None:
    kiosk = a_kiosk(tmp_path_factory.mktemp("kiosk"), rows)
    for number in (3, 1, 7, 5, 8, 10, 9, 6):
        kiosk.run(days(number, number), *STAGES)
    again = everything(kiosk)
    for name in TABLES:
        assert len(written[name]), name
        pd.testing.assert_frame_equal(again[name], written[name], check_exact=True)


# parts and wholes ----------------------------------------------------------------------------------------------


def test_pairs_of_segments_sum_to_each_of_both(written: dict[str, pd.DataFrame]) -> None:
    crossed = written["crossed_statistics"]
    parts = crossed["segment"].str.split(",", expand=True)
    counts = crossed.columns[4:]
    singles = written["label_statistics"]
    singles = singles[(singles["version"] == "all") & (singles["segment"] != "all")]
    for place in (0, 1):
        summed = crossed.groupby([crossed["day"], crossed["known_day"], parts[place].rename("segment")])[
            list(counts)
        ].sum()
        labelled = singles.groupby(["day", "known_day", "segment"])["n"].sum()
        for key, n in labelled[labelled.index.get_level_values("segment").isin(set(parts[place]))].items():
            assert summed.loc[key, "n_labelled"] == n


def test_a_named_pair_has_figures_of_its_own(rows: pd.DataFrame, written: dict[str, pd.DataFrame]) -> None:
    known = known_by(rows, 3)
    mine = known[(known["number"] == 7) & (known["country"] == "FR") & (known["device"] == "phone")]
    row = one(
        written["metrics"], day=day(7), metric="accuracy", label_age=3, version="all", segment="country=FR,device=phone"
    )
    assert row["value"] == pytest.approx(accuracy_score(mine["label"], mine["decision"]))
    assert row["n"] == len(mine)


def test_acted_on_and_not_acted_on_sum_to_the_outcomes(written: dict[str, pd.DataFrame]) -> None:
    keys, sums = ["day", "known_day", "version"], ["n", "n_converted", "value_sum", "value_square_sum"]
    acted = written["action_statistics"].groupby(keys)[sums].sum()
    whole = written["outcome_statistics"]
    whole = whole[(whole["segment"] == "all") & ~whole["version"].str.startswith("shadow")]
    whole = whole.set_index(keys)[sums].sort_index()
    pd.testing.assert_frame_equal(acted.loc[whole.index], whole, check_dtype=False)


def test_missing_values_are_counted_for_every_segment(rows: pd.DataFrame, written: dict[str, pd.DataFrame]) -> None:
    table = written["missing_statistics"]
    for (number, device), part in rows.groupby(["number", "device"]):
        found = table[
            (table["day"] == pd.Timestamp(day(number)))
            & (table["segment"] == f"device={device}")
            & (table["version"] == "all")
        ]
        assert found["n"].sum() == part["price"].isna().sum()


# fairness ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 7, 10])
def test_selection_rates_and_their_gaps_are_those_of_the_rows(
    rows: pd.DataFrame, written: dict[str, pd.DataFrame], number: int
) -> None:
    """fairlearn's definitions, by pandas; statsmodels for the intervals."""
    near = window(rows, number, 4)
    rates = near.groupby("country")["decision"].agg(["sum", "count"])
    for country, (hits, n) in rates.iterrows():
        row = one(
            written["metrics"], day=day(number), metric="selection_rate", version="all", segment=f"country={country}"
        )
        assert row["value"] == pytest.approx(hits / n)
        assert (row["lower"], row["upper"]) == pytest.approx(proportion_confint(hits, n, method="wilson"))
    share = (rates["sum"] / rates["count"]).sort_values()
    gap = one(
        written["metrics"], day=day(number), metric="demographic_parity_difference", version="all", segment="country=*"
    )
    assert gap["value"] == pytest.approx(share.iloc[-1] - share.iloc[0])
    high, low = rates.loc[share.index[-1]], rates.loc[share.index[0]]
    upper = confint_proportions_2indep(high["sum"], high["count"], low["sum"], low["count"], method="newcomb")[1]
    assert gap["upper"] == pytest.approx(upper)
    times = one(
        written["metrics"], day=day(number), metric="demographic_parity_ratio", version="all", segment="country=*"
    )
    assert times["value"] == pytest.approx(share.iloc[0] / share.iloc[-1])


@pytest.mark.parametrize("age", AGES)
def test_equalized_odds_and_opportunity_are_those_of_the_rows(
    rows: pd.DataFrame, written: dict[str, pd.DataFrame], age: int
) -> None:
    number = 7
    near = window(known_by(rows, age), number, 4)

    def by_device(positive: int) -> pd.Series:
        part = near[near["label"] == positive].groupby("device")["decision"].agg(["mean", "count"])
        return part.loc[part["count"] >= 5, "mean"]

    tpr, fpr = by_device(1), by_device(0)
    keys = {"day": day(number), "label_age": age, "version": "all", "segment": "device=*"}
    odds = one(written["metrics"], metric="equalized_odds_difference", **keys)
    assert odds["value"] == pytest.approx(max(tpr.max() - tpr.min(), fpr.max() - fpr.min()))
    assert one(written["metrics"], metric="equal_opportunity_difference", **keys)["value"] == pytest.approx(
        tpr.max() - tpr.min()
    )
    ratio = one(written["metrics"], metric="equalized_odds_ratio", **keys)
    assert ratio["value"] == pytest.approx(min(tpr.min() / tpr.max(), fpr.min() / fpr.max()))


@pytest.mark.parametrize("age", AGES)
def test_every_rate_has_a_gap_and_a_ratio_between_groups_as_fairlearn_defines_them(
    rows: pd.DataFrame, written: dict[str, pd.DataFrame], age: int
) -> None:
    """MetricFrame.difference is max - min over the groups, MetricFrame.ratio min / max; rates by scikit-learn."""
    near = window(known_by(rows, age), 7, 4)
    keys = {"day": day(7), "label_age": age, "version": "all", "segment": "device=*"}

    def rates(measure: Any, least: Any) -> list[float]:
        groups = [part for _, part in near.groupby("device") if least(part) >= 5]
        return [measure(part) for part in groups]

    measured = {
        "equal_opportunity": rates(
            lambda part: recall_score(part["label"], part["decision"]), lambda part: part["label"].sum()
        ),
        "predictive_equality": rates(
            lambda part: 1 - recall_score(1 - part["label"], 1 - part["decision"]),
            lambda part: (1 - part["label"]).sum(),
        ),
        "predictive_parity": rates(
            lambda part: precision_score(part["label"], part["decision"]), lambda part: part["decision"].sum()
        ),
    }
    for name, found in measured.items():
        gap, times = (one(written["metrics"], metric=f"{name}_{kind}", **keys) for kind in ("difference", "ratio"))
        assert gap["value"] == pytest.approx(max(found) - min(found))
        assert times["value"] == pytest.approx(min(found) / max(found))
        assert gap["lower"] <= gap["value"] <= gap["upper"]
        assert times["lower"] <= times["value"] <= times["upper"]
    odds = one(written["metrics"], metric="equalized_odds_difference", **keys)["value"]
    assert odds == pytest.approx(max(max(found) - min(found) for found in list(measured.values())[:2]))


def test_rates_of_a_group_are_scikit_learns(rows: pd.DataFrame, written: dict[str, pd.DataFrame]) -> None:
    near = window(known_by(rows, 3), 7, 4)
    mine = near[near["country"] == "DE"]
    keys = {"day": day(7), "label_age": 3, "version": "all", "segment": "country=DE"}
    label, decision = mine["label"], mine["decision"]
    for metric, expected in {
        "true_positive_rate": recall_score(label, decision),
        "false_positive_rate": 1 - recall_score(1 - label, 1 - decision),
        "positive_predictive_value": precision_score(label, decision),
    }.items():
        assert one(written["metrics"], metric=metric, **keys)["value"] == pytest.approx(expected)


def test_a_new_version_is_judged_by_its_own_days_only(rows: pd.DataFrame, written: dict[str, pd.DataFrame]) -> None:
    near = window(rows[rows["version"] == "v2"], 7, 4)
    row = one(written["metrics"], day=day(7), metric="selection_rate", version="v2", segment="country=DE")
    assert row["n"] == (near["country"] == "DE").sum()


def test_without_protected_segments_nothing_is_said_of_fairness(rows: pd.DataFrame, tmp_path: Path) -> None:
    kiosk = a_kiosk(tmp_path, rows[rows["number"] <= 2], protected=[])
    kiosk.run(days(1, 2), *STAGES)
    assert not kiosk.table("metrics")["metric"].isin(["selection_rate", "demographic_parity_ratio"]).any()


# business ------------------------------------------------------------------------------------------------------


def test_clicks_and_lift_are_those_of_the_rows(rows: pd.DataFrame, written: dict[str, pd.DataFrame]) -> None:
    known = rows[(rows["number"] == 7) & (rows["outcome_age"] <= 1)]
    keys = {"day": day(7), "label_age": 1, "version": "all"}
    assert one(written["metrics"], metric="click_through", **keys)["value"] == pytest.approx(known["clicked"].mean())
    acted, others = (known.loc[known["decision"] == side, "converted"] for side in (1, 0))
    counts = acted.sum(), len(acted), others.sum(), len(others)
    lift = one(written["metrics"], metric="lift", **keys)
    assert lift["value"] == pytest.approx(acted.mean() - others.mean())
    assert (lift["lower"], lift["upper"]) == pytest.approx(confint_proportions_2indep(*counts, method="newcomb"))
    ratio = one(written["metrics"], metric="lift_ratio", **keys)
    assert ratio["value"] == pytest.approx(acted.mean() / others.mean())
    expected = confint_proportions_2indep(*counts, method="log", compare="ratio")
    assert (ratio["lower"], ratio["upper"]) == pytest.approx(expected)


def test_a_new_version_is_held_against_the_days_before_it(rows: pd.DataFrame, written: dict[str, pd.DataFrame]) -> None:
    """statsmodels' z, divided by how unlike the days before were: Pearson's chi-square over its degrees of freedom."""
    known = known_by(rows, 1).assign(hit=lambda frame: frame["label"] == frame["decision"])
    new = known[known["number"].between(CHANGE, 8)]
    old = known[known["number"] < CHANGE]
    z = proportions_ztest([new["hit"].sum(), old["hit"].sum()], [len(new), len(old)])[0]
    daily = old.groupby("number")["hit"].agg(["sum", "count"])
    share = (len(old[old["hit"]]) + 1) / (len(old) + 2)
    plain = old["hit"].mean()
    chi = ((daily["sum"] - daily["count"] * plain) ** 2 / daily["count"]).sum() / (share * (1 - share))
    times = max(1.0, chi / (len(daily) - 1))
    keys = {"day": day(8), "label_age": 1, "version": "v2"}
    model = one(written["metrics"], metric="model_change_z", **keys)
    assert model["value"] == pytest.approx(z / np.sqrt(times))
    business = one(written["metrics"], metric="business_change_z", **keys)["value"]
    guard = one(written["metrics"], metric="model_up_business_down", **keys)
    assert guard["value"] == min(model["value"], -business)
    reverse = one(written["metrics"], metric="model_down_business_up", **keys)
    assert reverse["value"] == min(-model["value"], business)


def test_the_first_version_replaces_none(written: dict[str, pd.DataFrame]) -> None:
    changes = written["metrics"][written["metrics"]["metric"] == "model_change_z"]
    assert set(changes["version"]) == {"v2"}
    assert changes["day"].min() == pd.Timestamp(day(CHANGE))


# why -----------------------------------------------------------------------------------------------------------


def test_causes_sum_over_the_parts_to_the_change(written: dict[str, pd.DataFrame]) -> None:
    table = written["decompositions"].assign(label_age=lambda frame: frame["label_age"].fillna(-1))
    keys = ["day", "label_age", "metric", "feature", "dimension"]
    whole = table[table["segment"] == "all"].set_index(keys)
    parts = table[table["segment"] != "all"].groupby(keys)[["change", "mix", "base", "coverage", "rate"]].sum()
    assert set(whole.index.get_level_values("metric")) == {
        "accuracy", "recall", "precision", "coverage", "conversion", "missing_rate",
    }  # fmt: skip
    assert set(whole.index.get_level_values("dimension")) == {"country", "device", "country,device", "version"}
    pd.testing.assert_frame_equal(whole[parts.columns].sort_index(), parts.sort_index(), rtol=0, atol=1e-12)
    assert (whole["change"] - (whole["value"] - whole["former"])).abs().max() < 1e-12
    causes = whole["mix"] + whole["base"] + whole["coverage"] + whole["rate"]
    assert (whole["change"] - causes).abs().max() < 1e-12


def test_the_former_figure_is_that_of_the_recent_window(rows: pd.DataFrame, written: dict[str, pd.DataFrame]) -> None:
    known = known_by(rows, 1).assign(hit=lambda frame: frame["label"] == frame["decision"])
    past = window(known, 8 - 1, 7)
    row = one(written["decompositions"], day=day(8), metric="accuracy", label_age=1, dimension="country", segment="all")
    assert row["former"] == pytest.approx(past["hit"].mean())
    assert row["former_n"] == len(past)
    part = one(
        written["decompositions"], day=day(8), metric="accuracy", label_age=1, dimension="country", segment="country=FR"
    )
    assert part["value"] == pytest.approx(known[(known["number"] == 8) & (known["country"] == "FR")]["hit"].mean())


def test_the_worst_segments_are_segments_and_pairs_and_never_small(written: dict[str, pd.DataFrame]) -> None:
    table = written["worst_segments"]
    assert (table["n"] >= 5).all()
    assert (table["z"] < 0).all()
    assert table["segment"].str.contains(",").any()
    assert (table["q_value"] >= table["p_value"]).all()
    ranks = table.groupby(["day", "label_age", "metric"])["rank"].agg(["min", "max", "count"])
    assert (ranks["min"] == 1).all()
    assert (ranks["max"] == ranks["count"]).all()


def test_a_pair_that_fails_is_found_first(tmp_path: Path) -> None:
    """On day 9 phones in France are decided wrongly; neither all phones nor all of France are."""
    rows = rows_of(11)
    broken = (rows["number"] == 9) & (rows["country"] == "FR") & (rows["device"] == "phone")
    rows["decision"] = np.where(broken, 1 - rows["first_label"], rows["first_label"])
    rows["label_age"] = 1
    kiosk = a_kiosk(tmp_path, rows, crossed=None, protected=[])
    kiosk.run(days(1, LAST), *STAGES)
    found = kiosk.table("worst_segments")
    first = one(found, day=day(9), label_age=1, metric="accuracy", rank=1)
    assert first["segment"] == "country=FR,device=phone"
    assert first["found"]
    assert not found.loc[(found["day"] == pd.Timestamp(day(8))) & (found["metric"] == "accuracy"), "found"].any()


# versions ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def met(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the last three days to day 8 that v2 and the shadow both answered."""
    return window(rows, 8, 3)


@pytest.mark.parametrize("age", AGES)
def test_accuracies_on_the_same_rows_are_those_of_the_rows(
    met: pd.DataFrame, written: dict[str, pd.DataFrame], age: int
) -> None:
    number = 8 if age == 1 else 7
    known = known_by(rows_of(), age)
    known = known[known["number"].between(max(CHANGE, number - 2), number)]
    row = one(
        written["comparisons"], day=day(number), label_age=age, other="shadow:v1", metric="accuracy", basis="same rows"
    )
    live, other = (known[name] == known["label"] for name in ("decision", "other_decision"))
    assert row["value"] == pytest.approx(accuracy_score(known["label"], known["decision"]))
    assert row["other_value"] == pytest.approx(accuracy_score(known["label"], known["other_decision"]))
    table = [[(live & other).sum(), (live & ~other).sum()], [(~live & other).sum(), (~live & ~other).sum()]]
    assert row["p_value"] == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert row["lower"] < row["difference"] < row["upper"]


def test_agreement_needs_no_labels(met: pd.DataFrame, written: dict[str, pd.DataFrame]) -> None:
    row = one(written["comparisons"], day=day(8), label_age=1, other="shadow:v1", metric="agreement")
    assert row["value"] == pytest.approx((met["decision"] == met["other_decision"]).mean())
    assert row["n"] == len(met)


def test_rankings_are_weighted_means_of_the_days_aucs(rows: pd.DataFrame, written: dict[str, pd.DataFrame]) -> None:
    """scikit-learn's AUC of each day, of scores in steps of 0.01, weighted by P Q / (P + Q)."""
    known = known_by(rows, 1)
    known = known[known["number"].between(CHANGE, 8)]
    weights, aucs = [], []
    for _, part in known.groupby("number"):
        positives, negatives = part["label"].sum(), (1 - part["label"]).sum()
        weights.append(positives * negatives / (positives + negatives))
        binned = [np.minimum(np.floor(np.floor(part[name] * 1000) / 10), 99) for name in ("score", "other_score")]
        aucs.append([roc_auc_score(part["label"], one_of) for one_of in binned])
    expected = np.average(aucs, axis=0, weights=weights)
    row = one(written["comparisons"], day=day(8), label_age=1, other="shadow:v1", metric="roc_auc")
    assert (row["value"], row["other_value"]) == pytest.approx(tuple(expected))


def test_every_pair_has_a_verdict_and_a_reason(written: dict[str, pd.DataFrame]) -> None:
    table = written["comparisons"]
    verdicts = table[table["metric"] == "verdict"]
    assert set(verdicts["verdict"]) <= {"keep", "promote", "roll back", "contradictory", "not yet known"}
    assert verdicts["reason"].str.len().min() > 10
    pairs = table.loc[table["metric"] == "accuracy", ["day", "label_age", "version", "other"]].drop_duplicates()
    assert len(pairs) == len(verdicts)


def test_the_shadow_has_no_say_before_it_is_there(written: dict[str, pd.DataFrame]) -> None:
    table = written["comparisons"]
    assert table["day"].min() == pd.Timestamp(day(CHANGE))
    assert pd.Timestamp(day(SILENT)) not in set(table["day"])


# the least spec ------------------------------------------------------------------------------------------------


@pytest.fixture
def score_and_label(rows: pd.DataFrame, tmp_path: Path) -> Kiosk:
    kiosk = a_kiosk(tmp_path, rows)
    least = {"others": [], "outcomes": None, "features": {}, "segments": [], "crossed": None, "protected": []}
    kiosk.changes |= least | {"reference": {}}
    kiosk.changes["predictions"] = {"path": f"{kiosk.root}/predictions/{{day}}.csv"}
    return kiosk


def test_a_spec_with_a_score_and_a_label_only_works(score_and_label: Kiosk) -> None:
    score_and_label.run(days(1, LAST), *STAGES)
    assert score_and_label.table("decompositions").empty or set(
        score_and_label.table("decompositions")["dimension"]
    ) == {"version"}
    assert score_and_label.table("comparisons").empty
    assert score_and_label.table("worst_segments").empty
    assert "accuracy" in set(score_and_label.table("metrics")["metric"])
