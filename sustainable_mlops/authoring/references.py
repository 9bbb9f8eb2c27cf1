"""References in strings: the names in each `${…}`, checked against the declared names."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_origin

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.expressions import types
from sustainable_mlops.base.errors import did_you_mean

_NAME = re.compile(r"[A-Za-z_][\w-]*")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*|\d+|\*)")
_BOUND = re.compile(r"\bfor\s+(\w+)(?:\s*,\s*(\w+))?\s+in\b")
_WORDS = {"true", "false", "null", "for", "in", "if", "else", "endif", "endfor"}
#: Built-in names of Terraform, which no module declares.
_TERRAFORM_NAMES = {"path", "self", "terraform"}


class _Key(str):
    """Step with a literal index: `["data"]`."""


#: A name and the steps after it. None is an index.
Path = tuple[str | None, ...]


def find_unknown_references(value: Any, names: Mapping[str, Any]) -> Iterator[str]:
    """Yield one message for each reference in `value` that `names` (name to type) does not declare."""
    if isinstance(value, str):
        yield from _check_template(value, names)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from find_unknown_references(key, names)
            yield from _check_blocks(item, names) if key == "dynamic" else find_unknown_references(item, names)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from find_unknown_references(item, names)


def _check_blocks(dynamic: Mapping[str, Any], names: Mapping[str, Any]) -> Iterator[str]:
    for label, block in dynamic.items():
        yield from find_unknown_references(block, {**names, block.get("iterator", label): Any})


def _check_template(template: str, names: Mapping[str, Any]) -> Iterator[str]:
    for text in (text for inside, text in hcl.split_template(template) if inside):
        bound = {name for match in _BOUND.findall(text) for name in match if name}
        yield from filter(None, (_find_path_problem(path, names, bound) for path in _find_paths(text)))


def _find_paths(text: str) -> Iterator[Path]:
    """Yield every name in an HCL expression, with the steps after it."""
    position = 0
    while position < len(text):
        if text[position] == '"':
            end = hcl.find_closing_quote(text, position + 1)
            for inside, part in hcl.split_template(text[position + 1 : end]):
                if inside:
                    yield from _find_paths(part)
            position = end + 1
        elif match := _NAME.match(text, position):
            steps, position, inner = _read_steps(text, match.end())
            for index in inner:
                yield from _find_paths(index)
            rest = text[position:].lstrip()
            is_key = rest.startswith("=") and not rest.startswith(("==", "=>"))
            if not (rest.startswith("(") or is_key or (not steps and match[0] in _WORDS)):
                yield (match[0], *steps)
        else:
            # The part after a call or a parenthesis (`f(x).name`) is not a reference.
            step = _STEP.match(text, position)
            position = step.end() if step else position + 1


def _read_steps(text: str, position: int) -> tuple[list[str | None], int, list[str]]:
    """Return the steps after a name, their end position, and the texts of indices in them."""
    steps: list[str | None] = []
    inner = []
    while position < len(text):
        if match := _STEP.match(text, position):
            steps.append(None if match[1] == "*" or match[1].isdigit() else match[1])
            position = match.end()
        elif text[position] == "[":
            end = hcl.find_closing(text, position + 1, "[", "]")
            index = text[position + 1 : end].strip()
            steps.append(_Key(index[1:-1]) if re.fullmatch(r'"[^"$]*"', index) else None)
            inner += [] if index == "*" else [index]
            position = end + 1
        else:
            break
    return steps, position, inner


def _find_path_problem(path: Path, names: Mapping[str, Any], bound: set[str]) -> str:
    """Return the problem of a path, or an empty string."""
    root = str(path[0])
    if root in bound or root in _TERRAFORM_NAMES:
        return ""
    if root not in names:
        if root == "each":
            return "each is used without for_each=each_of(…)"
        if re.match(r"[a-z]+_", root) and any(name.startswith(root.partition("_")[0]) for name in names):
            return f"no resource {'.'.join(filter(None, path[:2]))} was added"
        near = f"; did you mean 'var.{root}'?" if root in (types.list_members(names["var"]) or ()) else ""
        return f"nothing is named '{root}'{near or did_you_mean(root, names)}"
    declared, address = names[root], root
    for step in path[1:]:
        if types.list_members(declared) is None:
            return ""
        if (step_type := _get_step_type(declared, step)) is _NOTHING:
            return _describe_missing_step(declared, address, step)
        declared, address = step_type, f"{address}.{step}" if step is not None else f"{address}[…]"
    return ""


_NOTHING = object()


def _get_step_type(declared: Any, step: str | None) -> Any:
    """Return the type after a step, or `_NOTHING`."""
    fields, item = types.list_members(declared) or {}, types.get_item_types(declared)[1]
    if step is not None and step in fields:
        return fields[step]
    is_map = get_origin(types.strip_annotation(declared)) is dict and not isinstance(item, types.ResourceSchema)
    return item if step is None or isinstance(step, _Key) or is_map else _NOTHING


def _describe_missing_step(declared: Any, address: str, step: str | None) -> str:
    fields, stripped = types.list_members(declared), types.strip_annotation(declared)
    if not isinstance(stripped, types.ObjectType) and isinstance(
        types.get_item_types(declared)[1], types.ResourceSchema
    ):
        return f"{address} has for_each, so it has no '{step}'; refer to an instance, {address}[each.key].{step}"
    if fields:
        label = "input" if address == "var" else getattr(stripped, "noun", "attribute")
        return f"{address} has no {label} '{step}'{did_you_mean(str(step), fields)}"
    if isinstance(stripped, types.ObjectType):
        return f"{address}.{step} does not exist"
    return f"{address} is a {types.find_kind(declared)}; it has no attribute '{step}'"
