"""How a night asks for an action: a person's approval where the spec wants one, a DAG run, an asset event.

The run id of what is started is the decision's own key, so a re-run, a cleared task or a second worker finds the run
already there. Why not an asset: `docs/decisions/005-retrain-exactly-once.md`; assets tell whoever listens besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Asset, AssetAlias
from airflow.sdk import timezone as airflow_clock
from airflow.sdk.exceptions import AirflowSkipException

from dags.approving import Question, kept
from dags.catalogue import home
from dags.handover import night_of, sentences, speaking_night_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow.sdk import Context

    from jobs.spec import ModelSpec

ACTIONS = ("rollback", "fallback", "retrain")
ASKED = "asked"
"""The XCom in which a payload waits to be recorded."""


def dag_for(spec: ModelSpec, action: str) -> str | None:
    """The DAG that an action starts; None where a webhook, a command or nobody takes it."""
    policy = getattr(spec.actions, action)
    if policy.webhook is not None or policy.command is not None:
        return None
    return policy.dag or ("retrain" if action == "retrain" else None)


def asset_of(model: str, action: str) -> Asset:
    """What other DAGs may be scheduled on."""
    return Asset(name=f"nightjar_{model}_{action}", uri=f"nightjar://{model}/{action}")


def alias_of(model: str) -> AssetAlias:
    """Under which a model's events are emitted: an alias, so that only those that are due are."""
    return AssetAlias(f"nightjar_{model}_actions")


class AskForAction(TriggerDagRunOperator):
    """Start the action's DAG where the night requested one that nobody has started yet; skip where it did not."""

    def __init__(self, *, model: str, action: str, **kwargs: Any) -> None:
        super().__init__(logical_date=None, skip_when_already_exists=True, **kwargs)
        self.model = model
        self.action = action

    def execute(self, context: Context) -> None:
        """Take the payload from the outbox and let the parent start the run."""
        payload = due(self.model, self.action, context)
        if payload is None:
            raise AirflowSkipException(f"nothing asks for a {self.action} that was not started before")
        context["ti"].xcom_push(key=ASKED, value=payload)
        self.trigger_run_id = payload["run_id"]
        self.conf = {name: value for name, value in payload.items() if name != "run_id"}
        super().execute(context)


class Approve(Question):
    """Park until a person approves or rejects a request; skip where there is none. The answer goes into the ledger."""

    def __init__(self, *, model: str, action: str, **kwargs: Any) -> None:
        super().__init__(subject=f"{action} of {model}", **kwargs)
        self.model = model
        self.action = action

    def execute(self, context: Context) -> Any:
        """Ask, unless the request was answered before."""
        from jobs.offering import request_due

        if event := kept(context):
            return self.conclude(context, event)
        with sentences():
            spec, day, _ = speaking_night_of(self.model, context)
            payload, answer = request_due(spec, self.action, day, home())
        if payload is None or answer == "rejected":
            raise AirflowSkipException(f"no {self.action} waits for approval")
        if answer == "approved":
            return None
        self.subject = f"{self.action} of {self.model}: {payload['reason']}"  # set here, it is never read as a template
        self.body = as_markdown(payload)
        return super().execute(context)

    def write_down(self, context: Context, person: str, *, approved: bool) -> None:
        """Into the model's ledger, for which this waits until the file is free."""
        from jobs.offering import answer_request

        with sentences():
            spec, day = night_of(self.model, context)
            answer_request(spec, self.action, day, home(), person, approved=approved)


def as_markdown(payload: Mapping[str, Any]) -> str:
    """What a person needs to decide: incident, figures, versions."""
    rows = [
        f"| {one['metric']} | {one['feature'] or one['segment']} | {one['day']} | {one['value']} | {one['expected']} |"
        for one in payload["metrics"]
    ]
    head = ["| metric | of | day | value | expected |", "|---|---|---|---|---|"]
    versions = payload["versions"]
    return "\n".join(
        [f"Incident `{payload['incident']}`, night {payload['night']}.", "", *head, *rows, "",
         f"Version now: {versions['current']}; before: {versions['previous']}."]
    )  # fmt: skip


def due(model: str, action: str, context: Mapping[str, Any]) -> dict[str, Any] | None:
    """The payload to start an action with, with its `run_id`; skips where this run must start nothing.

    An approved request is due whenever the approval came, while its incident lasts and the version answers that it is
    about; what came too late is given up, with the reason. Only the newest night could ask for it.
    """
    from jobs.offering import action_due, given_up, request_due

    with sentences():
        spec, day = night_of(model, context)
        if getattr(spec.actions, action).approval:
            payload, answer = request_due(spec, action, day, home())
            if payload is None and (reason := given_up(spec, action, day, home())):
                raise AirflowSkipException(reason)
            return payload if answer == "approved" else None
        spec, day, newest = speaking_night_of(model, context)
        return action_due(spec, action, day, home(), newest)


def hand_to_consumer(model: str, action: str, context: Mapping[str, Any]) -> str:
    """Hand a request to the spec's webhook or command; skips where there is none."""
    from jobs.offering import hand_to_consumers

    with sentences():
        spec, day = night_of(model, context)
        if not getattr(spec.actions, action).approval:
            speaking_night_of(model, context)
        return hand_to_consumers(spec, day, home(), day)


def record_asked(model: str, context: Mapping[str, Any], asked_by: tuple[str, ...]) -> None:
    """Note in the ledger what the tasks `asked_by` have asked for; skips the task where they asked for nothing."""
    from jobs.offering import record

    found = {action: context["ti"].xcom_pull(task_ids=action, key=ASKED) for action in asked_by}
    asked = {action: payload for action, payload in found.items() if payload}
    if not asked:
        raise AirflowSkipException("nothing was asked for")
    with sentences():
        spec, day = night_of(model, context)
        for action, payload in asked.items():
            answer = f"started the run {payload['run_id']} of {dag_for(spec, action)}"
            record(spec, home(), payload["key"], action, day, airflow_clock.utcnow(), answer)


def announce(model: str, context: Mapping[str, Any], asked: Collection[str]) -> None:
    """Emit an asset event for each request of the night for the actions `asked`, once; skips the task without one.

    Where a person approved it, the night may have become an old one meanwhile.
    """
    from jobs.offering import to_announce

    with sentences():
        spec, day = night_of(model, context)
        if not all(getattr(spec.actions, action).approval for action in asked):
            speaking_night_of(model, context)
        payloads = to_announce(spec, day, home(), airflow_clock.utcnow(), asked)
    if not payloads:
        raise AirflowSkipException("nothing was requested that was not announced before")
    for payload in payloads:
        event = context["outlet_events"][alias_of(model)]
        event.add(asset_of(model, payload["action"]), extra=payload)
