"""YAML text -> plain values, and the line that each of them stands on.

Read with the safe rules of YAML 1.2, which surprise less than those of 1.1: `NO` is a country and not false,
`5:30` is a time and not 330, `1e-3` is a number. Keys are always text. Dates become `datetime.date`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]
"""Keys and positions from the top, for example ("rules", 2, "metric")."""


@dataclass
class Document:
    """The values of a file; `lines` tells where each path begins (from 1), `faults` are (line, sentence)."""

    data: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def line(self, path: KeyPath) -> int:
        """The line of a path, or of the nearest thing around it that is written down."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with YAML 1.2's idea of which plain words are not text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own way


_STANDARD = "tag:yaml.org,2002:"
_TAGS = {"null", "bool", "int", "float", "timestamp", "str", "map", "seq"}
_DEEPEST = 12

for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
    ("timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
):
    _Loader.add_implicit_resolver(_STANDARD + _kind, re.compile(rf"^(?:{_pattern})$"), [*_first, ""])


def read_document(text: str) -> Document:
    """The values and lines of a YAML text. Never raises: what is wrong is in `faults`.

    >>> read_document("rules:\\n- metric: psi\\n  above: 1e-1").data
    {'rules': [{'metric': 'psi', 'above': 0.1}]}
    >>> read_document("owner: a\\nowner: b").faults
    [(2, 'owner is given twice (first on line 1); keep one')]
    """
    document = Document()
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        document.faults.append((line, f"is not YAML: {_why(error)}"))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.faults.append((line, f"is not YAML: {error.reason} (character #x{error.character:04x})"))
    else:
        document.data = _value(node, (), document) if node is not None else None
    return document


def _why(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.problem, error.context) if part]
    hint = ""
    if "'\\t'" in (error.problem or ""):
        hint = "; indent with spaces, not tabs"
    elif "mapping values are not allowed" in (error.problem or ""):
        hint = "; put text that contains ': ' in quotes, or check the indentation"
    return ", ".join(parts) + hint


def _value(node: yaml.Node, path: KeyPath, document: Document) -> Any:
    """The value of a node; notes its line and those of everything in it."""
    line = document.lines.setdefault(path, node.start_mark.line + 1)
    if len(path) > _DEEPEST:
        document.faults.append((line, f"{spoken(path[:2])} is nested too deep; does an alias contain itself?"))
        return None
    if node.tag.removeprefix(_STANDARD) not in _TAGS:
        document.faults.append((line, f"{spoken(path)} has the tag {node.tag}; a spec has plain values only"))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, position), document) for position, item in enumerate(node.value)]
    return _scalar(node.tag, str(node.value))


def _mapping(node: yaml.MappingNode, path: KeyPath, document: Document) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            document.faults.append((line, f"{spoken(path) or 'the top'} has a key that is not plain text"))
            continue
        key = (*path, key_node.value)
        if key_node.value in mapping:
            first = document.lines[key]
            document.faults.append((line, f"{spoken(key)} is given twice (first on line {first}); keep one"))
        document.lines[key] = line
        mapping[key_node.value] = _value(value_node, key, document)
    return mapping


def _scalar(tag: str, text: str) -> Any:
    """The value of a plain word. What only looks like a number or a day stays text, such as 2016-02-30."""
    try:
        match tag.removeprefix(_STANDARD):
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text)
            case "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
            case "timestamp":
                return date.fromisoformat(text)
    except ValueError:
        pass
    return text


def spoken(path: KeyPath) -> str:
    """How a message calls a path.

    >>> spoken(("rules", 2, "metric"))
    'rules[2].metric'
    """
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return words.removeprefix(".")
