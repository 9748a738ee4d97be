"""What a retraining leaves in `candidates/<model>/<key>/`; every file is whole or not there.

`rows.parquet`: what was learned from and compared on. `model.joblib`: the candidate. `evaluation.json`: every figure,
gate and outcome. `evaluation.md`: the same for people. `features.yaml`: importances as a spec writes them.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from jobs.retraining.wording import as_markdown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jobs.retraining.request import Request

ROWS, MODEL, EVALUATION, PAGE, IMPORTANCES = (
    "rows.parquet", "model.joblib", "evaluation.json", "evaluation.md", "features.yaml",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How far a candidate came, and why no further."""

    stage: str
    state: str
    """passed, refused, waits (for a person), failed (try again) or promoted."""
    reason: str

    @property
    def goes_on(self) -> bool:
        """Whether the next stage may begin."""
        return self.state == "passed"

    def __str__(self) -> str:
        return f"{self.stage}: {self.state}: {self.reason}"


def folder_of(home: Path, request: Request) -> Path:
    """Where a request's candidate is kept."""
    return home / "candidates" / request.model / request.key


def read_notes(folder: Path) -> dict[str, Any]:
    """The evaluation as far as it is written; empty before the first stage."""
    path = folder / EVALUATION
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def note(folder: Path, **changes: Any) -> dict[str, Any]:
    """Add to the evaluation and write its page anew; returns all of it."""
    notes = read_notes(folder) | changes
    text = json.dumps(notes, indent=2, allow_nan=False) + "\n"
    write(folder / EVALUATION, lambda path: path.write_text(text, encoding="utf-8"))
    write(folder / PAGE, lambda path: path.write_text(as_markdown(notes), encoding="utf-8"))
    return notes


def conclude(folder: Path, outcome: Outcome) -> Outcome:
    """Write down how a stage ended."""
    note(folder, outcome=asdict(outcome))
    return outcome


def begin(folder: Path, **notes: Any) -> None:
    """An empty folder with a new evaluation."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    note(folder, **notes)


def write(path: Path, writer: Callable[[Path], Any]) -> None:
    """The file is replaced when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        writer(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
