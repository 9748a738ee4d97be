"""The mean F1 of several classes: its value is scikit-learn's, and its interval is that of what it estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from jobs.methods import classes

GOOD = [[8, 1, 1], [1, 8, 1], [1, 1, 8]]
FAIR = [[5, 3, 2], [3, 5, 2], [3, 3, 4]]
POOR = [[2, 4, 4], [4, 2, 4], [4, 4, 2]]
SWAPPED = [[30, 60], [60, 30]]
"""Rows true, columns decided; the nominal 95 % of classes taken for independent shares covered 85 to 91 % of these."""


def drawn(matrix: list[list[int]], n: int, draws: int, seed: int = 4) -> pd.DataFrame:
    """The cells of many days of `n` rows, a group each."""
    shares = np.array(matrix, dtype=float) / np.sum(matrix)
    counts = np.random.default_rng(seed).multinomial(n, shares.ravel(), draws)
    names = [str(place) for place in range(len(matrix))]
    cells = pd.DataFrame(
        {"group": np.repeat(np.arange(draws), shares.size), "n": counts.ravel(),
         "label": np.tile(np.repeat(names, len(names)), draws), "decision": np.tile(np.tile(names, len(names)), draws)}
    )  # fmt: skip
    return cells[cells["n"] > 0]


def truth(matrix: list[list[int]]) -> np.ndarray:
    """Each class's F1."""
    m = np.array(matrix, dtype=float)
    return np.asarray(2 * np.diag(m) / (m.sum(axis=0) + m.sum(axis=1)))


@pytest.mark.parametrize(("matrix", "n"), [(GOOD, 300), (FAIR, 300), (POOR, 300), (SWAPPED, 200)])
def test_the_interval_of_the_mean_f1_covers_what_it_says(matrix: list[list[int]], n: int) -> None:
    draws, true = 1500, truth(matrix).mean()
    told = classes.f1_macro(classes.per_class(drawn(matrix, n, draws), draws))
    assert ((told.lower <= true) & (true <= told.upper)).mean() == pytest.approx(0.95, abs=0.02)
    spread = np.std(told.value) * 1.96
    assert np.mean(told.upper - told.lower) / 2 == pytest.approx(spread, rel=0.06)


@pytest.mark.parametrize("matrix", [GOOD, FAIR, POOR])
def test_the_interval_of_one_class_covers_too(matrix: list[list[int]]) -> None:
    """F1 of a class increases with Jaccard's index of it, a share of the rows that are of the class or said to be."""
    of = classes.per_class(drawn(matrix, 300, 1500), 1500)
    told, true = classes.f1_of_class(of), truth(matrix)[of.name.astype(int)]
    assert ((told.lower <= true) & (true <= told.upper)).mean() == pytest.approx(0.95, abs=0.015)


def test_the_variance_is_the_one_computed_by_hand() -> None:
    """Two classes, 5 and 3 right, 2 of b decided as a: s = 12 and 8, F = 10/12 and 6/8.

    Without the added row: g_aa = (2/12 - 2 F_a/12) / 2 = 1/72, g_bb = (2/8 - 2 F_b/8) / 2 = 1/32 and g_ab =
    -(F_a/12 + F_b/8) / 2 = -47/576; so 5 g_aa^2 + 3 g_bb^2 + 2 g_ab^2 = 0.01721. A hundredfold day makes the row
    negligible and divides the variance by a hundred.
    """
    cells = pd.DataFrame({"group": 0, "decision": ["a", "a", "b"], "label": ["a", "b", "b"], "n": [500, 200, 300]})
    told = classes.f1_macro(classes.per_class(cells, 1))
    half = (told.upper - told.lower)[0] / 2
    by_hand = (5 / 72**2 + 3 / 32**2 + 2 * (47 / 576) ** 2) / 100
    assert by_hand == pytest.approx(0.0001721, rel=1e-3)
    assert half == pytest.approx(1.959964 * np.sqrt(by_hand), rel=0.005)


def test_the_interval_is_that_of_resampled_rows() -> None:
    random = np.random.default_rng(5)
    labels = random.choice(list("abcd"), 400, p=[0.5, 0.25, 0.15, 0.1])
    decisions = np.where(random.random(400) < 0.7, labels, random.choice(list("abcd"), 400))
    cells = pd.DataFrame({"group": 0, "decision": decisions, "label": labels}).value_counts().rename("n").reset_index()
    told = classes.f1_macro(classes.per_class(cells, 1))
    assert told.value[0] == pytest.approx(f1_score(labels, decisions, average="macro"), abs=1e-12)
    again = random.integers(0, 400, (400, 400))
    spread = np.std([f1_score(labels[rows], decisions[rows], average="macro") for rows in again])
    assert (told.upper - told.lower)[0] / 2 == pytest.approx(1.96 * spread, rel=0.12)


def test_a_day_without_an_error_is_not_sure_of_itself_and_one_without_labels_says_nothing() -> None:
    cells = pd.DataFrame({"group": [0, 0], "decision": ["a", "b"], "label": ["a", "b"], "n": [20, 10]})
    told = classes.f1_macro(classes.per_class(cells, 2))
    assert told.value[0] == told.upper[0] == 1
    assert 0.8 < told.lower[0] < 0.99
    assert np.isnan([told.value[1], told.lower[1], told.upper[1]]).all()
    assert told.reason.tolist() == [None, "no labels"]
