"""Gates keep out what is worse, rarely what is equal, and say so in figures that other libraries agree with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from jobs.methods import gates
from jobs.methods.importance import as_spec
from jobs.methods.probation import fallen, nights_watched

METRICS = ("accuracy", "recall", "roc_auc")


def answers(seed: int, n: int = 2000, worse_by: float = 0.0, only_in: str | None = None) -> tuple[Any, Any]:
    """Two models of the same truth; the candidate's answers are turned round in a share of rows."""
    made = np.random.default_rng(seed)
    label = made.binomial(1, 0.4, n)
    values = pd.DataFrame({"country": made.choice(list("abcdefgh"), n), "device": made.choice(["app", "web"], n)})
    rows = pd.DataFrame({"label": label})
    for name in ("champion", "candidate"):
        score = np.clip(label * 0.3 + made.normal(0.35, 0.2, n), 0.01, 0.99)
        turned = made.random(n) < (worse_by if name == "candidate" else 0)
        turned &= np.ones(n, dtype=bool) if only_in is None else (values["country"] == only_in).to_numpy()
        score = np.where(turned, 1 - score, score)
        rows[f"{name}_score"], rows[name] = score, (score >= 0.5).astype(int)
    return rows, values


def test_the_figures_are_scikit_learns_and_the_p_values_statsmodels() -> None:
    rows, _ = answers(3, worse_by=0.1)
    found = {one.metric: one for one in gates.compare(rows, "v1", METRICS)}
    for name, one, other in (("champion", "champion", "champion_score"), ("candidate", "candidate", "candidate_score")):
        expected = {
            "accuracy": accuracy_score(rows["label"], rows[one]),
            "recall": recall_score(rows["label"], rows[one]),
            "roc_auc": roc_auc_score(rows["label"], rows[other]),
        }
        assert {metric: getattr(found[metric], name) for metric in METRICS} == pytest.approx(expected)
    right = {name: rows[name] == rows["label"] for name in ("champion", "candidate")}
    table = pd.crosstab(right["champion"], right["candidate"])
    assert table.loc[True, False] > table.loc[False, True]
    alone = gates.compare(rows, "v1", ["accuracy"])[0]  # a family of one: nothing to adjust
    assert alone.p_worse == pytest.approx(mcnemar(table, exact=True).pvalue / 2)


def test_holm_is_statsmodels_and_leaves_out_what_was_not_judged() -> None:
    p = np.random.default_rng(1).random(30) ** 3
    assert gates.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert gates.holm([0.01, np.nan, 0.04]) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)


def test_equal_models_are_seldom_refused_over_all_metrics_and_segments_together() -> None:
    """Each family is held at 5 %: over 200 pairs of equal models, 10 refusals are expected, and 21 are one in 1000."""
    overall = parts = 0
    for seed in range(200):
        rows, values = answers(seed)
        overall += not gates.gate_of("", gates.compare(rows, "v1", METRICS)).passed
        found = gates.compare_segments(rows, values, "v1", METRICS, [("country",), ("device",)], 50)
        parts += not gates.gate_of("", found).passed
    assert max(overall, parts) <= 20


def test_one_bad_segment_of_ten_is_found() -> None:
    """A quarter of the answers of country c turned round: a loss of about 15 points on 1,500 rows."""
    for seed in range(10):
        rows, values = answers(seed, n=12_000, worse_by=0.25, only_in="c")
        gate = gates.gate_of("", gates.compare_segments(rows, values, "v1", METRICS, [("country",), ("device",)], 200))
        assert not gate.passed
        assert "of country=c" in gate.reason.partition(";")[0]


def test_small_segments_are_judged_together() -> None:
    rows, values = answers(1, n=4000)
    values["country"] = np.where(np.arange(4000) < 300, [f"rare{k % 30}" for k in range(4000)], "big")
    rows.loc[:299, "champion"] = rows.loc[:299, "label"]
    rows.loc[:299, "candidate"] = 1 - rows.loc[:299, "label"]
    found = gates.compare_segments(rows, values, "v1", ["accuracy"], [("country",)], 200)
    assert {one.segment: (one.n, one.verdict) for one in found} == {
        "country=(small)": (300, "worse"), "country=big": (3700, "ok"),
    }  # fmt: skip


def test_a_small_group_that_collapses_is_seen_though_it_is_alone() -> None:
    """150 rows, fewer than the 200 asked of a segment: the exact test needs no such number to be sure of a collapse."""
    rows, values = answers(1, n=5150)
    values["country"] = np.where(np.arange(5150) < 150, "LU", "DE")
    rows.loc[:149, "champion"] = rows.loc[:149, "label"]
    rows.loc[:149, "candidate"] = 1 - rows.loc[:149, "label"]
    found = gates.compare_segments(rows, values, "v1", ["accuracy"], [("country",)], 200)
    assert {one.segment: one.verdict for one in found} == {"country=(small)": "worse", "country=DE": "ok"}


def test_crossed_segments_see_what_neither_of_both_does() -> None:
    rows, values = answers(5, n=8000)
    bad = ((values["country"] == "a") & (values["device"] == "app")).to_numpy()
    rows.loc[bad, "candidate"] = 1 - rows.loc[bad, "label"]
    found = gates.compare_segments(rows, values, "v1", ["accuracy"], [("country", "device")], 200)
    assert [one.segment for one in found if one.verdict == "worse"] == ["country=a,device=app"]


def test_a_comparison_on_few_rows_rules_out_no_loss() -> None:
    few, many = (gates.compare(answers(9, n=n)[0], "v1", ["accuracy"]) for n in (100, 40_000))
    assert not gates.rules_out_loss(few, 0.02).passed
    assert gates.rules_out_loss(many, 0.02).passed
    assert "more labelled rows would tell" in gates.rules_out_loss(few, 0.02).reason


def test_the_floor_counts_the_value_and_shows_its_interval() -> None:
    assert gates.reaches(0.8, 100, 0.8).passed
    below = gates.reaches(0.79, 100, 0.8)
    assert (below.passed, below.reason) == (False, "accuracy 0.790 on 100 rows (0.700 to 0.858), 0.8 is needed")


def test_scores_by_chance_have_learned_nothing() -> None:
    made = np.random.default_rng(2)
    label = made.binomial(1, 0.3, 3000)
    assert not gates.learned_something(label, made.random(3000)).passed
    assert gates.learned_something(label, made.random(3000) + 0.1 * label).passed
    assert not gates.learned_something(np.ones(10, dtype=int), made.random(10)).passed


def test_a_features_column_is_kept_in_what_is_to_be_copied() -> None:
    assert as_spec({}, {"price": ("numeric", "p")}).endswith("price: {kind: numeric, column: p, importance: 0.001}")


def rates(version: str, first: int, days: int, value: float, n: int = 300) -> pd.DataFrame:
    day = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(first, first + days), unit="D")
    return pd.DataFrame({"version": version, "metric": "accuracy", "label_age": 7, "day": day, "value": value, "n": n})


def test_equal_newcomers_are_seldom_sent_back_though_they_are_looked_at_every_night() -> None:
    """Seven looks share 5 %: of 300 equal newcomers about 15 at most are expected back, 27 is one in 1000."""
    made, back = np.random.default_rng(4), 0
    for _ in range(300):
        history = pd.concat([rates("v1", day, 1, made.binomial(300, 0.8) / 300) for day in range(28)])
        new = pd.concat([rates("v2", 28 + day, 1, made.binomial(300, 0.8) / 300) for day in range(7)])
        back += any(fallen(pd.concat([history, new[: look + 1]]), "v2", ["v1"], 7) for look in range(7))
    assert back <= 27


def test_a_newcomer_that_lost_ten_points_is_found_within_its_first_nights() -> None:
    figures = pd.concat([rates("v1", 0, 28, 0.8), rates("v2", 28, 2, 0.7)])
    (found,) = fallen(figures, "v2", ["v1"], 7)
    assert (found.n, round(found.value, 3), round(found.former, 3)) == (600, 0.7, 0.8)
    assert nights_watched(figures, "v2") == 2
    assert fallen(rates("v2", 0, 2, 0.7), "v2", ["v1"], 7) == []  # nobody to compare with
