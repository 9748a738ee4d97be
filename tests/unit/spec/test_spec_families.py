"""Protected and crossed segments in a spec: what is refused, what is searched, what makes nights anew."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jobs.spec.digest import stage_digest
from jobs.spec.model import ModelSpec


def spec_of(**given: Any) -> ModelSpec:
    source = {"path": "predictions/{day}.csv"}
    return ModelSpec.model_validate({"model": "shop", "predictions": source, "segments": list("abc")} | given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"protected": ["d"]}, "protected names 'd', which is no segment; segments: a, b, c"),
        ({"crossed": [["a", "x"]]}, "crossed names 'x', which is no segment"),
        ({"crossed": [["a", "a"]]}, "two different segments"),
        ({"segments": [], "protected": ["a"]}, "segments: none"),
    ],
)
def test_segments_that_are_not_there_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        spec_of(**given)


def test_all_pairs_of_few_segments_are_searched_and_named_ones_only_when_there_are() -> None:
    assert spec_of().searched_pairs == (("a", "b"), ("a", "c"), ("b", "c"))
    assert spec_of(crossed=[["c", "a"]]).searched_pairs == (("c", "a"),)
    assert spec_of(crossed=[]).searched_pairs == ()
    assert spec_of(segments=list("abcdef")).searched_pairs == ()


def test_what_is_counted_makes_statistics_anew_and_what_is_judged_makes_metrics_anew() -> None:
    before = spec_of()
    crossed, protected = spec_of(crossed=[["a", "b"]]), spec_of(protected=["a"])
    recent = spec_of(detection={"recent_days": 28})
    assert stage_digest(crossed, "statistics") != stage_digest(before, "statistics")
    assert stage_digest(protected, "statistics") == stage_digest(before, "statistics")
    for changed in (protected, recent, spec_of(fairness_days=7), spec_of(comparison_days=7)):
        assert stage_digest(changed, "metrics") != stage_digest(before, "metrics")


def test_naming_all_pairs_is_not_the_same_as_naming_none() -> None:
    """Named pairs have figures of their own."""
    named = spec_of(crossed=[["a", "b"], ["a", "c"], ["b", "c"]])
    assert named.searched_pairs == spec_of().searched_pairs
    assert stage_digest(named, "statistics") != stage_digest(spec_of(), "statistics")
