"""What the DAGs that carry out an action share: the form of their payload, and how they read it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from dags.catalogue import spec_of
from dags.handover import sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.retraining.request import Request
    from jobs.spec import ModelSpec

DEFAULTS: dict[str, Any] = {
    "owner": "nightjar",
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=2),
}


def form(action: str) -> dict[str, Param]:
    """The payload of a decision as parameters; by hand, `model` and `reason` are enough."""
    return {
        "version": Param(1, type="integer", description="Of this payload."),
        "model": Param("", type="string", description="Which model."),
        "reason": Param("", type="string", description="Why, in a sentence."),
        "action": Param(action, const=action, description="What the decision asks for."),
        "incident": Param(None, type=["null", "string"], description="The incident behind it."),
        "night": Param(None, type=["null", "string"], format="date", description="No label known later is used."),
        "metrics": Param([], type="array", items={"type": "object"}, description="The incident's evidence."),
        "days": Param(None, type=["null", "object"], description="First and last day of the evidence."),
        "versions": Param({}, type="object", description="The current version and the one before."),
        "key": Param(None, type=["null", "string"], description="Names the request; empty: the run's id."),
    }


def checked(action: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """The run's payload, with a key; refuses one that cannot be used."""
    from jobs.retraining.request import parse_request

    payload = {name: value for name, value in dict(context["params"]).items() if value is not None}
    payload.setdefault("key", context["run_id"])
    with sentences():
        spec_of(parse_request(payload, action).model)
    return payload


def asked(payload: Mapping[str, Any], action: str = "retrain") -> tuple[ModelSpec, Request]:
    """The model's spec as it is now, and the request of a checked payload."""
    from jobs.retraining.request import parse_request

    request = parse_request(payload, action)
    return spec_of(request.model), request
