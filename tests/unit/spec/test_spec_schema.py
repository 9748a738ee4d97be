"""The JSON Schema in the repository is the spec's own, and takes what the reader takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from jobs.spec.document import read_document
from jobs.spec.model import ModelSpec
from jobs.spec.paths import PROJECT
from jobs.spec.reading import spec_files
from jobs.spec.schema import SCHEMA_FILE, json_schema, schema_text

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = spec_files(PROJECT / "dags" / "models")
SMALL = {"model": "shop", "predictions": {"path": "/p/{day}.csv"}}


def problems(spec: Any) -> list[str]:
    plain = json.loads(json.dumps(spec, default=str))
    return [error.message for error in Draft202012Validator(json_schema()).iter_errors(plain)]


def test_the_schema_file_is_up_to_date() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run python -m jobs.spec.schema"


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_specs_are_valid_and_tell_editors_of_the_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=spec.schema.json\n")
    assert problems(read_document(text).data) == []


@pytest.mark.parametrize(
    "more",
    [
        {"features": {"adr": "numeric", "meal": {"kind": "categorical", "column": "m"}}},
        {"segments": ["country"]},
        {"segments": {"country": "land"}},
        {"rules": [{"metric": "accuracy", "drop": "10%"}, {"metric": "recall", "rise": "5.5pp"}]},
        {"schedule": {"at": "05:30"}, "start": "2025-01-01"},
        {"labels": {"path": "/l/{day}", "positive": "yes"}},
        {"labels": {"path": "/l/{day}", "positive": True}},
    ],
)
def test_what_the_reader_takes_the_schema_takes(more: dict[str, Any]) -> None:
    assert problems(SMALL | more) == []
    ModelSpec.model_validate_json(json.dumps(SMALL | more), strict=True)


@pytest.mark.parametrize(
    "broken",
    [
        {"colour": "red"},
        {"predictions": {}},
        {"features": {"adr": "numerical"}},
        {"features": {"adr": {"kind": "numeric", "colum": "x"}}},
        {"segments": [3]},
        {"rules": [{"metric": "pssi", "above": 0.2}]},
        {"rules": [{"metric": "volume", "drop": "10"}]},
        {"model": "Shop"},
        {"labels": {"path": "/l/{day}", "ages": []}},
        {"schedule": {"at": "5"}},
        {"min_rows": "30"},
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(broken: dict[str, Any]) -> None:
    assert problems(SMALL | broken)
    with pytest.raises(ValueError, match="validation error"):
        ModelSpec.model_validate_json(json.dumps(SMALL | broken), strict=True)


def test_a_shipped_spec_with_one_wrong_word_is_refused() -> None:
    spec = yaml.safe_load((PROJECT / "dags" / "models" / "flight_delay.yaml").read_text(encoding="utf-8"))
    assert problems(spec) == []
    spec["rules"][0]["metric"] = "pssi"
    assert any("'pssi' is not one of" in problem for problem in problems(spec))


def test_every_key_of_the_schema_is_described_or_speaks_for_itself() -> None:
    schema = json_schema()
    bare = {
        f"{name}.{key}"
        for name, described in [("", schema), *schema["$defs"].items()]
        for key, field in described.get("properties", {}).items()
        if "description" not in field and "$ref" not in field
    }
    plain = {"task", "severity", "threshold", "id", "converted", "first", "last", "rules", "amount", "unit"}
    assert {key.rpartition(".")[2] for key in bare} <= plain
