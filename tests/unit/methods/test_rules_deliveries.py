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


def silent_nights(arrivals: Iterable[int], last: int, expected: int | None = 0) -> list[int]:
    came = sorted(arrivals)
    frame = pd.DataFrame({"known_day": pd.to_datetime([day(number) for number in came]), "n": 10})
    found = deliveries.no_labels(frame, Period(FIRST, day(last)), None if expected is None else day(expected))
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


def test_labels_that_came_once_or_never_are_missed_after_a_month_and_a_few_days() -> None:
    assert silent_nights([], last=40, expected=3) == [38, 39, 40]
    assert silent_nights([4], last=41) == [40, 41]  # once says nothing about how often
    assert silent_nights([31], last=40) == []  # the first monthly ones are in time


def test_labels_of_a_model_that_predicts_nothing_yet_are_not_missed() -> None:
    assert silent_nights([], last=90, expected=None) == []


def test_they_are_missed_until_one_arrives_however_long_it_takes() -> None:
    """No silence is its own end: an incident that resolved by it would say that it is over."""
    assert silent_nights([*range(20), 200, 201], last=203) == list(range(22, 200))


def test_the_sentence_names_the_first_silent_day() -> None:
    frame = pd.DataFrame({"known_day": pd.to_datetime([day(number) for number in range(10)]), "n": 5})
    found = deliveries.no_labels(frame, Period.of(day(12)), FIRST)
    assert found["reason"].tolist() == [
        "no labels have arrived since 2025-01-11 (3 days); until then they came every day"
    ]


def test_the_sentence_says_that_none_ever_came_or_that_they_came_once() -> None:
    nothing = pd.DataFrame({"known_day": pd.to_datetime([]), "n": []})
    once = pd.DataFrame({"known_day": pd.to_datetime([day(4)]), "n": 5})
    told = [deliveries.no_labels(came, Period.of(day(60)), day(7))["reason"].iloc[0] for came in (nothing, once)]
    assert told == [
        "no labels have ever arrived; the first were expected on 2025-01-08",
        "no labels have arrived since 2025-01-06 (56 days); until then they came once",
    ]


def test_a_night_alone_says_what_it_says_among_others() -> None:
    came = pd.DataFrame({"known_day": pd.to_datetime([day(number) for number in (3, 4, 5, 90)]), "n": 5})
    whole = deliveries.no_labels(came, Period(FIRST, day(95)), FIRST)
    for number in (0, 2, 3, 40, 89, 90, 94):
        known = came[came["known_day"] <= pd.Timestamp(day(number))]
        alone = deliveries.no_labels(known, Period.of(day(number)), FIRST)
        pd.testing.assert_frame_equal(alone, whole.iloc[[number]].reset_index(drop=True), check_dtype=False)
