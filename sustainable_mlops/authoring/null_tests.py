"""Search for `x is None` on expressions: Python evaluates it to False, although the value may be null in Terraform."""

import ast
import functools
import inspect
import sys
from collections.abc import Iterator

from sustainable_mlops.authoring.author_errors import is_author_file, make_author_error, make_relative

#: Names of the inputs in functions of authors, and attributes of a module that contain expressions.
_EXPRESSION_NAMES = {"var", "v"}
_EXPRESSION_ATTRIBUTES = {"var", "locals", "resources", "data"}
#: Functions whose results, or whose lambdas' parameters, are expressions.
_EXPRESSION_FUNCTIONS = {"add", "call", "each_of", "local", "optional_map", "one_or_null"}
_LAMBDA_FUNCTIONS = {"Dynamic", "every", "list_of", "map_of", "rule"}


def check_null_tests(cls: type) -> None:
    """Raise UserError for the first `is None` on an expression in the files of a module."""
    files = {inspect.getfile(cls), *(str(getattr(module, "__file__", "")) for module in list(sys.modules.values()))}
    for file in sorted(file for file in files if is_author_file(file) and _is_in_package(file, cls)):
        with open(file, encoding="utf-8") as source:
            problem = find_null_test(source.read())
        if problem:
            line, operand = problem
            raise make_author_error(
                f"'{operand} is None' is always False for an expression: write is_null({operand})",
                f"{make_relative(file)}:{line}",
            )


def _is_in_package(file: str, cls: type) -> bool:
    """Return True for the file of the class, and for the files of its package, such as modules/."""
    return file == inspect.getfile(cls) or file.startswith(_find_package_folder(cls))


def _find_package_folder(cls: type) -> str:
    package = sys.modules.get(cls.__module__.partition(".")[0])
    return next(iter(getattr(package, "__path__", [])), "\0")


@functools.cache
def find_null_test(text: str) -> tuple[int, str] | None:
    """Return the line and the operand of the first `is None` on an expression in a Python text."""
    if " None" not in text:
        return None
    return next(_find_null_tests(ast.parse(text), frozenset(_EXPRESSION_NAMES)), None)


def _find_null_tests(node: ast.AST, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Yield the null tests below a node. `names` are the names of expressions there."""
    if isinstance(node, ast.FunctionDef):
        names |= {
            name
            for each in ast.walk(node)
            if isinstance(each, ast.Assign)
            for name in _list_assigned_names(each, names)
        }
    if isinstance(node, ast.Call) and _get_function_name(node) in _LAMBDA_FUNCTIONS:
        lambdas = [one for one in (*node.args, *(word.value for word in node.keywords)) if isinstance(one, ast.Lambda)]
        names |= {parameter.arg for one in lambdas for parameter in one.args.args}
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot):
        (right, *_) = node.comparators
        if isinstance(right, ast.Constant) and right.value is None and _is_expression(node.left, names):
            yield node.lineno, ast.unparse(node.left)
    for child in ast.iter_child_nodes(node):
        yield from _find_null_tests(child, names)


def _list_assigned_names(assignment: ast.Assign, names: frozenset[str]) -> Iterator[str]:
    """Yield the names that an assignment binds to an expression."""
    value = assignment.value
    is_expression = isinstance(value, ast.Call) and _get_function_name(value) in _EXPRESSION_FUNCTIONS
    if is_expression or _is_expression(value, names):
        yield from (target.id for target in assignment.targets if isinstance(target, ast.Name))


def _get_function_name(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _is_expression(node: ast.expr, names: frozenset[str]) -> bool:
    """Return True for a name of an expression, and for an attribute or an item of one."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and node.attr in _EXPRESSION_ATTRIBUTES:
            return True
        node = node.value
    return isinstance(node, ast.Name) and node.id in names
