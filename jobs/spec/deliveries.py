"""What a spec says of the files that predictions, labels and outcomes come in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jobs.spec.notation import Strict, Zone

Role = Literal["live", "shadow", "challenger"]


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


class KnownColumns(Strict):
    """What the columns are called that files of labels and of outcomes both have."""

    id: str = "request_id"
    timestamp: str | None = None
    """Needed only where the path has no `{day}`: the day it falls on is the day the row became known."""
    predicted: str | None = None
    """The business day, or a moment, of the prediction it belongs to; needed where an id is predicted on several days.
    Absent: it counts for every prediction of its id."""


class LabelColumns(KnownColumns):
    """What the columns of a label file are called."""

    label: str = "label"
    """What truly happened."""


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
    def dated(self) -> bool:
        """Whether each label names the day of its prediction."""
        return self.columns.predicted is not None

    @property
    def horizon(self) -> int:
        """Days after which a label no longer counts."""
        return max(self.ages)


class OutcomeColumns(KnownColumns):
    """What the columns of an outcome file are called."""

    converted: str = "converted"
    """1 where the business got what it wanted."""
    value: str | None = None
    """What it was worth, in `unit`; absent: value is not watched."""
    clicked: str | None = None
    """1 where what was offered was clicked; absent: click-through is not watched."""


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

    @property
    def dated(self) -> bool:
        """Whether each outcome names the day of its prediction."""
        return self.columns.predicted is not None
