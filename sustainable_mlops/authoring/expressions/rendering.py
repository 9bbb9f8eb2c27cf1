"""Renderer of expressions as HCL."""

import functools
from typing import Any

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.expressions.function_table import FUNCTIONS
from sustainable_mlops.authoring.expressions.node import ExpressionNode

#: Operations by precedence, lowest first. An argument with a lower precedence gets parentheses.
_LEVELS = (("if", "&", "|"), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/"), ("!",))
_PRECEDENCE = {operation: level for level, operations in enumerate(_LEVELS) for operation in operations}
_PRIMARY = 9
#: Functions with one argument on each line if the call is long.
_JOINS = ("concat", "merge")
#: Maximum length of a comprehension, an object or such a call on one line.
_LINE = 90
#: Maximum length of a line of a comprehension with several lines.
_LONGEST = 110


def render(node: ExpressionNode, *, wide: bool = True) -> str:
    """Return a node as an HCL expression. `wide` allows line breaks, which templates cannot contain."""
    return _Writer(wide).write(node)


class _Writer:
    def __init__(self, wide: bool) -> None:
        self._wide = wide

    def write(self, node: ExpressionNode, least: int = 0) -> str:
        hcl_text = getattr(self, f"_write_{_METHODS.get(node.operation, node.operation)}")(node)
        return f"({hcl_text})" if _PRECEDENCE.get(node.operation, _PRIMARY) < least else hcl_text

    def _write_literal(self, node: ExpressionNode) -> str:
        return hcl.render_expression(node.arguments[0])

    def _write_fixed(self, node: ExpressionNode) -> str:
        return f"local.{node.arguments[0]}"

    def _write_raw(self, node: ExpressionNode) -> str:
        return f"({node.arguments[0].strip()})" if "?" in node.arguments[0] else str(node.arguments[0].strip())

    def _write_name(self, node: ExpressionNode) -> str:
        return str(node.arguments[0])

    def _write_attribute(self, node: ExpressionNode) -> str:
        target, name = node.arguments
        return f"{self.write(target, _PRIMARY)}.{name}"

    def _write_number(self, node: ExpressionNode) -> str:
        target, name, default = node.arguments
        return f'lookup({self.write(target)}, "{name}", {default})'

    def _write_index(self, node: ExpressionNode) -> str:
        target, key = node.arguments
        return f"{self.write(target, _PRIMARY)}[{self.write(key)}]"

    def _write_template(self, node: ExpressionNode) -> str:
        inline = _Writer(wide=False)
        parts = (hcl.escape(part) if isinstance(part, str) else f"${{{inline.write(part)}}}" for part in node.arguments)
        return f'"{"".join(parts)}"'

    def _write_binary(self, node: ExpressionNode) -> str:
        left, right = node.arguments
        binds = _PRECEDENCE[node.operation]
        return f"{self.write(left, binds)} {node.operation} {self.write(right, binds + 1)}"

    def _write_not(self, node: ExpressionNode) -> str:
        return f"!{self.write(node.arguments[0], _PRECEDENCE['!'])}"

    # Before Terraform 1.12, && and || evaluate both sides, even if the first excludes the error of the second.
    def _write_and(self, node: ExpressionNode) -> str:
        left, right = _split_leftmost(node)
        return f"{self.write(left, 1)} ? {self.write(right, 1)} : false"

    def _write_or(self, node: ExpressionNode) -> str:
        left, right = _split_leftmost(node)
        return f"{self.write(left, 1)} ? true : {self.write(right, 1)}"

    def _write_if(self, node: ExpressionNode) -> str:
        condition, one, other = node.arguments
        return f"{self.write(condition, 1)} ? {self.write(one, 1)} : {self.write(other, 1)}"

    def _write_call(self, node: ExpressionNode) -> str:
        name, *arguments = node.arguments
        if name == "optional":
            return f"{self.write(arguments[0], _PRIMARY)}[*]"
        rendered = [self.write(argument) for argument in arguments]
        line = f"{FUNCTIONS[name].hcl}({', '.join(rendered)}{'...' if FUNCTIONS[name].spreads else ''})"
        if self._wide and name in _JOINS and len(line) > _LINE:
            return f"{FUNCTIONS[name].hcl}(\n" + "".join(f"{argument},\n" for argument in rendered) + ")"
        return line

    def _write_list(self, node: ExpressionNode) -> str:
        items = [self.write(item) for item in node.arguments]
        return hcl.render_list(items) if self._wide else f"[{', '.join(items)}]"

    def _write_object(self, node: ExpressionNode) -> str:
        pairs = [f"{self._write_object_key(name)} = {self.write(value)}" for name, value in node.arguments]
        line = "{ " + ", ".join(pairs) + " }"
        if not pairs:
            return "{}"
        if not self._wide or (len(pairs) == 1 and "\n" not in line and len(line) < _LINE):
            return line
        return "{\n" + "\n".join(pairs) + "\n}"

    def _write_object_key(self, name: Any) -> str:
        return f"({self.write(name)})" if isinstance(name, ExpressionNode) else hcl.render_key(name)

    def _write_for(self, node: ExpressionNode) -> str:
        names, collection, key, value, where = node.arguments
        item = self.write(value)
        parts = [
            f"for {', '.join(names)} in {self.write(collection)} :",
            f"{self.write(key)} => {item}" if key else item,
            *([f"if {self.write(where)}"] if where else []),
        ]
        body = " ".join(parts)
        if self._wide and ("\n" in body or len(body) > _LINE):
            return ("{\n%s\n}" if key else "[\n%s\n]") % functools.reduce(_append_part, parts)
        return f"{{ {body} }}" if key else f"[{body}]"


def _append_part(text: str, part: str) -> str:
    """Append a part of a comprehension, on a new line if it does not fit."""
    line = f"{text.splitlines()[-1]} {part.splitlines()[0]}"
    return f"{text}{' ' if len(line) <= _LONGEST else chr(10)}{part}"


def _split_leftmost(node: ExpressionNode) -> tuple[ExpressionNode, ExpressionNode]:
    """Return the first operand of a chain of `&` or `|`, and the rest: (a | b) | c becomes a | (b | c)."""
    left, right = node.arguments
    while left.operation == node.operation:
        left, right = left.arguments[0], ExpressionNode(node.operation, (left.arguments[1], right), bool)
    return left, right


_METHODS = {"!": "not", "&": "and", "|": "or"} | dict.fromkeys(sum(_LEVELS[1:-1], ()), "binary")
