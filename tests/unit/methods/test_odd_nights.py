"""A night in which many figures are each a little odd is told, with their names; other nights are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jobs.methods import odd_nights
from jobs.periods import Period

NIGHTS, SERIES = 200, 12
DAYS = pd.date_range("2025-01-06", periods=NIGHTS, unit="us")  # a Monday


def vectors(seed: int = 1, together: float = 0.2) -> np.ndarray:
    """Distances of twelve figures that move a little together, shape (nights, series)."""
    rng = np.random.default_rng(seed)
    own, shared = rng.normal(0, 1, (NIGHTS, SERIES)), rng.normal(0, 1, (NIGHTS, 1))
    return np.asarray(np.sqrt(1 - together) * own + np.sqrt(together) * shared)


def distances(z: np.ndarray) -> pd.DataFrame:
    names = [f"m{one:02d}" for one in range(SERIES)]
    return pd.DataFrame(
        {
            "night": np.repeat(DAYS[: len(z)], SERIES), "metric": np.tile(names, len(z)), "version": "all",
            "feature": "", "segment": "all", "age": 0, "distance": z.ravel(),
        }
    )  # fmt: skip


def judged(z: np.ndarray, first: int = 0, last: int | None = None) -> pd.DataFrame:
    last = len(z) - 1 if last is None else last
    period = Period(DAYS[first].date(), DAYS[last].date())
    return odd_nights.judge(distances(z[: last + 1]), period).set_index("night")


def test_ten_figures_at_two_and_a_half_deviations_are_an_odd_night_and_are_named() -> None:
    z = vectors()
    z[150] = 2.5 * np.array([-1, 1] * 5 + [0, 0])
    night = judged(z, 150, 150).iloc[0]
    assert (night["verdict"], night["severity"], night["detector"]) == ("breach", "info", "lof")
    assert night["reason"].startswith("10 figures are odd together, in deviations: ")
    named = {name for name in (f"m{one:02d}" for one in range(10)) if f"{name} " in night["reason"]}
    assert len(named) == 10
    assert night["distance"] > odd_nights.LIMIT


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_nights_like_others_are_told_as_odd_less_than_once_in_fifty(seed: int) -> None:
    told = judged(vectors(seed))
    known = told[told["verdict"] != "not_evaluated"]
    assert len(known) == NIGHTS - 63  # the first Monday with sixty nights before it is the tenth, night 63
    assert (known["verdict"] == "breach").sum() <= len(known) / 50


def test_one_wild_figure_is_no_odd_night() -> None:
    z = vectors()
    z[150, 4] = 30.0
    assert judged(z, 150, 150)["verdict"].tolist() == ["ok"]


def test_a_missing_figure_is_as_usual_and_too_few_are_no_verdict() -> None:
    z = vectors()
    z[150] = 2.5
    z[150, 10:] = np.nan
    assert judged(z, 150, 150)["verdict"].tolist() == ["breach"]
    z[150, 4:] = np.nan
    row = judged(z, 150, 150).iloc[0]
    assert (row["verdict"], row["reason"]) == ("not_evaluated", "4 series judged tonight, 5 needed")


def test_before_sixty_nights_nothing_is_said() -> None:
    row = judged(vectors(), 0, 62).iloc[-1]
    assert (row["verdict"], row["reason"]) == ("not_evaluated", "only 56 nights before its week, 60 needed")


def test_night_by_night_and_one_range_say_the_same() -> None:
    z = vectors(5)
    z[130] = 2.5
    whole = judged(z, 100, 140)
    alone = pd.concat([judged(z, number, number) for number in (140, 101, 130, 115)])
    pd.testing.assert_frame_equal(whole.loc[alone.index], alone)


def test_a_night_after_it_changes_nothing() -> None:
    z = vectors(6)
    before = judged(z, 120, 120)
    z[121:] = 9.0
    pd.testing.assert_frame_equal(judged(z, 120, 126).head(1), before)


def test_without_any_figure_every_night_has_its_reason() -> None:
    empty = distances(vectors()).head(0)
    told = odd_nights.judge(empty, Period(DAYS[0].date(), DAYS[3].date()))
    assert set(told["verdict"]) == {"not_evaluated"}
    assert len(told) == 4


def test_the_words_are_true_for_one_day_and_for_what_is_not_followed_farther() -> None:
    """A distance is clipped at 4: it is that or more. One day is not `1 days`."""
    names = pd.MultiIndex.from_tuples([("accuracy", "all", "", "all", 1), ("accuracy", "all", "", "all", 7)])
    told = odd_nights.reason(names, np.array([-4.0, 4.0]), np.array([0, 1]))
    assert told.endswith("accuracy after 1 day -4 or more, accuracy after 7 days +4 or more")
