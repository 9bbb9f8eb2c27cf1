"""What strings refer to: every `${…}` read for the names in it, and these held to what is declared."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_origin

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.errors import did_you_mean

_NAME = re.compile(r"[A-Za-z_][\w-]*")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*|\d+|\*)")
_BOUND = re.compile(r"\bfor\s+(\w+)(?:\s*,\s*(\w+))?\s+in\b")
_WORDS = {"true", "false", "null", "for", "in", "if", "else", "endif", "endfor"}
#: Names of Terraform's own that nothing here declares.
_OPEN = {"path", "self", "terraform"}


class _Key(str):
    """A step by a literal index: `["data"]`."""


#: Steps from a name inward; None is an index.
Path = tuple[str | None, ...]


def unknown(value: Any, names: Mapping[str, Any]) -> Iterator[str]:
    """What strings anywhere in `value` refer to and `names` (name to type) does not declare: one sentence each."""
    if isinstance(value, str):
        yield from _in_template(value, names)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from unknown(key, names)
            yield from _in_blocks(item, names) if key == "dynamic" else unknown(item, names)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from unknown(item, names)


def _in_blocks(dynamic: Mapping[str, Any], names: Mapping[str, Any]) -> Iterator[str]:
    for label, block in dynamic.items():
        yield from unknown(block, {**names, block.get("iterator", label): Any})


def _in_template(template: str, names: Mapping[str, Any]) -> Iterator[str]:
    for text in (text for inside, text in hcl.template_parts(template) if inside):
        bound = {name for found in _BOUND.findall(text) for name in found if name}
        yield from filter(None, (_resolve(path, names, bound) for path in _paths(text)))


def _paths(text: str) -> Iterator[Path]:
    """Every name in an HCL expression with the steps that follow it."""
    position = 0
    while position < len(text):
        if text[position] == '"':
            end = hcl.closing_quote(text, position + 1)
            for inside, part in hcl.template_parts(text[position + 1 : end]):
                if inside:
                    yield from _paths(part)
            position = end + 1
        elif found := _NAME.match(text, position):
            steps, position, inner = _steps(text, found.end())
            for index in inner:
                yield from _paths(index)
            rest = text[position:].lstrip()
            is_key = rest.startswith("=") and not rest.startswith(("==", "=>"))
            if not (rest.startswith("(") or is_key or (not steps and found[0] in _WORDS)):
                yield (found[0], *steps)
        else:
            # What follows a call or a parenthesis (`f(x).name`) is no name.
            step = _STEP.match(text, position)
            position = step.end() if step else position + 1


def _steps(text: str, position: int) -> tuple[list[str | None], int, list[str]]:
    """The steps after a name, where they end, and the texts of the indices among them."""
    steps: list[str | None] = []
    inner = []
    while position < len(text):
        if found := _STEP.match(text, position):
            steps.append(None if found[1] == "*" or found[1].isdigit() else found[1])
            position = found.end()
        elif text[position] == "[":
            end = hcl.closing(text, position + 1, "[", "]")
            index = text[position + 1 : end].strip()
            steps.append(_Key(index[1:-1]) if re.fullmatch(r'"[^"$]*"', index) else None)
            inner += [] if index == "*" else [index]
            position = end + 1
        else:
            break
    return steps, position, inner


def _resolve(path: Path, names: Mapping[str, Any], bound: set[str]) -> str:
    """What is wrong with a path; empty where nothing is."""
    root = str(path[0])
    if root in bound or root in _OPEN:
        return ""
    if root not in names:
        if root == "each":
            return "each is used where there is no for_each=each_of(…)"
        if re.match(r"[a-z]+_", root) and any(name.startswith(root.partition("_")[0]) for name in names):
            return f"there is no resource {'.'.join(filter(None, path[:2]))}"
        near = f"; did you mean 'var.{root}'?" if root in (types.members(names["var"]) or ()) else ""
        return f"nothing is called '{root}'{near or did_you_mean(root, names)}"
    declared, written = names[root], root
    for step in path[1:]:
        if types.members(declared) is None:
            return ""
        if (inner := _inner(declared, step)) is _NOTHING:
            return _no_step(declared, written, step)
        declared, written = inner, f"{written}.{step}" if step is not None else f"{written}[…]"
    return ""


_NOTHING = object()


def _inner(declared: Any, step: str | None) -> Any:
    """The type that a step leads to, or `_NOTHING`."""
    fields, item = types.members(declared) or {}, types.item(declared)[1]
    if step is not None and step in fields:
        return fields[step]
    is_map = get_origin(types.bare(declared)) is dict and not isinstance(item, types.Schema)
    return item if step is None or isinstance(step, _Key) or is_map else _NOTHING


def _no_step(declared: Any, written: str, step: str | None) -> str:
    fields, bare = types.members(declared), types.bare(declared)
    if not isinstance(bare, types.Object) and isinstance(types.item(declared)[1], types.Schema):
        return f"{written} has for_each, so it has no '{step}'; name an instance, {written}[each.key].{step}"
    if fields:
        what = "input" if written == "var" else getattr(bare, "what", "attribute")
        return f"{written} has no {what} '{step}'{did_you_mean(str(step), fields)}"
    if isinstance(bare, types.Object):
        return f"there is no {written}.{step}"
    return f"{written} is a {types.kind(declared)}; it has no attribute '{step}'"
