"""A login where one user may read one DAG only; the API server under test loads it in place of Airflow's simple one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

from tests.end_to_end.people import CLERK, CLERKS_DAG

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser


class Doorkeeper(SimpleAuthManager):
    """As Airflow's, but the clerk reads the one DAG."""

    def is_authorized_dag(
        self, *, user: SimpleAuthManagerUser, details: DagDetails | None = None, **asked: Any
    ) -> bool:
        """Whether a user may do something with a DAG."""
        other = details is not None and details.id not in (None, CLERKS_DAG)
        if user.username == CLERK and other:
            return False
        return super().is_authorized_dag(user=user, details=details, **asked)
