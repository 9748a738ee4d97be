"""Before labels are in: what tonight's figures will be, and how good such estimates have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.index import Key
from reports.sections.figures import figure, number

if TYPE_CHECKING:
    from reports.history import Known
    from reports.index import Array
    from reports.series import Figure

METRICS = ("accuracy", "precision", "recall", "f1", "roc_auc")
BY_SCORES = "scores"
OPINIONS_MOST = 2


@dataclass(frozen=True)
class Record:
    """What labels said later of the last estimates."""

    evaluated: float
    bias: float | None
    miss: float | None
    held: float | None
    """Share of the intervals that held the truth."""
    verdict: str


@dataclass(frozen=True)
class Estimated:
    """One figure: tonight's estimate, what the mix of segments says of it, and the estimator's record."""

    metric: str
    figure: Figure
    opinions: tuple[Figure, ...]
    record: Record | None


@dataclass(frozen=True)
class Estimator:
    """All estimates of the night's own day."""

    dimensions: tuple[str, ...]
    rows: tuple[Estimated, ...]


def estimator_of(known: Known) -> Estimator | None:
    """Tonight's estimates; None for a model without scores or labels."""
    card = known.tonight("estimator_card")
    dimensions = sorted({key.feature for key in known.family("accuracy_reweighted")})[:OPINIONS_MOST]
    rows = []
    for metric in METRICS:
        key = Key(f"{metric}_estimated")
        if (told := figure(known, key)).state == "absent":
            continue
        opinions = (figure(known, Key(f"{metric}_reweighted", feature=name)) for name in dimensions)
        rows.append(Estimated(metric, told, tuple(opinions), _record(card, metric)))
    return Estimator(tuple(dimensions), tuple(rows)) if rows else None


def _record(card: dict[str, Array], metric: str) -> Record | None:
    """The record of the estimates from scores, all live versions together."""
    names = ("metric", "version", "basis", "evaluated", "bias", "mean_absolute", "inside_share", "verdict")
    columns = (card[name].tolist() for name in names)
    for name, version, basis, evaluated, bias, miss, held, verdict in zip(*columns, strict=True):
        if (name, version, basis) == (metric, "all", BY_SCORES):
            return Record(evaluated, number(bias), number(miss), number(held), str(verdict))
    return None
