"""Paths of specs: variables, defaults, and what relative paths begin at."""

from __future__ import annotations

import pytest

from jobs.errors import SpecError
from jobs.spec.paths import PROJECT, expand


def test_the_data_folder_lies_beside_the_project_unless_the_environment_says_otherwise() -> None:
    assert expand("${NIGHTJAR_DATA}/hotel", {}) == str(PROJECT.parent / "shared" / "data" / "hotel")
    assert expand("${NIGHTJAR_DATA}/hotel", {"NIGHTJAR_DATA": "/lake"}) == "/lake/hotel"


def test_home_is_var_in_the_project() -> None:
    assert expand("${NIGHTJAR_HOME}/world", {}) == str(PROJECT / "var" / "world")


def test_relative_paths_begin_at_the_project_not_at_the_folder_one_stands_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir("/")
    assert expand("files/x.csv", {}) == str(PROJECT / "files" / "x.csv")
    assert (PROJECT / "pyproject.toml").is_file()


@pytest.mark.parametrize("path", ["/a/dt={day}/*.parquet", "s3://bucket/../{day}.csv"])
def test_days_stars_and_schemes_survive(path: str) -> None:
    assert expand(path, {}) == path


def test_a_default_may_hold_the_day() -> None:
    assert expand("/lake/${LAYOUT:-dt={day}/part}.csv", {}) == "/lake/dt={day}/part.csv"
    assert expand("/lake/${LAYOUT:-dt={day}/part}.csv", {"LAYOUT": "{day}"}) == "/lake/{day}.csv"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert expand("${LAKE:-/lake}/x", {"LAKE": ""}) == "/lake/x"
    with pytest.raises(SpecError, match=r"'\$\{LAKE\}' is an environment variable that is not set"):
        expand("${LAKE}/x", {"LAKE": ""})


def test_an_unclosed_variable_is_said_so() -> None:
    with pytest.raises(SpecError, match=r"write \$\{NAME\} or \$\{NAME:-default\}"):
        expand("${LAKE/x", {"LAKE": "/lake"})
