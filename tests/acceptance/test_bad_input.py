"""Bad input is a clear error or `not_evaluated` with a reason; nothing is lost and the report still renders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from collections.abc import Callable

LAST = 4


def usual(kiosk: Kiosk, **odd: Any) -> None:
    for number in range(1, LAST + 1):
        ids = [f"{number}-{row}" for row in range(60)]
        kiosk.predict(number, ids, **({"price": [1.0, 2.0, 3.0] * 20} | odd))
        kiosk.label(number, {one: row % 2 for row, one in enumerate(ids)})


def missing_column(kiosk: Kiosk) -> None:
    path = kiosk.root / "predictions" / f"{day(LAST)}.csv"
    pd.read_csv(path).drop(columns="price").to_csv(path, index=False)


def wrong_type(kiosk: Kiosk) -> None:
    kiosk.predict(LAST, ["a"], price="cheap")


def empty_file(kiosk: Kiosk) -> None:
    (kiosk.root / "predictions" / f"{day(LAST)}.csv").write_text("")


def no_delivery(kiosk: Kiosk) -> None:
    (kiosk.root / "predictions" / f"{day(LAST)}.csv").unlink()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (missing_column, "column &#39;price&#39; is missing"),
        (wrong_type, "column &#39;price&#39; is not a number, for example &#39;cheap&#39;, in 1 rows"),
        (empty_file, "the file is empty"),
        (no_delivery, "no file matches"),
    ],
)
def test_a_bad_delivery_becomes_an_incident_and_the_report_says_why(
    kiosk: Kiosk, spoil: Callable[[Kiosk], None], sentence: str
) -> None:
    usual(kiosk)
    spoil(kiosk)
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    assert kiosk.rows(f"SELECT severity FROM incidents WHERE night = DATE '{day(LAST)}' AND scope = 'delivery'") == [
        ("critical",)
    ]
    assert sentence in kiosk.page(LAST)
    ((value, reason),) = kiosk.rows(
        f"SELECT value, reason FROM metrics WHERE metric = 'volume' AND version = 'all' AND segment = 'all' AND day = DATE '{day(LAST)}'"
    )
    assert value is None
    assert reason


@pytest.mark.parametrize(
    "odd",
    [
        {"price": 2.0},
        {"price": None},
        {"price": ["inf", "-inf", "1"] * 20},
        {"country": ["FR"] * 59 + ["LU"]},
        {"score": None, "decision": None},
        {"colour": "'\"<script>alert(1)</script>"},
        {"model_version": ""},
    ],
    ids=["constant", "all null", "infinite", "segment of one row", "no scores", "hostile text", "no version"],
)
def test_odd_columns_render_and_judge_nothing_wrongly(kiosk: Kiosk, odd: dict[str, Any]) -> None:
    usual(kiosk, **odd)
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    page = kiosk.page(LAST)
    assert "<script>alert(1)" not in page
    wrong = kiosk.rows(
        "SELECT metric, value, reason FROM metrics WHERE value IS NULL AND reason IS NULL OR isnan(value) OR isinf(value)"
    )
    assert wrong == []


def test_a_segment_of_one_row_is_not_evaluated_and_says_why(kiosk: Kiosk) -> None:
    usual(kiosk, country=["FR"] * 59 + ["LU"])
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    found = kiosk.rows(
        "SELECT DISTINCT state, reason FROM metrics WHERE metric = 'accuracy' AND segment = 'country=LU' AND label_age = 1 AND n = 1"
    )
    assert [state for state, _ in found] == ["not_evaluated"]
    assert "30 needed" in found[0][1]


def test_labels_for_unknown_ids_are_told_and_change_nothing(kiosk: Kiosk) -> None:
    usual(kiosk)
    kiosk.label(LAST, {f"{LAST}-{row}": row % 2 for row in range(60)} | {"nobody": 1})
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    assert kiosk.rows(
        f"SELECT n_unknown FROM arrival_statistics WHERE source = 'labels' AND known_day = DATE '{day(LAST)}'"
    ) == [(1,)]


def test_a_first_night_has_a_report_and_raises_no_false_alarm(kiosk: Kiosk) -> None:
    kiosk.reference(price=[1.0, 2.0, 3.0, 2.0] * 10, colour="red", score=0.75, decision=1)
    usual(kiosk)
    kiosk.run(days(1, 1), *STAGE_NAMES)
    assert "kiosk" in kiosk.page(1)
    assert kiosk.rows("SELECT rule, reason FROM verdicts WHERE verdict = 'breach'") == []
    assert kiosk.rows("SELECT COUNT(*) FROM verdicts WHERE verdict = 'not_evaluated' AND reason IS NULL") == [(0,)]


def test_a_spec_with_only_score_and_label_works(kiosk: Kiosk) -> None:
    kiosk.changes |= {
        "predictions": {"path": f"{kiosk.root}/predictions/{{day}}.csv"},
        "outcomes": None,
        "features": {},
        "segments": [],
        "reference": {},
    }
    usual(kiosk)
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    assert kiosk.rows("SELECT COUNT(*) > 0 FROM metrics WHERE metric = 'accuracy' AND value IS NOT NULL") == [(True,)]
    assert "Accuracy" in kiosk.page(LAST)
