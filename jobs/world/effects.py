"""What the stories do to each day of the world, as plain arrays; 1, 0 or False where nothing happens."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np

from jobs.world import stories

if TYPE_CHECKING:
    import numpy.typing as npt

    from jobs.periods import Period

BROWSING_LEFT = 0.2  # from 10 minutes to 2
BASKET_GAIN = 1.5
LATENCY_GAIN = 2.0

# A redrawn label is a purchase with the usual rate, whatever the score says. The decision is then right in 65
# instead of 95 % of cases, so a share redrawn costs 0.3 of itself in accuracy.
SLIDE_STEP = 0.01 / 0.30
NEW_REDRAWN = 0.15 / 0.30
OTHERS_SHARPER = 1.9  # the others' purchases follow the score more closely, so that the whole stays near 95 %


@dataclass(frozen=True)
class Effects:
    """One value per day, or per row after `rows`. Every field: shape (days,)."""

    silent: npt.NDArray[np.bool_]
    """Whether nobody is served."""
    browsing: npt.NDArray[np.float64]
    """Factor on the browsing minutes that the model is given."""
    basket: npt.NDArray[np.float64]
    """Factor on the basket value that the model is given."""
    latency: npt.NDArray[np.float64]
    """Factor on the latency."""
    second_version: npt.NDArray[np.bool_]
    """Whether v2 answers."""
    redrawn: npt.NDArray[np.float64]
    """Share of all labels that no longer follow the score."""
    redrawn_new: npt.NDArray[np.float64]
    """The same among new customers."""
    sharpness: npt.NDArray[np.float64]
    """Factor on the true logit of customers who are not new."""

    @classmethod
    def none(cls, days: int) -> Self:
        """Days on which nothing happens."""
        never, zero, one = np.zeros(days, dtype=bool), np.zeros(days), np.ones(days)
        return cls(never, one, one, one, never, zero, zero, one)

    @classmethod
    def of_the_world(cls) -> Self:
        """The days of the world with its stories."""
        days = len(stories.PERIOD)
        falling: npt.NDArray[np.float64] = np.linspace(1.0, BROWSING_LEFT, stories.BROWSING_FALLS + 1)[1:]
        fallen = np.full(len(stories.BROWSING) - stories.BROWSING_FALLS, BROWSING_LEFT)
        slide = SLIDE_STEP * np.arange(1.0, len(stories.SLIDE) + 1.0)
        return cls(
            silent=_during(stories.SILENCE, 1.0, np.zeros(days)) > 0,
            browsing=_during(stories.BROWSING, np.concatenate([falling, fallen]), np.ones(days)),
            basket=_during(stories.BASKET, BASKET_GAIN, np.ones(days)),
            latency=_during(stories.LATENCY, LATENCY_GAIN, np.ones(days)),
            second_version=_during(stories.BAD_VERSION, 1.0, np.zeros(days)) > 0,
            redrawn=_during(stories.SLIDE, slide, np.zeros(days)),
            redrawn_new=_during(stories.NEW_CUSTOMERS, NEW_REDRAWN, np.zeros(days)),
            sharpness=_during(stories.NEW_CUSTOMERS, OTHERS_SHARPER, np.ones(days)),
        )

    def rows(self, days: npt.NDArray[np.int64]) -> Self:
        """The effects of each row's day. days: shape (rows,), numbers of days from 0."""
        return type(self)(*(getattr(self, field.name)[days] for field in fields(self)))


def _during(
    story: Period, value: float | npt.NDArray[np.float64], otherwise: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    begin = (story.first - stories.PERIOD.first).days
    otherwise[begin : begin + len(story)] = value
    return otherwise
