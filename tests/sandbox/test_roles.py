"""The trust policy of a role decides as IAM does whether a service may assume it."""

import json
from typing import Any

import pytest

from sagemaker_sandbox.iam import roles

SERVICE = "sagemaker.amazonaws.com"
ALLOWED = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
CONDITION = {"StringEquals": {"aws:SourceAccount": "123456789012"}}


@pytest.mark.parametrize(
    ("statements", "is_trusted"),
    [
        ([ALLOWED], True),
        (ALLOWED, True),
        ([ALLOWED | {"Action": "sts:assumerole"}], True),
        ([ALLOWED | {"Action": "sts:Assume*"}], True),
        ([ALLOWED | {"Principal": {"Service": ["events.amazonaws.com", SERVICE]}}], True),
        ([ALLOWED | {"Principal": {"Service": "events.amazonaws.com"}}], False),
        ([ALLOWED | {"Action": "sts:TagSession"}], False),
        ([ALLOWED, ALLOWED | {"Effect": "Deny"}], False),
        ([ALLOWED | {"Condition": CONDITION}], True),
        ([ALLOWED, ALLOWED | {"Effect": "Deny", "Condition": CONDITION}], False),
        ([], False),
    ],
)
def test_a_service_assumes_a_role_that_trusts_it(
    statements: Any, is_trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Role:
        assume_role_policy_document = json.dumps({"Version": "2012-10-17", "Statement": statements})

    monkeypatch.setattr(roles, "find_role", lambda *_: Role)
    keys = {"aws:SourceAccount": ("123456789012",)}
    assert roles.can_assume("123456789012", "arn:aws:iam::123456789012:role/training", SERVICE, keys) == is_trusted
