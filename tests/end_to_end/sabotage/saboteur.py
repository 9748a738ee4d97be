"""A plugin of the tests' own Airflow: in a task that a plan names, at its first try, the worst happens in the middle.

The plan is the JSON file that NIGHTJAR_TEST_PLAN names, `{"dag/task": "kill" or "fill"}`. What has happened is
noted beside it, so that it happens once.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from functools import wraps
from pathlib import Path
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

HERE = sys.modules[__name__]


@hookimpl
def on_task_instance_running(previous_state: Any, task_instance: Any) -> None:
    """Called in the task's own process before its work begins."""
    plan = Path(os.environ["NIGHTJAR_TEST_PLAN"])
    what = f"{task_instance.dag_id}/{task_instance.task_id}"
    how = json.loads(plan.read_text(encoding="utf-8")).get(what)
    note = plan.with_name(what.replace("/", "."))
    if how is None or note.exists():
        return
    owner, name = middle_of(task_instance.task_id)
    real = getattr(owner, name)

    @wraps(real)
    def planted(*given: Any, **named: Any) -> Any:
        before = task_instance.task_id in {"publish", "deliver"}
        answer = None if before else real(*given, **named)
        note.write_text(f"{how} {os.getpid()}", encoding="utf-8")
        if how == "kill":
            if task_instance.task_id == "publish":  # a part of the copy is there
                Path(given[1]).write_bytes(Path(given[0]).read_bytes()[:5000])
            os.kill(os.getpid(), signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # from here on nothing can be written
        return real(*given, **named) if before else answer

    setattr(owner, name, planted)


def middle_of(task: str) -> tuple[Any, str]:
    """What is called in the middle of a task: after it a transaction is open, or a message or a copy is not yet made."""
    if task == "report":
        import jobs.stages.report as owner

        return owner, "write"
    if task == "publish":
        import shutil

        return shutil, "copyfile"
    if task == "deliver":
        from jobs.engine import smtp

        return smtp, "send"
    from jobs.engine.warehouse import Warehouse

    return Warehouse, "insert"


class Saboteur(AirflowPlugin):
    """Picked up from the plugins folder that the test makes."""

    name = "saboteur"
    listeners = [HERE]  # noqa: RUF012 - Airflow's own way to declare them
