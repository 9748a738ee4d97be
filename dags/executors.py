"""Whether the executors that Airflow is set to use can call us back when a deadline is missed.

Airflow 3.3.2 hands the callback of a missed deadline to an executor. One that does not know such work (Kubernetes and
others, unless their provider is new enough) raises NotImplementedError in the scheduler, again at each start.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from airflow.configuration import conf
from airflow.executors.executor_loader import ExecutorLoader


def can_be_called_back() -> bool:
    """Whether each executor of `AIRFLOW__CORE__EXECUTOR` takes callbacks."""
    return _take_callbacks(conf.get("core", "executor", fallback="LocalExecutor"))


@cache
def _take_callbacks(configured: str) -> bool:
    """The same of a setting as Airflow takes it: names or module paths, with aliases and teams.

    >>> _take_callbacks("LocalExecutor"), _take_callbacks("mine:LocalExecutor;team=LocalExecutor")
    (True, True)
    >>> _take_callbacks("LocalExecutor,airflow.executors.base_executor.BaseExecutor"), _take_callbacks("NoSuchExecutor")
    (False, False)
    """
    names = [name.strip() for team in configured.split(";") for name in team.rpartition("=")[2].split(",")]
    return all(_takes_callbacks(name.rpartition(":")[2]) for name in names)


def _takes_callbacks(name: str) -> bool:
    try:
        module, _, kind = ExecutorLoader.executors.get(name, name).rpartition(".")
        return bool(getattr(import_module(module), kind).supports_callbacks)
    except Exception:  # noqa: BLE001, RUF100 - whatever keeps it from being looked at, the DAGs must be parsed without it
        return False
