"""What happens in the world, on which days, and what a watcher must find. Every date of it stands here.

Between the last night on which a story can still be seen and the next story lie at least 12 quiet days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from jobs.periods import Period

if TYPE_CHECKING:
    from jobs.spec import Action, MetricName

PERIOD = Period(date(2025, 1, 1), date(2025, 10, 27))
"""The days of the world, in its own time zone; both changes of the clock are in it."""

HORIZON = 7
"""The last label age: a story about labels is seen again when its days reach it."""

BROWSING = Period(date(2025, 3, 4), date(2025, 3, 17))
BROWSING_FALLS = 3  # days until it has fallen to a fifth
BAD_VERSION = Period(date(2025, 4, 6), date(2025, 4, 13))
NEW_CUSTOMERS = Period(date(2025, 5, 3), date(2025, 5, 12))
SLIDE = Period(date(2025, 6, 1), date(2025, 6, 20))
SILENCE = Period.of(date(2025, 7, 10))
LATE = Period(date(2025, 7, 30), date(2025, 8, 1))  # days on which no label file is delivered
LATE_ARRIVAL = date(2025, 8, 2)
WRONG_LABELS = Period.of(date(2025, 8, 21))  # the day of the predictions whose first labels are wrong
WRONG_CORRECTED = date(2025, 8, 25)  # three days after the last wrong label
LATENCY = Period(date(2025, 9, 15), date(2025, 9, 19))
BASKET = Period(date(2025, 10, 24), date(2025, 10, 27))


@dataclass(frozen=True)
class Finding:
    """The figure that gives a story away, in the words of the metrics table."""

    kind: Literal["breach", "no_data"]
    metric: MetricName
    feature: str = ""
    segment: str = "all"
    version: str = "all"
    label_age: int | None = None
    """None: any age, or a metric without one."""


@dataclass(frozen=True)
class Story:
    """One thing that goes wrong, and the answer."""

    name: str
    what: str
    """What happens, in a sentence."""
    first: date
    last: date
    seen_until: date
    """The last night whose figures can still show it."""
    finding: Finding
    within: int
    """Nights after `first` by which it must have been found; 0: on the night of the first day itself."""
    action: Action | None = None
    """What must be requested."""
    may: tuple[Action, ...] = ()
    """What may be requested besides, because the figures of those nights allow it."""

    @property
    def found_by(self) -> date:
        """The night by which the finding must have been made."""
        return self.first + timedelta(days=self.within)


def stories() -> tuple[Story, ...]:
    """All planted stories, in the order of their days.

    >>> [story.name for story in stories()][:3]
    ['browsing drift', 'bad version', 'new customers']
    """
    return (
        Story(
            "browsing drift",
            "The shop got faster: visitors browse 2 minutes, not 10, and buy as before. The model errs.",
            BROWSING.first, BROWSING.last, _echo(BROWSING),
            Finding("breach", "psi", feature="browsing_minutes"), within=3, action="retrain",
        ),
        Story(
            "bad version",
            "v2 goes live: right more often than v1, but a quarter of the purchases is gone. v1 is put back.",
            BAD_VERSION.first, BAD_VERSION.last, _echo(BAD_VERSION),
            Finding("breach", "conversion", version="v2"), within=3, action="rollback",
        ),
        Story(
            "new customers",
            "The model is right about 80 % of the new customers only; the many others hide it in the whole.",
            NEW_CUSTOMERS.first, NEW_CUSTOMERS.last, _echo(NEW_CUSTOMERS),
            Finding("breach", "accuracy", segment="customer=new"), within=4,
        ),
        Story(
            "slow slide",
            "What made visitors buy loses its force: accuracy falls one percentage point a day, inputs stay.",
            SLIDE.first, SLIDE.last, _echo(SLIDE),
            Finding("breach", "accuracy"), within=12, action="fallback", may=("retrain",),
        ),
        Story(
            "silence",
            "Nothing is delivered: no predictions, no labels, no outcomes. What was due comes a day later.",
            SILENCE.first, SILENCE.last, _echo(SILENCE),
            Finding("no_data", "volume"), within=0,
        ),
        Story(
            "late labels",
            "Three days without a label file; their labels come together on the fourth.",
            LATE.first, LATE.last, _echo(LATE),
            Finding("breach", "coverage", label_age=1), within=1,
        ),
        Story(
            "wrong labels",
            "A third of the first labels of one day is wrong; three days later they are corrected.",
            WRONG_LABELS.first, WRONG_LABELS.last, _echo(WRONG_LABELS),
            Finding("breach", "accuracy", label_age=1), within=1, may=("retrain",),
        ),
        Story(
            "latency",
            "Answers take twice as long.",
            LATENCY.first, LATENCY.last, LATENCY.last,
            Finding("breach", "latency_p95"), within=1,
        ),
        Story(
            "basket drift",
            "Basket values are sent with tax and delivery, half as much again, till the world ends.",
            BASKET.first, BASKET.last, BASKET.last,
            Finding("breach", "psi", feature="basket_value"), within=2, action="retrain",
        ),
    )  # fmt: skip


def quiet_periods() -> tuple[Period, ...]:
    """The nights on which nothing of any story can be seen, as periods between them.

    >>> str(quiet_periods()[0]), min(len(quiet) for quiet in quiet_periods()) >= 12
    ('2025-01-01..2025-03-03', True)
    """
    told = stories()
    begins = (PERIOD.first, *(story.seen_until + timedelta(days=1) for story in told[:-1]))
    return tuple(Period(first, story.first - timedelta(days=1)) for first, story in zip(begins, told, strict=True))


def _echo(story: Period) -> date:
    return story.last + timedelta(days=HORIZON)
