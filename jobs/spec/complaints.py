"""What pydantic finds wrong -> sentences: where, what was given, what is possible, what was likely meant."""

from __future__ import annotations

import re
from difflib import get_close_matches
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from jobs.spec.document import KeyPath, spoken
from jobs.spec.model import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_DAY, _TIME, _MAPPING = "a day written as YYYY-MM-DD", 'a time written as "HH:MM"', "a mapping (key: value)"
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "tuple_type": "a list",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "time_type": _TIME,
    "time_parsing": _TIME,
}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}
_SHAPES = {
    "model": "must begin with a lower-case letter and go on with lower-case letters, digits and _",
    "country": "must be a country's two capital letters, for example PT",
}


def complaints(error: ValidationError, written: Iterable[KeyPath]) -> Iterator[tuple[KeyPath, str]]:
    """Each fault as (path, sentence). `written` are the paths that stand in the file.

    A value that may be of several kinds (text, or a whole number, or ...) is told once.
    """
    known = set(written)
    details_of: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        details_of.setdefault(_place(detail, known), []).append(detail)
    for place, details in details_of.items():
        yield place, f"{spoken(place)} {_sentence(place, details)}".lstrip()


def _place(detail: ErrorDetails, written: set[KeyPath]) -> KeyPath:
    """The path of a fault without the parts that only pydantic knows; a missing key is part of it."""
    path = tuple(detail["loc"])
    while detail["type"] != "missing" and path and path not in written:
        path = path[:-1]
    return path


def _sentence(place: KeyPath, details: list[ErrorDetails]) -> str:
    first = details[0]
    kind, given = first["type"], first["input"]
    if kind in _SENTENCES:
        return _SENTENCES[kind](place, first)
    if kind in _BOUNDS:
        limit, words = _BOUNDS[kind]
        return f"is {said(given)}; it must be {words} {first['ctx'][limit]:g}"
    if given is None:
        return "is empty; give it a value, or leave the key out"
    wanted = " or ".join(dict.fromkeys(_WANTED.get(detail["type"], detail["msg"]) for detail in details))
    return f"must be {wanted}, not {said(given)}{_quotes(kind, given)}"


def _unknown_value(_: KeyPath, detail: ErrorDetails) -> str:
    known = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
    return f"{said(detail['input'])} is unknown; known: {', '.join(known)}{meant(str(detail['input']), known)}"


def _missing(place: KeyPath, _: ErrorDetails) -> str:
    needed = [name for name, field in fields_at(place[:-1]).items() if field.is_required()]
    return f"is missing; needed here: {', '.join(needed)}"


def _unknown_key(place: KeyPath, _: ErrorDetails) -> str:
    """The sentence for a key that does not exist here; it may exist elsewhere."""
    key, known = str(place[-1]), sorted(fields_at(place[:-1]))
    hint = meant(key, known)
    if not hint:
        elsewhere = [spoken(path) for path in _all_keys() if path[-1] == key]
        hint = f"; did you mean '{elsewhere[0]}'?" if len(elsewhere) == 1 else ""
    return f"is unknown; known: {', '.join(known)}{hint}"


_SENTENCES: dict[str, Callable[[KeyPath, ErrorDetails], str]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "literal_error": _unknown_value,
    "value_error": lambda _, detail: str(detail["ctx"]["error"]),
    "string_pattern_mismatch": lambda place, detail: f"{said(detail['input'])} {_SHAPES[str(place[-1])]}",
    "too_short": lambda *_: "is an empty list; name at least one, or leave the key out",
}


def _quotes(kind: str, given: Any) -> str:
    if kind == "string_type" and isinstance(given, int | float):
        return "; put it in quotes"
    if kind in ("int_type", "float_type") and isinstance(given, str) and re.fullmatch(r"[-+.\d]+", given):
        return "; write it without quotes"
    if kind == "tuple_type" and isinstance(given, str | int | float):
        return f"; write [{given}]"
    return ""


def meant(given: str, known: Iterable[str]) -> str:
    """`; did you mean 'psi'?`, or nothing where no known word is near.

    >>> meant("pssi", ["psi", "recall"])
    "; did you mean 'psi'?"
    >>> meant("hotel", ["flight_delay", "hotel_cancellation"])
    "; did you mean 'hotel_cancellation'?"
    """
    by_lower = {word.lower(): word for word in known}
    near = get_close_matches(given.lower(), by_lower, n=1, cutoff=0.6)
    if not near and len(given) > 2:
        near = [word for word in by_lower if given.lower() in word]
    return f"; did you mean '{by_lower[near[0]]}'?" if near else ""


def said(given: Any) -> str:
    """A value as the writer of the file knows it.

    >>> said("a"), said(True), said({}), said(3)
    ("'a'", 'true', 'a mapping', '3')
    """
    match given:
        case bool():
            return str(given).lower()
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case None:
            return "empty"
    return repr(given)


def fields_at(path: KeyPath) -> dict[str, FieldInfo]:
    """The fields of the class that describes this place of a spec; empty where none does.

    >>> list(fields_at(("actions", "retrain")))
    ['cooldown_days', 'min_labels', 'open_days', 'approval', 'dry_run', 'dag', 'webhook', 'command']
    """
    here: Any = ModelSpec
    for part in path:
        here = _step(here, part)
    return next((dict(kind.model_fields) for kind in _kinds(here) if _is_model(kind)), {})


def _step(annotation: Any, part: str | int) -> Any:
    """The annotation of a field, of a list's items or of a mapping's values."""
    for kind in _kinds(annotation):
        if _is_model(kind) and part in kind.model_fields:
            return kind.model_fields[part].annotation
        if get_origin(kind) in (tuple, dict):
            return get_args(kind)[0 if get_origin(kind) is tuple else 1]
    return None


def _kinds(annotation: Any) -> Iterator[Any]:
    """What a value may be: the annotation without `Annotated`, each side of a union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for side in get_args(annotation):
            yield from _kinds(side)
    else:
        yield annotation


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _all_keys(above: KeyPath = ()) -> Iterator[KeyPath]:
    """Every key that a spec can have, without those in lists and in mappings of free names."""
    for name in fields_at(above):
        yield (*above, name)
        yield from _all_keys((*above, name))
