"""Evidence in its own units: mean and median before and after, the telling bin, the segments that carry a change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.methods import evidence, gathered, mutes, particulars, story
from jobs.methods.particulars import Particulars
from jobs.spec.telling import Mute
from tests.unit.methods.given_breaches import IMPORTANCE, day, verdict


def bins(before: list[int], after: list[int], **columns: Any) -> pd.DataFrame:
    edges = [None, 1.0, 2.0, None]
    usual = {
        "bin": range(3), "kind": "interval", "lower": [None, *edges[1:3]], "upper": [*edges[1:3], None],
        "category": None, "reference_n": before, "reference_sum": [n * (k + 0.5) for k, n in enumerate(before)],
        "n": after, "value_sum": [n * (k + 0.5) for k, n in enumerate(after)],
    }  # fmt: skip
    return pd.DataFrame(usual | columns)


def test_a_feature_is_told_before_and_after_in_its_own_units() -> None:
    told = particulars.shift(bins([10, 80, 10], [80, 20, 0]))
    assert told["before"] == {"mean": 1.5, "median": 1.5, "n": 100}
    assert told["after"] == {"mean": 0.7, "median": 0.5, "n": 100}  # the first bin is open: its mean stands for it
    assert (told["bins"][0]["upper"], told["bins"][0]["expected"], told["bins"][0]["observed"]) == (1.0, 0.1, 0.8)


def test_a_category_has_no_mean_and_names_its_value() -> None:
    rows = bins([50, 40, 10], [5, 45, 50], kind="category", category=["web", "app", "phone"])
    told = particulars.shift(rows)
    assert "before" not in told
    assert {one["category"] for one in told["bins"]} == {"web", "phone"}


@given(st.lists(st.floats(-50, 50), min_size=40, max_size=300), st.integers(2, 8))
def test_the_binned_median_lies_in_the_bin_of_the_true_one(values: list[float], count: int) -> None:
    data = np.sort(np.array(values))
    edges = np.linspace(-51, 51, count + 1)
    where = np.clip(np.searchsorted(edges, data, side="left") - 1, 0, count - 1)
    counts = np.bincount(where, minlength=count).astype(float)
    sums = np.bincount(where, weights=data, minlength=count)
    kept = counts > 0
    found = particulars.median(counts[kept], sums[kept], np.c_[edges[:-1], edges[1:]][kept])
    middle = data[int(np.ceil(len(data) / 2)) - 1]
    place = int(np.clip(np.searchsorted(edges, middle, side="left") - 1, 0, count - 1))
    assert edges[place] - 1e-9 <= found <= edges[place + 1] + 1e-9


def change(**rows: tuple[float, int, float, int]) -> list[dict[str, Any]]:
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "n", "before", "before_n"])
    frame.index = frame.index.str.replace("__", "=")
    return particulars.carriers(frame)


def test_the_segment_whose_own_rate_fell_carries_the_change() -> None:
    (one,) = change(plan__new=(0.6, 100, 0.9, 1000), plan__old=(0.9, 300, 0.9, 3000))
    assert (one["segment"], one["kind"], one["part"]) == ("plan=new", "rate", 1.0)


def test_more_rows_of_a_weak_segment_carry_the_change_by_mix() -> None:
    """From a quarter to a half of the rows at 0.6 against 0.9: the rates stayed, the whole fell by 0.075."""
    (one,) = change(plan__new=(0.6, 200, 0.6, 1000), plan__old=(0.9, 200, 0.9, 3000))[:1]
    assert one["kind"] == "mix"
    assert (one["share_before"], one["share"]) == (0.25, 0.5)


def test_a_fall_everywhere_alike_is_carried_by_nobody() -> None:
    assert change(plan__new=(0.8, 100, 0.9, 1000), plan__old=(0.8, 100, 0.9, 1000)) == []


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(1, 500), st.floats(0, 1), st.integers(1, 500)), min_size=2, max_size=6
    )
)
def test_the_parts_of_a_columns_segments_add_up_to_the_change(rows: list[tuple[float, int, float, int]]) -> None:
    """Kitagawa (1955): with mid-point weights nothing is left over."""
    value, n, before, m = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    share, share_before = n / n.sum(), m / m.sum()
    whole, former = float(share @ value), float(share_before @ before)
    rate = (share + share_before) / 2 * (value - before)
    mix = (share - share_before) * ((value + before) / 2 - (whole + former) / 2)
    assert float((rate + mix).sum()) == pytest.approx(whole - former, abs=1e-12)


# in words -------------------------------------------------------------------------------------------------------


def told(metric: str, number: int, **changes: Any) -> dict[str, Any]:
    extra = {name: changes.pop(name) for name in particulars_of(changes)}
    return evidence.item(verdict(metric, number, **changes), IMPORTANCE, {"v2": "v1"}) | extra


def particulars_of(changes: dict[str, Any]) -> list[str]:
    return [name for name in changes if name in evidence.ADDED]


def test_cause_and_effect_read_as_a_colleague_would_write_them() -> None:
    shift = particulars.shift(bins([10, 80, 10], [80, 20, 0]))
    drifted = told(
        "psi",
        3,
        feature="browsing_minutes",
        value=1.24,
        expected=None,
        upper=0.3,
        lower=None,
        detector="bound",
        **shift,
    )
    carried = change(plan__new=(0.6, 100, 0.9, 1000), plan__old=(0.9, 300, 0.9, 3000))
    fell = told(
        "accuracy", 4, label_age=1, value=0.831, expected=0.951, carried=carried, coverage=0.42, usual_coverage=0.57
    )
    assert story.tell([drifted, fell]) == (
        "browsing_minutes has drifted since 2025-03-04: on 2025-03-04 its mean was 0.7, before 1.5; its median 0.5, "
        "before 1.5 (PSI 1.24, the bound is 0.30). Values up to 1 made up 80.0 % of the rows, in the reference 10.0 %. "
        "Accuracy of 2025-03-04, as known after 1 day, was 83.1 %, recently 95.1 % (n 1,000). "
        "100 % of that comes from plan=new: 60.0 % there, before 90.0 %. "
        "Only part of the truth is in: 42.0 % of that day's labels were known, usually 57.0 %."
    )


def test_what_was_done_in_the_week_before_stands_beside_it_and_blames_nobody() -> None:
    fell = told("accuracy", 10, value=0.831, expected=0.951)
    begun = [{"version": "v2", "first_day": day(8)}, {"version": "v1", "first_day": day(0)}]
    noted = evidence.notes(fell, begun, [(day(9), "new checkout page"), (day(11), "tomorrow's deploy")])
    words = story.tell(gathered.merge([], [fell, *noted]))
    assert "Version v2 began to answer on 2025-03-09. On 2025-03-10: new checkout page." in words
    assert "tomorrow" not in words
    assert "v1" not in words


def test_segments_are_asked_only_for_rates_of_the_whole() -> None:
    rows = pd.DataFrame(
        [("accuracy", name, 1, pd.Timestamp(day(number)), 0.6 if (name, number) == ("plan=new", 80) else 0.9, 200)
         for name in ("plan=new", "plan=old") for number in range(81)]
        + [("coverage", "all", 1, pd.Timestamp(day(number)), 0.57, 400) for number in range(81)],
        columns=["metric", "segment", "label_age", "day", "value", "n"],
    )  # fmt: skip
    known = Particulars.of(pd.DataFrame(columns=["day", "version", "feature"]), rows, 56, 14)
    whole = evidence.item(verdict("accuracy", 81, label_age=1), {}, {})
    found = known.of_item(whole)
    assert [one["segment"] for one in found["carried"]] == ["plan=new"]
    assert (found["coverage"], found["usual_coverage"]) == (0.57, 0.57)
    assert known.of_item(whole | {"segment": "plan=new"}) == {}
    assert known.of_item(whole | {"metric": "volume"}) == {}


# mutes ----------------------------------------------------------------------------------------------------------


def test_a_mute_holds_through_its_last_night() -> None:
    given = [Mute(metric="psi", since=day(3), until=day(5))]
    assert [number for number in range(9) if mutes.active(given, day(number))] == [3, 4, 5]


def test_all_that_a_mute_names_must_fit() -> None:
    one = Mute(metric="accuracy", segment="plan=new", until=day(5))
    assert mutes.mute_of(told("accuracy", 3, segment="plan=new"), [one])
    assert mutes.mute_of(told("accuracy", 3), [one]) is None


def test_a_day_on_which_every_segment_is_new_is_carried_by_none() -> None:
    columns = {"value": [], "n": [], "before": [], "before_n": []}
    assert particulars.carriers(pd.DataFrame(columns, index=pd.Index([], dtype="str"))) == []
    assert particulars.carriers(pd.DataFrame(columns)) == []
