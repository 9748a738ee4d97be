"""Labelled incidents: read from a file, every fault with its line; or made of days that final labels showed."""

from __future__ import annotations

from datetime import date

import pytest

from jobs.errors import UsageError
from jobs.methods import labelled
from jobs.periods import Period


def test_a_file_names_start_end_and_what_it_was() -> None:
    text = 'start,end,note\n2025-03-04,2025-03-06,"tag lost, twice"\n\n2025-01-01,2025-01-01,\n'
    first, second = labelled.read(text, "told.csv")
    assert (first.start, first.end, first.note) == (date(2025, 1, 1), date(2025, 1, 1), "")
    assert (second.end, second.note) == (date(2025, 3, 6), "tag lost, twice")


def test_an_incident_is_known_on_its_last_day_unless_the_file_says_when() -> None:
    one, other = labelled.read("start,end,known\n2025-03-04,2025-03-06,2025-03-20\n2025-04-01,2025-04-02,\n", "a.csv")
    assert (one.known, other.known) == (date(2025, 3, 20), date(2025, 4, 2))


def test_every_fault_of_a_file_is_told_with_its_line() -> None:
    with pytest.raises(UsageError) as told:
        labelled.read(
            "start,end\n2025-03-04,6 March\n2025-03-09,2025-03-08\n2025-03-09\n2025-01-01,2025-01-02,x\n", "t.csv"
        )
    assert str(told.value).splitlines() == [
        "t.csv:2: end is '6 March', not a day; write it as YYYY-MM-DD, for example 2025-03-01",
        "t.csv:3: end 2025-03-08 is before start 2025-03-09; swap the two days",
        "t.csv:4: end is nothing, not a day; write it as YYYY-MM-DD, for example 2025-03-01",
        "t.csv:5: has 3 cells, the header 2; put a note with a comma into double quotes",
    ]


@pytest.mark.parametrize(("text", "line"), [("", 1), ("from,to\n", 1), ("start,end,colour\n", 1), ("start,end\n", 2)])
def test_a_file_without_the_columns_or_without_incidents_says_what_is_wanted(text: str, line: int) -> None:
    with pytest.raises(UsageError, match=rf"^t\.csv:{line}: "):
        labelled.read(text, "t.csv")


def test_only_incidents_that_the_period_touches_count() -> None:
    every = labelled.read("start,end\n2025-01-01,2025-01-05\n2025-01-20,2025-01-25\n", "t.csv")
    truth = labelled.of_period(every, Period(date(2025, 1, 5), date(2025, 1, 10)), date(2025, 2, 1), "")
    assert ([one.start for one in truth.incidents], truth.left_out) == ([date(2025, 1, 1)], 1)
    assert truth.through == date(2025, 1, 10)
