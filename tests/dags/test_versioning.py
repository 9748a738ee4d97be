"""Airflow keeps a version of a DAG for each serialised form: the same spec must give the same, a changed one another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.dags.conftest import PROJECT, TINY

if TYPE_CHECKING:
    from pathlib import Path

HASHES = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.models.serialized_dag import SerializedDagModel
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(collect_dags=False)
for name in sys.argv[1:]:
    bag.process_file(name)
assert not bag.import_errors, bag.import_errors
print("RESULT " + json.dumps({
    dag_id: SerializedDagModel.hash(DagSerialization.to_dict(dag)) for dag_id, dag in bag.dags.items()
}))
"""
FILES = ("monitor.py", "retrain.py", "switch.py", "watch.py", "bulk.py")


def hashes(*files: str, seed: str = "0") -> dict[str, str]:
    """What Airflow compares to tell whether a DAG has changed; sets of strings are ordered by the seed."""
    done = subprocess.run(
        [sys.executable, "-c", HASHES, *(str(PROJECT / "dags" / name) for name in files)],
        env=os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONHASHSEED": seed},
        capture_output=True, text=True, check=True, cwd=PROJECT,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    found: dict[str, str] = json.loads(line.removeprefix("RESULT "))
    return found


def test_parsed_again_by_another_process_no_dag_has_changed(models: Path) -> None:
    (models / "broken.yaml").write_text("model: broken\npredictionz: x\n", encoding="utf-8")
    first = hashes(*FILES, seed="1")
    assert {"monitor_good", "monitor_broken", "retrain", "nightjar_watch"} <= set(first)
    assert hashes(*FILES, seed="2") == first


def test_a_changed_spec_makes_a_version_where_the_dag_is_another_and_only_of_its_own_dag(models: Path) -> None:
    (models / "other.yaml").write_text(TINY.format(model="other", zone="UTC"), encoding="utf-8")
    path = models / "good.yaml"
    text = path.read_text(encoding="utf-8")
    before = hashes("monitor.py")
    path.write_text(text + "mail: {to: [a@example.org]}\n", encoding="utf-8")
    assert hashes("monitor.py") == before  # a task reads that when it runs
    path.write_text(text.replace("04:30", "04:45"), encoding="utf-8")
    after = hashes("monitor.py")
    assert after["monitor_good"] != before["monitor_good"]
    assert after["monitor_other"] == before["monitor_other"]
