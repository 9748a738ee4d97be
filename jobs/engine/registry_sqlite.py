"""The embedded registry: one SQLite file, and the models' files beside it, each under its own digest.

A model's file is complete on the disk before a row names it, and an alias moves in one transaction together with its
line of history; so a process may be killed at any point and leaves the former champion or the new one, never neither.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jobs.engine.registry import CHAMPION, Move, Version, digest_of, refuse_unless_expected
from jobs.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from jobs.engine.registry import Kind

WAIT_SECONDS = 60.0
"""How long a writer waits for another one; a transaction here takes milliseconds."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS versions (model TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, "
    "key TEXT NOT NULL, digest TEXT, facts TEXT NOT NULL, PRIMARY KEY (model, number), UNIQUE (model, key))",
    "CREATE TABLE IF NOT EXISTS aliases (model TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER NOT NULL, "
    "PRIMARY KEY (model, alias), FOREIGN KEY (model, version) REFERENCES versions (model, number))",
    "CREATE TABLE IF NOT EXISTS moves (number INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, "
    "kind TEXT NOT NULL, former INTEGER, version INTEGER NOT NULL, key TEXT NOT NULL, person TEXT NOT NULL, "
    "why TEXT NOT NULL, moved_at TEXT NOT NULL, UNIQUE (model, key))",
)


_MOVE = "model, kind, former, version, key, person, why, moved_at"


class EmbeddedRegistry:
    """A registry in a folder; nothing but this process' own libraries is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def register(self, model: str, key: str, file: Path, facts: Mapping[str, Any]) -> Version:
        """Keep a model's file under a number of its own; the same key again gives the version there is."""
        digest = digest_of(file)
        self._keep(model, file, digest)
        return self._add(model, key, digest, None, facts)

    def adopt(self, model: str, name: str, facts: Mapping[str, Any]) -> Version:
        """Take in a version that is only known by name; the same name again gives the version there is."""
        return self._add(model, f"name:{name}", None, name, facts)

    def versions(self, model: str) -> list[Version]:
        """All of them, oldest first; none for an unknown model."""
        with self._transaction() as base:
            return self._versions(base, model)

    def champion(self, model: str) -> Version | None:
        """The version that the alias names."""
        with self._transaction() as base:
            number = self._champion(base, model)
            return next((one for one in self._versions(base, model) if one.number == number), None)

    def move(
        self, model: str, version: int, kind: Kind, key: str, *, expected: int | None, person: str, why: str,
        now: datetime,
    ) -> Move:  # fmt: skip
        """Let the alias name this version, if it names `expected` now; the same key again moves nothing."""
        with self._transaction() as base:
            if known := [one for one in self._moves(base, model) if one.key == key]:
                return known[0]
            if version not in [one.number for one in self._versions(base, model)]:
                raise RegistryError(f"{model}: there is no version {version} in the registry")
            former = self._champion(base, model)
            refuse_unless_expected(model, former, expected)
            made = Move(model, kind, former, version, key, person, why, now.isoformat(timespec="seconds"))
            base.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)", [model, CHAMPION, version])
            base.execute(
                f"INSERT INTO moves ({_MOVE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [made.model, made.kind, made.former, made.version, made.key, made.person, made.why, made.moved_at],
            )
            return made

    def moves(self, model: str) -> list[Move]:
        """Every move, oldest first."""
        with self._transaction() as base:
            return self._moves(base, model)

    def fetch(self, version: Version, target: Path) -> Path:
        """Write the version's file to `target`, when its digest is right."""
        if version.digest is None:
            raise RegistryError(f"{version.model}: {version} has no file here; it is only known by name")
        kept = self._file(version.model, version.digest)
        if not kept.is_file() or digest_of(kept) != version.digest:
            raise RegistryError(f"{version.model}: the file of {version}, {kept}, is missing or was changed")
        shutil.copyfile(kept, target)
        return target

    # inside -------------------------------------------------------------------------------------------------

    def _file(self, model: str, digest: str) -> Path:
        return self.folder / "models" / model / f"{digest}.joblib"

    def _keep(self, model: str, file: Path, digest: str) -> None:
        """The file is on the disk, whole, under its name, before this returns."""
        kept = self._file(model, digest)
        if kept.is_file() and digest_of(kept) == digest:
            return
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_name(f".{kept.name}.{os.getpid()}")
        try:
            shutil.copyfile(file, partial)
            with partial.open("rb") as stream:
                os.fsync(stream.fileno())
            partial.replace(kept)
        finally:
            partial.unlink(missing_ok=True)

    def _add(self, model: str, key: str, digest: str | None, name: str | None, facts: Mapping[str, Any]) -> Version:
        with self._transaction() as base:
            known = self._versions(base, model)
            if found := [one for one in known if one.key == key]:
                return found[0]
            number = len(known) + 1
            made = Version(model, number, name or f"nightjar-{number}", key, digest, dict(facts))
            base.execute(
                "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)",
                [model, number, made.name, key, digest, json.dumps(made.facts, allow_nan=False)],
            )
            return made

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the write lock from its first statement on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "registry.sqlite"
        try:
            base = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
            try:
                base.execute("PRAGMA foreign_keys = ON")
                base.execute("PRAGMA synchronous = FULL")
                base.execute("BEGIN IMMEDIATE")
                for statement in _TABLES:
                    base.execute(statement)
                yield base
                base.execute("COMMIT")
            finally:
                base.close()  # what was not committed is undone
        except sqlite3.Error as error:
            raise RegistryError(f"the registry {path} cannot be used: {error}") from error

    @staticmethod
    def _versions(base: sqlite3.Connection, model: str) -> list[Version]:
        rows = base.execute(
            "SELECT model, number, name, key, digest, facts FROM versions WHERE model = ? ORDER BY number", [model]
        )
        return [Version(row[0], row[1], row[2], row[3], row[4], json.loads(row[5])) for row in rows]

    @staticmethod
    def _champion(base: sqlite3.Connection, model: str) -> int | None:
        row = base.execute("SELECT version FROM aliases WHERE model = ? AND alias = ?", [model, CHAMPION]).fetchone()
        return int(row[0]) if row else None

    @staticmethod
    def _moves(base: sqlite3.Connection, model: str) -> list[Move]:
        rows = base.execute(f"SELECT {_MOVE} FROM moves WHERE model = ? ORDER BY number", [model])
        return [Move(*row) for row in rows]
