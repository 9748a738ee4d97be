"""What a spec says of when a night's figures are a breach: rules, expected ranges, incidents."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from jobs.spec.named import MetricName
from jobs.spec.notation import ChangeText, Strict

Severity = Literal["info", "warning", "critical"]
Action = Literal["retrain", "fallback", "rollback"]


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
    max_history: int = Field(800, ge=60)
    """Days of history that the forecast learns from."""
    recurring: int = Field(3, ge=0)
    """Times a figure must have left its range within `max_history`, before it must go farther than then; 0: never."""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    """Its holidays are known to the forecast, for example PT."""
    events: dict[str, tuple[date, ...]] = Field({})
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
    # A new version that is right more often and converts less, or the reverse: by three standard errors on both sides
    # at once, two nights in a row. A version that is truly better in one figure has only the other one for chance to
    # turn: it does so on one of its first 28 nights in 1 % of launches (a simulation in test_default_rules.py); two
    # standard errors, once, in 7 to 14 %.
    Rule(metric="model_up_business_down", above=3, nights=2, severity="warning"),
    Rule(metric="model_down_business_up", above=3, nights=2, severity="info"),
    # The four-fifths rule of the US Uniform Guidelines on Employee Selection (1978), for segments named as protected.
    Rule(metric="demographic_parity_ratio", below=0.8, segments="each", severity="warning"),
)
