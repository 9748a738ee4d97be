"""A model's figures of a night together: who is told beside another, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from jobs.methods import expected
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
    whole = expected.leant(expected.budgeted(told(reach), Detection()), asked, Detection(), day(30))
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
