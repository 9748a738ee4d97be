"""A night that is not over when it should be: told at that hour, where the model's critical incidents are told.

Airflow calls `tell` in a process of its own. `nightjar_watch` finds the same gap at noon; what one of them has told the
other does not tell again, because both note it under one key.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import timezone as airflow_clock
from airflow.sdk.definitions.callback import (
    SyncCallback,
)  # airflow.sdk offers these three too, but not to type checkers
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from dags.catalogue import home, spec_of
from dags.handover import post_of

if TYPE_CHECKING:
    from jobs.spec import ModelSpec

LOG = logging.getLogger(__name__)
GRACE = timedelta(hours=3)
"""As in `jobs.health`, which is too heavy to import where DAGs are parsed; a test holds the two together."""


def deadline_of(spec: ModelSpec) -> DeadlineAlert:
    """The alert of a model's nights, counted from when a run is queued, which for a night is `schedule.at`."""
    return DeadlineAlert(
        name=f"the night of {spec.model}",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=GRACE + (spec.schedule.wait_for_data or timedelta(0)),
        callback=SyncCallback("dags.deadline.tell", kwargs={"model": spec.model}),
    )


def tell(model: str) -> None:
    """Tell of nights that are missing, once. Of a backfill or an old day there is nothing to tell."""
    from jobs.health import tell_late

    spec = spec_of(model)
    for said in tell_late([spec], home(), airflow_clock.utcnow(), post_of(spec)) or ["no night is missing"]:
        LOG.info("%s", said)
