"""Both registries keep one contract: one version a request, one move a request, and a way back."""

from __future__ import annotations

import json
import multiprocessing
import urllib.request
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from jobs.engine.registry import Move, Registry, digest_of, named, of_key, open_registry, standing
from jobs.engine.registry_mlflow import MlflowRegistry
from jobs.engine.registry_sqlite import EmbeddedRegistry
from jobs.errors import RegistryError
from tests.mlflow_server import environment, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2025, 3, 22, 6, tzinfo=UTC)
BOTH = ["embedded", pytest.param("mlflow", marks=[pytest.mark.slow, pytest.mark.timeout(600)])]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("mlflow")
    with serving(environment(root / "env"), root / "server") as url:
        yield url


@pytest.fixture(params=BOTH)
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    if request.param == "embedded":
        return EmbeddedRegistry(tmp_path / "registry")
    return MlflowRegistry(request.getfixturevalue("server"), tmp_path / "registry")


@pytest.fixture
def model(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses: they share a server."""
    return f"m{abs(hash(request.node.name))}"


def file_of(folder: Path, text: str) -> Path:
    path = folder / "model.joblib"
    path.write_bytes(text.encode())
    return path


def move(registry: Registry, model: str, version: int, expected: int | None, **changes: Any) -> Move:
    asked = {"kind": "promote", "key": f"to-{version}", "person": "Ada", "why": "it is better", "now": NOW} | changes
    return registry.move(model, version, expected=expected, **asked)


def test_an_unknown_model_has_no_versions_and_no_champion(registry: Registry, model: str) -> None:
    assert (registry.versions(model), registry.champion(model), registry.moves(model)) == ([], None, [])


def test_a_request_is_one_version_however_often_it_is_registered(
    registry: Registry, model: str, tmp_path: Path
) -> None:
    made = registry.register(model, "k1", file_of(tmp_path, "one"), {"accuracy": 0.9})
    again = registry.register(model, "k1", file_of(tmp_path, "another"), {"accuracy": 0.1})
    other = registry.register(model, "k2", file_of(tmp_path, "two"), {})
    assert again == made
    assert [one.number for one in registry.versions(model)] == [1, 2]
    assert (made.name, other.name) == ("nightjar-1", "nightjar-2")
    assert registry.versions(model)[0].facts == {"accuracy": 0.9}
    assert of_key(registry.versions(model), "k2") == other


def test_a_file_comes_back_as_it_was_given(registry: Registry, model: str, tmp_path: Path) -> None:
    given = file_of(tmp_path, "the model's bytes")
    made = registry.register(model, "k1", given, {})
    fetched = registry.fetch(made, tmp_path / "fetched")
    assert fetched.read_bytes() == given.read_bytes()
    assert made.digest == digest_of(given)


def test_a_version_known_by_name_has_no_file(registry: Registry, model: str, tmp_path: Path) -> None:
    rules = registry.adopt(model, "rules", {"adopted": "by hand"})
    assert registry.adopt(model, "rules", {}) == rules
    assert (rules.name, rules.digest) == ("rules", None)
    with pytest.raises(RegistryError, match="has no file here"):
        registry.fetch(rules, tmp_path / "fetched")


def test_the_alias_moves_once_for_a_key_and_every_move_is_kept(registry: Registry, model: str, tmp_path: Path) -> None:
    registry.adopt(model, "v1", {})
    registry.register(model, "k2", file_of(tmp_path, "two"), {})
    move(registry, model, 1, None)
    first = move(registry, model, 2, 1)
    assert move(registry, model, 2, 1) == first  # the same request again
    champion = registry.champion(model)
    assert champion is not None
    assert champion.name == "nightjar-2"
    assert [(one.former, one.version, one.person) for one in registry.moves(model)] == [(None, 1, "Ada"), (1, 2, "Ada")]


def test_a_decision_against_another_champion_moves_nothing(registry: Registry, model: str, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        registry.register(model, f"k{number}", file_of(tmp_path, str(number)), {})
    move(registry, model, 1, None)
    move(registry, model, 2, 1)
    with pytest.raises(RegistryError, match="the champion is version 2, and the decision was taken against version 1"):
        move(registry, model, 3, 1)
    with pytest.raises(RegistryError, match="there is no version 7"):
        move(registry, model, 7, 2)
    champion = registry.champion(model)
    assert champion is not None
    assert champion.number == 2
    assert len(registry.moves(model)) == 2


def test_two_rollbacks_go_back_two_versions(registry: Registry, model: str, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        registry.register(model, f"k{number}", file_of(tmp_path, str(number)), {})
        move(registry, model, number, number - 1 or None)
    assert standing(registry.moves(model)) == [1, 2, 3]
    move(registry, model, 2, 3, kind="rollback", key="back")
    assert standing(registry.moves(model)) == [1, 2]
    move(registry, model, 1, 2, kind="rollback", key="back again")
    assert standing(registry.moves(model)) == [1]


def test_a_version_is_found_by_its_name_before_its_number(registry: Registry, model: str, tmp_path: Path) -> None:
    registry.register(model, "k1", file_of(tmp_path, "one"), {})
    registry.adopt(model, "1", {})  # a model without a version column answers as version 1
    found = registry.versions(model)
    assert named(found, "1") == found[1]
    assert named(found, "nightjar-1") == named(found[:1], "1") == found[0]
    assert named(found, "v9") is None


def test_facts_may_be_long(registry: Registry, model: str, tmp_path: Path) -> None:
    """MLflow refuses a tag of more than 5000 characters; a model may have hundreds of features."""
    facts = {"features": {"numeric": [f"a_rather_long_feature_name_{number}" for number in range(400)]}}
    registry.register(model, "k1", file_of(tmp_path, "one"), facts)
    assert registry.versions(model)[0].facts == facts


def test_a_changed_file_is_not_handed_out(tmp_path: Path) -> None:
    registry = EmbeddedRegistry(tmp_path / "registry")
    made = registry.register("toy", "k1", file_of(tmp_path, "one"), {})
    (kept,) = (tmp_path / "registry" / "models" / "toy").iterdir()
    kept.write_bytes(b"something else")
    with pytest.raises(RegistryError, match="is missing or was changed"):
        registry.fetch(made, tmp_path / "fetched")


def _register(folder: Path, key: str, file: Path) -> int:
    return EmbeddedRegistry(folder).register("toy", key, file, {}).number


def _race(folder: Path, version: int) -> str:
    try:
        move(EmbeddedRegistry(folder), "toy", version, 1)
    except RegistryError as error:
        return str(error)
    return "moved"


def test_of_two_processes_that_move_at_once_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    folder, file = tmp_path / "registry", file_of(tmp_path, "same")
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        numbers = pool.starmap(_register, [(folder, f"k{number % 4}", file) for number in range(16)])
        move(EmbeddedRegistry(folder), "toy", 1, None)
        said = pool.starmap(_race, [(folder, version) for version in (2, 3, 4)])
    assert sorted(set(numbers)) == [1, 2, 3, 4]
    assert said.count("moved") == 1
    assert sum("somebody moved it meanwhile" in one for one in said) == 2


def test_a_registry_that_cannot_be_reached_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_REGISTRY", "http://ada:secret@127.0.0.1:9")
    with pytest.raises(RegistryError, match=r"http://127\.0\.0\.1:9 cannot be reached") as refused:
        open_registry(tmp_path).champion("toy")
    assert "secret" not in str(refused.value)
    monkeypatch.setenv("NIGHTJAR_REGISTRY", "sqlite:///somewhere")
    with pytest.raises(RegistryError, match="must be the URL of an MLflow server"):
        open_registry(tmp_path)


def _post(server: str, route: str, asked: dict[str, str]) -> None:
    request = urllib.request.Request(  # noqa: S310
        f"{server}/api/2.0/mlflow/{route}", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310


@pytest.mark.slow
def test_a_move_noted_in_mlflow_whose_process_died_is_no_history_for_others(
    server: str, model: str, tmp_path: Path
) -> None:
    registry = MlflowRegistry(server, tmp_path / "registry")
    for number in (1, 2):
        registry.register(model, f"k{number}", file_of(tmp_path, str(number)), {})
    move(registry, model, 1, None)
    move(registry, model, 2, 1)
    _post(server, "registered-models/alias", {"name": model, "alias": "champion", "version": "1"})  # as before the move
    assert [one.version for one in registry.moves(model)] == [1]
    move(registry, model, 2, 1, key="another request")  # the dead one's move was never made, so it is no history
    assert [one.key for one in registry.moves(model)] == ["to-1", "another request"]


@pytest.mark.slow
def test_a_move_noted_in_mlflow_before_its_process_died_is_finished_by_the_next(
    server: str, model: str, tmp_path: Path
) -> None:
    registry = MlflowRegistry(server, tmp_path / "registry")
    for number in (1, 2):
        registry.register(model, f"k{number}", file_of(tmp_path, str(number)), {})
    move(registry, model, 1, None)
    done = move(registry, model, 2, 1)
    _post(server, "registered-models/alias", {"name": model, "alias": "champion", "version": "1"})
    assert move(registry, model, 2, 1) == done
    champion = registry.champion(model)
    assert champion is not None
    assert champion.number == 2
    assert [one.version for one in registry.moves(model)] == [1, 2]


@pytest.mark.slow
def test_a_champion_that_somebody_chose_in_mlflows_page_is_the_one_to_go_back_from(
    server: str, model: str, tmp_path: Path
) -> None:
    registry = MlflowRegistry(server, tmp_path / "registry")
    for number in (1, 2, 3):
        registry.register(model, f"k{number}", file_of(tmp_path, str(number)), {})
    move(registry, model, 1, None)
    move(registry, model, 2, 1)
    _post(server, "registered-models/alias", {"name": model, "alias": "champion", "version": "3"})
    assert standing(registry.moves(model)) == [1, 2, 3]
    assert registry.moves(model)[-1].person == "somebody"
