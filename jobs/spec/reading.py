"""Read specs: a YAML file -> a ModelSpec, or one SpecError that tells every fault of the file with its line.

Imports neither pandas nor duckdb, because Airflow reads specs each time it parses the DAG files.
"""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from jobs.errors import SpecError, UsageError
from jobs.spec import sense
from jobs.spec.complaints import complaints, meant
from jobs.spec.document import read_document, spoken
from jobs.spec.model import ModelSpec
from jobs.spec.paths import expand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jobs.spec.document import Document, KeyPath

__all__ = ["expand", "find_spec", "load_spec", "load_specs", "spec_files"]


def load_spec(path: Path, environment: Mapping[str, str] | None = None, named: str | None = None) -> ModelSpec:
    """The spec of a YAML file, its paths absolute and free of variables (see `expand`).

    `named`: the model it must be of, where the file is called otherwise.

    Raises SpecError with one line a fault, for example
    `hotel.yaml:31: rules[2].metric 'pssi' is unknown; known: volume, ...; did you mean 'psi'?`
    """
    environment = os.environ if environment is None else environment
    document = _document(path)
    spec: ModelSpec | None = None
    unreadable = _unreadable(document)
    faults = list(document.faults)
    if not unreadable:
        wrong = list(_expand_paths(document.data, environment))
        spec, more = _validated(document)
        wrong += more
        model = document.data.get("model")
        if isinstance(model, str) and model != (named or path.stem):
            asked = f"'{named}', which is asked for" if named else f"'{path.stem}', like the file; rename one of them"
            wrong.append((("model",), f"model must be {asked}"))
        faults += [(document.line(key), sentence) for key, sentence in wrong]
    if faults or spec is None:
        raise SpecError("\n".join(f"{path.name}:{line}: {sentence}" for line, sentence in sorted(set(faults))))
    return spec


def load_specs(folder: Path, environment: Mapping[str, str] | None = None) -> list[ModelSpec]:
    """All specs of a folder, sorted by model. Raises SpecError with the faults of all its files."""
    specs, faults = [], []
    for path in spec_files(folder):
        try:
            specs.append(load_spec(path, environment))
        except SpecError as error:
            faults.append(str(error))
    if faults:
        raise SpecError("\n".join(faults))
    return specs


def load_each(paths: Iterable[Path]) -> tuple[list[ModelSpec], list[str]]:
    """The specs that can be read, and what is wrong with the others: one broken spec hides no other model."""
    specs, faults = [], []
    for path in paths:
        try:
            specs.append(load_spec(path))
        except SpecError as error:
            faults.append(str(error))
        except Exception as error:  # a defect of ours in reading one spec must not take down the others
            faults.append(f"{path.name}: cannot be read: {type(error).__name__}: {error}")
    return specs, faults


def spec_files(folder: Path) -> list[Path]:
    """The spec files of a folder, sorted by name."""
    return sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))


def find_spec(model_or_path: str, folder: Path) -> Path:
    """The spec file of a model's name, or of a path to one. Raises UsageError with the models there are."""
    by_model = {path.stem: path for path in spec_files(folder)}
    if model_or_path in by_model:
        return by_model[model_or_path]
    path = Path(model_or_path)
    looks_like_path = path.suffix in (".yaml", ".yml") or len(path.parts) > 1
    if looks_like_path and path.is_file():
        return path
    known = f"known: {', '.join(by_model) or 'none'} (in {folder})"
    hint = meant(path.stem, by_model)
    if looks_like_path:
        raise UsageError(f"there is no spec file '{model_or_path}'; {known}{hint}")
    raise UsageError(f"there is no model '{model_or_path}'; {known}{hint}")


def _document(path: Path) -> Document:
    try:
        return read_document(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SpecError(f"{path.name}:1: is not text in UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from None


def _unreadable(document: Document) -> bool:
    """Whether there is nothing to validate; says so in the document's faults."""
    if document.data is None and not document.faults:
        document.faults.append((1, "is empty; a spec begins with `model: name`"))
    elif document.data is not None and not isinstance(document.data, dict):
        document.faults.append((1, "is not a mapping of keys; a spec begins with `model: name`"))
    return not isinstance(document.data, dict)


def _validated(document: Document) -> tuple[ModelSpec | None, list[tuple[KeyPath, str]]]:
    """The spec where its words are right, and what is wrong with it."""
    text = json.dumps(document.data, default=_day_text)
    try:
        # JSON is the strict way in: lists become tuples and texts days, but "30" is no number and true no 1
        spec = ModelSpec.model_validate_json(text, strict=True)
    except ValidationError as error:
        return None, list(complaints(error, document.lines))
    return spec, [(key, f"{spoken(key)} {sentence}") for key, sentence in sense.faults(spec)]


def _day_text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} does not come from YAML")


def _expand_paths(data: dict[str, Any], environment: Mapping[str, str]) -> Iterator[tuple[KeyPath, str]]:
    """Expand every path of a spec's values in place; yields those where that cannot be, with the reason."""
    for key in _path_keys(data):
        *above, last = key
        holder = _at(data, above)
        text = _at(holder, [last])
        if isinstance(text, str):
            try:
                holder[last] = expand(text, environment)
            except SpecError as error:
                yield key, f"{spoken(key)}: {error}"


def _path_keys(data: dict[str, Any]) -> Iterator[KeyPath]:
    """Where a spec's paths stand, whether or not they are there."""
    yield from (("predictions", "path"), ("labels", "path"), ("outcomes", "path"), ("reference", "file"))
    others, versions = data.get("others"), _at(data, ["reference", "versions"])
    yield from (("others", position, "path") for position in range(len(others) if isinstance(others, list) else 0))
    yield from (("reference", "versions", version) for version in (versions if isinstance(versions, dict) else ()))


def _at(data: Any, path: Iterable[str | int]) -> Any:
    """What stands at a path of values that nobody has checked yet; None where nothing does."""
    for part in path:
        fits = isinstance(data, list if isinstance(part, int) else dict)
        data = data[part] if fits and (isinstance(part, int) or part in data) else None
    return data
