"""Keep, promote, roll back, contradictory or not yet known, in words."""

import numpy as np
import pytest

from jobs.methods.judgement import ALIKE as NEAR
from jobs.methods.judgement import LEVEL, Difference, Evidence, verdict
from jobs.methods.paired import mcnemar, paired_difference

BETTER = Difference(0.04, 0.02, 0.06, 0.0001, 2000)
WORSE = Difference(-0.04, -0.06, -0.02, 0.0001, 2000)
ALIKE = Difference(0.001, -0.008, 0.01, 0.8, 9000)
SLIGHT = Difference(0.009, 0.004, 0.014, 0.0005, 90_000)
OPEN = Difference(0.01, -0.02, 0.04, 0.5, 600)
CLOSER = Difference(-2.5, -3.0, -2.0, 0.0001, 900, sign=-1, live=20.0)
FARTHER = Difference(2.5, 2.0, 3.0, 0.0001, 900, sign=-1, live=20.0)
LESS = Difference(-2.5, -3.0, -2.0, 0.0001, 900, live=20.0)
AS_FAR = Difference(0.1, -0.3, 0.35, 0.6, 900, sign=-1, live=20.0)


@pytest.mark.parametrize(
    ("evidence", "expected", "words"),
    [
        (Evidence(BETTER), "promote", "right more often"),
        (Evidence(BETTER, was_live=True), "roll back", "right more often"),
        (Evidence(WORSE), "keep", "v1 is right more often"),
        (Evidence(ALIKE), "keep", "within 2 points"),
        (Evidence(SLIGHT, was_live=True), "keep", "within 2 points: +0.9 points"),  # certain, and no change would pay
        (Evidence(SLIGHT, business=WORSE), "keep", "v1 converts more"),
        (Evidence(OPEN), "not yet known", "may be chance"),
        (
            Evidence(Difference(0.3, 0.1, 0.5, 0.001, 40)),
            "not yet known",
            "40 rows with labels or outcomes, 300 needed",
        ),
        (Evidence(None), "not yet known", "0 rows"),
        (Evidence(BETTER, coverage=0.4), "not yet known", "40% of the labels are in"),
        (Evidence(BETTER, business=WORSE), "contradictory", "converts more"),
        (Evidence(WORSE, business=BETTER), "contradictory", "converts more"),
        (Evidence(OPEN, business=BETTER, was_live=True), "roll back", "converted more"),
        (Evidence(OPEN, business=WORSE), "keep", "v1 converts more"),
        (Evidence(None, business=BETTER, was_live=True), "roll back", "converted more"),
        (Evidence(BETTER, ranking=WORSE), "contradictory", "ranks better"),
        (Evidence(BETTER, ranking=ALIKE), "promote", "another threshold may do as much"),
    ],
)
def test_the_verdict_and_its_reason(evidence: Evidence, expected: str, words: str) -> None:
    told, reason = verdict("v1", "challenger:v2", evidence, needed=300)
    assert told == expected
    assert words in reason


@pytest.mark.parametrize(
    ("evidence", "expected", "words"),
    [
        (Evidence(CLOSER), "promote", "challenger:v2 is closer to the truth: -2.5 (-3 to -2, n = 900)"),
        (Evidence(FARTHER), "keep", "v1 is closer to the truth: challenger:v2 has +2.5"),
        (Evidence(AS_FAR), "keep", "both are equally far off, within 2% of the error: +0.1"),
        (Evidence(CLOSER, business=WORSE), "contradictory", "closer to the truth"),
        (Evidence(AS_FAR, business=ALIKE, value=LESS), "keep", "v1 earns more"),
        (Evidence(None, business=BETTER, value=LESS), "contradictory", "but v1 earns more"),
        (Evidence(None, business=ALIKE), "keep", "both convert equally often, within 2 points: +0.1 points"),
        (Evidence(None, business=OPEN), "not yet known", "the difference may be chance: +1.0 points"),
        (Evidence(Difference(0.3, 0.1, 0.5, 0.001, 40), business=OPEN), "not yet known", "be chance: +1.0 points"),
        (Evidence(None, business=WORSE, outcomes=0.6), "not yet known", "60% of the outcomes are in"),
        (Evidence(None, value=LESS, outcomes=0.6), "not yet known", "60% of the outcomes are in"),
        (Evidence(None, value=LESS, outcomes=0.9), "keep", "v1 earns more"),
        (Evidence(CLOSER, business=WORSE, outcomes=0.6), "promote", "closer to the truth"),
    ],
)
def test_of_errors_less_is_better_and_they_are_told_in_their_own_unit(
    evidence: Evidence, expected: str, words: str
) -> None:
    told, reason = verdict("v1", "challenger:v2", evidence, needed=300)
    assert told == expected
    assert words in reason


@pytest.mark.parametrize(("rows", "differ"), [(20, 0.1), (40, 0.2), (250, 0.3)])
def test_of_versions_that_are_equally_right_hardly_a_year_promotes_one(rows: int, differ: float) -> None:
    """Looked at on every night of a year, over 28 days that move by one."""
    random, years, days = np.random.default_rng(11), 1500, 28
    unlike = random.binomial(rows, differ, (years, 365))
    other = random.binomial(unlike, 0.5)
    c, b = (np.cumsum(np.pad(one, ((0, 0), (1, 0))), axis=1) for one in (other, unlike - other))
    c, b = c[:, days:] - c[:, :-days], b[:, days:] - b[:, :-days]
    lower, upper = paired_difference(c, b, rows * days)
    told = (mcnemar(b, c) < LEVEL) & ~((lower > -NEAR) & (upper < NEAR))
    error = 3 * np.sqrt(0.01 / years)
    assert (told & (c > b)).any(axis=1).mean() < 0.01 + error
    assert told.any(axis=1).mean() < 0.02 + np.sqrt(2) * error


def test_a_difference_worth_a_change_is_still_found() -> None:
    """6.5 points on 1,000 rows that a fifth are judged differently, four times of five."""
    random = np.random.default_rng(12)
    unlike = random.binomial(1000, 0.2, 4000)
    c = random.binomial(unlike, (0.1 + 0.065 / 2) / 0.2)
    assert (mcnemar(unlike - c, c) < LEVEL).mean() == pytest.approx(0.8, abs=0.03)
