"""Distances of the features from their reference besides PSI, each beside what chance alone reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.sections.figures import figure, number
from reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.history import Known
    from reports.index import Key
    from reports.series import Figure

DISTANCES = ("js", "ks", "wasserstein", "wasserstein_units", "chi2", "l_infinity", "hellinger", "mean_shift")
LIMITED = frozenset({"js", "wasserstein", "chi2", "l_infinity", "hellinger"})
FEATURES_MOST = 50


@dataclass(frozen=True)
class Distance:
    """One distance of one feature; `beyond` chance or not, None where that is not known."""

    figure: Figure
    chance: float | None
    beyond: bool | None


@dataclass(frozen=True)
class Shapes:
    """A row a feature, a column a distance (None: it does not apply)."""

    metrics: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Distance | None, ...]], ...]


def shapes_of(known: Known, features: Iterable[tuple[str, Key]]) -> Shapes | None:
    """The distances of these features, in this order; `features` are names to show and their PSI series."""
    named = list(features)[:FEATURES_MOST]
    metrics = [metric for metric in DISTANCES if any(_here(known, metric, key) for _, key in named)]
    if not metrics:
        return None
    rows = ((plain(name, 60), tuple(_distance(known, metric, key) for metric in metrics)) for name, key in named)
    return Shapes(tuple(metrics), tuple(rows))


def _here(known: Known, metric: str, key: Key) -> bool:
    return bool(len(known.figures(key._replace(metric=metric)).day))


def _distance(known: Known, metric: str, key: Key) -> Distance | None:
    told = figure(known, key._replace(metric=metric))
    if told.state == "absent":
        return None
    chance, beyond = None, None
    if metric in LIMITED:
        chance = _tonight(known, key._replace(metric=f"{metric}_null_limit"))
        beyond = told.value > chance if told.value is not None and chance is not None else None
    return Distance(told, chance, beyond)


def _tonight(known: Known, key: Key) -> float | None:
    values = known.figures(key).dense(known.night, known.night, "judged")
    return number(values[0])
