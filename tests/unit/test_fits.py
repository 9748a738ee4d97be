"""Fits are kept from night to night, and a fit of anything else is made anew."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from jobs.fits import remembered
from jobs.methods import weekly_fit
from jobs.methods.weekly_fit import Calendar

if TYPE_CHECKING:
    from pathlib import Path

DAYS = np.arange("2025-01-01", "2025-03-01", dtype="datetime64[D]")
VALUES = np.linspace(0.1, 0.7, len(DAYS))
WEEK = DAYS[-1] + np.arange(1, 8)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each fit that is made; its answer tells them apart."""
    fits: list[int] = []

    def fit(days: np.ndarray, values: np.ndarray, targets: np.ndarray, calendar: Calendar) -> np.ndarray:
        fits.append(1)
        return np.full(targets.shape, values.sum() / 3 + len(fits))

    monkeypatch.setattr(weekly_fit, "fit", fit)
    return fits


def test_the_next_night_reads_the_same_digits_and_fits_nothing(tmp_path: Path, made: list[int]) -> None:
    answers = []
    for _ in range(3):
        with remembered(tmp_path / "fits" / "shop.json") as fit:
            answers.append(fit(DAYS, VALUES, WEEK, weekly_fit.NO_CALENDAR))
    assert len(made) == 1
    assert all(np.array_equal(answers[0], answer) for answer in answers)


@pytest.mark.parametrize(
    ("values", "calendar"),
    [(VALUES + 1e-16, weekly_fit.NO_CALENDAR), (VALUES, Calendar(events=(("sale", (date(2025, 2, 1),)),)))],
)
def test_another_figure_or_calendar_is_another_fit(
    tmp_path: Path, made: list[int], values: np.ndarray, calendar: Calendar
) -> None:
    for given in ((VALUES, weekly_fit.NO_CALENDAR), (values, calendar)):
        with remembered(tmp_path / "shop.json") as fit:
            fit(DAYS, given[0], WEEK, given[1])
    assert len(made) == 2


def test_what_was_not_asked_for_again_is_forgotten_and_a_broken_file_is_none(tmp_path: Path, made: list[int]) -> None:
    file = tmp_path / "shop.json"
    for values in (VALUES, VALUES + 1, VALUES):
        with remembered(file) as fit:
            fit(DAYS, values, WEEK, weekly_fit.NO_CALENDAR)
    assert len(made) == 3
    file.write_text("{")
    with remembered(file) as fit:
        fit(DAYS, VALUES, WEEK, weekly_fit.NO_CALENDAR)
    assert len(made) == 4


@pytest.mark.parametrize("kept", ["abc", 5, "AAAA", ""])
def test_an_entry_that_is_no_fit_is_made_anew(tmp_path: Path, made: list[int], kept: object) -> None:
    file = tmp_path / "shop.json"
    with remembered(file) as fit:
        first = fit(DAYS, VALUES, WEEK, weekly_fit.NO_CALENDAR)
    file.write_text(json.dumps(dict.fromkeys(json.loads(file.read_text()), kept)))
    with remembered(file) as fit:
        assert fit(DAYS, VALUES, WEEK, weekly_fit.NO_CALENDAR).shape == first.shape
    assert len(made) == 2


def test_a_night_does_not_end_because_its_fits_cannot_be_kept(tmp_path: Path, made: list[int]) -> None:
    (tmp_path / "fits").write_text("a file where the folder should be")
    with remembered(tmp_path / "fits" / "shop.json") as fit:
        fit(DAYS, VALUES, WEEK, weekly_fit.NO_CALENDAR)
    assert len(made) == 1


def test_a_replay_keeps_nothing(tmp_path: Path, made: list[int]) -> None:
    with remembered(None) as fit:
        fit(DAYS, VALUES, WEEK, weekly_fit.NO_CALENDAR)
    assert (len(made), list(tmp_path.iterdir())) == (1, [])
