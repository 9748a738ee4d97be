"""From counts of outcomes to conversion, value and click-through.

An outcome may leave its value or its click empty: that is unknown, and not nothing. A figure rests on those that say,
and is not judged where too few of them do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jobs.methods.intervals import estimate, mean_interval, proportion, ratio, wilson
from jobs.methods.judgement import LABELLED
from jobs.methods.measures import rows

if TYPE_CHECKING:
    from typing import Literal

    import pandas as pd
    from numpy.typing import NDArray

    Per = Literal["known", "prediction"]

KEYS = ["day", "version", "segment", "label_age"]


@dataclass(frozen=True)
class Saying:
    """How many outcomes say what is asked of them; arrays of shape (groups,)."""

    n: NDArray[np.int64]
    """Rows of which it is known."""
    said: NDArray[np.int64]
    asked: NDArray[np.int64]

    @property
    def silent(self) -> NDArray[np.bool_]:
        """None of those that should say so does."""
        return np.asarray((self.asked > 0) & (self.said == 0))

    @property
    def few(self) -> NDArray[np.bool_]:
        """Too few do: those that are not like the others may be the ones that are missing."""
        return np.asarray(ratio(self.said, self.asked) < LABELLED)


def valued(known: pd.DataFrame, per: Per) -> Saying:
    """Of how many rows the value is known: all but conversions without one. What did not convert is worth 0.

    `known`: n (predictions), n_known, n_converted, and n_unvalued, which are conversions without a value.

    >>> import pandas as pd
    >>> known = pd.DataFrame({"n": [9], "n_known": [4], "n_converted": [3], "n_unvalued": [2]})
    >>> told = valued(known, "prediction")
    >>> told.n, told.said, told.asked
    (array([7]), array([1]), array([3]))
    """
    of = known["n_known" if per == "known" else "n"].to_numpy(dtype=np.int64)
    converted, without = (known[name].to_numpy(dtype=np.int64) for name in ("n_converted", "n_unvalued"))
    return Saying(of - without, converted - without, converted)


def clicked(known: pd.DataFrame, per: Per) -> Saying:
    """Of how many rows it is known whether they were clicked; per prediction, what is not listed was not.

    `known`: n (predictions), n_known, n_clicked_known.
    """
    n, listed, said = (known[name].to_numpy(dtype=np.int64) for name in ("n", "n_known", "n_clicked_known"))
    return Saying(said if per == "known" else n - listed + said, said, listed)


def of_outcomes(known: pd.DataFrame, per: Per, has_value: bool, min_rows: int) -> list[pd.DataFrame]:
    """Conversion and value per day, outcome age, version and segment.

    With `per` prediction, silence means no conversion; so where deliveries are lacking (column `lacking` of
    the `expected` ones) the figure is not judged, and is undefined where all of them are.
    """
    n = known["n_known" if per == "known" else "n"].to_numpy()
    made = [rows("conversion", known[KEYS], proportion(known["n_converted"], n, "no outcomes"), min_rows)]
    if has_value:
        made += _values(known, per, min_rows)
    return [silence_told(part, known) for part in made] if per == "prediction" else made


def _values(known: pd.DataFrame, per: Per, min_rows: int) -> list[pd.DataFrame]:
    told, total = valued(known, per), known["value_sum"].to_numpy()
    outcomes = known["n_known" if per == "known" else "n"].to_numpy()
    undefined = {"no outcomes": outcomes == 0, "no conversion says its value": told.silent}
    interval = mean_interval(told.n, total, known["value_square_sum"])
    measured = {
        "value_per_prediction": estimate(ratio(total, told.n), told.n, interval, undefined),
        "value": estimate(total, told.n, undefined=undefined),
    }
    return [
        few_told(rows(metric, known[KEYS], one, min_rows), told, "conversions say their value")
        for metric, one in measured.items()
    ]


def of_clicks(known: pd.DataFrame, per: Per, min_rows: int) -> pd.DataFrame:
    """Click-through per row; `known` as `clicked` has it, with n_clicked."""
    told, hits = clicked(known, per), known["n_clicked"].to_numpy()
    outcomes = known["n_known" if per == "known" else "n"].to_numpy()
    undefined = {"no outcomes": outcomes == 0, "no outcome says whether it was clicked": told.silent}
    share = estimate(ratio(hits, told.n), told.n, wilson(hits, told.n), undefined)
    return few_told(rows("click_through", known, share, min_rows), told, "outcomes say whether they were clicked")


def few_told(made: pd.DataFrame, told: Saying, words: str) -> pd.DataFrame:
    """Tells how many say so where they are too few: the value is kept, and not judged."""
    few = told.few & ~told.silent
    text = made["reason"].to_numpy(dtype=object, copy=True)
    text[few] = [f"{said} of {asked} {words}" for said, asked in zip(told.said[few], told.asked[few], strict=True)]
    return made.assign(state=np.where(few, "not_evaluated", made["state"]), reason=text)


def silence_told(made: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Tells how many outcome deliveries are lacking: such a figure is not judged, and undefined where all are."""
    lacking, expected = known["lacking"], known["expected"]
    told = lacking > 0
    text = lacking.astype("str") + " of " + expected.astype("str") + " outcome deliveries are missing or refused"
    figures = ["value", "lower", "upper"]
    return made.assign(
        state=made["state"].where(~told, "not_evaluated"),
        reason=made["reason"].where(~told, text),
        **{name: made[name].where(lacking < expected) for name in figures},
    )
