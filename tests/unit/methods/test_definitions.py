"""One table of metrics, which the spec, the formulas and the documentation agree with."""

from pathlib import Path
from typing import get_args

from jobs.methods.definitions import BY_NAME, DEFINITIONS, markdown
from jobs.spec.named import MetricName

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_every_metric_a_rule_may_name_is_defined() -> None:
    assert set(get_args(MetricName)) <= set(BY_NAME)


def test_no_name_is_defined_twice_and_every_definition_is_whole() -> None:
    assert len(BY_NAME) == len(DEFINITIONS)
    assert all(d.words.endswith(".") and d.source and d.n and d.witness for d in DEFINITIONS)


def test_the_documentation_shows_this_table() -> None:
    """To renew: replace the table in docs/metrics.md by the text of `jobs.methods.definitions.markdown()`."""
    assert markdown() in DOCUMENT.read_text(encoding="utf-8")
