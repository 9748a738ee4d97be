"""Every story planted in the simulated world becomes one incident, in time, and the quiet stretches stay quiet."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from jobs import backtest
from jobs.backtest_replay import replay
from jobs.engine.replay import REPLAYED, decided_then, replaying
from jobs.engine.warehouse import open_warehouse
from jobs.language import join, speaking
from jobs.methods import story
from jobs.pipeline import run
from jobs.spec.reading import load_spec
from jobs.world import build_world, quiet_periods, stories
from jobs.world.building import world_folder
from jobs.world.stories import PERIOD, Story

pytestmark = pytest.mark.slow

SPEC = Path(__file__).resolve().parents[2] / "dags" / "models" / "shop.yaml"
STORIES = {story.name: story for story in stories()}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's 300 nights, run as one range."""
    home = tmp_path_factory.mktemp("shop")
    build_world(world_folder(home))
    list(run(load_spec(SPEC, {"NIGHTJAR_HOME": str(home)}), PERIOD, home))
    return home


@pytest.fixture(scope="module")
def tables(home: Path) -> dict[str, pd.DataFrame]:
    with open_warehouse(home, "shop") as warehouse:
        return {name: warehouse.read(name) for name in ("verdicts", "incidents", "decisions", "outbox")}


def during(rows: pd.DataFrame, story: Story) -> pd.DataFrame:
    return rows[rows["night"].between(pd.Timestamp(story.first), pd.Timestamp(story.seen_until))]


def opened(tables: dict[str, pd.DataFrame], story: Story) -> pd.DataFrame:
    rows = during(tables["incidents"], story)
    return rows[rows["state"] == "opened"]


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_found_in_time(tables: dict[str, pd.DataFrame], name: str) -> None:
    story, finding = STORIES[name], STORIES[name].finding
    rows = during(tables["verdicts"], story)
    rows = rows[(rows["verdict"] == "breach") & (rows["night"] <= pd.Timestamp(story.found_by))]
    if finding.kind == "no_data":
        assert "no data" in set(rows["rule"])
        return
    rows = rows[
        (rows["metric"] == finding.metric) & (rows["feature"] == finding.feature) & (rows["segment"] == finding.segment)
    ]
    rows = rows[rows["version"].isin({finding.version, "all"})]
    if finding.label_age is not None:
        rows = rows[rows["label_age"] == finding.label_age]
    assert len(rows), f"{name} was not found by {story.found_by}"


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_exactly_one_incident_opened_in_time(tables: dict[str, pd.DataFrame], name: str) -> None:
    nights = opened(tables, STORIES[name])["night"].dt.date.tolist()
    assert len(nights) == 1
    assert nights[0] <= STORIES[name].found_by


@pytest.mark.parametrize("name", STORIES)
def test_a_story_asks_for_its_action_and_no_other(tables: dict[str, pd.DataFrame], name: str) -> None:
    story = STORIES[name]
    asked = during(tables["decisions"], story)
    asked = asked[asked["outcome"] == "requested"]
    assert asked["key"].is_unique
    assert {*asked["action"]} >= {story.action} - {None}
    assert {*asked["action"]} <= {story.action, *story.may}


def test_the_title_names_the_cause(tables: dict[str, pd.DataFrame]) -> None:
    last = tables["incidents"].sort_values("night").groupby("opened").last()["title"]
    told = {name: last[pd.Timestamp(opened(tables, story)["opened"].iloc[0])] for name, story in STORIES.items()}
    assert told["browsing drift"].startswith("browsing_minutes drifted")
    assert told["bad version"].startswith("new version v2 → conversion")
    assert "customer=new" in told["new customers"]
    assert told["silence"].startswith("no predictions for 2025-07-10")
    assert told["latency"].startswith("latency p95")
    assert told["basket drift"].startswith("basket_value drifted")


def test_the_planted_cause_is_the_heaviest_piece_of_evidence(tables: dict[str, pd.DataFrame]) -> None:
    last = tables["incidents"].sort_values("night").groupby("opened").last()["evidence"]
    first = {
        name: json.loads(last[pd.Timestamp(opened(tables, story)["opened"].iloc[0])])[0]
        for name, story in STORIES.items()
    }
    drifts = {"browsing drift": "browsing_minutes", "basket drift": "basket_value"}
    assert {name: first[name]["feature"] for name in drifts} == drifts
    assert (first["bad version"]["metric"], first["bad version"]["version"]) == ("version", "v2")
    assert first["new customers"]["segment"] == "customer=new"
    assert first["silence"]["rule"] == "no data"
    assert first["late labels"]["rule"] == "no labels"
    assert first["latency"]["metric"] == "latency_p95"
    assert {first[name]["metric"] for name in ("slow slide", "wrong labels")} <= {"accuracy", "recall"}


def test_a_drift_is_told_in_the_features_own_units(tables: dict[str, pd.DataFrame]) -> None:
    text = opened(tables, STORIES["browsing drift"])["text"].iloc[0]
    assert re.search(r"its mean was [24]\.?\d*, before 10\.1", text)  # docs/world.md: 2 minutes, not 10
    assert "This is new tonight." in text


def test_quiet_stretches_stay_quiet(tables: dict[str, pd.DataFrame]) -> None:
    loud = set(tables["incidents"].loc[tables["incidents"]["state"] == "opened", "night"].dt.date)
    quiet = [day for period in quiet_periods() for day in period]
    assert len(quiet) > 150
    assert loud.isdisjoint(quiet)


def test_every_story_that_ends_is_resolved(tables: dict[str, pd.DataFrame]) -> None:
    last = tables["incidents"].sort_values("night").groupby("incident").last()
    over = last[last["opened"] < pd.Timestamp(STORIES["basket drift"].first)]
    assert set(over["state"]) == {"resolved"}


def test_one_message_a_change_of_an_incident_and_no_key_twice(tables: dict[str, pd.DataFrame]) -> None:
    mails = tables["outbox"][tables["outbox"]["channel"] == "mail"]
    changes = tables["incidents"][tables["incidents"]["state"].isin(["opened", "escalated", "resolved"])]
    decided = tables["decisions"][tables["decisions"]["outcome"] == "requested"]
    told = {*zip(changes["night"], changes["incident"], strict=True)}
    told |= {*zip(decided["night"], decided["incident"], strict=True)}  # the fallback, a night after it became critical
    assert tables["outbox"]["key"].is_unique
    assert sorted(zip(mails["night"], mails["incident"], strict=True)) == sorted(told)


def test_every_night_has_a_page_below_a_megabyte(home: Path) -> None:
    pages = {path.parent.name: path.stat().st_size for path in (home / "reports" / "shop").glob("*/index.html")}
    assert sorted(pages) == [str(day) for day in PERIOD]
    assert max(pages.values()) < 1_000_000


def test_a_page_says_only_what_was_known_that_night(home: Path) -> None:
    story = STORIES["browsing drift"]
    before = (home / "reports" / "shop" / str(story.first - timedelta(days=1)) / "index.html").read_text()
    assert "browsing_minutes drifted" not in before


@pytest.mark.parametrize(
    ("incident", "language"),
    [("shop-2025-03-05-behaviour", "en"), ("shop-2025-03-05-behaviour", "zh"), ("shop-2025-04-07-behaviour", "en")],
)
def test_the_docs_tell_incidents_as_the_run_does_one_of_them_in_both_languages(
    tables: dict[str, pd.DataFrame], incident: str, language: str
) -> None:
    rows = tables["incidents"]
    (row,) = rows[(rows["incident"] == incident) & (rows["state"] == "opened")].to_dict("records")
    life = {name: str(row[name])[:10] for name in ("state", "opened", "last_breach", "severity")}
    with speaking(language):
        text = join([story.tell(json.loads(row["evidence"])), story.state(life | {"quiet_nights": 0, "reopened": ""})])
    docs = re.sub(r"\n> ", "\n", (SPEC.parents[2] / "docs" / "incidents.md").read_text())
    assert re.sub(r"\s", "", text) in re.sub(r"\s", "", docs)
    assert language == "zh" or text == row["text"]


@pytest.fixture(scope="module")
def backtested(home: Path, tmp_path_factory: pytest.TempPathFactory) -> backtest.Backtest:
    """The default rules over the shop's history, held against the stories as planted."""
    truth = tmp_path_factory.mktemp("truth") / "stories.csv"
    lines = [f"{story.first},{story.last},{name}" for name, story in STORIES.items()]
    truth.write_text("\n".join(["start,end,note", *lines]))
    spec = load_spec(SPEC, {"NIGHTJAR_HOME": str(home)})
    return backtest.run(spec, backtest.Asked(truth=truth), home)


def test_a_backtest_of_the_same_rules_finds_all_nine_stories_and_nothing_else(backtested: backtest.Backtest) -> None:
    told = backtested.incidents
    assert (told.found, told.labelled, told.right, told.wrong) == (9, 9, 9, 0)
    assert told.delay is not None
    assert told.delay <= 1


def test_each_story_is_found_by_a_rule_about_its_finding(backtested: backtest.Backtest) -> None:
    right = {one.name for one in backtested.rules if one.score.right and not one.score.wrong}
    assert right >= {
        "psi above 0.2, 2 nights", "conversion drop 5% on previous version", "accuracy drop 10% by segment",
        "accuracy drop 10%", "no data", "coverage below 0.4 at age 1", "latency_p95 outside expected",
    }  # fmt: skip


def test_would_it_have_fired_is_what_the_nights_decided(
    backtested: backtest.Backtest, tables: dict[str, pd.DataFrame]
) -> None:
    decided = tables["decisions"]
    asked = decided[decided["outcome"] != "held"]
    told = {(one.night, one.action, one.incident, one.outcome) for one in backtested.fired if one.outcome != "held"}
    then = {
        (night.date(), action, incident, outcome)
        for night, action, incident, outcome in asked[["night", "action", "incident", "outcome"]].itertuples(
            index=False
        )
    }
    assert told == then
    assert len(told) >= 6
    assert {one.outcome == one.then for one in backtested.fired} == {True}


def test_a_replay_of_the_whole_history_writes_what_the_nights_wrote(home: Path) -> None:
    spec = load_spec(SPEC, {"NIGHTJAR_HOME": str(home)})
    with replaying(home, "shop") as warehouse:
        replay(spec, PERIOD, PERIOD, warehouse)
        for table in REPLAYED:
            then = decided_then(warehouse, table, PERIOD)
            pd.testing.assert_frame_equal(warehouse.read(table), then, check_exact=True)
