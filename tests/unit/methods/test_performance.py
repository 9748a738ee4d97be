"""Performance from counts against scikit-learn on the rows that were counted."""

import numpy as np
import pytest
from sklearn import metrics as sk

from jobs.methods.performance import (
    Confusion,
    accuracy,
    auc_bin_bound,
    confusion,
    f1,
    precision,
    recall,
    roc_auc,
    roc_auc_of_rows,
)

SEEDS = range(5)


def counted(labels: np.ndarray, decisions: np.ndarray) -> Confusion:
    """TP, FP, FN, TN along the last axis."""
    cells = ((1, 1), (0, 1), (1, 0), (0, 0))
    return confusion(*(((labels == y) & (decisions == d)).sum(axis=-1) for y, d in cells))


def score_bins(scores: np.ndarray, labels: np.ndarray, bins: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    place = np.clip(np.floor(scores * bins), 0, bins - 1).astype(int)
    return tuple(np.bincount(place[labels == y], minlength=bins) for y in (1, 0))  # type: ignore[return-value]


@pytest.mark.parametrize("seed", SEEDS)
def test_figures_are_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, decisions = (random.random((2, 500)) < [[0.3], [0.4]]).astype(int)
    counts = counted(labels, decisions)
    for ours, theirs in (
        (accuracy, sk.accuracy_score),
        (precision, sk.precision_score),
        (recall, sk.recall_score),
        (f1, sk.f1_score),
    ):
        assert ours(counts).value[0] == pytest.approx(theirs(labels, decisions), abs=1e-12)


def test_each_figure_counts_its_own_rows() -> None:
    counts = confusion([6], [2], [3], [9])
    n = {ours.__name__: int(ours(counts).n[0]) for ours in (accuracy, precision, recall, f1)}
    assert n == {"accuracy": 20, "precision": 8, "recall": 9, "f1": 11}


@pytest.mark.parametrize(
    ("counts", "reasons"),
    [
        ((0, 0, 0, 0), ("no labels", "no labels", "no labels", "no labels")),
        ((0, 0, 0, 5), (None, "no predicted positives", "no positive labels", "no positive labels or decisions")),
        ((0, 0, 2, 5), (None, "no predicted positives", None, None)),
        ((0, 3, 0, 5), (None, None, "no positive labels", None)),
    ],
)
def test_undefined_says_why_and_is_never_zero(counts: tuple[int, ...], reasons: tuple[str | None, ...]) -> None:
    estimates = [figure(confusion(*counts)) for figure in (accuracy, precision, recall, f1)]
    assert tuple(one.reason[0] for one in estimates) == reasons
    assert [np.isnan(one.value[0]) for one in estimates] == [reason is not None for reason in reasons]


def test_equal_sums_of_segments_make_the_whole_exactly() -> None:
    parts = confusion([6, 1], [2, 5], [3, 0], [9, 4])
    whole = confusion(*(getattr(parts, name).sum() for name in Confusion.__dataclass_fields__))
    weighted = (accuracy(parts).value * parts.total).sum() / parts.total.sum()
    assert weighted == accuracy(whole).value[0]


def test_sampling_error_at_50_labels_is_what_simulation_finds() -> None:
    """Labels and decisions binomial(0.5), n = 50; the first three figures are published in NannyML's tests.

    For F1 they publish 0.1153; simulation gives 0.087, and so does the interval of Jaccard's index.
    """
    random = np.random.default_rng(7)
    labels, decisions = random.integers(0, 2, (2, 20_000, 50))
    counts = counted(labels, decisions)
    estimates = [figure(counts) for figure in (accuracy, precision, recall, f1)]
    spread = [float(np.nanstd(one.value)) for one in estimates]
    np.testing.assert_allclose(spread, [0.0707, 0.0989, 0.0998, 0.087], rtol=0.05)
    widths = [float(np.nanmean(one.upper - one.lower)) / (2 * 1.96) for one in estimates]
    np.testing.assert_allclose(widths, spread, rtol=0.12)  # Wilson's is the narrower for few rows


@pytest.mark.parametrize("seed", SEEDS)
def test_intervals_hold_their_confidence_in_simulation(seed: int) -> None:
    random = np.random.default_rng(seed)
    counts = confusion(*random.multinomial(80, [0.3, 0.1, 0.15, 0.45], 20_000).T)
    truth = {accuracy: 0.75, precision: 0.75, recall: 2 / 3, f1: 0.6 / 0.85}
    for figure, true in truth.items():
        made = figure(counts)
        assert ((made.lower <= true) & (true <= made.upper)).mean() == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("seed", SEEDS)
def test_auc_is_scikit_learns_on_binned_scores_and_within_the_bound_on_raw_ones(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 400)
    scores = np.clip(random.beta(2, 5, 400) + 0.2 * labels, 0, 1)
    positives, negatives = score_bins(scores, labels, bins=20)
    binned = roc_auc(positives, negatives).value[0]
    assert binned == pytest.approx(sk.roc_auc_score(labels, np.minimum(np.floor(scores * 20), 19)), abs=1e-12)
    distance = abs(binned - sk.roc_auc_score(labels, scores))
    assert 0 < distance <= auc_bin_bound(positives, negatives)[0]


def test_the_bound_is_reached_by_the_worst_order_within_bins() -> None:
    positives, negatives = np.array([1, 3]), np.array([4, 2])
    scores = np.array([0.4] + [0.9] * 3 + [0.1] * 4 + [0.6] * 2)
    labels = np.array([1] * 4 + [0] * 6)
    best = sk.roc_auc_score(labels, scores)  # within each bin every positive is above every negative
    assert best - roc_auc(positives, negatives).value[0] == pytest.approx(auc_bin_bound(positives, negatives)[0])


def delong_variance(scores: np.ndarray, labels: np.ndarray) -> float:
    """DeLong, DeLong, Clarke-Pearson (1988), pair by pair."""
    wins = np.sign(scores[labels == 1][:, None] - scores[labels == 0][None, :]) / 2 + 0.5
    of_positives, of_negatives = wins.mean(axis=1), wins.mean(axis=0)
    return of_positives.var(ddof=1) / len(of_positives) + of_negatives.var(ddof=1) / len(of_negatives)


@pytest.mark.parametrize("seed", SEEDS)
def test_auc_interval_is_delongs_on_the_logit_scale(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 120)
    scores = np.floor(np.clip(random.normal(0.4 + 0.2 * labels, 0.2), 0, 0.999) * 50) / 50
    made = roc_auc(*score_bins(scores + 0.001, labels, bins=50))
    auc = made.value[0]
    half = 1.959963984540054 * np.sqrt(delong_variance(scores, labels)) / (auc * (1 - auc))
    expected = 1 / (1 + np.exp(-(np.log(auc / (1 - auc)) + np.array([-half, half]))))
    np.testing.assert_allclose([made.lower[0], made.upper[0]], expected, atol=1e-12)


def test_auc_interval_holds_its_confidence_in_simulation() -> None:
    """Scores without any skill: the AUC is 0.5; its simulated spread at n = 50 is 0.083."""
    random = np.random.default_rng(4)
    groups, n = 4000, 50
    labels, scores = random.integers(0, 2, (groups, n)), random.integers(0, 1000, (groups, n))
    keys = (np.arange(groups)[:, None] * 1000 + scores).ravel()
    places, slot = np.unique(keys, return_inverse=True)
    positives = np.bincount(slot, weights=labels.ravel())
    made = roc_auc_of_rows(places // 1000, positives, np.bincount(slot) - positives, groups)
    assert float(np.std(made.value)) == pytest.approx(0.083, abs=0.003)
    assert ((made.lower <= 0.5) & (made.upper >= 0.5)).mean() == pytest.approx(0.95, abs=0.015)


def test_perfect_separation_is_still_uncertain() -> None:
    made = roc_auc([0, 0, 20], [80, 20, 0])
    assert (made.value[0], made.upper[0]) == (1.0, 1.0)
    assert made.lower[0] == pytest.approx(0.839, abs=0.001)  # Wilson, 20 of 20


def test_auc_of_one_class_is_undefined_with_its_reason() -> None:
    made = roc_auc([[0, 0], [0, 3], [4, 0]], [[0, 0], [0, 0], [1, 2]])
    assert made.reason.tolist() == ["no labels", "no negative labels", None]
    assert roc_auc([0, 0], [1, 1]).reason.tolist() == ["no positive labels"]


def test_long_and_wide_counts_give_the_same_auc() -> None:
    random = np.random.default_rng(9)
    positives, negatives = random.integers(0, 3, (2, 40, 60))
    keep = (positives + negatives > 0).ravel()
    row = np.repeat(np.arange(40), 60)[keep]
    wide, long = (
        roc_auc(positives, negatives),
        roc_auc_of_rows(row, positives.ravel()[keep], negatives.ravel()[keep], 40),
    )
    np.testing.assert_array_equal(wide.value, long.value)
    np.testing.assert_allclose(wide.lower, long.lower, rtol=1e-14)


def test_no_groups_are_no_figures() -> None:
    assert len(roc_auc_of_rows([], [], [], 0).value) == 0
