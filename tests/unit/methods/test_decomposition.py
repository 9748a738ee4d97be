"""The split of a change on cases that can be worked by hand: one cause at a time."""

import numpy as np
import pytest

from jobs.methods.decomposition import Counts, Split, split


def counts(n: list[float], labelled: list[float], base: list[float], hits: list[float]) -> Counts:
    return Counts(*(np.array(one, dtype=float) for one in (n, labelled, base, hits)))


def causes(made: Split) -> dict[str, float]:
    return {name: round(float(getattr(made, name).sum()), 12) for name in ("mix", "coverage", "base", "rate")}


def test_only_who_came_has_changed() -> None:
    """Rates 0.9 and 0.5; shares 80/20 -> 50/50: 0.82 -> 0.70."""
    former = counts([80, 20], [80, 20], [80, 20], [72, 10])
    assert causes(split(counts([50, 50], [50, 50], [50, 50], [45, 25]), former)) == {
        "mix": -0.12, "coverage": 0, "base": 0, "rate": 0,
    }  # fmt: skip


def test_only_how_well_a_part_does_has_changed() -> None:
    """Shares 80/20; the first part's rate 0.9 -> 0.8: -0.08, and the other part adds nothing."""
    former = counts([80, 20], [80, 20], [80, 20], [72, 10])
    made = split(counts([80, 20], [80, 20], [80, 20], [64, 10]), former)
    assert causes(made) == {"mix": 0, "coverage": 0, "base": 0, "rate": -0.08}
    assert made.rate.round(12).tolist() == [-0.08, 0]


def test_only_which_labels_are_in_has_changed() -> None:
    """Same visitors, same rates; of the good half only half the labels: weights 50/50 -> 33/67, 0.7 -> 0.6333."""
    former = counts([100, 100], [100, 100], [100, 100], [90, 50])
    made = causes(split(counts([100, 100], [50, 100], [50, 100], [45, 50]), former))
    assert made["coverage"] == pytest.approx(95 / 150 - 0.7)
    assert (made["mix"], made["base"], made["rate"]) == (0, 0, 0)


def test_recall_falls_because_other_ones_are_positive() -> None:
    """Same visitors, all labelled; the part with recall 0.9 has half its positives: only the base has changed."""
    former = counts([100, 100], [100, 100], [40, 40], [36, 20])
    made = causes(split(counts([100, 100], [100, 100], [20, 40], [18, 20]), former))
    assert made["base"] == pytest.approx(38 / 60 - 0.7)
    assert (made["mix"], made["coverage"], made["rate"]) == (0, 0, 0)


def test_kitagawas_symmetric_form_by_hand() -> None:
    """Weights 0.8/0.2 -> 0.5/0.5, rates 0.9/0.5 -> 0.8/0.6: mix -0.3 * 0.85 + 0.3 * 0.55, rate 0.65 * -0.1 + 0.35 *
    0.1."""
    former = counts([80, 20], [80, 20], [80, 20], [72, 10])
    made = causes(split(counts([50, 50], [50, 50], [50, 50], [40, 30]), former))
    assert made["mix"] == pytest.approx(-0.09)
    assert made["rate"] == pytest.approx(-0.03)


def test_a_part_that_grew_counts_by_whether_it_does_better_than_the_whole() -> None:
    former = counts([80, 20], [80, 20], [80, 20], [72, 10])
    made = split(counts([50, 50], [50, 50], [50, 50], [45, 25]), former)
    assert (made.mix < 0).all()  # the good part shrank, the bad one grew


def test_a_new_part_is_mix_and_has_no_rate_to_change() -> None:
    former = counts([100, 0], [100, 0], [100, 0], [90, 0])
    made = split(counts([50, 50], [50, 50], [50, 50], [45, 10]), former)
    assert made.rate.tolist() == [0, 0]
    assert made.mix.sum() == pytest.approx(55 / 100 - 0.9)


def test_causes_that_cannot_be_told_apart_count_as_mix() -> None:
    """Nobody of the one side is labelled on the other: a mixture of both has nobody in it."""
    former = counts([100, 100], [100, 0], [100, 0], [90, 0])
    made = causes(split(counts([0, 100], [0, 100], [0, 100], [0, 50]), former))
    assert made["coverage"] == 0
    assert sum(made.values()) == pytest.approx(-0.4)


def test_without_rows_on_one_side_there_is_no_split() -> None:
    former = counts([0, 0], [0, 0], [0, 0], [0, 0])
    assert np.isnan(split(counts([1, 1], [1, 1], [1, 1], [1, 0]), former).total).all()
