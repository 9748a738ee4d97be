"""Silence is an alarm: no predictions, a refused file, no labels for longer than ever lately."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from jobs.methods import deliveries
from jobs.periods import Period

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST = date(2025, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def delivered(*rows: tuple[str, str, int, str | None]) -> pd.DataFrame:
    """source, status, rows, reason; one day each."""
    frame = pd.DataFrame(rows, columns=["source", "status", "rows", "reason"])
    return frame.assign(day=[pd.Timestamp(day(number)) for number in range(len(rows))])


def silent_nights(arrivals: Iterable[int], last: int) -> list[int]:
    came = sorted(arrivals)
    frame = pd.DataFrame({"known_day": pd.to_datetime([day(number) for number in came]), "n": 10})
    found = deliveries.no_labels(frame, Period(FIRST, day(last)))
    assert len(found) == last + 1
    return [(night.date() - FIRST).days for night in found.loc[found["verdict"] == "breach", "night"]]


def test_a_day_without_predictions_is_critical_and_the_next_is_fine() -> None:
    found = deliveries.no_data(
        delivered(
            ("predictions", "delivered", 1200, None),
            ("predictions", "missing", 0, "no file matches predictions/2025-01-02.csv"),
            ("predictions", "delivered", 0, None),
            ("predictions", "refused", 0, "p.csv: column 'score' is missing"),
        )
    )
    assert found["verdict"].tolist() == ["ok", "breach", "breach", "not_evaluated"]
    assert set(found["severity"]) == {"critical"}
    assert found["reason"].tolist() == [
        "1,200 predictions delivered",
        "no predictions were delivered: no file matches predictions/2025-01-02.csv",
        "no predictions were delivered: the files hold no row of that day",
        "the delivery was refused",
    ]


def test_a_refused_file_is_told_with_source_path_and_column() -> None:
    found = deliveries.refused(delivered(("labels", "refused", 0, "l.csv: column 'label' is missing")))
    assert found["verdict"].tolist() == ["breach"]
    assert found["reason"].tolist() == ["labels refused: l.csv: column 'label' is missing"]


def test_three_days_without_labels_are_told_where_they_came_daily() -> None:
    assert silent_nights([*range(20), *range(24, 30)], last=29) == [22, 23]


def test_weekly_labels_are_not_missed_after_three_days() -> None:
    assert silent_nights(range(0, 50, 7), last=60) == [57, 58, 59, 60]  # the last came on day 49


def test_labels_that_never_came_are_not_missed() -> None:
    assert silent_nights([], last=20) == []
    assert silent_nights([4], last=20) == []  # once says nothing about how often


def test_after_two_months_they_are_not_awaited_any_more() -> None:
    found = silent_nights(range(20), last=90)
    assert found == list(range(22, 80))


def test_the_sentence_names_the_first_silent_day() -> None:
    frame = pd.DataFrame({"known_day": pd.to_datetime([day(number) for number in range(10)]), "n": 5})
    found = deliveries.no_labels(frame, Period.of(day(12)))
    assert found["reason"].tolist() == [
        "no labels have arrived since 2025-01-11 (3 days); until then they came every day"
    ]
