"""IAM policies as JSON text.

Use `encode_policy` for a policy of values that every plan knows, such as composed ARNs. A data source would be read
after the apply in each plan that changes what the call of the module depends on (`depends_on`).

A policy with the ARN of a key or a role is an `aws_iam_policy_document`. Before the first apply, the ARN is unknown and
so is the whole text, but `smlops review` reads the statements of the document. Such a document refers to the ARN
through an input or a local: Terraform reads a data source after the apply in each plan that changes a resource that the
data source refers to.
"""

from collections.abc import Iterable
from typing import Any

from sustainable_mlops.authoring.expressions import concat, is_expression, jsonencode

_VERSION = "2012-10-17"
_ELEMENTS = {"actions": "Action", "resources": "Resource", "not_resources": "NotResource"}


def encode_policy(*statements: dict[str, Any], more: Any = ()) -> str:
    """Return the policy of statements in the form of `build_statement`; `more` is an expression of encoded ones."""
    encoded: Any = [encode_statement(one) for one in statements]
    return jsonencode({"Version": _VERSION, "Statement": concat(encoded, more) if is_expression(more) else encoded})


def encode_statement(statement: dict[str, Any]) -> dict[str, Any]:
    """Return a statement as it is in a policy. An element with one value is not a list."""
    encoded = {"Sid": statement["sid"]} if "sid" in statement else {}
    encoded["Effect"] = statement.get("effect", "Allow")
    if principals := statement.get("principals"):
        encoded["Principal"] = _encode_principals(principals)
    encoded |= {name: _shorten(statement[field]) for field, name in _ELEMENTS.items() if field in statement}
    if conditions := statement.get("condition"):
        encoded["Condition"] = _encode_conditions(conditions)
    return encoded


def _encode_principals(principals: Iterable[dict[str, Any]]) -> Any:
    by_type = {principal["type"]: _shorten(principal["identifiers"]) for principal in principals}
    return by_type.get("*", by_type)


def _encode_conditions(conditions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    by_test: dict[str, Any] = {}
    for condition in conditions:
        by_test.setdefault(condition["test"], {})[condition["variable"]] = _shorten(condition["values"])
    return by_test


def _shorten(values: Any) -> Any:
    """Return the only value of a list, or the list."""
    return values[0] if not is_expression(values) and len(values) == 1 else values
