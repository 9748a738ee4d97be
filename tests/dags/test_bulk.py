"""The pass over many nights: which ranges it takes, and what it says about its speed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from jobs.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

NEWEST = date(2025, 3, 31)


def spec(**changes: Any) -> Any:
    from jobs.spec.model import ModelSpec

    given = {"model": "good", "timezone": "Europe/Lisbon", "predictions": {"path": "{day}.csv"}, "start": "2025-01-01"}
    return ModelSpec.model_validate(given | changes)


def test_a_range_of_closed_days_is_taken() -> None:
    from dags.bulk import range_of

    assert str(range_of(spec(), "2025-01-01", "2025-03-31", NEWEST)) == "2025-01-01..2025-03-31"


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2025-03-02", "2025-03-01", "ends before it begins; swap the two days"),
        ("2025-03-01", "2025-04-01", "after the newest closed day in Europe/Lisbon; end it on 2025-03-31"),
        ("2024-12-31", "2025-03-01", "before the first day watched; begin it on 2025-01-01"),
        ("yesterday", "2025-03-01", "'yesterday' is not a day; write it as YYYY-MM-DD"),
    ],
)
def test_any_other_range_is_refused_with_what_is_possible(first: str, last: str, said: str) -> None:
    from dags.bulk import range_of

    with pytest.raises(UsageError, match=said):
        range_of(spec(), first, last, NEWEST)


def test_it_compares_with_the_nights_that_ran_whole_and_says_how_much_faster_it_was() -> None:
    from dags.bulk import compared, nightly_seconds, sentence
    from jobs.periods import Period
    from jobs.pipeline import STAGE_NAMES

    def tasks(seconds: float, *, state: str = "success") -> list[dict[str, Any]]:
        did = [{"task_id": name, "state": state, "duration": seconds} for name in (*STAGE_NAMES, "publish")]
        return [*did, {"task_id": "deliver", "state": "success", "duration": 99.0}]

    # Lisbon is on UTC in March until the 30th; the night of a day starts at 05:00 of the next, the default
    ran = {
        "scheduled__2025-03-11T05:00:00+00:00": tasks(1.0),
        "backfill__2025-03-12T05:00:00+00:00": tasks(2.0),
        "backfill__2025-03-13T05:00:00+00:00": tasks(3.0, state="failed"),
        "scheduled__2025-03-31T04:00:00+00:00": tasks(3.0),  # on summer time
    }
    period = Period(date(2025, 3, 10), date(2025, 3, 30))
    seconds = nightly_seconds(spec(), period, lambda run_id: ran.get(run_id, []))
    assert seconds == [7.0, 14.0, 21.0]
    said = sentence(compared(len(period), 4.2, seconds))
    assert said == (
        "21 nights in 4.2 s, 0.20 s a night; the tasks of a nightly run took 14.0 s (median of 3), "
        "so this was 70 times faster"
    )


def test_where_no_night_ran_it_compares_with_nothing() -> None:
    from dags.bulk import compared, sentence

    assert sentence(compared(2, 1.0, [])).endswith("none of them had a nightly run to compare with")


def test_its_form_offers_the_models_and_asks_for_two_days(models: Path) -> None:
    from airflow.dag_processing.dagbag import DagBag

    from tests.dags.conftest import PROJECT

    (models / "other.yaml").write_text((models / "good.yaml").read_text().replace("good", "other"), encoding="utf-8")
    bag = DagBag(collect_dags=False)
    bag.process_file(str(PROJECT / "dags" / "bulk.py"))
    assert bag.import_errors == {}
    form = bag.dags["bulk_backfill"].params
    assert form.get_param("model").schema["enum"] == ["good", "other"]
    assert [form.get_param(name).schema["format"] for name in ("from", "to")] == ["date", "date"]
