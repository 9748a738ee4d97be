"""A rollback and a fallback move the champion once for one request, and refuse what makes no sense."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jsonschema
import pandas as pd
import pytest
from click.testing import CliRunner

from jobs.cli import main
from jobs.engine.registry import RULES, Registry, open_registry
from jobs.engine.warehouse import open_warehouse
from jobs.errors import DeliveryError
from jobs.retraining import heard
from jobs.retraining.folder import Outcome, begin, conclude, folder_of
from jobs.retraining.request import Request, parse_request
from jobs.retraining.switching import fall_back, roll_back
from jobs.retraining.watching import look, look_and_act
from tests.receivers import Post, Receiver, http_receiver
from tests.toy import FIRST, PAYLOAD, fill, toy, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from jobs.spec import ModelSpec

NOW = datetime(2025, 3, 22, 6, tzinfo=UTC)


def asked(action: str, key: str = "k", **versions: str | None) -> Request:
    said = {"action": action, "key": key, "versions": {"current": None, "previous": None} | versions}
    return parse_request(PAYLOAD | said, action)


def name_of(registry: Registry) -> str | None:
    found = registry.champion("toy")
    return found.name if found else None


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """v1 was replaced by v2, which was trained here."""
    made = open_registry(tmp_path)
    file = tmp_path / "model.joblib"
    file.write_bytes(b"a model")
    made.adopt("toy", "v1", {})
    made.register("toy", "r2", file, {"features": {}, "threshold": 0.5})
    for number, former in ((1, None), (2, 1)):
        made.move("toy", number, "promote", f"p{number}", expected=former, person="Ada", why="", now=NOW)
    return made


def test_a_rollback_goes_back_to_the_version_before(registry: Registry) -> None:
    outcome = roll_back(asked("rollback"), registry, NOW)
    assert (outcome.state, name_of(registry)) == ("done", "v1")
    assert outcome.reason == "version 1 (v1) is champion now, instead of version 2 (nightjar-2)"


def test_the_same_rollback_twice_goes_back_once(registry: Registry) -> None:
    roll_back(asked("rollback"), registry, NOW)
    again = roll_back(asked("rollback"), registry, NOW)
    assert (again.state, name_of(registry)) == ("done", "v1")
    assert "nothing was moved again" in again.reason
    assert len(registry.moves("toy")) == 3


def test_a_rollback_of_a_version_that_is_not_champion_any_more_is_refused(registry: Registry) -> None:
    outcome = roll_back(asked("rollback", current="v1"), registry, NOW)
    assert outcome.state == "refused"
    assert "about version 'v1', and the champion is version 2 (nightjar-2)" in outcome.reason
    assert name_of(registry) == "nightjar-2"


def test_with_no_version_before_there_is_nothing_to_go_back_to(registry: Registry) -> None:
    roll_back(asked("rollback"), registry, NOW)
    outcome = roll_back(asked("rollback", "another"), registry, NOW)
    assert (outcome.state, outcome.reason) == ("refused", "no version was champion before version 1 (v1)")


def test_a_rollback_before_the_first_retraining_takes_in_the_versions_of_the_request(tmp_path: Path) -> None:
    registry = open_registry(tmp_path)
    outcome = roll_back(asked("rollback", current="v7", previous="v6"), registry, NOW)
    assert (outcome.state, name_of(registry)) == ("done", "v6")
    assert roll_back(asked("rollback", "other"), open_registry(tmp_path / "empty"), NOW).state == "refused"


def test_a_fallback_names_the_rule_engine_and_a_rollback_ends_it(registry: Registry) -> None:
    assert fall_back(asked("fallback"), registry, NOW).state == "done"
    assert name_of(registry) == RULES
    assert fall_back(asked("fallback", "again"), registry, NOW).reason == "the rule engine answers already"
    assert roll_back(asked("rollback", "back"), registry, NOW).state == "done"
    assert name_of(registry) == "nightjar-2"


# a new champion is watched -----------------------------------------------------------------------------------


def served(home: Path, accuracy: float, days: int = 3, per_day: int = 400, age: int = 1) -> None:
    """v1 was right in 80 of 100 answers for ten days; then nightjar-2 answers."""
    rows = [("v1", number, 0.8) for number in range(10)]
    rows += [("nightjar-2", 10 + number, accuracy) for number in range(days)]
    frame = pd.DataFrame(
        {
            "version": [row[0] for row in rows],
            "day": [pd.Timestamp(FIRST) + pd.Timedelta(row[1], "D") for row in rows],
            "value": [row[2] for row in rows],
        }
    ).assign(metric="accuracy", segment="all", feature="", layer="model", label_age=age, n=per_day, state="final")
    with open_warehouse(home, "toy", wait=5) as warehouse:
        warehouse.insert("metrics", frame.assign(model="toy", lower=None, upper=None, reason=None))
        warehouse.publish()


def night(day: int) -> Any:
    return (pd.Timestamp(FIRST) + pd.Timedelta(day, "D")).date()


def test_a_new_champion_that_does_worse_than_its_predecessor_goes_back(registry: Registry, tmp_path: Path) -> None:
    served(tmp_path, 0.7)
    assert look(toy(), tmp_path, night(10), registry).state == "unheard"  # labels are known a day later
    outcome = look_and_act(toy(), tmp_path, night(11), registry, NOW)
    assert outcome.state == "rolled back", outcome
    assert "accuracy at age 1 is 0.700 (n 400), and was 0.800 with the version before it" in outcome.reason
    assert name_of(registry) == "v1"
    assert registry.moves("toy")[-1].key == "toy-nightjar-2-watch-rollback"
    assert look(toy(), tmp_path, night(12), registry).state == "nothing"


def test_what_it_asks_for_keeps_to_the_contract_of_actions(registry: Registry, tmp_path: Path) -> None:
    from pathlib import Path as Anywhere

    served(tmp_path, 0.7)
    payload = look(toy(), tmp_path, night(12), registry).payload
    contract = Anywhere(__file__).resolve().parents[2] / "docs" / "action.schema.json"
    jsonschema.validate(dict(payload), json.loads(contract.read_text()))


def test_a_new_champion_that_keeps_up_is_watched_for_as_many_nights_as_the_spec_says(
    registry: Registry, tmp_path: Path
) -> None:
    served(tmp_path, 0.79, days=5)
    spec = toy(retraining={"watch_nights": 3})
    assert look(spec, tmp_path, night(13), registry).reason.endswith(
        "is as good as v1: night 3, the last one is 2025-03-14"
    )
    assert look(spec, tmp_path, night(14), registry).state == "kept"
    assert name_of(registry) == "nightjar-2"


def test_a_worse_champion_that_nobody_looked_at_in_time_is_not_kept(registry: Registry, tmp_path: Path) -> None:
    served(tmp_path, 0.7, days=5)
    assert look(toy(retraining={"watch_nights": 3}), tmp_path, night(30), registry).state == "worse"


def test_few_answers_prove_nothing_against_it(registry: Registry, tmp_path: Path) -> None:
    served(tmp_path, 0.7, per_day=20)
    assert look(toy(), tmp_path, night(12), registry).state == "watching"


@pytest.mark.parametrize(("policy", "state"), [({"approval": True}, "waits"), ({"dry_run": True}, "worse")])
def test_the_guard_rails_of_the_rollback_action_hold_here_too(
    registry: Registry, tmp_path: Path, policy: dict[str, bool], state: str
) -> None:
    served(tmp_path, 0.7)
    outcome = look_and_act(toy(actions={"rollback": policy}), tmp_path, night(12), registry, NOW)
    assert (outcome.state, name_of(registry)) == (state, "nightjar-2")


def test_a_champion_that_came_by_a_rollback_is_not_new(registry: Registry, tmp_path: Path) -> None:
    served(tmp_path, 0.7)
    roll_back(asked("rollback"), registry, NOW)
    assert look(toy(), tmp_path, night(12), registry).state == "nothing"


# by hand -----------------------------------------------------------------------------------------------------

SPEC = """\
model: toy
predictions: {path: "p/{day}.csv"}
labels: {path: "l/{day}.csv", ages: [1]}
features: {x: numeric, colour: categorical}
segments: [country]
actions: {retrain: {min_labels: 200}}
retraining: {approval: true}
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a spec for the command line."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toy.yaml").write_text(SPEC)
    monkeypatch.setenv("NIGHTJAR_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NIGHTJAR_HOME", str(tmp_path))
    monkeypatch.delenv("NIGHTJAR_REGISTRY", raising=False)
    return tmp_path


def called(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=given)


def test_by_hand_a_candidate_is_trained_approved_and_taken_back(desk: Path) -> None:
    fill(desk, world())
    trained = called("retrain", "toy")
    assert trained.exit_code == 0, trained.output
    assert "promote: waits: version 2 (nightjar-2) waits for approval" in trained.output
    assert (desk / "candidates" / "toy" / "toy-2025-03-21-by-hand" / "evaluation.md").is_file()
    promoted = called("promote", "toy", "2", "--by", "Ada")
    assert "promote: promoted: version 2 (nightjar-2) is champion now" in promoted.output
    assert called("newcomers", "toy").output.startswith("toy: watch: unheard")
    back = called("rollback", "toy", "--by", "Eve", "--reason", "the sale went wrong")
    assert back.output.startswith("toy: champion is version 1 (v1)\n")
    assert back.output.splitlines()[-1].startswith("rollback: done: version 1 (v1) is champion now")
    listed = called("registry", "toy").output
    assert "* 1 v1: no file" in listed
    assert "rollback: 2 -> 1 by Eve: the sale went wrong" in listed
    assert "toy: champion is version 3 (rules)" in called("fallback", "toy").output


def test_by_hand_a_first_fallback_is_taken_back(desk: Path) -> None:
    fill(desk, world())
    assert "toy: champion is version 2 (rules)" in called("fallback", "toy", "--by", "Ada").output
    assert "toy: champion is version 1 (v1)" in called("rollback", "toy", "--by", "Ada").output


def test_by_hand_a_candidate_is_rejected(desk: Path) -> None:
    fill(desk, world())
    called("retrain", "toy", "--day", "2025-03-21")
    assert "refused: rejected by Ada" in called("promote", "toy", "nightjar-2", "--reject", "--by", "Ada").output
    assert "is champion now" not in called("retrain", "toy", "--day", "2025-03-21").output


def test_a_refusal_is_a_result_and_not_a_failure(desk: Path) -> None:
    fill(desk, world(days=3, per_day=20))
    refused = called("retrain", "toy")
    assert refused.exit_code == 0
    assert refused.output.splitlines()[-1].startswith("collect: refused: 60 labelled rows")


def test_a_decision_is_carried_out_by_a_command_that_reads_its_payload(desk: Path) -> None:
    fill(desk, world())
    payload = json.dumps(PAYLOAD)
    first, again = (called("retrain", "--request", "-", given=payload) for _ in range(2))
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert len(open_registry(desk).versions("toy")) == 2
    back = json.dumps(PAYLOAD | {"action": "rollback", "versions": {"current": "v1", "previous": None}})
    assert "no version was champion before" in called("rollback", "--request", "-", given=back).output


@pytest.mark.parametrize(
    ("arguments", "given", "fault"),
    [
        (("retrain",), None, "give MODEL, or --request with the payload"),
        (("rollback", "--request", "-"), "{", "the payload is no JSON"),
        (("retrain", "--request", "-"), json.dumps(PAYLOAD | {"version": 9}), "version is 9"),
        (("promote", "toy", "4"), None, "there is no version '4' in the registry; known: none"),
        (("retrain", "toy"), None, "nothing is published"),
    ],
)
def test_what_cannot_be_done_is_one_line(desk: Path, arguments: tuple[str, ...], given: str | None, fault: str) -> None:
    refused = called(*arguments, given=given)
    assert refused.exit_code == 2
    assert fault in refused.output


# who hears of it ---------------------------------------------------------------------------------------------


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with http_receiver() as server:
        monkeypatch.setenv("PAGER", f"{server.url}/pager")
        monkeypatch.setenv("TEAM", f"{server.url}/team")
        yield server


LATER = NOW + timedelta(days=8)
"""When promotions at NOW are no news any more."""


def loud(**changes: Any) -> ModelSpec:
    told = {"critical": ["mail", "${PAGER}"], "warning": ["${TEAM}"]}
    return toy(channels=told, mail={"to": ["night@example.org"]}, owner="Toy team", **changes)


def heard_at(receiver: Receiver, path: str) -> list[tuple[str, str]]:
    """State and sentence of what came."""
    return [(payload["state"], payload["text"]) for at, _, payload in receiver.posted if at == path]


def test_a_rollback_by_the_watch_is_told_once_though_its_process_died_before_it_could_say_so(
    registry: Registry, tmp_path: Path, receiver: Receiver, post: Post
) -> None:
    served(tmp_path, 0.7)
    look_and_act(loud(), tmp_path, night(11), registry, LATER)
    for _ in range(2):  # the next looks find no new champion
        found = look_and_act(loud(), tmp_path, night(12), registry, LATER)
        heard.tell(loud(), tmp_path, registry, LATER, found=found)
    ((state, said),) = heard_at(receiver, "/pager")
    assert state == "rolled back"
    assert said.startswith("toy: version 2 (nightjar-2) was rolled back, version 1 (v1) is champion again: accuracy at")
    assert receiver.keys("/pager") == ["toy-nightjar-2-watch-rollback-done-${PAGER}"]
    assert [str(one["To"]) for one in post.letters] == ["night@example.org"]
    assert heard_at(receiver, "/team") == []


@pytest.mark.parametrize(
    ("policy", "state", "said"),
    [({"approval": True}, "waits", "waits for approval"), ({"dry_run": True}, "worse", "would be rolled back")],
)
def test_a_new_champion_that_is_worse_and_stays_is_told_once(
    registry: Registry, tmp_path: Path, receiver: Receiver, post: Post, policy: dict[str, bool], state: str, said: str
) -> None:
    served(tmp_path, 0.7)
    spec = loud(actions={"rollback": policy})
    for number in (11, 12, 13):
        found = look_and_act(spec, tmp_path, night(number), registry, LATER)
        heard.tell(spec, tmp_path, registry, LATER, found=found)
    ((told, text),) = heard_at(receiver, "/pager")
    assert told == state
    assert text.startswith(f"toy: the new champion is worse and {said}: version 2 (nightjar-2): accuracy at age 1")
    assert len(post.letters) == 1


def test_a_promotion_is_told_once_and_an_old_one_or_a_version_taken_in_is_not(
    registry: Registry, tmp_path: Path, receiver: Receiver
) -> None:
    heard.tell(loud(), tmp_path, registry, LATER)
    assert receiver.posted == []
    for _ in range(2):
        heard.tell(loud(), tmp_path, registry, NOW)
    assert heard_at(receiver, "/team") == [
        ("promoted", "toy: version 2 (nightjar-2) is champion now, instead of version 1 (v1), by Ada: ")
    ]


def test_a_refused_candidate_and_one_that_waits_are_told_once_and_a_rejected_one_is_not(
    tmp_path: Path, receiver: Receiver
) -> None:
    made = open_registry(tmp_path)
    file = tmp_path / "model.joblib"
    file.write_bytes(b"a model")
    ends = {
        "a": (Outcome("evaluate", "refused", "floor: accuracy 0.6"), {}),
        "b": (Outcome("promote", "refused", "rejected by Ada"), {"answer": {"person": "Ada", "approved": False}}),
        "c": (Outcome("register", "passed", "registered"), {}),
        "d": (Outcome("evaluate", "passed", "every gate is passed"), {}),
    }
    for key, (outcome, more) in ends.items():
        folder = folder_of(tmp_path, asked("retrain", key))
        begin(folder, model="toy", key=key, reason="drift", night=str(NOW.date()), **more)
        conclude(folder, outcome)
    made.register("toy", "c", file, {"needs_approval": True})
    for _ in range(2):
        heard.tell(loud(), tmp_path, made, NOW)
    assert heard_at(receiver, "/team") == [
        ("refused", "toy: the candidate of a was refused at evaluate, the champion stays: floor: accuracy 0.6"),
        (
            "waits",
            "toy: the candidate of c has passed: version 1 (nightjar-1) waits for approval: nightjar promote toy 1 --by "
            "NAME (or --reject)",
        ),
    ]
    assert heard_at(receiver, "/pager") == []


def test_a_dead_channel_holds_up_no_other_and_is_told_at_the_next_look(
    registry: Registry, tmp_path: Path, receiver: Receiver, post: Post
) -> None:
    served(tmp_path, 0.7)
    look_and_act(loud(), tmp_path, night(11), registry, NOW)
    receiver.answers["/pager"] = (503, {})
    with pytest.raises(DeliveryError, match=r"toy: not everything was told of its champion.*HTTP 503"):
        heard.tell(loud(), tmp_path, registry, NOW)
    assert len(post.letters) == 1
    assert [state for state, _ in heard_at(receiver, "/team")] == ["promoted"]
    del receiver.answers["/pager"]
    receiver.posted.clear()
    heard.tell(loud(), tmp_path, registry, NOW)
    assert ([at for at, _, _ in receiver.posted], len(post.letters)) == (["/pager"], 1)


def test_by_hand_the_watch_tells_it_too(desk: Path, registry: Registry, receiver: Receiver) -> None:
    served(desk, 0.7)
    spec = SPEC + 'channels: {critical: ["${PAGER}"]}\n'
    (desk / "models" / "toy.yaml").write_text(spec.replace("retrain: {", "rollback: {approval: true}, retrain: {"))
    for _ in range(2):
        looked = called("newcomers", "toy", "--day", "2025-03-12")
        assert looked.exit_code == 0, looked.output
    assert [state for state, _ in heard_at(receiver, "/pager")] == ["waits"]
