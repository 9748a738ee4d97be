"""The shop's visitors, and the model that guesses who will buy.

What the model is given (`seen`) and what the visitor does (`truth`) are the same, save where a story parts
them. So the score is calibrated: of the visitors scored 0.8, eight in ten buy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import numpy.typing as npt

    from jobs.world.effects import Effects

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Stream = Callable[[str], np.random.Generator]

TIMEZONE = "Europe/Berlin"
VISITORS = 750  # on an average day
WEEK = np.array([0.98, 0.94, 0.93, 0.95, 1.02, 1.14, 1.04])  # Monday to Sunday
HOURS = np.array([6, 4, 3, 2, 2, 3, 8, 15, 22, 28, 32, 34, 36, 33, 30, 30, 34, 42, 52, 64, 70, 58, 34, 16])

NEW_SHARE = 0.17
MISSING_SHARE = 0.01
CUSTOMERS = ("returning", "new")
DISCOUNTS = np.array([0.0, 5.0, 10.0, 15.0, 20.0])  # percent
DISCOUNT_SHARES = np.array([0.60, 0.12, 0.13, 0.08, 0.07])
# names, shares and weights in the logit
DEVICES = (("mobile", "desktop", "app"), np.array([0.45, 0.30, 0.25]), np.array([-0.6, 0.6, 0.6]))
CHANNELS = (
    ("search", "direct", "email", "ads", "social"),
    np.array([0.34, 0.24, 0.14, 0.18, 0.10]),
    np.array([0.0, 0.8, 1.5, -1.0, -2.0]),
)
COUNTRIES = (("DE", "FR", "AT", "LU"), np.array([0.50, 0.28, 0.21, 0.01]), np.zeros(4))

INTERCEPT = -4.68  # 22.5 % of the visitors buy
SECOND_VERSION = -2.3  # v2 keeps its offers from the undecided, who leave; its scores know that
LATENCY_MEDIAN, LATENCY_SIGMA = 60.0, 0.42  # milliseconds; 95th percentile 120


@dataclass(frozen=True)
class Visits:
    """Visits in the order of their time. Every array: shape (rows,); categories are codes into the names."""

    day: Integers
    """Number of the business day, from the first one given."""
    ts: pd.DatetimeIndex
    """The moment, in UTC."""
    hour: Floats
    customer: Integers
    country: Integers
    device: Integers
    channel: Integers
    browsing_minutes: Floats
    pages_viewed: Floats
    """NaN where the page counter was blocked."""
    basket_value: Floats
    """EUR, as the model is given it."""
    basket_paid: Floats
    """EUR, as it is."""
    days_since_last_visit: Floats
    discount: Floats
    second_version: npt.NDArray[np.bool_]
    latency_ms: Floats
    score: Floats
    truth: Floats
    """The true logit of a purchase."""

    def __len__(self) -> int:
        return len(self.day)


def visitors_per_day(first: date, days: int, stream: Stream) -> Integers:
    """How many come on each day: Poisson around the weekly season. Shape (days,)."""
    weekday = (first.weekday() + np.arange(days)) % 7
    return stream("volume").poisson(VISITORS * WEEK[weekday])


def draw(first: date, counts: Integers, effects: Effects, stream: Stream) -> Visits:
    """`counts` visits on each day from `first` on. counts and each effect: shape (days,)."""
    day = np.repeat(np.arange(len(counts)), counts)
    n, effect = len(day), effects.rows(day)
    ts, hour = _moments(first, day, stream("moment"))
    new = stream("customer").random(n) < NEW_SHARE
    browsing = stream("browsing").gamma(2.5, 4.0, n)
    basket = stream("basket").lognormal(np.log(50), 0.6, n)
    absent = np.where(new, 0.0, np.ceil(stream("absence").exponential(12.0, n)))
    discount = stream("discount").choice(DISCOUNTS, n, p=DISCOUNT_SHARES)
    device, channel, country = (
        stream(name).choice(len(shares), n, p=shares)
        for name, (_, shares, _) in (("device", DEVICES), ("channel", CHANNELS), ("country", COUNTRIES))
    )
    pages = 1.0 + stream("pages").negative_binomial(3, 0.3, n).astype(np.float64)
    pages[stream("blocked").random(n) < MISSING_SHARE] = np.nan
    latency = LATENCY_MEDIAN * stream("latency").lognormal(0.0, LATENCY_SIGMA, n) * effect.latency
    known = (
        INTERCEPT
        + 1.2 * np.nan_to_num(pages - 8.0)  # unknown counts as average
        - 0.8 * np.where(new, 0.0, np.log1p(absent) - 1.9)
        + 0.12 * (discount - 4.5)
        + DEVICES[2][device]
        + CHANNELS[2][channel]
        + SECOND_VERSION * effect.second_version
    )
    seen = known + _weight(browsing * effect.browsing, basket * effect.basket)
    return Visits(
        day=day, ts=ts, hour=hour,
        customer=new.astype(np.int64), country=country, device=device, channel=channel,
        browsing_minutes=np.round(browsing * effect.browsing, 2),
        pages_viewed=pages,
        basket_value=np.round(basket * effect.basket, 2), basket_paid=np.round(basket, 2),
        days_since_last_visit=absent, discount=discount,
        second_version=effect.second_version,
        latency_ms=np.round(latency, 1),
        score=np.clip(np.round(sigmoid(seen), 6), 1e-6, 1.0 - 1e-6),
        truth=known + _weight(browsing, basket),
    )  # fmt: skip


def sigmoid(logit: Floats) -> Floats:
    """The probability of a logit.

    >>> sigmoid(np.array([0.0, 2.0])).round(3).tolist()
    [0.5, 0.881]
    """
    probability: Floats = 1.0 / (1.0 + np.exp(-logit))
    return probability


def _weight(browsing: Floats, basket: Floats) -> Floats:
    """What browsing minutes and basket value add to the logit."""
    weight: Floats = 0.55 * (browsing - 10.0) + 1.0 * np.log(basket / 50.0)
    return weight


def _moments(first: date, day: Integers, random: np.random.Generator) -> tuple[pd.DatetimeIndex, Floats]:
    """Moments in UTC, ascending, and their hour on the shop's clock; a skipped hour counts as the next."""
    seconds = random.choice(24, len(day), p=HOURS / HOURS.sum()) * 3600 + random.integers(0, 3600, len(day))
    seconds = seconds[np.lexsort((seconds, day))]
    local = pd.DatetimeIndex(np.datetime64(first, "us") + (day * 86400 + seconds).astype("timedelta64[s]"))
    zoned = local.tz_localize(TIMEZONE, ambiguous=np.ones(len(day), dtype=bool), nonexistent="shift_forward")
    return zoned.tz_convert("UTC"), zoned.hour.to_numpy().astype(np.float64)
