"""`nightjar validate`: a spec against what was really delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jobs.spec import ModelSpec
from jobs.spec.checking import check_against_data
from tests.unit.spec.spec_files import DAYS, as_csv, as_json_lines, as_parquet, deliver, labels, predictions

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = {"timestamp": "served_at", "version": "model_version", "latency_ms": "latency_ms"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    deliver(tmp_path / "p", predictions())
    deliver(tmp_path / "l", labels())
    return tmp_path


def told(files: Path, **changes: Any) -> list[str]:
    sound: dict[str, Any] = {
        "model": "shop",
        "predictions": {"path": f"{files}/p/dt={{day}}/*.parquet", "columns": COLUMNS},
        "labels": {"path": f"{files}/l/dt={{day}}/*.parquet"},
        "features": {"price": "numeric", "country": "categorical"},
        "segments": ["country"],
    }
    return check_against_data(ModelSpec(**{**sound, **changes}))


def test_a_spec_that_fits_has_only_the_note_of_what_it_does_not_watch(files: Path) -> None:
    assert told(files) == [
        "note: predictions has columns that the spec does not watch: signed_up, session, customer_id, nothing"
    ]


def test_a_missing_column_is_named_with_the_key_that_asks_for_it_and_the_near_one_that_is_there(files: Path) -> None:
    found = told(files, features={"prize": "numeric"})
    last = f"{files}/p/dt={DAYS[-1]}/part-0.parquet"
    assert found[0] == f"features.prize: {last} has no column 'prize'; did you mean 'price'?"


def test_a_missing_column_without_a_near_one_shows_them_all(files: Path) -> None:
    assert (
        "it has request_id, label"
        in told(files, labels={"path": f"{files}/l/dt={{day}}/*", "columns": {"label": "zzz"}})[1]
    )


def test_text_is_no_numeric_feature(files: Path) -> None:
    assert "is text, not a number, for example 'FR'" in told(files, features={"country": "numeric"}, segments=[])[0]
    assert "is TIMESTAMP, not a number" in told(files, features={"signed_up": "numeric"})[0]


def test_numbers_written_as_text_are_numbers(tmp_path: Path) -> None:
    path = as_json_lines(tmp_path / "p.jsonl", [{**row, "price": str(row["price"])} for row in predictions()[DAYS[0]]])
    spec = {"predictions": {"path": str(path), "columns": COLUMNS}, "labels": None}
    assert [line for line in told(tmp_path, **spec) if not line.startswith("note")] == []


def test_an_empty_column_fits_every_kind(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "p.csv", [{**row, "price": None} for row in predictions()[DAYS[0]]])
    spec = {"predictions": {"path": str(path), "columns": COLUMNS}, "labels": None}
    assert [line for line in told(tmp_path, **spec) if not line.startswith("note")] == []


def test_a_score_or_timestamp_of_the_wrong_kind_is_told(files: Path) -> None:
    columns = {**COLUMNS, "score": "country", "timestamp": "session"}
    found = told(files, predictions={"path": f"{files}/p/dt={{day}}/*.parquet", "columns": columns})
    assert "predictions.columns.timestamp: column 'session'" in found[0]
    assert "is not a timestamp, for example 'session" in found[0]
    assert "predictions.columns.score: column 'country'" in found[1]


def test_labels_that_are_not_0_or_1_ask_for_the_positive_value(files: Path) -> None:
    for day, rows in labels().items():
        as_parquet(
            files / "words" / f"dt={day}" / "x.parquet", [{**row, "label": ["no", "yes"][row["label"]]} for row in rows]
        )
    path = f"{files}/words/dt={{day}}/*.parquet"
    assert "say in labels.positive which value counts" in told(files, labels={"path": path})[1]
    assert "did you mean 'yes'?" in told(files, labels={"path": path, "positive": "yess"})[1]
    assert len(told(files, labels={"path": path, "positive": "yes"})) == 1


def test_a_pattern_that_matches_nothing_shows_what_is_there_instead(files: Path) -> None:
    found = told(files, labels={"path": f"{files}/l/day={{day}}/*.parquet"})
    assert f"labels: no file matches {files}/l/day={{day}}/*.parquet; {files}/l is there and holds dt=" in found[1]


def test_a_reference_must_hold_every_feature(files: Path) -> None:
    path = as_parquet(files / "r.parquet", [{"price": 1.0}])
    assert told(files, reference={"file": str(path)})[-1] == (
        f"features.country: {path} has no column 'country'; it has price"
    )


def test_a_broken_file_is_told_and_the_other_sources_are_still_checked(files: Path) -> None:
    (files / "p" / f"dt={DAYS[-1]}" / "part-0.parquet").write_bytes(b"PAR1")
    found = told(files, labels={"path": f"{files}/nowhere/{{day}}.csv"})
    assert "part-0.parquet: cannot be read" in found[0]
    assert "labels: no file matches" in found[1]


def test_columns_are_found_whatever_their_capitals(files: Path) -> None:
    assert len(told(files, features={"PRICE": "numeric"})) == 1


def test_other_roles_need_answers_but_no_features(files: Path) -> None:
    rows = [
        {"request_id": row["request_id"], "served_at": row["served_at"], "score": 0.5} for row in predictions()[DAYS[0]]
    ]
    as_parquet(files / "s" / f"{DAYS[0]}.parquet", rows)
    other = {"path": f"{files}/s/{{day}}.parquet", "role": "shadow", "columns": {"timestamp": "served_at"}}
    assert len(told(files, others=[other])) == 1
    other["columns"] = COLUMNS
    assert "others[0].columns.version" in told(files, others=[other])[1]


def test_ids_that_repeat_while_labels_name_no_day_are_worth_a_note(files: Path, tmp_path: Path) -> None:
    columns = COLUMNS | {"id": "customer_id"}
    source = {"path": f"{files}/p/dt={{day}}/*.parquet", "columns": columns}
    unnamed = {"path": f"{files}/l/dt={{day}}/*.parquet"}
    note = (
        f"note: 40 of 40 ids of {DAYS[-1]} were predicted before; labels without `columns.predicted` count for each of "
        "them"
    )
    assert note in told(files, predictions=source, labels=unnamed)
    every_day = as_csv(tmp_path / "all.csv", [row for rows in predictions().values() for row in rows])
    assert note in told(files, predictions={"path": str(every_day), "columns": columns}, labels=unnamed)
    one_day = {"path": f"{files}/p/dt={DAYS[-1]}/*.parquet", "columns": columns}
    assert note not in told(files, predictions=one_day, labels=unnamed)
    assert note not in told(files, predictions=source, labels=unnamed | {"columns": {"predicted": "label"}})


def test_the_column_of_a_labels_prediction_is_there_and_holds_times(files: Path) -> None:
    labelled = {"path": f"{files}/l/dt={{day}}/*.parquet"}
    absent, *_ = (line for line in told(files, labels=labelled | {"columns": {"predicted": "on"}}) if "on'" in line)
    assert absent.startswith("labels.columns.predicted: ")
    assert "has no column 'on'" in absent
    wrong = told(files, labels=labelled | {"columns": {"predicted": "label"}})
    assert any(line.startswith("labels.columns.predicted: ") and "not a timestamp" in line for line in wrong)
