"""Pieces are answered in their order, whoever does them."""

from __future__ import annotations

import logging
from functools import partial

import numpy as np
import pytest

from jobs.methods import crew, forecast
from jobs.spec.judging import Detection
from tests.unit.methods.given_series import nights, series, volumes


def give_up(piece: int) -> int:
    """Ends its process the way a lack of memory would, but not the one that asked for it."""
    import multiprocessing
    import os

    if multiprocessing.parent_process() is not None:
        os._exit(9)
    return piece * 2


@pytest.mark.slow
def test_two_processes_say_to_the_last_digit_what_one_says() -> None:
    asked = [series(volumes(80, seed=seed)) for seed in (1, 2, 3)]
    work = partial(forecast.judge, period=nights(0, 79), detection=Detection())
    for one, two in zip(crew.in_order(work, asked, 1), crew.in_order(work, asked, 2), strict=True):
        for name in ("expected", "lower", "upper", "distance", "reach"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        assert one.detector == two.detector


def test_when_its_processes_die_the_work_goes_on_in_this_one(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert list(crew.in_order(give_up, [1, 2, 3], 2)) == [2, 4, 6]
    assert "going on in one" in caplog.text


def test_an_error_of_the_work_is_the_askers(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(crew.in_order(int, ["1", "one"], 1))
