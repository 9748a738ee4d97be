"""A model's figures of a night together: who is told beside another, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from jobs.methods import expected, recurring
from jobs.spec.judging import Detection, Rule
from tests.unit.methods.given_series import day

if TYPE_CHECKING:
    from collections.abc import Mapping

RULE = Rule(metric="latency_p95", outside="expected")
VOLUME = Rule(metric="volume", outside="expected")


def told(reach: Mapping[str, float], number: int = 30) -> pd.DataFrame:
    """Ten series on 31 days, all as expected but on day `number`."""
    names = [*reach, *(f"quiet_{k}" for k in range(10 - len(reach)))]
    known = [name if name in reach else "psi" for name in names]
    return pd.DataFrame(
        [
            {
                "metric": metric, "version": "all", "feature": "" if metric == name else name, "segment": "all",
                "label_age": None, "age": 0, "day": pd.Timestamp(day(at)), "night": pd.Timestamp(day(at)), "n": 1000,
                "value": 180.0, "expected": 100.0, "lower": 80.0, "upper": 125.0, "state": "evaluated", "reason": None,
                "detector": "prophet", "note": "", **dict.fromkeys(("distance", "reach"), reach.get(name, 0.2) if at == number else 0.2),
            }
            for metric, name in zip(known, names, strict=True)
            for at in range(31)
        ]
    )  # fmt: skip


def of_the_night(reach: Mapping[str, float], other: Rule = VOLUME) -> pd.Series:
    asked = [RULE, other]
    whole = expected.leant(expected.budgeted(told(reach), asked, Detection(), day(30)), asked, Detection(), day(30))
    verdicts = expected.judge(RULE, whole, Detection(), day(30))
    return verdicts[verdicts["night"] == pd.Timestamp(day(30))].squeeze()


def test_a_latency_inside_its_range_is_told_only_beside_a_volume_that_goes_out() -> None:
    alone, beside = (of_the_night({"latency_p95": 3.4, "volume": volume}) for volume in (0.3, -6.0))
    assert (alone["verdict"], alone["reason"]) == ("ok", "within the expected range")
    assert beside["verdict"] == "breach"
    assert beside["reason"] == (
        "latency p95 180 ms is above the expected 100 ms (80 ms to 125 ms), 3.4 deviations away, "
        "on a day on which other figures left their range"
    )


def test_a_figure_that_goes_out_by_itself_does_not_lean_on_others() -> None:
    one = of_the_night({"latency_p95": 6.0, "volume": -6.0})
    assert one["verdict"] == "breach"
    assert one["reason"].endswith("6.0 deviations away")


@pytest.mark.parametrize("reach", [3.2, -3.4])
def test_too_little_or_on_the_harmless_side_is_no_breach_beside_another_either(reach: float) -> None:
    assert of_the_night({"latency_p95": reach, "volume": -6.0})["verdict"] == "ok"


@pytest.mark.parametrize("change", [{"severity": "info"}, {"nights": 2}, {"min_effect": "90%"}])
def test_what_wakes_nobody_lowers_nobodys_limit(change: dict[str, Any]) -> None:
    one = of_the_night({"latency_p95": 3.4, "volume": -6.0}, Rule(metric="volume", outside="expected", **change))
    assert one["verdict"] == "ok"


def with_a_past(*before: float, now: float, n: int = 1000, **last: Any) -> pd.Series:
    """The verdict on a latency that went as far as `before` on days three weeks apart, and goes as far as `now`."""
    one = told({"latency_p95": 0.2}).head(1)
    count = 21 * len(before) + 31
    days = pd.date_range(pd.Timestamp(day(0)), periods=count)
    reach, rows = np.full(count, 0.2), np.full(count, 1000)
    reach[21 * np.arange(len(before))], rows[21 * np.arange(len(before))] = before, n
    reach[-1] = now
    latency = pd.DataFrame(one.to_dict("records") * count).assign(
        day=days, night=days, reach=reach, distance=reach, n=rows
    )
    for name, value in last.items():
        latency.loc[count - 1, name] = value
    end = days[-1].date()
    whole = expected.leant(expected.budgeted(latency, [RULE], Detection(), end), [RULE], Detection(), end)
    return expected.judge(RULE, whole, Detection(), end).squeeze()


def test_the_fourth_time_is_not_told_unless_it_goes_farther() -> None:
    usual, far, first = with_a_past(6.0, 6.0, 6.0, now=6.0), with_a_past(6.0, 6.0, 6.0, now=7.0), with_a_past(now=6.0)
    assert (first["verdict"], far["verdict"], usual["verdict"]) == ("breach", "breach", "ok")
    assert usual["reason"] == (
        "outside the expected range, as several times before: 6.0 deviations away, of 6.2 it would be told"
    )


def test_nights_together_are_not_said_to_be_outside_by_themselves() -> None:
    assert with_a_past(6.0, 6.0, 6.0, now=6.0, distance=2.0, detector="ewma")["reason"] == (
        "with the nights before it outside, as several times before: as rare as 6.0 deviations"
    )


def test_times_of_too_few_rows_are_no_times() -> None:
    assert with_a_past(6.0, 6.0, 6.0, now=6.0, n=RULE.min_n - 1)["verdict"] == "breach"


def test_among_many_series_the_farther_of_both_limits_counts() -> None:
    """A limit of 5 for all of a night, or 6.6 for a series that went to 6 three times: not the product of both."""
    limit, farther = np.array([5.0, 7.0]), np.array([1.65, 1.65])
    np.testing.assert_allclose(recurring.needed(limit, farther, 4.0), [6.6, 7.0])
    np.testing.assert_allclose(recurring.comparable(np.array([6.5, 6.7]), farther, 4.0), [6.5 / 1.65, 6.7])


def test_better_than_usual_again_and_again_makes_no_harm_bearable() -> None:
    assert with_a_past(-6.0, -6.0, -6.0, now=6.0)["verdict"] == "breach"
