"""Mutants of the library, made by cosmic-ray's operators, and the sample of them that is held against the tests."""

import ast
import hashlib
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import parso  # noqa: F401  before cosmic_ray, whose operators do not load otherwise
from cosmic_ray import mutating, plugins
from cosmic_ray.ast import ast_nodes, get_ast

from tests.mutants.mutation import Mutation

SEED = 20261126
PACKAGES = ("plan", "review", "rules", "footprint")
#: A file has one mutant per this number of lines, so an edit of another file does not change its sample.
LINES_PER_MUTANT = 50

_ORDER = ("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")
_SUMS = (
    "Add_Sub",
    "Sub_Add",
    "Mul_Div",
    "Div_Mul",
    "FloorDiv_Div",
    "Mod_Mul",
    "Pow_Mul",
    "BitOr_BitAnd",
    "BitAnd_BitOr",
)
_ORDERS = (*(f"{one}_{other}" for one in _ORDER for other in _ORDER if one != other), "Is_IsNot", "IsNot_Is")
#: Of cosmic-ray's replacements of one sign by another, those that make a different sum of the same kinds of operand;
#: the rest fails wherever it is reached. Identity instead of equality shows nothing: a value may be shared.
OPERATORS = {
    "AddNot": ("AddNot",),
    "And": ("ReplaceAndWithOr",),
    "Or": ("ReplaceOrWithAnd",),
    "Binary": tuple(f"ReplaceBinaryOperator_{pair}" for pair in _SUMS),
    "Boolean": ("ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
    "Comparison": tuple(f"ReplaceComparisonOperator_{pair}" for pair in _ORDERS),
    "Decorator": ("RemoveDecorator",),
    "Exception": ("ExceptionReplacer",),
    "Jump": ("ReplaceBreakWithContinue", "ReplaceContinueWithBreak"),
    "Loop": ("ZeroIterationForLoop",),
    "Number": ("NumberReplacer",),
    "Unary": ("ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_USub_UAdd"),
}
_BUILTIN_TYPES = ("str", "int", "float", "bool", "dict", "list", "set", "tuple")
#: Kinds of parso's nodes that none of these operators changes; most nodes are.
NEVER_CHANGED = {"name", "string", "newline", "fstring", "import_name", "import_from", "trailer", "arglist", "atom"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change at one location. Its name contains no path, so it stays the same if its file moves."""

    file: str  # relative to the repository
    function: str  # qualified within its module, "module" outside of functions
    line: str  # the first that is changed, stripped
    operator: str
    occurrence: int  # of the operator in lines of this text in this function
    first_line: int
    last_line: int  # of the statement that holds it
    source: str = field(repr=False)

    @property
    def name(self) -> str:
        nth = f" #{self.occurrence}" if self.occurrence else ""
        return f"{self.function}: {self.line}  [{self.operator}{nth}]"

    @property
    def location(self) -> str:
        """The identifier of the mutant during a run."""
        return f"{self.file} {self.name}"

    @property
    def mutation(self) -> Mutation:
        return Mutation(self.file, self.first_line, self.last_line, self.source)


def sample(root: Path, seed: int = SEED) -> list[Mutant]:
    """Return the sampled mutants of all packages, by package and file."""
    return [
        mutant
        for package in PACKAGES
        for path in sorted((root / "sustainable_mlops" / package).rglob("*.py"))
        for mutant in sample_mutants(path, root, seed)
    ]


def sample_mutants(path: Path, root: Path, seed: int) -> list[Mutant]:
    """Return one mutant for each sampled location of a file, in the order of the hashes of their names."""
    source = path.read_text(encoding="utf-8")
    quota = round(len(source.splitlines()) / LINES_PER_MUTANT)
    locations = _find_locations(source, str(path.relative_to(root)))
    sampled_mutants: list[Mutant] = []
    for location in sorted(locations, key=lambda location: _hash(seed, *location)):
        if len(sampled_mutants) == quota:
            break
        sampled_mutants += next(
            ([one] for one in _shuffle(locations[location], seed) if _differs(one.source, source)), []
        )
    return sorted(sampled_mutants, key=lambda one: one.first_line)


def _shuffle(changes: list[tuple[Mutant, int]], seed: int) -> Iterator[Mutant]:
    """Yield the mutants of one location in the order of the hash of their names."""
    for mutant, index in sorted(changes, key=lambda one: _hash(seed, one[0].name, one[1])):
        operator = plugins.get_operator(f"core/{mutant.operator}")()
        yield replace(mutant, source=mutating.mutate_code(mutant.source, operator, index))


def _is_unchangeable(node: Any) -> bool:
    """Return whether the operators skip the node: most nodes, and the star before keyword-only arguments."""
    return node.type in NEVER_CHANGED or (node.type == "operator" and node.parent.type in ("parameters", "lambdef"))


def _hash(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def _find_locations(source: str, file: str) -> dict[tuple[str, str, str, int], list[tuple[Mutant, int]]]:
    """Return the possible changes by location: the mutant with the original source, and its index for the operator."""
    lines, reading = source.splitlines(), _Reading(ast.parse(source))
    nodes = [node for node in ast_nodes(get_ast(source)) if not _is_unchangeable(node)]
    changes = defaultdict(list)
    for family, operators in OPERATORS.items():
        positions: dict[tuple[str, str], dict[tuple[int, int], int]] = defaultdict(dict)
        for operator, index, location in _list_positions(nodes, operators):
            if reading.is_without_effect(location):
                continue
            function, text = reading.find_function(location[0]), lines[location[0] - 1].strip()
            occurrence = positions[(function, text)].setdefault(location, len(positions[(function, text)]))
            mutant = Mutant(file, function, text, operator, occurrence, *reading.find_statement(location), source)
            changes[(family, function, text, occurrence)].append((mutant, index))
    return changes


def _list_positions(nodes: list[Any], operators: tuple[str, ...]) -> Iterator[tuple[str, int, tuple[int, int]]]:
    """Yield each possible change in the order of the text: operator, index for the operator, position."""
    changes = []
    for operator in operators:
        instance = plugins.get_operator(f"core/{operator}")()
        locations = (start for node in nodes for start, _ in instance.mutation_positions(node))
        changes += [(operator, index, location) for index, location in enumerate(locations)]
    return iter(sorted(changes, key=lambda one: one[2]))


def _differs(mutated: str, original: str) -> bool:
    """Return whether the mutated source compiles to different bytecode."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            compile(mutated, "mutant", "exec")
        except SyntaxError:
            return False
    return ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(original))


class _Reading:
    """The positions of functions and statements in a module, and of the code without an effect at run time."""

    def __init__(self, tree: ast.Module) -> None:
        self._functions: list[tuple[int, int, str]] = []
        self._statements: list[tuple[int, int]] = []
        self._silent: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self._read(tree, "")

    def _read(self, node: ast.AST, scope: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = scope
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{scope}.{child.name}" if scope else child.name
                first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
                self._functions.append((first, child.end_lineno or first, name))
            if isinstance(child, ast.stmt):
                self._statements.append(_get_line_range(child))
            self._silent += [_get_span(silent) for silent in _list_silent_parts(child)]
            self._read(child, name)

    def find_function(self, line: int) -> str:
        """Return the innermost function or class at a line."""
        return next((name for first, last, name in reversed(self._functions) if first <= line <= last), "module")

    def find_statement(self, location: tuple[int, int]) -> tuple[int, int]:
        """Return the first and the last line of the innermost statement; of a compound statement, of its head."""
        holding = [lines for lines in self._statements if lines[0] <= location[0] <= lines[1]]
        return min(holding, key=lambda lines: lines[1] - lines[0], default=(location[0], location[0]))

    def is_without_effect(self, location: tuple[int, int]) -> bool:
        return any(start <= location < end for start, end in self._silent)


def _get_line_range(statement: ast.stmt) -> tuple[int, int]:
    first = min([statement.lineno, *(one.lineno for one in getattr(statement, "decorator_list", ()))])
    body = [inner.lineno for inner in getattr(statement, "body", ())]
    body += [case.pattern.lineno for case in getattr(statement, "cases", ())]
    return first, max(first, min(body) - 1) if body else statement.end_lineno or first


def _get_span(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


def _list_silent_parts(node: ast.AST) -> Iterator[ast.AST]:
    """Return the parts of a node without effect at run time: annotations, aliases, `__all__`, docstrings."""
    match node:
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            yield node
        case ast.arg(annotation=ast.expr() as annotation) | ast.AnnAssign(annotation=annotation):
            yield annotation
        case ast.FunctionDef(returns=ast.expr() as returns):
            yield returns
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            yield node
        case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.Expr(value=ast.Constant()):
            yield node
        case ast.Call(func=ast.Name(id="cast" | "TypeVar")):
            yield node.args[0]
        case ast.Assign(value=ast.BinOp() | ast.Subscript() as alias) if all(map(_is_type, ast.walk(alias))):
            yield alias


def _is_type(node: ast.AST) -> bool:
    """Return whether a node may be part of a type alias: a name in CamelCase, a builtin type, None or a subscript."""
    if isinstance(node, ast.Name):
        return node.id in _BUILTIN_TYPES or (node.id[0].isupper() and not node.id.isupper())
    return not isinstance(node, ast.Constant) or node.value is None or node.value is ...
