"""IAM policies as JSON text: no element of a statement is lost."""

from typing import Any

import pytest

from modules.iam_statements import equals
from sustainable_mlops.base.errors import UserError
from tests.lazy_imports import LazyModule

#: It imports cdktn, which starts jsii.
policies = LazyModule("modules.policies")

STATEMENT: dict[str, Any] = {"sid": "Publish", "actions": ["sns:Publish"], "resources": ["*"]}
SERVICE = {"type": "Service", "identifiers": ["events.amazonaws.com"]}


def test_a_statement_has_all_its_principals_and_conditions() -> None:
    conditions = [equals("aws:SourceAccount", "123456789012"), equals("aws:SourceArn", "a", "b")]
    principals = [SERVICE, {"type": "AWS", "identifiers": ["123456789012"]}]
    assert policies.encode_statement({**STATEMENT, "principals": principals, "condition": conditions}) == {
        "Sid": "Publish",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com", "AWS": "123456789012"},
        "Action": "sns:Publish",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012", "aws:SourceArn": ["a", "b"]}},
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"not_actions": ["sns:Publish"]}, "statement: unknown: not_actions; known: actions, condition, effect"),
        ({"not_principals": [SERVICE]}, "statement: unknown: not_principals; known"),
        ({"principals": [SERVICE, SERVICE]}, "statement: several principals of type Service; write one"),
        ({"principals": [SERVICE, {"type": "*", "identifiers": ["*"]}]}, r"statement: \* already includes all other"),
        (
            {"condition": [equals("aws:SourceArn", "a"), equals("aws:SourceArn", "b")]},
            "statement: several conditions StringEquals of aws:SourceArn; write one",
        ),
    ],
)
def test_unknown_and_repeated_parts_of_a_statement_are_errors(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        policies.encode_statement({**STATEMENT, **fields})
