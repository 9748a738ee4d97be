"""Did every model's night run, and was it heard? Silence of the watchman himself is told too, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.arrival import newest_due
from jobs.engine.warehouse import published_file, read_published
from jobs.errors import DeliveryError
from jobs.notices import Notice, tell
from jobs.owed import owed
from jobs.spec.reading import spec_files
from jobs.telling import fault_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from jobs.owed import Owed
    from jobs.spec.model import ModelSpec
    from jobs.telling import Post

GRACE = timedelta(hours=3)
"""After its start, and what the spec lets it wait for data, a night has this long before it is missed."""


@dataclass(frozen=True)
class Health:
    """Of one model: its newest finished night and the one that should be."""

    model: str
    newest: date | None
    due: date
    owed: tuple[Owed, ...] = ()
    """Nights that began to speak and were not heard."""

    @property
    def well(self) -> bool:
        """Whether there is nothing to look after."""
        return not self.late and not self.owed

    @property
    def late(self) -> bool:
        """Whether a night is missing."""
        return self.newest is None or self.newest < self.due

    def __str__(self) -> str:
        if not self.late:
            return f"{self.model}: the night of {self.newest} is done"
        if self.newest is None:
            return f"{self.model}: no night has ever finished; the one of {self.due} should be done"
        missed = (self.due - self.newest).days
        nights = f"{missed} night{'s' if missed != 1 else ''}"
        return f"{self.model}: the newest finished night is {self.newest}; {nights} missed, through {self.due}"


def night_due(spec: ModelSpec, now: datetime) -> date:
    """The newest business day whose night has been due for what it may wait, and GRACE, at an aware moment.

    >>> from datetime import UTC, datetime
    >>> from jobs.spec.model import ModelSpec
    >>> spec = ModelSpec(model="shop", predictions={"path": "p"}, timezone="Europe/Berlin")
    >>> night_due(spec, datetime(2025, 3, 2, 8, 0, tzinfo=UTC)), night_due(spec, datetime(2025, 3, 2, 6, 0, tzinfo=UTC))
    (datetime.date(2025, 3, 1), datetime.date(2025, 2, 28))
    """
    return newest_due(spec, now, GRACE + (spec.schedule.wait_for_data or timedelta(0)))


def health_of(spec: ModelSpec, home: Path, now: datetime) -> Health:
    """From the published copy, which no writer holds."""
    newest = None
    if published_file(home, spec.model).exists():
        with read_published(home, spec.model) as connection:
            row = connection.execute("SELECT MAX(through) FROM progress WHERE stage = 'report'").fetchone()
            newest = row[0] if row else None
    return Health(spec.model, newest, night_due(spec, now), tuple(owed(home, spec.model, now)))


def tell_late(specs: Sequence[ModelSpec], home: Path, now: datetime, post: Post | None = None) -> list[str]:
    """Tell each model's missing nights once, until a night has finished again, and each night that was not heard.

    It goes where the model's critical incidents go (`jobs.notices`), because a night that hangs holds the model's own
    file. Raises DeliveryError, when all models were tried, where something was not taken or a model could not be
    looked at.
    """
    told, faults = [], []
    for spec in specs:
        try:
            one = health_of(spec, home, now)
        except Exception as error:  # one model must not keep the others from being told of
            faults.append(f"{spec.model}: {fault_of(error)}")
            continue
        missing = [(f"late-since-{one.newest or 'ever'}", "late", one.due, str(one))] if one.late else []
        unheard = [(f"unheard-{night.night}", "unheard", night.night, str(night)) for night in one.owed]
        for key, state, night, sentence in (*missing, *unheard):
            try:
                notice = Notice(f"{spec.model}-{key}", state, "critical", night, sentence)
                told += tell(spec, home, notice, now, post)
            except Exception as error:
                faults.append(f"{spec.model}: {fault_of(error)}")
    if faults:
        raise DeliveryError("; ".join(faults))
    return told


def unwatched(folder: Path, home: Path) -> list[str]:
    """A sentence for a folder that holds no spec, and one for each model that was watched and has none there any more.

    A name that was mistyped or a disk that is not mounted would else look like a house in which all is well.
    """
    known = {path.stem for path in spec_files(folder)}
    found = [] if known else [no_spec(folder)]
    published = published_file(home, "*")
    gone = [file for file in sorted(published.parent.glob(published.name)) if file.stem not in known]
    return found + [
        f"{file.stem}: was watched, as {file} shows, and {folder} has no {file.stem}.yaml; put its spec back, or move "
        "that file away where it is to be watched no more"
        for file in gone
    ]


def no_spec(folder: Path) -> str:
    """What to do about a folder without specs."""
    state = "holds none that can be seen" if folder.is_dir() else "is no folder"
    return (
        f"no spec in {folder}, which {state}: no model is watched; put the specs there as MODEL.yaml, or set "
        "NIGHTJAR_MODELS to the folder that has them"
    )


def survey(specs: Iterable[ModelSpec], home: Path, now: datetime) -> tuple[list[Health], list[str]]:
    """The health of each model, and the faults of those that could not be looked at."""
    found, faults = [], []
    for spec in specs:
        try:
            found.append(health_of(spec, home, now))
        except Exception as error:  # one model must not hide the others
            faults.append(f"{spec.model}: its nights cannot be looked up: {type(error).__name__}: {error}")
    return found, faults
