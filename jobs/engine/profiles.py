"""The reference profile of a spec, from its files or a window of its days, and how features are counted against it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from jobs.engine import sources
from jobs.engine.feeds import feeds
from jobs.errors import DataError
from jobs.periods import Period

if TYPE_CHECKING:
    import pandas as pd

    from jobs.engine.warehouse import Warehouse
    from jobs.spec.model import ModelSpec

DEFAULT_WINDOW_DAYS = 28
"""A spec without a reference accepts its first days as one."""
_PSEUDO: dict[str, Literal["numeric", "categorical"]] = {"score": "numeric", "decision": "categorical"}


@dataclass(frozen=True)
class FeaturePlan:
    """How one feature is counted in the bins of one reference; the fields `feature_statistics.sql` reads."""

    name: str
    """Of the feature."""
    column: str
    """Of its values in `predictions`."""
    version: str | None
    """Only rows of this version; None: of all live versions."""
    numeric: bool
    scale: float
    """Values times this are summed as integers."""
    summed_below: float
    """Values at least this large are counted but not summed: one of them would drown the others."""
    edges: tuple[float, ...]
    """Upper edges of all parts of interval bins but the last."""
    places: tuple[int, ...]
    """1000 bin + part of each of these, and of the last; of a feature without edges, where its values go."""
    categories: tuple[str, ...]
    otherwise: int
    """The bin of a value that no category takes."""

    @property
    def last(self) -> int:
        """The position of the last part in `places`."""
        return len(self.places) - 1


def window_of(spec: ModelSpec, start: date) -> Period | None:
    """The days that serve as reference; None where files do. `start` is the first day watched."""
    reference = spec.reference
    if reference.file or reference.versions:
        return None
    if reference.window:
        return Period(reference.window.first, reference.window.last)
    return Period(start, start + timedelta(days=DEFAULT_WINDOW_DAYS - 1))


def fingerprint(spec: ModelSpec) -> str:
    """A digest of the reference files' contents, so that a changed reference is noticed; empty for windows."""
    patterns = [pattern for pattern in (spec.reference.file, *(spec.reference.versions or {}).values()) if pattern]
    return sources.fingerprint(path for pattern in patterns for path in sources.paths(pattern))


def kinds_of(spec: ModelSpec) -> dict[str, Literal["numeric", "categorical"]]:
    """What is counted in bins: the features, and the score and decision as if they were features."""
    pseudo = {name: kind for name, kind in _PSEUDO.items() if name != "decision" or spec.task != "regression"}
    return {name: feature.kind for name, feature in spec.features.items()} | pseudo


def reference_rows(spec: ModelSpec, start: date, warehouse: Warehouse) -> dict[str, pd.DataFrame]:
    """The rows of accepted behaviour of each version, or of `all`; DataError where a file or column is missing."""
    window = window_of(spec, start)
    if window:
        given = {"features": list(spec.features), "window": window, "task": spec.task}
        rows = warehouse.query("statistics/reference_window", **given)
        return {"all": rows}
    if spec.reference.file:
        return {"all": _file_rows(spec, spec.reference.file, warehouse)}
    return {version: _file_rows(spec, path, warehouse) for version, path in (spec.reference.versions or {}).items()}


def _file_rows(spec: ModelSpec, pattern: str, warehouse: Warehouse) -> pd.DataFrame:
    files = [sources.inspect(path, None) for path in sources.paths(pattern)]
    if not files:
        raise DataError(
            f"{spec.model}: no reference file matches {pattern}; correct reference in the spec or deliver the file"
        )
    feed = next(feeds(spec))
    numeric, categorical = (
        {name: feature.column or name for name, feature in spec.features.items() if feature.kind == kind}
        for kind in ("numeric", "categorical")
    )
    for file in files:
        missing = [column for column in (*numeric.values(), *categorical.values()) if column not in file.columns]
        if missing:
            raise DataError(
                f"{file.path}: this reference has no column '{missing[0]}'; it has {', '.join(file.columns[:12])}"
            )
    sources.expose(warehouse, pattern, files, feed.columns)
    return warehouse.query("statistics/reference_rows", **(feed.parameters | {"texts": categorical}))


def plans(bins: pd.DataFrame, parts: pd.DataFrame, task: str = "binary") -> list[FeaturePlan]:
    """How to count each feature of a profile (rows of `reference_bins` and `reference_parts`)."""
    split = dict(list(parts[parts["bin"] >= 0].groupby(["reference", "feature"])))
    made = [
        _plan(
            str(name), None if reference == "all" else str(reference), rows, split.get((reference, name), parts.head(0))
        )
        for (reference, name), rows in bins.groupby(["reference", "feature"], sort=True)
    ]
    texts = {"decision": "decision_text"} if task == "multiclass" else {}
    return [replace(plan, column=texts.get(plan.name, plan.name)) for plan in made]


def _plan(name: str, version: str | None, rows: pd.DataFrame, parts: pd.DataFrame) -> FeaturePlan:
    rows, parts = rows.sort_values("bin"), parts.sort_values(["bin", "part"])
    numeric = bool((rows["kind"] == "infinite").any())
    # What no category takes: the rarer ones, or unseen. A numeric feature without finite values has only unseen ones.
    rest = rows.loc[rows["kind"].eq("other"), "bin"]
    otherwise = int(rest.iloc[0]) if len(rest) else -2
    places = tuple(int(place) for place in 1000 * parts["bin"] + parts["part"]) if numeric else ()
    scale = _scale(
        tuple(parts.loc[~parts["beyond_range"].astype(bool), "upper"].dropna().astype(float)) if numeric else ()
    )
    return FeaturePlan(
        name=name,
        column=name,
        version=version,
        numeric=numeric,
        scale=scale,
        summed_below=2e9 / scale,
        edges=tuple(parts["upper"].iloc[:-1].astype(float)) if numeric else (),
        places=places or (1000 * otherwise,),
        categories=tuple(rows.loc[rows["kind"] == "category", "category"].astype(str)),
        otherwise=otherwise,
    )


def _scale(edges: tuple[float, ...]) -> float:
    """A power of ten that gives ordinary values eight digits before the point.

    >>> _scale((0.5, 12.0)), _scale((5e-324,)), _scale(())
    (1000000.0, 1000000000000.0, 1000000.0)
    """
    magnitude = max((abs(edge) for edge in edges), default=0.0)
    return 10.0 ** max(-280, min(12, 7 - math.floor(math.log10(magnitude)))) if magnitude > 0 else 1e6
