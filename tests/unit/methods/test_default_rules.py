"""Whatever a model tells, classes or numbers, the default rules notice when it gets worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from jobs.methods import expected, rules
from jobs.methods.contrasts import pooled_z
from jobs.methods.search import overdispersion
from jobs.spec.judging import DEFAULT_RULES, Detection
from jobs.spec.model import ModelSpec
from tests.unit.methods.given_figures import day, figures, together
from tests.unit.methods.test_rules import NO_WORLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

MAIN = {"binary": "accuracy", "multiclass": "accuracy", "regression": "mae"}
BEFORE, SINCE = 80, 6


def spec_of(task: str) -> ModelSpec:
    columns = {"decision": "decision"} if task == "multiclass" else {}
    return ModelSpec.model_validate(
        {
            "model": "m",
            "task": task,
            "predictions": {"path": "{day}.csv", "columns": columns},
            "labels": {"path": "labels.csv"},
            "segments": ["customer"],
        }
    )


def told(metric: str, values: Sequence[float]) -> pd.DataFrame:
    """A series that stays as it was, but for its last nights; so for a segment too."""
    before, since = values
    series = np.concatenate([np.resize([before, before * 1.01], BEFORE), np.full(SINCE, since)])
    parts = (figures(metric, series.tolist(), segment=name, age=1, spread=0.01) for name in ("all", "customer=new"))
    return together(*parts)


def asked(metric: str, values: Sequence[float]) -> set[str]:
    """Names of the default rules that breach on the last night."""
    bounded = [rule for rule in DEFAULT_RULES if not rule.outside and rule.metric == metric]
    now = told(metric, values)
    found = [rules.judge(rule, now, NO_WORLD, Detection(), day(BEFORE + SINCE), bounded) for rule in bounded]
    return {rule for one in found for rule in one.loc[one["verdict"] == "breach", "rule"]}


@pytest.mark.parametrize("task", MAIN)
def test_a_model_of_every_task_has_the_same_rules_about_its_main_figure(task: str) -> None:
    mine = [rule for rule in spec_of(task).all_rules if rule.metric == MAIN[task] and rule.below is None]
    assert [(str(rule.drop or rule.rise), rule.segments, rule.severity, rule.action) for rule in mine] == [
        ("10%", "all", "warning", None),
        ("10%", "each", "warning", None),
        ("20%", "all", "critical", "retrain"),
        ("None", "all", "warning", None),
    ]
    assert mine[-1] in expected.outside_rules(spec_of(task))


def test_an_error_that_grows_is_told_and_asks_for_a_retraining() -> None:
    everything = {"mae rise 10%", "mae rise 10% by segment", "mae rise 20%"}
    assert asked("mae", (2.37, 13.47)) == everything
    assert asked("mae", (2.37, 2.37 * 1.15)) == everything - {"mae rise 20%"}
    assert asked("mae", (2.37, 1.2)) == set(), "a smaller error is no fault"


def test_classes_that_are_missed_are_told_whether_there_are_two_or_more() -> None:
    assert asked("recall", (0.8, 0.6)) == {"recall drop 15%"}
    assert asked("recall_macro", (0.8, 0.6)) == {"recall_macro drop 15%"}


@pytest.mark.parametrize("sign", [-1, 1], ids=["model_up_business_down", "model_down_business_up"])
@pytest.mark.parametrize(("rows", "share", "unlike"), [(400, 0.2, 0.0), (100, 0.05, 0.0), (3000, 0.05, 0.1)])
def test_a_launch_that_changes_one_figure_is_hardly_ever_told_to_change_both(
    rows: int, share: float, unlike: float, sign: int
) -> None:
    """One figure has truly changed, far beyond the limit; the other is as before, and is looked at on 28 nights.

    Days differ by `unlike` (lognormal), as conversion does, and the standard error is widened by what the 28 days
    before show of it. Two standard errors on one night told 7 to 14 % of such launches.
    """
    random, launches = np.random.default_rng(13), 4000
    days = np.exp(random.normal(0, unlike, (launches, 56)) - unlike**2 / 2)
    old, new = np.split(random.binomial(rows, share * days), 2, axis=1)
    before = old.sum(axis=1), (old**2 / rows).sum(axis=1)
    times = overdispersion(before[0], 28 * rows, before[1], 28)
    counted = np.arange(1, 29) * rows
    z = pooled_z(new.cumsum(axis=1), counted, before[0][:, None], 28 * rows) / np.sqrt(times)[:, None]
    rule = next(rule for rule in DEFAULT_RULES if rule.metric == "model_up_business_down")
    assert rule.above is not None
    assert rule.nights == 2
    far = sign * z > rule.above
    assert (far[:, 1:] & far[:, :-1]).any(axis=1).mean() <= 0.01 + 3 * np.sqrt(0.01 / launches)
    once = sign * z > 2
    assert once.any(axis=1).mean() > 0.06
