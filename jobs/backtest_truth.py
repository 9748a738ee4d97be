"""What a backtest is held against: a file of labelled incidents, or what final labels later showed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, get_args

from pydantic import ValidationError

from jobs.errors import UsageError
from jobs.methods import labelled, rules
from jobs.spec.complaints import meant
from jobs.spec.judging import Rule
from jobs.spec.named import MetricName
from jobs.stages import anomalies

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.engine.warehouse import Warehouse
    from jobs.methods.labelled import Truth
    from jobs.periods import Period
    from jobs.spec.model import ModelSpec

_FELL = re.compile(
    r"(?P<metric>\w+)\s+(?P<kind>drop|rise|above|below)\s+(?P<size>\S+)(?:\s+for\s+(?P<segment>\S+))?"
    r"(?:\s+at\s+(?:(?P<final>final\s+age)|age\s+(?P<age>\d+)))?"
)
_EXAMPLE = "for example 'accuracy drop 5pp at final age' or 'recall below 0.6 for country=FR at age 7'"


def from_file(path: Path, period: Period) -> Truth:
    """The incidents of a CSV file that the period touches. Raises UsageError naming file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name}:1: is not text in UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; give a CSV file with start,end[,note]") from None
    return labelled.of_period(labelled.read(text, path.name), period, period.last, f"incidents of {path.name}")


def asked(text: str, min_n: int) -> tuple[Rule, str]:
    """The rule and the age (a number, `final`, or empty) of words such as `accuracy drop 5pp at final age`.

    >>> rule, age = asked("accuracy drop 5pp at final age", min_n=30)
    >>> rule.name, age
    ('accuracy drop 5pp', 'final')
    """
    found = _FELL.fullmatch(" ".join(text.split()))
    if found is None:
        raise UsageError(f"--fell '{text}' is not understood; write METRIC drop|rise|above|below SIZE, {_EXAMPLE}")
    metric, kind, size = found["metric"], found["kind"], found["size"]
    known = get_args(MetricName)
    if metric not in known:
        raise UsageError(f"--fell '{text}': there is no metric '{metric}'{meant(metric, known) or f'; {_EXAMPLE}'}")
    try:
        bound: object = size if kind in ("drop", "rise") else float(size)
        given = {"metric": metric, kind: bound, "min_n": min_n}
        rule = Rule.model_validate(given | ({"segments": (found["segment"],)} if found["segment"] else {}))
    except (ValidationError, ValueError) as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ") if isinstance(error, ValidationError) else (
            f"'{size}' is not a number"
        )  # fmt: skip
        raise UsageError(f"--fell '{text}': {said}") from None
    return rule, "final" if found["final"] else found["age"] or ""


def from_labels(text: str, spec: ModelSpec, history: Period, period: Period, warehouse: Warehouse) -> Truth:
    """The days of the period on which a figure did fall, as the final labels showed it, gathered into incidents.

    Raises UsageError where the figure or its age is not in the history.
    """
    rule, age = asked(text, spec.min_rows)
    figures, world = anomalies.looked_at(spec, [rule], history, warehouse)
    mine = rules.select(rule, figures)
    if mine.empty:
        where = "" if rule.segments == "all" else f" for {', '.join(rule.segments)}"
        raise UsageError(f"--fell '{text}': {spec.model} has no {rule.metric}{where} in {history}")
    ages = sorted({int(one) for one in mine["label_age"].dropna()})
    if age.isdigit() and int(age) not in ages:
        raise UsageError(f"--fell '{text}': {spec.model} has {rule.metric} at ages {ages or 'none'}, not {age}")
    chosen = (int(age) if age.isdigit() else ages[-1]) if ages else 0
    rule = rule.model_copy(update={"ages": (chosen,) if ages else None})
    judged = rules.judge(rule, figures, world, spec.detection, history.first)
    bad = judged.loc[judged["verdict"] == "breach", "day"].dt.date
    name = f"{rule.name} at age {chosen}" if ages else rule.name
    found = labelled.spans(bad, chosen, spec.incidents.resolve_after, name)
    return labelled.of_period(found, period, period.last - timedelta(days=chosen), f"falls, {name}")
