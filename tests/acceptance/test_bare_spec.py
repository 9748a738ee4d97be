"""A spec that has only a score and a label is a useful one: every stage runs, and says what it cannot know."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from jobs.engine.warehouse import open_warehouse
from jobs.periods import Period
from jobs.pipeline import STAGE_NAMES, run
from jobs.spec.reading import load_spec

if TYPE_CHECKING:
    from pathlib import Path

FIRST, DAYS, A_DAY = date(2025, 1, 6), 45, 200
TURN = 40
"""From this day on, labels come out the other way."""


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    random = np.random.default_rng(5)
    score = random.beta(0.3, 0.5, DAYS * A_DAY).round(6)
    number = np.repeat(np.arange(DAYS), A_DAY)
    truth = random.random(score.size) < np.where(number >= TURN, 1 - score, score)
    ids = [f"r{place}" for place in range(score.size)]
    return pd.DataFrame({"request_id": ids, "number": number, "score": score, "label": truth.astype(int)})


@pytest.fixture(scope="module")
def tables(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    root = tmp_path_factory.mktemp("bare")
    for number, part in rows.groupby("number"):
        day = FIRST + timedelta(days=int(number))
        _write(part.assign(ts=f"{day} 10:00:00")[["request_id", "ts", "score"]], root / "predictions" / f"{day}.csv")
        _write(part[["request_id", "label"]], root / "labels" / f"{day + timedelta(days=1)}.csv")
    (root / "bare.yaml").write_text(
        f"model: bare\nstart: {FIRST}\n"
        f"predictions: {{path: '{root}/predictions/{{day}}.csv'}}\n"
        f"labels: {{path: '{root}/labels/{{day}}.csv', ages: [1]}}\n",
        encoding="utf-8",
    )
    spec = load_spec(root / "bare.yaml", {})
    period = Period(FIRST, FIRST + timedelta(days=DAYS - 1))
    done = list(run(spec, period, root / "home", STAGE_NAMES))
    assert done[-1].rows == {"pages": DAYS}
    with open_warehouse(root / "home", "bare") as warehouse:
        return {name: warehouse.read(name) for name in ("metrics", "incidents")}


def _write(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)


def test_accuracy_and_auc_are_those_of_the_rows(tables: dict[str, pd.DataFrame], rows: pd.DataFrame) -> None:
    last = rows[rows["number"] == DAYS - 2]
    made = tables["metrics"]
    made = made[(made["day"] == pd.Timestamp(FIRST + timedelta(days=DAYS - 2))) & (made["label_age"] == 1)]
    figures = made[(made["segment"] == "all") & (made["version"] == "all")].set_index("metric")["value"]
    assert figures["accuracy"] == pytest.approx(accuracy_score(last["label"], last["score"] >= 0.5), abs=1e-12)
    assert figures["roc_auc"] == pytest.approx(roc_auc_score(last["label"], last["score"]), abs=2e-3)


def test_what_turns_is_one_incident_without_a_single_rule_in_the_spec(tables: dict[str, pd.DataFrame]) -> None:
    opened = tables["incidents"].query("state == 'opened'")
    assert opened["night"].dt.date.tolist() == [FIRST + timedelta(days=TURN + 1)]
    assert "accuracy" in opened["title"].iloc[0]
