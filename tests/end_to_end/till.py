"""A made model, `till`, whose newest two days drift so far that its night asks for a retraining.

Its labels follow the payment, which its scores know nothing of: a candidate that learns from them is much better.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 36
PER_DAY = 120
SPEC = """\
model: till
description: Written by a test.
owner: tests
timezone: {zone}
start: {first}
predictions: {{path: "{root}/predictions/{{day}}.csv", columns: {{decision: decision}}}}
labels: {{path: "{root}/labels/{{day}}.csv", ages: [1]}}
features: {{amount: numeric, payment: categorical}}
reference: {{window: {{first: {first}, last: {last_reference}}}}}
detection: {{metrics: []}}
rules:
  - {{metric: psi, above: 0.3, nights: 2, severity: critical, action: retrain}}
actions: {{retrain: {{min_labels: 200}}}}
mail: {{to: [team@example.org], when: always}}
schedule: {{at: "00:00", retries: 1}}
"""


def zone_where_it_is_noon(now: datetime) -> str:
    """A zone whose day does not end while the test runs. (`Etc/GMT-3` is three hours east of UTC.)"""
    east = 12 - now.astimezone(UTC).hour
    return "UTC" if east == 0 else f"Etc/GMT{-east:+d}"


def write(root: Path, models: Path, newest: date, zone: str, n_days: int = DAYS, drifted: int = 2) -> None:
    """Its spec in `models` and its deliveries up to `newest` below `root`; labels come on the day after.

    The newest `drifted` days have drifted; the second of them asks for a retraining.
    """
    first = newest - timedelta(days=n_days - 1)
    spec = SPEC.format(zone=zone, first=first, last_reference=first + timedelta(days=27), root=root)
    for folder in (models, root / "predictions", root / "labels"):
        folder.mkdir(parents=True, exist_ok=True)
    (models / "till.yaml").write_text(spec, encoding="utf-8")
    (models / "desk.yaml").write_text(_asking(spec), encoding="utf-8")
    for number in range(n_days):
        day = first + timedelta(days=number)
        rows = _rows(day, drifted=number >= n_days - drifted)
        rows.drop(columns="label").to_csv(root / "predictions" / f"{day}.csv", index=False)
        known = day + timedelta(days=1)
        rows[["request_id", "label"]].to_csv(root / "labels" / f"{known}.csv", index=False)


def _asking(spec: str) -> str:
    """The same as model `desk`: a person must approve twice, and mails go through an Airflow connection."""
    asking = spec.replace("model: till", "model: desk").replace("min_labels: 200", "min_labels: 200, approval: true")
    return asking.replace("when: always", "when: always, connection: night_post") + "retraining: {approval: true}\n"


def _rows(day: date, *, drifted: bool) -> pd.DataFrame:
    made = np.random.default_rng(day.toordinal())
    amount = made.normal(60 if drifted else 20, 5, PER_DAY)
    score = 1 / (1 + np.exp(-made.normal(size=PER_DAY)))
    payment = made.choice(["card", "cash"], PER_DAY)
    return pd.DataFrame(
        {
            "request_id": [f"{day}-{number}" for number in range(PER_DAY)],
            "ts": f"{day} 12:00:00",
            "score": score,
            "decision": (score >= 0.5).astype(int),
            "amount": amount,
            "payment": payment,
            "label": made.binomial(1, np.where(payment == "card", 0.95, 0.05)),
        }
    )
