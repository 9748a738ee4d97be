"""Copies of what cannot be computed again: each model's file with its ledger of what was sent, and the champions.

A DuckDB file that is copied while it is written to is torn from its log (`.wal`); so a copy is made under the model's
own lock, after a checkpoint, and appears whole or not at all.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from jobs.engine.warehouse import checkpoint, copy_whole, model_file, open_warehouse, readable, turn
from jobs.errors import UsageError, WarehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

REGISTRY = "registry"
SAVED = "before-restore"
COPIES = "NIGHTJAR_BACKUP"
"""Environment: the folder of the daily copies, which `nightjar health` looks after where it is set."""

FRESH = timedelta(days=2)
"""A daily copy that is older was missed at least once."""


def models_in(home: Path) -> list[str]:
    """The models that have a file, by name."""
    return sorted(path.stem for path in home.glob("*.duckdb"))


def back_up(home: Path, model: str, folder: Path) -> Path:
    """Copy a model's file into `folder` while no night of it runs; returns the copy. An older copy is replaced.

    Raises UsageError where the model has no file, WarehouseError where its lock is not to be had in time.
    """
    if not model_file(home, model).exists():
        raise UsageError(f"{model}: there is no {model_file(home, model)}; nothing of this model was ever run here")
    with open_warehouse(home, model) as warehouse:
        return warehouse.copy_to(model_file(folder, model))


def back_up_registry(home: Path, folder: Path) -> Path | None:
    """Copy the embedded registry of champions so that no row lacks its file; None where there is none."""
    source, target = home / REGISTRY, folder / REGISTRY
    if not (source / "registry.sqlite").exists():
        return None
    target.mkdir(parents=True, exist_ok=True)
    temporary = target / f".registry.sqlite.{os.getpid()}"
    with closing(sqlite3.connect(source / "registry.sqlite")) as base, closing(sqlite3.connect(temporary)) as copy:
        base.backup(copy)
    for path in sorted(path for path in source.rglob("*") if path.is_file() and path.suffix != ".sqlite"):
        kept = target / path.relative_to(source)
        if not kept.exists():  # files are named by their digest and never change
            copy_whole(path, kept)
    temporary.replace(target / "registry.sqlite")
    return target


def stale(home: Path, folder: Path, models: Sequence[str], now: datetime) -> list[str]:
    """A sentence for each of `models` (none: all that have a file, and the registry) without a fresh copy in `folder`.

    A model or registry that was never copied is named once its oldest page or file is too old: the first copy of a new
    one comes within a day.
    """
    kept = [
        (model, model_file(folder, model), home / "reports" / model)
        for model in models or models_in(home)
        if model_file(home, model).exists()
    ]
    if not models and (home / REGISTRY / "registry.sqlite").exists():
        kept.append((REGISTRY, folder / REGISTRY / "registry.sqlite", home / REGISTRY))
    found = []
    for name, copy, beginnings in kept:
        try:
            lack = _lack(copy, beginnings, now)
        except OSError as error:  # of a folder that may not be read, say
            lack = f"its copy cannot be looked up: {error}"
        if lack:
            found.append(f"{name}: {lack}; see what `nightjar backup {folder}` says, and whether its timer runs")
    return found


def _lack(copy: Path, beginnings: Path, now: datetime) -> str:
    """What is wrong with a copy that should be fresh; empty where nothing is."""
    there = copy.exists()
    changed = [path.stat().st_mtime for path in ([copy] if there else beginnings.rglob("*"))]
    since = datetime.fromtimestamp(min(changed), UTC) if changed else now
    if now - since <= FRESH:
        return ""
    return (
        f"its copy {copy} is older than two days ({since:%Y-%m-%d %H:%M} UTC)" if there else f"there is no copy {copy}"
    )


def restore(folder: Path, home: Path, model: str) -> Path:
    """Put a model's copy back in place; returns where the file that stood there is kept (it may not exist).

    The copy is opened and read before anything is touched; the file that it replaces may be damaged. Raises UsageError
    where the copy is not there or cannot be read.
    """
    copy, place = model_file(folder, model), model_file(home, model)
    if not copy.exists():
        there = ", ".join(sorted(path.stem for path in folder.glob("*.duckdb"))) or "nothing"
        raise UsageError(f"{copy} does not exist; {folder} holds: {there}")
    try:
        readable(copy)
    except WarehouseError as error:
        raise UsageError(f"{copy} is no copy that can be restored: {error}") from error
    kept = home / SAVED / place.name
    with turn(home, model) as deadline:  # waits for a night that runs; the file may be one that nothing can open
        _set_aside(home, model, kept, deadline)
        _log(place).unlink(missing_ok=True)
        copy_whole(copy, place)
    return kept


def _set_aside(home: Path, model: str, kept: Path, deadline: float) -> None:
    """Copy a model's file to `kept`, with its log written into it; as they lie there, where DuckDB cannot read them.

    Raises WarehouseError where another program has the file open until `deadline` (monotonic, s).
    """
    place = model_file(home, model)
    if not place.exists():
        return
    with suppress(duckdb.Error):  # damaged: somebody may still save something from it
        checkpoint(home, model, deadline)
    _log(kept).unlink(missing_ok=True)
    copy_whole(place, kept)
    if _log(place).exists():
        copy_whole(_log(place), _log(kept))


def _log(file: Path) -> Path:
    """Where DuckDB keeps the last commits of a file."""
    return file.with_name(f"{file.name}.wal")


def restore_registry(folder: Path, home: Path) -> Path | None:
    """Put the copied registry back in place; None where there is no copy. The former one is kept beside the models'."""
    copy, place = folder / REGISTRY, home / REGISTRY
    if not (copy / "registry.sqlite").exists():
        return None
    if place.exists():
        kept = home / SAVED / REGISTRY
        shutil.rmtree(kept, ignore_errors=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        place.rename(kept)
    shutil.copytree(copy, place)
    return place
