"""Segments beside the rest of their day: whoever is named would be named by others, and chance names hardly anybody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from jobs.methods.beside import segments_beside
from jobs.methods.intervals import mean_interval, wilson

DAY = pd.Timestamp("2025-03-01")


def figures(metric: str, rows: list[tuple[str, float, int, float, float]], day: pd.Timestamp = DAY) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["segment", "value", "n", "lower", "upper"])
    return made.assign(day=day, metric=metric, label_age=7, state="final")


def shares(hits: np.ndarray, n: int) -> pd.DataFrame:
    """A night per row of `hits`, whose columns are segments of `n` rows that make up the whole."""
    nights, m = hits.shape
    counts = np.column_stack([hits, hits.sum(axis=1)])
    sizes = np.broadcast_to([*[n] * m, n * m], counts.shape)
    lower, upper = wilson(counts, sizes)
    days = pd.date_range("2000-01-01", periods=nights).repeat(m + 1)
    names = np.tile([*(f"s={place}" for place in range(m)), "all"], nights)
    return pd.DataFrame(
        {"day": days, "metric": "accuracy", "label_age": 0, "state": "final", "segment": names,
         "value": (counts / sizes).ravel(), "n": sizes.ravel(), "lower": lower.ravel(), "upper": upper.ravel()}
    )  # fmt: skip


@pytest.mark.parametrize(("share", "n"), [(0.85, 50), (0.85, 300), (0.95, 100), (0.5, 100)])
def test_of_twenty_segments_that_are_alike_hardly_a_night_names_one(share: float, n: int) -> None:
    random = np.random.default_rng(20)
    told = segments_beside(shares(random.binomial(n, share, (1500, 20)), n), 0.05)
    named = told.groupby("night")["found"].any().mean()
    assert named <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1500)  # their own 95 % intervals named one on 45 % of nights


def test_a_segment_that_is_worse_is_found_among_twenty() -> None:
    random = np.random.default_rng(21)
    hits = random.binomial(300, [0.70] + [0.85] * 19, (200, 20))
    found = segments_beside(shares(hits, 300), 0.01)
    found = found[found["found"]]
    assert (found["segment"] == "s=0").sum() > 190
    assert (found["segment"] != "s=0").sum() < 10


def test_means_are_held_beside_the_rest_as_scipy_does_it_from_rows() -> None:
    random = np.random.default_rng(22)
    mine, rest = random.gamma(2.0, 2.4, 80), random.gamma(2.0, 2.0, 400)
    rows = []
    for name, values in (("s=a", mine), ("s=b", rest), ("all", np.concatenate([mine, rest]))):
        lower, upper = mean_interval(len(values), values.sum(), (values**2).sum())
        rows.append((name, values.mean(), len(values), float(lower), float(upper)))
    told = segments_beside(figures("mae", rows), 0.01).set_index("segment")["q_value"]
    expected = ttest_ind(mine, rest, equal_var=False, alternative="greater").pvalue  # more error is worse
    assert told["s=a"] == pytest.approx(2 * expected)  # the lesser of two: times two


def test_too_few_rows_and_a_segment_that_is_everybody_take_no_part() -> None:
    rows = [("all", 0.8, 100, 0.71, 0.87), ("s=all of it", 0.8, 100, 0.71, 0.87), ("s=few", 0.2, 5, 0.04, 0.62)]
    given = figures("accuracy", rows)
    given.loc[given["segment"] == "s=few", "state"] = "not_evaluated"
    assert segments_beside(given, 0.01).empty
    assert segments_beside(given.iloc[:0], 0.01).empty
