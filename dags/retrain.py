"""Train a candidate when a model's night asks for it; promote it only when it passes every gate.

### At night
- Red `check`: the run was started with a payload that cannot be used; the log names each fault. Nothing was done.
- Pink from `collect`, `train`, `evaluate`, `register` or `promote` on: refused. The first pink task's log says why, and
  `candidates/<model>/<key>/evaluation.md` has every figure. The champion stays; there is nothing to repair.
- Red `collect` ... `promote`: that stage broke, after retries. The champion stays; clear it when the reason is gone.
- `approve` waits for a person: open it and answer. Red: nobody did in three days; clear it to ask again.
- Green `promote`: the alias `champion` names the candidate; `nightjar_newcomers` watches it from now on.

One decision starts one run: its run id is the decision's key, and the registry has one version for one key. To try
again, clear this run from `collect` on; start no other. By hand: trigger it with `model` and `reason`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, chain, task
from airflow.sdk import timezone as airflow_clock
from airflow.sdk.exceptions import AirflowSkipException

from dags.approving import Question, kept
from dags.catalogue import home
from dags.handover import post_of, sentences
from dags.payload import DEFAULTS, asked, checked, form
from jobs.errors import NightjarError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

    from jobs.spec import ModelSpec

LOG = logging.getLogger(__name__)
STAGES = ("collect", "train", "evaluate", "register")


@task
def check(**context: Any) -> dict[str, Any]:
    """Refuse a payload that cannot be used; returns it with a key."""
    return checked("retrain", context)


@task(max_active_tis_per_dag=1)  # one training at a time: two would not fit beside a night on a small machine
def run_one(stage: str, payload: Mapping[str, Any]) -> str:
    """One stage; returns what it says, and skips what follows where it refuses."""
    from jobs.engine.registry import open_registry
    from jobs.retraining import pipeline

    with sentences():
        spec, request = asked(payload)
        outcome = getattr(pipeline, stage)(spec, request, home(), open_registry(home()))
    return _told(spec, outcome)


@task
def make_champion(payload: Mapping[str, Any]) -> str:
    """Move the alias, unless the champion has changed since the comparison."""
    from jobs.engine.registry import open_registry
    from jobs.retraining import pipeline

    with sentences():
        spec, request = asked(payload)
        outcome = pipeline.promote(spec, request, home(), open_registry(home()), airflow_clock.utcnow())
    return _told(spec, outcome)


def _told(spec: ModelSpec, outcome: Any) -> str:
    """What a stage says; how the candidate ended is told over the spec's channels, now or by `nightjar_newcomers`."""
    from jobs.engine.registry import open_registry
    from jobs.retraining import heard

    if outcome.state != "passed":
        try:
            heard.tell(spec, home(), open_registry(home()), airflow_clock.utcnow(), post_of(spec))
        except NightjarError as error:
            LOG.warning("%s", error)
    if outcome.state not in ("passed", "promoted"):
        raise AirflowSkipException(str(outcome))
    LOG.info("%s", outcome)
    return str(outcome)


class ApproveCandidate(Question):
    """Park until a person approves the candidate, where the spec or the evaluation asks for one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(subject="a candidate waits", **kwargs)

    def execute(self, context: Context) -> Any:
        """Ask, unless nobody needs to be asked or a person has answered before."""
        from jobs.engine.registry import of_key, open_registry
        from jobs.retraining import pipeline
        from jobs.retraining.folder import PAGE, folder_of, read_notes

        if event := kept(context):
            return self.conclude(context, event)
        with sentences():
            spec, request = asked(context["ti"].xcom_pull(task_ids="check"))
            version = of_key(open_registry(home()).versions(spec.model), request.key)
        folder = folder_of(home(), request)
        if version is None or not pipeline.waits(spec, version) or read_notes(folder).get("answer"):
            return None
        self.subject = f"{version} of {spec.model} wants to be champion"
        self.body = (folder / PAGE).read_text(encoding="utf-8")
        return super().execute(context)

    def write_down(self, context: Context, person: str, *, approved: bool) -> None:
        """Beside the candidate; a rejected one is refused at once."""
        from jobs.engine.registry import open_registry
        from jobs.retraining import pipeline

        with sentences():
            spec, request = asked(context["ti"].xcom_pull(task_ids="check"))
            pipeline.answer(home(), request, person, approved=approved)
            if not approved:
                pipeline.promote(spec, request, home(), open_registry(home()), airflow_clock.utcnow())


with DAG(
    "retrain",
    description="Train a candidate, hold it against the champion, promote it if every gate is passed",
    schedule=None,
    max_active_runs=10,
    is_paused_upon_creation=False,
    params=form("retrain"),
    default_args=DEFAULTS,
    doc_md=__doc__,
    tags=["nightjar", "retrain"],
):
    _payload: Any = check()
    chain(
        _payload,
        *(run_one.override(task_id=stage)(stage, _payload) for stage in STAGES),
        ApproveCandidate(task_id="approve"),
        make_champion.override(task_id="promote")(_payload),
    )
