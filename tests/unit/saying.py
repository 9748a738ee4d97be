"""Everything that can be said, read out of the code and the templates: what a catalogue has to have."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import nodes

from jobs.language import APART
from reports.page import TEMPLATES, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


def modules(*folders: str) -> Iterator[ast.Module]:
    """The code below these folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def in_code(*folders: str) -> set[str]:
    """The sentences of every call of `say` and the two forms of every call of `plural`."""
    return {sentence for module in modules(*folders) for sentence in _of_module(module)}


def _of_module(module: ast.Module) -> Iterator[str]:
    bound = _bound(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name == "say":
                context = next((one.value for one in node.keywords if one.arg == "context"), None)
                lead = f"{context.value}{APART}" if isinstance(context, ast.Constant) else ""
                yield from (lead + one for one in texts(node.args[0], bound))
            elif name == "plural":
                yield from both([str(one.value) for one in node.args[1:] if isinstance(one, ast.Constant)])


def texts(node: ast.expr, bound: dict[str, set[str]]) -> set[str]:
    """The texts that an argument can be: a constant, either side of a choice, what a name was set to."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.Name(id=name):
            return bound.get(name, set())
        case ast.IfExp(body=one, orelse=other):
            inner = [one, other]
        case ast.Subscript(value=one):
            inner = [one]
        case ast.Call(func=ast.Attribute(value=one, attr="get"), args=[_, *others]):
            inner = [one, *others]
        case ast.Dict(values=inner) | ast.Tuple(elts=inner) | ast.List(elts=inner):
            pass
        case _:
            inner = []
    return {text for one in inner for text in texts(one, bound)}


def _bound(module: ast.Module) -> dict[str, set[str]]:
    """What each name is set to anywhere in a module, as far as it is a text: in order, so that names of names work."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(module):
        pairs: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            pairs = [(node.target, node.value)]
        for target, value in pairs:
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs += zip(target.elts, value.elts, strict=True)
            elif isinstance(target, ast.Name):
                found.setdefault(target.id, set()).update(texts(value, found))
    return found


def literals(*folders: str) -> set[str]:
    """Every text that stands in the code, also as a part of a longer one."""
    found = (node.value for module in modules(*folders) for node in ast.walk(module) if isinstance(node, ast.Constant))
    return {text for text in found if isinstance(text, str)}


def both(forms: list[str]) -> Iterator[str]:
    """`{count} day` and `{count} days`."""
    if forms:
        yield f"{{count}} {forms[0]}"
        yield f"{{count}} {forms[1] if len(forms) > 1 else forms[0] + 's'}"


def in_templates() -> set[str]:
    """The sentences of every call of `say`, and both forms of every call of `plural`, in the templates."""
    return {sentence for call in template_calls() for sentence in _of_call(call)}


def template_calls() -> Iterator[nodes.Call]:
    """Every call by name in the templates."""
    made = environment()
    for path in sorted(TEMPLATES.glob("*.html")):
        for call in made.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name):
                yield call


def _of_call(call: nodes.Call) -> Iterator[str]:
    name = call.node.name if isinstance(call.node, nodes.Name) else ""
    given = [one.value if isinstance(one, nodes.Const) else None for one in call.args]
    if name == "say" and given[0]:
        context = next((one.value for one in call.kwargs if one.key == "context"), None)
        yield f"{context.value}{APART}{given[0]}" if isinstance(context, nodes.Const) else given[0]
    elif name == "plural":
        yield from both([str(one) for one in given[1:] if one])
