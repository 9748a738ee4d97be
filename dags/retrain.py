"""Train and measure a candidate when a model's night asks for it.

### At night
- Red `check`: the run was started with a payload that cannot be used; the log names each fault. Nothing was
  trained.
- Red `train`: too few labelled rows, or one class only; the log says how many are needed. Clear it when more have
  come.
- Green: `candidates/<model>/<key>/evaluation.json` sets the candidate beside the champion, on the same later
  rows. Nothing is deployed.

One decision starts one run: its run id is the decision's key. To try again, clear this run; start no other.
By hand: trigger it with `model` and `reason`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from dags.catalogue import home, spec_of
from dags.handover import sentences


@task
def check(**context: Any) -> dict[str, Any]:
    """Refuse a payload that cannot be used; returns it with a key."""
    from jobs.retraining import parse_request

    asked = dict(context["params"])
    payload = {name: value for name, value in asked.items() if value is not None}
    payload.setdefault("key", context["run_id"])
    with sentences():
        spec_of(parse_request(payload).model)
    return payload


@task
def train(payload: dict[str, Any]) -> str:
    """Train and measure; returns the candidate's folder."""
    from jobs.retraining import parse_request, retrain

    with sentences():
        request = parse_request(payload)
        return str(retrain(spec_of(request.model), request, home()))


with DAG(
    "retrain",
    description="Train a candidate and measure it beside the champion",
    schedule=None,
    max_active_runs=10,
    is_paused_upon_creation=False,
    params={
        "version": Param(1, type="integer", description="Of this payload."),
        "model": Param("", type="string", description="Which model."),
        "reason": Param("", type="string", description="Why, in a sentence."),
        "action": Param("retrain", const="retrain", description="What the decision asks for."),
        "incident": Param(None, type=["null", "string"], description="The incident behind it."),
        "night": Param(None, type=["null", "string"], format="date", description="No label known later is used."),
        "metrics": Param([], type="array", items={"type": "object"}, description="The incident's evidence."),
        "days": Param(None, type=["null", "object"], description="First and last day of the evidence."),
        "versions": Param({}, type="object", description="The current version and the one before."),
        "key": Param(None, type=["null", "string"], description="Names the candidate; empty: the run's id."),
    },
    default_args={
        "owner": "nightjar",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=15),
        "execution_timeout": timedelta(hours=2),
    },
    doc_md=__doc__,
    tags=["nightjar", "retrain"],
):
    train(check())  # type: ignore[arg-type]
