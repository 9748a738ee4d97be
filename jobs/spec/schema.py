"""The JSON Schema of a spec, for editors to complete and check: `python -m jobs.spec.schema` writes it."""

from __future__ import annotations

import json
import sys
from typing import Any

from jobs.spec.model import ModelSpec
from jobs.spec.paths import PROJECT

SCHEMA_FILE = PROJECT / "dags" / "models" / "spec.schema.json"


def json_schema() -> dict[str, Any]:
    """The schema of a spec file, short forms included; titles and descriptions are those of the classes."""
    schema = ModelSpec.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_without_titles_of_fields(schema),
        "title": "Nightjar model spec",
    }


def schema_text() -> str:
    """The schema as it stands in the repository."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _without_titles_of_fields(schema: dict[str, Any]) -> dict[str, Any]:
    """Classes keep their titles; those of fields only repeat the key."""
    for described in (schema, *schema["$defs"].values()):
        for field in described.get("properties", {}).values():
            field.pop("title", None)
    return schema


def main() -> int:
    """Write the schema file."""
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    sys.stdout.write(f"wrote {SCHEMA_FILE.relative_to(PROJECT)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
