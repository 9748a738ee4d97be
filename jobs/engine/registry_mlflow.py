"""An MLflow server as the registry, through its REST API alone: the `mlflow` package is never installed here.

A version's key, name, digest and facts are tags that are written in the call that creates it. MLflow keeps no history
of an alias, so each move is a tag of the registered model, written before the alias is moved: a process that dies
between the two finds its own move the next time and finishes it. Moves of this machine queue on a lock file.

Source: MLflow's REST API 2.0, https://mlflow.org/docs/latest/rest-api.html, tried against server 3.17.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import asdict
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from jobs.engine.registry import CHAMPION, Move, Version, digest_of, of_key, refuse_unless_expected
from jobs.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from jobs.engine.registry import Kind

TOKEN = "NIGHTJAR_REGISTRY_TOKEN"  # noqa: S105 - the name of a variable
"""Environment: a bearer token, where the server asks for one; user and password may stand in the URL instead."""
TIMEOUT = 60.0
EXPERIMENT = "nightjar"
PROXIED = "mlflow-artifacts:"
"""Where a run's files are, if the server takes them itself (its default, `--serve-artifacts`)."""
CHUNK = 4000
"""Characters of a tag; the server refuses more than 5000."""
_MOVE = "nightjar.move."
_ABSENT = "RESOURCE_DOES_NOT_EXIST"
_THERE = "RESOURCE_ALREADY_EXISTS"


class MlflowError(RegistryError):
    """What the server answered, with MLflow's own code."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


class MlflowRegistry:
    """A registry on an MLflow server; registered models have the model's own name."""

    def __init__(self, url: str, folder: Path) -> None:
        where = urlsplit(url)
        self._base = urlunsplit((where.scheme, where.netloc.rpartition("@")[2], where.path.rstrip("/"), "", ""))
        self._headers = _authorised(where.username, where.password)
        self._folder = folder

    def register(self, model: str, key: str, file: Path, facts: Mapping[str, Any]) -> Version:
        """Keep a model's file under a number of its own; the same key again gives the version there is."""
        with self._alone(model):
            known = self.versions(model)
            if found := of_key(known, key):
                return found
            run, source = self._upload(model, key, file)
            return self._add(model, key, digest_of(file), "", facts, {"source": source, "run_id": run})

    def adopt(self, model: str, name: str, facts: Mapping[str, Any]) -> Version:
        """Take in a version that is only known by name; the same name again gives the version there is."""
        with self._alone(model):
            key = f"name:{name}"
            if found := of_key(self.versions(model), key):
                return found
            return self._add(model, key, None, name, facts, {"source": f"nightjar://{model}/{quote(name)}"})

    def versions(self, model: str) -> list[Version]:
        """All of them, oldest first; none for an unknown model."""
        rows: list[dict[str, Any]] = []
        page = ""
        while True:
            asked = {"filter": f"name='{model}'", "max_results": 1000} | ({"page_token": page} if page else {})
            found = self._call("GET", "model-versions/search", asked)
            rows += found.get("model_versions", [])
            page = found.get("next_page_token") or ""
            if not page:
                return sorted((_version(row) for row in rows), key=lambda one: one.number)

    def champion(self, model: str) -> Version | None:
        """The version that the alias names."""
        try:
            found = self._call("GET", "registered-models/alias", {"name": model, "alias": CHAMPION})
        except MlflowError as error:
            if error.code in (_ABSENT, "INVALID_PARAMETER_VALUE"):  # the model, or only the alias, is not there
                return None
            raise
        return _version(found["model_version"])

    def move(
        self, model: str, version: int, kind: Kind, key: str, *, expected: int | None, person: str, why: str,
        now: datetime,
    ) -> Move:  # fmt: skip
        """Let the alias name this version, if it names `expected` now; the same key again moves nothing."""
        with self._alone(model):
            moves = self._noted(model)
            champion = self.champion(model)
            former = champion.number if champion else None
            if known := [one for one in moves if one.key == key]:
                if known[0] == moves[-1] and former == known[0].former != known[0].version:
                    self._set(model, known[0].version)  # it was noted, and its process died before the alias moved
                return known[0]
            if version not in [one.number for one in self.versions(model)]:
                raise RegistryError(f"{model}: there is no version {version} in the registry")
            refuse_unless_expected(model, former, expected)
            made = Move(model, kind, former, version, key, person, why[:1000], now.isoformat(timespec="seconds"))
            text = json.dumps(asdict(made))
            tag = {"name": model, "key": f"{_MOVE}{len(moves) + 1:06d}", "value": text}
            self._call("POST", "registered-models/set-tag", tag)
            self._set(model, version)
            return made

    def moves(self, model: str) -> list[Move]:
        """Every move, oldest first; one that was made in MLflow's own page stands last, by its hand."""
        champion = self.champion(model)
        if champion is None:
            return []
        noted = _carried_out(self._noted(model))
        if noted and noted[-1].version != champion.number and noted[-1].former == champion.number:
            noted = noted[:-1]  # noted, and not carried out yet
        if not noted or noted[-1].version != champion.number:
            former = noted[-1].version if noted else None
            noted.append(Move(model, "promote", former, champion.number, "", "somebody", "moved in MLflow", ""))
        return noted

    def fetch(self, version: Version, target: Path) -> Path:
        """Write the version's file to `target`, when its digest is right."""
        if version.digest is None:
            raise RegistryError(f"{version.model}: {version} has no file here; it is only known by name")
        asked = {"name": version.model, "version": str(version.number)}
        source = self._call("GET", "model-versions/get-download-uri", asked)["artifact_uri"]
        target.write_bytes(self._request("GET", _artifact(source), None))
        if digest_of(target) != version.digest:
            target.unlink()
            raise RegistryError(f"{version.model}: the file of {version} at {source} was changed: another digest")
        return target

    # inside -------------------------------------------------------------------------------------------------

    def _upload(self, model: str, key: str, file: Path) -> tuple[str, str]:
        """A run with the model's file; returns the run's id and where the file is."""
        tags = [{"key": "mlflow.runName", "value": key}, {"key": "nightjar.model", "value": model}]
        run = self._call("POST", "runs/create", {"experiment_id": self._experiment(), "tags": tags})["run"]["info"]
        if not run["artifact_uri"].startswith(PROXIED):
            raise RegistryError(
                f"{self._base} keeps files at {run['artifact_uri']} and takes none itself; start it with "
                f"--serve-artifacts and --default-artifact-root {PROXIED}/"
            )
        source = f"{run['artifact_uri']}/model.joblib"
        self._request("PUT", _artifact(source), file.read_bytes())
        self._call("POST", "runs/update", {"run_id": run["run_id"], "status": "FINISHED"})
        return run["run_id"], source

    def _experiment(self) -> str:
        try:
            found = self._call("GET", "experiments/get-by-name", {"experiment_name": EXPERIMENT})
            return str(found["experiment"]["experiment_id"])
        except MlflowError as error:
            if error.code != _ABSENT:
                raise
        return str(self._call("POST", "experiments/create", {"name": EXPERIMENT})["experiment_id"])

    def _add(
        self, model: str, key: str, digest: str | None, name: str, facts: Mapping[str, Any], where: Mapping[str, str]
    ) -> Version:
        try:
            self._call("POST", "registered-models/create", {"name": model})
        except MlflowError as error:
            if error.code != _THERE:
                raise
        text = json.dumps(facts, allow_nan=False)
        kept = {"key": key, "name": name, "digest": digest or ""}
        kept |= {f"facts.{at // CHUNK:03d}": text[at : at + CHUNK] for at in range(0, len(text), CHUNK)}
        tags = [{"key": f"nightjar.{what}", "value": value} for what, value in kept.items() if value]
        made = self._call("POST", "model-versions/create", {"name": model, **where, "tags": tags})
        return _version(made["model_version"])

    def _noted(self, model: str) -> list[Move]:
        try:
            found = self._call("GET", "registered-models/get", {"name": model})["registered_model"]
        except MlflowError as error:
            if error.code == _ABSENT:
                return []
            raise
        tags = {tag["key"]: tag["value"] for tag in found.get("tags", [])}
        return [Move(**json.loads(tags[name])) for name in sorted(tags) if name.startswith(_MOVE)]

    def _set(self, model: str, version: int) -> None:
        asked = {"name": model, "alias": CHAMPION, "version": str(version)}
        self._call("POST", "registered-models/alias", asked)

    @contextmanager
    def _alone(self, model: str) -> Iterator[None]:
        from filelock import FileLock, Timeout

        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{model}.lock"
        try:
            with FileLock(path, timeout=TIMEOUT):
                yield
        except Timeout as error:
            raise RegistryError(f"{model}: another process has held {path} for {TIMEOUT:.0f} s; try again") from error

    def _call(self, method: str, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        route = f"/api/2.0/mlflow/{path}"
        if method == "GET":
            answer = self._request(method, f"{route}?{urlencode(asked)}", None)
        else:
            answer = self._request(method, route, json.dumps(asked).encode(), "application/json")
        found: dict[str, Any] = json.loads(answer or b"{}")
        return found

    def _request(self, method: str, route: str, body: bytes | None, kind: str = "application/octet-stream") -> bytes:
        request = urllib.request.Request(  # noqa: S310 - http or https, checked by open_registry
            f"{self._base}{route}", data=body, method=method, headers={**self._headers, "Content-Type": kind}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise _refusal(self._base, route, error) from error
        except (OSError, HTTPException) as error:
            raise RegistryError(f"the MLflow server {self._base} cannot be reached: {error}") from error


def _carried_out(noted: list[Move]) -> list[Move]:
    """Without the moves that were noted and never made: the next one began where they did, not where they led."""
    return [
        one
        for one, after in zip(noted, [*noted[1:], None], strict=True)
        if after is None or not (after.former == one.former != one.version)
    ]


def _authorised(user: str | None, password: str | None) -> dict[str, str]:
    if token := os.environ.get(TOKEN):
        return {"Authorization": f"Bearer {token}"}
    if user is None:
        return {}
    pair = base64.b64encode(f"{user}:{password or ''}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _refusal(base: str, route: str, error: urllib.error.HTTPError) -> MlflowError:
    try:
        said = json.loads(error.read())
        code, text = str(said.get("error_code", "")), str(said.get("message", ""))
    except ValueError:
        code, text = "", error.reason
    where = route.partition("?")[0]
    return MlflowError(f"the MLflow server {base} answered {error.code} to {where}: {code} {text[:300]}", code)


def _artifact(source: str) -> str:
    """The route of a file that the server keeps.

    >>> _artifact("mlflow-artifacts:/1/abc/artifacts/model.joblib")
    '/api/2.0/mlflow-artifacts/artifacts/1/abc/artifacts/model.joblib'
    """
    return f"/api/2.0/mlflow-artifacts/artifacts/{quote(source.removeprefix(PROXIED).lstrip('/'))}"


def _version(row: Mapping[str, Any]) -> Version:
    tags = {tag["key"]: tag["value"] for tag in row.get("tags", [])}
    number = int(row["version"])
    return Version(
        model=row["name"],
        number=number,
        name=tags.get("nightjar.name") or (f"nightjar-{number}" if "nightjar.key" in tags else str(number)),
        key=tags.get("nightjar.key", ""),
        digest=tags.get("nightjar.digest"),
        facts=json.loads("".join(tags[name] for name in sorted(tags) if name.startswith("nightjar.facts.")) or "{}"),
    )
