"""The commands of people who watch: what is open, I look after it, approve, did every night run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from jobs.cli import main
from jobs.engine.notes import notes_file
from jobs.pipeline import STAGE_NAMES
from tests.kiosk import Kiosk, day, days

LAST = 16


@pytest.fixture
def watched(kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kiosk:
    """A kiosk that delivered nothing on its last day, with its spec in a folder of specs."""
    kiosk.changes |= {"labels": None, "outcomes": None, "rules": [{"metric": "psi", "above": 50.0}]}
    for number in range(1, LAST):
        kiosk.predict(number, [f"{number}-{row}" for row in range(60)])
    kiosk.run(days(1, LAST), *STAGE_NAMES)
    with kiosk.warehouse() as warehouse:
        warehouse.publish()
    (tmp_path / "models").mkdir()
    given = kiosk.spec.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    (tmp_path / "models" / "kiosk.yaml").write_text(yaml.safe_dump(given))
    monkeypatch.setenv("NIGHTJAR_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NIGHTJAR_HOME", str(kiosk.home))
    return kiosk


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_ack_lists_what_is_open_and_notes_who_looks_after_it(watched: Kiosk) -> None:
    incident = f"kiosk-{day(LAST)}-delivery"
    assert call("ack", "kiosk").output == f"{incident}: critical since {day(LAST)}, no predictions for {day(LAST)}\n"
    assert call("ack", "kiosk", incident, "--by", "Ada").output == f"{incident}: acknowledged by Ada\n"
    assert "(acknowledged by Ada)" in call("ack", "kiosk").output


def test_health_is_status_1_while_nights_are_missing(watched: Kiosk) -> None:
    told = call("health")
    assert told.exit_code == 1
    assert told.output.startswith(f"LATE  kiosk: the newest finished night is {day(LAST)};")


def test_one_broken_model_hides_no_other_and_is_itself_reported(
    kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the kiosk, by name: a spec that cannot be read, and a published copy that is none."""
    folder = tmp_path / "models"
    folder.mkdir()
    kiosk.changes |= {"channels": {"critical": ["log", "${HOOK}"]}}
    given = kiosk.spec.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    (folder / "kiosk.yaml").write_text(yaml.safe_dump(given))
    (folder / "damaged.yaml").write_text(yaml.safe_dump(given | {"model": "damaged"}))
    (folder / "broken.yaml").write_text("model: broken\nwhat: is this\n")
    (kiosk.home / "published").mkdir(parents=True)
    (kiosk.home / "published" / "damaged.duckdb").write_text("no database")
    monkeypatch.setenv("NIGHTJAR_MODELS", str(folder))
    monkeypatch.setenv("NIGHTJAR_HOME", str(kiosk.home))
    monkeypatch.delenv("HOOK", raising=False)
    told = call("health", "--tell")
    assert told.exit_code == 2
    assert "LATE  kiosk: no night has ever finished" in told.output
    assert "FAULT broken.yaml:" in told.output
    assert "FAULT damaged: its nights cannot be looked up" in told.output
    assert "FAULT kiosk: the environment variable HOOK is not set" in told.output
    told_of = json.loads(notes_file(kiosk.home, "kiosk").read_text())
    assert {key: note["answer"] for key, note in told_of.items()} == {"kiosk-late-since-ever-log": "logged"}


@pytest.mark.parametrize(("folder", "why"), [("models", "holds none"), ("modles", "is no folder")])
def test_a_house_without_specs_is_not_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, why: str
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("NIGHTJAR_MODELS", str(tmp_path / folder))
    monkeypatch.setenv("NIGHTJAR_HOME", str(tmp_path / "home"))
    told = call("health")
    assert told.exit_code == 2
    assert told.output.startswith(f"FAULT no spec in {tmp_path / folder}, which {why}")
    assert "set NIGHTJAR_MODELS" in told.output
    checked = call("validate")
    assert checked.exit_code == 2
    assert f"no spec in {tmp_path / folder}" in checked.output


def test_a_model_that_was_watched_and_has_no_spec_is_named(watched: Kiosk, tmp_path: Path) -> None:
    (tmp_path / "models" / "kiosk.yaml").rename(tmp_path / "models" / "kiosk.yaml.old")
    (tmp_path / "models" / "broken.yaml").write_text("model: broken\nwhat: is this\n")
    told = call("health")
    assert told.exit_code == 2
    assert "no spec in" not in told.output
    file = watched.home / "published" / "kiosk.duckdb"
    assert f"FAULT kiosk: was watched, as {file} shows, and {tmp_path / 'models'} has no kiosk.yaml" in told.output


def test_of_a_model_that_is_asked_for_no_other_one_is_told(watched: Kiosk) -> None:
    (watched.home / "published" / "former.duckdb").write_text("whatever")
    assert "former" not in call("health", "kiosk").output
    assert "FAULT former: was watched" in call("health").output


def test_health_names_old_copies_where_it_is_told_their_folder(
    watched: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "copies"
    assert call("backup", str(copies)).exit_code == 0
    monkeypatch.setenv("NIGHTJAR_BACKUP", str(copies))
    assert "STALE" not in call("health").output
    os.utime(copies / "kiosk.duckdb", (0, 0))
    told = call("health")
    assert told.exit_code == 1
    assert f"STALE kiosk: its copy {copies}/kiosk.duckdb is older than two days" in told.output
    monkeypatch.delenv("NIGHTJAR_BACKUP")
    assert "STALE" not in call("health").output


def test_one_broken_spec_keeps_no_newcomer_from_being_watched(
    kiosk: Kiosk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    given = kiosk.spec.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    (folder / "kiosk.yaml").write_text(yaml.safe_dump(given))
    (folder / "broken.yaml").write_text("model: broken\nwhat: is this\n")
    monkeypatch.setenv("NIGHTJAR_MODELS", str(folder))
    monkeypatch.setenv("NIGHTJAR_HOME", str(kiosk.home))
    told = call("newcomers")
    assert told.exit_code == 2
    assert "kiosk: no champion yet" in told.output
    assert "broken.yaml:" in told.output


def test_what_does_not_wait_cannot_be_approved(watched: Kiosk) -> None:
    told = call("approve", "kiosk", "typo")
    assert told.exit_code == 2
    assert "no request 'typo' waits; waiting: none" in told.output
