"""Ten days of a kiosk with everything on: two versions, a shadow, corrections, clicks, gaps in the price, groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tests.kiosk import Kiosk, day

if TYPE_CHECKING:
    from pathlib import Path

LAST, CHANGE, SILENT = 10, 6, 4
"""Days; the first of v2; the day without any delivery of predictions."""
AGES = (1, 3)


def rows_of(seed: int = 4) -> pd.DataFrame:
    """One row a prediction: what was delivered, its last label and outcome, and the days on which each became
    known."""
    random = np.random.default_rng(seed)
    n = 90 * LAST
    rows = pd.DataFrame({"number": random.integers(1, LAST + 1, n)})
    rows = rows[rows["number"] != SILENT].sort_values("number", ignore_index=True)
    n = len(rows)
    rows["id"] = [f"id-{place}" for place in range(n)]
    rows["version"] = np.where(rows["number"] < CHANGE, "v1", "v2")
    truth = random.random(n)
    rows["score"] = np.clip(truth + random.normal(0, 0.15, n), 0, 1).round(3)
    rows["other_score"] = np.clip(truth + random.normal(0, 0.3, n), 0, 1).round(3)
    for name in ("", "other_"):
        rows[f"{name}decision"] = (rows[f"{name}score"] > 0.5).astype(int)
    rows["label"] = (random.random(n) < truth).astype(int)
    rows["label_age"] = random.choice([0, 1, 2, 3, 8], n)
    rows["first_label"] = np.where(random.random(n) < 0.1, 1 - rows["label"], rows["label"])
    rows["outcome_age"] = random.choice([0, 1, 2], n)
    rows["converted"] = (random.random(n) < 0.2 + 0.3 * rows["decision"]).astype(int)
    rows["clicked"] = (random.random(n) < 0.6).astype(int)
    rows["revenue"] = rows["converted"] * random.integers(1, 900, n) / 8
    rows["country"] = random.choice(["DE", "FR"], n)
    rows["device"] = random.choice(["phone", "desk", "kiosk"], n, p=[0.5, 0.4, 0.1])
    rows["price"] = np.where(
        random.random(n) < 0.05 + 0.3 * (rows["number"] > 8), np.nan, random.normal(3, 1, n).round(2)
    )
    return rows


def a_kiosk(root: Path, rows: pd.DataFrame, **changes: Any) -> Kiosk:
    """Deliver the rows; a first label that is wrong is corrected a day after it became known."""
    kiosk = Kiosk(root)
    kiosk.reference()
    columns = {"version": "model_version", "decision": "decision"}
    kiosk.changes = {
        "others": [{"path": f"{root}/shadow/{{day}}.csv", "role": "shadow", "columns": columns}],
        "labels": {"path": f"{root}/labels/{{day}}.csv", "ages": list(AGES)},
        "outcomes": {
            "path": f"{root}/outcomes/{{day}}.csv",
            "columns": {"value": "revenue", "clicked": "clicked"},
            "ages": [1],
        },
        "segments": ["country", "device"],
        "crossed": [["country", "device"]],
        "protected": ["country", "device"],
        "fairness_days": 4,
        "comparison_days": 3,
        "min_rows": 5,
        "detection": {"recent_days": 7, "recent_gap": 1},
    } | changes
    for number, today in rows.groupby("number"):
        given = {name: today[name].to_numpy() for name in ("country", "device", "price")}
        ids, version = today["id"].to_list(), today["version"].to_numpy()
        kiosk.predict(
            int(number), ids, score=today["score"], decision=today["decision"], model_version=version, **given
        )
        if number >= CHANGE:
            usual = {"request_id": ids, "ts": f"{day(int(number))} 12:00:00", "model_version": "v1"}
            shadow = usual | {"score": today["other_score"].to_numpy(), "decision": today["other_decision"].to_numpy()}
            kiosk.write("shadow", int(number), pd.DataFrame(shadow | given))
    first = rows.assign(known=rows["number"] + rows["label_age"], told=rows["first_label"])
    again = first[first["first_label"] != first["label"]]
    known = pd.concat([first, again.assign(known=again["known"] + 1, told=again["label"])])
    told = rows.assign(known=rows["number"] + rows["outcome_age"])
    for number in range(1, LAST + 1):
        mine = known[known["known"] == number]
        kiosk.write("labels", number, pd.DataFrame({"request_id": mine["id"], "label": mine["told"]}))
        paid = told.loc[told["known"] == number, ["id", "converted", "clicked", "revenue"]]
        kiosk.write("outcomes", number, paid.rename(columns={"id": "request_id"}))
    return kiosk


def known_by(rows: pd.DataFrame, age: int) -> pd.DataFrame:
    """The rows labelled within the age, with the label as it was known then."""
    labelled = rows[rows["label_age"] <= age]
    return labelled.assign(label=labelled["label"].where(labelled["label_age"] + 1 <= age, labelled["first_label"]))
