"""The registry of a model's versions: which there are, which one is the champion, and how it became that.

Two registries keep this contract: the embedded one (`registry_sqlite`, the default) and an MLflow server
(`registry_mlflow`). The serving system asks for the alias `champion`, and writes the version's name into the column
`version` of its predictions.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from jobs.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

WHERE = "NIGHTJAR_REGISTRY"
"""Environment: the URL of an MLflow server; absent: the embedded registry below NIGHTJAR_HOME."""
CHAMPION = "champion"
RULES = "rules"
"""The name of the version that stands for the rule engine: it has no file."""
Kind = Literal["promote", "rollback", "fallback"]


@dataclass(frozen=True)
class Version:
    """One registered version. Without a digest it is only known by name: it was not trained here."""

    model: str
    number: int
    name: str
    """How the serving system calls it in its predictions."""
    key: str
    """The request that it was trained for; the same request never makes a second version."""
    digest: str | None = None
    """SHA-256 (hex) of its file."""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"version {self.number} ({self.name})"


@dataclass(frozen=True)
class Move:
    """One time the champion changed."""

    model: str
    kind: str
    former: int | None
    version: int
    key: str
    """What asked for it; the same key moves the champion once."""
    person: str
    why: str
    moved_at: str


class Registry(Protocol):
    """What a registry does. Every method may raise RegistryError."""

    def register(self, model: str, key: str, file: Path, facts: Mapping[str, Any]) -> Version:
        """Keep a model's file under a number of its own; the same key again gives the version there is."""

    def adopt(self, model: str, name: str, facts: Mapping[str, Any]) -> Version:
        """Take in a version that is only known by name; the same name again gives the version there is."""

    def versions(self, model: str) -> list[Version]:
        """All of them, oldest first; none for an unknown model."""

    def champion(self, model: str) -> Version | None:
        """The version that the alias names."""

    def move(
        self, model: str, version: int, kind: Kind, key: str, *, expected: int | None, person: str, why: str,
        now: datetime,
    ) -> Move:  # fmt: skip
        """Let the alias name this version, if it names `expected` now; the same key again moves nothing."""

    def moves(self, model: str) -> list[Move]:
        """Every move, oldest first."""

    def fetch(self, version: Version, target: Path) -> Path:
        """Write the version's file to `target`, when its digest is right."""


def open_registry(home: Path) -> Registry:
    """The registry that NIGHTJAR_REGISTRY names; absent: the embedded one."""
    where = os.environ.get(WHERE)
    if not where:
        from jobs.engine.registry_sqlite import EmbeddedRegistry

        return EmbeddedRegistry(home / "registry")
    if not where.startswith(("http://", "https://")):
        raise RegistryError(
            f"{WHERE} must be the URL of an MLflow server, http:// or https://; unset: the embedded one"
        )
    from jobs.engine.registry_mlflow import MlflowRegistry

    return MlflowRegistry(where, home / "registry")


def of_key(versions: Sequence[Version], key: str) -> Version | None:
    """The version that was trained for a request."""
    return next((one for one in versions if one.key == key), None)


def named(versions: Sequence[Version], name: str) -> Version | None:
    """The newest version that the serving system calls so, or that has this number."""
    found = [one for one in versions if one.name == name] or [one for one in versions if str(one.number) == name]
    return found[-1] if found else None


def standing(moves: Sequence[Move]) -> list[int]:
    """The champions that a rollback can go back through, the present one last.

    A promotion or a fallback puts a version on top; a rollback takes off what lies above the one it went back to, so
    two rollbacks go back two versions and never forth again.

    >>> def moved(kind, version): return Move("shop", kind, None, version, "", "", "", "")
    >>> standing([moved("promote", 1), moved("promote", 2), moved("promote", 3), moved("rollback", 2)])
    [1, 2]
    """
    stack: list[int] = []
    for move in moves:
        if move.kind == "rollback" and move.version in stack:
            last = len(stack) - 1 - stack[::-1].index(move.version)
            stack = stack[: last + 1]
        elif not stack or stack[-1] != move.version:
            stack.append(move.version)
    return stack


def digest_of(file: Path) -> str:
    """SHA-256 (hex) of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def refuse_unless_expected(model: str, champion: int | None, expected: int | None) -> None:
    """Raise RegistryError where somebody else moved the champion since a decision was taken."""
    if champion != expected:
        said = [f"version {one}" if one is not None else "none" for one in (champion, expected)]
        raise RegistryError(
            f"{model}: the champion is {said[0]}, and the decision was taken against {said[1]}; "
            "somebody moved it meanwhile, so nothing was changed"
        )
