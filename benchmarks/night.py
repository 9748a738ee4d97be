"""What Airflow adds to a night: wall time of a whole one, and the overhead of each task.

    python -m benchmarks.night

A real local Airflow (PostgreSQL, LocalExecutor) runs the made model `till` of the end-to-end tests: its first night
with 36 days of history, then the newest night again, three times. Beside it the same night by the command line.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.end_to_end.house import NIGHT, house

if TYPE_CHECKING:
    from tests.end_to_end.house import House

ROUNDS = 3


def main() -> None:
    """Measure and print a table."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nightjar-bench-") as folder, house(made(folder), drifted=0) as running:
        ready = time.monotonic() - began
        running.rest.switch_on(NIGHT)
        while not (runs := running.runs()):
            time.sleep(0.5)
        first = measured(running, runs[0]["dag_run_id"])
        again = [measured(running, run_again(running)) for _ in range(ROUNDS)]
        alone = [by_the_command_line(running) for _ in range(ROUNDS)]
    least = min(again, key=lambda one: one["wall"])
    print(f"Airflow ready with its DAGs after {ready:.0f} s")
    print("| | wall, s | tasks that ran | in tasks, s | between tasks, s each |\n|---|---|---|---|---|")
    for name, one in (("first night, 36 days of history", first), ("one night", least)):
        between = (one["wall"] - one["busy"]) / one["tasks"]
        print(f"| {name} | {one['wall']:.1f} | {one['tasks']:.0f} | {one['busy']:.1f} | {between:.2f} |")
    print(f"| the same night by `nightjar run` | {min(alone):.1f} | | | |")
    print(f"overhead per task: {(least['wall'] - min(alone)) / least['tasks']:.2f} s")
    print(f"median duration of a task: {statistics.median(least['durations']):.2f} s")


def made(folder: str) -> Path:
    """A folder below, so that opening its parents to the user postgres does not reach above the temporary one."""
    root = Path(folder) / "night" / "airflow"
    root.mkdir(parents=True)
    return root


def run_again(running: House) -> str:
    """The newest night once more, started by hand."""
    return running.rest.trigger(NIGHT, None, {"day": str(running.newest)})


def measured(running: House, run_id: str) -> dict[str, Any]:
    """Wall time of a run, and the durations of the tasks that ran."""
    state = running.rest.wait_for(NIGHT, run_id, 600)
    if state != "success":
        raise SystemExit(f"{run_id}: {state}: {running.rest.states(NIGHT, run_id)}")
    run = running.rest.run(NIGHT, run_id)
    path = f"/api/v2/dags/{NIGHT}/dagRuns/{run_id.replace('+', '%2B')}/taskInstances?limit=100"
    ran = [one for one in running.rest.get(path)["task_instances"] if one["duration"]]
    durations = [float(one["duration"]) for one in ran]
    wall = (moment(run["end_date"]) - moment(run["start_date"])).total_seconds()
    return {"wall": wall, "tasks": len(ran), "busy": sum(durations), "durations": durations}


def moment(text: str) -> datetime:
    """A moment as Airflow writes it."""
    return datetime.fromisoformat(text)


def by_the_command_line(running: House) -> float:
    """Seconds of the night's stages and its published copy in one process without Airflow."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "jobs", "run", "till", "--day", str(running.newest)],
        env=os.environ | {"NIGHTJAR_HOME": str(running.home), "NIGHTJAR_MODELS": str(running.models)},
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.monotonic() - began


if __name__ == "__main__":
    main()
