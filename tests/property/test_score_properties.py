"""What must hold of calibration, ranking, classes, errors and estimates for any counts."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jobs.methods import calibration, classes, ranking, regression
from jobs.methods.calibration import Cells, cells_of
from jobs.methods.estimation import BINS, calibrate, expected_figures

scored = st.lists(
    st.tuples(st.floats(0, 1, allow_nan=False), st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=60
)
numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3))
pairs = st.lists(st.tuples(numbers, numbers, st.integers(0, 2)), min_size=1, max_size=60)
decided = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("abcd"), st.integers(1, 50)), min_size=1, max_size=20
)
histogram = arrays(np.int64, BINS, elements=st.integers(0, 20))


def together(*parts: Cells) -> Cells:
    """The sum of cells: what the triangle of several segments, or of several days, adds up to."""
    names = [one.name for one in fields(Cells) if one.name not in ("group", "groups", "bin")]
    table = pd.concat([pd.DataFrame({name: getattr(part, name) for name in ("bin", *names)}) for part in parts])
    table = table.groupby("bin", as_index=False).sum()
    return Cells(
        np.zeros(len(table), dtype=np.int64), 1, table["bin"].to_numpy(), *(table[name].to_numpy() for name in names)
    )


@given(scored)
def test_segments_and_days_add_up_to_the_whole(rows: list[tuple[float, int, int]]) -> None:
    score, label, part = (np.array(column) for column in zip(*rows, strict=True))
    whole = cells_of(score, label)
    parts = [cells_of(score[part == one], label[part == one]) for one in np.unique(part)]
    summed = together(*parts)
    for figure in (
        calibration.brier, calibration.log_loss, calibration.in_the_large, calibration.ece, ranking.average_precision,
        ranking.score_ks, ranking.precision_at_top, ranking.recall_at_top,
    ):  # fmt: skip
        expected, found = figure(whole), figure(summed)
        np.testing.assert_allclose(found.value, expected.value, rtol=1e-9, atol=1e-9)
        assert found.reason.tolist() == expected.reason.tolist()
    for figure in (calibration.brier, calibration.log_loss, calibration.in_the_large):
        made = [figure(one) for one in parts]
        weighted = sum(one.value[0] * one.n[0] for one in made) / sum(one.n[0] for one in made)
        np.testing.assert_allclose(figure(whole).value[0], weighted, rtol=1e-9, atol=1e-9)


@given(scored)
def test_every_figure_of_scores_lies_in_its_range_and_interval(rows: list[tuple[float, int, int]]) -> None:
    of = cells_of([row[0] for row in rows], [row[1] for row in rows])
    for figure in (
        calibration.brier, calibration.ece, ranking.average_precision, ranking.score_ks, ranking.precision_at_top,
        ranking.recall_at_top,
    ):  # fmt: skip
        made = figure(of)
        assume(made.reason[0] is None)
        assert -1e-9 <= made.value[0] <= 1 + 1e-9
        assert not made.lower[0] > made.value[0] + 1e-9
        assert not made.upper[0] < made.value[0] - 1e-9


@given(scored, st.integers(2, 50))
def test_more_of_the_same_changes_no_figure_of_scores(rows: list[tuple[float, int, int]], times: int) -> None:
    score, label, _ = (np.array(column) for column in zip(*rows, strict=True))
    once, often = cells_of(score, label), cells_of(np.tile(score, times), np.tile(label, times))
    for figure in (
        calibration.brier,
        calibration.log_loss,
        calibration.ece,
        ranking.average_precision,
        ranking.score_ks,
    ):
        np.testing.assert_allclose(figure(often).value, figure(once).value, rtol=1e-9, atol=1e-9)


@given(pairs)
def test_errors_of_segments_add_up_to_the_whole(rows: list[tuple[float, float, int]]) -> None:
    score, label, part = (np.array(column) for column in zip(*rows, strict=True))
    whole = regression.errors_of(score, label)
    made = [regression.errors_of(score[part == one], label[part == one]) for one in np.unique(part)]
    table = pd.concat([one.table for one in made]).groupby(["group", "bin"], as_index=False).sum()
    summed = regression.Errors(table, 1)
    for figure in (regression.mae, regression.rmse, regression.bias, regression.mape):
        np.testing.assert_allclose(figure(summed).value, figure(whole).value, rtol=1e-9, atol=1e-6)
    for q in (0.05, 0.5, 0.95):
        exact = np.quantile(score - label, q, method="inverted_cdf")
        found = regression.quantile(summed, q).value[0]
        assert found == regression.quantile(whole, q).value[0]
        assert np.isclose(found, exact, rtol=0.01, atol=1e-14)


@given(decided)
def test_recall_weighted_by_labels_is_accuracy(rows: list[tuple[str, str, int]]) -> None:
    cells = pd.DataFrame(rows, columns=["decision", "label", "n"]).assign(group=0)
    of = classes.per_class(cells, 1)
    weighted = classes.averaged(of, classes.recall_of_class, weighted=True)
    np.testing.assert_allclose(weighted.value, classes.accuracy(of).value)
    assert of.total[0] == cells["n"].sum() == of.called.sum() == of.true.sum()


@given(histogram, histogram, histogram, histogram)
def test_calibration_ascends_and_estimates_stay_within_0_and_1(
    n: np.ndarray, share: np.ndarray, flagged: np.ndarray, passed: np.ndarray
) -> None:
    assume(flagged.sum() + passed.sum() > 0)
    maps = calibrate((n * share / 20)[None], n[None])
    assert (np.diff(maps.chance[0]) >= 0).all()
    assert ((maps.chance >= 0) & (maps.chance <= 1)).all()
    made = expected_figures(flagged[None].astype(float), passed[None].astype(float), maps, np.array([0]))
    for figure in made.values():
        assert np.isnan(figure.value[0]) or -1e-9 <= figure.value[0] <= 1 + 1e-9
        assert np.isnan(figure.deviation[0]) or figure.deviation[0] >= 0


@given(histogram, histogram, st.integers(2, 40))
def test_an_estimate_does_not_depend_on_volume_and_its_chance_shrinks_with_it(
    flagged: np.ndarray, passed: np.ndarray, times: int
) -> None:
    assume(flagged.sum() > 0)
    maps = calibrate(np.linspace(1, 900, BINS)[None], np.full((1, BINS), 1000))
    one, many = (
        expected_figures(k * flagged[None].astype(float), k * passed[None].astype(float), maps, np.array([0]))
        for k in (1, times)
    )
    np.testing.assert_allclose(many["precision"].value, one["precision"].value, rtol=1e-9)
    assert many["precision"].deviation[0] < one["precision"].deviation[0]
