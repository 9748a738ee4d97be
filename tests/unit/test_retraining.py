"""A candidate is trained on what the warehouse knows, held against the champion on the same later rows, and promoted."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
import yaml
from sklearn.metrics import accuracy_score, log_loss, recall_score, roc_auc_score

from jobs.engine.registry import open_registry
from jobs.errors import UsageError, WarehouseError
from jobs.retraining import pipeline
from jobs.retraining.folder import Outcome, folder_of, read_notes
from jobs.retraining.request import parse_request
from jobs.retraining.rows import fresh
from tests.toy import PAYLOAD, fill, toy, world

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from jobs.spec import ModelSpec

NOW = datetime(2025, 3, 22, 6, tzinfo=UTC)


def retrained(home: Path, spec: ModelSpec | None = None, **changes: Any) -> tuple[Outcome, dict[str, Any]]:
    """The whole pipeline; its outcome and what is written in `evaluation.json`."""
    request = parse_request(PAYLOAD | changes)
    outcome = pipeline.run(spec or toy(), request, home, open_registry(home), NOW)
    return outcome, read_notes(folder_of(home, request))


def champion(home: Path) -> str | None:
    found = open_registry(home).champion("toy")
    return found.name if found else None


def gate(notes: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in notes["gates"] if one["name"].startswith(name)]
    return dict(found)


# a good candidate --------------------------------------------------------------------------------------------


def test_a_better_candidate_becomes_champion_and_the_version_before_it_is_known(tmp_path: Path) -> None:
    fill(tmp_path, world())
    outcome, notes = retrained(tmp_path)
    assert (outcome.stage, outcome.state) == ("promote", "promoted"), outcome
    assert "before it was version 1 (v1), to which `nightjar rollback toy` goes back" in outcome.reason
    registry = open_registry(tmp_path)
    assert [one.name for one in registry.versions("toy")] == ["v1", "nightjar-2"]
    assert champion(tmp_path) == "nightjar-2"
    assert all(one["passed"] for one in notes["gates"])


def test_both_are_measured_on_the_newest_days_and_scikit_learn_agrees(tmp_path: Path) -> None:
    frame = world()
    fill(tmp_path, frame)
    _, notes = retrained(tmp_path)
    later = frame[frame["day"] >= date(2025, 3, 17)]  # 4 of 20 days hold the fifth of the rows that is kept back
    assert notes["trained"] == {"first": "2025-03-01", "last": "2025-03-16", "n": 1920}
    assert notes["compared"] == {"first": "2025-03-17", "last": "2025-03-20", "n": 480}
    assert (notes["incident"], notes["metrics"]) == ("toy-drift-2025-03-10", PAYLOAD["metrics"])
    assert notes["champion"] == {
        "n": 480,
        "accuracy": pytest.approx(accuracy_score(later["label"], later["decision"])),
        "recall": pytest.approx(recall_score(later["label"], later["decision"])),
        "roc_auc": pytest.approx(roc_auc_score(later["label"], later["score"])),
        "log_loss": pytest.approx(log_loss(later["label"], later["score"])),
    }
    kept = joblib.load(folder_of(tmp_path, parse_request(PAYLOAD)) / "model.joblib")
    score = kept.predict_proba(later[["x", "colour"]].astype({"colour": object}))[:, 1]
    assert notes["candidate"]["roc_auc"] == pytest.approx(roc_auc_score(later["label"], score))
    assert notes["candidate"]["accuracy"] > notes["champion"]["accuracy"] + 0.1  # it knows the colour


def test_importances_are_written_as_a_spec_reads_them(tmp_path: Path) -> None:
    fill(tmp_path, world())
    _, notes = retrained(tmp_path)
    text = (folder_of(tmp_path, parse_request(PAYLOAD)) / "features.yaml").read_text()
    copied = toy(**yaml.safe_load(text))
    shares = {name: feature.importance for name, feature in copied.features.items()}
    assert sum(one["share"] for one in notes["importances"]) == pytest.approx(1.0)
    assert shares["colour"] is not None
    assert shares["x"] is not None
    assert shares["colour"] > shares["x"] > 0.1  # the colour moves the truth by 3, x by its deviation of 1


def test_a_person_reads_the_same_on_a_page(tmp_path: Path) -> None:
    fill(tmp_path, world())
    retrained(tmp_path)
    page = (folder_of(tmp_path, parse_request(PAYLOAD)) / "evaluation.md").read_text()
    for said in (
        "**promote: promoted.**",
        "| segments, against the live answers | passed |",
        "country=(small)",
        "colour",
    ):
        assert said in page


# run again ---------------------------------------------------------------------------------------------------


def test_the_same_request_twice_is_one_version_and_one_move(tmp_path: Path) -> None:
    fill(tmp_path, world())
    first, notes = retrained(tmp_path)
    again, after = retrained(tmp_path)
    registry = open_registry(tmp_path)
    assert (first.state, again.state) == ("promoted", "promoted")
    assert len(registry.versions("toy")) == 2
    assert [move.kind for move in registry.moves("toy")] == ["promote", "promote"]  # v1 was taken in, then replaced
    assert {k: v for k, v in notes.items() if k != "outcome"} == {k: v for k, v in after.items() if k != "outcome"}


def test_the_same_rows_give_the_same_figures_wherever_they_are_computed(tmp_path: Path) -> None:
    frame = world()
    for name in ("one", "other"):
        fill(tmp_path / name, frame)
    assert retrained(tmp_path / "one")[1] == retrained(tmp_path / "other")[1]


def anew(home: Path, frame: pd.DataFrame) -> None:
    """The same model's deliveries, corrected: the warehouse is made again; the registry stays."""
    (home / "toy.duckdb").unlink()
    fill(home, frame)


def test_a_candidate_must_also_hold_against_the_registered_champion(tmp_path: Path) -> None:
    """The live answers are v1's still; a candidate that is as good as those is worse than the champion nightjar-2."""
    frame = world(days=30)
    fill(tmp_path, frame)
    assert retrained(tmp_path)[0].state == "promoted"  # as of 21 March
    older = (frame["day"] < date(2025, 3, 25)).to_numpy()
    mixed = np.random.default_rng(3).permutation(frame["colour"].to_numpy())
    anew(tmp_path, frame.assign(colour=np.where(older, mixed, frame["colour"])))
    outcome, notes = retrained(
        tmp_path, toy(retraining={"min_accuracy": 0, "metrics": ["accuracy"]}), key="second", night="2025-03-31"
    )
    assert outcome.state == "refused"
    assert "worse beyond chance" in gate(notes, "overall, against champion nightjar-2")["reason"]
    assert gate(notes, "overall, against the live answers")["passed"]
    assert notes["registered_champion"]["n"] == 720  # six days, all later than its last training day
    assert champion(tmp_path) == "nightjar-2"


def test_a_champion_that_cannot_be_asked_any_more_leaves_the_decision_to_a_person(tmp_path: Path) -> None:
    fill(tmp_path, world(days=30))
    assert retrained(tmp_path)[0].state == "promoted"
    narrower = toy(features={"x": "numeric"}, retraining={"min_accuracy": 0, "metrics": ["accuracy"]})
    outcome, notes = retrained(tmp_path, narrower, key="second", night="2025-03-31")
    assert (outcome.stage, outcome.state) == ("promote", "waits"), outcome
    assert "champion nightjar-2 needs colour" in gate(notes, "champion")["reason"]


# what is learned from ----------------------------------------------------------------------------------------


def test_the_last_known_label_counts_and_shadow_and_unlabelled_rows_do_not(tmp_path: Path) -> None:
    frame = world(days=2, per_day=3)
    frame.loc[1, "role"] = "shadow"
    frame.loc[2, "label"] = None
    was = int(frame.loc[0, "label"])
    fill(tmp_path, frame, {"id": "r00000", "known_day": date(2025, 3, 9), "label": 1 - was})
    rows = fresh(toy(), tmp_path, date(2025, 3, 9)).rows
    assert list(rows["id"]) == ["r00000", "r00003", "r00004", "r00005"]
    assert rows["label"][0] == 1 - was
    assert fresh(toy(), tmp_path, date(2025, 3, 8)).rows["label"][0] == was  # before the correction


def test_a_label_that_names_its_day_teaches_nothing_about_other_predictions_of_its_id(tmp_path: Path) -> None:
    frame = world(days=2, per_day=3).assign(id=["anna", "ben", "carl"] * 2, label=None)
    said = [("anna", 1, 1), ("anna", 2, 0), ("ben", 2, 1)]
    labels = [{"id": one, "known_day": date(2025, 3, 5), "predicted_day": date(2025, 3, d), "label": label}
              for one, d, label in said]  # fmt: skip
    fill(tmp_path, frame, *labels)
    dated = toy(labels={"path": "l/{day}.csv", "ages": [1], "columns": {"predicted": "served_on"}})
    rows = fresh(dated, tmp_path, date(2025, 3, 5)).rows
    assert [(row.id, row.day.day, row.label) for row in rows.itertuples()] == said
    assert len(fresh(toy(), tmp_path, date(2025, 3, 5)).rows) == 4  # without the column: each of both days


def test_a_night_uses_no_label_of_later_nights(tmp_path: Path) -> None:
    fill(tmp_path, world())
    _, notes = retrained(tmp_path, night="2025-03-18")
    assert notes["compared"]["last"] == "2025-03-17"  # labels come a day later


def test_days_whose_labels_are_not_complete_are_left_out_because_early_labels_are_a_biased_sample(
    tmp_path: Path,
) -> None:
    fill(tmp_path, world())
    late = toy(labels={"path": "l/{day}.csv", "ages": [1, 6]})
    assert retrained(tmp_path, late)[1]["compared"]["last"] == "2025-03-15"
    told = late.model_copy(update={"retraining": toy(retraining={"label_age": 1}).retraining})
    assert retrained(tmp_path, told, key="told")[1]["compared"]["last"] == "2025-03-20"


def test_the_champion_is_compared_only_where_it_answered(tmp_path: Path) -> None:
    frame = world()
    frame.loc[frame.index[-30:], ["score", "decision"]] = None
    fill(tmp_path, frame)
    _, notes = retrained(tmp_path)
    assert (notes["champion"]["n"], notes["candidate"]["n"]) == (450, 450)


def test_with_nothing_to_compare_with_a_person_must_decide(tmp_path: Path) -> None:
    fill(tmp_path, world().assign(score=None, decision=None))
    outcome, notes = retrained(tmp_path)
    assert (outcome.stage, outcome.state) == ("promote", "waits")
    assert notes["champion"] is None
    assert champion(tmp_path) is None


# what must never become champion -------------------------------------------------------------------------------


def shuffled(frame: pd.DataFrame, since: date | None = None) -> pd.DataFrame:
    mixed = np.random.default_rng(1).permutation(frame["label"].to_numpy())
    kept = (frame["day"] >= since).to_numpy() if since else np.zeros(len(frame), dtype=bool)
    return frame.assign(label=np.where(kept, frame["label"], mixed))


def always_right(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(decision=frame["label"], score=0.1 + 0.8 * frame["label"])


@pytest.mark.parametrize(
    ("frame", "changes", "stage", "reason"),
    [
        (shuffled(world()), {}, "evaluate", "skill: ROC AUC .* no better than chance, so nothing was learned"),
        (shuffled(world(), date(2025, 3, 17)), {}, "evaluate", "overall, against the live answers: worse beyond chance"),
        (world(days=3, per_day=20), {}, "collect", "60 labelled rows; actions.retrain.min_labels asks for 200"),
        (world(days=1, per_day=300), {}, "collect", "all labelled rows are of one day"),
        (world().assign(label=1), {}, "collect", "the older labelled days have one class only"),
        (world().assign(colour=None), {}, "collect", "colour is empty"),
        (world(), {"retraining": {"min_accuracy": 0.99}}, "evaluate", "floor: accuracy 0.9.* 0.99 is needed"),
        (always_right(world()), {}, "evaluate", "overall, against the live answers: worse beyond chance"),
    ],
    ids=[
        "all labels shuffled", "older labels shuffled", "few rows", "one day", "one class", "an empty feature",
        "below the floor", "a champion that is always right",
    ],
)  # fmt: skip
def test_a_bad_candidate_never_becomes_champion_and_the_reason_is_written(
    tmp_path: Path, frame: pd.DataFrame, changes: dict[str, Any], stage: str, reason: str
) -> None:
    fill(tmp_path, frame)
    outcome, notes = retrained(tmp_path, toy(**changes))
    assert (outcome.stage, outcome.state) == (stage, "refused"), outcome
    assert re.search(reason, outcome.reason), outcome.reason
    assert notes["outcome"]["reason"] == outcome.reason
    assert open_registry(tmp_path).versions("toy") == []
    assert champion(tmp_path) is None


def test_a_candidate_that_is_better_overall_and_worse_in_one_segment_is_refused(tmp_path: Path) -> None:
    """In Portugal, a seventh of the rows, x means the opposite; v1 knows that, the candidate cannot."""
    frame = world(days=40, per_day=240)
    portugal = np.arange(len(frame)) % 7 == 0
    frame["country"] = np.where(portugal, "PT", "FR")
    frame["label"] = np.where(portugal, 1 - frame["label"], frame["label"])
    frame["decision"] = np.where(portugal, frame["label"], frame["decision"])
    frame["score"] = np.where(portugal, 0.1 + 0.8 * frame["label"], frame["score"])
    fill(tmp_path, frame)
    outcome, notes = retrained(tmp_path, night="2025-04-10")
    assert notes["candidate"]["accuracy"] > notes["champion"]["accuracy"] + 0.05
    assert gate(notes, "overall, against the live answers")["passed"]
    assert (outcome.stage, outcome.state) == ("evaluate", "refused")
    assert "accuracy of country=PT" in gate(notes, "segments, against the live answers")["reason"]
    assert champion(tmp_path) is None
    unguarded = toy(retraining={"guarded": [], "metrics": ["accuracy"]})
    assert retrained(tmp_path, unguarded, night="2025-04-10", key="again")[0].state == "promoted"  # it was that gate


def test_a_feature_that_knows_the_label_is_found_even_where_a_correlation_sees_nothing(tmp_path: Path) -> None:
    """`refund` is far from 0 on both sides for positives, so its correlation with the label is about 0."""
    frame = world()
    sign = np.where(np.arange(len(frame)) % 2, 1.0, -1.0)
    frame["refund"] = sign * frame["label"] + np.random.default_rng(5).normal(scale=0.1, size=len(frame))
    assert abs(np.corrcoef(frame["refund"], frame["label"])[0, 1]) < 0.05
    fill(tmp_path, frame, numeric=("x", "refund"))
    outcome, _ = retrained(tmp_path, toy(features={"x": "numeric", "refund": "numeric", "colour": "categorical"}))
    assert (outcome.stage, outcome.state) == ("collect", "refused")
    assert "refund alone ranks the later labels with ROC AUC" in outcome.reason
    assert "known only after the fact" in outcome.reason


def test_a_feature_that_went_missing_since_the_reference_is_not_learned_from(tmp_path: Path) -> None:
    from jobs.engine.warehouse import open_warehouse

    frame = world()
    frame.loc[frame.index % 3 == 0, "x"] = None  # and row 4 has none anyway
    fill(tmp_path, frame)
    with open_warehouse(tmp_path, "toy", wait=5) as warehouse:
        for number, n in ((-1, 10), (1, 990)):  # bin -1 counts what is missing
            warehouse.execute(
                "INSERT INTO reference_bins (reference, feature, bin, n) VALUES ('all', 'x', ?, ?)", [number, n]
            )
        warehouse.publish()
    outcome, _ = retrained(tmp_path)
    assert outcome.state == "refused"
    assert "x is missing in 33.4% of the rows, in the reference in 1.0%" in outcome.reason
    assert retrained(tmp_path, toy(retraining={"max_missing_rise": 0.4}), key="again")[0].state == "promoted"


def test_a_feature_that_the_warehouse_does_not_have_is_named(tmp_path: Path) -> None:
    fill(tmp_path, world())
    with pytest.raises(UsageError, match="the warehouse has no column price, which the spec names"):
        retrained(tmp_path, toy(features={"x": "numeric", "price": "numeric"}))


# what breaks -------------------------------------------------------------------------------------------------


def test_a_training_that_breaks_leaves_the_champion_and_says_why_and_may_be_run_again(tmp_path: Path) -> None:
    fill(tmp_path, world())
    request, registry = parse_request(PAYLOAD), open_registry(tmp_path)
    assert pipeline.collect(toy(), request, tmp_path, registry).goes_on
    (folder_of(tmp_path, request) / "model.joblib").mkdir()  # nothing can be written there
    with pytest.raises(OSError, match=r"model\.joblib"):
        pipeline.train(toy(), request, tmp_path, registry)
    said = read_notes(folder_of(tmp_path, request))["outcome"]
    assert (said["stage"], said["state"]) == ("train", "failed")
    assert "the champion stays as it is" in said["reason"]
    assert champion(tmp_path) is None
    assert retrained(tmp_path)[0].state == "promoted"


def test_a_stage_does_not_go_on_from_one_that_refused(tmp_path: Path) -> None:
    fill(tmp_path, shuffled(world()))
    assert retrained(tmp_path)[0].state == "refused"
    request, registry = parse_request(PAYLOAD), open_registry(tmp_path)
    with pytest.raises(UsageError, match="has passed no evaluation"):
        pipeline.register(toy(), request, tmp_path, registry)
    with pytest.raises(UsageError, match="only what passed can be promoted"):
        pipeline.promote(toy(), request, tmp_path, registry, NOW)
    assert champion(tmp_path) is None


def test_a_model_that_cannot_be_trained_here_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs features and labels"):
        retrained(tmp_path, toy(labels=None, rules=[]))
    with pytest.raises(UsageError, match="task binary, and this one's is regression"):
        retrained(tmp_path, toy(task="regression"))


def test_before_the_first_night_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="nothing is published"):
        retrained(tmp_path)


# a person's word -----------------------------------------------------------------------------------------------


def test_where_the_spec_asks_the_candidate_waits_for_a_person(tmp_path: Path) -> None:
    fill(tmp_path, world())
    spec, request = toy(retraining={"approval": True}), parse_request(PAYLOAD)
    outcome, _ = retrained(tmp_path, spec)
    assert (outcome.stage, outcome.state) == ("promote", "waits")
    assert "nightjar promote toy 2 --by NAME" in outcome.reason
    assert champion(tmp_path) == "v1"
    done = pipeline.promote(spec, request, tmp_path, open_registry(tmp_path), NOW, "Ada")
    assert done.state == "promoted"
    assert open_registry(tmp_path).moves("toy")[-1].person == "Ada"


def test_what_a_person_rejected_stays_rejected(tmp_path: Path) -> None:
    fill(tmp_path, world())
    spec, request = toy(retraining={"approval": True}), parse_request(PAYLOAD)
    retrained(tmp_path, spec)
    pipeline.answer(tmp_path, request, "Ada", approved=False, why="the sale is on")
    assert retrained(tmp_path, spec)[0] == Outcome("promote", "refused", "rejected by Ada")
    assert champion(tmp_path) == "v1"


def test_a_champion_that_changed_while_a_person_thought_is_not_overrun(tmp_path: Path) -> None:
    fill(tmp_path, world())
    spec, registry = toy(retraining={"approval": True}), open_registry(tmp_path)
    retrained(tmp_path, spec)
    rules = registry.adopt("toy", "rules", {})
    registry.move("toy", rules.number, "fallback", "f", expected=1, person="Eve", why="fire", now=NOW)
    outcome = pipeline.promote(spec, parse_request(PAYLOAD), tmp_path, registry, NOW, "Ada")
    assert outcome.state == "refused"
    assert "the champion is version 3, and the decision was taken against version 1" in outcome.reason
    assert champion(tmp_path) == "rules"


def test_where_the_files_carry_decisions_the_candidate_decides_positive_as_often(tmp_path: Path) -> None:
    """At 0.5 it would flag its own share; v1 here flags three in ten, from whatever score it does."""
    frame = world()
    frame = frame.assign(decision=(frame["score"] >= frame["score"].quantile(0.7)).astype(int))
    fill(tmp_path, frame)
    own = {"path": "p/{day}.csv", "columns": {"decision": "d"}}
    _, notes = retrained(tmp_path, toy(predictions=own))
    later = frame[frame["day"] >= date(2025, 3, 17)]
    kept = joblib.load(folder_of(tmp_path, parse_request(PAYLOAD)) / "model.joblib")
    score = kept.predict_proba(later[["x", "colour"]].astype({"colour": object}))[:, 1]
    assert (score >= notes["threshold"]).mean() == pytest.approx(later["decision"].mean(), abs=0.005)
    told = toy(predictions=own, retraining={"threshold": 0.25})
    assert retrained(tmp_path, told, key="told")[1]["threshold"] == 0.25
