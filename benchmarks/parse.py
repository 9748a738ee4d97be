"""How long Airflow takes to parse the DAG folder, by the number of models.

    python -m benchmarks.parse

Each size is parsed in processes of its own, as Airflow's DAG processor does, three times each in turns; the least
of three, on the clock and in CPU. Importing Airflow itself is taken apart, because the processor has done it once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
SIZES = (0, 1, 10, 50)
ROUNDS = 3
ONE = """
import json, os, sys, time
from pathlib import Path
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
clock, cpu = time.perf_counter(), time.process_time()
bag = DagBag(collect_dags=False)
for path in sorted(Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).glob("*.py")):
    if path.name not in Path(path.parent, ".airflowignore").read_text().splitlines():
        bag.process_file(str(path))
parsed, parsed_cpu = time.perf_counter() - clock, time.process_time() - cpu
for dag in bag.dags.values():
    DagSerialization.to_dict(dag)
assert not bag.import_errors, bag.import_errors
print("RESULT " + json.dumps({
    "dags": len(bag.dags), "tasks": sum(len(dag.tasks) for dag in bag.dags.values()), "clock": parsed,
    "cpu": parsed_cpu, "stored": time.perf_counter() - clock - parsed,
}))
"""


def parse(models: Path) -> dict[str, float]:
    """What one process finds and how long it takes, for a folder of specs."""
    with tempfile.TemporaryDirectory() as home:
        settings = {
            "PYTHONPATH": str(PROJECT), "NIGHTJAR_MODELS": str(models), "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "dags" / "plugins"),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", ONE], env=os.environ | settings, capture_output=True, text=True, check=True
        )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return json.loads(line.removeprefix("RESULT "))


def write_models(folder: Path, n: int) -> Path:
    """`n` copies of the shipped spec of the hotel, the longest of them, under names of their own."""
    text = (PROJECT / "dags" / "models" / "hotel_cancellation.yaml").read_text(encoding="utf-8")
    folder.mkdir()
    for number in range(n):
        named = text.replace("\nmodel: hotel_cancellation\n", f"\nmodel: hotel_{number}\n")
        (folder / f"hotel_{number}.yaml").write_text(named, encoding="utf-8")
    return folder


def main() -> None:
    """Measure every size in turns and print a table."""
    with tempfile.TemporaryDirectory() as root:
        folders = {n: write_models(Path(root) / str(n), n) for n in SIZES}
        found: dict[int, list[dict[str, float]]] = {n: [] for n in SIZES}
        for _ in range(ROUNDS):
            for n, folder in folders.items():
                found[n].append(parse(folder))
    print("| models | DAGs | tasks | parsed, s | CPU s | stored, s |\n|---|---|---|---|---|---|")
    for n, rounds in found.items():
        least = {name: min(one[name] for one in rounds) for name in rounds[0]}
        figures = " | ".join(f"{least[name]:.2f}" for name in ("clock", "cpu", "stored"))
        print(f"| {n} | {least['dags']:.0f} | {least['tasks']:.0f} | {figures} |")


if __name__ == "__main__":
    main()
