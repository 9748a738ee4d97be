"""Sums over windows of days, against a plain loop; one day alone as in a range, to the last digit."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.methods.windows import window_sums

START = pd.Timestamp("2025-01-01")


@st.composite
def daily(draw: st.DrawFn) -> pd.DataFrame:
    cells = draw(st.sets(st.tuples(st.integers(0, 29), st.sampled_from("abc")), max_size=40))
    values = draw(st.lists(st.floats(0, 1e6), min_size=len(cells), max_size=len(cells)))
    rows = [
        (START + pd.Timedelta(day, "D"), key, value) for (day, key), value in zip(sorted(cells), values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["day", "key", "x"]).astype({"day": "datetime64[us]", "x": float})


@settings(max_examples=25, deadline=None)
@given(daily(), st.integers(1, 9), st.integers(0, 5))
def test_a_window_is_the_sum_of_its_days(counts: pd.DataFrame, days: int, gap: int) -> None:
    first, last = START + pd.Timedelta(10, "D"), START + pd.Timedelta(20, "D")
    made = window_sums(counts, ["key"], ["x"], first, last, days, gap).set_index(["day", "key"])
    for day in pd.date_range(first, last):
        end = day - pd.Timedelta(gap, "D")
        near = counts[(counts["day"] <= end) & (counts["day"] > end - pd.Timedelta(days, "D"))]
        for key, rows in near.groupby("key"):
            assert made.loc[(day, key), "days"] == len(rows)
            assert np.isclose(made.loc[(day, key), "x"], rows["x"].sum())
        assert {key for one, key in made.index if one == day} == set(near["key"])


@settings(max_examples=25, deadline=None)
@given(daily(), st.integers(1, 9))
def test_a_day_alone_sums_as_in_a_range(counts: pd.DataFrame, days: int) -> None:
    first, last = START + pd.Timedelta(10, "D"), START + pd.Timedelta(20, "D")
    whole = window_sums(counts, ["key"], ["x"], first, last, days)
    alone = [window_sums(counts, ["key"], ["x"], day, day, days) for day in pd.date_range(first, last)]
    joined = pd.concat(alone, ignore_index=True)
    pd.testing.assert_frame_equal(whole, joined, check_exact=True, check_dtype=False)
