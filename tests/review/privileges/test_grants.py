"""Comparison of policies by the permissions they allow."""

import json
from typing import Any

from sustainable_mlops.plan.iam import parse_statements
from sustainable_mlops.review.privileges.grants import (
    EffectivePolicy,
    WideningKind,
    count_comparisons,
    find_lost_denies,
    find_new_permissions,
    merge_statements,
)
from tests.cases import check_cases

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/raw/*"}
ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
ACCOUNT = "arn:aws:iam::123456789012"


def allow(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "s3:*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def read(*statements: dict[str, Any]) -> EffectivePolicy:
    result = parse_statements(json.dumps({"Statement": list(statements)}))
    assert result is not None
    return merge_statements(result)


def list_kinds(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[WideningKind]:
    old, new = read(*before), read(*after)
    result = [*find_new_permissions(new.allows, old, new), *find_lost_denies(old.denies, new)]
    assert all(widening.is_known for widening in result)
    return [widening.kind for widening in result]


def allow_until(moment: str) -> dict[str, Any]:
    return allow(Condition={"DateLessThan": {"aws:CurrentTime": moment}})


SAME = [
    (
        "ForAllValues replaced by an operator that needs the key",
        [allow(Condition={"ForAllValues:StringEquals": {"aws:PrincipalOrgID": ["o-1", "o-2"]}})],
        [allow(Condition=ORG)],
    ),
    (
        "ForAnyValue removed from a key of one value",
        [allow(Condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgID": "o-*"}})],
        [allow(Condition=ORG)],
    ),
    (
        "the same moment in another zone",
        [allow_until("2030-01-01T00:00:00Z")],
        [allow_until("2030-01-01T02:00:00+02:00")],
    ),
    (
        "the order and the spelling of actions",
        [allow(["s3:GetObject", "s3:PutObject"])],
        [allow(["S3:putobject", "s3:getobject"])],
    ),
    ("one statement split into two", [allow(["s3:GetObject", "s3:PutObject"])], [allow(), allow("s3:PutObject")]),
    ("a text instead of a list", [allow(["s3:GetObject"])], [allow("s3:GetObject")]),
    ("another Sid", [allow(Sid="A")], [allow(Sid="B")]),
    ("less behind a wildcard", [allow("s3:*")], [allow(["s3:Get*", "s3:PutObject"])]),
    ("a narrower resource", [allow(resource="arn:aws:s3:::data/*")], [READ]),
    (
        "everything but more",
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        [{"Effect": "Allow", "NotAction": ["iam:*", "kms:*"], "Resource": "*"}],
    ),
    ("an action out of everything but others", [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], [allow()]),
    ("a condition added", [allow()], [allow(Condition=ORG)]),
    (
        "fewer values of a condition",
        [allow(Condition={"StringEquals": {"aws:PrincipalOrgID": ["o-1", "o-2"]}})],
        [allow(Condition={"StringEquals": {"aws:principalorgid": "o-1"}})],
    ),
    (
        "a value instead of a pattern",
        [allow(Condition={"StringLike": {"s3:prefix": "raw/*"}})],
        [allow(Condition={"StringEquals": {"s3:prefix": "raw/2013"}})],
    ),
    (
        "a smaller network",
        [allow(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})],
        [allow(Condition={"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}})],
    ),
    (
        "a lower limit",
        [allow(Condition={"NumericLessThan": {"s3:max-keys": "100"}})],
        [allow(Condition={"NumericLessThan": {"s3:max-keys": "10"}})],
    ),
    (
        "an earlier date",
        [allow(Condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}})],
        [allow(Condition={"DateLessThan": {"aws:CurrentTime": "2029-12-31T00:00:00Z"}})],
    ),
    (
        "a pattern without a wildcard instead of a value",
        [allow(Condition={"StringEquals": {"s3:prefix": "raw/"}})],
        [allow(Condition={"StringLike": {"s3:prefix": "raw/"}})],
    ),
    (
        "false without quotes, or with a capital",
        [deny(Condition={"Bool": {"aws:SecureTransport": [False]}})],
        [deny(Condition={"Bool": {"aws:SecureTransport": "False"}})],
    ),
    ("an account without quotes", [allow(Principal={"AWS": 123456789012})], [allow(Principal={"AWS": "123456789012"})]),
    (
        "one more value that must not be",
        [allow(Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}})],
        [allow(Condition={"StringNotEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}})],
    ),
    (
        "the account by its number",
        [allow(Principal={"AWS": f"{ACCOUNT}:root"})],
        [allow(Principal={"AWS": "123456789012"})],
    ),
    ("a deny that denies more", [deny("s3:Delete*")], [deny("s3:*")]),
    ("what is allowed is denied as well", [], [allow("s3:GetObject"), deny("s3:*")]),
    ("a statement taken away", [allow(), allow("s3:PutObject")], [allow()]),
]

WIDER = [
    ("an action", [READ], [{**READ, "Action": ["s3:GetObject", "s3:PutObject"]}], WideningKind.ACTION),
    ("a wildcard", [READ], [{**READ, "Action": "s3:*"}], WideningKind.ACTION),
    ("a wider resource", [READ], [{**READ, "Resource": "arn:aws:s3:::data/*"}], WideningKind.RESOURCE),
    ("another resource", [READ], [READ, {**READ, "Resource": "arn:aws:s3:::other/*"}], WideningKind.RESOURCE),
    (
        "NotResource instead of Resource",
        [READ],
        [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::data/*"}],
        WideningKind.RESOURCE,
    ),
    (
        "NotAction that leaves out less",
        [{"Effect": "Allow", "NotAction": ["iam:*", "kms:*"], "Resource": "*"}],
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        WideningKind.ACTION,
    ),
    (
        "a principal",
        [allow(Principal={"AWS": f"{ACCOUNT}:role/a"})],
        [allow(Principal={"AWS": [f"{ACCOUNT}:role/a", f"{ACCOUNT}:role/b"]})],
        WideningKind.PRINCIPAL,
    ),
    ("everyone", [allow(Principal={"AWS": f"{ACCOUNT}:root"})], [allow(Principal="*")], WideningKind.PRINCIPAL),
    ("a condition removed", [allow(Condition=ORG)], [allow()], WideningKind.CONDITION),
    (
        "a value added to a condition",
        [allow(Condition=ORG)],
        [allow(Condition={"StringEquals": {"aws:PrincipalOrgID": ["o-1", "o-2"]}})],
        WideningKind.CONDITION,
    ),
    (
        "IfExists added",
        [allow(Condition=ORG)],
        [allow(Condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}})],
        WideningKind.CONDITION,
    ),
    (
        "a value taken from those that must not be",
        [allow(Condition={"StringNotEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}})],
        [allow(Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}})],
        WideningKind.CONDITION,
    ),
    (
        "ForAllValues, which allows requests without the key",
        [allow(Condition=ORG)],
        [allow(Condition={"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-1"}})],
        WideningKind.CONDITION,
    ),
    (
        "another quantifier",
        [allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "a"}})],
        [allow(Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}})],
        WideningKind.CONDITION,
    ),
    (
        "a larger network",
        [allow(Condition={"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}})],
        [allow(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})],
        WideningKind.CONDITION,
    ),
    (
        "a later date",
        [allow(Condition={"DateLessThan": {"aws:CurrentTime": "2029-12-31T00:00:00Z"}})],
        [allow(Condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}})],
        WideningKind.CONDITION,
    ),
    (
        "a higher limit without quotes",
        [allow(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": 300}})],
        [allow(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}})],
        WideningKind.CONDITION,
    ),
    (
        "a deny of what is encrypted, not of what is not",
        [deny(Condition={"Bool": {"aws:SecureTransport": False}})],
        [deny(Condition={"Bool": {"aws:SecureTransport": True}})],
        WideningKind.DENY,
    ),
    ("something else altogether", [READ], [READ, allow("kms:Decrypt")], WideningKind.PERMISSION),
    ("a deny removed", [allow("s3:*"), deny("s3:DeleteObject")], [allow("s3:*")], WideningKind.DENY),
    ("a deny that got a condition", [deny("s3:*")], [deny("s3:*", Condition=ORG)], WideningKind.DENY),
    ("a deny of fewer actions", [deny("s3:*")], [deny("s3:Delete*")], WideningKind.DENY),
]


@check_cases(("before", "after"), [case[1:] for case in SAME], ids=[case[0] for case in SAME])
def test_no_privilege_is_widened_by(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    assert list_kinds(before, after) == []


@check_cases(("before", "after", "kind"), [case[1:] for case in WIDER], ids=[case[0] for case in WIDER])
def test_privileges_are_widened_by(
    before: list[dict[str, Any]], after: list[dict[str, Any]], kind: WideningKind
) -> None:
    assert list_kinds(before, after) == [kind]


@check_cases(
    ("statement", "lines"),
    [
        (READ, "s3:GetObject on arn:aws:s3:::data/raw/*"),
        (allow(Condition=ORG), "s3:GetObject on * if StringEquals aws:PrincipalOrgID o-1"),
        (
            allow(Principal="*", Condition={**ORG, "Bool": {"aws:SecureTransport": ["true", "false"]}}),
            "s3:GetObject on * if StringEquals aws:PrincipalOrgID o-1; Bool aws:SecureTransport true, false",
        ),
        (allow(Principal={"AWS": f"{ACCOUNT}:root"}), "s3:GetObject on * by 123456789012"),
        (allow(["sts:AssumeRole", "sts:TagSession"], Principal="*"), "sts:AssumeRole, sts:TagSession by *"),
        (allow("sts:AssumeRole", Principal="*", Condition=ORG),
         "sts:AssumeRole by * if StringEquals aws:PrincipalOrgID o-1"),
        ({"Effect": "Allow", "NotAction": ["iam:*", "kms:*"], "NotResource": "a"},
         "everything but iam:*, kms:* on everything but a"),
    ],
)  # fmt: skip
def test_a_permission_is_shown_with_whom_what_and_under_which_conditions(statement: dict[str, Any], lines: str) -> None:
    (grant,) = read(statement).allows
    assert str(grant) == lines


def test_a_policy_with_an_unknown_value_is_not_certain() -> None:
    assert read(allow(Principal="*", Condition=ORG), deny()).is_certain
    for part in ({"Resource": [7]}, {"Action": [7]}, {"Principal": {"AWS": [7.5, []]}}, {"Condition": {"Bool": 7}}):
        assert not read({**allow(), **part}).is_certain
        assert not read(allow(), {**deny(), **part}).is_certain


def test_only_the_actions_that_are_new_are_named() -> None:
    old, new = read(READ), read({**READ, "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]})
    (widening,) = find_new_permissions(new.allows, old, new)
    assert str(widening.grant) == "s3:DeleteObject, s3:PutObject on arn:aws:s3:::data/raw/*"


def test_a_widening_names_the_condition_that_it_loses() -> None:
    tls = {"Bool": {"aws:SecureTransport": "true"}}
    old, new = read(allow(Condition={**ORG, **tls})), read(allow(Condition=tls))
    (widening,) = find_new_permissions(new.allows, old, new)
    assert str(widening) == (
        "condition removed or weakened: s3:GetObject on * if Bool aws:SecureTransport true"
        "; before, only if StringEquals aws:PrincipalOrgID o-1"
    )


def test_a_message_shortens_a_long_list() -> None:
    (grant,) = read(allow([f"s3:Get{n:02}" for n in range(40)])).allows
    assert str(grant).endswith("s3:Get11 and 28 more on *")


def test_a_grant_with_many_permissions_is_split_by_action_only() -> None:
    actions, resources = ([f"s3:Get{n}" for n in range(50)], [f"arn:aws:s3:::b{n}" for n in range(50)])
    ((some,), (many,)) = (read(allow(actions, entries)).allows for entries in (resources[:40], resources))
    assert len(list(some.split())) == 50 * 40
    assert [part.resources for part in many.split()] == [many.resources] * 50


def test_the_effort_of_a_comparison_grows_with_both_policies() -> None:
    one, two, none = (read(*(allow(f"s3:Get{n}") for n in range(number))).allows for number in (1, 2, 0))
    assert count_comparisons(none, two) == count_comparisons(two, none) == 0
    assert (
        0
        < count_comparisons(one, one)
        < count_comparisons(one, two)
        == count_comparisons(two, one)
        < count_comparisons(two, two)
    )
