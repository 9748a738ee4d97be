"""The candidate beside what it would replace, on exactly the same later rows.

Two rivals: the answers that were really given live, and the champion of the registry where its file is kept, which is
asked anew. The candidate must hold against both: what serves may be older than the champion, and the reverse.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jobs.methods import gates
from jobs.methods.candidate import measure, model_frame
from jobs.retraining.rows import MISSING, features_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from jobs.engine.registry import Registry, Version
    from jobs.methods.gates import Comparison, Gate
    from jobs.spec import ModelSpec

DATA_GATES = ("rows", "labels", "features", "leak")
LIVE = "the live answers"


@dataclass(frozen=True)
class Compared:
    """Every gate, and the figures behind it as they are written down."""

    gates: list[Gate]
    figures: dict[str, Any]


def threshold(spec: ModelSpec, score: NDArray[np.float64], decision: pd.Series) -> float:
    """Score from which the candidate decides positive: the spec's, or as often as the champion did on the same rows.

    Where the files carry decisions, nobody has said from which score on they are positive, and another threshold would
    be another policy: 0.5 in place of 0.24 finds a fifth of the cancelled bookings. No label is looked at.
    """
    if spec.retraining.threshold is not None:
        return spec.retraining.threshold
    share = decision.mean()
    if spec.predictions.columns.decision is None or not 0 < share < 1:
        return spec.threshold
    return float(np.quantile(score[decision.notna().to_numpy()], 1 - share))


def compare_all(spec: ModelSpec, candidate: Any, judged: pd.DataFrame, registry: Registry, folder: Path) -> Compared:
    """Gates and figures of a candidate. `judged`: the later rows; `folder`: where the champion's file may be put."""
    score = candidate.predict_proba(model_frame(judged, *features_of(spec)))[:, 1]
    bound = threshold(spec, score, judged["decision"])
    rows = judged[["day", "version", "score", "decision"]].assign(
        label=judged["label"].astype(int), candidate_score=score, candidate=(score >= bound).astype(int)
    )
    champion = registry.champion(spec.model)
    live, registered = _live(rows), _registered(rows, judged, champion, registry, folder)
    rivals = {name: kept for name, kept in ((LIVE, live), (_name(champion), registered)) if len(kept)}
    compared = [_against(spec, name, kept, judged.loc[kept.index]) for name, kept in rivals.items()]
    label, mine = rows["label"].to_numpy(dtype=int), _figures(rows, "candidate")
    made = [
        gates.learned_something(label, score),
        gates.reaches(float(mine["accuracy"] or 0.0), len(rows), spec.least_accuracy),
    ]
    made += [gate for one, _ in compared for gate in one]
    alone = "the champion left no answer on the later days" if not compared else _not_asked(champion, judged)
    if alone:
        made.append(gates.Gate("champion", True, f"{alone}; a person must approve"))
    figures = {
        "candidate": _figures(live, "candidate") if len(live) else mine,
        "champion": _figures(live, "champion") if len(live) else None,
        "registered_champion": _figures(registered, "champion") if len(registered) else None,
        "threshold": bound,
        "compared_with": champion.number if champion else None,
        "live_version": _newest(live),
        "needs_approval": bool(alone),
        "comparisons": [asdict(one) for _, found in compared for one in found],
    }
    return Compared(made, figures)


def _against(
    spec: ModelSpec, name: str, rows: pd.DataFrame, judged: pd.DataFrame
) -> tuple[list[Gate], list[Comparison]]:
    asked = spec.retraining
    overall = gates.compare(rows, name, asked.metrics)
    sure = overall if "accuracy" in asked.metrics else gates.compare(rows, name, ("accuracy",))
    values = judged[list({part: None for pair in spec.guarded_segments for part in pair})].fillna(MISSING)
    parts = gates.compare_segments(rows, values, name, asked.metrics, spec.guarded_segments, asked.min_segment)
    return [
        gates.gate_of(f"overall, against {name}", overall),
        gates.rules_out_loss(sure, asked.max_loss),
        gates.gate_of(f"segments, against {name}", parts),
    ], overall + parts


def _live(rows: pd.DataFrame) -> pd.DataFrame:
    """Those for which a score and a decision were given live."""
    kept = rows[rows["score"].notna() & rows["decision"].notna()]
    return kept.assign(champion=kept["decision"].astype(int), champion_score=kept["score"].astype(float))


def _not_asked(champion: Version | None, judged: pd.DataFrame) -> str:
    """Why the registry's champion, whose file is kept, cannot be asked about these rows; empty where it can."""
    needed = _needs(champion)
    absent = sorted(needed - set(judged.columns))
    return (
        f"champion {champion.name} needs {', '.join(absent)}, which the spec names no more"
        if champion and absent
        else ""
    )


def _needs(champion: Version | None) -> set[str]:
    facts = champion.facts if champion and champion.digest else {}
    return {name for kind in ("numeric", "categorical") for name in facts.get("features", {}).get(kind, [])}


def _registered(
    rows: pd.DataFrame, judged: pd.DataFrame, champion: Version | None, registry: Registry, folder: Path
) -> pd.DataFrame:
    """The rows of days that the registry's champion was not trained on, with what it says of them."""
    import joblib  # type: ignore[import-untyped]

    if champion is None or not champion.digest or _not_asked(champion, judged):
        return rows.iloc[:0]
    facts = champion.facts
    numeric, categorical = (facts["features"][kind] for kind in ("numeric", "categorical"))
    kept = rows[rows["day"] > pd.Timestamp(facts["trained"]["last"])]
    if kept.empty:
        return kept
    file = registry.fetch(champion, folder / ".champion.joblib")
    try:
        score = joblib.load(file).predict_proba(model_frame(judged.loc[kept.index], numeric, categorical))[:, 1]
    finally:
        file.unlink()
    return kept.assign(champion=(score >= facts["threshold"]).astype(int), champion_score=score)


def _name(champion: Version | None) -> str:
    return f"champion {champion.name}" if champion else ""


def _newest(live: pd.DataFrame) -> str | None:
    """The version that gave most of the newest day's live answers."""
    if live.empty:
        return None
    return str(live.loc[live["day"] == live["day"].max(), "version"].value_counts().index[0])


def _figures(rows: pd.DataFrame, who: str) -> dict[str, Any]:
    label, decision = (rows[name].to_numpy(dtype=int) for name in ("label", who))
    return measure(label, rows[f"{who}_score"].to_numpy(dtype=float), decision)
