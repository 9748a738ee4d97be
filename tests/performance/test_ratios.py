"""Costs held against a floor of the same run; a bound in seconds would only measure the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import guard

pytestmark = pytest.mark.slow


def test_reducing_rows_costs_a_bounded_multiple_of_scanning_them(tmp_path: Path) -> None:
    """docs/performance.md has the measured ratio; twice that means that some statement reads the rows again."""
    assert guard.reduction_to_scan(tmp_path) < REDUCTION


def test_a_night_does_not_get_dearer_with_history(tmp_path: Path) -> None:
    """Between night 40 and night 100 nothing but the length of history changes."""
    assert guard.late_to_early(tmp_path) < HISTORY


REDUCTION = 60
HISTORY = 1.8
