"""A tree as HCL."""

import functools

from sustainable_mlops.authoring import hcl
from sustainable_mlops.authoring.expressions.node import Node
from sustainable_mlops.authoring.expressions.table import FUNCTIONS

#: Operations from those that bind least; an argument that binds less than what it is of gets parentheses.
_LEVELS = (("if", "&", "|"), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/"), ("!",))
_BINDS = {operation: level for level, operations in enumerate(_LEVELS) for operation in operations}
_PRIMARY = 9
#: Functions whose arguments stand below each other where they are long.
_JOINS = ("concat", "merge")
#: Longest comprehension, object or such call in one line.
_LINE = 90
#: Longest line of a comprehension that has several.
_LONGEST = 110


def render(node: Node, *, wide: bool = True) -> str:
    """The tree as an HCL expression; `wide` may break lines, which no template can hold."""
    return _Writer(wide).write(node)


class _Writer:
    def __init__(self, wide: bool) -> None:
        self._wide = wide

    def write(self, node: Node, least: int = 0) -> str:
        written = getattr(self, f"_{_METHODS.get(node.operation, node.operation)}")(node)
        return f"({written})" if _BINDS.get(node.operation, _PRIMARY) < least else written

    def _literal(self, node: Node) -> str:
        return hcl.expression(node.arguments[0])

    def _fixed(self, node: Node) -> str:
        return f"local.{node.arguments[0]}"

    def _raw(self, node: Node) -> str:
        return f"({node.arguments[0].strip()})" if "?" in node.arguments[0] else str(node.arguments[0].strip())

    def _name(self, node: Node) -> str:
        return str(node.arguments[0])

    def _attribute(self, node: Node) -> str:
        of, name = node.arguments
        return f"{self.write(of, _PRIMARY)}.{name}"

    def _number(self, node: Node) -> str:
        of, name, default = node.arguments
        return f'lookup({self.write(of)}, "{name}", {default})'

    def _index(self, node: Node) -> str:
        of, key = node.arguments
        return f"{self.write(of, _PRIMARY)}[{self.write(key)}]"

    def _template(self, node: Node) -> str:
        inline = _Writer(wide=False)
        parts = (
            hcl.escaped(part) if isinstance(part, str) else f"${{{inline.write(part)}}}" for part in node.arguments
        )
        return f'"{"".join(parts)}"'

    def _binary(self, node: Node) -> str:
        left, right = node.arguments
        binds = _BINDS[node.operation]
        return f"{self.write(left, binds)} {node.operation} {self.write(right, binds + 1)}"

    def _not(self, node: Node) -> str:
        return f"!{self.write(node.arguments[0], _BINDS['!'])}"

    # Terraform's own && and || evaluate both sides, also where the first has decided that the second is an error.
    def _and(self, node: Node) -> str:
        left, right = _leftmost(node)
        return f"{self.write(left, 1)} ? {self.write(right, 1)} : false"

    def _or(self, node: Node) -> str:
        left, right = _leftmost(node)
        return f"{self.write(left, 1)} ? true : {self.write(right, 1)}"

    def _if(self, node: Node) -> str:
        condition, one, other = node.arguments
        return f"{self.write(condition, 1)} ? {self.write(one, 1)} : {self.write(other, 1)}"

    def _call(self, node: Node) -> str:
        name, *arguments = node.arguments
        if name == "optional":
            return f"{self.write(arguments[0], _PRIMARY)}[*]"
        written = [self.write(argument) for argument in arguments]
        line = f"{FUNCTIONS[name].hcl}({', '.join(written)}{'...' if FUNCTIONS[name].spreads else ''})"
        if self._wide and name in _JOINS and len(line) > _LINE:
            return f"{FUNCTIONS[name].hcl}(\n" + "".join(f"{argument},\n" for argument in written) + ")"
        return line

    def _list(self, node: Node) -> str:
        items = [self.write(item) for item in node.arguments]
        return hcl.listed(items) if self._wide else f"[{', '.join(items)}]"

    def _object(self, node: Node) -> str:
        pairs = [
            f"{f'({self.write(name)})' if isinstance(name, Node) else hcl.key(name)} = {self.write(value)}"
            for name, value in node.arguments
        ]
        line = "{ " + ", ".join(pairs) + " }"
        if not pairs:
            return "{}"
        if not self._wide or (len(pairs) == 1 and "\n" not in line and len(line) < _LINE):
            return line
        return "{\n" + "\n".join(pairs) + "\n}"

    def _for(self, node: Node) -> str:
        names, collection, key, value, where = node.arguments
        item = self.write(value)
        parts = [
            f"for {', '.join(names)} in {self.write(collection)} :",
            f"{self.write(key)} => {item}" if key else item,
            *([f"if {self.write(where)}"] if where else []),
        ]
        body = " ".join(parts)
        if self._wide and ("\n" in body or len(body) > _LINE):
            return ("{\n%s\n}" if key else "[\n%s\n]") % functools.reduce(_beside_or_below, parts)
        return f"{{ {body} }}" if key else f"[{body}]"


def _beside_or_below(written: str, part: str) -> str:
    """The next part of a comprehension, on a line of its own where it is too long for what it would be on."""
    line = f"{written.splitlines()[-1]} {part.splitlines()[0]}"
    return f"{written}{' ' if len(line) <= _LONGEST else chr(10)}{part}"


def _leftmost(node: Node) -> tuple[Node, Node]:
    """The first of a chain of `&` or of `|`, and the rest: (a | b) | c is read as a | (b | c)."""
    left, right = node.arguments
    while left.operation == node.operation:
        left, right = left.arguments[0], Node(node.operation, (left.arguments[1], right), bool)
    return left, right


_METHODS = {"!": "not", "&": "and", "|": "or"} | dict.fromkeys(sum(_LEVELS[1:-1], ()), "binary")
