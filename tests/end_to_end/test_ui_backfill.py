"""Many nights backfilled from Airflow's own form in a browser: their order, a fault in the middle, the same rows, silence.

NIGHTJAR_BACKFILL_NIGHTS sets how many (31; fewer may have nothing to ask for).
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import screen
from tests.end_to_end.house import NIGHT, House, house
from tests.end_to_end.pages_of_airflow import backfill, log_in, start_bulk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(5400)]

NIGHTS = int(os.environ.get("NIGHTJAR_BACKFILL_NIGHTS", "31"))
PARALLEL = 4
STUCK = 600  # seconds in which no night ends
ENDED = {"success", "failed"}
SIDE_EFFECTS = ("dispatches", "answers")
SPEAKING = {"deliver", "retrain", "record", "announce"}


@dataclass
class Story:
    """What was done in the browser, one thing after the other, and what was there in between."""

    home: House
    said: list[str] = field(default_factory=list)
    broken: date = date.min
    middle: list[dict[str, Any]] = field(default_factory=list)
    """The runs after the first backfill, one of which has failed."""
    resumed: list[dict[str, Any]] = field(default_factory=list)
    letters: int = 0
    retrainings: int = 0
    seconds: float = 0

    @property
    def first(self) -> date:
        return self.home.newest - timedelta(days=NIGHTS)

    @property
    def last(self) -> date:
        """The day before the newest, whose own night is for the scheduler."""
        return self.home.newest - timedelta(days=1)

    def fill(self, page: Page, first: date, reprocess: str) -> None:
        """Send the form and wait until Airflow says that the backfill is complete."""
        home = self.home
        self.said.append(
            backfill(
                page,
                home.local.url,
                NIGHT,
                home.midnight(first),
                home.midnight(self.last),
                reprocess=reprocess,
                parallel=PARALLEL,
            )
        )
        page.goto("about:blank")  # an open page of the UI asks again and again, which costs half a core
        over, moved = -1, time.monotonic()
        while any(
            one["completed_at"] is None for one in home.rest.get(f"/api/v2/backfills?dag_id={NIGHT}")["backfills"]
        ):
            runs = home.runs()
            if (now_over := sum(run["state"] in ENDED for run in runs)) != over:
                over, moved = now_over, time.monotonic()
            assert time.monotonic() < moved + STUCK, [(run["dag_run_id"], run["state"]) for run in runs]
            time.sleep(5)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with screen.browser() as opened:
        context = opened.new_context(viewport={"width": 1400, "height": 950})
        context.set_default_timeout(60_000)
        yield context.new_page()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, page: Page) -> Iterator[Story]:
    with house(tmp_path_factory.mktemp("backfill"), NIGHTS + 1, drifted=6) as home:
        told = Story(home)
        _scheduled_night(home)
        told.letters, told.retrainings = len(home.post.of_nights), len(home.runs("retrain"))
        log_in(page, home.local.url, home.local.user, home.local.password)

        told.broken = told.first + timedelta(days=NIGHTS // 2)
        in_the_way = _page_of(home, told.broken)
        in_the_way.unlink()
        in_the_way.mkdir()  # nothing can be written there: a fault of one night's report
        began = time.monotonic()
        told.fill(page, told.first, "none")
        told.seconds = time.monotonic() - began
        told.middle = home.runs()

        in_the_way.rmdir()
        told.fill(page, told.first, "failed")
        told.resumed = home.runs()
        yield told


def _scheduled_night(home: House) -> None:
    """The newest night by itself, as it runs when the DAG is switched on; it may speak."""
    home.rest.switch_on(NIGHT)
    deadline = time.monotonic() + 120
    while not (runs := home.runs()):
        assert time.monotonic() < deadline, "the scheduler made no run"
        time.sleep(1)
    assert home.rest.wait_for(NIGHT, runs[0]["dag_run_id"], 900) == "success"


def _page_of(home: House, day: date) -> Path:
    return home.home / "reports" / "till" / str(day) / "index.html"


@pytest.fixture(scope="module")
def alone(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same nights run one after the other without Airflow, in a home of their own."""
    from jobs.periods import Period
    from jobs.pipeline import run
    from jobs.spec.reading import load_spec

    home = tmp_path_factory.mktemp("alone")
    spec = load_spec(story.home.models / "till.yaml")
    for day in Period(story.first, story.home.newest):
        list(run(spec, Period.of(day), home))
    return home


def everything(home: Path) -> dict[str, Any]:
    """Every row that nights write, and every page."""
    from jobs import tables
    from jobs.engine.warehouse import read_published

    names = [table.name for table in tables.TABLES if table.name not in SIDE_EFFECTS]
    with read_published(home, "till") as connection:
        rows = {name: connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in names}
    pages = sorted((home / "reports" / "till").glob("*/index.html"))
    return rows | {str(path.relative_to(home)): path.read_bytes() for path in pages}


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]


def moments(runs: list[dict[str, Any]]) -> list[tuple[datetime, datetime]]:
    return [(datetime.fromisoformat(run["start_date"]), datetime.fromisoformat(run["end_date"])) for run in runs]


def of_backfill(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [run for run in runs if run["run_type"] == "backfill"]


def test_the_form_says_how_many_nights_it_will_run_and_each_is_for_its_own_day(story: Story) -> None:
    assert f"{NIGHTS} runs will be triggered" in story.said[0]
    runs, rest = of_backfill(story.resumed), story.home.rest
    days = [rest.returned(NIGHT, run["dag_run_id"], "ingest")["day"] for run in runs]
    assert days == [str(story.first + timedelta(days=number)) for number in range(NIGHTS)]


def test_nights_begin_in_the_order_of_their_days_and_never_more_at_once_than_was_asked(story: Story) -> None:
    times = moments(of_backfill(story.middle))
    begins = [begin for begin, _ in times]
    assert begins == sorted(begins)
    at_once = [sum(begin <= moment < end for begin, end in times) for moment in begins]
    assert max(at_once) <= PARALLEL
    print(f"{NIGHTS} nights from the form: {story.seconds:.0f} s, {story.seconds / NIGHTS:.1f} s a night")


def test_a_fault_in_the_middle_costs_that_night_only(story: Story) -> None:
    states = {run["dag_run_id"]: run["state"] for run in of_backfill(story.middle)}
    failed = [run_id for run_id, state in states.items() if state != "success"]
    assert len(failed) == 1
    rest = story.home.rest
    assert rest.returned(NIGHT, failed[0], "ingest")["day"] == str(story.broken)
    assert len(states) == NIGHTS


def test_missing_and_errored_runs_are_resumed_and_the_others_left_alone(story: Story) -> None:
    assert "1 run will be triggered" in story.said[1]
    assert {run["state"] for run in story.resumed} == {"success"}
    before = {run["dag_run_id"]: run["start_date"] for run in story.middle}
    again = [run for run in story.resumed if run["start_date"] != before[run["dag_run_id"]]]
    assert len(again) == 1
    assert _page_of(story.home, story.broken).is_file()


def test_rows_and_pages_are_those_of_the_nights_run_one_by_one(story: Story, alone: Path) -> None:
    assert differences(everything(story.home.home), everything(alone)) == []
    from jobs.engine.warehouse import read_published

    with read_published(story.home.home, "till") as connection:
        asked = connection.execute("SELECT night FROM outbox WHERE channel = 'retrain'").fetchall()
    assert asked
    assert max(night for (night,) in asked) < story.home.newest  # a backfilled night had something to say


def test_nothing_was_sent_and_nothing_was_fired(story: Story) -> None:
    home = story.home
    assert (story.letters, len(home.post.of_nights)) == (1, 1)  # the newest night's own, from the scheduler
    assert len(home.runs("retrain")) == story.retrainings
    assert len(home.rest.asset_events("retrain")) == story.retrainings
    for run in of_backfill(story.resumed):
        states = home.rest.states(NIGHT, run["dag_run_id"])
        assert {states[task] for task in SPEAKING} == {"skipped"}


def test_all_runs_runs_nights_again_and_changes_nothing(story: Story, alone: Path, page: Page) -> None:
    story.fill(page, story.last - timedelta(days=1), "completed")
    assert "2 runs will be triggered" in story.said[-1]
    assert {run["state"] for run in story.home.runs()} == {"success"}
    assert differences(everything(story.home.home), everything(alone)) == []
    test_nothing_was_sent_and_nothing_was_fired(story)


def test_one_pass_over_the_same_nights_writes_the_same_and_says_how_much_faster_it_was(
    story: Story, alone: Path, page: Page
) -> None:
    home, rest = story.home, story.home.rest
    start_bulk(page, home.local.url, "till", story.first, story.last)
    (run,) = home.runs("bulk_backfill")
    assert rest.wait_for("bulk_backfill", run["dag_run_id"], 900) == "success"
    found = rest.returned("bulk_backfill", run["dag_run_id"], "run")
    print(found)
    assert (found["model"], found["nights"], found["nightly_runs"] > 0) == ("till", NIGHTS, True)
    assert found["times_faster"] > 2
    assert "times faster" in rest.log("bulk_backfill", run["dag_run_id"], "run")
    assert differences(everything(home.home), everything(alone)) == []
    assert (len(home.post.of_nights), len(home.runs("retrain"))) == (1, story.retrainings)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(0, 1, "swap the two days"), (-1, -1, "after the newest closed day"), (9999, 1, "before the first day watched")],
    ids=["ends before it begins", "not over yet", "before the model"],
)
def test_a_pass_over_a_range_that_cannot_be_is_refused_at_once(story: Story, first: int, last: int, said: str) -> None:
    rest, newest = story.home.rest, story.home.newest
    asked = {"model": "till", "from": str(newest - timedelta(days=first)), "to": str(newest - timedelta(days=last))}
    run_id = rest.trigger("bulk_backfill", None, asked)
    assert rest.wait_for("bulk_backfill", run_id) == "failed"
    assert rest.states("bulk_backfill", run_id) == {"check": "failed", "run": "upstream_failed"}
    assert said in rest.log("bulk_backfill", run_id, "check")


@pytest.mark.parametrize("wrong", [{"model": "nobody"}, {"from": "yesterday"}, {"to": None}])
def test_what_the_form_would_not_take_airflow_refuses_over_rest_too(story: Story, wrong: dict[str, Any]) -> None:
    asked = {"model": "till", "from": str(story.first), "to": str(story.last)} | wrong
    with pytest.raises(AssertionError, match="answered 400"):
        story.home.rest.trigger("bulk_backfill", None, asked)


def test_a_backfill_that_was_given_one_day_for_all_nights_is_refused(story: Story) -> None:
    rest, home = story.home.rest, story.home
    body = {
        "dag_id": NIGHT, "from_date": home.midnight(story.last).isoformat(), "reprocess_behavior": "completed",
        "to_date": home.midnight(story.last).isoformat(), "dag_run_conf": {"day": str(story.first)},
    }  # fmt: skip
    rest.post("/api/v2/backfills", body | {"max_active_runs": 1})
    run_id = of_backfill(home.runs())[-1]["dag_run_id"]
    deadline = time.monotonic() + 300
    while rest.run(NIGHT, run_id)["state"] != "failed":
        assert time.monotonic() < deadline, rest.run(NIGHT, run_id)
        time.sleep(2)
    assert "leave `day` empty" in rest.log(NIGHT, run_id, "ingest", attempt=0)
