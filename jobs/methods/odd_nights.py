"""A night in which many figures are each a little odd, and none of them enough to be told by itself.

A night is the vector of its standardised distances, one number a series. The local outlier factor says how much
farther a night lies from its nearest past nights than those lie from theirs (Breunig, Kriegel, Ng and Sander, LOF,
SIGMOD 2000). It asks for no shape and no independence: figures that always move
together are near to nights on which they moved together. It has no chance in it, so there is no seed.

Weeks begin on Monday: a night is held against the nights before its Monday, so a night, its re-run and a range agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from jobs.language import say
from jobs.methods import wording
from jobs.methods.local_outliers import Crowd
from jobs.methods.scale import MAD_TO_SD
from jobs.methods.verdicts import SERIES

if TYPE_CHECKING:
    import numpy.typing as npt

    from jobs.methods.scale import Floats
    from jobs.periods import Period

WINDOW = 365
"""Days before the Monday whose nights are looked at."""

NEEDED = 60
"""Nights in it below which nothing is usual."""

SERIES_NEEDED = 5
"""Series known tonight below which many cannot be odd."""

NEIGHBOURS = 20
"""Past nights that one is held against; Breunig et al. advise 10 to 20 at least."""

CLIP = 4.0
"""No series counts for more: one that is wild by itself is told by its own rule."""

ODD = 1.5
"""Deviations from which a series is one of those that made the night odd, ..."""

MANY = 4
"""... and how many of them it takes."""

LIMIT = 6.0
"""Deviations of the factor's logarithm from that of past nights."""

NAMED = 12
"""Series that the reason names."""

COLUMNS = ("night", *SERIES, "distance")


class _Past(NamedTuple):
    """Nights before a Monday: what is usual of each series, and of how far nights lie from each other."""

    crowd: Crowd
    centre: Floats
    spread: Floats
    known: npt.NDArray[np.bool_]
    """Series of which half the nights are known, and which move."""
    typical: float
    stray: float


def judge(distances: pd.DataFrame, period: Period) -> pd.DataFrame:
    """One verdict a night of the period.

    `distances`: columns COLUMNS, as `of_verdicts` answers them, of the period's nights and of WINDOW + 6 days before.
    """
    nights = pd.date_range(period.first, period.last).as_unit("us")
    table = _table(distances)
    told = []
    for monday, week in pd.Series(nights, index=nights).groupby(nights - pd.to_timedelta(nights.day_of_week, unit="D")):
        past = table[(table.index < monday) & (table.index >= monday - pd.Timedelta(WINDOW, "D"))]
        known = _past(past.to_numpy()) if len(past) >= NEEDED else None
        told += [_verdict(night, table, known, len(past)) for night in week]
    return pd.DataFrame(told).assign(
        day=lambda frame: frame["night"], rule="odd night", metric="odd_night", version="all", feature="",
        segment="all", severity="info", detector="lof",
    )  # fmt: skip


def of_verdicts(found: pd.DataFrame) -> pd.DataFrame:
    """The distances that judged verdicts (rows of table `verdicts`) say, of whole days and all versions together.

    Those of expected ranges, and PSI as its ratio to the bound; where several rules judge one figure, the largest.
    """
    ranged = found["rule"].str.contains(" outside expected", regex=False)
    drifted = (found["metric"] == "psi") & (found["detector"] == "bound")
    whole = (found["version"] == "all") & (found["segment"] == "all") & (found["verdict"] != "not_evaluated")
    chosen = found[(ranged | drifted) & whole]
    chosen = chosen.assign(age=chosen["label_age"].fillna(0).astype("int64"))
    return chosen.groupby(list(COLUMNS[:-1]))["distance"].max().reset_index()


def _table(distances: pd.DataFrame) -> pd.DataFrame:
    """Nights by series; NaN where a series had no judged figure. PSI, a squared distance, as its root."""
    known = distances[np.isfinite(distances["distance"].to_numpy(dtype=float))]
    value = known["distance"].where(known["metric"] != "psi", np.sqrt(known["distance"].clip(lower=0)))
    row, nights = pd.factorize(known["night"], sort=True)
    column, series = pd.factorize(pd.MultiIndex.from_frame(known[list(SERIES)]), sort=True)
    table = np.full((len(nights), len(series)), np.nan)
    table[row, column] = value
    return pd.DataFrame(table, index=pd.DatetimeIndex(nights), columns=series)


def _past(raw: Floats) -> _Past | None:
    """What the past nights say; None where too few series are known in them."""
    finite = np.isfinite(raw)
    centre, spread = np.zeros(raw.shape[1]), np.zeros(raw.shape[1])
    for column in range(raw.shape[1]):
        values = raw[finite[:, column], column]
        if 2 * len(values) >= len(raw):
            centre[column] = np.median(values)
            spread[column] = MAD_TO_SD * np.median(np.abs(values - centre[column]))
    known = spread > 0
    if known.sum() < SERIES_NEEDED:
        return None
    nights = _standardised(raw, centre, spread, known)
    crowd = Crowd.of(nights, min(NEIGHBOURS, len(nights) - 1))
    factors = np.log(crowd.factors)  # of each night among the others
    typical = float(np.median(factors))
    stray = MAD_TO_SD * float(np.median(np.abs(factors - typical)))
    return _Past(crowd, centre, spread, known, typical, max(stray, 1e-3))


def _standardised(raw: Floats, centre: Floats, spread: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Deviations from each series' own usual, clipped; what is not known is as usual."""
    z = (raw[:, known] - centre[known]) / spread[known]
    return np.asarray(np.clip(np.nan_to_num(z), -CLIP, CLIP))


def _verdict(night: pd.Timestamp, table: pd.DataFrame, past: _Past | None, nights: int) -> dict[str, object]:
    row: dict[str, object] = {"night": night, "verdict": "not_evaluated", "value": np.nan, "n": 0, "distance": np.nan}
    row |= {"expected": np.nan, "lower": np.nan, "upper": np.nan}
    if nights < NEEDED:
        return row | {
            "reason": say("only {nights} nights before its week, {needed} needed", nights=nights, needed=NEEDED)
        }
    tonight = table.loc[[night]].to_numpy() if night in table.index else np.full((1, table.shape[1]), np.nan)
    here = int((np.isfinite(tonight[0]) & past.known).sum()) if past else 0
    if past is None or here < SERIES_NEEDED:
        return row | {
            "n": here,
            "reason": say("{here} series judged tonight, {needed} needed", here=here, needed=SERIES_NEEDED),
        }
    z = _standardised(tonight, past.centre, past.spread, past.known)
    factor = float(np.log(past.crowd.factors_of(z)[0]))
    distance = (factor - past.typical) / past.stray
    odd = np.flatnonzero(np.abs(z[0]) >= ODD)
    breach = distance > LIMIT and len(odd) >= MANY
    names = table.columns[past.known]
    return row | {
        "verdict": "breach" if breach else "ok",
        "value": float(np.exp(factor)),
        "n": here,
        "expected": float(np.exp(past.typical)),
        "upper": float(np.exp(past.typical + LIMIT * past.stray)),
        "distance": distance,
        "reason": reason(names, z[0], odd) if breach else say("a night like others"),
    }


def reason(names: pd.Index[Any], z: Floats, odd: npt.NDArray[np.intp]) -> str:
    """Which series made the night odd, the farthest first, with their distances; none is followed beyond CLIP.

    >>> names = pd.MultiIndex.from_tuples([("accuracy", "all", "", "all", 7), ("psi", "all", "age", "all", 0)])
    >>> reason(names, np.array([-2.5, 4.0]), np.array([0, 1]))
    '2 figures are odd together, in deviations: PSI of age +4 or more, accuracy after 7 days -2.5'
    """
    ranked = odd[np.argsort(-np.abs(z[odd]), kind="stable")]
    named = say(", ").join(f"{_name(names[place])} {_size(z[place])}" for place in ranked[:NAMED])
    told = say("{count} figures are odd together, in deviations: {named}", count=len(ranked), named=named)
    more = len(ranked) - NAMED
    return say("{told} and {count} more", told=told, count=more) if more > 0 else told


def _size(z: float) -> str:
    """Deviations; what is as far as a series may count is that far at least.

    >>> _size(-2.51), _size(-4.0)
    ('-2.5', '-4 or more')
    """
    return say("{size} or more", size=f"{z:+.0f}") if abs(z) >= CLIP else f"{z:+.1f}"


def _name(series: tuple[str, str, str, str, int]) -> str:
    metric, version, feature, segment, age = series
    text = wording.name(metric)
    if feature:
        text = say("{metric} of {feature}", metric=text, feature=feature)
    if segment != "all":
        text = say("{told} for {segment}", told=text, segment=segment)
    text += f" ({version})" if version != "all" else ""
    return say("{told} after {days}", told=text, days=wording.days_text(age)) if age else text
