"""A kiosk's 45 nights replayed: alike with the same rules, otherwise with others, and without a trace."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from jobs import backtest
from jobs.backtest_actions import requests_at
from jobs.backtest_replay import replay
from jobs.backtest_truth import asked
from jobs.cli import main
from jobs.engine.replay import REPLAYED, decided_then, replaying
from jobs.errors import UsageError, WarehouseError
from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days

if TYPE_CHECKING:
    from jobs.spec.model import ModelSpec

LAST, BAD = 45, 36
"""From day BAD on every price is 4 and the model guesses."""
RULES: list[dict[str, Any]] = [
    {"metric": "psi", "above": 0.3, "nights": 2, "severity": "critical", "action": "retrain"},
    {"metric": "accuracy", "drop": "10%", "severity": "warning"},
]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Kiosk:
    """All nights run and published, and the spec in a folder of specs."""
    root = tmp_path_factory.mktemp("kiosk")
    kiosk, random = Kiosk(root), np.random.default_rng(8)
    kiosk.reference(score=[0.75] * 40, decision=[1] * 40)
    kiosk.changes = {
        "labels": {"path": f"{root}/labels/{{day}}.csv", "ages": [1, 3]},
        "outcomes": None,
        "features": {"price": "numeric"},
        "rules": RULES,
        "detection": {"recent_days": 14, "recent_gap": 3},
        "actions": {"retrain": {"min_labels": 100}},
    }
    labels: dict[int, dict[str, int]] = {}
    for number in range(1, LAST + 1):
        ids = [f"{number}-{row}" for row in range(120)]
        bad = number >= BAD
        kiosk.predict(number, ids, price=4.0 if bad else random.integers(1, 5, 120).astype(float))
        right = random.random(120) < (0.5 if bad else 0.9)
        labels[number] = dict(zip(ids, right.astype(int).tolist(), strict=True))
        kiosk.label(number, labels.get(number - 1, {"nobody": 1}))
    kiosk.run(days(1, LAST), *STAGE_NAMES[:-1])
    with kiosk.warehouse() as warehouse:
        warehouse.publish()
    (root / "models").mkdir()
    written(root / "models" / "kiosk.yaml", kiosk.spec)
    return kiosk


@pytest.fixture(autouse=True)
def settings(watched: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_MODELS", str(watched.root / "models"))
    monkeypatch.setenv("NIGHTJAR_HOME", str(watched.home))


def written(path: Path, spec: ModelSpec) -> Path:
    path.write_text(yaml.safe_dump(spec.model_dump(mode="json", exclude_unset=True, exclude_none=True)))
    return path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["backtest", "kiosk", *arguments])


def contents(home: Path) -> dict[str, str]:
    files = [path for path in sorted(home.rglob("*")) if path.is_file() and "backtests" not in path.parts]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def changed(spec: ModelSpec, **changes: Any) -> ModelSpec:
    return type(spec).model_validate(spec.model_dump(exclude_unset=True) | changes)


def test_the_case_has_something_to_replay(watched: Kiosk) -> None:
    assert watched.rows("SELECT action, outcome FROM decisions") == [("retrain", "requested")]
    assert len(watched.rows("SELECT DISTINCT incident FROM incidents")) == 1


def test_the_same_rules_give_the_stored_verdicts_incidents_decisions_and_messages(watched: Kiosk) -> None:
    history = days(1, LAST)
    with replaying(watched.home, "kiosk") as warehouse:
        replay(watched.spec, history, history, warehouse)
        for table in REPLAYED:
            again, then = warehouse.read(table), decided_then(warehouse, table, history)
            assert len(then) > 0
            pd.testing.assert_frame_equal(again, then, check_exact=True)


def test_a_shorter_replay_is_what_the_nights_knew_by_then(watched: Kiosk) -> None:
    until = days(1, BAD + 1)
    with replaying(watched.home, "kiosk") as warehouse:
        replay(watched.spec, until, until, warehouse)
        for table in REPLAYED:
            then = decided_then(warehouse, table, until)
            pd.testing.assert_frame_equal(warehouse.read(table), then, check_exact=True)


def test_a_replay_with_other_rules_changes_no_byte_of_what_is_kept(watched: Kiosk) -> None:
    before = contents(watched.home)
    backtest.run(
        changed(watched.spec, rules=[{"metric": "volume", "above": 1.0, "action": "fallback"}]),
        backtest.Asked(),
        watched.home,
    )
    assert contents(watched.home) == before


def test_the_rules_find_the_fall_and_fire_as_the_nights_did(watched: Kiosk) -> None:
    told = backtest.run(watched.spec, backtest.Asked(fell="accuracy drop 20pp at final age"), watched.home)
    assert told.truth is not None
    assert [(one.start, one.known) for one in told.truth.incidents] == [(day(BAD), day(BAD + 3))]
    worth = {one.name: one for one in told.rules}
    drift = worth["psi above 0.3, 2 nights"]
    assert (drift.score.found, drift.score.labelled, drift.score.delay, drift.score.lead) == (1, 1, 1, 2)
    assert (drift.requested, drift.held) == (1, 0)
    late = worth["accuracy drop 10%"]
    assert (late.score.found, late.score.delay, late.score.lead) == (1, 1, 2)  # age 1 is known a night later
    assert [(one.night, one.action, one.outcome, one.then) for one in told.fired] == [
        (day(BAD + 1), "retrain", "requested", "requested")
    ]
    assert (told.incidents.alarms, told.incidents_then) == (1, 1)


def test_what_an_open_incident_gathers_without_a_message_is_not_found(watched: Kiosk, tmp_path: Path) -> None:
    """The one incident opens on night BAD or the next and stays open; nothing is said of the last days."""
    (tmp_path / "late.csv").write_text(f"start,end\n{day(LAST - 2)},{day(LAST)}\n")
    silent = backtest.run(watched.spec, backtest.Asked(truth=tmp_path / "late.csv"), watched.home).incidents
    assert (silent.alarms, silent.found, silent.labelled) == (1, 0, 1)


def test_a_rule_counts_its_incidents_where_a_graver_one_speaks_for_the_figure(watched: Kiosk) -> None:
    two = [{"metric": "psi", "above": 0.2, "nights": 2, "severity": "warning"}, *RULES]
    told = backtest.run(changed(watched.spec, rules=two), backtest.Asked(), watched.home)
    worth = {one.name: one for one in told.rules}
    assert told.incidents.alarms == 1
    assert [worth[f"psi above {bound}, 2 nights"].incidents for bound in (0.2, 0.3)] == [1, 1]
    assert worth["accuracy drop 10%"].incidents == 1
    assert worth["volume outside expected"].incidents == 0


def test_how_often_an_action_would_fire_at_another_bound_is_replayed(watched: Kiosk) -> None:
    (drift,) = (rule for rule in watched.spec.rules if rule.metric == "psi")
    with replaying(watched.home, "kiosk") as warehouse:
        replayed = replay(watched.spec, days(1, LAST), days(1, LAST), warehouse)
        assert requests_at(drift, 0.25, replayed) == 1
        assert requests_at(drift, 50.0, replayed) == 0


def test_no_looser_bound_is_looked_for_where_an_action_hangs_on_it(watched: Kiosk) -> None:
    assert "none looser, as it asks for retrain" in call().output
    assert "none looser" not in call("--loosen").output


def test_with_too_few_labels_for_its_guard_rail_it_would_have_been_held(watched: Kiosk) -> None:
    careful = changed(watched.spec, actions={"retrain": {"min_labels": 10_000_000}})
    (fired,) = backtest.run(careful, backtest.Asked(), watched.home).fired
    assert (fired.outcome, fired.then) == ("held", "requested")
    assert "retrain needs 10,000,000" in fired.reason


def test_an_action_that_no_rule_asks_for_any_more_is_told(watched: Kiosk) -> None:
    (fired,) = backtest.run(
        changed(watched.spec, rules=[*RULES[1:], {"metric": "psi", "above": 50.0}]), backtest.Asked(), watched.home
    ).fired
    assert (fired.outcome, fired.then, fired.night) == ("", "requested", day(BAD + 1))


def test_a_range_counts_only_its_own_nights(watched: Kiosk) -> None:
    quiet = backtest.run(watched.spec, backtest.Asked(first=day(20), last=day(BAD - 1)), watched.home)
    assert (quiet.incidents.alarms, len(quiet.period), quiet.fired) == (0, BAD - 20, ())


def test_the_command_writes_a_table_a_csv_and_a_page(watched: Kiosk, tmp_path: Path) -> None:
    (tmp_path / "told.csv").write_text(f"start,end,note\n{day(BAD)},{day(LAST)},prices fixed at 4\n")
    told = call("--truth", str(tmp_path / "told.csv"), "-o", str(tmp_path / "out.csv"), "--html")
    assert told.exit_code == 0, told.output
    assert f"kiosk, {days(1, LAST)}: 45 nights replayed, 1 incident (" in told.output
    assert f"{day(BAD + 1)}  retrain requested (as then)" in told.output
    rows = pd.read_csv(tmp_path / "out.csv").set_index("rule")
    assert rows.loc["psi above 0.3, 2 nights", ["precision", "recall", "delay_days"]].tolist() == [1.0, 1.0, 1.0]
    folder = watched.home / "reports" / "kiosk"
    (path,) = (folder / "backtests").glob(f"{day(1)}_{day(LAST)}_truth-*.html")
    page = path.read_text()
    assert f"nightjar backtest kiosk --from {day(1)} --to {day(LAST)} --truth told.csv" in page
    assert str(tmp_path) not in page
    assert "prices fixed at 4" in page
    assert "psi above 0.3, 2 nights" in page


def test_the_models_calendar_links_to_its_backtests_and_back(watched: Kiosk) -> None:
    folder = watched.home / "reports" / "kiosk"
    watched.run(days(LAST, LAST), "report")
    assert call("--from", str(day(LAST - 3)), "--html").exit_code == 0
    link = f'<a href="backtests/{day(LAST - 3)}_{day(LAST)}.html">'
    assert link in (folder / "index.html").read_text()
    assert (
        '<a href="../index.html">kiosk</a>' in (folder / "backtests" / f"{day(LAST - 3)}_{day(LAST)}.html").read_text()
    )
    watched.run(days(LAST, LAST), "report")
    assert link in (folder / "index.html").read_text()


def test_a_backtest_of_other_rules_leaves_the_page_of_the_first_one(watched: Kiosk, tmp_path: Path) -> None:
    """Same nights: the plain call, one rule, another spec, and that spec changed each have a page that says so."""
    folder = watched.home / "reports" / "kiosk"
    watched.run(days(LAST, LAST), "report")
    since = ("--from", str(day(LAST - 2)), "--html")
    tried = [changed(watched.spec, rules=[{"metric": "psi", "above": bound}]) for bound in (0.35, 0.45)]
    for _ in range(2):
        call(*since)
        call(*since, "--rule", "psi above 0.3")
    for spec in tried:
        call(*since, "--spec", str(written(tmp_path / "tried.yaml", spec)))
    pages = {path.stem: path.read_text() for path in (folder / "backtests").glob(f"{day(LAST - 2)}_*.html")}
    told = sorted(name.removeprefix(f"{day(LAST - 2)}_{day(LAST)}").rpartition("-")[0] for name in pages)
    assert told == ["", "_rule", "_spec", "_spec"]
    assert sum("--spec tried.yaml" in page for page in pages.values()) == 2
    calendar = (folder / "index.html").read_text()
    assert all(f'<a href="backtests/{name}.html">' in calendar for name in pages)


def test_rules_that_are_always_on_can_be_asked_for(watched: Kiosk) -> None:
    told = call("--rule", "no data")
    assert told.exit_code == 0, told.output
    assert "no data" in told.output
    assert "psi above" not in told.output.partition("Would it have fired?")[0]


def test_where_the_csv_goes_is_looked_at_before_anything_is_replayed(watched: Kiosk, tmp_path: Path) -> None:
    for path, said in ((tmp_path / "no" / "x.csv", "there is no folder"), (tmp_path, "is a folder")):
        told = call("-o", str(path))
        assert (told.exit_code, "replayed" in told.output) == (2, False)
        assert said in told.output


def test_another_spec_file_may_have_any_name_but_must_be_of_the_model(watched: Kiosk, tmp_path: Path) -> None:
    other = changed(watched.spec, rules=[{"metric": "psi", "above": 0.35, "nights": 3}])
    assert "psi above 0.35, 3 nights" in call("--spec", str(written(tmp_path / "tried.yaml", other))).output
    told = call("--spec", str(written(tmp_path / "shop.yaml", other.model_copy(update={"model": "shop"}))))
    assert told.exit_code == 2
    assert "model must be 'kiosk', which is asked for" in told.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2025-01-01", "--to", "2025-03-31"), "metrics are finished for 2025-01-01..2025-02-14; give days within"),
        (("--from", "2024-12-31"), "is not all run yet"),
        (("--rule", "psi above 0.4"), "there is no rule 'psi above 0.4'; did you mean 'psi above 0.3'?"),
        (("--budget", "often"), "--budget 'often' is not understood"),
        (("--fell", "accuracy fell"), "--fell 'accuracy fell' is not understood"),
        (("--fell", "acuracy drop 5pp"), "there is no metric 'acuracy'; did you mean 'accuracy'?"),
        (("--fell", "accuracy drop 5"), "'5' is not a change; write 10% (of the former value) or 5pp"),
        (("--fell", "accuracy below low"), "'low' is not a number"),
        (("--fell", "accuracy drop 5pp at age 9"), "kiosk has accuracy at ages [1, 3], not 9"),
        (("--fell", "accuracy drop 5pp for country=XX"), "kiosk has no accuracy for country=XX"),
        (("--truth", "nowhere.csv"), "nowhere.csv: cannot be read"),
        (("--truth", "a.csv", "--fell", "x"), "not both"),
        (("--spec", "nowhere.yaml"), "there is no spec file 'nowhere.yaml'"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_what_can(arguments: tuple[str, ...], said: str) -> None:
    told = call(*arguments)
    assert told.exit_code == 2
    assert said in told.output


def test_a_fault_in_the_file_of_incidents_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "told.csv").write_text("start,end\n2025-01-05,2025-01-06\n2025-01-05,soon\n")
    assert "told.csv:3: end is 'soon', not a day" in call("--truth", str(tmp_path / "told.csv")).output


def test_a_spec_that_changes_figures_is_refused_and_says_what_may_change(watched: Kiosk) -> None:
    with pytest.raises(UsageError, match=r"stored metrics were made with another spec.*a backtest may change rules"):
        backtest.run(changed(watched.spec, min_rows=77), backtest.Asked(), watched.home)


def test_a_model_that_never_ran_says_what_to_run(watched: Kiosk, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="nothing is published"):
        backtest.run(watched.spec, backtest.Asked(), tmp_path)


@pytest.mark.parametrize(
    ("text", "name", "age"),
    [
        ("accuracy drop 5pp at final age", "accuracy drop 5pp", "final"),
        ("recall below 0.6 for country=FR at age 7", "recall below 0.6 for country=FR", "7"),
        ("conversion drop 10%", "conversion drop 10%", ""),
    ],
)
def test_what_fell_is_said_in_the_words_of_rules(text: str, name: str, age: str) -> None:
    rule, told = asked(text, min_n=30)
    assert (rule.name, told, rule.min_n) == (name, age, 30)
