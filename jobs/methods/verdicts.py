"""The shape of a verdict, and the sentence that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.language import say
from jobs.methods import wording
from jobs.tables import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import numpy.typing as npt

    from jobs.spec.judging import Rule

SERIES = ("metric", "version", "feature", "segment", "age")
"""What tells one series of figures from another."""

COLUMNS = list(BY_NAME["verdicts"].columns)


@dataclass(frozen=True)
class Text:
    """What the sentences of a rule need to know about it."""

    falling: bool


def reasons(rule: Rule, told: pd.DataFrame, text: Text) -> npt.NDArray[np.object_]:
    """One sentence a row.

    `told` has verdict, why, streak, past_bound, beyond, value, bound, factor, former, former_version.
    """
    answer = np.full(len(told), say("within the bound"), dtype=object)
    unknown = told["why"] != ""
    answer[unknown] = told.loc[unknown, "why"]
    chance = told["past_bound"] & ~told["beyond"]
    answer[chance] = say("beyond the bound, but chance explains it for this n")
    waiting = told["beyond"] & (told["verdict"] == "ok")
    answer[waiting] = [
        say("beyond the bound {streak} of {nights} nights", streak=streak, nights=rule.nights)
        for streak in told.loc[waiting, "streak"]
    ]
    breach = told["verdict"] == "breach"
    columns = ["value", "bound", "factor", "former", "detector", "former_version"]
    rows = [dict(zip(columns, row, strict=True)) for row in told.loc[breach, columns].itertuples(index=False)]
    answer[breach] = [_breach(rule, row, text) for row in rows]
    return answer


def _breach(rule: Rule, row: Mapping[str, Any], text: Text) -> str:
    """One breach in words: the figure, the bound, and what the bound was made from."""
    metric, bound = rule.metric, row["bound"]
    words = say(
        "{metric} {value} is below {bound}" if text.falling else "{metric} {value} is above {bound}",
        metric=wording.name(metric), value=wording.number(metric, row["value"]), bound=wording.number(metric, bound),
    )  # fmt: skip
    if not np.isfinite(row["former"]):
        moved = _moved(rule, bound, row["factor"])
        return say("{words}; {held}", words=words, held=moved) if moved else words
    held = wording.against({**row, "metric": metric, "expected": row["former"]})
    return say("{words}; {held}", words=words, held=held)


def _moved(rule: Rule, bound: float, factor: float) -> str:
    """Why a fixed bound is not the number that the rule is called by; empty where it is."""
    if rule.above is None or wording.number(rule.metric, bound) == wording.number(rule.metric, rule.above):
        return ""
    limit = wording.number(rule.metric, rule.above)
    if not np.isclose(bound, rule.above * factor):
        return say("the rule's {limit}, raised to what chance alone reaches", limit=limit)
    if factor > 1:
        return say("the rule's {limit}, loosened for an input of less importance", limit=limit)
    return say("the rule's {limit}, tightened for an input of more importance", limit=limit)


def frame(parts: list[pd.DataFrame], model: str) -> pd.DataFrame:
    """All verdicts of a period as rows of table `verdicts`, in one order whatever made them."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=COLUMNS)
    every = pd.concat([part.reindex(columns=COLUMNS) for part in filled], ignore_index=True).assign(model=model)
    every["label_age"] = every["label_age"].astype("Int64")
    every["n"] = every["n"].astype("Int64")
    order = ["night", "rule", "metric", "version", "feature", "segment", "label_age", "severity", "day"]
    return every.sort_values(order, kind="stable", na_position="first", ignore_index=True)
