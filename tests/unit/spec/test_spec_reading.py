"""A YAML file becomes a spec, or one error that tells all of its faults, each with its line."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, time
from typing import TYPE_CHECKING

import pytest

from jobs.errors import SpecError, UsageError
from jobs.spec.reading import find_spec, load_spec, load_specs

if TYPE_CHECKING:
    from pathlib import Path

SMALLEST = """\
model: shop
predictions:
  path: /data/{day}.csv
"""


def written(folder: Path, text: str, name: str = "shop") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_spec(written(folder, text), environment)
    return str(caught.value).splitlines()


def test_smallest_spec_has_all_defaults(tmp_path: Path) -> None:
    spec = load_spec(written(tmp_path, SMALLEST))
    assert (spec.model, spec.predictions.path, spec.timezone) == ("shop", "/data/{day}.csv", "UTC")
    assert spec.predictions.columns.id == "request_id"
    assert spec.label_ages == ()
    assert {rule.metric for rule in spec.all_rules} >= {"psi", "accuracy", "recall", "conversion"}


def test_short_and_long_forms_say_the_same(tmp_path: Path) -> None:
    short = load_spec(written(tmp_path, f"{SMALLEST}features: {{adr: numeric}}\nsegments: [country]\n"))
    long = load_spec(
        written(tmp_path, f"{SMALLEST}features:\n  adr:\n    kind: numeric\nsegments:\n  country: country\n")
    )
    assert short == long


def test_days_and_times_and_changes_are_typed(tmp_path: Path) -> None:
    text = SMALLEST + "start: 2016-05-01\nschedule: {at: 05:30}\nrules: [{metric: volume, drop: 12.5%}]\n"
    spec = load_spec(written(tmp_path, text))
    assert spec.start == date(2016, 5, 1)
    assert spec.schedule.at == time(5, 30)
    assert str(spec.rules[0].drop) == "12.5%"


def test_norway_stays_a_country_and_an_exponent_a_number(tmp_path: Path) -> None:
    spec = load_spec(written(tmp_path, SMALLEST + "detection: {country: NO, error_rate: 1e-2}\n"))
    assert (spec.detection.country, spec.detection.error_rate) == ("NO", 0.01)


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            "rules:\n  - metric: pssi\n    above: 0.2\n",
            "shop.yaml:5: rules[0].metric 'pssi' is unknown; known: volume, score_mean, coverage, accuracy, precision, ",
        ),
        (
            "rules:\n  - metric: pssi\n    above: 0.2\n",
            "; did you mean 'psi'?",
        ),
        (
            "features:\n  adr: {kind: numeric, colum: price}\n",
            "shop.yaml:5: features.adr.colum is unknown; known: column, importance, kind; "
            "did you mean 'column'?",
        ),
        ("features:\n  adr: numerical\n", "known: numeric, categorical; did you mean 'numeric'?"),
        ("country: PT\n", "did you mean 'detection.country'?"),
        ("labels:\n  ages: [1]\n", "shop.yaml:4: labels.path is missing; needed here: path"),
        ("labels: {path: '/l/{day}.csv', ages: []}\n", "shop.yaml:4: labels.ages is an empty list"),
        ("min_rows: '3'\n", "shop.yaml:4: min_rows must be a whole number, not '3'; write it without quotes"),
        ("threshold: true\n", "shop.yaml:4: threshold must be a number, not true"),
        ("owner: 7\n", "shop.yaml:4: owner must be text, not 7; put it in quotes"),
        ("threshold: .nan\n", "shop.yaml:4: threshold must be a finite number, not nan"),
        ("min_rows: 0\n", "shop.yaml:4: min_rows is 0; it must be at least 1"),
        ("mail: {to: a@b.c}\n", "shop.yaml:4: mail.to must be a list, not 'a@b.c'; write [a@b.c]"),
        ("start: 2016-02-30\n", "start must be a day written as YYYY-MM-DD, not '2016-02-30'"),
        ("rules:\n", "shop.yaml:4: rules is empty; give it a value, or leave the key out"),
        ("timezone: Europe/Lisboa\n", "did you mean 'Europe/Lisbon'?"),
        ("rules:\n- metric: psi\n", "exactly one of above, below, drop, rise, outside; given: none"),
        ("rules:\n- {metric: volume, drop: 10}\n", "rules[0].drop '10' is not a change; write 10%"),
        ("owner: a\nowner: b\n", "shop.yaml:5: owner is given twice (first on line 4); keep one"),
        ("detection: {country: Portugal}\n", "must be a country's two capital letters, for example PT"),
        ("reference:\n  file: a\n  versions: {v1: b}\n", "needs at most one of file, versions, window"),
        ("segments: [a, 3]\n", "segments has 3 in its list of names; put it in quotes"),
        ("labels: {path: '/l/{day}', positive: [1]}\n", "text or a whole number or true or false, not a list"),
    ],
)  # fmt: skip
def test_a_fault_says_where_what_and_what_was_meant(tmp_path: Path, added: str, expected: str) -> None:
    told = faults(tmp_path, SMALLEST + added)
    assert len(told) == 1
    assert expected in told[0]


def test_all_faults_of_a_file_are_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = "model: hop\npredictions: {path: '${LAKE}/{day}'}\nmin_rows: 0\nowners: me\nmin_rows: 1.5\n"
    told = faults(tmp_path, text, {})
    assert [line.split(": ")[0] for line in told] == [f"shop.yaml:{line}" for line in (1, 2, 4, 5, 5)]
    assert "model must be 'shop', like the file" in told[0]
    assert "set LAKE, or write ${LAKE:-default}" in told[1]
    assert "did you mean 'owner'?" in told[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "shop.yaml:1: is empty; a spec begins with `model: name`"),
        ("# only a comment\n", "shop.yaml:1: is empty"),
        ("- model: shop\n", "shop.yaml:1: is not a mapping of keys"),
        ("shop", "shop.yaml:1: is not a mapping of keys"),
        ("model: shop\npredictions: [\n", "shop.yaml:3: is not YAML"),
        ("model: shop\n\towner: me\n", "indent with spaces, not tabs"),
        ("model: shop\nowner: a: b\n", "put text that contains ': ' in quotes"),
        ("model: shop\nowner: \x07\n", "shop.yaml:2: is not YAML"),
    ],
)
def test_what_is_no_spec_at_all_is_said_so(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in faults(tmp_path, text)[0]


def test_python_objects_in_yaml_are_refused(tmp_path: Path) -> None:
    assert "a spec has plain values only" in faults(tmp_path, SMALLEST + "owner: !!python/name:os.system x\n")[0]


def test_an_alias_that_contains_itself_is_refused(tmp_path: Path) -> None:
    told = faults(tmp_path, SMALLEST + "features: &all\n  x: *all\n")
    assert any("does an alias contain itself?" in fault for fault in told)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes(b"model: \xff\xfe\n")
    with pytest.raises(SpecError, match="UTF-8"):
        load_spec(path)


def test_a_spec_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        load_spec(tmp_path / "shop.yaml")


def test_every_path_is_expanded(tmp_path: Path) -> None:
    text = """\
model: shop
predictions: {path: "${LAKE}/p/{day}.csv", columns: {version: v}}
others: [{path: "${LAKE}/s/{day}.csv", role: shadow}]
labels: {path: "${LAKE}/l/{day}.csv"}
outcomes: {path: "${LAKE}/o/{day}.csv"}
reference: {versions: {v1: "${LAKE}/r.csv"}}
"""
    spec = load_spec(written(tmp_path, text), {"LAKE": "/lake"})
    assert spec.predictions.path == "/lake/p/{day}.csv"
    assert spec.others[0].path == "/lake/s/{day}.csv"
    assert (spec.labels and spec.labels.path) == "/lake/l/{day}.csv"
    assert (spec.outcomes and spec.outcomes.path) == "/lake/o/{day}.csv"
    assert spec.reference.versions == {"v1": "/lake/r.csv"}


def test_a_folder_is_read_in_the_order_of_names_and_other_files_are_left_alone(tmp_path: Path) -> None:
    for model in ("b", "a"):
        written(tmp_path, SMALLEST.replace("shop", model), model)
    (tmp_path / "spec.schema.json").write_text("{}")
    assert [spec.model for spec in load_specs(tmp_path)] == ["a", "b"]


def test_faults_of_all_files_of_a_folder_are_told(tmp_path: Path) -> None:
    for model in ("a", "b"):
        written(tmp_path, "model: 3\n", model)
    with pytest.raises(SpecError) as caught:
        load_specs(tmp_path)
    assert {line.split(":")[0] for line in str(caught.value).splitlines()} == {"a.yaml", "b.yaml"}


def test_a_model_is_found_by_name_or_path_and_a_wrong_name_gets_a_hint(tmp_path: Path) -> None:
    path = written(tmp_path, SMALLEST)
    assert find_spec("shop", tmp_path) == path
    assert find_spec(str(path), tmp_path / "elsewhere") == path
    with pytest.raises(UsageError, match=r"no model 'shpo'; known: shop .* did you mean 'shop'\?"):
        find_spec("shpo", tmp_path)
    with pytest.raises(UsageError, match=r"no spec file 'x/shop.yaml'"):
        find_spec("x/shop.yaml", tmp_path)


def test_reading_specs_loads_neither_pandas_nor_duckdb_nor_arrow() -> None:
    program = (
        "import sys, jobs.spec, jobs.spec.reading, jobs.spec.digest, jobs.spec.checking, jobs.spec.starter; "
        "print(sorted({'pandas', 'numpy', 'duckdb', 'pyarrow', 'prophet'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
