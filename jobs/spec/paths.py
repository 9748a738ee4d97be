"""Paths in specs: environment variables, and what relative paths are relative to."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parents[2]
"""The folder of pyproject.toml; relative paths of specs and of the variables begin here."""

VARIABLE_DEFAULTS = {"NIGHTJAR_DATA": "../shared/data", "NIGHTJAR_HOME": "var"}
"""What these variables mean where the environment does not say."""

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<given>:-(?P<default>(?:[^{}]|\{[^{}]*\})*))?\}")


def expand(path_text: str, environment: Mapping[str, str]) -> str:
    """A spec's path with its variables filled in, absolute; `{day}` and `*` stay as they are.

    `${NAME}` must be set (an empty value counts as not set), `${NAME:-default}` need not be. A path with a
    scheme, such as `s3://bucket/x`, is not touched further.

    >>> expand("${LAKE}/shop/dt={day}/*.parquet", {"LAKE": "/lake"})
    '/lake/shop/dt={day}/*.parquet'
    >>> expand("${LAKE:-/cold/lake}/../labels/{day}.csv", {})
    '/cold/labels/{day}.csv'

    Raises SpecError for a variable that is neither set nor has a default, and for a `${` that is not closed.
    """
    text = _VARIABLE.sub(lambda match: _value_of(match, environment), path_text)
    if "${" in text:
        raise SpecError(f"'{path_text}' has a ${{ that is not a variable; write ${{NAME}} or ${{NAME:-default}}")
    if "://" in text:
        return text
    return os.path.normpath(PROJECT / text)


def _value_of(match: re.Match[str], environment: Mapping[str, str]) -> str:
    name = match["name"]
    value = environment.get(name) or match["default"] or VARIABLE_DEFAULTS.get(name)
    if value is None and match["given"] is None:
        raise SpecError(
            f"'{match[0]}' is an environment variable that is not set and has no default; "
            f"set {name}, or write ${{{name}:-default}}"
        )
    return value or ""
