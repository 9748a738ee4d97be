"""Two workers say what one process says."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.methods import workers
from jobs.spec.model import Detection
from tests.unit.methods.given_series import nights, series, volumes


@pytest.mark.slow
def test_two_workers_and_one_process_agree_to_the_last_digit() -> None:
    asked = [series(volumes(80, seed=seed)) for seed in (1, 2, 3)]
    alone = workers.judge_all(asked, nights(0, 79), Detection())
    together = workers.judge_all(asked, nights(0, 79), Detection(), worth_workers=1)
    for one, two in zip(alone, together, strict=True):
        for name in ("expected", "lower", "upper", "distance"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        assert one.detector == two.detector
