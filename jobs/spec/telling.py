"""What a spec says of who is told of what, and when the night begins."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal, Self

from pydantic import Field, WithJsonSchema, model_validator

from jobs.spec.named import MetricName
from jobs.spec.notation import Channel, Strict, Wait


class Channels(Strict):
    """Who is told when an incident opens, escalates, grows or resolves, or something is decided, by its severity.

    `mail`: the night's mail tells it; `mailto:a@b.c`: a mail of its own; `log`; or `${NAME}`, the environment
    variable with the URL of a chat, a pager or a webhook.
    """

    critical: tuple[Channel, ...] = ("mail",)
    """Of incidents that became critical, nights that did not run, and new champions that are worse."""
    warning: tuple[Channel, ...] = ("mail",)
    """Of incidents that are warnings, and of candidates: promoted, refused, waiting for a person."""
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
