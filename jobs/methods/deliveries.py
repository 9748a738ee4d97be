"""Rules about what was delivered, always on: no predictions, a refused file, no labels for too long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.language import say
from jobs.methods import wording

if TYPE_CHECKING:
    from datetime import date

    from jobs.periods import Period

SILENT_DAYS = 3
"""Days without labels from which their absence is told, where labels came more often before."""

USUAL_DAYS = 56
"""Past days whose longest silence is the usual one."""

FIRST_DAYS = 35
"""Days after which labels are missed that have come once or never: a month, for monthly ones, and a few days."""


def no_data(deliveries: pd.DataFrame) -> pd.DataFrame:
    """One verdict a night: whether predictions were delivered for its day.

    `deliveries`: `day`, `source`, `status`, `rows`, `reason`, the period's.
    """
    came = deliveries[deliveries["source"] == "predictions"].reset_index(drop=True)
    rows = came["rows"].fillna(0).to_numpy(dtype=float)
    refused = came["status"] == "refused"
    nothing = ~refused & ((came["status"] == "missing") | (rows == 0))
    told = [say("{count} predictions delivered", count=f"{count:,.0f}") for count in rows]
    why = came["reason"].fillna(say("the files hold no row of that day"))
    missing = np.array([say("no predictions were delivered: {why}", why=one) for one in why], dtype=object)
    reason = np.select([refused, nothing], [say("the delivery was refused"), missing], np.array(told, dtype=object))
    return _verdicts(came, "no data", "volume", "").assign(
        verdict=np.select([refused, nothing], ["not_evaluated", "breach"], "ok"),
        severity="critical",
        n=rows,
        value=np.where(rows > 0, rows, np.nan),
        reason=reason,
    )


def refused(deliveries: pd.DataFrame) -> pd.DataFrame:
    """One verdict a night and source: whether its files could be accepted; the reason names path and column."""
    came = deliveries.reset_index(drop=True)
    bad = came["status"] == "refused"
    pairs = zip(came["source"], came["reason"].fillna(say("no reason given")), strict=True)
    refusals = np.array(
        [say("{source} refused: {why}", source=say(source), why=why) for source, why in pairs], dtype=object
    )
    return _verdicts(came, "refused delivery", "delivery", came["source"]).assign(
        verdict=np.where(bad, "breach", "ok"),
        severity="critical",
        n=came["rows"].fillna(0),
        reason=np.where(bad, refusals, came["status"]),
    )


def no_labels(arrivals: pd.DataFrame, period: Period, expected: date | None) -> pd.DataFrame:
    """One verdict a night: whether labels have been away for longer than they ever were lately; until one arrives.

    `arrivals`: `known_day` (datetime64), `n` of labels, all up to the period's end. Weekly labels are not missed after
    three days: the silence must be longer than the longest of the 56 days before it. Labels that came once or never
    have no such measure and are missed after FIRST_DAYS. `expected`: the day on which the first labels reached the
    smallest label age, if they came; None where nothing has been predicted.
    """
    nights = np.arange(np.datetime64(period.first), np.datetime64(period.last) + 1)
    days = np.unique(arrivals.loc[arrivals["n"] > 0, "known_day"].to_numpy().astype("datetime64[D]"))
    position = np.searchsorted(days, nights, side="right") - 1
    # One place more in front: the day before labels were expected, for nights on which none had come.
    never = np.datetime64(expected or period.last, "D") - 1
    last = np.r_[never, days][position + 1]
    usual = np.r_[0.0, _longest_gap(days) if days.size else days.astype(float)][position + 1]
    silence = (nights - last).astype(int)
    measured = usual > 0
    breach = np.where(measured, (silence >= SILENT_DAYS) & (silence > usual), silence > FIRST_DAYS)
    reason = np.where(measured, say("labels arrive"), say("too few labels have come to say how often they do"))
    reason = reason.astype(object)
    reason[breach] = [
        _silence(day.item(), int(length), int(longest), ever=bool(ever))
        for day, length, longest, ever in zip(
            last[breach], silence[breach], usual[breach], position[breach] >= 0, strict=True
        )
    ]
    frame = pd.DataFrame({"day": nights.astype("datetime64[s]")})
    return _verdicts(frame, "no labels", "delivery", "labels").assign(
        verdict=np.select([breach, ~measured], ["breach", "not_evaluated"], "ok"),
        severity="warning",
        value=np.where(breach | measured, silence, np.nan),
        reason=reason,
    )


def _silence(last: date, days: int, usual: int, *, ever: bool) -> str:
    """For how long no labels have come since `last`, and how often they did before; `ever`: whether any came."""
    first = last + timedelta(days=1)
    if not ever:
        return say("no labels have ever arrived; the first were expected on {day}", day=first)
    since = wording.since(first, days)
    if usual == 0:
        return say("no labels have arrived {since}; until then they came once", since=since)
    if usual == 1:
        return say("no labels have arrived {since}; until then they came every day", since=since)
    return say(
        "no labels have arrived {since}; until then they came at least every {count} days", since=since, count=usual
    )


def _longest_gap(days: np.ndarray) -> np.ndarray:
    """For each day of arrival, the longest step between arrivals in the 56 days up to it; 0 where there was none.

    >>> _longest_gap(np.array(["2025-01-01", "2025-01-02", "2025-01-05"], dtype="datetime64[D]")).tolist()
    [0.0, 1.0, 3.0]
    """
    steps = pd.Series(np.r_[np.nan, np.diff(days).astype(float)], index=pd.DatetimeIndex(days.astype("datetime64[s]")))
    return np.asarray(steps.rolling(f"{USUAL_DAYS}D").max().fillna(0.0).to_numpy())


def _verdicts(came: pd.DataFrame, rule: str, metric: str, feature: str | pd.Series[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "night": came["day"],
            "rule": rule,
            "metric": metric,
            "version": "all",
            "feature": feature,
            "segment": "all",
            "day": came["day"],
            "detector": "delivery",
        }
    )
