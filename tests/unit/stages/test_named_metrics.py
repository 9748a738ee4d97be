"""Rules about metrics that are told of classes, groups, columns and sources, from files to incidents."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, days

FRUIT = ["apple", "pear"] * 50
NIGHTS = 24


def judged(kiosk: Kiosk, rule: str) -> pd.DataFrame:
    verdicts = kiosk.table("verdicts")
    return verdicts[verdicts["rule"].str.startswith(rule)]


@pytest.fixture(scope="module")
def fruit(tmp_path_factory: pytest.TempPathFactory) -> Kiosk:
    """Two classes, each right four times of five; from day 20 on every pear is taken for an apple."""
    kiosk = Kiosk(tmp_path_factory.mktemp("fruit"))
    columns = {"columns": {"version": "model_version", "decision": "decision", "latency_ms": "ms"}}
    kiosk.changes = {
        "task": "multiclass", "outcomes": None, "segments": [], "min_rows": 20,
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv"} | columns,
        "labels": {"path": f"{kiosk.root}/labels/{{day}}.csv", "ages": [1]},
        "rules": [
            {"metric": "class_recall", "below": 0.5, "classes": ["pear"], "min_n": 20, "severity": "critical"},
            {"metric": "class_recall", "below": 0.05, "min_n": 20},
            {"metric": "latency_p99", "above": 500.0},
            {"metric": "accuracy", "below": 0.1},
            {"metric": "psi", "above": 50.0},  # what else the kiosk sells is of no matter here
        ],
    }  # fmt: skip
    kiosk.reference(decision=["apple", "pear"] * 20)
    for number in range(1, NIGHTS + 1):
        ids = [f"{number}-{row}" for row in range(100)]
        wrong = {"apple": "pear", "pear": "apple"}
        said = [wrong[one] if row % 5 < 1 or (number >= 20 and one == "pear") else one for row, one in enumerate(FRUIT)]
        kiosk.predict(number, ids, decision=said, ms=40.0 if number != 23 else 900.0)
        kiosk.label(number + 1, dict(zip(ids, FRUIT, strict=True)))
    kiosk.run(days(1, NIGHTS), *STAGE_NAMES)
    return kiosk


def test_a_rule_names_the_class_whose_recall_it_judges(fruit: Kiosk) -> None:
    named = judged(fruit, "class_recall below 0.5")
    assert set(named["feature"]) == {"pear"}
    breaches = named[named["verdict"] == "breach"]
    assert sorted(breaches["day"].dt.day) == [20, 21, 22, 23]
    assert set(breaches["value"]) == {0.0}


def test_a_general_rule_leaves_the_class_to_the_rule_that_names_it(fruit: Kiosk) -> None:
    assert set(judged(fruit, "class_recall below 0.05")["feature"]) == {"apple"}


def test_what_one_class_suffers_is_an_effect_and_its_sentence_names_the_class(fruit: Kiosk) -> None:
    incidents = fruit.table("incidents")
    told = incidents[incidents["title"].str.contains("pear")].iloc[0]
    assert told["title"].startswith("class recall of pear 0.0 % (bound 50.0 %)")
    assert "Class recall (pear) of 2025-01-20, as known after 1 day, was 0.0 %, the bound is 50.0 %" in told["text"]
    assert '"role": "effect"' in told["evidence"] or '"role":"effect"' in told["evidence"]


def test_a_rule_about_the_slowest_hundredth_speaks_on_its_night(fruit: Kiosk) -> None:
    breaches = judged(fruit, "latency_p99").query("verdict == 'breach'")
    assert breaches["night"].dt.day.tolist() == [23]


def test_the_night_s_page_is_made_of_it(fruit: Kiosk) -> None:
    assert "class recall of pear" in fruit.page(22)


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Kiosk:
    """Of FR nine in ten are decided positive, of US three in ten; column price goes on day 5; labels come twice."""
    kiosk = Kiosk(tmp_path_factory.mktemp("groups"))
    rules: list[dict[str, Any]] = [
        {"metric": "selection_rate", "below": 0.5, "segments": "each"},
        {"metric": "false_positive_rate", "above": 0.9, "segments": ["country=FR"]},
        {"metric": "column_new", "above": 0.0},
        {"metric": "duplicate_rate", "above": 0.2, "segments": ["source=labels"]},
    ]
    kiosk.changes = {"protected": ["country"], "rules": rules, "outcomes": None}
    kiosk.reference()
    for number in range(1, 7):
        ids = [f"{number}-{row}" for row in range(200)]
        country = ["FR", "US"] * 100
        said = [int(row // 2 % 10 < (9 if land == "FR" else 3)) for row, land in enumerate(country)]
        extra = {"campaign": "summer"} if number >= 5 else {}
        kiosk.predict(number, ids, country=country, decision=said, **extra)
        kiosk.label(number, dict.fromkeys(ids, 0))
    path = kiosk.label(6, {"6-0": 0})
    frame = pd.read_csv(path)
    pd.concat([frame] * 3).to_csv(path, index=False)
    kiosk.run(days(1, 7), *STAGE_NAMES)
    return kiosk


def test_a_rule_about_groups_judges_each_group(groups: Kiosk) -> None:
    rates = judged(groups, "selection_rate")
    assert set(rates["segment"]) == {"country=FR", "country=US"}
    assert set(rates.query("verdict == 'breach'")["segment"]) == {"country=US"}
    assert set(judged(groups, "false_positive_rate")["segment"]) == {"country=FR"}


def test_a_column_that_is_new_breaches_on_its_day_and_is_silent_on_others(groups: Kiosk) -> None:
    told = judged(groups, "column_new")
    assert told[["feature", "verdict"]].to_numpy().tolist() == [["campaign", "breach"]]
    assert told["night"].dt.day.tolist() == [5]


def test_a_rule_about_another_source_judges_its_deliveries(groups: Kiosk) -> None:
    told = judged(groups, "duplicate_rate")
    assert set(told["segment"]) == {"source=labels"}
