"""Train a candidate on the warehouse's labelled rows and measure it beside the champion, on later rows.

Knows nothing of who asks. It reads the published copy, so it neither waits for a night nor holds one up.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import joblib  # type: ignore[import-untyped]

from jobs.engine import sql
from jobs.engine.warehouse import read_published
from jobs.errors import UsageError
from jobs.methods.candidate import fit_candidate, measure, model_frame, split_by_day
from jobs.periods import parse_day

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from jobs.spec import ModelSpec

PAYLOAD_VERSION = 1
MOST_ROWS = 1_000_000
"""The newest whole days up to this many rows; more would not fit beside a night on a small machine."""
_KEY = re.compile(r"[A-Za-z0-9_~:+-][A-Za-z0-9_.~:+-]{0,200}")
_NEEDED = ("model", "reason", "key")
_KNOWN = ("version", *_NEEDED, "action", "incident", "night", "metrics", "days", "versions")


@dataclass(frozen=True)
class Request:
    """What a retraining was asked for, and why. The incident's evidence is kept beside the candidate."""

    model: str
    reason: str
    key: str
    night: date | None = None
    """Labels known after it are not used; absent: all are."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """`incident`, `metrics` (one mapping each), `days` (`first`, `last`) and `versions` (`current`, `previous`)."""


def parse_request(payload: Mapping[str, Any]) -> Request:
    """A payload as a decision carries it, checked. Raises UsageError naming every fault.

    >>> parse_request({"version": 1, "model": "shop", "reason": "drift", "key": "shop-7"}).key
    'shop-7'
    """
    if faults := list(_faults(payload)):
        raise UsageError(f"the retraining was asked for with a payload it cannot use: {'; '.join(faults)}")
    return Request(
        model=payload["model"],
        reason=payload["reason"],
        key=payload["key"],
        night=parse_day(payload["night"]) if payload.get("night") else None,
        evidence={name: payload.get(name) for name in ("incident", "metrics", "days", "versions")},
    )


def _faults(payload: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(set(payload) - set(_KNOWN)):
        yield f"'{name}' is unknown; known: {', '.join(_KNOWN)}"
    if payload.get("version") != PAYLOAD_VERSION:
        yield f"version is {payload.get('version')!r}; this retraining understands {PAYLOAD_VERSION}"
    for name in _NEEDED:
        if not isinstance(payload.get(name), str) or not payload[name].strip():
            yield f"{name} is {payload.get(name)!r}; a text is needed"
    if isinstance(key := payload.get("key"), str) and key and not _KEY.fullmatch(key):
        yield f"key {key!r} cannot name a folder; use letters, digits and _ . ~ : + -"
    if payload.get("action", "retrain") != "retrain":
        yield f"action is {payload['action']!r}; only retrain is done here"
    metrics = payload.get("metrics") or []
    if not isinstance(metrics, list | tuple) or not all(isinstance(one, Mapping) for one in metrics):
        yield f"metrics is {metrics!r}; a list of mappings is needed"
    for name in ("days", "versions"):
        if not isinstance(payload.get(name) or {}, Mapping):
            yield f"{name} is {payload[name]!r}; a mapping is needed"


def retrain(spec: ModelSpec, request: Request, home: Path) -> Path:
    """Train, evaluate and write the model and `evaluation.json` to `candidates/<model>/<key>/`; returns it.

    The same request on the same rows writes the same figures. Raises UsageError, with the reason, where the
    labelled rows are too few to learn from or to compare on; WarehouseError where nothing is published yet.
    """
    numeric, categorical = _features(spec)
    rows = labelled_rows(spec, home, request.night)
    later = _later_days(spec, rows)
    learned, judged = rows[~later], rows[later]
    candidate = fit_candidate(learned, learned["label"].to_numpy(dtype=int), numeric, categorical)
    evaluation = {
        "model": spec.model,
        "key": request.key,
        "reason": request.reason,
        **request.evidence,
        "trained": _extent(learned),
        "compared": _extent(judged),
        "features": {"numeric": numeric, "categorical": categorical},
        **_compare(candidate, judged, numeric, categorical, spec.threshold),
    }
    return _write(home / "candidates" / spec.model / request.key, candidate, evaluation)


def labelled_rows(spec: ModelSpec, home: Path, night: date | None = None) -> pd.DataFrame:
    """Live predictions: `day, id, version, score, decision`, the features, and the last known `label`."""
    statement = sql.render(
        "retraining/labelled_rows",
        features=list(spec.features),
        night=night or date.max,
        most_rows=MOST_ROWS,
    )
    with read_published(home, spec.model) as connection:
        return connection.execute(statement).df()


def _features(spec: ModelSpec) -> tuple[list[str], list[str]]:
    numeric = [name for name, feature in spec.features.items() if feature.kind == "numeric"]
    categorical = [name for name, feature in spec.features.items() if feature.kind == "categorical"]
    if not spec.features or spec.labels is None:
        raise UsageError(f"{spec.model}: a candidate needs features and labels; the spec names none of one of them")
    return numeric, categorical


def _later_days(spec: ModelSpec, rows: pd.DataFrame) -> Any:
    """Which rows are kept for the comparison; refuses where there are too few, or one class only."""
    needed = max(2, spec.actions.retrain.min_labels)
    if len(rows) < needed:
        raise UsageError(f"{spec.model}: {len(rows)} labelled rows; actions.retrain.min_labels asks for {needed}")
    later = split_by_day(rows["day"])
    if not later.any():
        raise UsageError(f"{spec.model}: all labelled rows are of one day; a candidate is compared on later days")
    for part, name in ((rows[~later], "older"), (rows[later], "newest")):
        if part["label"].nunique() < 2:
            raise UsageError(f"{spec.model}: the {name} labelled days have one class only; nothing to learn or compare")
    return later


def _compare(
    candidate: Any, judged: pd.DataFrame, numeric: list[str], categorical: list[str], threshold: float
) -> dict[str, Any]:
    """Both on exactly the same rows: those for which the champion gave a score and a decision."""
    same = judged[judged["score"].notna() & judged["decision"].notna()]
    if same.empty:
        return {
            "champion": None,
            "candidate": None,
            "reason_not_compared": "the champion left no score on the later days",
        }
    label = same["label"].to_numpy(dtype=int)
    score = candidate.predict_proba(model_frame(same, numeric, categorical))[:, 1]
    return {
        "champion": measure(label, same["score"].to_numpy(dtype=float), same["decision"].to_numpy(dtype=int)),
        "candidate": measure(label, score, (score >= threshold).astype(int)),
    }


def _extent(rows: pd.DataFrame) -> dict[str, Any]:
    return {"first": str(rows["day"].min().date()), "last": str(rows["day"].max().date()), "n": len(rows)}


def _write(folder: Path, candidate: Any, evaluation: dict[str, Any]) -> Path:
    """Both files or neither: they are written beside the folder, which then takes its name."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        joblib.dump(candidate, partial / "model.joblib")
        text = json.dumps(evaluation, indent=2, allow_nan=False) + "\n"
        (partial / "evaluation.json").write_text(text, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder
