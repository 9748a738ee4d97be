"""What benchmarks import is there: they run for hours, and nobody wants to read of a missing name at the end."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

MODULES = sorted((Path(__file__).resolve().parents[2] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_name_that_a_benchmark_imports_is_there_inside_functions_too(path: Path) -> None:
    asked = [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").partition(".")[0] in {"jobs", "reports", "benchmarks"}
        for alias in node.names
    ]
    missing = [f"{module}.{name}" for module, name in asked if not _is_there(str(module), name)]
    assert missing == []


def _is_there(module: str, name: str) -> bool:
    try:
        if hasattr(import_module(module), name):
            return True
        import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True
