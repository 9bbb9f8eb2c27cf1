"""IAM policies as JSON text.

Use `encode_policy` for a policy of values that every plan knows, such as composed ARNs. Terraform defers a data source
until apply if the plan changes a resource in `depends_on` of the module call.

A policy with the ARN of a key or a role is an `aws_iam_policy_document`. Before the first apply, the ARN is unknown and
so is the whole text, but `smlops review` reads the statements of the document. Such a document refers to the ARN
through an input or a local, because Terraform also defers a data source if the plan changes a resource that the data
source refers to.
"""

from collections.abc import Iterable
from typing import Any

from sustainable_mlops.authoring.author_errors import author_error
from sustainable_mlops.authoring.expressions import concat, is_expression, jsonencode

_VERSION = "2012-10-17"
_ELEMENTS = {"actions": "Action", "resources": "Resource", "not_resources": "NotResource"}
_FIELDS = {"sid", "effect", "principals", "condition", *_ELEMENTS}


def encode_policy(*statements: dict[str, Any], extra_elements: Any = ()) -> str:
    """Return the policy of statements in the form of `build_statement`.

    `extra_elements` is an expression of statements that `encode_statement` returned.
    """
    elements: Any = [encode_statement(one) for one in statements]
    if is_expression(extra_elements):
        elements = concat(elements, extra_elements)
    return jsonencode({"Version": _VERSION, "Statement": elements})


def encode_statement(statement: dict[str, Any]) -> dict[str, Any]:
    """Return a statement in the JSON form of a policy. A single value is not a list.

    Raises UserError for unknown fields, for several principals of one type or conditions of one test and variable, and
    for other principals beside `*`.
    """
    if unknown := sorted(statement.keys() - _FIELDS):
        raise author_error(f"statement: unknown: {', '.join(unknown)}; known: {', '.join(sorted(_FIELDS))}")
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
        raise author_error("statement: principals beside *, which is everybody; remove one of them")
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
        raise author_error(f"statement: several {description}; write one with all its values")
    values_by_name[name] = _shorten(values)


def _shorten(values: Any) -> Any:
    """Return the only value of a list, or the list."""
    return values[0] if not is_expression(values) and len(values) == 1 else values
