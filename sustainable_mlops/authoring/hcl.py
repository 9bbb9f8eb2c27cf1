"""Renderer of readable HCL: bare expressions, quoted strings, separate blocks.

Values are in Terraform's JSON syntax: a string is a template, so `"${var.x}"` is the expression `var.x`.
"""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_META_FIRST = ("count", "for_each", "provider", "source", "version", "providers", "iterator")
_META_LAST = ("lifecycle", "depends_on")
#: Attributes that hold references, not strings.
_BARE = ("ignore_changes", "replace_triggered_by", "depends_on", "provider", "iterator")
WIDTH = 120
#: Maximum length of an item that shares a line with others.
_SHORT = 36
#: Escape sequences for characters in quoted strings.
_ESCAPES = {code: f"\\u{code:04x}" for code in range(32)} | str.maketrans(
    {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
)


@dataclass
class BlockLayout:
    """Layout of one block: its nested blocks, the order of its arguments, and comments by argument."""

    blocks: dict[str, "BlockLayout"] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


#: Layout of `lifecycle`, which is not part of any provider's schema.
LIFECYCLE = BlockLayout(
    {"precondition": BlockLayout(order=("condition",)), "postcondition": BlockLayout(order=("condition",))}
)


def render_comment(text: str) -> str:
    """Return `text` as wrapped comment lines. Empty text returns an empty string."""
    return "".join(f"# {line}\n" for part in text.splitlines() for line in textwrap.wrap(part, WIDTH - 10))


def split_template(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the parts of a template as (is_expression, text), without `${` and `}`.

    Raises ValueError for an interpolation without an end.
    """
    position = literal = 0
    while (position := text.find("${", position)) >= 0:
        if position and text[position - 1] == "$":  # `$${` is a literal `${`
            position += 2
            continue
        if position > literal:
            yield False, text[literal:position]
        end = find_closing(text, position + 2)
        yield True, text[position + 2 : end]
        position = literal = end + 1
    if literal < len(text) or not text:
        yield False, text[literal:]


def find_closing(text: str, position: int, opening: str = "{", closes: str = "}") -> int:
    """Return the position of the closing brace (or bracket). Raises ValueError if there is none.

    The opening brace is just before `position`.
    """
    depth = 0
    while position < len(text):
        character = text[position]
        if character == '"':
            position = find_closing_quote(text, position + 1)
        elif character == opening:
            depth += 1
        elif character == closes:
            if depth == 0:
                return position
            depth -= 1
        position += 1
    raise ValueError(f"unclosed interpolation in {text!r}")


def find_closing_quote(text: str, position: int) -> int:
    """Return the position of the closing quote. Raises ValueError if there is none.

    The opening quote is just before `position`.
    """
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text.startswith("${", position) and text[position - 1] != "$":
            position = find_closing(text, position + 2)
        elif text[position] == '"':
            return position
        position += 1
    raise ValueError(f"unclosed string in {text!r}")


def render_string(text: str) -> str:
    """Return a template as an HCL expression."""
    parts = list(split_template(text))
    if len(parts) == 1 and parts[0][0]:
        return parts[0][1].strip()
    return f'"{"".join(f"${{{part}}}" if is_expression else escape(part) for is_expression, part in parts)}"'


def escape(text: str) -> str:
    """Return literal text, escaped for quotes."""
    return text.translate(_ESCAPES)


def render_key(name: str) -> str:
    """Return the key of an object, without quotes where HCL allows that."""
    if _IDENTIFIER.match(name):
        return name
    return f"({render_string(name)})" if name.startswith("${") else render_string(name)


def render_expression(value: Any) -> str:
    """Return a JSON value as an HCL expression."""
    if isinstance(value, str):
        return render_string(value)
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        inner = "\n".join(f"{render_key(name)} = {render_expression(item)}" for name, item in value.items())
        return f"{{\n{inner}\n}}"
    if isinstance(value, Sequence):
        return render_list([render_expression(item) for item in value])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)


def render_list(items: Sequence[str]) -> str:
    """Return items as a list: on one line if they fit, several short items on each line, else one item on each line."""
    line = f"[{', '.join(items)}]"
    if "\n" not in line and len(line) < WIDTH - 30:
        return line
    if all(len(item) <= _SHORT and " " not in item and "${" not in item for item in items):
        return "[\n" + textwrap.fill(", ".join(items), WIDTH - 20, break_on_hyphens=False) + ",\n]"
    return "[\n" + "".join(f"{item},\n" for item in items) + "]"


def render_block(header: str, body: Mapping[str, Any], shape: BlockLayout | None = None, lead: str = "") -> str:
    """Return one block with its body. `lead` is a text (comments) at the start of the body."""
    inner = lead + _render_body(body, shape or BlockLayout())
    return f"{header} {{\n{inner}}}\n" if inner else f"{header} {{}}\n"


def _render_body(body: Mapping[str, Any], shape: BlockLayout) -> str:
    head: list[str] = []
    lines: list[str] = []
    tall: list[str] = []
    blocks: list[str] = []
    tail: list[str] = []
    for name in _order_names(body, shape.order):
        value, note = body[name], render_comment(shape.notes.get(name, ""))
        if name == "dynamic" or name == "lifecycle" or name in shape.blocks:
            target = tail if name == "lifecycle" else blocks
            nested = list(_render_blocks(name, value, shape))
            target += [note + nested[0], *nested[1:]] if nested else []
            continue
        text = f"{name} = {_render_attribute(name, value)}\n"
        if name in _META_FIRST:
            head.append(note + text)
        elif name in _META_LAST:
            tail.append(note + text)
        elif "\n" in text[:-1]:
            tall.append(note + text)
        else:
            lines.append(note + text)
    groups = ["".join(head), "".join(lines), *tall, *blocks, *tail]
    return "\n".join(group for group in groups if group)


def _render_attribute(name: str, value: Any) -> str:
    if name in _BARE and isinstance(value, str):
        return value.removeprefix("${").removesuffix("}")
    if name in _BARE and isinstance(value, list):
        return f"[{', '.join(_render_attribute(name, item) for item in value)}]"
    return render_expression(value)


def _render_blocks(name: str, value: Any, shape: BlockLayout) -> Iterator[str]:
    if name == "dynamic":
        for label, dynamic in value.items():
            inner = BlockLayout(
                {"content": shape.blocks.get(label, BlockLayout())}, order=("for_each", "iterator", "content")
            )
            yield render_block(f'dynamic "{label}"', dynamic, inner)
        return
    inner = LIFECYCLE if name == "lifecycle" else shape.blocks[name]
    for item in value if isinstance(value, list) else [value]:
        yield render_block(name, item, inner)


def _order_names(body: Mapping[str, Any], order: Sequence[str]) -> list[str]:
    """Return the names in the author's order, then the others by name; meta-arguments have fixed positions."""
    known = {name: index for index, name in enumerate(order)}
    known |= {name: index - len(_META_FIRST) for index, name in enumerate(_META_FIRST)}
    known |= {name: len(body) + len(order) + index for index, name in enumerate(_META_LAST)}
    return sorted((name for name in body if name != "//"), key=lambda name: (known.get(name, len(order)), name))
