"""Bucket policies that S3 treats as public.

Source: "Blocking public access to your Amazon S3 storage", section "The meaning of public", Amazon S3 user guide.
"""

import ipaddress
from collections.abc import Mapping
from contextlib import suppress

from sagemaker_sandbox.iam.elements import make_list
from sagemaker_sandbox.iam.evaluation import Policy, Statement

#: Condition keys whose fixed values limit a statement for every principal.
_LIMITING_KEYS = {
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
}
#: Operators that a request without the key does not meet.
_LIMITING_OPERATORS = {"ArnEquals", "ArnLike", "IpAddress", "StringEquals", "StringEqualsIgnoreCase", "StringLike"}
#: Shortest prefix of a network that is not public, by the version of IP.
_SHORTEST_PREFIX = {4: 8, 6: 32}


def is_public(document: str) -> bool:
    """Return whether a bucket policy allows access to principals that it does not name."""
    return any(_is_public(statement) for statement in Policy.parse_valid(document).statements)


def _is_public(statement: Statement) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    names = make_list(principal.get("AWS") if isinstance(principal, Mapping) else principal)
    if "NotPrincipal" not in statement and "*" not in names:
        return False
    conditions = statement.get("Condition") or {}
    return not any(
        operator.removeprefix("ForAnyValue:") in _LIMITING_OPERATORS
        and key.lower() in _LIMITING_KEYS
        and all(_is_fixed(str(value)) for value in make_list(expected))
        for operator, tests in conditions.items()
        for key, expected in tests.items()
    )


def _is_fixed(value: str) -> bool:
    """Return whether a value has no wildcard and no variable. A large network counts as a wildcard."""
    with suppress(ValueError):
        network = ipaddress.ip_network(value, strict=False)
        return network.is_private or network.prefixlen >= _SHORTEST_PREFIX[network.version]
    return not any(character in value for character in "*?$")
