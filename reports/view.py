"""What a night's report says, as data: no markup, no wording, numbers unrounded. Pages and mails are renderings of it.

Days are numbers (see `reports.days`), except the night's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from reports.index import Array, Key
    from reports.sections.changes import Change, Fallen
    from reports.sections.comparisons import Comparison
    from reports.sections.estimates import Estimator
    from reports.sections.fairness import Fairness
    from reports.sections.shapes import Shapes
    from reports.series import Figure, Lines, Trend


@dataclass(frozen=True)
class Evidence:
    """One figure that an incident rests on."""

    key: Key
    rule: str
    day: int | None
    value: float | None
    n: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    severity: str
    reason: str
    role: str = ""
    """cause or effect, where that is known."""
    days: tuple[int, int] | None = None
    """The first and last day it was seen on."""
    detector: str = ""
    """What judged it, and so what it is held against."""


@dataclass(frozen=True)
class Decision:
    """What was decided about an incident: outcome is requested, held or dry_run (it would have been requested)."""

    night: int
    action: str
    outcome: str
    reason: str
    incident: str

    @property
    def told(self) -> str:
        """The outcome as a word."""
        return self.outcome.replace("_", " ")


@dataclass(frozen=True)
class Incident:
    """An incident as it stands tonight."""

    id: str
    number: int
    title: str
    severity: str
    state: str
    scope: str
    opened: int
    last_breach: int
    quiet_nights: int
    evidence: tuple[Evidence, ...]
    more_evidence: int
    decisions: tuple[Decision, ...]
    text: str = ""
    """The same in sentences, with values before and after."""
    note: str = ""
    """Who has acknowledged it."""


@dataclass(frozen=True, eq=False)
class Heat:
    """A segment beside the whole, a day each: arrays of shape (days,)."""

    apart: Array
    """The segment's value less the whole's; NaN where either is not known."""
    sure: Array
    """True where the segment's whole interval lies on one side of the whole's value; each day is a look of its own."""
    better: int = 1
    """-1 where less of the figure is better."""

    @property
    def lead(self) -> Array:
        """Above 0 where the segment does better than the whole."""
        return self.apart * self.better


@dataclass(frozen=True, eq=False)
class Row:
    """A line of a table: a name, its figures (None: the column does not apply), and a strip of days."""

    name: str
    figures: tuple[Figure | None, ...]
    strip: Array | None = None
    """Levels a day: 0 as usual, 1 and 2 worse, -1 and -2 better, NaN nothing known."""
    difference: float | None = None
    heat: Heat | None = None
    """Where it stood beside the whole on each day."""
    worse: bool = False
    """Whether a segment does worse than the rest of the day, with the number of segments looked at counted."""
    severity: str = ""
    role: str = ""
    """shadow or challenger; empty for live versions and for what is no version."""


@dataclass(frozen=True, eq=False)
class Panel:
    """A table: what its columns are, its rows (the worst), and how many were left out."""

    columns: tuple[Key, ...]
    rows: tuple[Row, ...] = ()
    left_out: int = 0
    first: int = 0
    last: int = 0
    whole: Figure | None = None
    """The figure of the whole, that rows are compared with."""
    unjudged: tuple[str, ...] = ()
    """Names that have no figure to compare, or one of too few rows."""
    searched: int = 0
    """How many segments were held beside the rest of the day."""


@dataclass(frozen=True)
class Bin:
    """One bin of a feature: its share in the reference and on the day, and what it adds to PSI."""

    label: str
    expected: float
    observed: float
    contribution: float


@dataclass(frozen=True, eq=False)
class Drift:
    """How far one feature moved from its reference."""

    name: str
    pseudo: bool
    importance: float | None
    psi: Figure
    chance: float | None
    """What PSI stays under when nothing has changed, for that many rows."""
    missing: Figure | None
    limits: tuple[float, ...]
    """The thresholds of the rules about it, ascending."""
    strip: Array
    bins: tuple[Bin, ...]
    weight: float
    drifted: bool
    trend: Trend | None = None
    """PSI by day, for the drifted."""


@dataclass(frozen=True, eq=False)
class DriftPanel:
    """All features, the most worrying first."""

    features: tuple[Drift, ...] = ()
    left_out: int = 0
    limits: tuple[float, ...] = ()
    """Where they are the same for every feature."""
    first: int = 0
    last: int = 0
    weighted: bool = False
    reference: str = ""


@dataclass(frozen=True)
class AgeRow:
    """What is known at one label age: the figures of the newest day that has reached it."""

    age: int
    day: int
    figures: tuple[Figure | None, ...]


@dataclass(frozen=True, eq=False)
class Ages:
    """Labels by age."""

    metrics: tuple[str, ...] = ()
    rows: tuple[AgeRow, ...] = ()
    charts: tuple[Lines, ...] = ()


@dataclass(frozen=True)
class ScoreBin:
    """Answers with a score in one tenth of 0..1: how many have labels, their mean score, how often they came true."""

    bin: int
    n: int
    score: float
    rate: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Reliability:
    """How often answers of each score came true over the days first..last, and over as many days before."""

    age: int = -1
    first: int = 0
    last: int = 0
    bins: tuple[ScoreBin, ...] = ()
    before: tuple[ScoreBin, ...] = ()
    gap: float | None = None
    """Mean distance between score and truth, weighted by rows."""
    gap_before: float | None = None


@dataclass(frozen=True)
class Threshold:
    """What the labelled answers of the day would have given at another threshold."""

    threshold: float
    flagged: float | None
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class Delivery:
    """What a source delivered for the night's day."""

    source: str
    status: str
    reason: str
    files: float | None
    rows: float | None
    duplicates: float | None
    misdated: float | None


@dataclass(frozen=True, eq=False)
class Arrival:
    """Labels or outcomes that came in tonight, and how many came in on each of the trend's days."""

    source: str
    n: float | None
    corrected: float | None
    unknown: float | None
    by_day: Array


@dataclass(frozen=True, eq=False)
class Quality:
    """Deliveries, missing values, arrivals of labels and outcomes."""

    deliveries: tuple[Delivery, ...] = ()
    strips: tuple[tuple[str, Array], ...] = ()
    """A source and its level a day: 0 delivered, 1 with duplicates or misdated rows, 2 missing or refused."""
    first: int = 0
    last: int = 0
    missing: Panel = field(default_factory=lambda: Panel(()))
    content: Panel = field(default_factory=lambda: Panel(()))
    """Features with outliers or unseen categories."""
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What is odd about columns (a metric's name), and which columns it is odd about."""
    arrivals: tuple[Arrival, ...] = ()


@dataclass(frozen=True)
class Counts:
    """Tonight's verdicts."""

    ok: int = 0
    breach: int = 0
    not_evaluated: int = 0

    @property
    def judged(self) -> int:
        return self.ok + self.breach


@dataclass(frozen=True)
class Unjudged:
    """Checks that could not be made, together because they share a reason."""

    reason: str
    n: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Term:
    """How a metric is defined."""

    metric: str
    words: str
    interval: str = ""
    n: str = ""
    source: str = ""
    layer: str = ""
    """data, model, service or business: decides beside which figures it is told."""


@dataclass(frozen=True, eq=False)
class NightView:
    """Everything the report of one night says."""

    model: str
    description: str
    owner: str
    timezone: str
    night: date
    state: str
    """critical, warning, info, ok, or unknown when nothing could be judged."""
    counts: Counts
    incidents: tuple[Incident, ...]
    resolved: tuple[Incident, ...]
    """Resolved tonight."""
    past: tuple[Incident, ...]
    """Resolved on earlier nights in view."""
    tiles: tuple[Trend, ...]
    trends: tuple[Trend, ...]
    ages: Ages
    segments: Panel
    drift: DriftPanel
    business: Panel
    business_charts: tuple[Lines, ...]
    versions: Panel
    version_charts: tuple[Lines, ...]
    quality: Quality
    service: tuple[Trend, ...]
    service_charts: tuple[Lines, ...]
    unjudged: tuple[Unjudged, ...]
    terms: tuple[Term, ...]
    """The definitions of the metrics that have rows in view."""
    volume: Figure
    calibration: Reliability = Reliability()
    changes: tuple[Change, ...] = ()
    """Mix, coverage and rate behind the changes of the main rates."""
    thresholds: tuple[Threshold, ...] = ()
    """At the youngest label age."""
    fallen: tuple[Fallen, ...] = ()
    """Segments and pairs of segments that got worse most against their own past."""
    baselines: str = ""
    """What the words of the incidents' figures stand for."""
    estimator: Estimator | None = None
    """What the night's own figures will be once labels are in, and how good such estimates were."""
    fairness: tuple[Fairness, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    """A live version and another, side by side, with what to do about it."""
    classes: Panel = field(default_factory=lambda: Panel(()))
    """The classes of a multiclass model."""
    quality_trends: tuple[Trend, ...] = ()
    """Scores and calibration over the days."""
    shapes: Shapes | None = None
    """Distances of the features besides PSI."""
    input_trends: tuple[Trend, ...] = ()
    """Drift of all inputs together."""
    first_night: date | None = None
    """The first night there is a report of, where that is known."""
    states: tuple[str, ...] = ()
    """The states of the last four weeks' nights, this one last; empty where nothing is known of one."""
    leads: tuple[tuple[int, Trend], ...] = ()
    """The series that the first incidents rest on, each with its incident's number."""
