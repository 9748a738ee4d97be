"""What a user may say about a model. Every default of Nightjar lives on this page, and nowhere else.

The frozen classes below are the spec; `jobs.spec.reading` makes them from YAML, `jobs.spec.schema` writes the
JSON Schema that editors complete and check with.
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from difflib import get_close_matches
from itertools import combinations
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from jobs.spec.named import MetricName, Task  # noqa: TC001 - pydantic reads them

Fraction = Annotated[float, Field(ge=0, le=1)]
Severity = Literal["info", "warning", "critical"]
Action = Literal["retrain", "fallback", "rollback"]
Role = Literal["live", "shadow", "challenger"]
Kind = Literal["numeric", "categorical"]
DriftName = Literal[
    "psi", "js", "ks", "wasserstein", "wasserstein_units", "chi2", "l_infinity", "hellinger", "mean_shift"
]

RESERVED = frozenset({"day", "source", "id", "ts", "version", "role", "score", "decision", "latency_ms", "error"})
"""Columns that every prediction has; a feature or segment of that name must be renamed with `column:`."""


class Strict(BaseModel):
    """Frozen, and unknown keys are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


def _zone(name: Any) -> Any:
    if isinstance(name, str) and name not in available_timezones():
        near = get_close_matches(name, sorted(available_timezones()), n=1)
        hint = f"did you mean '{near[0]}'?" if near else "examples: UTC, Europe/Lisbon, America/New_York"
        raise ValueError(f"'{name}' is not a time zone of the IANA database; {hint}")
    return name


Zone = Annotated[str, BeforeValidator(_zone)]


class Change(Strict):
    """A change against something: relative (`10%`) or in percentage points of a rate (`5pp`).

    >>> Change.parse("10%"), Change.parse("5pp").limit(0.02, falling=False)
    (Change(amount=0.1, unit='%'), 0.07)
    """

    amount: float = Field(gt=0)
    unit: Literal["%", "pp"]

    @classmethod
    def parse(cls, given: Any) -> Any:
        """`10%` or `5pp`; anything else says how to write it."""
        if not isinstance(given, str):
            return given if isinstance(given, Change | dict) else cls._refuse(given)
        for unit in ("%", "pp"):
            number = given.strip().removesuffix(unit)
            if given.strip().endswith(unit):
                try:
                    return cls(amount=float(number) / 100, unit=unit)
                except ValueError:
                    break
        return cls._refuse(given)

    @staticmethod
    def _refuse(given: object) -> Any:
        raise ValueError(f"'{given}' is not a change; write 10% (of the former value) or 5pp (percentage points)")

    def limit(self, former: float, *, falling: bool) -> float:
        """The value at which the change away from `former` is reached."""
        step = self.amount if self.unit == "pp" else abs(former) * self.amount
        return former - step if falling else former + step

    def __str__(self) -> str:
        return f"{self.amount * 100:g}{self.unit}"


ChangeText = Annotated[
    Change,
    BeforeValidator(Change.parse),
    PlainSerializer(str, when_used="always"),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(%|pp)\s*$", "examples": ["10%", "5pp"]}),
]


_ENVIRONMENT = r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"
_CHANNEL = rf"^(mail|log|mailto:[^@\s]+@[^@\s]+|{_ENVIRONMENT[1:-1]})$"


def _secret(given: Any) -> Any:
    """A URL with its password does not belong into a file that many read."""
    if isinstance(given, str) and "://" in given:
        raise ValueError("holds a URL; put it into an environment variable and write ${NAME} here")
    return given


def _channel(given: Any) -> Any:
    if isinstance(_secret(given), str) and not re.match(_CHANNEL, given):
        raise ValueError(f"'{given}' is no channel; write mail, mailto:a@example.org, log or ${{NAME}}")
    return given


def _environment_name(given: Any) -> Any:
    if isinstance(_secret(given), str) and not re.match(_ENVIRONMENT, given):
        raise ValueError(f"'{given}' is no environment variable; write ${{NAME}}")
    return given


EnvironmentName = Annotated[
    str, BeforeValidator(_environment_name), WithJsonSchema({"type": "string", "pattern": _ENVIRONMENT})
]
Channel = Annotated[str, BeforeValidator(_channel), WithJsonSchema({"type": "string", "pattern": _CHANNEL})]


class PredictionColumns(Strict):
    """What the columns of a prediction file are called."""

    id: str = "request_id"
    """What labels and outcomes are joined by."""
    timestamp: str = "ts"
    """When the prediction was served; its business day is cut from it."""
    score: str = "score"
    """The probability of the positive label."""
    version: str | None = None
    """Absent: every row is version `1`."""
    decision: str | None = None
    """Absent: score >= threshold."""
    latency_ms: str | None = None
    """Milliseconds until the answer; absent: latency is not watched."""
    error: str | None = None
    """1 or true where the request failed; absent: the error rate is not watched."""


class PredictionSource(Strict):
    """Where predictions are delivered: Parquet, CSV or JSON lines."""

    path: str
    """With `{day}` (one delivery a day) or without (cut by the timestamp)."""
    role: Role = "live"
    """`live` answers were acted on; `shadow` and `challenger` answers stand beside them."""
    columns: PredictionColumns = PredictionColumns()
    files_zone: Zone | None = None
    """The zone in which files are cut and naive timestamps are written; absent: the model's."""


class LabelColumns(Strict):
    """What the columns of a label file are called."""

    id: str = "request_id"
    label: str = "label"
    """What truly happened."""
    timestamp: str | None = None
    """Needed only where the path has no `{day}`: the day it falls on is the day the label became known."""


class LabelSource(Strict):
    """Where labels are delivered. The day of the delivery is the day on which the label became known."""

    path: str
    """With `{day}`, the day of the delivery, or without (cut by the timestamp)."""
    columns: LabelColumns = LabelColumns()
    positive: str | int | bool = 1
    """The label (and decision) value that counts as positive."""
    ages: tuple[Annotated[int, Field(ge=0, le=730)], ...] = Field((7,), min_length=1)
    """Label ages, in days, at which metrics are computed; labels are not awaited for longer than the last."""

    @property
    def horizon(self) -> int:
        """Days after which a label no longer counts."""
        return max(self.ages)


class OutcomeColumns(Strict):
    """What the columns of an outcome file are called."""

    id: str = "request_id"
    converted: str = "converted"
    """1 where the business got what it wanted."""
    value: str | None = None
    """What it was worth, in `unit`; absent: value is not watched."""
    clicked: str | None = None
    """1 where what was offered was clicked; absent: click-through is not watched."""
    timestamp: str | None = None
    """Needed only where the path has no `{day}`."""


class OutcomeSource(Strict):
    """Where business outcomes are delivered."""

    path: str
    """With `{day}`, the day of the delivery, or without (cut by the timestamp)."""
    columns: OutcomeColumns = OutcomeColumns()
    ages: tuple[Annotated[int, Field(ge=0, le=730)], ...] | None = None
    """Absent: the label ages."""
    per: Literal["known", "prediction"] = "known"
    """Conversion among the `known` outcomes, or, where files list conversions only, among all predictions."""
    unit: str = ""
    """What value is counted in, for example EUR."""


def _feature(given: Any) -> Any:
    return {"kind": given} if isinstance(given, str) else given


def _segments(given: Any) -> Any:
    if not isinstance(given, list | tuple):
        return given
    for name in given:
        if not isinstance(name, str):
            raise ValueError(f"has {name!r} in its list of names; put it in quotes")  # noqa: TRY004 - for pydantic
    return {name: name for name in given}


class Feature(Strict):
    """An input column that is watched for drift and missing values."""

    kind: Kind
    """`numeric` values are binned by quantiles, `categorical` ones counted by value."""
    column: str | None = None
    """Its name in the files; absent: the feature's own."""
    importance: Annotated[float, Field(gt=0)] | None = None
    """Its share in the model's decisions; drift of important features is told first."""


class RollingReference(Strict):
    """The model's last days, as what drift is measured against."""

    days: int = Field(28, ge=1, le=366)
    """How many, ..."""
    gap: int = Field(1, ge=1, le=366)
    """... the last of them this many days before the judged one; more, so that a slow drift does not teach itself."""


class ReferenceWindow(Strict):
    """A window of the model's own days, as reference; drift is judged after its end."""

    first: date
    last: date

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("ends before it begins; swap first and last")
        return self


class Reference(Strict):
    """The accepted behaviour that drift is measured against; absent: the model's first 28 days."""

    file: str | None = None
    """One reference file for all versions."""
    versions: dict[str, str] | None = None
    """One reference file a version."""
    window: ReferenceWindow | None = None
    """Days of the model's own."""
    rolling: RollingReference | None = None
    """Drift is measured against the model's last days, in the bins that one of the above gives."""
    weekdays: int | None = Field(None, ge=1, le=52)
    """Drift is measured against this many last days of the same weekday, in the bins that one of the above gives."""
    bins: int = Field(10, ge=2, le=50)
    """Quantile bins of a numeric feature."""
    categories: int = Field(30, ge=2, le=200)
    """The most frequent values keep bins of their own; rarer ones share one."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [name for name in ("file", "versions", "window") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"needs at most one of file, versions, window; given: {' and '.join(given)}")
        if self.rolling and self.weekdays:
            raise ValueError("needs at most one of rolling, weekdays; both say which past days are the reference")
        return self


class Prometheus(Strict):
    """A Prometheus server that knows what the model's service uses; asked once per closed day."""

    url: Annotated[str, Field(pattern=r"^https?://")]
    """Where it answers, for example http://prometheus:9090."""
    cpu: str | None = None
    """The counter of CPU seconds, for example process_cpu_seconds_total{job="shop"}; several are summed."""
    memory: str | None = None
    """The gauge of bytes, for example process_resident_memory_bytes{job="shop"}; several are summed."""
    min_coverage: Fraction = 0.8
    """The part of the day that must have been measured for a figure to be judged."""


def _class_name(given: Any) -> Any:
    """A class as the warehouse spells it: 1 and 1.0 are `1`."""
    return f"{given:g}" if isinstance(given, int | float) and not isinstance(given, bool) else given


ClassName = Annotated[str, BeforeValidator(_class_name, json_schema_input_type=str | int)]


class Rule(Strict):
    """When a night's figure is a breach, and what follows from it."""

    metric: MetricName
    """The figure that is judged."""
    above: float | None = None
    """A breach above this value."""
    below: float | None = None
    """A breach below this value."""
    drop: ChangeText | None = None
    """A breach when it falls by more than this, `10%` of the former value or `5pp` (percentage points)."""
    rise: ChangeText | None = None
    """A breach when it rises by more than this, `10%` of the former value or `5pp` (percentage points)."""
    outside: Literal["expected"] | None = None
    """Outside the expected range that Prophet gives from the past."""
    against: Literal["recent", "reference", "previous_version", "share"] = "recent"
    """What a drop or rise is measured from; `share`: what a segment's usual share makes of the day's volume."""
    features: tuple[str, ...] | None = None
    """Absent: every feature, and for psi and the other distances the score and decision too. Of `column_gone` and its
    like these are columns of the files, of `accuracy_reweighted` and its like segments."""
    classes: tuple[ClassName, ...] | None = None
    """Of `class_recall` and the other figures of one class: which; absent: every class."""
    segments: Literal["all", "each"] | tuple[str, ...] = "all"
    """`all`: the whole day; `each`: every segment; `[customer=new]`: those named."""
    ages: tuple[int, ...] | None = None
    """Absent: every label age."""
    versions: tuple[str, ...] | None = None
    """Absent: all live versions together where they are summed, else each."""
    nights: int = Field(1, ge=1, le=60)
    """Nights in a row, judged ones, before it is a breach."""
    min_n: int = Field(50, ge=1)
    """Below this n the rule does not judge."""
    min_effect: ChangeText | None = None
    """The figure must also lie this far from what it is held against, `3%` of it or `1pp`."""
    severity: Severity = "warning"
    action: Action | None = None
    """What a breach asks for; absent: nothing but to be told."""

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        bounds = [name for name in ("above", "below", "drop", "rise", "outside") if getattr(self, name) is not None]
        if len(bounds) != 1:
            given = " and ".join(bounds) or "none"
            raise ValueError(f"needs exactly one of above, below, drop, rise, outside; given: {given}")
        return self

    @property
    def name(self) -> str:
        """How verdicts call it, for example `accuracy drop 10%`."""
        bounds = ("above", "below", "drop", "rise", "outside")
        bound, size = next((name, getattr(self, name)) for name in bounds if getattr(self, name) is not None)
        against = {
            "recent": "", "reference": " on reference", "previous_version": " on previous version",
            "share": " on usual share",
        }  # fmt: skip
        size_text = f"{size:g}" if isinstance(size, float) else str(size)
        named = {"all": "", "each": " by segment"}
        where = named[self.segments] if isinstance(self.segments, str) else f" for {', '.join(self.segments)}"
        return f"{self.metric} {bound} {size_text}{against[self.against]}{where}"


class Detection(Strict):
    """How expected ranges are found."""

    metrics: tuple[MetricName, ...] = (
        "volume", "score_mean", "latency_p95", "accuracy", "mae", "conversion", "value_per_prediction",
    )  # fmt: skip
    """Series that get an expected range, whole days of all live versions; what a model cannot have is left out."""
    limit: float = Field(4.0, gt=0)
    """Standardised distance from the expected value that counts as outside, of a night or of several together."""
    false_alarms: float = Field(0.02, gt=0)
    """Alarms a week that chance may raise over all expected ranges together; more series, a wider limit for each."""
    min_history: int = Field(28, ge=14)
    """Days of history before Prophet is asked; before, a seasonal median speaks."""
    max_history: int = Field(400, ge=60)
    """Days of history that the forecast learns from."""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    """Its holidays are known to the forecast, for example PT."""
    events: dict[str, tuple[date, ...]] = {}
    """Known events by name, each with its days, past and to come: what the last one did is expected of the next."""
    recent_days: int = Field(56, ge=7)
    """The window of days behind `against: recent`, ..."""
    recent_gap: int = Field(14, ge=1)
    """... which ends that many days before the judged one, so that a new fault does not teach itself."""
    error_rate: float = Field(0.01, gt=0, lt=0.5)
    """Chance, over all series of a night together, that chance alone makes a threshold rule speak."""


class Incidents(Strict):
    """The life of an incident."""

    resolve_after: int = Field(3, ge=1)
    """Judged nights without a breach before it is resolved."""


class ActionPolicy(Strict):
    """Guard rails of one action, and who carries it out."""

    cooldown_days: int = Field(14, ge=0)
    """Days after it in which it is not asked for again."""
    min_labels: int = Field(500, ge=0)
    """Labels known in the last 28 days that it needs."""
    open_days: int = Field(28, ge=0)
    """Days for which a request counts as open while its incident lasts; one may be open at a time."""
    approval: bool = False
    """Whether a person must approve: in Airflow's own page, or with `nightjar approve`."""
    dry_run: bool = False
    """Decided and written down, and nothing is started."""
    dag: str | None = None
    """Airflow: the DAG that is started with the payload; of retrain, absent: `retrain`."""
    webhook: EnvironmentName | None = None
    """`${NAME}`: the environment variable with the URL that gets the payload, where no DAG is started."""
    command: tuple[str, ...] | None = None
    """Program and arguments that get the payload on standard input, where no DAG is started."""

    @model_validator(mode="after")
    def _one_consumer(self) -> Self:
        given = [name for name in ("dag", "webhook", "command") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"needs at most one of dag, webhook, command; given: {' and '.join(given)}")
        if self.command is not None and not self.command:
            raise ValueError("command is an empty list; name the program, or leave the key out")
        return self

    @property
    def consumer(self) -> str | None:
        """Which of dag, webhook and command carries it out; None where the spec names nobody."""
        return next((name for name in ("dag", "webhook", "command") if getattr(self, name) is not None), None)


class FallbackPolicy(ActionPolicy):
    """Guard rails of switching to the rule engine."""

    cooldown_days: int = Field(7, ge=0)
    """Days after it in which it is not asked for again."""
    min_labels: int = Field(100, ge=0)
    """Labels known in the last 28 days that it needs."""


class RollbackPolicy(ActionPolicy):
    """Guard rails of going back to the previous version."""

    min_labels: int = Field(0, ge=0)
    """Labels known in the last 28 days that it needs."""


class Actions(Strict):
    """What may be asked for, and its guard rails."""

    retrain: ActionPolicy = ActionPolicy()
    fallback: FallbackPolicy = FallbackPolicy()
    rollback: RollbackPolicy = RollbackPolicy()


class Retraining(Strict):
    """How a candidate is trained, what it must show before it becomes champion, and how long it is watched then."""

    label_age: Annotated[int, Field(ge=0, le=730)] | None = None
    """Days after which a day's labels count as complete; younger days are not learned from. Absent: the last of the
    label ages, because early labels are a biased sample."""
    later_share: float = Field(0.2, gt=0, le=0.5)
    """The newest whole days with at least this share of the rows are kept for the comparison."""
    metrics: tuple[Literal["accuracy", "recall", "roc_auc"], ...] = ("accuracy", "recall", "roc_auc")
    """In these the candidate must not be worse than the champion beyond chance."""
    guarded: tuple[str, ...] | None = None
    """Segments in none of whose values it may be worse; absent: all segments, and the pairs of `crossed`."""
    min_segment: int = Field(200, ge=20)
    """Rows of a segment's value to be judged by itself; smaller ones are judged together."""
    max_loss: Fraction = 0.02
    """A loss of accuracy larger than this must be ruled out; with too few later rows for that, it is refused."""
    min_accuracy: Fraction | None = None
    """What the candidate must reach; absent: the bound of the rules `accuracy below`, where there is one."""
    threshold: float | None = None
    """Score from which the candidate decides positive; absent: `threshold` of the model, or, where the files carry
    decisions, the score that decides positive as often as the champion did on the later days."""
    max_missing_rise: Fraction = 0.1
    """A feature may be missing this much more often than in the reference, as a share of all rows."""
    approval: bool = False
    """Whether a person must approve before the candidate becomes champion."""
    watch_nights: int = Field(7, ge=0, le=365)
    """Nights on which a new champion's figures are held against those of the version before it."""


class Channels(Strict):
    """Who is told when an incident opens, escalates, grows or resolves, or something is decided, by its severity.

    `mail`: the night's mail tells it; `mailto:a@b.c`: a mail of its own; `log`; or `${NAME}`, the environment
    variable with the URL of a chat, a pager or a webhook.
    """

    critical: tuple[Channel, ...] = ("mail",)
    """Of incidents that became critical, and of nights that did not run."""
    warning: tuple[Channel, ...] = ("mail",)
    """Of incidents that are warnings."""
    info: tuple[Channel, ...] = ("log",)
    """Of figures that open no incident; each is told on its first night."""
    repeat_after: int | None = Field(None, ge=1)
    """Nights after which an open incident that nobody acknowledged is told again; absent: never."""


class Mute(Strict):
    """What is not told until a day, because it is known; everything that is named must match."""

    metric: MetricName | None = None
    """Absent: any."""
    feature: str | None = None
    """Absent: any."""
    segment: str | None = None
    """`all` or `column=value`; absent: any."""
    incident: str | None = None
    """One incident by its name, whatever it is made of."""
    since: date | None = None
    """First night of silence; absent: always."""
    until: date
    """Last night of silence."""
    reason: str = ""
    """Why, for whoever reads the spec."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any((self.metric, self.feature, self.segment, self.incident)):
            raise ValueError("needs at least one of metric, feature, segment, incident; it would silence everything")
        if self.since is not None and self.until < self.since:
            raise ValueError("ends before it begins; swap since and until")
        return self


class Marker(Strict):
    """Something that was done on a day and may explain a change: a deploy, a campaign."""

    day: date
    """When."""
    what: str
    """For example `new checkout page`."""


class Mail(Strict):
    """Who gets the nightly mail; nobody by default."""

    to: tuple[str, ...] = ()
    """Mail addresses."""
    when: Literal["always", "incident", "change"] = "change"
    """`change`: when there is news of an incident; `incident`: while one is open and not acknowledged."""
    connection: str | None = None
    """Airflow: the SMTP connection that sends it; absent, and outside Airflow: `NIGHTJAR_SMTP`."""
    attach: bool = False
    """Whether the night's whole page goes with it as a file, for readers who cannot reach where reports are served."""


def _wait(given: Any) -> Any:
    """`2h`, `90m`, `1h30m`; a night may not wait until the next one is due."""
    if not isinstance(given, str):
        if isinstance(given, timedelta):
            return given
        raise ValueError(f"'{given}' is not a time to wait; write 90m, 2h or 1h30m")
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?", given.strip())
    length = timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0)) if found else timedelta(0)
    if not timedelta(0) < length <= LONGEST_WAIT:
        raise ValueError(f"'{given}' is not a time to wait; write 90m, 2h or 1h30m, and at most 20h")
    return length


def _wait_text(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


LONGEST_WAIT = timedelta(hours=20)
"""What a night may wait for its data; the next night comes after a day."""

Wait = Annotated[
    timedelta,
    BeforeValidator(_wait),
    PlainSerializer(_wait_text, when_used="always"),
    WithJsonSchema({"type": "string", "pattern": r"^\s*(?=\d)(\d+h)?(\d+m)?\s*$", "examples": ["2h", "90m", "1h30m"]}),
]


class Schedule(Strict):
    """When Airflow starts the night."""

    at: Annotated[time, WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2})?$"})] = time(5, 0)
    """Local time at which the night for the day before starts."""
    retries: int = Field(2, ge=0)
    """Tries after the first, of each stage."""
    timeout_minutes: int = Field(60, ge=1)
    """Minutes after which a stage is given up."""
    wait_for_data: Wait | None = None
    """How long after `at` the night waits for the day's live predictions, as in `2h`; then it runs without them."""


class ModelSpec(Strict):
    """Everything Nightjar knows about a model before it sees its data."""

    model: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    """Its name, which is also the name of this file without `.yaml`."""
    description: str = ""
    """One sentence for the report's head."""
    owner: str = ""
    """Who is asked when something is wrong."""
    language: Literal["en", "zh"] = "en"
    """What incidents, messages, reports, pages and mails are written in: English or Chinese."""
    task: Task = "binary"
    """What is predicted: yes or no, one of several classes (then `predictions.columns.decision` is needed, and the
    score is optional), or a number (then the score is that number, and there is no decision)."""
    timezone: Zone = "UTC"
    """Where the business day begins and ends, for example Europe/Lisbon."""
    start: date | None = None
    """The first business day watched; absent: the first one delivered."""
    threshold: float = 0.5
    """Score from which the decision is positive, where files carry no decision."""
    predictions: PredictionSource
    """The live answers."""
    others: tuple[PredictionSource, ...] = ()
    """Shadow and challenger answers."""
    labels: LabelSource | None = None
    """Absent: nothing that needs the truth is computed."""
    outcomes: OutcomeSource | None = None
    """Absent: no business metrics."""
    features: dict[str, Annotated[Feature, BeforeValidator(_feature, json_schema_input_type=Kind | Feature)]] = {}
    """Feature name: `numeric`, `categorical`, or a mapping with more."""
    segments: Annotated[
        dict[str, str], BeforeValidator(_segments, json_schema_input_type=dict[str, str] | list[str])
    ] = {}
    """Segment name: column in the prediction files. A list of names is short for names that are columns."""
    crossed: tuple[tuple[str, str], ...] | None = None
    """Pairs of segments that are also watched as one, as in [[country, device]]. Absent: none, but where there are at
    most five segments all pairs are searched for those that changed most; an empty list ends that too."""
    protected: tuple[str, ...] = ()
    """Segments whose groups the model must treat alike; fairness is measured over them."""
    fairness_days: int = Field(28, ge=1, le=366)
    """Days, the judged one the last, that fairness is measured over: one day seldom has enough of every group."""
    comparison_days: int = Field(28, ge=1, le=366)
    """Days, the judged one the last, over which versions are held against each other."""
    reference: Reference = Reference()
    drift: tuple[DriftName, ...] = ("psi", "js", "ks", "wasserstein")
    """The distances from the reference that are written; PSI always is, because rules and the report rest on it."""
    prometheus: Prometheus | None = None
    """Absent: CPU and memory are not watched."""
    min_rows: int = Field(30, ge=1)
    """Below this n a metric's state is not_evaluated."""
    rules: tuple[Rule, ...] = ()
    """A metric named here loses its default rules."""
    detection: Detection = Detection()
    incidents: Incidents = Incidents()
    actions: Actions = Actions()
    """Guard rails of what rules may ask for."""
    retraining: Retraining = Retraining()
    """What the shipped retraining does with a candidate."""
    mail: Mail = Mail()
    channels: Channels = Channels()
    """Who is told of incidents."""
    mutes: tuple[Mute, ...] = ()
    """Known troubles that are not told for a while."""
    markers: tuple[Marker, ...] = ()
    """Deploys and other things done, told beside incidents of the days after."""
    schedule: Schedule = Schedule()

    @model_validator(mode="after")
    def _decided_as_the_task_says(self) -> Self:
        for source in (self.predictions, *self.others):
            if self.task == "multiclass" and source.columns.decision is None:
                raise ValueError("task multiclass needs predictions.columns.decision, the column of the decided class")
            if self.task == "regression" and source.columns.decision is not None:
                raise ValueError("with task regression there is no decision; leave predictions.columns.decision out")
        return self

    @model_validator(mode="after")
    def _waits_for_something(self) -> Self:
        if self.schedule.wait_for_data is not None and "{day}" not in self.predictions.path:
            raise ValueError(
                "schedule.wait_for_data needs {day} in predictions.path: of files that hold every day nobody can tell "
                "whether the newest has come; leave it out"
            )
        return self

    @model_validator(mode="after")
    def _known_segments(self) -> Self:
        named = [("protected", name) for name in self.protected]
        named += [("crossed", name) for pair in self.crossed or () for name in pair]
        named += [("retraining.guarded", name) for name in self.retraining.guarded or ()]
        for key, name in named:
            if name not in self.segments:
                known = ", ".join(self.segments) or "none"
                raise ValueError(f"{key} names '{name}', which is no segment; segments: {known}")
        if any(one == other for one, other in self.crossed or ()):
            raise ValueError("crossed needs two different segments in each pair")
        return self

    @property
    def searched_pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of segments that are searched for what changed most."""
        if self.crossed is not None:
            return self.crossed
        return tuple(combinations(self.segments, 2)) if len(self.segments) <= 5 else ()

    @property
    def label_ages(self) -> tuple[int, ...]:
        """Ascending, without repeats; empty without labels."""
        return tuple(sorted(set(self.labels.ages))) if self.labels else ()

    @property
    def outcome_ages(self) -> tuple[int, ...]:
        """Ascending, without repeats; empty without outcomes."""
        if self.outcomes is None:
            return ()
        return tuple(sorted(set(self.outcomes.ages))) if self.outcomes.ages else (self.label_ages or (0,))

    @property
    def version_ages(self) -> tuple[int, ...]:
        """The ages at which versions are compared; those of outcomes too, where labels are told earlier or never.

        What became known by an age is told at each later one, until the next of its own: conversion by day 7 at the
        labels' day 30.
        """
        later = (age for age in self.outcome_ages if age > max(self.label_ages, default=-1))
        return tuple(sorted({*self.label_ages, *later}))

    @property
    def least_accuracy(self) -> float | None:
        """What a candidate's accuracy must reach: said in `retraining`, else the highest rule `accuracy below`."""
        if self.retraining.min_accuracy is not None:
            return self.retraining.min_accuracy
        rules = [rule for rule in self.all_rules if rule.metric == "accuracy" and rule.below is not None]
        return max((rule.below or 0.0 for rule in rules if rule.segments == "all"), default=None)

    @property
    def guarded_segments(self) -> tuple[tuple[str, ...], ...]:
        """Segments, and pairs of them, in which a candidate is held against the champion."""
        if self.retraining.guarded is not None:
            return tuple((name,) for name in self.retraining.guarded)
        return tuple((name,) for name in self.segments) + (self.crossed or ())

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The spec's rules, and the field's defaults for the metrics it does not name."""
        named = {rule.metric for rule in self.rules}
        return self.rules + tuple(rule for rule in DEFAULT_RULES if rule.metric not in named)


DEFAULT_RULES: tuple[Rule, ...] = (
    Rule(metric="psi", above=0.2, nights=2, severity="warning"),
    Rule(metric="psi", above=0.3, nights=2, severity="critical", action="retrain"),
    Rule(metric="missing_rate", rise="5pp", against="reference", severity="warning"),
    Rule(metric="improper_score_rate", above=0.001, severity="warning"),
    Rule(metric="accuracy", drop="10%", severity="warning"),
    Rule(metric="accuracy", drop="10%", segments="each", severity="warning"),
    Rule(metric="accuracy", drop="20%", severity="critical", action="retrain"),
    Rule(metric="accuracy", below=0.8, nights=2, severity="critical", action="fallback"),
    Rule(metric="accuracy", outside="expected"),
    Rule(metric="recall", drop="15%", severity="warning"),
    # The same of several classes, and of numbers, whose error rises where accuracy falls.
    Rule(metric="recall_macro", drop="15%", severity="warning"),
    Rule(metric="mae", rise="10%", severity="warning"),
    Rule(metric="mae", rise="10%", segments="each", severity="warning"),
    Rule(metric="mae", rise="20%", severity="critical", action="retrain"),
    Rule(metric="mae", outside="expected"),
    Rule(
        metric="conversion",
        drop="5%",
        against="previous_version",
        severity="critical",
        action="rollback",
    ),
    Rule(metric="conversion", outside="expected"),
    Rule(metric="value_per_prediction", outside="expected", severity="info"),
    Rule(metric="volume", outside="expected"),
    Rule(metric="volume", drop="50%", against="share", segments="each", severity="warning"),
    Rule(metric="latency_p95", outside="expected"),
    # A new version that is right more often and earns less, or the reverse: by two standard errors on both sides
    # at once, which chance alone brings on less than one night in a thousand.
    Rule(metric="model_up_business_down", above=2, severity="warning"),
    Rule(metric="model_down_business_up", above=2, severity="info"),
    # The four-fifths rule of the US Uniform Guidelines on Employee Selection (1978), for segments named as protected.
    Rule(metric="demographic_parity_ratio", below=0.8, segments="each", severity="warning"),
)
