"""The specs that become DAGs. One that cannot be read is kept with its error, and breaks only its own DAG."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import SpecError
from jobs.spec.reading import expand, find_spec, load_spec, spec_files

if TYPE_CHECKING:
    from jobs.spec import ModelSpec

PREFIX = "monitor_"


@dataclass(frozen=True)
class Broken:
    """A spec file that cannot be used, and why."""

    path: Path
    error: str


def models_folder() -> Path:
    """Where the spec files are: `NIGHTJAR_MODELS`, else `models/` beside this file."""
    return Path(os.environ.get("NIGHTJAR_MODELS") or Path(__file__).parent / "models").resolve()


def home() -> Path:
    """Where everything is written: `NIGHTJAR_HOME`."""
    return Path(expand("${NIGHTJAR_HOME}", os.environ))


def spec_of(model: str) -> ModelSpec:
    """The spec of one model, read now. Raises SpecError or UsageError."""
    return load_spec(find_spec(model, models_folder()))


def dag_id_of(path: Path) -> str:
    """The DAG of a spec file.

    >>> dag_id_of(Path("dags/models/shop.yaml")), dag_id_of(Path("my model.yaml"))
    ('monitor_shop', 'monitor_my_model')
    """
    return PREFIX + re.sub(r"[^\w.-]", "_", path.stem)


def catalogue(folder: Path, only: str | None = None) -> dict[str, ModelSpec | Broken]:
    """DAG id -> its spec, or why it has none. `only`: the one DAG that a task's own process needs."""
    entries: dict[str, ModelSpec | Broken] = {}
    for path in spec_files(folder):
        dag_id = dag_id_of(path)
        if only in (None, dag_id):
            entries[dag_id] = (
                Broken(
                    path,
                    f"{path.name}: another spec file of this folder makes the DAG {dag_id} too; keep one",
                )
                if dag_id in entries
                else _read(path)
            )
    return entries


def _read(path: Path) -> ModelSpec | Broken:
    try:
        return load_spec(path)
    except SpecError as error:
        return Broken(path, str(error))
    except Exception as error:  # noqa: BLE001, RUF100 - a defect of ours in reading one spec must not take down the others
        return Broken(path, f"{path.name}: cannot be read: {type(error).__name__}: {error}")
