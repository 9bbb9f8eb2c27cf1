"""IAM policies as JSON text.

Use `encode_policy` for a policy of values that every plan knows, such as composed ARNs.

Use `show_policy` for a policy with the ARN of a key or a role. Before the first apply, the ARN is unknown and so is the
whole text. The plan shows the statements in a `terraform_data`, where people and `smlops review` read them. A data
source `aws_iam_policy_document` would show them too. But if the plan changes a resource in `depends_on` of the module
call, Terraform defers the data source until apply, and its text is unknown.
"""

from collections.abc import Iterable
from typing import Any

from sustainable_mlops.authoring.author_errors import make_author_error
from sustainable_mlops.authoring.cdktn import DataResource
from sustainable_mlops.authoring.expressions import Each, concat, is_expression, jsonencode
from sustainable_mlops.authoring.expressions.expression import Expression, to_node
from sustainable_mlops.authoring.resources import Module

_VERSION = "2012-10-17"
_ELEMENTS = {"actions": "Action", "resources": "Resource", "not_resources": "NotResource"}
_FIELDS = {"sid", "effect", "principals", "condition", *_ELEMENTS}


def encode_policy(*statements: dict[str, Any], extra_elements: Any = ()) -> str:
    """Return the text of `build_policy`."""
    return jsonencode(build_policy(*statements, extra_elements=extra_elements))


def build_policy(*statements: dict[str, Any], extra_elements: Any = ()) -> dict[str, Any]:
    """Return the policy of statements in the form of `build_statement`.

    `extra_elements` is an expression of statements that `encode_statement` returned.
    """
    elements: Any = [encode_statement(one) for one in statements]
    if is_expression(extra_elements):
        elements = concat(elements, extra_elements) if elements else extra_elements
    return {"Version": _VERSION, "Statement": elements}


def show_policy(
    module: Module[Any],
    label: str,
    *statements: dict[str, Any],
    for_each: Each[Any, Any],
    extra_elements: Any = (),
    why: str = "",
) -> Any:
    """Add `terraform_data.<label>_policy` with the policy of statements as its input, and return it.

    `jsonencode(….input)` is the text. `statements` and `extra_elements` are the parameters of `build_policy`.
    """
    return module.add(
        DataResource,
        f"{label}_policy",
        why=why,
        for_each=for_each,
        notes={"input": "A plan shows these statements, even if an ARN in them is unknown until apply."},
        input=Expression(to_node(build_policy(*statements, extra_elements=extra_elements))),
    )


def encode_statement(statement: dict[str, Any]) -> dict[str, Any]:
    """Return a statement in the JSON form of a policy. A single value is not a list.

    Raises UserError for unknown fields, for several principals of one type or conditions of one test and variable, and
    for other principals beside `*`.
    """
    if unknown := sorted(statement.keys() - _FIELDS):
        raise make_author_error(f"statement: unknown: {', '.join(unknown)}; known: {', '.join(sorted(_FIELDS))}")
    element = {"Sid": statement["sid"]} if "sid" in statement else {}
    element["Effect"] = statement.get("effect", "Allow")
    if principals := statement.get("principals"):
        element["Principal"] = _encode_principals(principals)
    element |= {name: _shorten(statement[field]) for field, name in _ELEMENTS.items() if field in statement}
    if conditions := statement.get("condition"):
        element["Condition"] = _encode_conditions(conditions)
    return element


def _encode_principals(principals: Iterable[dict[str, Any]]) -> Any:
    by_type: dict[str, Any] = {}
    for principal in principals:
        _add(by_type, principal["type"], principal["identifiers"], f"principals of type {principal['type']}")
    if "*" in by_type and len(by_type) > 1:
        raise make_author_error("statement: * already includes all other principals; remove * or the other principals")
    return by_type.get("*", by_type)


def _encode_conditions(conditions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    by_test: dict[str, Any] = {}
    for condition in conditions:
        test, variable = condition["test"], condition["variable"]
        _add(by_test.setdefault(test, {}), variable, condition["values"], f"conditions {test} of {variable}")
    return by_test


def _add(values_by_name: dict[str, Any], name: str, values: Any, description: str) -> None:
    """Add the values of a name. Raises UserError if the name has values already."""
    if name in values_by_name:
        raise make_author_error(f"statement: several {description}; write one with all its values")
    values_by_name[name] = _shorten(values)


def _shorten(values: Any) -> Any:
    """Return the only value of a list, or the list."""
    return values[0] if not is_expression(values) and len(values) == 1 else values
