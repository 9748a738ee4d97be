"""What all tests with a whole Airflow share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

collect_ignore = ["doorkeeper.py"]  # an auth manager, loaded by Airflow's API server with its own settings


@pytest.fixture(scope="session", autouse=True)
def dag_files_are_seldom_read_again() -> Iterator[None]:
    """They stay as they are, and reading all of them every few seconds takes most of a core from the nights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL", "60")
        yield
