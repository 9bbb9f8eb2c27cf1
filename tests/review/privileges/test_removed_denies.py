"""Deny statements that are removed."""

import json
from typing import Any

from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change
from tests.review.privileges.plans import KEPT, READ, ROLE, list_levels, policy, text


def test_a_removed_deny_without_a_matching_allow_is_a_note() -> None:
    denied = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    assert list_levels(KEPT, policy("p", text(READ, denied), text(READ))) == [("PRIVILEGES_DENY", Level.NOTE)]
    wide = {**READ, "Action": "s3:*"}
    assert list_levels(KEPT, policy("p", text(wide, denied), text(wide))) == [("PRIVILEGES_DENY", Level.STOP)]


def grant_on_bucket(principal: Any, action: str = "s3:*", resource: str = "arn:aws:s3:::data/*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    values = {"bucket": "data", "policy": text(statement)}
    return build_change("aws_s3_bucket_policy.b", values, before=values)


def grant_on_key(principal: Any, action: str = "kms:Decrypt") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    values = {"key_id": "k", "arn": "arn:aws:kms:eu-north-1:123456789012:key/k", "policy": text(statement)}
    return build_change("aws_kms_key.k", values, before=values)


ROLE_PRINCIPAL = {"AWS": ROLE["arn"]}
MFA = {"aws:MultiFactorAuthPresent": "false"}


@check_cases(
    ("resource", "denied", "remaining", "level"),
    [
        (grant_on_bucket(ROLE_PRINCIPAL), {"Action": "s3:DeleteObject"}, None, Level.STOP),
        (grant_on_bucket("*"), {"Action": "s3:DeleteObject"}, None, Level.STOP),
        (grant_on_bucket({"AWS": "arn:aws:sts::123456789012:assumed-role/train/s"}), {"Action": "s3:*"}, None,
         Level.STOP),
        (grant_on_key(ROLE_PRINCIPAL), {"Action": "kms:*"}, None, Level.STOP),
        (grant_on_key(ROLE_PRINCIPAL), {"Action": "kms:*", "Condition": {"BoolIfExists": MFA}},
         {"Action": "kms:*", "Condition": {"Bool": MFA}}, Level.STOP),
        # The account lets its policies decide, others get nothing, and the actions or objects are others.
        (grant_on_bucket({"AWS": "arn:aws:iam::123456789012:root"}), {"Action": "s3:*"}, None, Level.NOTE),
        (grant_on_bucket({"AWS": "arn:aws:iam::123456789012:role/other"}), {"Action": "s3:*"}, None, Level.NOTE),
        (grant_on_bucket({"Service": "logging.s3.amazonaws.com"}), {"Action": "s3:*"}, None, Level.NOTE),
        (grant_on_bucket(ROLE_PRINCIPAL, "s3:GetObject"), {"Action": "s3:DeleteObject"}, None, Level.NOTE),
        (grant_on_bucket(ROLE_PRINCIPAL), {"Action": "s3:*", "Resource": "arn:aws:s3:::other/*"}, None, Level.NOTE),
        (grant_on_key(ROLE_PRINCIPAL, "kms:Encrypt"), {"Action": "kms:Decrypt"}, None, Level.NOTE),
    ],
)  # fmt: skip
def test_a_removed_deny_counts_if_the_policy_of_a_resource_allows(
    resource: dict[str, Any], denied: dict[str, Any], remaining: dict[str, Any] | None, level: Level
) -> None:
    before, after = (
        None if one is None else text({"Effect": "Deny", "Resource": "*", **one}) for one in (denied, remaining)
    )
    assert list_levels(KEPT, resource, policy("p", before, after)) == [("PRIVILEGES_DENY", level)]


def test_a_removed_deny_is_a_note_if_the_policy_of_the_resource_is_deleted_too() -> None:
    deleted = build_change("aws_s3_bucket_policy.b", before=grant_on_bucket(ROLE_PRINCIPAL)["change"]["before"])
    denied = text({"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"})
    assert list_levels(KEPT, deleted, policy("p", denied, None)) == [("PRIVILEGES_DENY", Level.NOTE)]


@check_cases(
    ("resource", "expected"),
    [
        ("arn:aws:s3:::data/${aws:PrincipalTag/team}/*", [("PRIVILEGES_DENY", Level.STOP)]),
        ("arn:aws:s3:::data/secret/*", []),
    ],
)
def test_a_deny_with_a_variable_needs_its_version(resource: str, expected: list[tuple[str, Level]]) -> None:
    statements = [{**READ, "Action": "s3:*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": resource}]
    new, old = (json.dumps({**version, "Statement": statements}) for version in ({"Version": "2012-10-17"}, {}))
    assert list_levels(KEPT, policy("p", new, old)) == expected
    assert list_levels(KEPT, policy("p", old, json.dumps({"Version": "2008-10-17", "Statement": statements}))) == []
