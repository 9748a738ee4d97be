"""A candidate is trained on what the warehouse knows, and compared with the champion on the same later rows."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss, recall_score, roc_auc_score

from jobs import tables
from jobs.engine.warehouse import open_warehouse
from jobs.errors import UsageError, WarehouseError
from jobs.retraining import labelled_rows, parse_request, retrain
from jobs.spec.model import ModelSpec

if TYPE_CHECKING:
    from pathlib import Path

FIRST = date(2025, 3, 1)
PAYLOAD: dict[str, Any] = {
    "version": 1, "model": "toy", "key": "toy-drift-2025-03-10-retrain", "action": "retrain",
    "incident": "toy-drift-2025-03-10", "night": "2025-03-11", "reason": "x drifted",
    "metrics": [{"metric": "psi", "feature": "x", "day": "2025-03-10", "value": 0.4}],
    "days": {"first": "2025-03-10", "last": "2025-03-10"}, "versions": {"current": "v1", "previous": None},
}  # fmt: skip


def toy(**changes: Any) -> ModelSpec:
    return ModelSpec.model_validate(
        {
            "model": "toy",
            "predictions": {"path": "p/{day}.csv"},
            "labels": {"path": "l/{day}.csv"},
            "features": {"x": "numeric", "colour": "categorical"},
            "actions": {"retrain": {"min_labels": 200}},
        }
        | changes
    )


def world(days: int = 10, per_day: int = 60) -> pd.DataFrame:
    """Predictions whose label follows x and colour; the champion only knows x, with missing and infinite values."""
    made = np.random.default_rng(7)
    n = days * per_day
    frame = pd.DataFrame(
        {
            "day": [FIRST + timedelta(days=k // per_day) for k in range(n)],
            "id": [f"r{k:05d}" for k in range(n)],
            "version": "v1",
            "role": "live",
            "source": "predictions",
            "x": made.normal(size=n),
            "colour": made.choice(["red", "blue", None], size=n),
        }
    )
    truth = frame["x"] + np.where(frame["colour"] == "red", 2.0, -1.0)
    frame["label"] = (truth + made.normal(scale=0.3, size=n) > 0).astype(int)
    frame["score"] = 1 / (1 + np.exp(-frame["x"]))
    frame["decision"] = (frame["score"] >= 0.5).astype(int)
    frame.loc[3, "x"], frame.loc[4, "x"] = np.inf, np.nan
    return frame.assign(ts=pd.Timestamp(FIRST), latency_ms=1.0, error=0, decision_text=None)


def fill(home: Path, frame: pd.DataFrame, *more_labels: dict[str, Any]) -> None:
    """A published warehouse that knows these predictions, each label a day later, and more labels after those."""
    labels = pd.DataFrame({"id": frame["id"], "known_day": frame["day"] + timedelta(days=1), "label": frame["label"]})
    labels = pd.concat([labels[labels["label"].notna()], pd.DataFrame(more_labels)])
    shape = tables.predictions((), ("x",), ("colour",))
    with open_warehouse(home, "toy", wait=5) as warehouse:
        warehouse.create(shape)
        for name, rows, columns in (
            ("predictions", frame, shape.columns),
            ("labels", labels, tables.BY_NAME["labels"].columns),
        ):
            warehouse.insert(name, rows, {column: kind for column, kind in columns.items() if column in rows})
        warehouse.publish()


def evaluated(home: Path, spec: ModelSpec | None = None, **changes: Any) -> tuple[Path, dict[str, Any]]:
    folder = retrain(spec or toy(), parse_request(PAYLOAD | changes), home)
    return folder, json.loads((folder / "evaluation.json").read_text())


def test_both_are_measured_on_the_newest_days_and_scikit_learn_agrees(tmp_path: Path) -> None:
    frame = world()
    fill(tmp_path, frame)
    folder, evaluation = evaluated(tmp_path)
    later = frame[frame["day"] >= date(2025, 3, 9)]  # 2 of 10 days hold the fifth of the rows that is kept back
    assert folder == tmp_path / "candidates" / "toy" / PAYLOAD["key"]
    assert evaluation["trained"] == {"first": "2025-03-01", "last": "2025-03-08", "n": 480}
    assert evaluation["compared"] == {"first": "2025-03-09", "last": "2025-03-10", "n": 120}
    assert evaluation["incident"] == "toy-drift-2025-03-10"
    assert evaluation["metrics"] == PAYLOAD["metrics"]
    assert evaluation["champion"] == {
        "n": 120,
        "accuracy": pytest.approx(accuracy_score(later["label"], later["decision"])),
        "recall": pytest.approx(recall_score(later["label"], later["decision"])),
        "roc_auc": pytest.approx(roc_auc_score(later["label"], later["score"])),
        "log_loss": pytest.approx(log_loss(later["label"], later["score"])),
    }
    kept = joblib.load(folder / "model.joblib")
    score = kept.predict_proba(later[["x", "colour"]].astype({"colour": object}))[:, 1]
    assert evaluation["candidate"]["roc_auc"] == pytest.approx(roc_auc_score(later["label"], score))
    assert evaluation["candidate"]["accuracy"] > evaluation["champion"]["accuracy"] + 0.1  # it knows the colour


def test_the_same_request_again_writes_the_same_figures(tmp_path: Path) -> None:
    fill(tmp_path, world())
    assert evaluated(tmp_path)[1] == evaluated(tmp_path)[1]
    assert [path.name for path in (tmp_path / "candidates" / "toy").iterdir()] == [PAYLOAD["key"]]


def test_the_last_known_label_counts_and_shadow_and_unlabelled_rows_do_not(tmp_path: Path) -> None:
    frame = world(days=2, per_day=3)
    frame.loc[1, "role"] = "shadow"
    frame.loc[2, "label"] = None
    was = int(frame.loc[0, "label"])
    fill(tmp_path, frame, {"id": "r00000", "known_day": date(2025, 3, 9), "label": 1 - was})
    rows = labelled_rows(toy(), tmp_path)
    assert list(rows["id"]) == ["r00000", "r00003", "r00004", "r00005"]
    assert rows["label"][0] == 1 - was
    before_the_correction = labelled_rows(toy(), tmp_path, night=date(2025, 3, 8))
    assert before_the_correction["label"][0] == was


def test_a_retraining_asked_for_by_a_night_uses_no_label_of_later_nights(tmp_path: Path) -> None:
    fill(tmp_path, world())
    _, evaluation = evaluated(tmp_path, night="2025-03-08")
    assert evaluation["compared"]["last"] == "2025-03-07"  # labels come a day later


def test_the_champion_is_compared_only_where_it_answered(tmp_path: Path) -> None:
    frame = world()
    frame.loc[frame.index[-30:], ["score", "decision"]] = None
    fill(tmp_path, frame)
    _, evaluation = evaluated(tmp_path)
    assert (evaluation["champion"]["n"], evaluation["candidate"]["n"]) == (90, 90)


def test_a_champion_without_any_score_leaves_a_reason(tmp_path: Path) -> None:
    fill(tmp_path, world().assign(score=None, decision=None))
    _, evaluation = evaluated(tmp_path)
    assert evaluation["champion"] is None
    assert "no score" in evaluation["reason_not_compared"]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (world(days=3, per_day=20), "60 labelled rows; actions.retrain.min_labels asks for 200"),
        (world(days=1, per_day=300), "all labelled rows are of one day"),
        (world().assign(label=1), "the older labelled days have one class only"),
    ],
)
def test_too_little_to_learn_from_is_refused_with_the_reason(tmp_path: Path, frame: pd.DataFrame, reason: str) -> None:
    fill(tmp_path, frame)
    with pytest.raises(UsageError, match=reason):
        evaluated(tmp_path)
    assert not (tmp_path / "candidates").exists()


def test_a_model_without_features_or_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs features and labels"):
        evaluated(tmp_path, toy(labels=None))


def test_before_the_first_night_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="nothing is published"):
        evaluated(tmp_path)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": 2}, "version is 2; this retraining understands 1"),
        ({"model": ""}, "model is ''; a text is needed"),
        ({"reason": None}, "reason is None; a text is needed"),
        ({"metrics": ["psi"]}, "metrics is ['psi']; a list of mappings is needed"),
        ({"days": ["2025-03-10"]}, "days is ['2025-03-10']; a mapping is needed"),
        ({"night": "11 March"}, "'11 March' is not a day"),
        ({"action": "rollback"}, "action is 'rollback'; only retrain is done here"),
        ({"key": "../../etc"}, "key '../../etc' cannot name a folder"),
        ({"key": ".."}, "key '..' cannot name a folder"),
        ({"reasons": "x"}, "'reasons' is unknown; known: version, model, reason, key"),
    ],
)
def test_a_payload_that_cannot_be_used_is_refused_naming_the_fault(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_request(PAYLOAD | change)
    assert fault in str(refused.value)
