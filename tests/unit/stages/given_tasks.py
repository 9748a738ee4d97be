"""Ten days of a kiosk that decides between three fruits, or predicts a price: two versions, a shadow, corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tests.kiosk import Kiosk, day

if TYPE_CHECKING:
    from pathlib import Path

LAST, CHANGE = 12, 7
"""Days; the first of v2."""
FRUIT = np.array(["apple", "pear", "plum"])
BROKEN = 11
"""The day on which phones in France are answered far worse; neither all phones nor all of France are."""


def rows_of(task: str, seed: int = 8) -> pd.DataFrame:
    """One row a prediction, with what the shadow said of it, its labels and outcomes and when they became known."""
    random = np.random.default_rng(seed)
    n = 160 * LAST
    rows = pd.DataFrame({"number": np.sort(random.integers(1, LAST + 1, n)), "id": [f"id-{one}" for one in range(n)]})
    rows["version"] = np.where(rows["number"] < CHANGE, "v1", "v2")
    rows["country"] = random.choice(["DE", "FR"], n)
    rows["device"] = random.choice(["phone", "desk", "kiosk"], n, p=[0.5, 0.4, 0.1])
    broken = (rows["number"] == BROKEN) & (rows["country"] == "FR") & (rows["device"] == "phone")
    if task == "multiclass":
        rows["label"], wrong = random.choice(FRUIT, n, p=[0.5, 0.3, 0.2]), random.choice(FRUIT, n)
        rows["said"] = np.where((random.random(n) < 0.8) & ~broken, rows["label"], "plum")
        rows["other_said"] = np.where(random.random(n) < 0.6, rows["label"], random.choice(FRUIT, n))
    else:
        rows["label"], wrong = random.normal(100, 30, n).round(2), random.normal(100, 30, n).round(2)
        rows["said"] = (rows["label"] + random.normal(0, 5, n) + 40 * broken).round(2)
        rows["other_said"] = (rows["label"] + random.normal(1, 8, n)).round(2)
    rows["label_age"] = random.choice([0, 0, 1, 1, 1, 1, 1, 1, 1, 2], n)
    rows["first_label"] = np.where((random.random(n) < 0.05) & ~broken, wrong, rows["label"])
    rows["converted"] = (random.random(n) < np.where(rows["number"] < CHANGE, 0.3, 0.45)).astype(int)
    rows["revenue"] = rows["converted"] * random.integers(1, 900, n) / 8
    return rows


def a_kiosk(root: Path, task: str, rows: pd.DataFrame, **changes: Any) -> Kiosk:
    """Deliver the rows; a first label that is wrong is corrected a day after it became known."""
    kiosk, said = Kiosk(root), "decision" if task == "multiclass" else "score"
    kiosk.reference(**({"decision": ["apple", "pear"] * 20} if task == "multiclass" else {"score": [90.0, 110.0] * 20}))
    columns = {"version": "model_version"} | ({"decision": "decision"} if task == "multiclass" else {})
    kiosk.changes = {
        "task": task,
        "predictions": {"path": f"{root}/predictions/{{day}}.csv", "columns": columns},
        "others": [{"path": f"{root}/shadow/{{day}}.csv", "role": "shadow", "columns": columns}],
        "labels": {"path": f"{root}/labels/{{day}}.csv", "ages": [1]},
        "outcomes": {"path": f"{root}/outcomes/{{day}}.csv", "columns": {"value": "revenue"}, "ages": [0]},
        "segments": ["country", "device"],
        "comparison_days": 3,
        "min_rows": 10,
        "detection": {"recent_days": 7, "recent_gap": 1},
    } | changes
    for number, today in rows.groupby("number"):
        same = {name: today[name].to_numpy() for name in ("country", "device")}
        ids, version = today["id"].to_list(), today["version"].to_numpy()
        kiosk.predict(int(number), ids, model_version=version, **{said: today["said"].to_numpy()}, **same)
        if number >= CHANGE:
            usual = {"request_id": ids, "ts": f"{day(int(number))} 12:00:00", "model_version": "v1", "price": 2.0}
            shadow = usual | {said: today["other_said"].to_numpy(), "colour": "red"} | same
            kiosk.write("shadow", int(number), pd.DataFrame(shadow))
        paid = today[["id", "converted", "revenue"]].rename(columns={"id": "request_id"})
        kiosk.write("outcomes", int(number), paid)
    first = rows.assign(known=rows["number"] + rows["label_age"], told=rows["first_label"])
    again = first[first["first_label"] != first["label"]]
    known = pd.concat([first, again.assign(known=again["known"] + 1, told=again["label"])])
    for number, mine in known.groupby("known"):
        kiosk.write("labels", int(number), pd.DataFrame({"request_id": mine["id"], "label": mine["told"]}))
    return kiosk


def known_by(rows: pd.DataFrame, age: int) -> pd.DataFrame:
    """The rows labelled within the age, with the label as it was known then."""
    labelled = rows[rows["label_age"] <= age]
    return labelled.assign(label=labelled["label"].where(labelled["label_age"] + 1 <= age, labelled["first_label"]))
