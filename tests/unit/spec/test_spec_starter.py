"""`nightjar init`: from files alone comes a spec that loads, fits the files, and guesses as a person would."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from jobs.errors import DataError
from jobs.spec.checking import check_against_data
from jobs.spec.reading import load_spec
from jobs.spec.samples import delivered, pattern_of
from jobs.spec.starter import starter
from tests.unit.spec.spec_files import (
    DAYS,
    as_csv,
    as_parquet,
    deliver,
    each_row,
    label,
    labels,
    prediction,
    predictions,
)

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from jobs.spec import ModelSpec


def started(folder: Path, predictions: Path | str, labels: Path | str | None = None) -> ModelSpec:
    """The starter spec as it loads, after checking that it fits the files."""
    path = folder / "made.yaml"
    path.write_text(starter(predictions, labels, model="made"), encoding="utf-8")
    spec = load_spec(path)
    assert [line for line in check_against_data(spec) if not line.startswith("note: ")] == []
    return spec


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_folder_of_days_becomes_a_whole_spec_whatever_the_format(tmp_path: Path, ending: str) -> None:
    found = deliver(tmp_path / "predictions", predictions(), ending)
    truth = deliver(tmp_path / "labels", labels(), ending)
    spec = started(tmp_path, found, truth)
    assert spec.predictions.path == f"{found}/dt={{day}}/*.{ending}"
    assert spec.predictions.columns.model_dump() == {
        "id": "request_id",
        "timestamp": "served_at",
        "score": "score",
        "version": "model_version",
        "decision": None,
        "latency_ms": "latency_ms",
        "error": None,
    }
    assert {name: feature.kind for name, feature in spec.features.items()} == {
        "price": "numeric",
        "country": "categorical",
    }
    assert spec.segments == {"country": "country"}
    assert spec.labels is not None
    assert spec.labels.path == f"{truth}/dt={{day}}/*.{ending}"
    assert (spec.labels.columns.id, spec.labels.columns.label, spec.labels.positive) == ("request_id", "label", 1)


def test_ages_are_where_half_and_nine_in_ten_labels_are_known(tmp_path: Path) -> None:
    """Delays of 2 days for eight rows in ten and of 9 for two: the quantiles are 2 and 9, rounded up to 2 and 10."""
    found = deliver(tmp_path / "predictions", predictions())
    spec = started(tmp_path, found, deliver(tmp_path / "labels", labels()))
    assert spec.label_ages == (2, 10)


def test_what_is_left_out_is_told_with_its_reason(tmp_path: Path) -> None:
    text = starter(deliver(tmp_path / "predictions", predictions()))
    assert "# left out: signed_up (a time)" in text
    assert "# left out: session (400 different values)" in text
    assert "# left out: customer_id (an id)" in text
    assert "# left out: nothing (empty)" in text


def test_files_with_dates_in_their_names_become_a_day_pattern(tmp_path: Path) -> None:
    for day, rows in predictions().items():
        as_csv(tmp_path / "in" / f"churn-{day}.csv", rows)
    assert started(tmp_path, tmp_path / "in").predictions.path == f"{tmp_path}/in/churn-{{day}}.csv"
    one = tmp_path / "in" / f"churn-{DAYS[0]}.csv"
    assert pattern_of(one) == pattern_of(f"{tmp_path}/in/*.csv") == f"{tmp_path}/in/churn-{{day}}.csv"


def test_one_file_of_all_days_keeps_its_path_and_labels_then_need_their_timestamp(tmp_path: Path) -> None:
    found = as_parquet(tmp_path / "p.parquet", [row for rows in predictions().values() for row in rows])
    arrived = [{**row, "known_at": f"{day} 12:00:00"} for day, rows in labels().items() for row in rows]
    spec = started(tmp_path, found, as_csv(tmp_path / "l.csv", arrived))
    assert spec.predictions.path == str(found)
    assert spec.labels is not None
    assert spec.labels.columns.timestamp == "known_at"
    assert spec.label_ages == (2, 10)


def test_the_first_day_delivered_is_written_down_as_the_start(tmp_path: Path) -> None:
    assert started(tmp_path, deliver(tmp_path / "predictions", predictions())).start == DAYS[0]


def test_the_start_of_files_that_hold_all_days_is_the_first_row_in_utc(tmp_path: Path) -> None:
    rows = [row for rows in predictions().values() for row in rows]
    early = {**rows[0], "request_id": "early", "served_at": f"{DAYS[0]}T00:30:00+02:00"}  # 22:30 the day before in UTC
    zoned = [{**row, "served_at": f"{str(row['served_at']).replace(' ', 'T')}Z"} for row in rows]
    found = as_csv(tmp_path / "p.csv", [*zoned, early])
    assert started(tmp_path, found).start == DAYS[0] - timedelta(days=1)


def test_a_date_in_a_folder_above_the_one_asked_for_is_no_day(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "export 2024-12-31" / "predictions", predictions())
    assert pattern_of(folder) == f"{folder}/dt={{day}}/*.parquet"
    assert delivered(pattern_of(folder))[0][0] == DAYS[0]


def test_hidden_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "predictions", predictions())
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.parquet.crc").touch()
    (folder / "README.md").touch()
    assert pattern_of(folder) == f"{folder}/dt={{day}}/*.parquet"


def test_a_name_that_every_prediction_has_is_stored_under_another(tmp_path: Path) -> None:
    rows = each_row(predictions(), lambda row: {"source": "web" if row["price"] > 20 else "app"})
    spec = started(tmp_path, deliver(tmp_path / "predictions", rows))
    assert spec.features["source_value"].column == "source"
    assert spec.segments == {"country": "country", "source_value": "source"}


def test_names_that_yaml_would_misread_are_quoted(tmp_path: Path) -> None:
    rows = each_row(predictions(), lambda _: {"true": 1.5, "a: b": 2.5, "# c": "x", "Größe": 3.5})
    spec = started(tmp_path, deliver(tmp_path / "predictions", rows))
    assert {"true", "a: b", "# c", "Größe"} <= set(spec.features)


def test_at_most_five_segments_are_proposed(tmp_path: Path) -> None:
    more = {f"plan {number}": "ab"[number % 2] for number in range(9)}
    rows = each_row(predictions(), lambda row: {name: f"{value}{row['price'] > 20}" for name, value in more.items()})
    assert len(started(tmp_path, deliver(tmp_path / "predictions", rows)).segments) == 5


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (("no", "yes"), "yes"),
        (("stayed", "churned"), "churned"),
        ((False, True), True),
        ((0.0, 1.0), 1),
        (("A", "B"), "B"),
    ],
)
def test_the_positive_label_is_told_from_its_name(
    tmp_path: Path, values: tuple[Any, Any], positive: str | int | bool
) -> None:
    truth = each_row(labels(), lambda row: {"label": values[row["label"]]})
    spec = started(tmp_path, deliver(tmp_path / "p", predictions()), deliver(tmp_path / "l", truth))
    assert spec.labels is not None
    assert spec.labels.positive == positive
    assert type(spec.labels.positive) is type(positive)


def test_a_decision_of_the_same_values_as_the_label_is_recognised(tmp_path: Path) -> None:
    rows = each_row(predictions(), lambda row: {"predicted_label": int(row["score"] > 0.5)})
    spec = started(tmp_path, deliver(tmp_path / "p", rows), deliver(tmp_path / "l", labels()))
    assert spec.predictions.columns.decision == "predicted_label"
    assert "predicted_label" not in spec.features


def test_the_name_comes_from_the_path(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "Fraud Check" / "predictions", predictions())
    assert "\nmodel: fraud_check\n" in starter(folder)


def test_labels_that_join_nothing_get_the_default_age_and_a_word_about_it(tmp_path: Path) -> None:
    found = deliver(tmp_path / "p", predictions())
    truth = each_row(labels(), lambda row: {"request_id": f"other {row['request_id']}"})
    assert "ages: [7] # days; no label joined" in starter(found, deliver(tmp_path / "l", truth))


def _without(*columns: str) -> dict[date, list[dict[str, Any]]]:
    return {
        day: [{name: value for name, value in row.items() if name not in columns} for row in rows]
        for day, rows in predictions().items()
    }


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("request_id", "session"), "no column looks like an id"),
        (("served_at", "signed_up"), "no column is a timestamp"),
        (("score",), "no column looks like a score"),
    ],
)
def test_files_without_a_needed_column_are_refused_with_the_columns_there_are(
    tmp_path: Path, columns: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(DataError, match=rf"{expected}.*; there are .*price, country"):
        starter(deliver(tmp_path / "predictions", _without(*columns)))


def test_no_files_are_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no file with one of the endings"):
        starter(tmp_path)
    with pytest.raises(DataError, match="no file matches"):
        starter(f"{tmp_path}/{{day}}.csv")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "p.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"p\.parquet: cannot be read"):
        starter(tmp_path / "p.parquet")


def test_labels_without_two_values_are_refused(tmp_path: Path) -> None:
    truth = as_csv(tmp_path / f"l-{DAYS[1]}.csv", [{**label(DAYS[0], row), "label": row} for row in range(9)])
    with pytest.raises(DataError, match="no column looks like a label"):
        starter(as_csv(tmp_path / "p.csv", [prediction(DAYS[0], row) for row in range(9)]), truth)


@pytest.mark.parametrize(("name", "ages"), [("hotel", (10, 90)), ("flights", (1,))])
def test_the_real_data_gives_nearly_what_its_own_description_says(
    tmp_path: Path, real_data: Path, name: str, ages: tuple[int, ...]
) -> None:
    """Ages: dataset.json tells quantiles over all days (hotel 12 and 64 days); the sample's round to these."""
    import json

    told = json.loads((real_data / name / "dataset.json").read_text(encoding="utf-8"))
    spec = started(tmp_path, real_data / name / "predictions", real_data / name / "labels")
    assert set(told["features"]["numeric"]) <= {n for n, f in spec.features.items() if f.kind == "numeric"}
    assert set(told["features"]["categorical"]) <= {n for n, f in spec.features.items() if f.kind == "categorical"}
    assert spec.predictions.columns.decision == "predicted_label"
    assert spec.predictions.columns.timestamp == told["timestamp"].split()[0]
    assert spec.label_ages == ages
