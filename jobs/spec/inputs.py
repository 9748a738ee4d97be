"""What a spec says of a model's features, of what they are held against, and of its service."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from jobs.spec.notation import Fraction, Strict

Kind = Literal["numeric", "categorical"]
DriftName = Literal[
    "psi", "js", "ks", "wasserstein", "wasserstein_units", "chi2", "l_infinity", "hellinger", "mean_shift"
]

RESERVED = frozenset({"day", "source", "id", "ts", "version", "role", "score", "decision", "latency_ms", "error"})
"""Columns that every prediction has; a feature or segment of that name must be renamed with `column:`."""


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


NamedFeature = Annotated[Feature, BeforeValidator(_feature, json_schema_input_type=Kind | Feature)]
SegmentColumns = Annotated[
    dict[str, str], BeforeValidator(_segments, json_schema_input_type=dict[str, str] | list[str])
]


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
