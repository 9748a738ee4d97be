"""Rules with a bound: worth having, more than chance, for long enough; and the sentences that say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportions_ztest

from jobs.methods import rules
from jobs.methods.rules import World
from jobs.spec.judging import Detection, Rule
from tests.unit.methods.given_figures import day, figures, together

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_WORLD = World(
    reference=pd.DataFrame({"version": [], "feature": [], "value": [], "n": []}).astype(
        {"version": str, "feature": str, "value": float, "n": float}
    ),
    first_days=pd.DataFrame({"version": pd.Series(dtype=str), "first_day": pd.Series(dtype="datetime64[us]")}),
)


def judge(
    given: Mapping[str, Any], told: pd.DataFrame, world: World = NO_WORLD, first: int = 0, **detection: Any
) -> pd.DataFrame:
    rule = Rule.model_validate(given)
    return rules.judge(rule, told, world, Detection(**detection), day(first))


def breaches(verdicts: pd.DataFrame) -> list[int]:
    """Numbers of the nights with a breach."""
    nights = verdicts.loc[verdicts["verdict"] == "breach", "night"]
    return sorted((nights - pd.Timestamp(day(0))).dt.days.tolist())


def only(verdicts: pd.DataFrame, number: int) -> Any:
    """The one verdict of a night."""
    (row,) = verdicts[verdicts["night"] == pd.Timestamp(day(number))].itertuples()
    return row


# what a figure is held against ----------------------------------------------------------------------------------


def test_a_drop_is_measured_from_the_median_of_the_days_up_to_the_gap() -> None:
    value = np.r_[np.full(40, 0.9), np.full(60, 0.7)]
    verdicts = judge({"metric": "accuracy", "drop": "10%"}, figures("accuracy", value, age=1))
    assert only(verdicts, 41).expected == 0.9  # day 40, the first bad one
    assert only(verdicts, 41).verdict == "breach"
    assert only(verdicts, 41).lower == pytest.approx(0.81)
    # The window of 56 days ends 14 days before: for day 81 it is 12 to 67, of which half are bad.
    assert breaches(verdicts) == list(range(41, 83))
    assert only(verdicts, 82).expected == pytest.approx(0.8)
    assert only(verdicts, 83).expected == 0.7


def test_a_fault_does_not_teach_itself_within_the_gap() -> None:
    value = np.r_[np.full(60, 0.9), np.full(14, 0.5)]
    verdicts = judge({"metric": "accuracy", "drop": "10%"}, figures("accuracy", value))
    assert set(verdicts.loc[verdicts["verdict"] == "breach", "expected"]) == {0.9}


def test_fewer_than_14_days_in_the_window_are_not_enough_to_call_anything_usual() -> None:
    verdicts = judge({"metric": "accuracy", "drop": "10%"}, figures("accuracy", 0.9))
    assert only(verdicts, 22).reason == "only 9 nights of history in the recent window, 14 needed"
    assert only(verdicts, 26).verdict == "not_evaluated"
    assert only(verdicts, 27).verdict == "ok"


def test_labels_of_another_age_are_another_series() -> None:
    """Accuracy at age 1 is lower than at age 7 as a rule; neither is held against the other."""
    told = together(figures("accuracy", 0.70, age=1), figures("accuracy", 0.95, age=7))
    verdicts = judge({"metric": "accuracy", "drop": "10%"}, told)
    assert breaches(verdicts) == []
    assert set(verdicts.loc[verdicts["verdict"] == "ok", "label_age"]) == {1, 7}
    assert judge({"metric": "accuracy", "drop": "10%", "ages": [7]}, told)["label_age"].unique().tolist() == [7]


def test_missing_values_are_held_against_the_reference() -> None:
    world = World(
        pd.DataFrame({"version": ["all"], "feature": ["age"], "value": [0.02], "n": [10_000]}), NO_WORLD.first_days
    )
    told = together(
        figures("missing_rate", [0.02, 0.05, 0.09], feature="age"),
        figures("psi", [0.01, 0.01, 0.02], feature="age"),
    )
    verdicts = judge({"metric": "missing_rate", "rise": "5pp", "against": "reference"}, told, world)
    assert breaches(verdicts) == [2]
    assert only(verdicts, 2).reason == "missing values 9.0 % is above 7.0 %; in the reference 2.0 %"


def test_without_a_reference_missing_values_are_not_judged() -> None:
    told = together(
        figures("missing_rate", [0.5], feature="age"),
        figures("psi", [np.nan], feature="age").assign(reason="the reference window has not ended"),
    )
    verdicts = judge({"metric": "missing_rate", "rise": "5pp", "against": "reference"}, told)
    assert only(verdicts, 0).verdict == "not_evaluated"
    assert only(verdicts, 0).reason == "the reference window has not ended"


def test_other_metrics_have_no_reference_and_say_so() -> None:
    verdicts = judge({"metric": "accuracy", "drop": "5pp", "against": "reference"}, figures("accuracy", 0.9, days=3))
    assert verdicts["reason"].unique().tolist() == ["the reference keeps no accuracy"]


# more than chance -----------------------------------------------------------------------------------------------


def test_eight_of_ten_is_no_breach_of_ninety_percent_and_eight_thousand_of_ten_thousand_is() -> None:
    rule = {"metric": "accuracy", "below": 0.9, "min_n": 1}
    few, many = (judge(rule, figures("accuracy", [0.8], n)) for n in (10, 10_000))
    assert breaches(few) == []
    assert only(few, 0).reason == "beyond the bound, but chance explains it for this n"
    assert breaches(many) == [0]


def test_the_chance_test_is_the_pooled_two_sample_test_of_proportions() -> None:
    """Source: statsmodels.stats.proportion.proportions_ztest, 0.85 of 400 against 0.9 of 56 days of 1000."""
    value, n = np.r_[np.full(80, 0.9), 0.85], [1000] * 80 + [400]
    verdicts = judge({"metric": "accuracy", "drop": "1%"}, figures("accuracy", value, n))
    z, _ = proportions_ztest([340, 50_400], [400, 56_000])
    assert only(verdicts, 80).distance == pytest.approx(z)


def test_twelve_rows_are_not_judged_where_the_rule_needs_fifty() -> None:
    verdicts = judge({"metric": "accuracy", "below": 0.9}, figures("accuracy", [0.1], 12))
    assert (only(verdicts, 0).verdict, only(verdicts, 0).reason) == ("not_evaluated", "12 rows, rule needs 50")


def test_a_volume_of_twelve_is_judged_because_it_is_no_sample() -> None:
    verdicts = judge({"metric": "volume", "below": 500}, figures("volume", [12.0], 12))
    assert breaches(verdicts) == [0]


def test_many_series_share_the_error_rate_of_the_night() -> None:
    """z = -2.5 is beyond 1 % for one series and not for 90 (whose level is 0.011 %, z = -3.69)."""
    value = 0.9 - 2.5 * (0.9 * 0.1 / 1000) ** 0.5
    rule = {"metric": "accuracy", "below": 0.9, "segments": "each"}
    one = figures("accuracy", [value], segment="shop=0")
    others = [figures("accuracy", [0.9], segment=f"shop={number}") for number in range(1, 90)]
    assert breaches(judge(rule, one)) == [0]
    assert breaches(judge(rule, together(one, *others))) == []


def test_one_of_ninety_segments_that_falls_by_eighty_percent_is_found_that_night() -> None:
    """Source: databrickslabs/dqx, thread 1484; 90 segments of 200 rows, drawn with seed 11."""
    rng = np.random.default_rng(11)
    parts = [figures("conversion", rng.binomial(200, 0.3, 80) / 200, 200, segment=f"shop={k}") for k in range(90)]
    parts[17].loc[79, "value"] = 0.06
    verdicts = judge({"metric": "conversion", "drop": "10%", "segments": "each"}, together(*parts), first=79)
    found = verdicts[verdicts["verdict"] == "breach"]
    assert found["segment"].tolist() == ["shop=17"]


def test_false_alarms_of_a_quiet_year_stay_within_the_error_rate() -> None:
    """20 series x 300 nights at 1 % a night for all together: 3 nights are expected, 9 would be one chance in 300."""
    rng = np.random.default_rng(7)
    parts = [figures("accuracy", rng.binomial(300, 0.8, 300) / 300, 300, segment=f"s={k}") for k in range(20)]
    verdicts = judge({"metric": "accuracy", "below": 0.8, "segments": "each"}, together(*parts))
    assert 0 < len(set(breaches(verdicts))) < 9


@pytest.mark.parametrize("metric", ["js", "wasserstein", "chi2", "l_infinity", "hellinger"])
def test_every_distance_must_pass_its_threshold_and_what_chance_alone_would_give(metric: str) -> None:
    told = together(
        figures(metric, [0.25, 0.25, 0.15], 50, feature="age"),
        figures(f"{metric}_null_limit", [0.43, 0.10, 0.10], 50, feature="age"),
    )
    assert breaches(judge({"metric": metric, "above": 0.2}, told)) == [1]


def test_a_kolmogorov_smirnov_distance_must_be_improbable_too() -> None:
    """The night's error rate of 1 % is shared between its two features: 0.004 is rare enough, 0.006 is not."""
    told = together(
        *(figures("ks", [0.3, 0.3, 0.1], 50, feature=name) for name in ("age", "income")),
        *(figures("ks_p", [0.006, 0.004, 0.001], 50, feature=name) for name in ("age", "income")),
    )
    verdicts = judge({"metric": "ks", "above": 0.2}, told, error_rate=0.01)
    assert breaches(verdicts) == [1, 1]


def test_psi_must_pass_its_threshold_and_what_chance_alone_would_give() -> None:
    told = together(
        figures("psi", [0.25, 0.25], 50, feature="age"),
        figures("psi_null_limit", [0.43, 0.10], 50, feature="age"),
    )
    verdicts = judge({"metric": "psi", "above": 0.2}, told)
    assert breaches(verdicts) == [1]
    assert (only(verdicts, 0).upper, only(verdicts, 1).upper) == (0.43, 0.2)


def test_a_mean_is_judged_by_its_interval() -> None:
    rule = {"metric": "value_per_prediction", "below": 10.0}
    assert breaches(judge(rule, figures("value_per_prediction", [9.0], spread=2.0))) == []
    assert breaches(judge(rule, figures("value_per_prediction", [9.0], spread=0.2))) == [0]


# nights ---------------------------------------------------------------------------------------------------------


def test_two_nights_in_a_row_are_needed_and_the_first_says_so() -> None:
    verdicts = judge({"metric": "psi", "above": 0.2, "nights": 2}, figures("psi", [0.1, 0.3, 0.1, 0.3, 0.3, 0.3]))
    assert breaches(verdicts) == [4, 5]
    assert only(verdicts, 1).reason == "beyond the bound 1 of 2 nights"
    assert (only(verdicts, 1).verdict, only(verdicts, 3).verdict) == ("ok", "ok")


def test_a_night_without_judgement_neither_counts_nor_breaks_the_row() -> None:
    verdicts = judge({"metric": "psi", "above": 0.2, "nights": 2}, figures("psi", [0.3, np.nan, np.nan, 0.3]))
    assert breaches(verdicts) == [3]


def test_a_row_of_nights_does_not_span_a_month_without_judgement() -> None:
    value = np.r_[0.3, np.full(28, np.nan), 0.3, 0.3]
    verdicts = judge({"metric": "psi", "above": 0.2, "nights": 2}, figures("psi", value))
    assert breaches(verdicts) == [30]


def test_waiting_for_nights_asks_each_of_them_for_less_certainty() -> None:
    """z = -2.0 on two nights: 2.3 % each, 0.05 % together, which is rarer than 1 %; one night alone is not."""
    value = 0.8 - 2.0 * (0.8 * 0.2 / 400) ** 0.5
    told = figures("accuracy", [value, value], 400)
    assert breaches(judge({"metric": "accuracy", "below": 0.8}, told)) == []
    assert breaches(judge({"metric": "accuracy", "below": 0.8, "nights": 2}, told)) == [1]


def test_a_night_alone_says_what_it_says_in_a_range() -> None:
    rng = np.random.default_rng(4)
    told = figures("psi", rng.uniform(0.1, 0.35, 200), feature="age")
    rule = Rule(metric="psi", above=0.2, nights=3)
    whole = rules.judge(rule, told, NO_WORLD, Detection(), day(0))
    needed = rules.lookback(rule, Detection())
    for number in (150, 171, 199):
        seen = told[
            (told["night"] <= pd.Timestamp(day(number))) & (told["night"] >= pd.Timestamp(day(number - needed)))
        ]
        night = rules.judge(rule, seen, NO_WORLD, Detection(), day(number))
        expected = whole[whole["night"] == pd.Timestamp(day(number))].reset_index(drop=True)
        pd.testing.assert_frame_equal(night, expected)


# a new version --------------------------------------------------------------------------------------------------


def versions_world(*changes: tuple[str, int]) -> World:
    first_days = pd.DataFrame(
        {"version": [name for name, _ in changes], "first_day": [pd.Timestamp(day(number)) for _, number in changes]}
    )
    return World(NO_WORLD.reference, first_days)


def rollout(new_rate: float, n: int = 200, days: int = 40) -> pd.DataFrame:
    """v1 for 40 days, then v2."""
    return together(
        figures("volume", float(n), n, days=40, version="v1"),
        figures("conversion", 0.20, n, days=40, version="v1", age=1),
        figures("volume", float(n), n, days=days, first=40, version="v2"),
        figures("conversion", new_rate, n, days=days, first=40, version="v2", age=1),
        figures("conversion", 0.20, n, days=40 + days, version="all", age=1),
    )


ROLLBACK = {"metric": "conversion", "drop": "5%", "against": "previous_version", "action": "rollback"}


def test_a_small_drop_shows_once_enough_nights_of_the_new_version_are_pooled() -> None:
    """0.175 against 0.20 of 5600: 200 rows a night are beyond chance (z = 2.33) from 1800 rows on, the ninth night."""
    verdicts = judge(ROLLBACK, rollout(0.175), versions_world(("v1", 0), ("v2", 40)))
    assert breaches(verdicts)[0] == 49
    z, _ = proportions_ztest([315, 1120], [1800, 5600])
    assert only(verdicts, 49).distance == pytest.approx(z)
    assert only(verdicts, 49).reason == "conversion 17.5 % is below 19.0 %; v1: 20.0 %"
    assert (only(verdicts, 49).version, only(verdicts, 49).n) == ("v2", 1800)


def test_a_version_is_new_for_28_nights_and_then_no_longer_judged() -> None:
    """v2 answers from day 40 on: nights 40 to 67, of which night 41 knows its first day."""
    verdicts = judge(ROLLBACK, rollout(0.15), versions_world(("v1", 0), ("v2", 40)))
    assert set(verdicts["version"]) == {"v2"}
    assert (verdicts["night"].min(), verdicts["night"].max()) == (pd.Timestamp(day(41)), pd.Timestamp(day(67)))
    assert len(verdicts) == 27


def test_a_better_version_is_no_breach() -> None:
    assert breaches(judge(ROLLBACK, rollout(0.25), versions_world(("v1", 0), ("v2", 40)))) == []


def test_the_first_version_is_held_against_nothing() -> None:
    told = together(figures("volume", 500.0, version="v1"), figures("conversion", 0.2, version="v1"))
    assert judge(ROLLBACK, told, versions_world(("v1", 0))).empty


def test_few_rows_of_a_new_version_wait_for_more() -> None:
    verdicts = judge(ROLLBACK, rollout(0.15, n=20), versions_world(("v1", 0), ("v2", 40)))
    assert only(verdicts, 41).reason == "20 rows, rule needs 50"
    assert only(verdicts, 43).verdict == "ok"


def test_only_the_newest_change_is_judged() -> None:
    told = together(
        rollout(0.15, days=5),
        figures("volume", 200.0, 200, days=10, first=45, version="v3"),
        figures("conversion", 0.15, 200, days=10, first=45, version="v3", age=1),
        figures("conversion", 0.15, 200, days=10, first=45, version="v2", age=1),
    )
    verdicts = judge(ROLLBACK, told, versions_world(("v1", 0), ("v2", 40), ("v3", 45)))
    assert verdicts.loc[verdicts["night"] >= pd.Timestamp(day(45)), "version"].unique().tolist() == ["v3"]


# what a rule is about -------------------------------------------------------------------------------------------


def test_live_versions_are_judged_together_where_they_are_summed_and_apart_where_not() -> None:
    summed = together(*(figures("accuracy", 0.5, days=2, version=name) for name in ("all", "v1", "v2")))
    apart = together(*(figures("psi", 0.5, days=2, version=name) for name in ("v1", "v2")))
    assert set(judge({"metric": "accuracy", "below": 0.8}, summed)["version"]) == {"all"}
    assert set(judge({"metric": "psi", "above": 0.2}, apart)["version"]) == {"v1", "v2"}


def test_a_rule_about_one_feature_leaves_the_others_alone() -> None:
    told = together(*(figures("psi", 0.5, days=2, feature=name) for name in ("age", "price")))
    assert set(judge({"metric": "psi", "above": 0.2, "features": ["age"]}, told)["feature"]) == {"age"}


def test_a_figure_that_was_not_evaluated_gives_its_own_reason() -> None:
    verdicts = judge({"metric": "accuracy", "below": 0.8}, figures("accuracy", [np.nan]))
    assert (only(verdicts, 0).verdict, only(verdicts, 0).reason) == ("not_evaluated", "no labels")
